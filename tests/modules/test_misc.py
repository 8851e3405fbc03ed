# SPDX-License-Identifier: BSD-3-Clause
"""Log, random numbers, clocks, memory, context flags, clients, publishing, and MODULE itself."""

import re
import time

import pytest

from harness.resp import ReplyError

MODULES = ["misc"]


@pytest.mark.parametrize("level, mark", [("notice", r"\*"), ("warning", "#"), ("nosuch", "-")])
def test_log(conn, server, level, mark):
    conn.do("config", "set", "loglevel", "debug")
    conn.do("misc.log", level, f"logged {level}")
    server.wait_for_log(rf"^\d+:M .* {mark} <misc> logged {level} and 42$")
    server.wait_for_log(rf" {mark} <module> without context: logged {level}$")


def test_log_below_the_level(conn, server):
    conn.do("config", "set", "loglevel", "notice")
    conn.do("misc.log", "debug", "never seen")
    conn.do("misc.log", "notice", "after it")
    server.wait_for_log("after it and 42")
    assert "never seen" not in server.log()


def test_random(conn):
    seen = set()
    for count in (16, 16, 16, 5000):
        data, digits = conn.do("misc.random", count)
        assert len(data) == count and re.fullmatch(b"[0-9a-f]{%d}" % count, digits)
        seen |= {data, digits}
    assert len(seen) == 8


def test_clocks(conn, release):
    before = time.time()
    first = conn.do("misc.clocks")
    second = conn.do("misc.clocks")
    after = time.time()
    assert before * 1000 - 1 <= first[0] <= second[0] <= after * 1000 + 1
    assert first[1] <= second[1]
    if release >= (7, 2):
        assert before * 1e6 - 1000 <= first[2] <= second[2] <= after * 1e6 + 1000
        assert before * 1e6 - 1e6 <= first[3] <= after * 1e6 + 1000


def test_memory(conn):
    assert conn.do("misc.memory") == [1] * 11


def test_memory_ratio(conn, option):
    assert float(conn.do("misc.ratio")) == 0
    option(conn, "maxmemory")
    conn.do("config", "set", "maxmemory", "1000mb")
    ratio = float(conn.do("misc.ratio"))
    conn.do("config", "set", "maxmemory", 0)
    assert 0 < ratio < 1


def test_context_flags(conn, conn3, option):
    assert conn.do("misc.flags") == [b"master"]
    assert conn3.do("misc.flags") == [b"master", b"resp3"]
    conn.do("multi")
    conn.do("misc.flags")
    assert {b"master", b"multi", b"denyblocking"} == set(conn.do("exec")[0])
    conn.do("config", "set", "save", "900 1")
    assert b"rdb" in conn.do("misc.flags")
    assert b"lua" in conn.do("eval", "return redis.call('misc.flags')", 0)
    assert b"lua" not in conn.do("misc.flags")
    conn.do("multi")
    conn.do("misc.flags")
    assert b"multi" in conn.do("exec")[0]
    conn.do("config", "set", "save", "")
    option(conn, "maxmemory-policy")
    conn.do("config", "set", "maxmemory", 1, "maxmemory-policy", "allkeys-lru")
    flags = set(conn.do("misc.flags"))
    conn.do("config", "set", "maxmemory", 0, "maxmemory-policy", "noeviction")
    assert {b"maxmemory", b"evict"} <= flags


def test_what_the_host_knows(conn):
    flags, types, version = conn.do("misc.all")
    assert flags == types == 1
    text = conn.do("info", "server").split(b"redis_version:")[1].split()[0].decode()
    assert f"{version >> 16}.{version >> 8 & 255}.{version & 255}" == text


PUBSUB, TRACKING, UNIX, MULTI = 2, 8, 16, 32


def test_client(conn, server):
    conn.do("select", 9)
    number = conn.do("client", "id")
    version, found, flags, address, port, database = conn.do("misc.client")
    assert (version, found, flags, port, database) == (1, number, UNIX, 0, 9)
    with server.connect(tcp=True) as other:
        local = other.socket.getsockname()
        number = other.do("client", "id")
        assert other.do("misc.client") == [1, number, 0, b"127.0.0.1", local[1], 0]
        assert conn.do("misc.client", number) == [1, number, 0, b"127.0.0.1", local[1], 0]
        other.do("subscribe", "channel")
        assert conn.do("misc.client", number)[2] == PUBSUB
    conn.do("multi")
    conn.do("misc.client")
    assert conn.do("exec")[0][2] == UNIX | MULTI
    assert conn.do("misc.client", 123456789) is None


def test_a_client_without_tls_has_no_certificate(conn):
    assert conn.do("misc.certificate", conn.do("client", "id")) is None
    assert conn.do("misc.certificate", 123456789) is None


def test_client_name(conn):
    assert conn.call("misc.name")[0] == b"+"
    assert conn.do("misc.name", "worker-1") == b"worker-1"
    assert conn.do("client", "getname") == b"worker-1"
    assert conn.do("misc.name", "with space") == b"EINVAL"
    assert conn.do("misc.name") == b"worker-1"


def test_user(conn):
    assert conn.do("misc.user") == [b"default", b"default"]


def test_publish(conn, server):
    with server.connect() as listener:
        listener.do("subscribe", "channel")
        assert conn.do("misc.publish", "channel", b"mess\0age") == 1
        assert [item[1] for item in listener.read()[1]] == [b"message", b"channel", b"mess\0age"]
    assert conn.do("misc.publish", "nobody", "x") == 0


def test_signal_modified_key(conn, server):
    conn.do("watch", "k")
    server.connect().do("misc.signal", "k")
    conn.do("multi")
    conn.do("ping")
    assert conn.do("exec") is None


def test_latency(conn):
    if conn.raw("latency", "latest")[:1] == b"-":
        pytest.skip("the server has no LATENCY")
    conn.do("config", "set", "latency-monitor-threshold", 1)
    conn.do("misc.latency", 500)
    conn.do("misc.latency", 0)
    assert conn.do("latency", "latest")[0][0] == b"misc-event"
    conn.do("config", "set", "latency-monitor-threshold", 0)


# MODULE itself.


def listed(conn):
    return [dict(zip(row[::2], row[1::2])) for row in conn.do("module", "list")]


def test_list(conn, module_path):
    assert listed(conn) == [{b"name": b"misc", b"ver": 7, b"path": str(module_path("misc")).encode(), b"args": []}]


def test_list_in_resp3(conn3, module_path):
    assert conn3.do("module", "list") == [
        {b"name": b"misc", b"ver": 7, b"path": str(module_path("misc")).encode(), b"args": []}]


def test_load_and_unload_many_times(start_server, module_path):
    conn = start_server().connect()
    for _ in range(25):
        assert conn.do("module", "load", module_path("misc"), "an", "argument") == b"OK"
        assert listed(conn)[0][b"args"] == [b"an", b"argument"]
        assert conn.do("misc.user") == [b"default", b"default"]
        assert conn.do("module", "unload", "misc") == b"OK"
        assert listed(conn) == []
        assert conn.error("misc.user").startswith("ERR unknown command")


def test_several_modules(start_with):
    names = ["strings", "replies", "keys", "calls", "timers", "misc", "dict", "scan"]
    conn = start_with(names).connect()
    assert {row[b"name"] for row in listed(conn)} == {name.encode() for name in names}
    assert conn.do("calls.call", "-", "strings.compare", "a", "b") == -1
    for name in names:
        assert conn.do("module", "unload", name) == b"OK"
    assert listed(conn) == []


def test_wrong_loads(conn, tmp_path):
    text = tmp_path / "text.so"
    text.write_text("no library")
    for path in (text, tmp_path / "none.so", tmp_path):
        with pytest.raises(ReplyError, match="^ERR Error loading the extension. Please check the server logs. "):
            conn.do("module", "load", path)
    assert conn.error("module", "unload", "nosuch") == "ERR Error unloading module: no such module with that name"
    assert conn.error("module", "nosuch").startswith("ERR unknown subcommand")
    assert [row[b"name"] for row in listed(conn)] == [b"misc"]


def test_modules_may_be_forbidden(start_server, module_path):
    server = start_server("--enable-module-command", "no")
    conn = server.connect()
    for command in (["load", module_path("misc")], ["unload", "misc"]):
        assert conn.error("module", *command).startswith("ERR MODULE command not allowed")
    server = start_server("--enable-module-command", "local")
    assert server.connect().do("module", "load", module_path("misc")) == b"OK"


@pytest.mark.since("7.2")
def test_files_of_a_data_set(conn):
    conn.do("set", "k", "saved")
    assert conn.do("misc.rdb", "load", "own.rdb", 0) == b"ENOENT"
    assert conn.do("misc.rdb", "save", "own.rdb", 0) == b"OK"
    conn.do("set", "k", "other")
    conn.do("set", "more", "x")
    assert conn.do("misc.rdb", "load", "own.rdb", 0) == b"OK"
    assert conn.do("get", "k") == b"saved" and conn.do("exists", "more") == 0
    for words in (("save", "own.rdb", 1), ("load", "own.rdb", 188), ("save", "-", 0), ("load", "-", 0)):
        assert conn.do("misc.rdb", *words) == b"EINVAL"
