# SPDX-License-Identifier: BSD-3-Clause
"""hello: commands, arguments, keys, replies, errors."""

import pytest

from example_fixtures import *  # noqa: F401, F403
from harness.resp import ReplyError

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


def test_the_selected_database(conn):
    assert conn.do("hello.simple") == 0
    conn.do("select", 3)
    assert conn.do("HELLO.Simple") == 3


def test_arguments_come_as_they_were_sent(conn):
    words = [b"", b"a\0b", b"\r\n", bytes(range(256)), b"x" * 100000]
    assert conn.do("hello.echo", *words) == words


@pytest.mark.parametrize("command", [["hello.simple", 1], ["hello.echo"], ["hello.push", "k"], ["hello.pushcall", "k"],
                                     ["hello.hcopy", "k", "f"], ["hello.roll", "k"], ["hello.sum"], ["hello.upper"]])
def test_the_number_of_arguments(conn, command):
    assert conn.error(*command) == f"ERR wrong number of arguments for '{command[0]}' command"


@pytest.mark.parametrize("command", ["hello.push", "hello.pushcall"])
def test_push(conn, command):
    assert conn.do(command, "list", "a") == 1
    assert conn.do(command, "list", "b", "c") == 3
    assert conn.do("lrange", "list", 0, -1) == [b"a", b"b", b"c"]
    conn.do("set", "text", "x")
    assert conn.error(command, "text", "a") == WRONG_TYPE


def test_sum(conn):
    assert conn.do("hello.sum", "none") == 0
    conn.do("rpush", "list", 1, -5, 40)
    assert conn.do("hello.sum", "list") == 36
    conn.do("rpush", "list", "x")
    assert conn.error("hello.sum", "list") == "ERR element is not an integer"
    conn.do("rpush", "large", 2**63 - 1, 1)
    assert conn.error("hello.sum", "large") == "ERR the sum overflows"
    conn.do("set", "text", "x")
    assert conn.error("hello.sum", "text") == WRONG_TYPE


def test_hash_copy(conn):
    assert conn.do("hello.hcopy", "hash", "a", "b") == 0
    assert conn.do("exists", "hash") == 0
    conn.do("hset", "hash", "a", "1")
    assert conn.do("hello.hcopy", "hash", "a", "b") == 1
    assert conn.do("hello.hcopy", "hash", "none", "c") == 0
    assert conn.do("hgetall", "hash") == [b"a", b"1", b"b", b"1"]
    conn.do("set", "text", "x")
    assert conn.error("hello.hcopy", "text", "a", "b") == WRONG_TYPE


def test_hash_copy_is_described(conn3):
    docs = conn3.do("command", "docs", "hello.hcopy")[b"hello.hcopy"]
    assert docs[b"summary"] == b"Copies a field of a hash."
    assert docs[b"module"] == b"hello"
    assert [argument[b"name"] for argument in docs[b"arguments"]] == [b"key", b"source", b"destination"]
    assert conn3.do("command", "getkeys", "hello.hcopy", "k", "a", "b") == [b"k"]


def test_upper(conn):
    assert conn.do("hello.upper", "none") is None
    assert conn.do("exists", "none") == 0
    conn.do("set", "text", b"abc \xe4 \0z", "ex", 100)
    assert conn.do("hello.upper", "text") == b"OK"
    assert conn.do("get", "text") == b"ABC \xe4 \0Z"
    assert 0 < conn.do("ttl", "text") <= 100
    conn.do("set", "number", 12)
    assert conn.do("hello.upper", "number") == b"OK"
    assert conn.do("incr", "number") == 13
    conn.do("rpush", "list", "x")
    assert conn.error("hello.upper", "list") == WRONG_TYPE


def test_roll(conn):
    thrown = {conn.do("hello.roll", "die", 6) for _ in range(300)}
    assert thrown == {1, 2, 3, 4, 5, 6}
    assert int(conn.do("get", "die")) in thrown
    for sides in ("x", 0, -1):
        assert conn.error("hello.roll", "die", sides) == "ERR sides must be a positive integer"


def test_info_is_a_map(conn, conn3):
    level = conn.do("info", "server").split(b"redis_version:")[1].split(b"\r\n")[0]
    assert conn3.do("hello.info") == {b"level": level, b"protocol": 3, b"primary": True}
    assert conn.do("hello.info") == [b"level", level, b"protocol", 2, b"primary", 1]


def test_a_write_command_is_known_as_one(conn):
    name, arity, flags, first, last, step = conn.do("command", "info", "hello.push")[0][:6]
    assert (name, arity, first, last, step) == (b"hello.push", -1, 1, 1, 1)
    assert {b"write", b"denyoom", b"module"} <= set(flags)


def test_arguments_of_the_load_and_unload(start_server, module_path):
    server = start_server("--loadmodule", module_path, "one", "two words")
    conn = server.connect()
    server.wait_for_log(r"<hello> loaded with argument 1: two words$")
    assert conn.do("module", "unload", "hello") == b"OK"
    assert conn.error("hello.simple").startswith("ERR unknown command 'hello.simple'")
    assert conn.do("module", "load", str(module_path)) == b"OK"
    with pytest.raises(ReplyError):
        conn.do("module", "load", "/no/such/file.so")
    assert conn.do("hello.simple") == 0
