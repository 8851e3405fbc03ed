# SPDX-License-Identifier: BSD-3-Clause
"""CLIENT TRACKING: who is told of which keys, and when."""

import pytest

from harness.resp import plain
from harness.server import wait_until


def info(conn, name):
    fields = dict(line.split(":", 1) for line in conn.do("INFO").decode().split("\r\n") if ":" in line)
    return int(fields[name])


def push(conn):
    """The next thing that the client gets, which is to be a push."""
    kind, payload = conn.read()
    assert kind == b">", (kind, payload)
    return [plain(item) for item in payload]


def nothing(conn):
    """The next reply is that of PING: nothing else is on its way."""
    assert conn.call("PING") == (b"+", b"PONG")


@pytest.fixture
def other(server):
    connection = server.connect()
    yield connection
    connection.close()


def test_one_message_for_each_change_of_what_was_read(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON")
    other.do("MSET", "a", 1, "b", 1)
    conn3.do("MGET", "a", "b")
    other.do("SET", "a", 2)
    assert push(conn3) == [b"invalidate", [b"a"]]
    other.do("SET", "a", 3)  # not read again
    nothing(conn3)
    other.do("DEL", "b")
    assert push(conn3) == [b"invalidate", [b"b"]]


def test_keys_are_known_by_name_in_whatever_database(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON")
    conn3.do("GET", "a")
    other.do("SELECT", 3)
    other.do("SET", "a", 2)
    assert push(conn3) == [b"invalidate", [b"a"]]


def test_off_forgets(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON")
    conn3.do("GET", "a")
    conn3.do("CLIENT", "TRACKING", "OFF")
    other.do("SET", "a", 2)
    nothing(conn3)
    conn3.do("CLIENT", "TRACKING", "ON")
    other.do("SET", "a", 3)
    nothing(conn3)


def test_own_changes_come_after_the_reply(conn3):
    conn3.do("CLIENT", "TRACKING", "ON")
    conn3.do("GET", "a")
    assert conn3.call("SET", "a", 1) == (b"+", b"OK")
    assert push(conn3) == [b"invalidate", [b"a"]]
    conn3.do("MGET", "a", "b")
    conn3.do("MULTI")
    conn3.do("DEL", "a")
    conn3.do("SET", "b", 1)
    assert conn3.do("EXEC") == [1, b"OK"]
    assert [push(conn3), push(conn3)] == [[b"invalidate", [b"a"]], [b"invalidate", [b"b"]]]


def test_noloop(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON", "NOLOOP")
    conn3.do("MGET", "a", "b", "c")
    conn3.do("SET", "a", 1)
    conn3.do("EVAL", "return redis.call('set', 'b', 1)", 1, "b")
    nothing(conn3)
    other.do("SET", "c", 1)
    assert push(conn3) == [b"invalidate", [b"c"]]


def test_optin_and_caching(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON", "OPTIN")
    conn3.do("GET", "a")
    conn3.do("CLIENT", "CACHING", "YES")
    conn3.do("CLIENT", "TRACKINGINFO")  # commands about the client do not use it up
    conn3.do("GET", "b")
    conn3.do("GET", "c")
    other.do("MSET", "a", 1, "b", 1, "c", 1)
    assert push(conn3) == [b"invalidate", [b"b"]]
    nothing(conn3)


def test_caching_holds_for_a_whole_transaction(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON", "OPTIN")
    conn3.do("CLIENT", "CACHING", "YES")
    for command in (("MULTI",), ("GET", "a"), ("GET", "b"), ("EXEC",), ("GET", "c")):
        conn3.do(*command)
    other.do("MSET", "a", 1, "b", 1, "c", 1)
    assert [push(conn3), push(conn3)] == [[b"invalidate", [b"a"]], [b"invalidate", [b"b"]]]
    nothing(conn3)


def test_optout_and_caching(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON", "OPTOUT")
    conn3.do("CLIENT", "CACHING", "NO")
    conn3.do("GET", "a")
    conn3.do("GET", "b")
    other.do("MSET", "a", 1, "b", 1)
    assert push(conn3) == [b"invalidate", [b"b"]]
    nothing(conn3)


def test_broadcast_is_one_sorted_message_for_a_prefix(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "user:", "PREFIX", "item:")
    other.do("MSET", "user:2", 1, "x", 1, "user:1", 1, "item:1", 1)
    assert push(conn3) == [b"invalidate", [b"item:1"]]
    assert push(conn3) == [b"invalidate", [b"user:1", b"user:2"]]
    other.do("SET", "x", 2)
    nothing(conn3)
    conn3.do("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "x")  # one more
    other.do("SET", "x", 2)
    assert push(conn3) == [b"invalidate", [b"x"]]


def test_broadcast_noloop_leaves_out_own_changes_only(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON", "BCAST", "NOLOOP")
    conn3.do("SET", "mine", 1)
    nothing(conn3)
    other.do("SET", "theirs", 1)
    assert push(conn3) == [b"invalidate", [b"theirs"]]


@pytest.mark.parametrize("mode", [[], ["BCAST"]])
def test_expiry_is_nobodys_doing(conn3, mode):
    conn3.do("CLIENT", "TRACKING", "ON", "NOLOOP", *mode)
    conn3.do("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    conn3.do("SET", "a", 1, "PX", 5)
    conn3.do("GET", "a")
    conn3.do("DEBUG", "SLEEP", 0.05)
    assert conn3.do("GET", "a") is None
    assert push(conn3) == [b"invalidate", [b"a"]]
    conn3.do("DEBUG", "SET-ACTIVE-EXPIRE", 1)


def test_active_expiry(conn3):
    conn3.do("CLIENT", "TRACKING", "ON")
    conn3.do("SET", "a", 1, "PX", 20)
    conn3.do("GET", "a")
    assert push(conn3) == [b"invalidate", [b"a"]]


def test_eviction(start_server):
    server = start_server()
    conn3 = server.connect(protocol=3)
    conn3.do("CLIENT", "TRACKING", "ON")
    conn3.do("SETEX", "a", 1000, "x" * 100)
    conn3.do("GET", "a")
    conn3.do("CONFIG", "SET", "maxmemory-policy", "volatile-random")
    with server.connect() as other:
        other.do("CONFIG", "SET", "maxmemory", 1)
        try:
            other.do("SET", "b", 1)
        except Exception:
            pass  # nothing is left to evict: refused
    assert push(conn3) == [b"invalidate", [b"a"]]


@pytest.mark.parametrize("command", [["FLUSHALL"], ["FLUSHDB"], ["FLUSHALL", "ASYNC"], ["FLUSHDB", "SYNC"]])
def test_flush_is_null_for_all(server, conn3, other, command):
    broadcast = server.connect(protocol=3)
    broadcast.do("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "nothing-below-it")
    conn3.do("CLIENT", "TRACKING", "ON")
    conn3.do("GET", "a")
    assert info(other, "tracking_total_keys") == 1
    other.do(*command)
    assert push(conn3) == [b"invalidate", None]
    assert push(broadcast) == [b"invalidate", None]
    assert info(other, "tracking_total_keys") == 0
    assert conn3.do(*command) == b"OK"
    assert push(conn3) == [b"invalidate", None]
    broadcast.close()


def test_scripts_read_for_their_client(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON")
    conn3.do("EVAL", "redis.call('get', KEYS[1]); redis.call('set', KEYS[2], 1)", 2, "a", "b")
    conn3.do("EVAL_RO", "return redis.call('get', KEYS[1])", 2, "c", "d")
    other.do("MSET", "a", 1, "b", 2, "c", 3, "d", 4)
    assert [push(conn3), push(conn3)] == [[b"invalidate", [b"a"]], [b"invalidate", [b"c"]]]
    nothing(conn3)


def test_blocked_client_is_told_after_its_reply(server, conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON")
    other.do("RPUSH", "to", "x")
    conn3.do("LRANGE", "to", 0, -1)
    conn3.send("BLMOVE", "from", "to", "LEFT", "LEFT", 0)
    wait_until(lambda: info(other, "blocked_clients") == 1)
    other.do("RPUSH", "from", "y")
    assert conn3.read() == (b"$", b"y")
    assert push(conn3) == [b"invalidate", [b"to"]]


# Redirection.


def test_redirection_to_a_subscriber(server, conn, other):
    receiver = server.connect()
    receiver_id = receiver.do("CLIENT", "ID")
    assert receiver.do("SUBSCRIBE", "__redis__:invalidate") == [b"subscribe", b"__redis__:invalidate", 1]
    conn.do("CLIENT", "TRACKING", "ON", "REDIRECT", receiver_id)
    assert conn.do("CLIENT", "GETREDIR") == receiver_id
    conn.do("MGET", "a", "b")
    other.do("SET", "a", 1)
    assert plain(receiver.read()) == [b"message", b"__redis__:invalidate", [b"a"]]
    other.do("FLUSHALL")
    assert receiver.read_raw() == b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n"
    nothing(conn)
    receiver.close()


def test_redirection_needs_a_subscriber_or_resp3(server, conn, other):
    receiver = server.connect()
    conn.do("CLIENT", "TRACKING", "ON", "REDIRECT", receiver.do("CLIENT", "ID"))
    conn.do("GET", "a")
    other.do("SET", "a", 1)
    nothing(receiver)
    receiver.do("HELLO", 3)
    conn.do("GET", "a")
    other.do("SET", "a", 1)
    assert push(receiver) == [b"invalidate", [b"a"]]
    receiver.close()


def test_broken_redirection(server, conn3, other):
    receiver = server.connect()
    receiver_id = receiver.do("CLIENT", "ID")
    conn3.do("CLIENT", "TRACKING", "ON", "REDIRECT", receiver_id)
    conn3.do("GET", "a")
    receiver.close()
    wait_until(lambda: str(receiver_id).encode() not in [line.split()[0][3:] for line in other.do("CLIENT", "LIST").splitlines()])
    other.do("SET", "a", 1)
    assert push(conn3) == [b"tracking-redir-broken", receiver_id]
    assert b"broken_redirect" in conn3.do("CLIENT", "TRACKINGINFO")[b"flags"]
    assert b" flags=tRU " in conn3.do("CLIENT", "INFO")
    assert f" redir={receiver_id} ".encode() in conn3.do("CLIENT", "INFO")


def test_messages_come_though_replies_are_off(conn3, other):
    conn3.do("CLIENT", "TRACKING", "ON")
    conn3.do("GET", "a")
    conn3.send("CLIENT", "REPLY", "OFF")
    wait_until(lambda: other.do("SET", "a", 1) and True)
    assert push(conn3) == [b"invalidate", [b"a"]]
    assert conn3.call("CLIENT", "REPLY", "ON") == (b"+", b"OK")


# The table.


def test_table_limit(start_server):
    server = start_server("--tracking-table-max-keys", 5)
    conn3 = server.connect(protocol=3)
    other = server.connect()
    conn3.do("CLIENT", "TRACKING", "ON")
    gone = []
    conn3.do("MGET", *[f"key:{i}" for i in range(20)])
    while len(gone) < 15:
        gone += push(conn3)[1]
    assert info(other, "tracking_total_keys") == info(other, "tracking_total_items") == 5
    other.do("CONFIG", "SET", "tracking-table-max-keys", 0)
    conn3.do("MGET", *gone)
    nothing(conn3)
    assert info(other, "tracking_total_keys") == 20


def test_info(server, conn3, other):
    broadcast = server.connect(protocol=3)
    names = ("tracking_clients", "tracking_total_keys", "tracking_total_items", "tracking_total_prefixes")
    assert [info(conn3, name) for name in names] == [0, 0, 0, 0]
    conn3.do("CLIENT", "TRACKING", "ON")
    broadcast.do("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a", "PREFIX", "b")
    other.do("CLIENT", "TRACKING", "ON")
    conn3.do("MGET", "x", "y")
    other.do("GET", "x")
    assert [info(conn3, name) for name in names] == [3, 2, 3, 2]
    assert b" flags=tU " in conn3.do("CLIENT", "INFO") and b" redir=0 " in conn3.do("CLIENT", "INFO")
    assert b" flags=tBU " in broadcast.do("CLIENT", "INFO")
    broadcast.close()
    wait_until(lambda: info(conn3, "tracking_clients") == 2)
    assert info(conn3, "tracking_total_prefixes") == 0
    other.do("RESET")
    assert b" redir=-1 " in other.do("CLIENT", "INFO")
    assert info(conn3, "tracking_clients") == 1
