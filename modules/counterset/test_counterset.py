# SPDX-License-Identifier: BSD-3-Clause
"""counterset: a value type of a module's own, and what becomes of its values."""

import pytest

from example_fixtures import *  # noqa: F401, F403
from harness.resp import ReplyError
from harness.server import wait_until

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_count(conn, conn3):
    assert conn.do("cs.incr", "k", "b") == 1
    assert conn.do("cs.incr", "k", "b", 41) == 42
    assert conn.do("cs.incr", "k", "a\0", -5) == -5
    assert conn.do("cs.get", "k", "b") == 42
    assert conn.do("cs.get", "k", "none") is None
    assert conn.do("cs.get", "none", "b") is None
    assert conn.do("cs.all", "k") == [b"a\0", -5, b"b", 42]
    assert conn3.do("cs.all", "k") == {b"a\0": -5, b"b": 42}
    assert conn3.do("cs.all", "none") == {}
    assert conn.do("type", "k") == b"bpcntrset"


def test_set_and_delete(conn):
    assert conn.do("cs.set", "k", "a", 7) == 1
    assert conn.do("cs.set", "k", "a", 8) == 0
    assert conn.do("cs.set", "k", "b", 1) == 1
    assert conn.do("cs.del", "k", "a") == 1
    assert conn.do("cs.del", "k", "a") == 0
    assert conn.do("cs.del", "k", "b") == 1
    assert conn.do("exists", "k") == 0
    assert conn.do("cs.del", "k", "b") == 0


def test_wrong_use(conn):
    conn.do("set", "text", "x")
    for command in (["cs.incr", "text", "a"], ["cs.get", "text", "a"], ["cs.all", "text"], ["cs.del", "text", "a"]):
        assert conn.error(*command) == WRONG_TYPE
    conn.do("cs.incr", "k", "a", 2**63 - 1)
    assert conn.error("get", "k") == WRONG_TYPE
    assert conn.error("cs.incr", "k", "a") == "ERR increment or decrement would overflow"
    assert conn.error("cs.incr", "k", "a", "x") == "ERR value is not an integer or out of range"
    assert conn.error("cs.set", "k", "a", "") == "ERR value is not an integer or out of range"
    assert conn.error("cs.incr", "k") == "ERR wrong number of arguments for 'cs.incr' command"


def test_the_key_is_a_key_like_any_other(conn):
    conn.do("cs.incr", "k", "a")
    assert conn.do("rename", "k", "other") == b"OK"
    assert conn.do("expire", "other", 100) == 1
    assert conn.do("scan", 0, "type", "bpcntrset")[1] == [b"other"]
    assert conn.do("move", "other", 5) == 1
    conn.do("select", 5)
    assert conn.do("cs.get", "other", "a") == 1
    assert conn.do("flushall") == b"OK"


def test_copy_is_deep(conn):
    conn.do("cs.incr", "k", "a")
    assert conn.do("copy", "k", "c") == 1
    conn.do("cs.incr", "c", "a")
    conn.do("cs.incr", "c", "b")
    assert conn.do("cs.all", "k") == [b"a", 1]
    assert conn.do("cs.all", "c") == [b"a", 2, b"b", 1]


def test_digest(conn):
    if conn.raw("debug", "digest-value")[:1] == b"-":
        pytest.skip("the server has no DEBUG DIGEST-VALUE")
    conn.do("cs.set", "k", "a", 1)
    conn.do("cs.set", "k", "b", 2)
    conn.do("cs.set", "same", "b", 2)
    conn.do("cs.set", "same", "a", 1)
    conn.do("cs.set", "other", "a", 2)
    conn.do("cs.set", "other", "b", 1)
    digests = conn.do("debug", "digest-value", "k", "same", "other")
    assert digests[0] == digests[1] != digests[2]


def test_memory(conn):
    conn.do("cs.set", "k", "a", 1)
    before = conn.do("memory", "usage", "k")
    for number in range(1000):
        conn.do("cs.incr", "k", f"name:{number}")
    assert conn.do("memory", "usage", "k") > before + 1000 * 16


def test_dump_and_restore(conn):
    conn.do("cs.set", "k", "a\0b", -(2**63))
    conn.do("cs.set", "k", "", 2**63 - 1)
    payload = conn.do("dump", "k")
    assert conn.do("restore", "r", 0, payload) == b"OK"
    assert conn.do("cs.all", "r") == conn.do("cs.all", "k") == [b"", 2**63 - 1, b"a\0b", -(2**63)]
    with pytest.raises(ReplyError):
        conn.do("restore", "bad", 0, payload[:-12] + payload[-10:])


def crc64(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x95AC9329AC4BC9B5 if crc & 1 else 0)
    return crc


def payload_of_version(encver, body):
    """A DUMP payload as an older or newer release of the module would have written it."""
    number = 0
    for char in "bpcntrset":
        number = number << 6 | NAMES.index(char)
    data = b"\x07\x81" + (number << 10 | encver).to_bytes(8, "big") + body + b"\0" + (10).to_bytes(2, "little")
    return data + crc64(data).to_bytes(8, "little")


def test_an_older_encoding_version_is_read(conn):
    # One name: opcode 2 (unsigned), opcode 5 (string).
    payload = payload_of_version(0, b"\2\1" + b"\5\3old" + b"\2\x2a")
    assert conn.do("restore", "k", 0, payload) == b"OK"
    assert conn.do("cs.all", "k") == [b"old", 42]


def test_a_newer_encoding_version_is_refused(conn):
    payload = payload_of_version(9, b"\2\1" + b"\5\3new" + b"\2\x2a")
    reply = conn.raw("restore", "k", 0, payload)
    if reply == b"+OK\r\n":
        # Backplane keeps what its module cannot read, as it came.
        assert conn.do("dump", "k")[:-10] == payload[:-10]
    else:
        assert reply == b"-ERR Bad data format\r\n"
        assert conn.do("exists", "k") == 0


def test_values_are_freed(conn):
    stats = lambda: dict(zip(*[iter(conn.do("cs.stats"))] * 2))[b"values"]  # noqa: E731
    conn.do("flushall")
    wait_until(lambda: stats() == 0)
    conn.do("cs.incr", "a", "x")
    for number in range(500):
        conn.do("cs.incr", "large", number)
        conn.do("cs.incr", "large2", number)
    conn.do("cs.incr", "c", "x")
    assert stats() == 4
    assert conn.do("del", "a") == 1
    assert conn.do("unlink", "large") == 1
    wait_until(lambda: stats() == 2)
    conn.do("set", "c", "overwritten")
    wait_until(lambda: stats() == 1)
    conn.do("flushall", "async")
    wait_until(lambda: stats() == 0)


def test_events(conn, server):
    conn.do("config", "set", "notify-keyspace-events", "KA")
    with server.connect() as listener:
        listener.do("subscribe", "__keyspace@0__:k")
        conn.do("cs.incr", "k", "a")
        conn.do("cs.del", "k", "a")
        assert [listener.read()[1][2][1] for _ in range(3)] == [b"cs.incr", b"cs.del", b"del"]


def test_restart(start_server, module_path):
    server = start_server("--loadmodule", module_path)
    conn = server.connect()
    conn.do("cs.incr", "k", "a", 5)
    conn.do("cs.incr", "k", "b", -6)
    conn.do("cs.note", "remember\0me")
    assert conn.do("save") == b"OK"
    server.restart()
    conn = server.connect()
    assert conn.do("cs.all", "k") == [b"a", 5, b"b", -6]
    assert conn.do("cs.note") == b"remember\0me"
    assert conn.do("cs.stats")[:2] == [b"increments", 2]


def test_unload(start_server, module_path):
    server = start_server("--loadmodule", module_path)
    conn = server.connect()
    conn.do("cs.note", "freed by OnUnload")
    conn.do("cs.incr", "k", "a")
    # Types with values, or types at all: Redis refuses both, Backplane the first.
    assert conn.error("module", "unload", "counterset").startswith("ERR Error unloading module: the module exports one or")
    assert conn.do("cs.get", "k", "a") == 1


def test_values_outlive_their_module(start_server, module_path, ours_only):
    """Backplane only: a data set without its module is kept, and comes alive when the module comes."""
    server = start_server("--loadmodule", module_path)
    conn = server.connect()
    conn.do("cs.incr", "k", "a", 5)
    conn.do("cs.note", "remember")
    payload = conn.do("dump", "k")
    conn.do("save")
    server.restart(options=[])
    conn = server.connect()
    assert conn.do("type", "k") == b"bpcntrset"
    assert conn.do("dump", "k") == payload
    assert conn.do("rename", "k", "renamed") == b"OK"
    conn.do("save")
    server.restart()
    conn = server.connect()
    assert conn.do("module", "load", str(module_path)) == b"OK"
    assert conn.do("cs.all", "renamed") == [b"a", 5]
    assert conn.do("cs.note") == b"remember"


def test_aof_rewrite(start_server, module_path):
    server = start_server("--loadmodule", module_path)
    conn = server.connect()
    if not conn.do("config", "get", "appendonly"):
        pytest.skip("the server has no AOF")
    conn.do("config", "set", "aof-use-rdb-preamble", "no")
    conn.do("cs.incr", "k", "a\0", 5)
    conn.do("cs.incr", "k", "b", -6)
    conn.do("config", "set", "appendonly", "yes")
    wait_until(lambda: b"aof_rewrite_in_progress:0" in conn.do("info", "persistence"))
    server.restart(server.options + ["--appendonly", "yes"])
    assert server.connect().do("cs.all", "k") == [b"a\0", 5, b"b", -6]
