# SPDX-License-Identifier: BSD-3-Clause
"""RedisModule_Call: formats, flags, error paths with their errno, and replies of every type."""

import pytest

from harness.resp import ReplyError, plain
from harness.server import Server, not_yet, wait_until

MODULES = ["calls"]


def test_argument_formats(conn):
    assert conn.do("calls.formats", "k") == [b"c string", b"b\0uffer", b"-42", b"v1", b"v2", b"v1", b"v2", b"", b"last"]


@pytest.mark.parametrize("command", [
    ["set", "k", "v"], ["get", "k"], ["get", "none"], ["lrange", "none", 0, -1], ["incr", "number"], ["ping"], ["ping", "x"],
    ["echo", b"\0\r\n"], ["hgetall", "none"], ["mget", "k", "none", "k"], ["lpush", "k", "x"], ["config", "get", "port"],
    ["object", "encoding", "k"], ["exists", "k", "none"], ["scan", 0], ["command", "info", "get", "nosuch"],
])
def test_replies_pass_through(conn, command):
    conn.do("set", "k", "value")
    conn.do("set", "number", 1)
    conn.do("set", "number", 1)
    direct = conn.raw(*command)
    conn.do("set", "k", "value")
    conn.do("set", "number", 1)
    assert conn.raw("calls.call", "-", *command) == direct
    conn.do("set", "k", "value")
    conn.do("set", "number", 1)
    assert conn.raw("calls.call", "0", *command) == direct
    assert conn.do("calls.proto", "-", "echo", "abc") == b"$3\r\nabc\r\n"


RESP3 = [
    (["hset", "h", "a", "1"], ["hgetall", "h"], b"%1\r\n$1\r\na\r\n$1\r\n1\r\n", [b"map", [b"string", b"a"], [b"string", b"1"]]),
    (["sadd", "s", "a"], ["smembers", "s"], b"~1\r\n$1\r\na\r\n", [b"set", [b"string", b"a"]]),
    (["zadd", "z", "1.5", "a"], ["zscore", "z", "a"], b",1.5\r\n", [b"double", b"1.5"]),
    (["zadd", "z", "1.5", "a"], ["zrange", "z", 0, -1, "withscores"], b"*1\r\n*2\r\n$1\r\na\r\n,1.5\r\n",
     [b"array", [b"array", [b"string", b"a"], [b"double", b"1.5"]]]),
    (["ping"], ["get", "none"], b"_\r\n", [b"null"]),
    (["set", "k", "v"], ["get", "k"], b"$1\r\nv\r\n", [b"string", b"v"]),
    (["ping"], ["exists", "k"], b":0\r\n", [b"integer", 0]),
    (["ping"], ["ping"], b"+PONG\r\n", [b"string", b"PONG"]),
    (["ping"], ["debug", "protocol", "true"], b"#t\r\n", [b"bool", 1]),
    (["ping"], ["debug", "protocol", "bignum"], b"(1234567999999999999999999999999999999\r\n",
     [b"bignumber", b"1234567999999999999999999999999999999"]),
    (["ping"], ["debug", "protocol", "verbatim"], b"=29\r\ntxt:This is a verbatim\nstring\r\n",
     [b"verbatim", b"This is a verbatim\nstring", b"txt"]),
]


@pytest.mark.parametrize("before, command, proto, described", RESP3, ids=[" ".join(map(str, row[1])) for row in RESP3])
def test_replies_in_resp3(conn, conn3, before, command, proto, described):
    conn.do(*before)
    assert conn.do("calls.proto", "3", *command) == proto
    assert conn.do("calls.describe", "3", *command) == described
    assert conn3.raw("calls.call", "3", *command) == proto
    # "0": as the client speaks.
    assert conn3.do("calls.proto", "0", *command) == proto
    assert conn.do("calls.proto", "0", *command) == conn.do("calls.proto", "-", *command)
    # Without a letter it is RESP2, whatever the client speaks.
    assert conn3.do("calls.proto", "-", *command) == conn.do("calls.proto", "-", *command)


@pytest.mark.parametrize("command, described", [
    (["get", "none"], [b"null"]), (["hgetall", "h"], [b"array", [b"string", b"a"], [b"string", b"1"]]),
    (["incr", "n"], [b"integer", 1]), (["nosuch"], b"ENOENT"), (["incr", "h"],
     [b"error", b"WRONGTYPE Operation against a key holding the wrong kind of value"]),
    (["hset", "h"], b"EINVAL"), (["lrange", "none", 0, -1], [b"array"]),
])
def test_replies_in_resp2(conn, command, described):
    conn.do("hset", "h", "a", "1")
    assert conn.do("calls.describe", "-", *command) == described


def test_accessors_of_the_wrong_type(conn):
    conn.do("rpush", "k", "a", "b")
    assert conn.do("calls.misuse", "k") == [1] * 13


def test_strings_outlive_the_reply(conn):
    conn.do("rpush", "k", "a", "", b"\0", "x" * 5000)
    assert conn.do("calls.strings", "k") == [b"a", b"", b"\0", b"x" * 5000, b"4"]


def test_errors(conn):
    assert conn.do("calls.badformat") == b"EBADF"
    assert conn.do("calls.call", "-", "nosuch") == b"ENOENT"
    assert conn.do("calls.call", "-", "config", "nosuch") == b"ENOENT"
    assert conn.do("calls.call", "-", "get") == b"EINVAL"
    assert conn.do("calls.call", "-", "get", "a", "b") == b"EINVAL"
    # "E": errors as replies.
    assert conn.error("calls.call", "E", "nosuch", "a").startswith("ERR unknown command 'nosuch'")
    assert conn.error("calls.call", "E", "get") == "ERR wrong number of arguments for 'get' command"
    # An error of the command itself is a reply in any case.
    conn.do("rpush", "l", "a")
    assert conn.error("calls.call", "-", "get", "l").startswith("WRONGTYPE ")


def test_an_error_counts_when_it_is_passed_on(conn):
    conn.do("rpush", "list", "a")
    conn.do("config", "resetstat")
    assert conn.error("calls.call", "-", "hgetall", "list").startswith("WRONGTYPE ")
    assert b"errorstat_WRONGTYPE:count=1\r" in conn.do("info", "errorstats")
    stats = conn.do("info", "commandstats").decode()
    assert "failed_calls=1" in next(line for line in stats.splitlines() if line.startswith("cmdstat_hgetall:"))


def test_no_writes(conn):
    assert conn.do("calls.call", "W", "set", "k", "v") == b"ENOSPC"
    assert conn.error("calls.call", "WE", "set", "k", "v") == (
        "ERR Write command 'set' was called while write is not allowed.")
    assert conn.do("calls.call", "W", "get", "k") is None
    assert conn.do("exists", "k") == 0


def test_script_mode_without_the_replicas_that_writes_want(conn, ours_only):
    conn.do("config", "set", "min-replicas-to-write", 1)
    assert conn.error("calls.call", "SE", "set", "k", "v").startswith("NOREPLICAS ")
    assert conn.do("calls.call", "-", "set", "k", "v") == b"OK"
    conn.do("config", "set", "min-replicas-to-write", 0)
    assert conn.do("calls.call", "SE", "set", "k", "v") == b"OK"


def test_scripts_without_memory(conn, ours_only):
    """Only who asks by M is refused."""
    conn.do("config", "set", "maxmemory", 1)
    write = "redis.call('set', KEYS[1], 'v') return 1"
    try:
        assert conn.do("calls.call", "E", "eval", write, 1, "k") == 1
        assert conn.do("calls.call", "E", "eval", "#!lua\n" + write, 1, "k") == 1
        assert conn.error("calls.call", "ME", "eval", write, 1, "k").startswith("OOM ")
        assert conn.error("calls.call", "ME", "eval", "#!lua\nreturn 1", 0).startswith("OOM ")
        assert conn.do("calls.call", "ME", "eval", "#!lua flags=allow-oom\n" + write, 1, "k") == 1
    finally:
        conn.do("config", "set", "maxmemory", 0)


def test_script_mode(conn):
    assert conn.do("calls.call", "S", "set", "k", "v") == b"OK"
    assert conn.do("calls.call", "S", "subscribe", "channel") == b"ESPIPE"
    assert "subscribe" in conn.error("calls.call", "SE", "subscribe", "channel")
    assert conn.do("calls.call", "S", "get", "k") == b"v"


def test_out_of_memory(conn, option):
    option(conn, "maxmemory")
    conn.do("set", "x", "1")
    conn.do("config", "set", "maxmemory", 1)
    try:
        assert conn.do("calls.call", "-", "set", "x", "2") == b"OK"
        assert conn.do("calls.call", "M", "set", "x", "3") == b"ENOSPC"
        assert conn.error("calls.call", "ME", "set", "x", "3") == (
            "OOM command not allowed when used memory > 'maxmemory'.")
        assert conn.do("calls.call", "M", "get", "x") == b"2"
    finally:
        conn.do("config", "set", "maxmemory", 0)
    assert conn.do("calls.call", "M", "set", "x", "4") == b"OK"


@not_yet("what flag D replies for an unknown command is not settled")
@pytest.mark.since("7.2")
def test_check_only(conn):
    conn.do("set", "x", "1")
    assert conn.do("calls.call", "D", "set", "x", "2") == b"0"
    assert conn.do("calls.call", "DWE", "get", "x") == b"0"
    assert conn.do("calls.call", "D", "nosuch") == b"ENOENT"
    assert conn.do("calls.call", "D", "get") == b"EINVAL"
    assert conn.do("calls.call", "DW", "set", "x", "2") == b"ENOSPC"
    assert conn.error("calls.call", "DEW", "set", "x", "2").startswith("ERR Write command")
    assert conn.do("get", "x") == b"1"


def test_as_the_user(conn, server):
    if conn.raw("acl", "whoami")[:1] == b"-":
        pytest.skip("the server has no ACL")
    conn.do("acl", "setuser", "limited", "on", ">secret", "~a*", "+@all", "-set")
    limited = server.connect()
    limited.do("auth", "limited", "secret")
    assert limited.do("calls.call", "-", "set", "b", "1") == b"OK"
    assert limited.do("calls.call", "C", "set", "a", "1") == b"EACCES"
    assert limited.do("calls.call", "C", "get", "b") == b"EACCES"
    assert limited.do("calls.call", "C", "get", "a") is None
    # Redis 7.0 has a text of its own for it.
    assert limited.error("calls.call", "CE", "get", "b").startswith(("NOPERM ", "ERR acl verification failed"))
    conn.do("acl", "deluser", "limited")


def test_modules_call_modules(conn):
    assert conn.do("calls.call", "-", "calls.call", "-", "calls.describe", "-", "echo", "x") == [b"string", b"x"]
    assert conn.do("calls.call", "-", "calls.formats", "k")[0] == b"c string"


def test_the_selected_database_is_the_clients(conn):
    conn.do("select", 4)
    conn.do("calls.call", "-", "set", "k", "four")
    assert conn.do("get", "k") == b"four"
    # A SELECT of the call's own client stays with it.
    conn.do("calls.call", "-", "select", 5)
    assert conn.do("get", "k") == b"four"


def test_many_calls(conn):
    assert conn.do("calls.many", 5000, "k") == 5100


def test_large_arguments_and_replies(conn):
    value = b"v" * (1 << 20)
    assert conn.do("calls.call", "-", "set", "k", value) == b"OK"
    assert conn.do("calls.call", "-", "get", "k") == value
    conn.do("rpush", "l", *range(20000))
    assert len(conn.do("calls.call", "-", "lrange", "l", 0, -1)) == 20000
    assert len(conn.do("calls.strings", "l")) == 20001


def test_in_a_transaction(conn):
    conn.do("multi")
    conn.pipeline([["calls.call", "-", "set", "k", "1"], ["calls.call", "-", "incr", "k"], ["calls.call", "-", "nosuch"]])
    assert conn.do("exec") == [b"OK", 2, b"ENOENT"]


def waiting_clients(conn):
    return int(dict(line.split(b":") for line in conn.do("info", "clients").split(b"\r\n") if b":" in line)[b"blocked_clients"])


def until_waits(conn, count):
    wait_until(lambda: waiting_clients(conn) == count, what=f"{count} clients that wait")


@pytest.mark.parametrize("command, feed, reply", [
    (["blpop", "l", 0], ["rpush", "l", "a"], [b"l", b"a"]),
    (["blmove", "l", "m", "left", "left", 0], ["rpush", "l", "a"], b"a"),
    (["bzpopmin", "z", 0], ["zadd", "z", 10, "a"], [b"z", b"a", b"10"]),
    (["xread", "block", 0, "streams", "x", "$"], ["xadd", "x", "1-1", "f", "v"], [[b"x", [[b"1-1", [b"f", b"v"]]]]]),
    (["calls.wait", "!", "blpop", "l", 0], ["rpush", "l", "a"], [b"l", b"a"]),
], ids=["blpop", "blmove", "bzpopmin", "xread", "nested"])
def test_a_call_that_waits(conn, server, command, feed, reply):
    client = server.connect()
    client.send("calls.wait", "!", *command)
    until_waits(conn, 1)
    conn.do(*feed)
    assert plain(client.read()) == reply
    # The handler has run once for each call that waited.
    assert conn.do("get", "ended") == str(command.count("calls.wait") + 1).encode()
    until_waits(conn, 0)


def test_a_call_that_need_not_wait(conn):
    conn.do("rpush", "l", "a")
    assert conn.do("calls.wait", "!", "blpop", "l", 0) == [b"l", b"a"]
    assert conn.do("calls.wait", "!", "ping") == b"PONG"
    assert conn.do("get", "ended") is None


def test_a_call_that_waits_is_served_without_its_promise(conn):
    assert conn.do("calls.wait", "-", "blpop", "l", 0) == b"promise"
    conn.do("rpush", "l", "a", "b")
    assert conn.do("lrange", "l", 0, -1) == [b"b"]


def test_a_call_that_waits_goes_with_its_client(conn, server):
    client = server.connect()
    client.send("calls.wait", "!", "blpop", "l", 0)
    until_waits(conn, 1)
    client.close()
    until_waits(conn, 0)
    conn.do("rpush", "l", "a")
    assert conn.do("lrange", "l", 0, -1) == [b"a"]


def test_nothing_waits_in_a_transaction_or_script(conn):
    conn.do("multi")
    conn.do("calls.wait", "!", "blpop", "l", 0)
    assert conn.do("exec") == [None]
    assert conn.do("eval", "return redis.call('calls.wait', '!', 'blpop', 'l', 0)", 0) is None


def test_calls_that_wait_go_with_their_module(module_path):
    with Server(["--loadmodule", module_path("calls")]) as server, server.connect() as conn:
        assert conn.do("calls.wait", "-", "blpop", "l", 0) == b"promise"
        assert conn.do("calls.wait", "h", "blpop", "l", 0) == b"promise"
        conn.do("module", "unload", "calls")
        conn.do("rpush", "l", "a")
        assert conn.do("lrange", "l", 0, -1) == [b"a"]


@pytest.mark.parametrize("command", ["subscribe", "psubscribe", "ssubscribe"])
def test_no_subscriptions_by_calls(conn, command):
    with pytest.raises(ReplyError, match=f"ERR {command.upper()} isn't allowed for a DENY BLOCKING client"):
        conn.do("calls.call", "E", command, "channel")
