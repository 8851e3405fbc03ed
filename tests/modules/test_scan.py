# SPDX-License-Identifier: BSD-3-Clause
"""Scan and ScanKey."""

import pytest

MODULES = ["scan"]


def test_no_keys(conn):
    assert conn.do("scan.keys") == [b"ENOENT"]


def test_kinds(conn):
    conn.do("set", "s", "abc")
    conn.do("rpush", "l", "a", "b")
    conn.do("hset", "h", "a", "1")
    conn.do("sadd", "t", "a", "b", "c", "d")
    conn.do("zadd", "z", 1, "a")
    *found, end = conn.do("scan.keys")
    assert sorted(found) == [[b"h", 3001], [b"l", 2002], [b"s", 1003], [b"t", 4004], [b"z", 5001]]
    assert end == b"ENOENT"
    conn.do("select", 1)
    assert conn.do("scan.keys") == [b"ENOENT"]


@pytest.mark.parametrize("count", [1, 100, 10000])
def test_every_key(conn, count):
    conn.pipeline([["set", f"key:{number}", "x"] for number in range(count)])
    found = conn.do("scan.keys")[:-1]
    assert {name for name, _ in found} == {b"key:%d" % number for number in range(count)}
    assert conn.do("scan.delete") == count
    assert conn.do("dbsize") == 0


def test_a_restarted_cursor(conn):
    conn.do("mset", "a", 1, "b", 2, "c", 3)
    assert conn.do("scan.twice") == [3, 2]


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_elements(conn, count):
    names = [b"m%d" % number for number in range(count)]
    conn.do("sadd", "s", *names)
    conn.do("sadd", "i", *range(count))
    conn.do("hset", "h", *(word for name in names for word in (name, name + b"!")))
    conn.do("zadd", "z", *(word for number, name in enumerate(names) for word in (number / 2, name)))

    def elements(key):
        *found, end = conn.do("scan.elements", key)
        assert end == b"ENOENT"
        pairs = {tuple(pair) for pair in found}
        return pairs

    assert elements("s") == {(name, None) for name in names}
    assert elements("i") == {(b"%d" % number, None) for number in range(count)}
    assert elements("h") == {(name, name + b"!") for name in names}
    assert {(name, float(score)) for name, score in elements("z")} == {(name, number / 2)
                                                                       for number, name in enumerate(names)}


def test_elements_of_something_else(conn):
    conn.do("set", "text", "x")
    conn.do("rpush", "list", "x")
    for key in ("text", "list", "none"):
        assert conn.do("scan.elements", key) == [b"EINVAL"]
