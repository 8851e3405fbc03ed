# SPDX-License-Identifier: BSD-3-Clause
"""maxmemory: what is evicted and what is refused under each policy."""

import re

import pytest

from harness.resp import ReplyError
from harness.server import is_sanitized, wait_until

MEGABYTE = 1 << 20
OOM = "OOM command not allowed when used memory > 'maxmemory'."


def field(conn, section, name):
    return int(re.search(rf"{name}:(\d+)", conn.do("INFO", section).decode()).group(1))


@pytest.fixture
def limited(start_server):
    """limited(policy, megabytes): a connection to a server whose data may take so much beyond what it takes when empty."""
    def make(policy, megabytes=4, *options):
        server = start_server("--maxmemory-policy", policy, *options)
        conn = server.connect()
        conn.server = server
        limit = field(conn, "memory", "used_memory") + megabytes * MEGABYTE
        conn.do("CONFIG", "SET", "maxmemory", limit)
        return conn
    return make


def fill(conn, count, prefix="k", ttl=None):
    """Sets keys of a kilobyte; returns how many were refused."""
    refused = 0
    for i in range(count):
        words = ["SET", f"{prefix}{i}", "x" * 1000] + (["EX", ttl] if ttl else [])
        try:
            conn.do(*words)
        except ReplyError as error:
            assert str(error) == OOM
            refused += 1
    return refused


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_all_keys(limited, policy):
    conn = limited(policy)
    assert fill(conn, 8000) == 0
    assert 1500 < conn.do("DBSIZE") < 4500
    evicted = field(conn, "stats", "evicted_keys")
    assert evicted + conn.do("DBSIZE") == 8000
    assert field(conn, "memory", "used_memory") < field(conn, "memory", "maxmemory") + MEGABYTE // 2
    conn.do("CONFIG", "RESETSTAT")
    assert field(conn, "stats", "evicted_keys") == 0


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"])
def test_only_keys_with_a_ttl(limited, policy):
    conn = limited(policy)
    assert fill(conn, 1000, "lasting") == 0
    assert fill(conn, 5000, "ttl", 10000) == 0
    assert len(conn.do("KEYS", "lasting*")) == 1000
    assert field(conn, "stats", "evicted_keys") > 1000
    # With nothing left that may go, commands that need memory are refused, and others are not.
    assert fill(conn, 8000, "more") > 1000
    assert conn.do("GET", "lasting7") == b"x" * 1000
    assert conn.do("DEL", "lasting7") == 1
    assert field(conn, "stats", "total_eviction_exceeded_time") >= field(conn, "stats", "current_eviction_exceeded_time")


def test_no_eviction(limited):
    conn = limited("noeviction")
    refused = fill(conn, 8000)
    assert refused > 1000 and conn.do("DBSIZE") == 8000 - refused
    for command in (("SET", "k", "v"), ("LPUSH", "l", "x"), ("SETRANGE", "s", 5, "x"), ("XADD", "x", "*", "a", "b")):
        with pytest.raises(ReplyError, match="OOM command not allowed"):
            conn.do(*command)
    assert field(conn, "stats", "evicted_keys") == 0
    assert conn.do("GET", "k1") == b"x" * 1000
    # A transaction that holds such a command is not run.
    conn.do("MULTI")
    with pytest.raises(ReplyError, match="OOM"):
        conn.do("SET", "k", "v")
    with pytest.raises(ReplyError, match="EXECABORT"):
        conn.do("EXEC")
    # Room that is made is there at once.
    conn.do("CONFIG", "SET", "maxmemory", 0)
    assert conn.do("SET", "k", "v") == b"OK"


def test_a_transaction_that_became_too_much(limited):
    conn = limited("noeviction")
    other = conn.server.connect()
    conn.do("MULTI")
    assert conn.do("SET", "k", "v") == b"QUEUED"
    fill(other, 8000)
    with pytest.raises(ReplyError, match="EXECABORT.*OOM|OOM"):
        conn.do("EXEC")
    assert other.do("EXISTS", "k") == 0


def test_scripts(limited):
    conn = limited("noeviction")
    fill(conn, 8000)
    assert conn.do("EVAL", "return redis.call('get', KEYS[1])", 1, "k1") == b"x" * 1000
    with pytest.raises(ReplyError, match="OOM command not allowed"):
        conn.do("EVAL", "return redis.call('set', KEYS[1], 'v')", 1, "k1")
    assert conn.do("EVAL", "redis.call('del', KEYS[1]) return redis.call('set', KEYS[1], 'v')", 1, "k1") == b"OK"
    assert conn.do("EVAL", "#!lua flags=allow-oom\nreturn redis.call('set', KEYS[1], 'w')", 1, "k1") == b"OK"


def test_evictions_are_told(limited):
    conn = limited("allkeys-random")
    conn.do("CONFIG", "SET", "notify-keyspace-events", "Ee")
    listener = conn.server.connect()
    listener.do("PSUBSCRIBE", "*")
    watcher = conn.server.connect()
    for i in range(3000):
        watcher.send("WATCH", f"k{i}")
        watcher.read()
    watcher.do("MULTI")
    fill(conn, 3000)
    before = field(conn, "stats", "evicted_keys")
    fill(conn, 3000, "more")
    count = field(conn, "stats", "evicted_keys")
    assert count > before
    for _ in range(count):
        kind, items = listener.read()
        assert items[2][1] == b"__keyevent@0__:evicted"
    assert watcher.do("EXEC") is None


@pytest.mark.parametrize("policy", ["allkeys-lru", "noeviction"])
def test_a_limit_below_what_is_there(start_server, policy):
    server = start_server("--maxmemory-policy", policy)
    conn = server.connect()
    base = field(conn, "memory", "used_memory")
    fill(conn, 10000)
    conn.do("CONFIG", "SET", "maxmemory", base + 2 * MEGABYTE)
    if policy == "noeviction":
        assert fill(conn, 1, "more") == 1 and conn.do("DBSIZE") == 10000
        return
    # It goes on without commands that wait for it.
    wait_until(lambda: field(conn, "memory", "used_memory") < base + 2 * MEGABYTE + MEGABYTE // 2)
    assert conn.do("DBSIZE") < 4000


def test_lazy_eviction(limited):
    conn = limited("allkeys-lru", 8, "--lazyfree-lazy-eviction", "yes")
    for i in range(40):
        conn.do("RPUSH", f"list{i}", *["x" * 100] * 8000)
    wait_until(lambda: field(conn, "memory", "used_memory") < field(conn, "memory", "maxmemory") + 2 * MEGABYTE)
    assert field(conn, "memory", "lazyfreed_objects") > 0 and conn.do("DBSIZE") < 40


def test_frequency(start_server):
    server = start_server("--maxmemory-policy", "allkeys-lfu")
    conn = server.connect()
    conn.do("SET", "k", "v")
    assert conn.do("OBJECT", "FREQ", "k") == 5
    for _ in range(300):
        conn.do("GET", "k")
    often = conn.do("OBJECT", "FREQ", "k")
    assert often > 8
    with pytest.raises(ReplyError, match="An LFU maxmemory policy is selected, idle time not tracked"):
        conn.do("OBJECT", "IDLETIME", "k")
    payload = conn.do("DUMP", "k")
    conn.do("RESTORE", "copy", 0, payload, "FREQ", 77)
    assert conn.do("OBJECT", "FREQ", "copy") == 77
    # Snapshots keep it.
    conn.do("DEBUG", "RELOAD")
    assert conn.do("OBJECT", "FREQ", "copy") == 77 and conn.do("OBJECT", "FREQ", "k") >= often - 1
    conn.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    with pytest.raises(ReplyError, match="An LFU maxmemory policy is not selected"):
        conn.do("OBJECT", "FREQ", "k")
    conn.do("RESTORE", "idle", 0, payload, "IDLETIME", 1000)
    conn.do("DEBUG", "RELOAD")
    assert 1000 <= conn.do("OBJECT", "IDLETIME", "idle") < 1100


@pytest.mark.parametrize("name, bad", [("maxmemory-policy", "none"), ("maxmemory", "-1"), ("maxmemory-samples", "0"),
                                       ("maxmemory-samples", "2147483648"), ("maxmemory-eviction-tenacity", "101"),
                                       ("lfu-log-factor", "-1"), ("lfu-decay-time", "x")])
def test_wrong_settings(conn, name, bad):
    with pytest.raises(ReplyError, match="CONFIG SET failed"):
        conn.do("CONFIG", "SET", name, bad)


def test_settings(start_server):
    conn = start_server("--maxmemory", "1gb", "--maxmemory-policy", "volatile-ttl").connect()
    assert conn.do("CONFIG", "GET", "maxmemory") == [b"maxmemory", b"1073741824"]
    text = conn.do("INFO", "memory").decode()
    assert "maxmemory:1073741824" in text and "maxmemory_policy:volatile-ttl" in text


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer's figures lag behind by more than a key")
def test_messages_about_evicted_keys_evict_no_others(start_server):
    """Clients that track keys are told of each that is evicted, which takes more memory than the key had."""
    server = start_server("--maxmemory-policy", "allkeys-lru", "--maxmemory-eviction-tenacity", "100")
    conn = server.connect()
    readers = [server.connect(protocol=3) for _ in range(10)]
    for reader in readers:
        reader.do("CLIENT", "TRACKING", "ON")
    for n in range(300):
        key = f"{n}" + "x" * 1000
        conn.do("SET", key, "v")
        for reader in readers:
            reader.do("GET", key)
    used = field(conn, "memory", "used_memory")
    conn.do("CONFIG", "SET", "maxmemory", used - 40_000)
    wait_until(lambda: field(conn, "stats", "evicted_keys") >= 10, what="keys to be evicted")
    assert conn.do("DBSIZE") >= 200


@pytest.mark.parametrize("policy, shared", [("noeviction", True), ("allkeys-random", True), ("volatile-ttl", True), ("allkeys-lru", False),
                                            ("volatile-lru", False), ("allkeys-lfu", False), ("volatile-lfu", False)])
def test_small_integers_count_as_shared(conn, policy, shared):
    try:
        conn.do("SET", "small", 1)
        conn.do("CONFIG", "SET", "maxmemory-policy", policy)
        assert conn.do("OBJECT", "REFCOUNT", "small") > 1
        conn.do("CONFIG", "SET", "maxmemory", 1 << 30)
        assert (conn.do("OBJECT", "REFCOUNT", "small") > 1) == shared
    finally:
        conn.do("CONFIG", "SET", "maxmemory", 0, "maxmemory-policy", "noeviction")
