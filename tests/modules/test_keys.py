# SPDX-License-Identifier: BSD-3-Clause
"""Keys: opening, kinds and lengths, deleting, times to live, databases, age."""

import time

import pytest

from harness.server import wait_until

MODULES = ["keys"]

FILL = [
    (["set", "k", "12345"], b"string", 5), (["set", "k", 12], b"string", 2), (["rpush", "k", "a", "b"], b"list", 2),
    (["sadd", "k", "a", "b", "c"], b"set", 3), (["sadd", "k", 1, 2], b"set", 2),
    (["zadd", "k", 1, "a", 2, "b"], b"zset", 2), (["hset", "k", "f", "v"], b"hash", 1),
]


@pytest.mark.parametrize("mode", ["r", "w", "rw"])
@pytest.mark.parametrize("fill, kind, length", FILL)
def test_kind_and_length(conn, fill, kind, length, mode):
    conn.do("select", 2)
    conn.do(*fill)
    assert conn.do("keys.describe", "k", mode) == [kind, length, 1, 2]


def test_large_values(conn):
    conn.do("rpush", "l", *range(5000))
    conn.do("sadd", "s", *(f"m{number}" for number in range(5000)))
    conn.do("zadd", "z", *(word for number in range(5000) for word in (number, f"m{number}")))
    conn.do("hset", "h", *(f"f{number}" for number in range(5000)))
    conn.do("set", "t", "x" * 100000)
    for key, kind, length in (("l", b"list", 5000), ("s", b"set", 5000), ("z", b"zset", 5000), ("h", b"hash", 2500),
                              ("t", b"string", 100000)):
        assert conn.do("keys.describe", key, "r")[:2] == [kind, length]


def test_a_key_that_is_not_there(conn):
    assert conn.do("keys.describe", "none", "r") == [b"empty", 0]
    assert conn.do("keys.describe", "none", "w") == [b"empty", 0, 1, 0]
    assert conn.do("keys.describe", "none", "rw") == [b"empty", 0, 1, 0]
    assert conn.do("exists", "none") == 0


@pytest.mark.parametrize("how", [[], ["unlink"]])
@pytest.mark.parametrize("fill, kind, length", FILL)
def test_delete(conn, fill, kind, length, how):
    conn.do(*fill)
    assert conn.do("keys.delete", "k", "r", *how) == [1, kind]
    assert conn.do("exists", "k") == 1
    assert conn.do("keys.delete", "k", "rw", *how) == [0, b"empty"]
    assert conn.do("exists", "k") == 0
    assert conn.do("keys.delete", "none", "w", *how) == [0, b"empty"]


def test_delete_and_set_anew(conn):
    conn.do("set", "k", "x", "ex", 100)
    assert conn.do("keys.recreate", "k", "element") == b"OK"
    assert conn.do("lrange", "k", 0, -1) == [b"element"]
    assert conn.do("ttl", "k") == -1


def test_watched_keys_notice(conn, server):
    for command in (["keys.delete", "k", "w"], ["keys.recreate", "k", "x"]):
        conn.do("set", "k", "x")
        conn.do("watch", "k")
        server.connect().do(*command)
        conn.do("multi")
        conn.do("ping")
        assert conn.do("exec") is None
        conn.do("del", "k")


def test_expire(conn):
    conn.do("set", "k", "x")
    assert conn.do("keys.expires", "k") == [-1, -1]
    assert conn.do("keys.expire", "k", "rw", "rel", 100000) == 0
    assert 0 < conn.do("pttl", "k") <= 100000
    left, at = conn.do("keys.expires", "k")
    assert 0 < left <= 100000 and at == conn.do("pexpiretime", "k")
    when = int(time.time() * 1000) + 500000
    assert conn.do("keys.expire", "k", "rw", "abs", when) == 0
    assert conn.do("keys.expires", "k")[1] == conn.do("pexpiretime", "k") == when
    for kind in ("rel", "abs"):
        conn.do("expire", "k", 100)
        assert conn.do("keys.expire", "k", "rw", kind, -1) == 0
        assert conn.do("ttl", "k") == -1
    assert conn.do("keys.expires", "none") == [-1, -1]


def test_expire_of_a_wrong_handle(conn):
    assert conn.do("keys.expire", "none", "rw", "rel", 1000) == 1
    assert conn.do("keys.expire", "none", "rw", "abs", 2**50) == 1
    conn.do("set", "k", "x")
    assert conn.do("keys.expire", "k", "r", "rel", 1000) == 1
    assert conn.do("keys.expire", "k", "r", "abs", 2**50) == 1
    assert conn.do("ttl", "k") == -1


def test_an_expired_key_is_not_there(conn):
    conn.do("debug", "set-active-expire", 0)
    try:
        conn.do("set", "k", "x", "px", 1)
        time.sleep(0.01)
        assert conn.do("keys.exists", "k") == 0
        assert conn.do("keys.describe", "k", "r") == [b"empty", 0]
        conn.do("set", "k", "x", "px", 1)
        time.sleep(0.01)
        assert conn.do("keys.describe", "k", "rw") == [b"empty", 0, 1, 0]
        assert conn.do("dbsize") == 0
    finally:
        conn.do("debug", "set-active-expire", 1)


def test_exists(conn):
    assert conn.do("keys.exists", "k") == 0
    conn.do("set", "k", "x")
    assert conn.do("keys.exists", "k") == 1


def test_databases(conn):
    conn.do("set", "a", 1)
    conn.do("select", 3)
    conn.do("mset", "a", 1, "b", 1)
    assert conn.do("keys.size", 0) == [0, 1, 0]
    assert conn.do("dbsize") == 1  # A SelectDb of the handler selects for its client.
    assert conn.do("keys.size", 3) == [0, 2, 3]
    assert conn.do("keys.size", 99) == [1, 2, 3]
    assert conn.do("keys.size", -1) == [1, 2, 3]


def test_random_key(conn):
    assert conn.do("keys.random") is None
    conn.do("mset", "a", 1, "b", 1, "c", 1)
    assert {conn.do("keys.random") for _ in range(200)} == {b"a", b"b", b"c"}


@pytest.mark.parametrize("background", [0, 1])
def test_reset_dataset(conn, background):
    conn.do("mset", "a", 1, "b", 1)
    assert conn.do("keys.reset", background) == b"OK"
    assert conn.do("dbsize") == 0


def test_age_and_frequency(conn, option):
    option(conn, "maxmemory-policy")
    conn.do("config", "set", "maxmemory-policy", "allkeys-lru")
    conn.do("set", "k", "x")
    assert conn.do("keys.idle", "k") < 60000
    assert conn.do("keys.idle", "k", 100000) == 1
    assert conn.do("keys.idle", "k") >= 100000
    assert conn.do("object", "idletime", "k") >= 100
    assert conn.do("keys.frequency", "k") == -1
    assert conn.do("keys.frequency", "k", 5) == 0
    conn.do("config", "set", "maxmemory-policy", "allkeys-lfu")
    conn.do("set", "f", "x")
    assert conn.do("keys.frequency", "f") >= 1
    assert conn.do("keys.frequency", "f", 100) == 1
    assert conn.do("keys.frequency", "f") == conn.do("object", "freq", "f") == 100
    assert conn.do("keys.idle", "f") == -1
    assert conn.do("keys.idle", "f", 5) == 0
    conn.do("config", "set", "maxmemory-policy", "noeviction")


def test_automatic_memory(conn):
    conn.do("mset", "a", 1, "b", 1)
    assert conn.do("keys.auto", "a", "b", "none", "a") == 3


@pytest.mark.since("7.2")
def test_modes(conn):
    assert conn.do("keys.modes") == 1


NOTOUCH, NONOTIFY, NOSTATS, NOEXPIRE, NOEFFECTS = (1 << bit for bit in range(16, 21))


def hits_and_misses(conn):
    stats = conn.do("info", "stats")
    return tuple(int(stats.split(name)[1].split()[0]) for name in (b"keyspace_hits:", b"keyspace_misses:"))


@pytest.mark.since("7.2")
def test_opening_without_effects(conn):
    conn.do("set", "k", "x")
    for flag in (NOSTATS, NOEFFECTS):
        before = hits_and_misses(conn)
        assert conn.do("keys.touch", "k", flag) == 1
        assert conn.do("keys.touch", "none", flag) == 0
        assert hits_and_misses(conn) == before
    hits, misses = hits_and_misses(conn)
    conn.do("keys.touch", "k", 0)
    conn.do("keys.touch", "none", 0)
    assert hits_and_misses(conn) == (hits + 1, misses + 1)


@pytest.mark.since("7.2")
def test_an_expired_key_that_nobody_may_notice(conn, server):
    """It is not there, and stays; who opens it as usual removes it."""
    def expired():
        return int(conn.do("info", "stats").split(b"expired_keys:")[1].split()[0])

    conn.do("debug", "set-active-expire", 0)
    try:
        for flag in (NOEXPIRE, NOEFFECTS):
            before = expired()
            conn.do("set", "k", "x", "px", 1)
            wait_until(lambda: conn.do("keys.touch", "k", flag) == 0)
            assert (expired(), conn.do("dbsize")) == (before, 1)
            assert conn.do("keys.touch", "k", 0) == 0
            assert (expired(), conn.do("dbsize")) == (before + 1, 0)
    finally:
        conn.do("debug", "set-active-expire", 1)
