# SPDX-License-Identifier: BSD-3-Clause
"""The rewrite of the append-only file, whatever ends it; turning the file on and off."""

import os
import signal

import pytest

from harness.aof import INCR, MANIFEST, children, commands_of, digest, info, kill_child, slow, wait_for_rewrite
from harness.server import wait_until


# --- rewrite ---

@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_rewrite(start_server, preamble):
    server = start_server("--appendonly", "yes", "--aof-use-rdb-preamble", preamble, "--appendfsync", "always")
    conn = server.connect()
    for i in range(300):
        conn.do("INCR", "n")
    conn.do("RPUSH", "l", *range(500))
    conn.do("SET", "t", "v", "EXAT", 4102444800)
    assert conn.call("BGREWRITEAOF") == (b"+", b"Background append only file rewriting started")
    conn.do("INCR", "n")
    wait_for_rewrite(conn)
    assert info(conn, "aof_last_bgrewrite_status") == "ok"
    assert info(conn, "aof_rewrites") == "1"
    assert int(info(conn, "aof_last_cow_size")) >= 0
    suffix = "rdb" if preamble == "yes" else "aof"
    assert (server.folder / MANIFEST).read_text() == (
        f"file appendonly.aof.2.base.{suffix} seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n")
    assert commands_of((server.folder / (INCR % 2)).read_bytes()) == ["SELECT 0", "INCR n"]
    before = digest(conn)
    assert conn.do("DEBUG", "LOADAOF") == b"OK"
    assert digest(conn) == before
    server.kill()
    server.start()
    conn = server.connect()
    assert digest(conn) == before
    assert conn.do("PEXPIRETIME", "t") == 4102444800000


def test_children_wait_for_each_other(start_server):
    server = start_server("--appendonly", "yes")
    conn = server.connect()
    conn.do("SET", "a", "b")
    slow(conn)
    assert conn.call("BGREWRITEAOF")[1].endswith(b"started")
    assert conn.error("BGREWRITEAOF") == "ERR Background append only file rewriting already in progress"
    assert conn.error("BGSAVE").startswith("ERR Another child process is active (AOF?): can't BGSAVE right now.")
    assert info(conn, "aof_rewrite_in_progress") == "1"
    assert int(info(conn, "aof_current_rewrite_time_sec")) >= 0
    assert info(conn, "current_save_keys_total") == "1"
    kill_child(server, conn)
    assert info(conn, "aof_last_bgrewrite_status") == "err"
    conn.do("BGSAVE")
    assert conn.call("BGREWRITEAOF") == (b"+", b"Background append only file rewriting scheduled")
    assert info(conn, "aof_rewrite_scheduled") == "1"
    slow(conn, False)
    kill_child(server, conn)
    wait_for_rewrite(conn)
    assert info(conn, "aof_last_bgrewrite_status") == "ok"
    conn.do("MULTI")
    conn.do("INCR", "n")
    conn.do("BGREWRITEAOF")
    conn.do("INCR", "n")
    assert conn.do("EXEC") == [1, b"Background append only file rewriting scheduled", 2]
    wait_for_rewrite(conn)
    before = digest(conn)
    conn.do("DEBUG", "LOADAOF")
    assert digest(conn) == before


def test_failed_rewrites_leave_a_whole_set(start_server):
    server = start_server("--appendonly", "yes", "--appendfsync", "always")
    conn = server.connect()
    conn.do("SET", "a", "b")
    slow(conn)
    for i in range(3):
        conn.do("BGREWRITEAOF")
        conn.do("INCR", "n")
        kill_child(server, conn)
    assert [line.split()[1] for line in (server.folder / MANIFEST).read_text().splitlines()] == [
        "appendonly.aof.1.base.rdb"] + [f"appendonly.aof.{i}.incr.aof" for i in range(1, 5)]
    assert not list(server.folder.glob("temp-*"))
    # One that nobody asks for waits now.
    conn.do("CONFIG", "SET", "auto-aof-rewrite-percentage", 1, "auto-aof-rewrite-min-size", 100)
    conn.do("SET", "x", "x" * 1000)
    server.wait_for_log("triggered the limit, will retry in 1 minutes")
    assert info(conn, "aof_rewrite_in_progress") == "0"
    before = digest(conn)
    server.kill()
    server.start()
    conn = server.connect()
    assert digest(conn) == before
    conn.do("BGREWRITEAOF")
    wait_for_rewrite(conn)
    wait_until(lambda: len(os.listdir(server.folder / "appendonlydir")) == 3)


def test_kill_at_any_moment_of_a_rewrite(start_server):
    server = start_server("--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")
    expected = 0
    for turn in range(8):
        conn = server.connect()
        assert int(conn.do("GET", "n") or 0) == expected
        conn.do("BGREWRITEAOF")
        for _ in range(turn * 12):
            expected = conn.do("INCR", "n")
        server.kill()
        server.start()
    conn = server.connect()
    assert int(conn.do("GET", "n")) == expected
    conn.do("BGREWRITEAOF")
    wait_for_rewrite(conn)
    wait_until(lambda: len(os.listdir(server.folder / "appendonlydir")) == 3)


def test_rewrites_by_itself(start_server):
    server = start_server("--appendonly", "yes", "--auto-aof-rewrite-min-size", "10kb")
    conn = server.connect()
    for _ in range(20):
        conn.do("SET", "a", "x" * 1000)
    wait_until(lambda: int(info(conn, "aof_rewrites")) >= 1)
    wait_for_rewrite(conn)
    assert "Starting automatic rewriting of AOF on" in server.log()
    assert int(info(conn, "aof_current_size")) < 10_000


def test_old_files_may_be_kept(start_server, ours_only):
    server = start_server("--appendonly", "yes", "--aof-disable-auto-gc", "yes")
    conn = server.connect()
    conn.do("SET", "a", "b")
    conn.do("BGREWRITEAOF")
    wait_for_rewrite(conn)
    assert (server.folder / MANIFEST).read_text().count("type h") == 2
    conn.do("CONFIG", "SET", "aof-disable-auto-gc", "no")
    wait_until(lambda: len(os.listdir(server.folder / "appendonlydir")) == 3)
    assert "type h" not in (server.folder / MANIFEST).read_text()


# --- on and off ---

def test_turned_on_and_off(start_server):
    server = start_server()
    conn = server.connect()
    conn.do("SET", "a", "b")
    assert not (server.folder / "appendonlydir").exists()
    assert conn.do("CONFIG", "SET", "appendonly", "yes") == b"OK"
    conn.do("SET", "c", "d")
    wait_for_rewrite(conn)
    conn.do("SET", "e", "f")
    before = digest(conn)
    assert conn.do("DEBUG", "LOADAOF") == b"OK"
    assert digest(conn) == before
    assert conn.do("CONFIG", "SET", "appendonly", "no") == b"OK"
    assert info(conn, "aof_enabled") == "0"
    conn.do("SET", "lost", "x")
    assert conn.do("CONFIG", "SET", "appendonly", "yes") == b"OK"
    wait_for_rewrite(conn)
    assert (server.folder / MANIFEST).read_text() == (
        "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n")
    conn.do("CONFIG", "SET", "appendonly", "no")
    conn.do("BGREWRITEAOF")
    wait_for_rewrite(conn)
    assert (server.folder / MANIFEST).read_text() == "file appendonly.aof.3.base.rdb seq 3 type b\n"
    server.restart(["--appendonly", "yes"])
    assert sorted(server.connect().do("KEYS", "*")) == [b"a", b"c", b"e", b"lost"]


def test_the_first_rewrite_fails(start_server):
    server = start_server()
    conn = server.connect()
    conn.do("SET", "a", "b")
    slow(conn)
    conn.do("CONFIG", "SET", "appendonly", "yes")
    conn.do("SET", "c", "d")
    assert conn.error("SHUTDOWN") == "ERR Errors trying to SHUTDOWN. Check logs."
    assert "Writing initial AOF, can't exit." in server.log()
    assert (server.folder / "appendonlydir/temp-appendonly.aof.incr").exists()
    for pid in children(server):
        os.kill(pid, signal.SIGKILL)
    server.wait_for_log("Removing the temp incr aof file")
    assert not (server.folder / MANIFEST).exists()
    # It is tried again.
    wait_until(lambda: info(conn, "aof_rewrite_in_progress") == "1")
    slow(conn, False)
    for pid in children(server):
        os.kill(pid, signal.SIGKILL)
    conn.do("SET", "e", "f")
    wait_until(lambda: (server.folder / MANIFEST).exists())
    before = digest(conn)
    conn.do("DEBUG", "LOADAOF")
    assert digest(conn) == before
    assert sorted(conn.do("KEYS", "*")) == [b"a", b"c", b"e"]


def test_turned_off_while_rewriting(start_server):
    server = start_server("--appendonly", "yes")
    conn = server.connect()
    conn.do("SET", "a", "b")
    slow(conn)
    conn.do("BGREWRITEAOF")
    conn.do("CONFIG", "SET", "appendonly", "no")
    assert "Killing running AOF rewrite child" in server.log()
    assert info(conn, "aof_rewrite_in_progress") == "0"
    assert not list(server.folder.glob("temp-*"))


def test_cannot_be_turned_on(start_server):
    server = start_server("--appenddirname", "file")
    (server.folder / "file").write_text("x")
    conn = server.connect()
    assert conn.error("CONFIG", "SET", "appendonly", "yes") == (
        "ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn on AOF. Check server logs.")
    assert conn.do("CONFIG", "GET", "appendonly") == [b"appendonly", b"no"]
    assert info(conn, "aof_enabled") == info(conn, "aof_rewrite_scheduled") == "0"
