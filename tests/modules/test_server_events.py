# SPDX-License-Identifier: BSD-3-Clause
"""Server events: flush, persistence, loading, clients, modules, swaps, settings, children, keys, loops, shutdown."""

import time

import pytest

from harness.server import wait_until

MODULES = ["server_events"]


@pytest.fixture
def events(conn):
    """events(command...) are the events that it causes, as text."""
    def run(*command, kind=""):
        conn.do("events.lines")
        if command:
            conn.call(*command)
        return [line.decode() for line in conn.do("events.lines") if line.decode().startswith(kind)]
    return run


@pytest.mark.parametrize("command, database, sync", [
    (["flushdb"], 3, 1), (["flushdb", "async"], 3, 0), (["flushall"], -1, 1), (["flushall", "async"], -1, 0)])
def test_flush(conn, events, command, database, sync):
    conn.do("select", 3)
    assert events(*command, kind="flush") == [f"flush start db {database} sync {sync} v1",
                                              f"flush end db {database} sync {sync} v1"]


def test_a_subscription_ends(conn, events):
    assert conn.do("events.flushes", "off") == 0
    assert events("flushdb") == []
    assert conn.do("events.flushes", "on") == 0
    assert len(events("flushdb", kind="flush")) == 2


def test_save(events):
    assert events("save", kind="persistence") == ["persistence sync-rdb-start", "persistence ended"]


def test_background_save(conn, server):
    conn.do("events.lines")
    conn.do("bgsave")
    seen = []
    wait_until(lambda: seen.extend(conn.do("events.lines")) or b"child died" in seen)
    # The persistence events come where the saving is done: in the child.
    assert seen == [b"child born", b"child died"]


def test_loading(conn, events):
    conn.do("set", "k", "v")
    seen = events("debug", "reload", kind="loading")
    assert seen == ["loading rdb-start", "loading ended"]


def test_loading_at_start(start_with):
    server = start_with(["server_events"])
    server.connect().do("save")
    server.restart()
    assert {b"loading rdb-start", b"loading ended"} <= set(server.connect().do("events.lines"))


def test_clients(server, conn, events):
    conn.do("events.lines")
    other = server.connect()
    number = other.do("client", "id")
    other.do("select", 5)
    other.close()
    seen = []
    wait_until(lambda: seen.extend(conn.do("events.lines")) or len(seen) >= 2)
    assert seen == [b"client connected %d db 0 unix 1 v1" % number, b"client disconnected %d db 5 unix 1 v1" % number]
    other = server.connect(tcp=True)
    number = other.do("client", "id")
    assert b"client connected %d db 0 unix 0 v1" % number in conn.do("events.lines")


def test_modules(conn, events, module_path):
    assert events("module", "load", module_path("dict")) == ["module loaded dict 1"]
    assert events("module", "unload", "dict") == ["module unloaded dict 1"]


def test_swap(events):
    assert events("swapdb", 1, 4) == ["swap 1 4"]


def test_settings(conn, events):
    assert events("config", "set", "set-max-intset-entries", 500) == ["config set-max-intset-entries"]
    assert set(events("config", "set", "set-max-intset-entries", 512, "hash-max-listpack-entries", 100)) == {
        "config set-max-intset-entries", "config hash-max-listpack-entries"}
    conn.do("config", "set", "hash-max-listpack-entries", 128)
    assert events("config", "set", "nosuch", 1) == []
    assert events("config", "set", "set-max-intset-entries", "x") == []


@pytest.mark.since("7.2")
@pytest.mark.parametrize("number", ["41", "41 and text"])
@pytest.mark.parametrize("name", ["plain", "meddle:dma", "meddle:set", "meddle:del"])
@pytest.mark.parametrize("listen", ["", "KEA"])
def test_a_module_meddles_with_a_key_that_goes(conn, ours_only, name, number, listen):
    """The key goes all the same, and nothing else is harmed."""
    conn.do("config", "set", "notify-keyspace-events", listen)
    conn.do("set", "stays", "text")
    for end in (["del", name], ["unlink", name], ["set", name, "new"], ["rpush", "l", "x"], ["expire", name, -1],
                ["getdel", name], ["rename", "r", name], ["sunionstore", name, "s"]):
        conn.do("set", "r", "renamed")
        conn.do("sadd", "s", "a")
        conn.do("set", name, number)
        conn.do(*end)
        if end[0] == "rpush":
            # One that waits for keys listens, too.
            conn.do("set", name, number, "px", 1)
            time.sleep(0.005)
        assert conn.do("get" if end[0] != "sunionstore" else "smembers", name) == {
            "set": b"new", "rename": b"renamed", "sunionstore": [b"a"]}.get(end[0]), end
        conn.do("del", name)
        assert conn.do("exists", name) == 0
        conn.do("del", "r", "l", "s")
        assert conn.do("keys", "*") == [b"stays"] and conn.do("dbsize") == 1
    conn.do("config", "set", "notify-keyspace-events", "")


def test_keys(conn, events):
    conn.do("rpush", "l", "a", "b")
    assert events("del", "l", kind="key") == ["key deleted l length 2"]
    conn.do("set", "k", "abc")
    assert events("set", "k", "other", kind="key") == ["key overwritten k length 3"]
    conn.do("rpush", "l", "a")
    assert events("rename", "l", "k", kind="key")[-1:] in (["key deleted l length 1"], ["key overwritten k length 5"],
                                                          ["key deleted k length 5"])
    assert events("unlink", "k", kind="key") == ["key deleted k length 1"]
    conn.do("select", 3)
    conn.do("set", "k", "abc")
    assert events("del", "k", kind="key") == ["key deleted k length 3 in 3"]
    conn.do("select", 0)
    conn.do("debug", "set-active-expire", 0)
    conn.do("set", "k", "abc", "px", 1)
    time.sleep(0.01)
    assert events("get", "k", kind="key") == ["key expired k length 3"]
    conn.do("debug", "set-active-expire", 1)


def test_loops(conn, release):
    cron, loops = conn.do("events.loops")
    wait_until(lambda: conn.do("events.loops")[0] > cron)
    if release >= (7, 2):
        assert conn.do("events.loops")[1] > loops


def test_supported(conn):
    role, flush, persistence, config, none = 0, 2, 1, 16, 99
    # It never happens here; who waits for it misses nothing.
    assert conn.do("events.supported", role, 0) == 1
    assert conn.do("events.supported", role, 2) == 0
    assert conn.do("events.supported", flush, 1) == 1
    assert conn.do("events.supported", flush, 2) == 0
    assert conn.do("events.supported", persistence, 5) == 1
    assert conn.do("events.supported", config, 0) == 1
    assert conn.do("events.supported", none, 0) == 0


def test_shutdown(start_with):
    server = start_with(["server_events"])
    assert server.stop() == 0
    server.wait_for_log(r"<events> the shutdown event came")


def test_unload_ends_them(start_with):
    conn = start_with(["server_events"]).connect()
    assert conn.do("module", "unload", "events") == b"OK"
    conn.do("flushall")
    conn.do("save")
    assert conn.do("ping") == b"PONG"
