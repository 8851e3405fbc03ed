# SPDX-License-Identifier: BSD-3-Clause
"""Strings: conversions both ways, comparing, appending, references."""

import pytest

MODULES = ["strings"]

NUMBERS = [
    ("ll", "0", b"0"), ("ll", "-9223372036854775808", b"-9223372036854775808"),
    ("ll", "9223372036854775807", b"9223372036854775807"), ("ll", "9223372036854775808", None), ("ll", "", None),
    ("ll", "01", None), ("ll", "+1", None), ("ll", " 1", None), ("ll", "1 ", None), ("ll", "-0", None),
    ("ll", "1.0", None), ("ll", b"1\0", None),
    ("ull", "18446744073709551615", b"18446744073709551615"), ("ull", "18446744073709551616", None),
    ("ull", "-1", None), ("ull", "7", b"7"), ("ull", "x", None),
    ("double", "3.5", b"3.5"), ("double", "-inf", b"-inf"), ("double", "1e3", b"1000"), ("double", "", None),
    ("double", "nan", None), ("double", "3.5x", None), ("double", " 3", None), ("double", "0x10", b"16"),
    ("longdouble", "0.25", b"0.25"), ("longdouble", "x", None), ("longdouble", "", None), ("longdouble", "nan", None),
]


@pytest.mark.parametrize("kind, text, number", NUMBERS)
def test_to_a_number(conn, kind, text, number):
    if number is None:
        assert conn.error("strings.to", kind, text) == "ERR none"
    else:
        assert conn.do("strings.to", kind, text) == number


@pytest.mark.parametrize("kind, value, text", [
    ("ll", "-9223372036854775808", b"-9223372036854775808"), ("ll", "0", b"0"),
    ("ull", "18446744073709551615", b"18446744073709551615"), ("ull", "5", b"5"),
    ("double", "0.5", b"0.5"), ("double", "3", b"3"), ("double", "-inf", b"-inf"),
    ("longdouble", "0.5", b"0.5"), ("longdouble.human", "0.00000000000000001", b"0.00000000000000001"),
    ("longdouble.human", "100", b"100"),
])
def test_from_a_number(conn, kind, value, text):
    assert conn.do("strings.from", kind, value) == text


@pytest.fixture
def streams(conn):
    if conn.raw("strings.to", "streamid", "1") == b"-ERR the server has no streams\r\n":
        pytest.skip("the server has no streams")


@pytest.mark.parametrize("text, identifier", [
    ("5-7", b"5-7"), ("5", b"5-0"), ("-", b"0-0"), ("+", b"18446744073709551615-18446744073709551615"), ("x", None), ("5-", None),
])
def test_to_a_stream_id(conn, streams, text, identifier):
    test_to_a_number(conn, "streamid", text, identifier)


def test_from_a_stream_id(conn, streams):
    assert conn.do("strings.from", "streamid", "12") == b"12-7"


@pytest.mark.since("7.2")
@pytest.mark.parametrize("text", ["0.1", "1e+300", "-2.5e-10"])
def test_from_a_double_with_as_few_digits_as_tell_it_apart(conn, text):
    assert conn.do("strings.from", "double", text) == text.encode()


@pytest.mark.parametrize("text", [b"", b"a", b"with \0 zero", b"123", b"x" * 99])
def test_create(conn, text):
    until_zero = text.split(b"\0")[0]
    assert conn.do("strings.create", text) == [text, text + b"+", until_zero + b"|-3|002.2|%d|%%" % len(text), text]


def test_create_a_large_one(conn):
    text = bytes(range(256)) * 4096
    made, copy, _, argument = conn.do("strings.create", text)
    assert made == argument == text and copy == text + b"+"


@pytest.mark.parametrize("a, b, order", [
    (b"", b"", 0), (b"a", b"a", 0), (b"a", b"b", -1), (b"b", b"a", 1), (b"a", b"aa", -1), (b"aa", b"a", 1),
    (b"a\0b", b"a\0c", -1), (b"\xff", b"a", 1), (b"10", b"9", -1), (b"a\0", b"a", 1),
])
def test_compare(conn, a, b, order):
    assert conn.do("strings.compare", a, b) == order


def test_append(conn):
    assert conn.do("strings.append", "a", "b", "", b"\0c") == [3, b"ab\0c"]
    assert conn.do("strings.append", "12", "3") == [1, b"123"]
    assert conn.do("strings.append", "", *["x" * 1000] * 50) == [50, b"x" * 50000]


@pytest.mark.parametrize("kind", ["hold", "retain", "retain.auto"])
@pytest.mark.parametrize("text", [b"", b"123456", b"short", b"y" * 100, b"z" * 100000])
def test_an_argument_is_kept_beyond_its_command(conn, kind, text):
    assert conn.do("strings.hold", kind, text) == b"OK"
    for number in range(50):
        conn.do("set", f"key:{number}", "w" * (len(text) + number))
    assert conn.do("strings.held") == text


def test_automatic_memory(conn):
    assert conn.do("strings.auto") == b"done"
    assert conn.do("ping") == b"PONG"
    assert conn.do("strings.held") == b"kept"


@pytest.mark.parametrize("text", [b"", b"a", b"with \0 zero", b"123", b"x" * 70000])
def test_length_and_closing_zero(conn, text):
    assert conn.do("strings.length", text) == [len(text), 1, 1]
