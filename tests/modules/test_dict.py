# SPDX-License-Identifier: BSD-3-Clause
"""Dictionaries, compared with a sorted Python list."""

import random

import pytest

MODULES = ["dict"]


@pytest.fixture(autouse=True)
def empty(conn):
    conn.do("dict.clear")


def test_set_get_delete(conn):
    assert conn.do("dict.set", "a", "1") == 0
    assert conn.do("dict.set", "a", "2") == 1
    assert conn.do("dict.get", "a") == b"1"
    assert conn.do("dict.replace", "a", "3") == 1  # The name was there.
    assert conn.do("dict.replace", b"b\0", "4") == 0
    assert conn.do("dict.get", "a") == b"3"
    assert conn.do("dict.get", b"b\0") == b"4"
    assert conn.do("dict.get", "b") is None
    assert conn.do("dict.set", "", "empty") == 0
    assert conn.do("dict.get", "") == b"empty"
    assert conn.do("dict.size") == 3
    assert conn.do("dict.del", "a") == 0
    assert conn.do("dict.del", "a") == 1
    assert conn.do("dict.size") == 2


def names_of(rng, count):
    return sorted({bytes(rng.choice(b"ab\0\xff") for _ in range(rng.randint(0, 5))) for _ in range(count)})


OPERATORS = {
    ">": lambda name, other: name > other, ">=": lambda name, other: name >= other,
    "<": lambda name, other: name < other, "<=": lambda name, other: name <= other, "==": lambda name, other: name == other,
}


def walked(names, up, op, name):
    """What a walk meets: from the place of `op name` on, in the direction."""
    if op == "^":
        start = 0
    elif op == "$":
        start = len(names) - 1
    elif op in ("<", "<="):
        start = max((at for at, each in enumerate(names) if OPERATORS[op](each, name)), default=None)
    else:
        start = min((at for at, each in enumerate(names) if OPERATORS[op](each, name)), default=None)
    if start is None or not names:
        return []
    return names[start:] if up else names[start::-1]


@pytest.mark.parametrize("count", [0, 1, 3, 40, 400])
def test_walks(conn, count):
    seed = 3
    print("seed", seed)
    rng = random.Random(seed)
    names = names_of(rng, count)
    for name in rng.sample(names, len(names)):
        conn.do("dict.set", name, name + b"!")
    others = names + names_of(rng, 20)
    for _ in range(40):
        name = rng.choice(others) if others else b""
        for op in ("^", "$", *OPERATORS):
            for way in ("up", "down"):
                assert conn.do("dict.walk", way, op, name) == walked(names, way == "up", op, name), (way, op, name)
    assert conn.do("dict.size") == len(names)


def test_a_walk_between_two_names(conn):
    names = [b"%03d" % number for number in range(100)]
    for name in names:
        conn.do("dict.set", name, "x")
    assert conn.do("dict.walk", "up", ">=", "010", "<", "020") == names[10:20]
    assert conn.do("dict.walk", "up", ">", "010", "<=", "020") == names[11:21]
    assert conn.do("dict.walk", "down", "<=", "020", ">", "010") == names[20:10:-1]
    assert conn.do("dict.walk", "up", "==", "050", "==", "050") == [b"050"]
    assert conn.do("dict.walk", "up", "^", "", ">", "500") == []


def test_reseek(conn):
    for name in ("a", "b", "c"):
        conn.do("dict.set", name, name.upper())
    assert conn.do("dict.reseek", "^", "", ">=", "b") == [b"b", b"B"]
    assert conn.do("dict.reseek", "$", "", "^", "") == [b"a", b"A"]
    assert conn.do("dict.reseek", "^", "", ">", "c") == [None, None]


def test_automatic_memory(conn):
    assert conn.do("dict.auto") == [0, 1, 1]
