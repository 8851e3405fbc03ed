# SPDX-License-Identifier: BSD-3-Clause
"""The append-only file: options, what is written and when, kills, WAITAOF."""

import os
import re
import signal
import time

import pytest

from harness.aof import (INCR, ONE_INCR, SET, children, commands_of, digest, info, slow, start_with_file,
                         wait_for_rewrite, write_set)
from harness.resp import encode
from harness.server import wait_until


# --- options ---

def test_options(start_server):
    server = start_server()
    conn = server.connect()
    assert conn.do("CONFIG", "GET", "appendonly", "appendfsync", "appendfilename", "appenddirname",
                   "auto-aof-rewrite-percentage", "auto-aof-rewrite-min-size") == [
        b"appenddirname", b"appendonlydir", b"appendfilename", b"appendonly.aof", b"appendfsync", b"everysec",
        b"appendonly", b"no", b"auto-aof-rewrite-min-size", b"67108864", b"auto-aof-rewrite-percentage", b"100"]
    failed = "ERR CONFIG SET failed (possibly related to argument '%s') - %s"
    for name, value, why in [
            ("appendonly", "maybe", "argument must be 'yes' or 'no'"),
            ("appendfsync", "x", "argument(s) must be one of the following: everysec, always, no"),
            ("appendfilename", "x", "can't set immutable config"),
            ("appenddirname", "x", "can't set immutable config"),
            ("auto-aof-rewrite-percentage", "-1", "argument must be between 0 and 2147483647 inclusive"),
            ("auto-aof-rewrite-min-size", "x", "argument must be a memory value")]:
        assert conn.error("CONFIG", "SET", name, value) == failed % (name, why)
    for name, values in [("appendfsync", "always no everysec"), ("no-appendfsync-on-rewrite", "yes no"),
                         ("aof-load-truncated", "no yes"), ("aof-use-rdb-preamble", "no yes"),
                         ("aof-timestamp-enabled", "yes no"), ("aof-rewrite-incremental-fsync", "no yes")]:
        for value in values.split():
            assert conn.do("CONFIG", "SET", name, value) == b"OK"
            assert conn.do("CONFIG", "GET", name) == [name.encode(), value.encode()]


@pytest.mark.parametrize("name", ["appendfilename", "appenddirname"])
def test_names_are_no_paths(start_server, name):
    server = start_server(f"--{name}", "a/b", start=False)
    server.launch()
    assert server.wait() == 1
    assert f"{name} can't be a path" in server.log()


def test_config_rewrite(start_server, tmp_path):
    path = tmp_path / "redis.conf"
    server = start_with_file(start_server, path, "appendonly no\n")
    conn = server.connect()
    assert conn.do("CONFIG", "SET", "appendonly", "yes", "appendfsync", "always") == b"OK"
    assert conn.do("CONFIG", "REWRITE") == b"OK"
    assert re.search(r"^appendonly yes$", path.read_text(), re.M)
    assert re.search(r"^appendfsync \"?always\"?$", path.read_text(), re.M)
    wait_for_rewrite(conn)
    conn.do("SET", "a", "b")
    server.kill()
    server.start()
    assert server.connect().do("GET", "a") == b"b"


# --- writing ---

@pytest.mark.parametrize("policy", ["always", "everysec", "no"])
def test_survives_kill(start_server, policy):
    server = start_server("--appendonly", "yes", "--appendfsync", policy)
    conn = server.connect()
    for i in range(50):
        conn.do("SET", f"key:{i}", i)
    conn.do("SELECT", 3)
    conn.do("RPUSH", "list", *range(200))
    before = digest(conn)
    # An everysec write may wait for a sync.
    wait_until(lambda: info(conn, "aof_buffer_length") == "0")
    server.kill()
    server.start()
    conn = server.connect()
    assert digest(conn) == before
    assert conn.do("DBSIZE") == 50
    assert info(conn, "loading") == "0"
    assert info(conn, "rdb_changes_since_last_save") == "0"
    assert info(conn, "aof_enabled") == "1"
    assert int(info(conn, "aof_current_size")) > 0


def test_what_is_written(start_server):
    server = start_server("--appendonly", "yes", "--appendfsync", "always")
    conn = server.connect()
    path = server.folder / (INCR % 1)
    conn.do("SET", "a", "1")
    conn.do("GET", "a")
    conn.do("SELECT", 2)
    conn.do("SADD", "s", "x")
    conn.do("SPOP", "s")
    conn.do("INCRBYFLOAT", "f", "1.5")
    conn.do("SET", "e", "v", "EXAT", 4102444800)
    conn.do("EXPIREAT", "f", 4102444800)
    conn.do("MULTI")
    conn.do("SET", "m", "1")
    conn.do("EXEC")
    conn.do("MULTI")
    conn.do("SET", "m", "2")
    conn.do("SELECT", 0)
    conn.do("SET", "n", "3")
    conn.do("EXEC")
    conn.do("EVAL", "redis.call('set','x',1) redis.call('incr','x')", 0)
    conn.do("FLUSHDB")
    conn.do("FLUSHDB")
    conn.do("SWAPDB", 0, 2)
    conn.do("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 1 end)")
    assert commands_of(path.read_bytes()) == [
        "SELECT 0", "SET a 1", "SELECT 2", "SADD s x", "SREM s x", "SET f 1.5 KEEPTTL", "SET e v PXAT 4102444800000",
        "PEXPIREAT f 4102444800000", "SET m 1", "MULTI", "SET m 2", "SELECT 0", "SET n 3", "EXEC", "MULTI", "set x 1",
        "incr x", "EXEC", "FLUSHDB", "FLUSHDB", "SWAPDB 0 2",
        "FUNCTION LOAD #!lua name=l\nredis.register_function('f', function() return 1 end)"]


def test_blocking_commands_leave_their_effect(start_server):
    server = start_server("--appendonly", "yes", "--appendfsync", "always")
    conn = server.connect()
    waiters = []
    for command in (["BLPOP", "l1", 0], ["BRPOPLPUSH", "l2", "t2", 0], ["BLMOVE", "l3", "t3", "LEFT", "RIGHT", 0],
                    ["BLMPOP", 0, 1, "l4", "LEFT", "COUNT", 2], ["BZPOPMIN", "z1", 0],
                    ["BZMPOP", 0, 1, "z2", "MAX", "COUNT", 2],
                    ["XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "x", ">"]):
        if command[0] == "XREADGROUP":
            conn.do("XGROUP", "CREATE", "x", "g", "$", "MKSTREAM")
        waiter = server.connect()
        waiter.send(*command)
        waiters.append(waiter)
    wait_until(lambda: info(conn, "blocked_clients", "clients") == str(len(waiters)))
    for i in range(1, 5):
        conn.do("RPUSH", f"l{i}", "a", "b", "c")
    for i in range(1, 3):
        conn.do("ZADD", f"z{i}", 1, "a", 2, "b", 3, "c")
    conn.do("XADD", "x", "*", "f", "v")
    for waiter in waiters:
        waiter.read()
    for command in (["PFADD", "h", "a", "b"], ["PFMERGE", "h2", "h"], ["GEOADD", "geo", 13, 38, "a", 15, 37, "b"],
                    ["GEOSEARCHSTORE", "geo2", "geo", "FROMMEMBER", "a", "BYRADIUS", 900, "km"],
                    ["GEORADIUS", "geo", 15, 37, 200, "km", "STORE", "geo3"], ["SORT", "l1", "ALPHA", "STORE", "sorted"],
                    ["SETBIT", "bits", 100, 1], ["BITFIELD", "bits", "INCRBY", "u8", 0, 7]):
        conn.do(*command)
    conn.do("PUBLISH", "channel", "message")
    before = digest(conn)
    assert conn.do("DEBUG", "LOADAOF") == b"OK"
    assert digest(conn) == before
    assert not [c for c in commands_of((server.folder / (INCR % 1)).read_bytes()) if c.startswith(("B", "PUBLISH"))
                and not c.startswith("BITFIELD")]


def test_expired_and_evicted_keys_are_removed_by_a_command(start_server):
    server = start_server("--appendonly", "yes", "--appendfsync", "always")
    conn = server.connect()
    path = server.folder / (INCR % 1)
    conn.do("SET", "a", "1", "PX", 1)
    wait_until(lambda: commands_of(path.read_bytes())[-1] == "DEL a")
    conn.do("SET", "big", "x" * 100_000)
    conn.do("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", 1)
    conn.call("SET", "b", "2")
    wait_until(lambda: "DEL big" in commands_of(path.read_bytes()))
    conn.do("CONFIG", "SET", "maxmemory", 0)
    before = digest(conn)
    assert conn.do("DEBUG", "LOADAOF") == b"OK"
    assert digest(conn) == before


def test_a_key_that_expires_while_nobody_runs(start_server):
    """What is written behind an expired key belongs to that key: it goes with it."""
    server = start_server("--appendonly", "yes", start=False)
    write_set(server, {"appendonly.aof.1.incr.aof": encode(["RPUSH", "l", "a"]) + encode(["PEXPIREAT", "l", 1000]) +
                       encode(["RPUSH", "l", "b"]) + encode(["SET", "s", "v", "PXAT", 1000]) +
                       encode(["APPEND", "s", "w"])}, ONE_INCR)
    server.start()
    assert server.connect().do("EXISTS", "l", "s") == 0


def test_timestamps(start_server):
    server = start_server("--appendonly", "yes", "--aof-timestamp-enabled", "yes", "--aof-use-rdb-preamble", "no")
    conn = server.connect()
    conn.do("SET", "a", "b")
    wait_until(lambda: (server.folder / (INCR % 1)).read_bytes().startswith(b"#TS:"))
    conn.do("BGREWRITEAOF")
    wait_for_rewrite(conn)
    base = (server.folder / "appendonlydir/appendonly.aof.2.base.aof").read_bytes()
    assert re.match(rb"#TS:\d+\r\n\*2\r\n\$6\r\nSELECT", base)
    server.restart()
    assert server.connect().do("GET", "a") == b"b"


def test_replies_wait_for_the_file(start_server):
    """A reply that is on its way while a command is run must not carry that command's reply before the write."""
    server = start_server("--appendonly", "yes", "--appendfsync", "always")
    control = server.connect()
    conn = server.connect()
    path = server.folder / (INCR % 1)
    control.do("SETRANGE", "x", 8_000_000, "x")
    for _ in range(5):
        size = path.stat().st_size
        conn.send("GET", "x")
        time.sleep(0.01)
        conn.send("INCR", "n")
        conn.read()
        conn.read()
        assert path.stat().st_size > size


@pytest.mark.parametrize("how", ["SIGTERM", "SHUTDOWN"])
def test_exit_writes_all(start_server, how):
    server = start_server("--appendonly", "yes")
    conn = server.connect()
    conn.send_bytes(b"".join(encode(["INCR", "n"]) for _ in range(5000)))
    for _ in range(5000):
        conn.read()
    if how == "SHUTDOWN":
        conn.send("SHUTDOWN")
        assert server.wait() == 0
    else:
        assert server.stop() == 0
    assert "Calling fsync() on the AOF file." in server.log()
    server.start()
    assert server.connect().do("GET", "n") == b"5000"


def test_with_io_threads(start_server):
    server = start_server("--appendonly", "yes", "--appendfsync", "always", "--io-threads", 3)
    conns = [server.connect() for _ in range(12)]
    for turn in range(20):
        for i, conn in enumerate(conns):
            conn.send_bytes(b"".join(encode(["INCR", f"n{i}"]) for _ in range(10)))
        for conn in conns:
            assert [conn.read() for _ in range(10)][-1] == (b":", str(turn * 10 + 10).encode())
    server.kill()
    server.start()
    assert server.connect().do("MGET", *[f"n{i}" for i in range(12)]) == [b"200"] * 12


# --- WAITAOF ---

def test_waitaof_arguments(start_server, ours_only):
    conn = start_server().connect()
    assert conn.error("WAITAOF", "1", "0", "0") == (
        "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
    assert conn.error("WAITAOF", "2", "0", "0") == "ERR value is out of range, value must between 0 and 1"
    assert conn.error("WAITAOF", "0", "-1", "0") == "ERR value is out of range, must be positive"
    assert conn.error("WAITAOF", "0", "0", "x") == "ERR timeout is not an integer or out of range"
    assert conn.error("WAITAOF", "0", "0", "-1") == "ERR timeout is negative"
    assert conn.error("WAITAOF", "0", "1", 2**63 - 1) == "ERR timeout is out of range"
    assert conn.do("WAITAOF", "0", "0", "0") == [0, 0]
    assert conn.do("WAITAOF", "0", "1", "10") == [0, 0]


def test_waitaof(start_server, ours_only):
    server = start_server("--appendonly", "yes", "--appendfsync", "no")
    conn = server.connect()
    # Nothing written: nothing to wait for.
    assert conn.do("WAITAOF", "1", "0", "0") == [1, 0]
    conn.do("INCR", "n")
    assert conn.do("WAITAOF", "1", "0", "20") == [0, 0]
    other = server.connect()
    assert other.do("WAITAOF", "1", "0", "0") == [1, 0]
    conn.do("MULTI")
    conn.do("INCR", "n")
    conn.do("WAITAOF", "1", "0", "0")
    assert conn.do("EXEC") == [2, [0, 0]]
    conn.send("WAITAOF", "1", "0", "0")
    wait_until(lambda: info(other, "blocked_clients", "clients") == "1")
    other.do("CONFIG", "SET", "appendfsync", "everysec")
    assert conn.read() == (b"*", [(b":", b"1"), (b":", b"0")])
    for policy in ("everysec", "always"):
        other.do("CONFIG", "SET", "appendfsync", policy)
        conn.send_bytes(encode(["INCR", "n"]) + encode(["WAITAOF", "1", "0", "0"]) + encode(["PING"]))
        assert [conn.read() for _ in range(3)][1:] == [(b"*", [(b":", b"1"), (b":", b"0")]), (b"+", b"PONG")]
    assert info(conn, "cmdstat_waitaof", "commandstats").startswith("calls=")


def test_waitaof_ends_with_the_file(start_server, ours_only):
    server = start_server("--appendonly", "yes", "--appendfsync", "no")
    conn = server.connect()
    other = server.connect()
    conn.do("INCR", "n")
    conn.send("WAITAOF", "1", "0", "0")
    wait_until(lambda: info(other, "blocked_clients", "clients") == "1")
    other.do("CONFIG", "SET", "appendonly", "no")
    assert conn.read()[1] == b"ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
    slow(other)
    other.do("SET", "x", "y")
    other.do("BGSAVE")
    other.do("CONFIG", "SET", "appendonly", "yes")
    assert info(other, "aof_rewrite_scheduled") == "1"
    conn.do("INCR", "n")
    conn.send("WAITAOF", "1", "0", "0")
    slow(other, False)
    for pid in children(server):
        os.kill(pid, signal.SIGKILL)
    assert conn.read() == (b"*", [(b":", b"1"), (b":", b"0")])
    assert info(other, "aof_rewrite_scheduled") == "0"
    before = digest(other)
    other.do("DEBUG", "LOADAOF")
    assert digest(other) == before


def test_no_sync_while_a_child_writes(start_server, ours_only):
    server = start_server("--appendonly", "yes", "--no-appendfsync-on-rewrite", "yes")
    conn = server.connect()
    conn.do("SET", "a", "b")
    slow(conn)
    conn.do("BGREWRITEAOF")
    conn.do("INCR", "n")
    # About once a second it would be synced.
    assert conn.do("WAITAOF", "1", "0", "1500") == [0, 0]
    conn.do("CONFIG", "SET", "no-appendfsync-on-rewrite", "no")
    assert conn.do("WAITAOF", "1", "0", "0") == [1, 0]
