# SPDX-License-Identifier: BSD-3-Clause
"""Keyspace notifications: which come, own ones, jobs put off from a notification."""

import time

import pytest

from harness.server import wait_until

MODULES = ["notifications"]

GENERIC, STRING, LIST, SET, HASH, ZSET, EXPIRED, MISS, MODULE = (1 << bit for bit in (2, 3, 4, 5, 6, 7, 8, 11, 13))


@pytest.fixture
def events(conn):
    """events(command...) are the events that it causes."""
    def run(*command):
        conn.do("notifications.events")
        conn.call(*command)
        return [event.decode() for event in conn.do("notifications.events")]
    return run


@pytest.mark.parametrize("command, expected", [
    (["set", "k", "v"], [(STRING, "set", "k")]), (["append", "s", "v"], [(STRING, "append", "s")]),
    (["incr", "n"], [(STRING, "incrby", "n")]), (["del", "s"], [(GENERIC, "del", "s")]), (["del", "none"], []),
    (["rpush", "new", "a"], [(LIST, "rpush", "new")]), (["rpop", "l"], [(LIST, "rpop", "l"), (GENERIC, "del", "l")]),
    (["sadd", "t", "a"], [(SET, "sadd", "t")]), (["hset", "h", "a", 1], [(HASH, "hset", "h")]),
    (["zadd", "z", 1, "a"], [(ZSET, "zadd", "z")]), (["expire", "s", 100], [(GENERIC, "expire", "s")]),
    (["rename", "s", "r"], [(GENERIC, "rename_from", "s"), (GENERIC, "rename_to", "r")]),
    (["get", "none"], [(MISS, "keymiss", "none")]), (["get", "s"], []), (["set", "k", "v", "ex", 100],
     [(STRING, "set", "k"), (GENERIC, "expire", "k")]),
    (["mset", "a", 1, "b", 2], [(STRING, "set", "a"), (STRING, "set", "b")]), (["lpush", "s", "wrong type"], []),
])
def test_what_commands_cause(conn, events, command, expected):
    conn.do("set", "s", "v")
    conn.do("rpush", "l", "a")
    assert events(*command) == ["%d %s %s 0" % event for event in expected]


def test_the_database_is_told(conn, events):
    conn.do("select", 5)
    assert events("set", "k", "v") == [f"{STRING} set k 5"]


def test_they_do_not_need_the_setting(conn, events):
    assert conn.do("config", "get", "notify-keyspace-events")[1] == b""
    assert events("set", "k", "v") == [f"{STRING} set k 0"]


def test_expired_keys(conn):
    conn.do("debug", "set-active-expire", 0)
    conn.do("notifications.events")
    conn.do("set", "k", "v", "px", 1)
    time.sleep(0.01)
    assert conn.do("get", "k") is None
    conn.do("debug", "set-active-expire", 1)
    assert b"%d expired k 0" % EXPIRED in conn.do("notifications.events")
    conn.do("set", "k", "v", "px", 1)
    wait_until(lambda: conn.do("dbsize") == 0)
    assert b"%d expired k 0" % EXPIRED in conn.do("notifications.events")


def test_events_of_a_transaction(conn):
    conn.do("notifications.events")
    conn.do("multi")
    conn.pipeline([["set", "a", 1], ["rpush", "b", 1]])
    conn.do("exec")
    assert conn.do("notifications.events") == [b"%d set a 0" % STRING, b"%d rpush b 0" % LIST]


def test_own_events(conn, server, events):
    conn.do("config", "set", "notify-keyspace-events", "KEd")
    with server.connect() as listener:
        listener.do("psubscribe", "__key*__:*")
        assert events("notifications.notify", MODULE, "mine", "key") == [f"{MODULE} mine key 0"]
        messages = [[item[1] for item in listener.read()[1]][2:] for _ in range(2)]
        assert messages == [[b"__keyspace@0__:key", b"mine"], [b"__keyevent@0__:mine", b"key"]]
    conn.do("config", "set", "notify-keyspace-events", "")


@pytest.mark.parametrize("letters, mask", [("", 0), ("KE", 3), ("K$", 1 | STRING), ("KEg$lshzx", 511), ("Em", 2 | MISS)])
def test_the_servers_mask(conn, letters, mask):
    conn.do("config", "set", "notify-keyspace-events", letters)
    assert conn.do("notifications.mask") == mask
    conn.do("config", "set", "notify-keyspace-events", "")


def test_flags(conn):
    assert conn.do("notifications.flags") == 1


def test_keys_of_a_file(start_with):
    server = start_with(["notifications"])
    conn = server.connect()
    conn.do("mset", "a", 1, "b", 2, "c", 3)
    assert conn.do("notifications.loaded") == 0
    conn.do("save")
    server.restart()
    assert server.connect().do("notifications.loaded") == 3


@pytest.mark.since("7.2")
def test_jobs(conn):
    freed = conn.do("notifications.jobs")
    conn.do("set", "job:1", "x")
    assert conn.do("lrange", "jobs", 0, -1) == [b"job:1"]
    conn.do("multi")
    conn.pipeline([["set", "job:2", "x"], ["llen", "jobs"], ["set", "job:3", "x"]])
    assert conn.do("exec") == [b"OK", 1, b"OK"]  # Jobs run when the whole transaction has.
    assert conn.do("lrange", "jobs", 0, -1) == [b"job:1", b"job:2", b"job:3"]
    conn.do("mset", "job:4", "x", "job:5", "x")
    assert conn.do("lrange", "jobs", 3, -1) == [b"job:4", b"job:5"]
    assert conn.do("notifications.jobs") == freed + 5


def test_unload_ends_them(start_with):
    conn = start_with(["notifications"]).connect()
    conn.do("set", "k", "v")
    assert conn.do("module", "unload", "notifications") == b"OK"
    assert conn.do("set", "k", "v") == b"OK"


@pytest.mark.parametrize("command, expected", [
    (["rename", "s", "r"], ["new r 0", "rename_from s 0", "rename_to r 0"]),
    (["rename", "s", "l"], ["new l 0", "rename_from s 0", "rename_to l 0"]),
    (["renamenx", "s", "r"], ["new r 0", "rename_from s 0", "rename_to r 0"]),
    (["move", "s", 3], ["new s 3", "move_from s 0", "move_to s 3"]),
    (["copy", "s", "l", "replace"], ["new l 0", "copy_to l 0"]),
    (["set", "l", "x"], ["set l 0"]),
])
def test_keys_that_come_to_be(server, conn, command, expected):
    """A key under a new name is new, and so is one that took another's place."""
    conn.do("set", "s", "v")
    conn.do("rpush", "l", "a")
    conn.do("config", "set", "notify-keyspace-events", "EAn")
    listener = server.connect()
    listener.do("psubscribe", "__keyevent@*")
    conn.do(*command)
    events = []
    for _ in expected:
        channel, key = (text.decode() for _, text in listener.read()[1][2:])
        events.append(f"{channel.split(':')[1]} {key} {channel.split('@')[1].split('_')[0]}")
    conn.do("config", "set", "notify-keyspace-events", "")
    listener.close()
    assert events == expected
