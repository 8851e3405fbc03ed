# SPDX-License-Identifier: BSD-3-Clause
"""The data set on disk: saves and their replies, crashes while saving, what is kept although no command reads it."""

import os
import shutil
import time

import pytest

from harness.server import REDIS, Server, wait_until


def info(connection, field):
    for line in connection.do("INFO", "persistence").decode().splitlines():
        if line.startswith(field + ":"):
            return line[len(field) + 1:]
    raise KeyError(field)


def wait_for_bgsave(connection):
    wait_until(lambda: info(connection, "rdb_bgsave_in_progress") == "0", what="the end of the background save")


def test_saves_and_reloads(start_server):
    server = start_server()
    conn = server.connect()
    conn.do("SET", "key", "value")
    conn.do("RPUSH", "list", *range(1000))
    assert info(conn, "rdb_changes_since_last_save") == "1001"
    assert conn.call("BGSAVE", "NOW") == (b"-", b"ERR syntax error")
    assert conn.call("BGSAVE") == (b"+", b"Background saving started")
    wait_for_bgsave(conn)
    assert info(conn, "rdb_last_bgsave_status") == "ok"
    assert info(conn, "rdb_changes_since_last_save") == "0"
    assert abs(int(conn.do("LASTSAVE")) - time.time()) < 60
    server.kill()
    server.start()
    conn = server.connect()
    assert conn.do("LRANGE", "list", 999, -1) == [b"999"]
    assert info(conn, "rdb_last_load_keys_loaded") == "2"

    conn.do("SET", "key", "changed")
    assert conn.call("DEBUG", "RELOAD") == (b"+", b"OK")
    assert conn.do("GET", "key") == b"changed"
    assert conn.call("DEBUG", "RELOAD", "FOO") == (
        b"-", b"ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
    conn.do("SET", "other", "value")
    assert conn.call("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE") == (b"+", b"OK")
    assert conn.do("DBSIZE") == 3
    assert conn.call("DEBUG", "RELOAD", "NOSAVE") == (b"+", b"OK")
    assert conn.do("DBSIZE") == 2


def test_a_save_that_fails(start_server):
    server = start_server("--save", "3600 1")
    conn = server.connect()
    (server.folder / "dump.rdb").mkdir()
    (server.folder / "dump.rdb" / "x").touch()
    conn.do("SET", "key", "value")
    assert conn.call("SAVE") == (b"-", b"ERR")
    assert conn.call("BGSAVE") == (b"+", b"Background saving started")
    wait_for_bgsave(conn)
    assert info(conn, "rdb_last_bgsave_status") == "err"
    assert conn.call("SET", "key", "other")[1].startswith(b"MISCONF ")
    assert conn.do("GET", "key") == b"value"
    shutil.rmtree(server.folder / "dump.rdb")
    assert conn.call("SAVE") == (b"+", b"OK")
    assert conn.call("SET", "key", "other") == (b"+", b"OK")


def test_killed_while_saving(start_server):
    """Whatever is killed when: after the restart the data are those of a save that had ended, whole."""
    server = start_server()
    conn = server.connect()
    saved = 0
    for turn in range(6):
        conn.do("MSET", *sum(([f"key:{turn}:{i}", "v" * 200] for i in range(3000)), []))
        saved += 3000
        assert conn.do("SAVE") == b"OK"
        conn.do("SET", "unsaved", "value")
        conn.do("BGSAVE")
        time.sleep(turn * 0.003)
        server.kill()
        server.start()
        conn = server.connect()
        assert conn.do("DBSIZE") in (saved, saved + 1)
        conn.do("DEL", "unsaved")


@pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")
def test_streams_and_functions_pass_through(start_server, ours_only):
    ours = start_server("--rdb-version", 10)
    with Server(binary=REDIS, tcp=False) as redis:
        theirs = redis.connect()
        for i in range(1, 300):
            theirs.do("XADD", "stream", f"{i}-1", "field", f"value-{i}")
        theirs.do("XDEL", "stream", "7-1")
        theirs.do("XGROUP", "CREATE", "stream", "group", "0")
        theirs.do("XREADGROUP", "GROUP", "group", "alice", "COUNT", 20, "STREAMS", "stream", ">")
        theirs.do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")

        def state(connection):
            return [connection.do("XINFO", "STREAM", "stream", "FULL", "COUNT", 0)[:-2],
                    connection.do("XPENDING", "stream", "group"), connection.do("FUNCTION", "LIST")]

        before = state(theirs)
        theirs.do("SAVE")
        ours.stop()
        shutil.copy(redis.folder / "dump.rdb", ours.folder / "dump.rdb")
        ours.start()
        conn = ours.connect()
        assert conn.do("TYPE", "stream") == b"stream"
        conn.do("RENAME", "stream", "renamed")
        conn.do("COPY", "renamed", "stream")
        conn.do("DEL", "renamed")
        assert conn.do("SAVE") == b"OK"
        redis.stop()
        shutil.copy(ours.folder / "dump.rdb", redis.folder / "dump.rdb")
        redis.start()
        assert state(redis.connect()) == before
