# SPDX-License-Identifier: BSD-3-Clause
"""Starting, stopping, being killed, and what the log says."""

import os
import re
import signal
import time

import pytest

from harness.resp import Connection
from harness.server import wait_until

# pid:role day month year time level message, where the role is M, S, C (a child or not yet known) or X (sentinel). A
# signal handler writes a line of its own kind, with the time in seconds.
LOG_LINE = re.compile(r"^\d+:[MSCX] \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}\.\d{3} [.\-*#] .+$|"
                      r"^\d+:signal-handler \(\d+\) .+$")


def test_log_lines_have_the_format_that_tools_read(start_server):
    server = start_server()
    connection = server.connect()
    connection.do("SET", "a", "1")
    connection.do("BGSAVE")
    server.wait_for_log("Background saving terminated with success|DB saved on disk")
    server.stop()
    lines = [line for line in server.log().splitlines() if line]
    wrong = [line for line in lines if not LOG_LINE.match(line)]
    assert not wrong
    assert any("Ready to accept connections" in line or "ready to accept connections" in line for line in lines)
    assert any("Received SIGTERM scheduling shutdown..." in line for line in lines)


def test_log_levels(start_server):
    quiet = start_server("--loglevel", "warning")
    connection = quiet.connect()
    connection.do("PING")
    assert not re.search(r"^\d+:M .* \* ", quiet.log(), re.MULTILINE)
    connection.do("CONFIG", "SET", "loglevel", "debug")
    connection.do("DEBUG", "LOG", "hello from a test")
    quiet.connect().do("PING")
    quiet.wait_for_log("Accepted")


def test_log_file(start_server, tmp_path):
    path = tmp_path / "own.log"
    server = start_server("--logfile", path)
    server.connect().do("PING")
    wait_until(lambda: "accept connections" in path.read_text())


def test_sigterm_saves_when_there_are_save_points(start_server):
    server = start_server("--save", "3600 1")
    server.connect().do("SET", "a", "kept")
    assert server.stop() == 0
    assert (server.folder / "dump.rdb").exists()
    server.start()
    assert server.connect().do("GET", "a") == b"kept"


def test_sigterm_does_not_save_without_save_points(start_server):
    server = start_server()
    server.connect().do("SET", "a", "1")
    assert server.stop() == 0
    assert not (server.folder / "dump.rdb").exists()


def test_sigint_stops_as_well(start_server):
    server = start_server()
    os.kill(server.pid, signal.SIGINT)
    assert server.wait() == 0
    server.wait_for_log("Received SIGINT scheduling shutdown...")


@pytest.mark.parametrize("how, saved", [(["SAVE"], True), (["NOSAVE"], False), ([], False)])
def test_shutdown_command(start_server, how, saved):
    server = start_server()
    connection = server.connect()
    connection.do("SET", "a", "1")
    connection.send("SHUTDOWN", *how)
    assert connection.read_to_end() == b""
    assert server.wait() == 0
    assert (server.folder / "dump.rdb").exists() == saved


def test_shutdown_errors(conn):
    assert conn.error("SHUTDOWN", "NOSUCH") == "ERR syntax error"
    assert conn.error("SHUTDOWN", "ABORT") == "ERR No shutdown in progress."


def test_a_second_server_on_the_same_port_says_so(start_server):
    first = start_server()
    second = start_server(start=False)
    second.port = first.port
    second.launch()
    assert second.wait() == 1
    assert "Address already in use" in second.log()
    assert first.connect(tcp=True).do("PING") == b"PONG"


def test_pid_file(start_server, tmp_path):
    path = tmp_path / "server.pid"
    server = start_server("--pidfile", path)
    wait_until(path.exists)
    assert int(path.read_text()) == server.pid
    server.stop()
    assert not path.exists()


def test_daemonize(start_server, tmp_path):
    path = tmp_path / "daemon.pid"
    server = start_server("--daemonize", "yes", "--pidfile", path, "--logfile", tmp_path / "log", start=False)
    server.launch()
    assert server.wait() == 0, "the starter returns"
    wait_until(path.exists)
    pid = int(path.read_text())
    try:
        wait_until(lambda: server.socket_path.exists())
        with Connection(server.socket_path) as connection:
            assert connection.do("PING") == b"PONG"
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not path.exists(), what="the end of the daemon")


# Saving.


def test_save_points(start_server):
    server = start_server("--save", "1 2")
    connection = server.connect()
    connection.do("SET", "a", "1")
    connection.do("SET", "b", "1")
    server.wait_for_log(r"2 changes in 1 seconds\. Saving\.\.\.")
    server.wait_for_log("Background saving terminated with success")
    wait_until(lambda: b"rdb_changes_since_last_save:0\r\n" in connection.do("INFO", "persistence"))
    assert (server.folder / "dump.rdb").exists()


def test_bgsave_and_its_states(conn, server):
    conn.do("SET", "a", "1")
    before = conn.do("LASTSAVE")
    # LASTSAVE counts in seconds.
    wait_until(lambda: time.time() >= before + 1)
    assert conn.raw("BGSAVE") == b"+Background saving started\r\n"
    wait_until(lambda: b"rdb_bgsave_in_progress:0\r\n" in conn.do("INFO", "persistence"))
    assert b"rdb_last_bgsave_status:ok\r\n" in conn.do("INFO", "persistence")
    assert conn.do("LASTSAVE") > before
    assert conn.error("BGSAVE", "NOSUCH") == "ERR syntax error"


def test_a_failed_save_stops_writes_until_one_succeeds(start_server):
    server = start_server("--save", "3600 1000000", "--enable-protected-configs", "yes")
    connection = server.connect()
    connection.do("SET", "a", "1")
    # A folder in the place of the file makes the rename fail, whoever runs the server.
    connection.do("CONFIG", "SET", "dbfilename", "taken.rdb")
    taken = server.folder / "taken.rdb"
    taken.mkdir()
    (taken / "x").write_text("")
    connection.do("BGSAVE")
    wait_until(lambda: b"rdb_last_bgsave_status:err" in connection.do("INFO", "persistence"))
    assert connection.error("SET", "a", "2").startswith("MISCONF ")
    assert connection.do("GET", "a") == b"1"
    assert connection.call("SAVE")[0] == b"-"
    (taken / "x").unlink()
    taken.rmdir()
    connection.do("BGSAVE")
    wait_until(lambda: b"rdb_last_bgsave_status:ok" in connection.do("INFO", "persistence"))
    assert connection.raw("SET", "a", "2") == b"+OK\r\n"
    assert not list(server.folder.glob("temp-*")), "failed saves leave no temporary files"


def test_killed_while_saving_the_old_file_stays(start_server):
    server = start_server()
    connection = server.connect()
    connection.do("SET", "generation", "old")
    connection.do("SAVE")
    value = b"v" * 2000
    for at in range(0, 40_000, 1000):
        connection.pipeline([["SET", b"k%d" % i, value] for i in range(at, at + 1000)])
    connection.do("SET", "generation", "new")
    connection.do("BGSAVE")
    # The child dies with the parent's group or goes on; the file is whole in both cases.
    server.kill()
    time.sleep(0.05)
    server.start()
    connection = server.connect()
    generation = connection.do("GET", "generation")
    assert (generation, connection.do("DBSIZE")) in ((b"old", 1), (b"new", 40_001))


def test_debug_reload_keeps_everything(conn):
    conn.do("SET", "a", "1", "EX", "5000")
    conn.do("RPUSH", "l", *range(1000))
    conn.do("ZADD", "z", *sum(([i / 3, i] for i in range(1000)), []))
    digest = conn.do("DEBUG", "DIGEST")
    assert conn.raw("DEBUG", "RELOAD") == b"+OK\r\n"
    assert conn.do("DEBUG", "DIGEST") == digest
    assert conn.do("LLEN", "l") == 1000
    assert 4900 < conn.do("TTL", "a") <= 5000
    assert conn.do("DBSIZE") == 3


def test_expired_keys_are_not_loaded(start_server):
    server = start_server("--save", "3600 1")
    connection = server.connect()
    connection.do("SET", "short", "1", "PX", "150")
    connection.do("SET", "long", "1", "EX", "5000")
    connection.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    connection.do("SAVE")
    server.kill()
    time.sleep(0.2)
    server.start()
    assert server.connect().do("KEYS", "*") == [b"long"]
