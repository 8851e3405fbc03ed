# SPDX-License-Identifier: BSD-3-Clause
"""List values through the low-level functions."""

import random

import pytest

MODULES = ["list_keys"]


def elements(conn, key="k"):
    return conn.do("lrange", key, 0, -1)


def test_push_and_pop(conn):
    assert conn.do("listkeys.push", "k", "rw", "tail", "b") == b"OK"
    assert conn.do("listkeys.push", "k", "w", "head", "a") == b"OK"
    assert conn.do("listkeys.push", "k", "rw", "tail", 12) == b"OK"
    assert elements(conn) == [b"a", b"b", b"12"]
    assert conn.do("listkeys.pop", "k", "rw", "tail") == b"12"
    assert conn.do("listkeys.pop", "k", "w", "head") == b"a"
    assert conn.do("listkeys.pop", "k", "rw", "head") == b"b"
    assert conn.do("exists", "k") == 0


def test_wrong_push_and_pop(conn):
    conn.do("set", "text", "x")
    conn.do("rpush", "k", "a")
    assert conn.do("listkeys.push", "text", "rw", "tail", "a") == b"ENOTSUP"
    assert conn.do("listkeys.push", "k", "r", "tail", "a") == b"EBADF"
    assert conn.do("listkeys.push", "none", "r", "tail", "a") == b"EINVAL"
    assert conn.do("listkeys.pop", "text", "rw", "tail") == b"ENOTSUP"
    assert conn.do("listkeys.pop", "none", "rw", "tail") == b"ENOTSUP"
    assert conn.do("listkeys.pop", "none", "r", "tail") == b"EINVAL"
    assert conn.do("listkeys.pop", "k", "r", "tail") == b"EBADF"
    assert elements(conn) == [b"a"]


def test_get_by_index(conn):
    conn.do("rpush", "k", "a", "b", "c")
    for index, element in ((0, b"a"), (1, b"b"), (2, b"c"), (-1, b"c"), (-3, b"a"), (3, b"EDOM"), (-4, b"EDOM")):
        assert conn.do("listkeys.get", "k", "r", index) == element
    conn.do("set", "text", "x")
    assert conn.do("listkeys.get", "text", "r", 0) == b"ENOTSUP"
    assert conn.do("listkeys.get", "none", "r", 0) == b"EINVAL"
    assert conn.do("listkeys.get", "none", "rw", 0) == b"ENOTSUP"
    assert conn.do("listkeys.get", "k", "w", 0) == b"EBADF"


def test_set(conn):
    conn.do("rpush", "k", "a", "b", "c")
    assert conn.do("listkeys.change", "set", "k", "rw", 1, "B") == b"OK"
    assert conn.do("listkeys.change", "set", "k", "w", -1, "x" * 10000) == b"OK"
    assert conn.do("listkeys.change", "set", "k", "rw", 3, "x") == b"EDOM"
    assert elements(conn) == [b"a", b"B", b"x" * 10000]


def test_insert(conn):
    conn.do("rpush", "k", "b")
    assert conn.do("listkeys.change", "insert", "k", "rw", 0, "a") == b"OK"
    assert conn.do("listkeys.change", "insert", "k", "rw", -1, "d") == b"OK"
    assert conn.do("listkeys.change", "insert", "k", "rw", 2, "c") == b"OK"
    assert elements(conn) == [b"a", b"b", b"c", b"d"]
    assert conn.do("listkeys.change", "insert", "k", "rw", 4, "e") == b"OK"
    assert conn.do("listkeys.change", "insert", "k", "rw", 9, "x") == b"EDOM"
    assert conn.do("listkeys.change", "insert", "k", "rw", -7, "x") == b"EDOM"
    assert elements(conn) == [b"a", b"b", b"c", b"d", b"e"]


def test_insert_into_nothing(conn):
    assert conn.do("listkeys.change", "insert", "k", "rw", 0, "a") == b"OK"
    assert elements(conn) == [b"a"]
    assert conn.do("listkeys.change", "insert", "other", "rw", 3, "a") == b"ENOTSUP"
    assert conn.do("exists", "other") == 0


def test_delete(conn):
    conn.do("rpush", "k", "a", "b", "c")
    assert conn.do("listkeys.change", "delete", "k", "rw", 3) == b"EDOM"
    assert conn.do("listkeys.change", "delete", "k", "rw", -4) == b"EDOM"
    assert conn.do("listkeys.change", "delete", "k", "rw", 1) == b"OK"
    assert conn.do("listkeys.change", "delete", "k", "rw", -1) == b"OK"
    assert elements(conn) == [b"a"]
    assert conn.do("listkeys.change", "delete", "k", "rw", 0) == b"OK"
    assert conn.do("exists", "k") == 0


@pytest.mark.parametrize("change", [["set", "x"], ["insert", "x"], ["delete"]])
def test_wrong_changes(conn, change):
    kind, *element = change
    conn.do("set", "text", "x")
    conn.do("rpush", "k", "a")
    assert conn.do("listkeys.change", kind, "text", "rw", 0, *element) == b"ENOTSUP"
    assert conn.do("listkeys.change", kind, "none", "r", 0, *element) == b"EINVAL"
    assert conn.do("listkeys.change", kind, "k", "r", 0, *element) == b"EBADF"
    if kind != "insert":
        assert conn.do("listkeys.change", kind, "none", "rw", 0, *element) == b"ENOTSUP"
    assert elements(conn) == [b"a"]


@pytest.mark.parametrize("count", [1, 3, 500, 5000])
def test_walk(conn, count):
    conn.do("rpush", "k", *range(count))
    expected = [b"%d" % number for number in range(count)]
    assert conn.do("listkeys.all", "k", "head") == expected
    assert conn.do("listkeys.all", "k", "tail") == expected[::-1]


def edited(elements_, head, steps, words):
    """What listkeys.edit does, on a Python list."""
    items, words = list(elements_), list(words)
    index, worked = (0 if head else -1), 0
    for step in steps:
        at = index if head else len(items) + index
        there = 0 <= at < len(items)
        if step == "k":
            worked += 1
        elif step == "d":
            worked += there
            if there:
                del items[at]
        elif step == "r":
            word = words.pop(0)
            worked += there
            if there:
                items[at] = word
        elif step == "i":
            word = words.pop(0)
            # Before the element when counted from the head, after it when from the tail; the end itself is a place.
            place = at if head else at + 1
            if 0 <= place <= len(items):
                items.insert(place, word)
                worked += 1
        if step != "d":
            index += 1 if head else -1
    return items, worked, index


@pytest.mark.parametrize("size", [-2, 4, 1])
@pytest.mark.parametrize("direction", [
    "head",
    # Redis 7.0 loses its place when a listpack changes while it is walked from the tail.
    pytest.param("tail", marks=pytest.mark.since("7.2")),
])
def test_edit_while_walking(server, direction, size):
    seed = 20240607
    print("seed", seed)
    rng = random.Random(seed)
    with server.connect() as conn:
        conn.do("config", "set", "list-max-listpack-size", size)
        for _ in range(150):
            start = [b"%d" % number for number in range(rng.choice([1, 2, 5, 12, 40]))]
            steps = "".join(rng.choice("kkdir") for _ in range(rng.randint(1, 25)))
            words = [b"w%d" % number * rng.choice([1, 1, 600]) for number in range(sum(s in "ir" for s in steps))]
            conn.do("del", "k")
            conn.do("rpush", "k", *start)
            items, worked, index = edited(start, direction == "head", steps, words)
            if not items:
                continue  # What happens after the last element went is another test's.
            assert conn.do("listkeys.edit", "k", direction, steps, *words) == [worked, index], steps
            assert elements(conn) == items, steps
        conn.do("config", "set", "list-max-listpack-size", -2)


@pytest.mark.parametrize("count", [1, 100, 3000])
def test_move_all(conn, count):
    conn.do("rpush", "from", *range(count))
    assert conn.do("listkeys.move", "from", "to") == [count, 0]
    assert conn.do("exists", "from") == 0
    assert elements(conn, "to") == [b"%d" % number for number in range(count)]


def test_watched_keys_notice(conn, server):
    conn.do("rpush", "k", "a")
    conn.do("watch", "k")
    server.connect().do("listkeys.push", "k", "rw", "tail", "b")
    conn.do("multi")
    conn.do("ping")
    assert conn.do("exec") is None
