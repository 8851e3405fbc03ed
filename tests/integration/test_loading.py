# SPDX-License-Identifier: BSD-3-Clause
"""Clients while the data set is loaded: who is told LOADING, what works, how a load ends early."""

import signal
import time

import pytest

from harness.server import wait_until

LOADING = (b"-", b"LOADING Redis is loading the dataset in memory")
KEYS = 5000
# A load of many seconds, if nobody makes it faster, that looks at clients after every few keys.
SLOW = ["--key-load-delay", 4000, "--loading-process-events-interval-bytes", 1024]


def fields(conn):
    lines = conn.do("INFO", "persistence").decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


def wait_until_loading(conn):
    # The first bytes of the file come before the first key.
    wait_until(lambda: int(fields(conn).get("loading_loaded_bytes", 0)) > 0, what="a load in progress")


def fill(server, count=KEYS):
    conn = server.connect()
    conn.pipeline([["SET", f"key{number}", f"{number:100}"] for number in range(count)])
    return conn


@pytest.fixture(params=["rdb", "aof of commands", "aof with a base"])
def loading(request, start_server):
    """A server that has begun to load its data."""
    options = ["--rdbcompression", "no", "--appendonly", "no" if request.param == "rdb" else "yes"]
    server = start_server(*options)
    conn = fill(server)
    if request.param == "rdb":
        conn.do("SAVE")
    elif request.param == "aof with a base":
        conn.do("BGREWRITEAOF")
        wait_until(lambda: fields(conn)["aof_rewrite_in_progress"] == "0")
    before = conn.do("DBSIZE")
    server.stop()
    server.options += [str(word) for word in SLOW]
    server.launch()
    wait_until(lambda: server.socket_path.exists() and "Server initialized" in server.log())
    yield server, before


def connect(server):
    def tried():
        try:
            return server.connect()
        except OSError:
            return None
    wait_until(lambda: tried() is not None, what="a connection")
    return server.connect()


@pytest.fixture
def loading_rdb(start_server):
    server = start_server("--rdbcompression", "no", "--enable-protected-configs", "yes")
    fill(server).do("SAVE")
    server.stop()
    server.options += [str(word) for word in SLOW]
    server.launch()
    conn = connect(server)
    wait_until_loading(conn)
    return server, conn


def test_what_clients_are_told(loading_rdb):
    server, conn = loading_rdb
    for command in (["PING"], ["GET", "key1"], ["SET", "x", "1"], ["FLUSHALL"], ["EVAL", "return 1", 0], ["BGSAVE"],
                    ["DEBUG", "RELOAD"], ["DEBUG", "LOADAOF"], ["DEBUG", "POPULATE", 5], ["MODULE", "LIST"],
                    ["CONFIG", "SET", "appendonly", "yes"], ["CONFIG", "SET", "maxclients", "500", "dir", "/"],
                    ["CONFIG", "SET", "repl-diskless-load", "swapdb"]):
        assert conn.call(*command) == LOADING, command
    assert conn.do("CONFIG", "GET", "maxclients")[1] != b"500"
    # What does not need the data.
    for command in (["SELECT", 1], ["CONFIG", "SET", "maxclients", 400], ["HELLO", 2], ["TIME"],
                    ["CLIENT", "SETNAME", "x"], ["COMMAND", "COUNT"], ["LASTSAVE"], ["ACL", "WHOAMI"], ["LATENCY", "RESET"],
                    ["SLOWLOG", "LEN"], ["WATCH", "key1"], ["UNWATCH"]):
        assert conn.call(*command)[0] != b"-", command
    assert conn.call("MULTI") == (b"+", b"OK")
    assert conn.call("GET", "key1") == LOADING
    assert conn.error("EXEC").startswith("EXECABORT")
    listener = connect(server)
    listener.do("SUBSCRIBE", "channel")
    assert conn.do("PUBLISH", "channel", "text") == 1
    assert listener.read()[1][2] == (b"$", b"text")
    assert b"name=x" in conn.do("CLIENT", "LIST")
    # It goes on meanwhile.
    first = fields(conn)
    assert first["loading"] == "1" and abs(int(first["loading_start_time"]) - time.time()) < 60
    assert 0 < int(first["loading_loaded_bytes"]) < int(first["loading_total_bytes"])
    wait_until(lambda: int(fields(conn)["loading_loaded_bytes"]) > int(first["loading_loaded_bytes"]))
    assert "Ready to accept connections" not in server.log().rsplit("Server initialized", 1)[1]
    conn.do("CONFIG", "SET", "key-load-delay", 0)
    wait_until(lambda: conn.call("PING") == (b"+", b"PONG"))
    conn.do("SELECT", 0)
    assert conn.do("DBSIZE") == KEYS
    assert fields(conn)["loading"] == "0"


@pytest.mark.parametrize("end", ["SHUTDOWN", "SHUTDOWN SAVE", "SIGTERM", "SIGINT"])
def test_ended_while_loading(start_server, end):
    """The file stays as it is: what has been loaded is less."""
    server = start_server("--save", "1 1", "--pidfile", "pid", "--rdbcompression", "no")
    fill(server).do("SAVE")
    server.kill()
    file = (server.folder / "dump.rdb").read_bytes()
    server.options += [str(word) for word in SLOW]
    server.launch()
    conn = connect(server)
    wait_until_loading(conn)
    if end.startswith("SHUTDOWN"):
        conn.send(*end.split())
    else:
        server.process.send_signal(signal.Signals[end])
    assert server.wait() == 0
    assert (server.folder / "dump.rdb").read_bytes() == file
    assert not (server.folder / "pid").exists()
    log = server.log()
    assert "ready to exit, bye bye" in log and "Fatal error" not in log
    server.start([word for word in server.options if word not in map(str, SLOW)])
    assert server.connect().do("DBSIZE") == KEYS


def test_every_kind_of_file(loading):
    server, before = loading
    conn = connect(server)
    wait_until(lambda: conn.call("PING") == LOADING)
    wait_until_loading(conn)
    assert conn.call("GET", "key1") == LOADING
    conn.do("CONFIG", "SET", "key-load-delay", 0)
    wait_until(lambda: conn.call("PING") == (b"+", b"PONG"))
    assert conn.do("DBSIZE") == before


def test_an_append_only_file_is_not_cut_by_a_shutdown(loading):
    server, before = loading
    sizes = {path: path.stat().st_size for path in server.folder.rglob("*.aof")}
    conn = connect(server)
    wait_until_loading(conn)
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    assert sizes == {path: path.stat().st_size for path in server.folder.rglob("*.aof")}
    server.start([word for word in server.options if word not in map(str, SLOW)])
    assert server.connect().do("DBSIZE") == before


def test_reload(start_server):
    """DEBUG RELOAD has other clients told, too; the one that asked waits."""
    server = start_server("--rdbcompression", "no")
    conn = fill(server)
    conn.do("CONFIG", "SET", "key-load-delay", 4000, "loading-process-events-interval-bytes", 1024)
    conn.send("DEBUG", "RELOAD")
    conn.send("GET", "key1")
    other = server.connect()
    wait_until(lambda: other.call("PING") == LOADING)
    assert other.call("DEBUG", "RELOAD") == LOADING
    assert b"cmd=debug" in other.do("CLIENT", "LIST")
    # One that goes meanwhile.
    server.connect().close()
    other.do("CONFIG", "SET", "key-load-delay", 0)
    assert conn.read() == (b"+", b"OK")
    assert conn.read()[1] == f"{1:100}".encode()
    assert other.do("DBSIZE") == KEYS


def test_the_client_that_reloads_is_killed(start_server):
    server = start_server("--rdbcompression", "no")
    conn = fill(server)
    conn.do("CONFIG", "SET", "key-load-delay", 4000, "loading-process-events-interval-bytes", 1024)
    number = conn.do("CLIENT", "ID")
    conn.send("DEBUG", "RELOAD")
    other = server.connect()
    wait_until(lambda: other.call("PING") == LOADING)
    other.do("CLIENT", "KILL", "ID", number)
    other.do("CONFIG", "SET", "key-load-delay", 0)
    wait_until(lambda: other.call("PING") == (b"+", b"PONG"))
    assert other.do("DBSIZE") == KEYS
    assert conn.read_to_end() in (b"", b"+OK\r\n")


def test_a_port_that_is_taken(start_server):
    """Is known before the data are loaded."""
    server = start_server()
    fill(server).do("SAVE")
    other = start_server("--port", server.port, "--dir", server.folder, "--unixsocket", "", *SLOW, start=False)
    other.launch()
    assert other.wait() == 1
    assert "bind: Address already in use" in other.log()
