# SPDX-License-Identifier: BSD-3-Clause
"""MIGRATE: what is sent, what is replied and what stays, compared with Debian's redis-server; and keys that go both ways."""

import os

import pytest

from harness.peer import CLOSE, ScriptedPeer
from harness.server import REDIS, Server

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

OK = b"+OK\r\n"


@pytest.fixture(scope="module")
def both():
    # Payloads of 7.0, so that bytes can be compared.
    with Server(binary=REDIS) as theirs, Server(["--rdb-version", 10]) as ours:
        yield theirs, ours


def to(port, *rest):
    return ("MIGRATE", "127.0.0.1", port, *rest)


# Name: what the other server answers, and the commands; PORT is its port. The last word of a timeout is short where nobody
# is to answer.
SCENARIOS = {
    "a key, twice, in another database": (
        [OK * 2, OK, OK * 2],
        [("SET", "k", "v"), to("PORT", "k", 0, 5000), ("SET", "k", "w"), to("PORT", "k", 0, 5000, "REPLACE"),
         ("SET", "k", "x"), to("PORT", "k", 1, 5000, "replace", "copy")]),
    "SELECT is refused": ([b"-ERR sel\r\n" + OK], [("SET", "k", "v"), to("PORT", "k", 9, 5000)]),
    "both are refused": ([b"-ERR sel\r\n-ERR res\r\n"], [("SET", "k", "v"), to("PORT", "k", 9, 5000)]),
    "RESTORE is refused, SELECT comes again": (
        [OK + b"-BUSYKEY bla\r\n", OK * 2], [("SET", "k", "v"), to("PORT", "k", 9, 5000), to("PORT", "k", 9, 5000)]),
    "a wrong password": (
        [b"-WRONGPASS x\r\n" + OK * 2, OK * 3],
        [("SET", "k", "v"), to("PORT", "k", 9, 5000, "AUTH", "p"), to("PORT", "k", 9, 5000, "AUTH", "p")]),
    "AUTH2, twice": (
        [OK * 3, OK * 2],
        [("SET", "k", "v"), to("PORT", "k", 9, 5000, "COPY", "AUTH2", "u", "p"), to("PORT", "k", 9, 5000, "auth2", "u", "p")]),
    "options twice": (
        [OK * 3], [("SET", "k", "v"), to("PORT", "k", 9, 5000, "COPY", "COPY", "AUTH", "a", "AUTH2", "u", "p", "AUTH", "x")]),
    "an old connection is closed": (
        [OK * 2, CLOSE, OK * 2], [("SET", "k", "v"), to("PORT", "k", 9, 5000, "COPY"), to("PORT", "k", 9, 5000)]),
    "a new connection is closed": ([CLOSE, OK * 2], [("SET", "k", "v"), to("PORT", "k", 9, 5000)]),
    "all are closed": ([CLOSE, CLOSE], [("SET", "k", "v"), to("PORT", "k", 9, 5000)]),
    "nobody answers": ([OK], [("SET", "k", "v"), to("PORT", "k", 9, 100), to("PORT", "k", 9, 100)]),
    "nobody answers the second time": ([OK * 2], [("SET", "k", "v"), to("PORT", "k", 9, 100, "COPY"), to("PORT", "k", 9, 100)]),
    "a timeout of 0 is a second": ([OK], [("SET", "k", "v"), to("PORT", "k", 9, 0)]),
    "a negative timeout": ([OK * 2], [("SET", "k", "v"), to("PORT", "k", 9, -5)]),
    "some keys are refused": (
        [OK * 2 + b"-ERR a\r\n" + OK + b"-ERR b\r\n"],
        [("MSET", "a", 1, "b", 2, "c", 3, "d", 4), to("PORT", "", 0, 5000, "KEYS", "a", "b", "c", "d")]),
    "a refusal, then silence": (
        [OK * 2 + b"-ERR a\r\n"],
        [("MSET", "a", 1, "b", 2, "c", 3), to("PORT", "", 0, 100, "KEYS", "a", "b", "c")]),
    "silence after some keys": (
        [OK * 2], [("MSET", "a", 1, "b", 2, "c", 3), to("PORT", "", 0, 100, "KEYS", "a", "b", "c")]),
    "some keys are not there": (
        [OK * 3], [("MSET", "a", 1, "b", 2), to("PORT", "", 0, 5000, "COPY", "KEYS", "x", "b", "y", "a")]),
    "a key twice": ([OK * 4], [("MSET", "a", 1, "b", 2), to("PORT", "", 0, 5000, "KEYS", "a", "a", "b")]),
    "a huge database": ([OK * 2], [("SET", "k", "v"), to("PORT", "k", 99999999999, 5000)]),
    "a password like an option": ([OK * 3], [("SET", "keys", "v"), to("PORT", "", 0, 5000, "AUTH", "KEYS", "KEYS", "keys")]),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_is_sent(both, scenario):
    answers, commands = SCENARIOS[scenario]
    results = []
    for server in both:
        with server.connect() as connection, ScriptedPeer(answers) as peer:
            connection.do("FLUSHALL")
            replies = [connection.call(*[peer.port if word == "PORT" else word for word in command]) for command in commands]
            left = sorted(connection.do("KEYS", "*"))
            # A connection that is closed is heard of later.
            results.append((replies, left, [event for event in peer.seen if event[0] != "closed"]))
    assert results[1] == results[0]


@pytest.mark.parametrize("command", [
    "MIGRATE", "MIGRATE h p k 0", "MIGRATE 127.0.0.1 1 nokey 0 100", "MIGRATE 127.0.0.1 1 k 0 abc", "MIGRATE 127.0.0.1 1 k abc 100",
    "MIGRATE 127.0.0.1 1 k 0x 1y", "MIGRATE 127.0.0.1 1 k 0x 100 FOO", "MIGRATE 127.0.0.1 1 k 0 100 AUTH",
    "MIGRATE 127.0.0.1 1 k 0 100 AUTH2 a", "MIGRATE 127.0.0.1 1 k 0 100 KEYS a", "MIGRATE 127.0.0.1 1 k 0x 100 KEYS a",
    "MIGRATE 127.0.0.1 1 k 0 100 COPY COPY KEYS", "MIGRATE 127.0.0.1 1 k 0 100", "MIGRATE 127.0.0.1 xyz k 0 100",
    "MIGRATE nohost.invalid 1 k 0 100", "COMMAND GETKEYS MIGRATE h p k 0 100", "COMMAND GETKEYS MIGRATE h p k 0 100 KEYS a"])
def test_errors(both, command):
    replies = []
    for server in both:
        with server.connect() as connection:
            connection.do("SET", "k", "v")
            replies.append(connection.call(*command.split()))
    assert replies[1] == replies[0]


def test_keys_option_without_keys(both):
    for server in both:
        with server.connect() as connection:
            assert connection.call("MIGRATE", "127.0.0.1", 1, "", 0, 100, "KEYS") == (b"+", b"NOKEY")


@pytest.mark.parametrize("rest", [
    ["", 0, 5, "KEYS", "a", "b"], ["", 0, 5], ["", 0, 5, "AUTH", "KEYS", "KEYS", "a"], ["", 0, 5, "AUTH2", "KEYS", "KEYS", "KEYS", "a"],
    ["", 0, 5, "COPY", "foo", "KEYS", "KEYS", "a"], ["", 0, 5, "AUTH"], ["", 0, 5, "KEYS"], ["k", 0, 5, "KEYS"],
    ["k", 0, 5, "AUTH", "KEYS"]])
def test_which_arguments_are_keys(both, rest):
    for question in ("GETKEYS", "GETKEYSANDFLAGS"):
        replies = []
        for server in both:
            with server.connect() as connection:
                replies.append(connection.call("COMMAND", question, "MIGRATE", "h", "p", *rest))
        assert replies[1] == replies[0]


def test_both_ways(both):
    theirs, ours = both
    for source, target in ((ours, theirs), (theirs, ours)):
        with source.connect() as here, target.connect() as there:
            for connection in (here, there):
                connection.do("FLUSHALL")
            here.do("SET", "text", "x" * 100_000)
            here.do("RPUSH", "list", *range(2000))
            here.do("HSET", "hash", *range(2000))
            here.do("ZADD", "zset", *range(2000))
            here.do("XADD", "stream", "1-1", "a", "b")
            here.do("SADD", "set", *range(2000))
            here.do("SET", "short", "v", "PX", 1_000_000)
            keys = sorted(here.do("KEYS", "*"))
            dumps = {key: here.do("DUMP", key) for key in keys}
            assert here.call("MIGRATE", "127.0.0.1", target.port, "", 0, 20000, "KEYS", *keys) == (b"+", b"OK")
            assert here.do("DBSIZE") == 0
            assert sorted(there.do("KEYS", "*")) == keys
            assert there.do("LLEN", "list") == 2000 and there.do("STRLEN", "text") == 100_000
            assert there.do("ZSCORE", "zset", "1") == b"0" and there.do("HGET", "hash", "0") == b"1"
            assert 0 < there.do("PTTL", "short") <= 1_000_000 and there.do("TTL", "text") == -1
            there.do("SELECT", 1)
            for key in keys:
                there.do("RESTORE", key, 0, dumps[key])
            there.do("SELECT", 0)
            # Without REPLACE the second time is refused, and nothing is lost.
            here.do("SET", "short", "w")
            assert here.call("MIGRATE", "127.0.0.1", target.port, "short", 0, 20000) == (
                b"-", b"ERR Target instance replied with error: BUSYKEY Target key name already exists.")
            assert here.do("GET", "short") == b"w"
