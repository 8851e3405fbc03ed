# SPDX-License-Identifier: BSD-3-Clause
"""The append-only file: options, files, crashes, damaged files, rewrites, WAITAOF."""

import os
import re
import signal
import subprocess
import time

import pytest

from harness.resp import encode
from harness.server import wait_until

MANIFEST = "appendonlydir/appendonly.aof.manifest"
INCR = "appendonlydir/appendonly.aof.%d.incr.aof"
ONE_INCR = "file appendonly.aof.1.incr.aof seq 1 type i\n"


def info(connection, field, section="persistence"):
    for line in connection.do("INFO", section).decode().splitlines():
        if line.startswith(field + ":"):
            return line[len(field) + 1:]
    raise KeyError(field)


def wait_for_rewrite(connection):
    wait_until(lambda: info(connection, "aof_rewrite_in_progress") == "0" and
               info(connection, "aof_rewrite_scheduled") == "0", what="the end of the rewrite")


def write_set(server, files, manifest=None):
    """Puts files into the folder of a server that is not running."""
    folder = server.folder / "appendonlydir"
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    if manifest is not None:
        (server.folder / MANIFEST).write_text(manifest)


def start_fails(server):
    """Starts the server, which ends with 1, and returns the last line of its log."""
    server.launch()
    assert server.wait() == 1
    return server.log().splitlines()[-1]


def children(server):
    return [int(pid) for pid in subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True,
                                               text=True).stdout.split()]


def digest(connection):
    return connection.do("DEBUG", "DIGEST")


SET = encode(["SET", "a", "b"])


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


def start_with_file(start_server, path, text):
    path.write_text(text)
    server = start_server(start=False)
    command_line = server.command_line()
    server.command_line = lambda: [command_line[0], str(path), *command_line[1:]]
    server.start()
    return server


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


def commands_of(data):
    out = []
    while data:
        line, data = data.split(b"\r\n", 1)
        words = []
        for _ in range(int(line[1:])):
            head, data = data.split(b"\r\n", 1)
            words.append(data[:int(head[1:])])
            data = data[int(head[1:]) + 2:]
        out.append(b" ".join(words).decode())
    return out


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


# --- the disk refuses ---

def limit_files(server, size):
    subprocess.run(["prlimit", "--pid", str(server.pid), f"--fsize={size}:unlimited"], check=True)


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


def slow(conn, on=True):
    """Background children last until they are killed."""
    conn.do("CONFIG", "SET", "rdb-key-save-delay", 10_000_000 if on else 0)


def kill_child(server, conn):
    wait_until(lambda: children(server))
    for pid in children(server):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: info(conn, "aof_rewrite_in_progress") == info(conn, "rdb_bgsave_in_progress") == "0")


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


# --- WAITAOF ---

def test_waitaof_arguments(start_server, ours_only):
    conn = start_server().connect()
    assert conn.error("WAITAOF", "1", "0", "0") == (
        "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
    assert conn.error("WAITAOF", "2", "0", "0") == "ERR value is out of range, value must between 0 and 1"
    assert conn.error("WAITAOF", "0", "-1", "0") == "ERR value is out of range, must be positive"
    assert conn.error("WAITAOF", "0", "0", "x") == "ERR timeout is not an integer or out of range"
    assert conn.error("WAITAOF", "0", "0", "-1") == "ERR timeout is negative"
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
