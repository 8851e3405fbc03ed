# SPDX-License-Identifier: BSD-3-Clause
"""MIGRATE between servers of ours: what stays, who is told, whose connections are used again."""

import pytest

from harness.peer import ScriptedPeer
from harness.server import wait_until

OK = b"+OK\r\n"


def cached(connection):
    lines = connection.do("INFO", "stats").decode().split("\r\n")
    return int(next(line for line in lines if line.startswith("migrate_cached_sockets:")).split(":")[1])


def migrate(connection, port, *rest):
    return connection.call("MIGRATE", "127.0.0.1", port, *rest)


@pytest.fixture
def target(start_server):
    return start_server()


def test_a_key_goes_with_its_time_to_live(conn, target):
    with target.connect() as there:
        conn.do("SET", "a", "b", "PX", 100_000)
        assert migrate(conn, target.port, "a", 3, 5000) == (b"+", b"OK")
        assert conn.do("EXISTS", "a") == 0
        there.do("SELECT", 3)
        assert there.do("GET", "a") == b"b"
        assert 0 < there.do("PTTL", "a") <= 100_000


def test_expired_keys_are_not_there(conn, target):
    conn.do("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    conn.do("SET", "a", "b", "PX", 1)
    wait_until(lambda: conn.do("PTTL", "a") == -2)
    assert migrate(conn, target.port, "a", 0, 5000) == (b"+", b"NOKEY")
    conn.do("DEBUG", "SET-ACTIVE-EXPIRE", 1)


def test_events_and_watchers(server, target):
    with server.connect() as conn, server.connect() as listener, server.connect() as watcher:
        conn.do("CONFIG", "SET", "notify-keyspace-events", "EA")
        listener.do("SUBSCRIBE", "__keyevent@0__:del")
        conn.do("MSET", "a", 1, "b", 2, "c", 3)
        watcher.do("WATCH", "a")
        assert migrate(conn, target.port, "", 0, 5000, "KEYS", "a", "no", "b") == (b"+", b"OK")
        assert [listener.read()[1][2][1] for _ in range(2)] == [b"a", b"b"]
        watcher.do("MULTI")
        watcher.do("PING")
        assert watcher.do("EXEC") is None
        # A copy changes nothing here.
        watcher.do("WATCH", "c")
        assert migrate(conn, target.port, "c", 0, 5000, "COPY") == (b"+", b"OK")
        assert conn.do("GET", "c") == b"3"
        watcher.do("MULTI")
        watcher.do("PING")
        assert watcher.do("EXEC") is not None
        conn.do("CONFIG", "SET", "notify-keyspace-events", "")


def test_in_transactions_and_scripts(conn, target):
    conn.do("MSET", "a", 1, "b", 2)
    conn.do("MULTI")
    conn.do("MIGRATE", "127.0.0.1", target.port, "a", 0, 5000)
    assert conn.do("EXEC") == [b"OK"]
    assert conn.do("EVAL", "return redis.call('MIGRATE', '127.0.0.1', ARGV[1], KEYS[1], 0, 5000)", 1, "b", target.port) == b"OK"
    assert conn.do("DBSIZE") == 0


def test_secrets_are_hidden(server, conn, target):
    with server.connect() as monitor:
        monitor.do("MONITOR")
        migrate(conn, target.port, "no", 9, 5000, "AUTH", "hidden")
        migrate(conn, target.port, "no", 9, 5000, "COPY", "AUTH2", "user", "hidden")
        lines = [monitor.read()[1] for _ in range(2)]
    assert lines[0].endswith(b'"no" "9" "5000" "AUTH" "(redacted)"')
    assert lines[1].endswith(b'"no" "9" "5000" "COPY" "AUTH2" "(redacted)" "(redacted)"')


def test_passwords(conn, start_server):
    target = start_server("--requirepass", "foobar")
    conn.do("SET", "a", "b")
    assert b"NOAUTH" in migrate(conn, target.port, "a", 0, 5000)[1]
    assert b"WRONGPASS" in migrate(conn, target.port, "a", 0, 5000, "AUTH", "x")[1]
    assert migrate(conn, target.port, "a", 0, 5000, "COPY", "AUTH", "foobar") == (b"+", b"OK")
    # Who gives no password does not use the connection of one who did.
    assert b"NOAUTH" in migrate(conn, target.port, "a", 0, 5000, "REPLACE")[1]
    assert migrate(conn, target.port, "a", 0, 5000, "REPLACE", "AUTH2", "default", "foobar") == (b"+", b"OK")


def test_who_may_do_it(conn, target):
    conn.do("ACL", "SETUSER", "m", "on", "nopass", "+@all", "%R~read*", "%W~write*", "%RW~rw*")
    def tried(*rest):
        return conn.do("ACL", "DRYRUN", "m", "MIGRATE", "h", "p", *rest)
    assert tried("rw", 0, 500) == b"OK"
    assert b"no permissions to access the 'read' key" in tried("read", 0, 500)
    assert b"no permissions to access the 'write' key" in tried("", 0, 500, "AUTH2", "KEYS", "1", "KEYS", "rw", "write")
    assert tried("", 0, 500, "AUTH", "KEYS", "KEYS", "rw") == b"OK"


def test_what_does_not_answer_as_a_server(conn):
    conn.do("SET", "k", "v")
    for answer in (OK + b"$2\r\nab\r\n", b"HTTP/1.1 400\r\n" * 2, OK + b"x" * 70_000):
        with ScriptedPeer([answer, answer]) as peer:
            kind, text = migrate(conn, peer.port, "k", 0, 200)
            assert (kind, text) == (b"-", b"IOERR error or timeout reading to target instance")
            assert conn.do("EXISTS", "k") == 1


def test_an_error_of_the_target_is_one_line(conn):
    conn.do("SET", "k", "v")
    with ScriptedPeer([OK + b"-ERR a\rb " + b"x" * 3000 + b"\r\n"]) as peer:
        kind, text = migrate(conn, peer.port, "k", 0, 5000)
        assert (kind, text) == (b"-", b"ERR Target instance replied with error: ERR a b " + b"x" * 3000)


def test_connections_are_kept_and_go(start_server):
    server = start_server()
    with server.connect() as conn, ScriptedPeer([OK * 2] + [OK] * 100) as peer:
        conn.do("SET", "k", "v")
        for _ in range(3):
            assert migrate(conn, peer.port, "k", 0, 5000, "COPY") == (b"+", b"OK")
        assert cached(conn) == 1
        assert [event for event in peer.seen if event[0] == "open"] == [("open", 1)]
        # Nobody uses it for ten seconds.
        wait_until(lambda: ("closed", 1) in peer.seen)
        assert cached(conn) == 0


def test_there_is_a_limit_to_connections(start_server):
    server = start_server()
    peers = [ScriptedPeer([OK * 2, OK]) for _ in range(66)]
    with server.connect() as conn:
        conn.do("SET", "k", "v")
        for peer in peers:
            assert migrate(conn, peer.port, "k", 0, 5000, "COPY") == (b"+", b"OK")
        assert cached(conn) == 64
        # Those that were not used for longest have gone.
        wait_until(lambda: all(("closed", 1) in peer.seen for peer in peers[:2]))
        assert migrate(conn, peers[2].port, "k", 0, 5000, "COPY") == (b"+", b"OK")
    for peer in peers:
        peer.__exit__()


def test_where_connections_come_from(start_server):
    server, target = start_server("--bind-source-addr", "127.0.0.7"), start_server()
    with server.connect() as conn, target.connect() as there:
        conn.do("SET", "a", "b")
        assert migrate(conn, target.port, "a", 0, 5000) == (b"+", b"OK")
        assert b"addr=127.0.0.7:" in there.do("CLIENT", "LIST")
        conn.do("SET", "a", "b")
        conn.do("CONFIG", "SET", "bind-source-addr", "192.0.2.1")
        with ScriptedPeer() as peer:
            assert migrate(conn, peer.port, "a", 0, 5000) == (b"-", b"IOERR error or timeout connecting to the client")


