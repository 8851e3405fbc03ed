# SPDX-License-Identifier: BSD-3-Clause
"""Sorted set values through the low-level functions, iterators included."""

import random

import pytest

MODULES = ["zset_keys"]


def test_add(conn):
    assert conn.do("zsetkeys.add", "k", "w", "", 1.5, "a") == b"added"
    assert conn.do("zsetkeys.add", "k", "rw", "", 2, "a") == b"updated"
    assert conn.do("zsetkeys.add", "k", "rw", "", 2, "a") == b"none"  # NOP is for what a flag forbade.
    assert conn.do("zsetkeys.add", "k", "rw", "-", "-inf", "b") == b"ok"
    assert conn.do("zrange", "k", 0, -1, "withscores") == [b"b", b"-inf", b"a", b"2"]


@pytest.mark.parametrize("flags, score, element, outcome, result", [
    ("x", 5, "none", b"nop", None), ("x", 5, "a", b"updated", b"5"), ("n", 5, "a", b"nop", b"3"),
    ("n", 5, "b", b"added", b"5"), ("g", 2, "a", b"nop", b"3"), ("g", 4, "a", b"updated", b"4"),
    ("l", 4, "a", b"nop", b"3"), ("l", 2, "a", b"updated", b"2"), ("g", 1, "b", b"added", b"1"),
    ("xg", 9, "b", b"nop", None), ("xl", 1, "a", b"updated", b"1"),
])
def test_add_with_flags(conn, flags, score, element, outcome, result):
    conn.do("zadd", "k", 3, "a")
    assert conn.do("zsetkeys.add", "k", "rw", flags, score, element) == outcome
    assert conn.do("zscore", "k", element) == result


@pytest.mark.parametrize("command", ["zsetkeys.add", "zsetkeys.incrby"])
def test_wrong_add(conn, command):
    conn.do("set", "text", "x")
    conn.do("zadd", "k", 1, "a")
    assert conn.error(command, "text", "rw", "", 1, "a") == "ERR refused"
    assert conn.error(command, "k", "r", "", 1, "a") == "ERR refused"
    assert conn.error(command, "k", "rw", "", "nan", "a") == "ERR refused"
    assert conn.do("zscore", "k", "a") == b"1"


@pytest.mark.since("7.2")
@pytest.mark.parametrize("command", ["zsetkeys.add", "zsetkeys.incrby"])
def test_a_refused_score_creates_no_key(conn, command):
    assert conn.error(command, "none", "rw", "", "nan", "a") == "ERR refused"
    assert conn.do("exists", "none") == 0


def test_incrby(conn):
    assert conn.do("zsetkeys.incrby", "k", "rw", "", 1.5, "a") == [b"added", b"1.5"]
    assert conn.do("zsetkeys.incrby", "k", "rw", "", 1, "a") == [b"updated", b"2.5"]
    assert conn.do("zsetkeys.incrby", "k", "rw", "-", 1, "a") == [b"ok", None]
    assert conn.do("zsetkeys.incrby", "k", "rw", "x", 1, "none") == [b"nop", None]
    assert conn.do("zsetkeys.incrby", "k", "rw", "n", 1, "a") == [b"nop", None]
    assert conn.do("zscore", "k", "a") == b"3.5"
    conn.do("zadd", "k", "inf", "big")
    assert conn.error("zsetkeys.incrby", "k", "rw", "", "-inf", "big") == "ERR refused"


def test_rem(conn):
    conn.do("zadd", "k", 1, "a", 2, "b")
    assert conn.do("zsetkeys.rem", "k", "rw", "a") == [0, 1]
    assert conn.do("zsetkeys.rem", "k", "rw", "a") == [0, 0]
    assert conn.do("zsetkeys.rem", "k", "r", "b")[0] == 1
    assert conn.do("zsetkeys.rem", "k", "w", "b") == [0, 1]
    assert conn.do("exists", "k") == 0
    assert conn.do("zsetkeys.rem", "none", "rw", "b") == [0, 0]
    conn.do("set", "text", "x")
    assert conn.do("zsetkeys.rem", "text", "rw", "b")[0] == 1


def test_score(conn):
    conn.do("zadd", "k", 1.25, "a", "-inf", "b")
    assert conn.do("zsetkeys.score", "k", "a") == b"1.25"
    assert conn.do("zsetkeys.score", "k", "b") == b"-inf"
    assert conn.do("zsetkeys.score", "k", "none") is None
    assert conn.do("zsetkeys.score", "none", "a") is None
    conn.do("set", "text", "x")
    assert conn.do("zsetkeys.score", "text", "a") is None


def pairs(flat):
    return list(zip(flat[::2], map(float, flat[1::2])))


@pytest.mark.parametrize("count", [1, 5, 100, 129, 1000])
def test_ranges_by_score(conn, count):
    seed = 7
    print("seed", seed)
    rng = random.Random(seed)
    members = {b"m%d" % number: float(rng.randint(-20, 20)) for number in range(count)}
    conn.do("zadd", "k", *(word for name, score in members.items() for word in (score, name)))
    ordered = sorted(members.items(), key=lambda item: (item[1], item[0]))
    for _ in range(60):
        low, high = rng.randint(-25, 25), rng.randint(-25, 25)
        low_out, high_out = rng.random() < 0.5, rng.random() < 0.5
        expected = [(name, score) for name, score in ordered
                    if (low < score if low_out else low <= score) and (score < high if high_out else score <= high)]
        bounds = ["(" * low_out + str(low), "(" * high_out + str(high)]
        assert pairs(conn.do("zsetkeys.byscore", "k", "up", *bounds)) == expected
        assert pairs(conn.do("zsetkeys.byscore", "k", "down", *bounds)) == expected[::-1]
    assert pairs(conn.do("zsetkeys.byscore", "k", "up", "-inf", "inf")) == ordered


@pytest.mark.parametrize("count", [1, 5, 100, 129, 1000])
def test_ranges_by_name(conn, count):
    seed = 11
    print("seed", seed)
    rng = random.Random(seed)
    names = sorted({bytes(rng.choice(b"abc") for _ in range(rng.randint(1, 6))) for _ in range(count)})
    conn.do("zadd", "k", *(word for name in names for word in (0, name)))
    for _ in range(60):
        low, high = (bytes(rng.choice(b"abc") for _ in range(rng.randint(1, 3))) for _ in range(2))
        low_out, high_out = rng.random() < 0.5, rng.random() < 0.5
        expected = [name for name in names
                    if (low < name if low_out else low <= name) and (name < high if high_out else name <= high)]
        bounds = [(b"(" if low_out else b"[") + low, (b"(" if high_out else b"[") + high]
        assert conn.do("zsetkeys.bylex", "k", "up", *bounds) == expected
        assert conn.do("zsetkeys.bylex", "k", "down", *bounds) == expected[::-1]
    assert conn.do("zsetkeys.bylex", "k", "up", "-", "+") == names
    assert conn.do("zsetkeys.bylex", "k", "down", "-", "+") == names[::-1]
    assert conn.do("zsetkeys.bylex", "k", "up", "+", "-") == []


def test_wrong_ranges(conn):
    conn.do("set", "text", "x")
    conn.do("zadd", "k", 0, "a")
    for key in ("text", "none"):
        for way in ("up", "down"):
            assert conn.error("zsetkeys.byscore", key, way, 0, 1) == "ERR no range"
            assert conn.error("zsetkeys.bylex", key, way, "-", "+") == "ERR no range"
    for bounds in (("a", "+"), ("-", "b"), ("", "+")):
        assert conn.error("zsetkeys.bylex", "k", "up", *bounds) == "ERR no range"


def test_several_ranges_of_one_handle(conn):
    conn.do("zadd", "k", 1, "a", 2, "b", 3, "c")
    up, down = conn.do("zsetkeys.turn", "k")
    assert pairs(up) == [(b"a", 1), (b"b", 2), (b"c", 3)]
    assert pairs(down) == pairs(up)[::-1]
