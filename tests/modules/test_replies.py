# SPDX-License-Identifier: BSD-3-Clause
"""Replies of every type to the letter, in both protocols."""

import pytest

MODULES = ["replies"]

# Kind, value, reply in RESP2, reply in RESP3 when it differs.
ONE = [
    ("integer", -5, b":-5\r\n"), ("integer", 2**63 - 1, b":9223372036854775807\r\n"),
    ("simple", "text", b"+text\r\n"), ("simple", "", b"+\r\n"),
    ("error", "ERR wrong", b"-ERR wrong\r\n"), ("error", "WRONGTYPE x", b"-WRONGTYPE x\r\n"), ("error", "-ERR x", b"--ERR x\r\n"),
    ("buffer", b"a\0b", b"$3\r\na\0b\r\n"), ("buffer", "", b"$0\r\n\r\n"), ("string", b"\r\n", b"$2\r\n\r\n\r\n"),
    ("string", 12, b"$2\r\n12\r\n"), ("cstring", b"a\0b", b"$1\r\na\r\n"), ("empty", "", b"$0\r\n\r\n"),
    ("null", "", b"$-1\r\n", b"_\r\n"), ("nullarray", "", b"*-1\r\n", b"_\r\n"), ("emptyarray", "", b"*0\r\n"),
    ("bool", 1, b":1\r\n", b"#t\r\n"), ("bool", 0, b":0\r\n", b"#f\r\n"), ("bool", 7, b":1\r\n", b"#t\r\n"),
    ("double", "3.141", b"$5\r\n3.141\r\n", b",3.141\r\n"), ("double", "1", b"$1\r\n1\r\n", b",1\r\n"),
    ("double", "-inf", b"$4\r\n-inf\r\n", b",-inf\r\n"), ("double", "inf", b"$3\r\ninf\r\n", b",inf\r\n"),
    ("double", "1e100", b"$6\r\n1e+100\r\n", b",1e+100\r\n"),
    ("longdouble", "0.5", b"$3\r\n0.5\r\n", b",0.5\r\n"),
    ("longdouble", "0.00000000000000001", b"$19\r\n0.00000000000000001\r\n", b",0.00000000000000001\r\n"),
    ("verbatim", "a\nb", b"$3\r\na\nb\r\n", b"=7\r\ntxt:a\nb\r\n"), ("verbatim", "", b"$0\r\n\r\n", b"=4\r\ntxt:\r\n"),
    ("markdown", "*b*", b"$3\r\n*b*\r\n", b"=7\r\nmkd:*b*\r\n"),
    ("bignumber", "123456778901234567890", b"$21\r\n123456778901234567890\r\n", b"(123456778901234567890\r\n"),
    ("arity", "", b"-ERR wrong number of arguments for 'replies.one' command\r\n"),
]


def letter_of(expected, protocol):
    return expected[-1] if protocol == 3 else expected[0]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("kind, value, expected", [(row[0], row[1], row[2:]) for row in ONE])
def test_one(server, protocol, kind, value, expected):
    with server.connect(protocol) as conn:
        assert conn.raw("replies.one", kind, value) == letter_of(expected, protocol)


@pytest.mark.since("7.2")
@pytest.mark.parametrize("text", ["ERR a", "-ERR a", "WRONGTYPE a", "plain"])
def test_error_format(conn, text):
    expected = "--ERR a" if text == "-ERR a" else "-" + text
    assert conn.raw("replies.one", "errorformat", text) == f"{expected} (3 of five)\r\n".encode()


@pytest.mark.since("7.2")
@pytest.mark.parametrize("value", ["0.1", "1e+300", "1.7976931348623157e+308", "-3e-7"])
def test_doubles_have_as_few_digits_as_tell_them_apart(conn, conn3, value):
    assert conn.raw("replies.one", "double", value) == b"$%d\r\n%s\r\n" % (len(value), value.encode())
    assert conn3.raw("replies.one", "double", value) == b",%s\r\n" % value.encode()


@pytest.mark.since("7.2")
@pytest.mark.parametrize("value, text", [("nan", b"nan"), ("-nan", b"nan")])
def test_nan(conn, conn3, value, text):
    assert conn.raw("replies.one", "double", value) == b"$3\r\n" + text + b"\r\n"
    assert conn3.raw("replies.one", "double", value) == b"," + text + b"\r\n"


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("command", ["replies.many", "replies.postponed"])
@pytest.mark.parametrize("count", [0, 1, 3, 1000])
def test_aggregates(server, protocol, command, count):
    with server.connect(protocol) as conn:
        items = b"".join(b":%d\r\n" % number for number in range(count))
        assert conn.raw(command, "array", count) == b"*%d\r\n" % count + items
        assert conn.raw(command, "set", count) == (b"~" if protocol == 3 else b"*") + b"%d\r\n" % count + items
        values = [b"%g" % (number * 1.5) for number in range(count)]
        if protocol == 3:
            pairs = b"".join(b":%d\r\n,%s\r\n" % pair for pair in enumerate(values))
            assert conn.raw(command, "map", count) == b"%%%d\r\n" % count + pairs
        else:
            pairs = b"".join(b":%d\r\n$%d\r\n%s\r\n" % (number, len(value), value)
                             for number, value in enumerate(values))
            assert conn.raw(command, "map", count) == b"*%d\r\n" % (2 * count) + pairs


def tree(depth, width, protocol):
    level = [[depth], {b"width": width} if protocol == 3 else [b"width", width]]
    return level + [tree(depth - 1, width, protocol) for _ in range(width if depth else 0)]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("depth, width", [(0, 0), (1, 1), (3, 4), (30, 1), (2, 30)])
def test_nested_with_lengths_known_last(server, protocol, depth, width):
    with server.connect(protocol) as conn:
        assert conn.do("replies.tree", depth, width) == tree(depth, width, protocol)


def test_attributes(conn, conn3):
    for postponed in (0, 1):
        assert conn.error("replies.attribute", postponed) == "ERR no attributes"
        assert conn3.raw("replies.attribute", postponed) == b"|1\r\n$3\r\nttl\r\n:3600\r\n"
        assert conn3.read_raw() == b"$5\r\nvalue\r\n"


def test_a_length_that_nobody_left_open(conn):
    assert conn.do("replies.setlength") == 1
    assert conn.do("ping") == b"PONG"


def test_large_replies(conn):
    assert conn.do("replies.large", 40, 1 << 20) == [b"x" * (1 << 20)] * 40


def test_pipelined_replies_stay_in_order(conn):
    replies = conn.pipeline([["replies.postponed", "array", number] for number in range(200)])
    assert [len(payload) for _, payload in replies] == list(range(200))
    conn.do("multi")
    conn.pipeline([["replies.tree", 1, 2], ["replies.one", "null"], ["replies.one", "error", "ERR x"]])
    first, second, third = conn.do("exec")
    assert first == tree(1, 2, 2) and second is None and str(third) == "ERR x"
