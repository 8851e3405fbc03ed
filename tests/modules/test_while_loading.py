# SPDX-License-Identifier: BSD-3-Clause
"""Commands of modules that run while data are loaded, and what must not come of them."""

import signal

import pytest

from harness.server import wait_until

pytestmark = pytest.mark.usefixtures("ours_only")
LOADING = (b"-", b"LOADING Redis is loading the dataset in memory")
KEYS = 5000


@pytest.fixture
def loading(start_with):
    """loading("DEBUG RELOAD NOSAVE") is a server in whose data is loaded by that command, and the client that waits for it."""
    def start(command, *options):
        server = start_with(["loading"], "--rdbcompression", "no", "--busy-reply-threshold", 50, *options)
        conn = server.connect()
        conn.pipeline([["SET", f"key{number}", f"{number:100}"] for number in range(KEYS)])
        conn.do("SAVE")
        conn.do("CONFIG", "SET", "key-load-delay", 4000, "loading-process-events-interval-bytes", 1024)
        conn.send(*command.split())
        other = server.connect()
        wait_until(lambda: other.call("PING") == LOADING)
        return server, conn, other
    return start


def finish(conn, other):
    other.do("CONFIG", "SET", "key-load-delay", 0)
    assert conn.read() == (b"+", b"OK")
    assert other.do("DBSIZE") == KEYS


@pytest.mark.parametrize("command", ["DEBUG RELOAD NOSAVE", "loading.load dump.rdb"])
def test_files_and_data_are_left_alone(loading, command):
    """A part of the data set must not take the place of the whole, nor two loads mix."""
    server, conn, other = loading(command, "--save", "3600 1")
    file = (server.folder / "dump.rdb").read_bytes()
    assert other.do("loading.load", "dump.rdb") == b"EBUSY"
    for words in (["SAVE"], ["BGSAVE"], ["DEBUG", "RELOAD"]):
        kind, text = other.call("loading.call", *words)
        assert kind == b"-", (words, text)
    assert other.call("GET", "key1") == LOADING
    assert (server.folder / "dump.rdb").read_bytes() == file
    finish(conn, other)
    assert (server.folder / "dump.rdb").read_bytes() == file


def test_a_client_whose_command_yields_goes(loading):
    server, conn, other = loading("DEBUG RELOAD NOSAVE")
    yielding = server.connect()
    yielding.send("loading.yield", 300)
    wait_until(lambda: b"cmd=loading.yield" in other.do("CLIENT", "LIST"))
    yielding.close()
    finish(conn, other)
    wait_until(lambda: b"cmd=loading.yield" not in other.do("CLIENT", "LIST"))


def test_commands_of_a_client_that_yields_stay_in_order(loading):
    server, conn, other = loading("DEBUG RELOAD NOSAVE")
    yielding = server.connect()
    yielding.send("loading.yield", 300)
    wait_until(lambda: b"cmd=loading.yield" in other.do("CLIENT", "LIST"))
    yielding.send("ECHO", "behind it")
    yielding.send("loading.yield", 10)
    assert yielding.read() == (b"+", b"DONE")
    assert yielding.read() == (b"$", b"behind it")
    assert yielding.read() == (b"+", b"DONE")
    finish(conn, other)


@pytest.mark.parametrize("ends", ["closes", "sends more"])
def test_a_load_within_a_busy_script(start_with, ends):
    """When the load is over the script's client is still one that a script runs for."""
    server = start_with(["loading"], "--rdbcompression", "no", "--busy-reply-threshold", 50)
    conn = server.connect()
    conn.pipeline([["SET", f"key{number}", f"{number:100}"] for number in range(KEYS)])
    conn.do("SAVE")
    conn.do("CONFIG", "SET", "loading-process-events-interval-bytes", 1024)
    script = server.connect()
    script.send("EVAL", """
        local function wait(seconds) local from = os.clock() repeat until os.clock() - from > seconds end
        wait(0.2) redis.call('loading.load', 'dump.rdb') wait(0.4) return 'end'""", 0)
    wait_until(lambda: conn.call("PING")[1].startswith(b"BUSY"))
    wait_until(lambda: "Done loading RDB" in server.log())
    if ends == "closes":
        script.close()
    else:
        script.send("PING")
        assert script.read() == (b"$", b"end")
        assert script.read() == (b"+", b"PONG")
    wait_until(lambda: conn.call("PING") == (b"+", b"PONG"))
    assert conn.do("DBSIZE") == KEYS


@pytest.mark.parametrize("command", ["DEBUG RELOAD NOSAVE", "loading.load dump.rdb"])
@pytest.mark.parametrize("end", ["SIGTERM", "SHUTDOWN NOSAVE"])
def test_a_shutdown_leaves_the_file(loading, command, end):
    """Nothing is begun behind it, although a save is due."""
    server, conn, other = loading(command, "--save", "1 1")
    file = (server.folder / "dump.rdb").read_bytes()
    if end == "SIGTERM":
        server.process.send_signal(signal.SIGTERM)
    else:
        other.send(*end.split())
    assert server.wait() == 0
    assert (server.folder / "dump.rdb").read_bytes() == file
    behind = server.log().split("ready to exit, bye bye")[1]
    assert "Saving..." not in behind and "Background" not in behind


def test_writes_of_a_full_server(start_with):
    """They hear of the load first."""
    server = start_with(["loading"], "--rdbcompression", "no")
    conn = server.connect()
    conn.pipeline([["SET", f"key{number}", f"{number:1000}"] for number in range(KEYS)])
    conn.do("CONFIG", "SET", "maxmemory", 1_000_000, "key-load-delay", 1000)
    conn.do("CONFIG", "SET", "loading-process-events-interval-bytes", 1024)
    conn.send("DEBUG", "RELOAD")
    other = server.connect()
    wait_until(lambda: other.call("SET", "x", "1") == LOADING)
    other.do("CONFIG", "SET", "key-load-delay", 0)
    assert conn.read() == (b"+", b"OK")
    assert other.error("SET", "x", "1").startswith("OOM")


def test_the_source_goes_with_what_it_would_replace(start_with):
    conn = start_with(["loading"]).connect()
    for words, reply in ((["RENAME", "source", "told"], (b"-", b"ERR no such key")),
                         (["COPY", "source", "told", "REPLACE"], (b":", b"0"))):
        for value in ("short", "12", "long" * 100):
            conn.do("SET", "source", value)
            conn.do("SET", "told", value)
            assert conn.call(*words) == reply
            assert conn.do("DBSIZE") == 0
