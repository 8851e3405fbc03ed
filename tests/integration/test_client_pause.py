# SPDX-License-Identifier: BSD-3-Clause
"""CLIENT PAUSE: what waits, what does not, and that nothing is lost."""

import threading

import pytest

from harness.resp import encode
from harness.server import wait_until

LONG = 600_000


def info(conn, name):
    fields = dict(line.split(":", 1) for line in conn.do("INFO").decode().split("\r\n") if ":" in line)
    return fields[name]


def blocked(conn, count):
    wait_until(lambda: int(info(conn, "blocked_clients")) == count, what=f"{count} blocked clients")


@pytest.fixture
def control(server):
    connection = server.connect()
    yield connection
    connection.do("CLIENT", "UNPAUSE")
    connection.close()


WRITES = [
    ("SET", "a", 1), ("PUBLISH", "c", "m"), ("SPUBLISH", "c", "m"), ("PFCOUNT", "h"), ("EVAL", "return 1", 0),
    ("EVAL", "#!lua\nreturn 1", 0), ("FLUSHALL",), ("FCALL", "nosuch", 0), ("EVALSHA", "0" * 40, 0), ("BLPOP", "l", 0.01),
]
READS = [
    ("GET", "a"), ("PING",), ("INFO",), ("EVAL", "#!lua flags=no-writes\nreturn 1", 0), ("EVAL_RO", "return 1", 0),
    ("CLIENT", "LIST"), ("SUBSCRIBE", "c"), ("CONFIG", "GET", "hz"),
]


@pytest.mark.parametrize("command", WRITES)
def test_writes_wait(conn, control, command):
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    conn.send(*command)
    blocked(control, 1)
    assert b" flags=bU " in [line for line in control.do("CLIENT", "LIST").splitlines() if b"cmd=client|list" not in line][0]
    control.do("CLIENT", "UNPAUSE")
    conn.read()
    blocked(control, 0)


@pytest.mark.parametrize("command", READS)
def test_reads_go_on(conn, control, command):
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    conn.call(*command)
    assert info(control, "blocked_clients") == "0"


def test_functions_and_cached_scripts(conn, control):
    conn.do("FUNCTION", "LOAD", "REPLACE", "#!lua name=lib\nredis.register_function{function_name='f', "
            "callback=function() return 1 end, flags={'no-writes'}}\nredis.register_function('g', function() return 2 end)")
    sha = conn.do("SCRIPT", "LOAD", "#!lua flags=no-writes\nreturn 3")
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    assert conn.do("FCALL", "f", 0) == 1
    assert conn.do("EVALSHA", sha, 0) == 3
    conn.send("FCALL", "g", 0)
    blocked(control, 1)
    control.do("CLIENT", "UNPAUSE")
    assert conn.read() == (b":", b"2")


def test_refusals_do_not_wait(conn, control):
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    assert conn.call("SET", "a") == (b"-", b"ERR wrong number of arguments for 'set' command")
    assert conn.call("NOSUCH")[0] == b"-"


def test_transactions(server, conn, control):
    reader = server.connect()
    for client, command in ((conn, ("SET", "a", 1)), (reader, ("GET", "a"))):
        client.do("MULTI")
        client.do(*command)
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    assert reader.do("EXEC") == [None]
    conn.send("EXEC")
    blocked(control, 1)
    late = server.connect()
    late.do("MULTI")
    late.send("SET", "b", 1)  # waits to be queued
    blocked(control, 2)
    control.do("CLIENT", "UNPAUSE")
    assert conn.read() == (b"*", [(b"+", b"OK")])
    assert late.read() == (b"+", b"QUEUED")
    assert late.do("EXEC") == [b"OK"]
    late.close()
    reader.close()


def test_begins_at_the_end_of_the_transaction(conn, control):
    for command in (("MULTI",), ("SET", "a", 1), ("CLIENT", "PAUSE", LONG, "WRITE"), ("SET", "b", 2), ("EXEC",)):
        conn.do(*command)
    assert control.do("MGET", "a", "b") == [b"1", b"2"]
    conn.send("SET", "c", 3)
    blocked(control, 1)
    assert control.do("GET", "c") is None
    control.do("CLIENT", "UNPAUSE")
    assert conn.read() == (b"+", b"OK")


def test_input_is_kept_whole_and_in_order(conn, control):
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    big = b"x" * 300_000
    data = b"".join(b"*3\r\n$6\r\nAPPEND\r\n$1\r\na\r\n$1\r\n%d\r\n" % (i % 10) for i in range(100))
    data += encode(["SET", "big", big]) + b"GET a\r\nSET b 1\r\nPING\r\n"
    # The server may stop reading.
    sender = threading.Thread(target=conn.send_bytes, args=(data,))
    sender.start()
    blocked(control, 1)
    assert control.do("EXISTS", "a") == 0
    control.do("CLIENT", "UNPAUSE")
    sender.join()
    assert [conn.read() for _ in range(100)] == [(b":", b"%d" % (i + 1)) for i in range(100)]
    assert conn.read() == (b"+", b"OK")
    assert conn.read() == (b"$", b"0123456789" * 10)
    assert [conn.read(), conn.read()] == [(b"+", b"OK"), (b"+", b"PONG")]
    assert control.do("GET", "big") == big


def test_clients_go_on_in_their_order(server, control):
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    clients = [server.connect() for _ in range(10)]
    for i, client in enumerate(clients):
        client.send("RPUSH", "l", i)
        blocked(control, i + 1)
    control.do("CLIENT", "UNPAUSE")
    for client in clients:
        client.read()
        client.close()
    assert control.do("LRANGE", "l", 0, -1) == [b"%d" % i for i in range(10)]


def test_closing_a_paused_client(server, control):
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    first, second, third = (server.connect() for _ in range(3))
    for i, client in enumerate((first, second, third)):
        client.send("SET", "a", i)
        blocked(control, i + 1)
    first.close()
    blocked(control, 2)
    ids = [line.split()[0][3:] for line in control.do("CLIENT", "LIST").splitlines() if b" flags=bU " in line]
    assert control.do("CLIENT", "KILL", "ID", ids[0]) == 1
    assert second.read_to_end() == b""
    blocked(control, 1)
    assert control.do("CLIENT", "UNBLOCK", ids[1]) == 0
    control.do("CLIENT", "UNPAUSE")
    assert third.read() == (b"+", b"OK")
    assert control.do("GET", "a") == b"2"


@pytest.mark.parametrize("tcp", [False, True])
def test_a_client_that_hangs_up_changes_nothing_any_more(server, control, tcp):
    waiting, paused = server.connect(tcp=tcp), server.connect(tcp=tcp)
    waiting.send("BLPOP", "l", 0)
    blocked(control, 1)
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    paused.send("SET", "a", 1)
    blocked(control, 2)
    waiting.close()
    paused.close()
    blocked(control, 0)
    control.do("CLIENT", "UNPAUSE")
    control.do("RPUSH", "l", "x")
    assert control.do("LLEN", "l") == 1 and control.do("EXISTS", "a") == 0


def test_server_ends_within_a_pause(start_server):
    server = start_server()
    control, conn = server.connect(), server.connect()
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    conn.send("SET", "a", 1)
    blocked(control, 1)
    assert server.stop() == 0


def test_time_ends_it(conn, control):
    control.do("CLIENT", "PAUSE", 50)
    assert conn.do("SET", "a", 1) == b"OK"
    assert info(control, "blocked_clients") == "0"


def test_all_waits_whatever_it_is(server, conn, control):
    control.do("CLIENT", "PAUSE", 200, "ALL")
    other = server.connect()
    conn.send("PING")
    other.send("CLIENT", "UNPAUSE")  # this too, as in Redis
    assert conn.read() == (b"+", b"PONG")
    assert other.read() == (b"+", b"OK")


def test_very_long_pauses(conn, control):
    assert control.call("CLIENT", "PAUSE", 2**63 - 1) == (b"-", b"ERR timeout is out of range")
    control.do("CLIENT", "PAUSE", 9 * 10**18, "WRITE")
    conn.send("SET", "a", 1)
    blocked(control, 1)
    control.do("CLIENT", "UNPAUSE")
    assert conn.read() == (b"+", b"OK")


def test_stricter_mode_and_later_end_hold(conn, control):
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    control.do("CLIENT", "PAUSE", 1, "WRITE")
    conn.send("SET", "a", 1)
    blocked(control, 1)
    control.do("CLIENT", "UNPAUSE")
    assert conn.read() == (b"+", b"OK")


def test_nothing_expires(conn, control):
    for command in (("MULTI",), ("SET", "a", 1, "PX", 5), ("SET", "b", 1, "PX", 5), ("CLIENT", "PAUSE", LONG, "WRITE"), ("EXEC",)):
        conn.do(*command)
    expired = info(control, "expired_keys")
    wait_until(lambda: control.do("MGET", "a", "b") == [None, None])
    control.do("DEBUG", "SLEEP", 0.3)
    assert info(control, "expired_keys") == expired
    assert control.do("DBSIZE") == 2
    control.do("CLIENT", "UNPAUSE")
    control.do("MGET", "a", "b")
    assert int(info(control, "expired_keys")) == int(expired) + 2
    assert control.do("DBSIZE") == 0


def test_writing_over_a_key_that_is_only_hidden(conn, control):
    conn.do("SET", "a", 1, "PX", 5)
    conn.do("SET", "from", 1)
    conn.do("SET", "c", 1, "PX", 5)
    for command in (("MULTI",), ("CLIENT", "PAUSE", LONG, "WRITE"), ("DEBUG", "SLEEP", 0.05), ("SET", "a", 2), ("RENAME", "from", "c"),
                    ("EXEC",)):
        conn.do(*command)
    assert control.do("MGET", "a", "c") == [b"2", b"1"]
    assert control.do("DBSIZE") == 2
    assert sorted(control.do("KEYS", "*")) == [b"a", b"c"]


def test_nothing_is_evicted(start_server):
    server = start_server("--maxmemory-policy", "allkeys-random")
    control = server.connect()
    control.do("SET", "a", "x" * 100)
    control.do("CLIENT", "PAUSE", LONG, "WRITE")
    control.do("CONFIG", "SET", "maxmemory", 1)
    assert control.do("GET", "a") is not None
    control.do("DEBUG", "SLEEP", 0.2)
    assert control.do("GET", "a") is not None
    control.do("CLIENT", "UNPAUSE")
    wait_until(lambda: control.do("GET", "a") is None)


def test_blocked_clients_are_served_afterwards(server, conn, control):
    conn.send("BLPOP", "l", 0)
    reader = server.connect()
    reader.send("XREAD", "BLOCK", 0, "STREAMS", "s", "0")
    blocked(control, 2)
    for command in (("MULTI",), ("CLIENT", "PAUSE", LONG, "WRITE"), ("RPUSH", "l", "x"), ("XADD", "s", "1-1", "a", "b"), ("EXEC",)):
        control.do(*command)
    assert reader.read()[0] == b"*"  # only reads
    assert control.do("LRANGE", "l", 0, -1) == [b"x"]
    blocked(control, 1)
    control.do("CLIENT", "UNPAUSE")
    assert conn.read() == (b"*", [(b"$", b"l"), (b"$", b"x")])
    reader.close()


def test_channels_may_not_be_written_to_by_reading_scripts(conn, control):
    for script in ("redis.call('publish', 'c', 'm')", "redis.call('spublish', 'c', 'm')", "redis.call('pfcount', 'h')"):
        reply = conn.call("EVAL_RO", script, 0)
        assert reply[0] == b"-" and reply[1].startswith(b"ERR Write commands are not allowed from read-only scripts. script: ")
    assert conn.do("EVAL", "return redis.call('publish', 'c', 'm')", 0) == 0
