# SPDX-License-Identifier: BSD-3-Clause
"""Hash values through HashSet and HashGet, with every flag, right and wrong."""

import pytest

MODULES = ["hash_keys"]


def fields(conn, key="k"):
    flat = conn.do("hgetall", key)
    return dict(zip(flat[::2], flat[1::2]))


@pytest.fixture(params=["small", "large"])
def hash_of(request, conn):
    """hash_of("a", "1") fills the key k, in either encoding."""
    def fill(*words):
        if request.param == "large":
            conn.do("hset", "k", "large", "x" * 500)
        if words:
            conn.do("hset", "k", *words)
        if request.param == "large":
            conn.do("hdel", "k", "large")
    return fill


def test_set_counts_what_was_there(conn, hash_of):
    hash_of("a", "1")
    assert conn.do("hashkeys.set", "k", "rw", "", "a", "2", "b", "3") == [1, b"-"]
    assert fields(conn) == {b"a": b"2", b"b": b"3"}
    assert conn.do("hashkeys.set", "k", "rw", "", "c", "4") == [0, b"ENOENT"]
    assert conn.do("hashkeys.set", "k", "rw", "a", "a", "5", "d", "6") == [2, b"-"]
    assert fields(conn) == {b"a": b"5", b"b": b"3", b"c": b"4", b"d": b"6"}


def test_set_creates(conn):
    assert conn.do("hashkeys.set", "k", "w", "a", "a", "1", "b", "2") == [2, b"-"]
    assert fields(conn) == {b"a": b"1", b"b": b"2"}
    assert conn.do("object", "encoding", "k") == b"listpack"


def test_only_new_fields(conn, hash_of):
    hash_of("a", "1")
    assert conn.do("hashkeys.set", "k", "rw", "n", "a", "2", "b", "3") == [0, b"ENOENT"]
    assert conn.do("hashkeys.set", "k", "rw", "na", "a", "2", "c", "4") == [1, b"-"]
    assert fields(conn) == {b"a": b"1", b"b": b"3", b"c": b"4"}


def test_only_old_fields(conn, hash_of):
    hash_of("a", "1")
    assert conn.do("hashkeys.set", "k", "rw", "x", "a", "2", "b", "3") == [1, b"-"]
    assert conn.do("hashkeys.set", "k", "rw", "xa", "c", "4") == [0, b"ENOENT"]
    assert fields(conn) == {b"a": b"2"}


@pytest.mark.parametrize("flags", ["", "x", "a"])
def test_delete(conn, hash_of, flags):
    hash_of("a", "1", "b", "2", "c", "3")
    assert conn.do("hashkeys.set", "k", "rw", flags, "a", ":delete:", "none", ":delete:") == [1, b"-"]
    assert fields(conn) == {b"b": b"2", b"c": b"3"}
    assert conn.do("hashkeys.set", "k", "rw", flags, "b", ":delete:", "c", ":delete:") == [2, b"-"]
    assert conn.do("exists", "k") == 0


def test_only_new_fields_keeps_old_ones_from_deletion(conn, hash_of):
    hash_of("a", "1")
    assert conn.do("hashkeys.set", "k", "rw", "n", "a", ":delete:") == [0, b"ENOENT"]
    assert fields(conn) == {b"a": b"1"}


def test_field_names_as_c_strings(conn, hash_of):
    hash_of("a", "1")
    assert conn.do("hashkeys.set", "k", "rw", "ca", "a", "2", b"b\0rest", "3") == [2, b"-"]
    assert fields(conn) == {b"a": b"2", b"b": b"3"}
    assert conn.do("hashkeys.get", "k", "r", "c", "a", b"b\0other") == [0, b"2", b"3"]
    assert conn.do("hashkeys.get", "k", "r", "ce", "a", "none") == [0, 1, 0]


def test_get(conn, hash_of):
    hash_of("a", "1", b"b\0", b"\0")
    assert conn.do("hashkeys.get", "k", "r", "", "a", b"b\0") == [0, b"1", b"\0"]
    assert conn.do("hashkeys.get", "k", "r", "", "none", "a") == [0, None, b"1"]
    assert conn.do("hashkeys.get", "k", "r", "e", "none", "a") == [0, 0, 1]
    assert conn.do("hashkeys.get", "none", "rw", "", "a", "b") == [0, None, None]
    assert conn.do("hashkeys.get", "none", "rw", "e", "a", "b") == [0, 0, 0]


def test_wrong_set(conn):
    conn.do("set", "text", "x")
    conn.do("hset", "k", "a", "1")
    assert conn.do("hashkeys.set", "text", "rw", "", "a", "1") == [0, b"ENOTSUP"]
    assert conn.do("hashkeys.set", "k", "r", "", "a", "2") == [0, b"EBADF"]
    assert conn.do("hashkeys.set", "k", "rw", "nx", "a", "2", "b", "2") == [0, b"ENOENT"]
    assert conn.do("hashkeys.set", "k", "rw", "!", "a", "2") == [0, b"EINVAL"]
    assert conn.do("hashkeys.set", "none", "r", "", "a", "2") == [0, b"EINVAL"]
    assert fields(conn) == {b"a": b"1"}
    assert conn.do("hashkeys.set", "none", "rw", "x", "a", "1") == [0, b"ENOENT"]
    assert conn.do("exists", "none") == 0


def test_wrong_get(conn):
    conn.do("set", "text", "x")
    assert conn.do("hashkeys.get", "text", "r", "", "a", "b") == [1, None, None]


def test_values_stay_when_fields_change(conn, hash_of):
    hash_of("a", "1", "b", "2")
    assert conn.do("hashkeys.swap", "k", "a", "b") == 2
    assert fields(conn) == {b"a": b"2", b"b": b"1"}
    assert conn.do("hashkeys.swap", "k", "a", "none") == 1
    assert fields(conn) == {b"none": b"2", b"b": b"1"}


def test_growing_beyond_the_small_encoding(conn):
    for number in range(600):
        conn.do("hashkeys.set", "k", "rw", "", f"f{number}", number)
    assert conn.do("hlen", "k") == 600
    assert conn.do("object", "encoding", "k") == b"hashtable"
    assert conn.do("hashkeys.get", "k", "r", "", "f0", "f599") == [0, b"0", b"599"]
    conn.do("hset", "long", "a", "1")
    conn.do("hashkeys.set", "long", "rw", "", "b", "x" * 65)
    assert conn.do("object", "encoding", "long") == b"hashtable"
