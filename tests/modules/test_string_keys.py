# SPDX-License-Identifier: BSD-3-Clause
"""String values through the low-level functions."""

import pytest

MODULES = ["string_keys"]


@pytest.mark.parametrize("value", [b"", b"12", b"with \0 zero", b"x" * 44, b"x" * 45, b"x" * 100000])
def test_set_and_read(conn, value):
    assert conn.do("stringkeys.set", "k", "w", value) == 0
    assert conn.do("get", "k") == value
    assert conn.do("stringkeys.read", "k", "r") == value
    assert conn.do("stringkeys.read", "k", "rw") == value


def test_set_replaces_whatever_is_there(conn):
    conn.do("rpush", "k", "a")
    assert conn.do("stringkeys.set", "k", "rw", "text") == 0
    assert conn.do("get", "k") == b"text"
    conn.do("expire", "k", 100)
    assert conn.do("stringkeys.set", "k", "rw", "other") == 0
    assert conn.do("ttl", "k") == -1


def test_set_needs_a_key_open_for_writing(conn):
    conn.do("set", "k", "x")
    assert conn.do("stringkeys.set", "k", "r", "text") == 1
    assert conn.do("get", "k") == b"x"


def test_a_number_set_by_a_module_is_a_number(conn):
    conn.do("stringkeys.set", "k", "w", "41")
    assert conn.do("incr", "k") == 42


def test_reading_a_number_leaves_it_one(server, conn, ours_only):
    """Redis makes a text of it."""
    conn.do("set", "k", "12345")
    other = server.connect()
    other.do("watch", "k")
    assert conn.do("stringkeys.read", "k", "r") == b"12345"
    other.do("multi")
    other.do("ping")
    assert other.do("exec") == [b"PONG"]
    assert conn.do("stringkeys.read", "k", "rw") == b"12345"
    assert conn.do("object", "encoding", "k") == b"int"


def test_direct_access(conn):
    conn.do("set", "k", "hello world")
    assert conn.do("stringkeys.write", "k", "rw", 6, "WORLD") == 1
    assert conn.do("get", "k") == b"hello WORLD"
    conn.do("set", "k", 123456, "ex", 100)
    assert conn.do("stringkeys.write", "k", "rw", 1, "00") == 1
    assert conn.do("get", "k") == b"100456"
    assert conn.do("incr", "k") == 100457
    assert conn.do("ttl", "k") > 0
    conn.do("set", "copied", "x" * 100)
    conn.do("copy", "copied", "copy")
    assert conn.do("stringkeys.write", "copy", "rw", 0, "y") == 1
    assert conn.do("get", "copied") == b"x" * 100


def test_direct_access_to_something_else(conn):
    assert conn.do("stringkeys.read", "none", "rw") == b""
    conn.do("rpush", "l", "a")
    assert conn.do("stringkeys.read", "l", "r") is None
    assert conn.do("stringkeys.write", "l", "rw", 0, "a") == 0


def test_truncate(conn):
    conn.do("set", "k", "hello world")
    assert conn.do("stringkeys.truncate", "k", "rw", 5) == 0
    assert conn.do("get", "k") == b"hello"
    assert conn.do("stringkeys.truncate", "k", "rw", 8) == 0
    assert conn.do("get", "k") == b"hello\0\0\0"
    assert conn.do("stringkeys.truncate", "k", "rw", 0) == 0
    assert conn.do("exists", "k") == 1
    assert conn.do("get", "k") == b""
    conn.do("set", "number", 12345)
    assert conn.do("stringkeys.truncate", "number", "rw", 2) == 0
    assert conn.do("get", "number") == b"12"


def test_truncate_creates(conn):
    assert conn.do("stringkeys.truncate", "k", "rw", 0) == 0
    assert conn.do("exists", "k") == 0
    assert conn.do("stringkeys.truncate", "k", "rw", 3) == 0
    assert conn.do("get", "k") == b"\0\0\0"


def test_wrong_truncate(conn):
    conn.do("set", "k", "hello")
    assert conn.do("stringkeys.truncate", "k", "r", 2) == 1
    conn.do("rpush", "l", "a")
    assert conn.do("stringkeys.truncate", "l", "rw", 0) == 1
    assert conn.do("llen", "l") == 1
    assert conn.do("stringkeys.truncate", "k", "rw", 512 * 1024 * 1024 + 1) == 1
    assert conn.do("get", "k") == b"hello"


def test_grow_in_place(conn):
    parts = [bytes([65 + number % 26]) * (number * 37 % 900) for number in range(60)]
    assert conn.do("stringkeys.build", "k", *parts) == sum(map(len, parts))
    assert conn.do("get", "k") == b"".join(parts)


def test_one_object_in_two_keys(conn):
    assert conn.do("stringkeys.share", "a", "b") == b"shared by two keys and the handler"
    assert conn.do("get", "a") == b"XXXXXX by two keys and the handler"
    assert conn.do("get", "b") == b"shared by two keys and the handler"


@pytest.mark.parametrize("command", [["stringkeys.set", "k", "w", "y"], ["stringkeys.write", "k", "rw", 0, "y"],
                                     ["stringkeys.truncate", "k", "rw", 1]])
def test_watched_keys_notice(conn, server, command):
    conn.do("set", "k", "xx")
    conn.do("watch", "k")
    server.connect().do(*command)
    conn.do("multi")
    conn.do("ping")
    assert conn.do("exec") is None
