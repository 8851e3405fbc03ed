# SPDX-License-Identifier: BSD-3-Clause
"""The append-only file when the disk refuses, and when its files are damaged, or of the old form."""

import os

import pytest

from harness.aof import (INCR, MANIFEST, ONE_INCR, SET, digest, info, limit_files, start_fails,
                         start_with_file, wait_for_rewrite, write_set)
from harness.resp import encode
from harness.server import wait_until


# --- the disk refuses ---

MISCONF = "MISCONF Errors writing to the AOF file: No space left on device"


def test_a_full_disk(start_server):
    server = start_server("--appendonly", "yes")
    conn = server.connect()
    conn.do("SET", "a", "b")
    wait_until(lambda: info(conn, "aof_buffer_length") == "0")
    limit_files(server, 200)
    assert conn.do("SET", "c", "x" * 300) == b"OK"
    wait_until(lambda: info(conn, "aof_last_write_status") == "err")
    assert conn.error("SET", "d", "e") == MISCONF
    assert conn.error("PING") == MISCONF
    assert conn.error("EVAL", "return redis.call('set', 'a', 'c')", 0).startswith(MISCONF)
    assert conn.do("MULTI") == b"OK"
    assert conn.error("SET", "d", "e") == MISCONF
    assert conn.error("EXEC").startswith("EXECABORT")
    assert conn.do("GET", "c") == b"x" * 300
    assert int(info(conn, "aof_buffer_length")) > 300
    # The half of a command that was written is gone.
    assert (server.folder / (INCR % 1)).stat().st_size == int(info(conn, "aof_current_size")) - int(
        info(conn, "aof_base_size"))
    limit_files(server, "unlimited")
    wait_until(lambda: info(conn, "aof_last_write_status") == "ok")
    assert conn.do("SET", "d", "f") == b"OK"
    assert "AOF write error looks solved" in server.log()
    before = digest(conn)
    wait_until(lambda: info(conn, "aof_buffer_length") == "0")
    server.kill()
    server.start()
    assert digest(server.connect()) == before


def test_a_full_disk_with_always(start_server):
    server = start_server("--appendonly", "yes", "--appendfsync", "always")
    conn = server.connect()
    # Much, so that the log stays below the limit.
    conn.do("SET", "a", "x" * 60_000)
    limit_files(server, 61_000)
    conn.send("SET", "c", "x" * 3000)
    assert server.wait() == 1
    assert "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting" in server.log()
    server.start()
    assert server.connect().do("KEYS", "*") == [b"a"]


def test_a_rewrite_that_cannot_write(start_server):
    server = start_server("--appendonly", "yes")
    conn = server.connect()
    conn.do("SET", "a", os.urandom(3000))
    wait_until(lambda: info(conn, "aof_buffer_length") == "0")
    limit_files(server, 2000)
    conn.do("BGREWRITEAOF")
    wait_for_rewrite(conn)
    assert info(conn, "aof_last_bgrewrite_status") == "err"
    assert info(conn, "aof_rewrites_consecutive_failures") == "1"
    limit_files(server, "unlimited")
    assert not list(server.folder.glob("temp-*"))
    before = digest(conn)
    server.restart()
    assert digest(server.connect()) == before


# --- loading what is damaged ---

@pytest.mark.parametrize("load", ["yes", "no"])
@pytest.mark.parametrize("tail, valid", [(SET[:-1], 0), (encode(["MULTI"]) + SET, 0), (b"#TS:12", 0),
                                         (encode(["MULTI"]) + SET + encode(["EXEC"])[:-2], 0),
                                         (b"*1\r\n$999999999999\r\n", 0)])
def test_a_truncated_tail(start_server, load, tail, valid):
    server = start_server("--appendonly", "yes", "--aof-load-truncated", load, start=False)
    write_set(server, {"appendonly.aof.1.incr.aof": encode(["SET", "first", "1"]) + tail}, ONE_INCR)
    whole = len(encode(["SET", "first", "1"]))
    if load == "no":
        line = start_fails(server)
        assert "Unexpected end of file reading the append only file appendonly.aof.1.incr.aof" in line
        assert f"at offset {whole}" in line
        return
    server.start()
    assert (server.folder / (INCR % 1)).stat().st_size == whole
    conn = server.connect()
    assert conn.do("KEYS", "*") == [b"first"]
    conn.do("INCR", "first")
    server.restart()
    assert server.connect().do("GET", "first") == b"2"


def test_truncated_but_not_last(start_server):
    server = start_server("--appendonly", "yes", start=False)
    write_set(server, {"appendonly.aof.1.incr.aof": SET + SET[:-3], "appendonly.aof.2.incr.aof": b""},
              ONE_INCR + "file appendonly.aof.2.incr.aof seq 2 type i\n")
    assert "the truncated file is not the last file" in start_fails(server)
    assert (server.folder / (INCR % 1)).read_bytes() == SET + SET[:-3]


@pytest.mark.parametrize("data, why", [
    (SET + b"!!!" + SET, "Bad file format reading the append only file appendonly.aof.1.incr.aof at offset 27"),
    (SET + b"*0\r\n", "Bad file format"),
    (SET + encode(["BLA", "x"]), "Unknown command 'BLA' reading the append only file appendonly.aof.1.incr.aof"),
    (encode(["MULTI"]) + encode(["BLA"]) + encode(["EXEC"]), "Unknown command 'BLA'"),
    (encode(["GET"]), "wrong number of arguments for 'get' command"),
    (encode(["SELECT", "77"]) + SET, "DB index is out of range"),
])
def test_damaged_commands(start_server, data, why):
    server = start_server("--appendonly", "yes", start=False)
    write_set(server, {"appendonly.aof.1.incr.aof": data}, ONE_INCR)
    assert why in start_fails(server)


def test_errors_of_commands_are_told(start_server):
    server = start_server("--appendonly", "yes", start=False)
    write_set(server, {"appendonly.aof.1.incr.aof": SET + encode(["INCR", "a"]) + encode(["SET", "c", "d"]) +
                       encode(["EXEC"])}, ONE_INCR)
    server.start()
    conn = server.connect()
    assert conn.do("MGET", "a", "c") == [b"b", b"d"]
    assert "value is not an integer" in server.log() and "EXEC without MULTI" in server.log()
    # What is replayed is no client's doing.
    assert b"cmdstat_set" not in conn.do("INFO", "commandstats")
    assert b"errorstat" not in conn.do("INFO", "errorstats")


@pytest.mark.parametrize("text, why", [
    ("", "Found an empty AOF manifest"),
    ("\n", "Invalid AOF manifest file format"),
    ("file a seq x type b\n", "Invalid AOF manifest file format"),
    ("file ../a seq 1 type b\n", "File can't be a path, just a filename"),
    ("file a seq 1 type x\n", "Unknown AOF file type"),
    ("file a seq 1 type b\nfile b seq 2 type b\n", "Found duplicate base file information"),
    ("file a seq 2 type i\nfile b seq 1 type i\n", "Found a non-monotonic sequence number"),
    ("file " + "a" * 2000 + " seq 1 type b\n", "The AOF manifest file contains too long line"),
    (ONE_INCR, "Unable to obtain the AOF file appendonly.aof.1.incr.aof length. stat: No such file or directory"),
])
def test_a_broken_manifest(start_server, text, why):
    server = start_server("--appendonly", "yes", start=False)
    write_set(server, {}, text)
    assert why in start_fails(server)
    assert (server.folder / MANIFEST).read_text() == text


def test_a_broken_base(start_server):
    server = start_server("--appendonly", "yes", start=False)
    write_set(server, {"appendonly.aof.1.base.rdb": b"REDIS0010garbage", "appendonly.aof.1.incr.aof": SET},
              "file appendonly.aof.1.base.rdb seq 1 type b\n" + ONE_INCR)
    assert "the RDB preamble of the AOF file appendonly.aof.1.base.rdb" in start_fails(server)


def test_a_snapshot_beside_it_is_told_of(start_server):
    server = start_server()
    conn = server.connect()
    conn.do("SET", "a", "b")
    conn.do("SAVE")
    server.restart(["--appendonly", "yes"])
    assert server.connect().do("DBSIZE") == 0
    assert "dump.rdb is not loaded while appendonly is on" in server.log()


# --- the old form ---

def test_an_old_file_is_taken_over(start_server):
    server = start_server("--appendonly", "yes", start=False)
    (server.folder / "appendonly.aof").write_bytes(SET + encode(["SELECT", 1]) + SET)
    server.start()
    conn = server.connect()
    assert conn.do("GET", "a") == b"b"
    assert not (server.folder / "appendonly.aof").exists()
    assert (server.folder / MANIFEST).read_text() == "file appendonly.aof seq 1 type b\n" + ONE_INCR
    conn.do("SET", "c", "d")
    conn.do("BGREWRITEAOF")
    wait_for_rewrite(conn)
    wait_until(lambda: sorted(os.listdir(server.folder / "appendonlydir")) == [
        "appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"])
    server.restart()
    assert server.connect().do("MGET", "a", "c") == [b"b", b"d"]


def test_an_interrupted_take_over_goes_on(start_server):
    server = start_server("--appendonly", "yes", start=False)
    (server.folder / "appendonly.aof").write_bytes(SET)
    write_set(server, {}, "file appendonly.aof seq 1 type b\n")
    server.start()
    assert server.connect().do("GET", "a") == b"b"
    assert (server.folder / "appendonlydir/appendonly.aof").read_bytes() == SET


def test_names_with_blanks(start_server, tmp_path):
    server = start_with_file(start_server, tmp_path / "redis.conf", 'appendonly yes\nappendfilename " a b.aof"\n')
    conn = server.connect()
    conn.do("SET", "a", "b")
    conn.do("BGREWRITEAOF")
    wait_for_rewrite(conn)
    assert (server.folder / "appendonlydir/ a b.aof.manifest").read_text().splitlines()[0] == \
        'file " a b.aof.2.base.rdb" seq 2 type b'
    server.restart()
    assert server.connect().do("GET", "a") == b"b"
