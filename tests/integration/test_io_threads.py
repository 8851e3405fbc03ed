# SPDX-License-Identifier: BSD-3-Clause
"""I/O threads: what clients see must not depend on them. Clients send at the same moment, so that their sockets are read and
written together."""

import time
import contextlib
import random

import pytest

from harness.certificates import OPENSSL, Authority, TlsConnection, context
from harness.resp import encode
from harness.server import free_port, wait_until

CLIENTS = 30


@pytest.fixture(params=["yes", "no"], ids=["reads", "writes"])
def threaded(start_server, request):
    return start_server("--io-threads", 4, "--io-threads-do-reads", request.param)


def together(connections, requests):
    """Sends each connection its bytes, all before the first reply is read."""
    for connection, request in zip(connections, requests):
        connection.send_bytes(request)


def test_options(start_server):
    connection = start_server().connect()
    failed = "ERR CONFIG SET failed (possibly related to argument '{}') - can't set immutable config"
    for name, default in (("io-threads", b"1"), ("io-threads-do-reads", b"no")):
        assert connection.do("CONFIG", "GET", name) == [name.encode(), default]
        assert connection.error("CONFIG", "SET", name, "2") == failed.format(name)
    assert b"io_threads_active:0\r\n" in connection.do("INFO", "server")


@pytest.mark.parametrize("count", [0, 129])
def test_a_number_that_makes_no_sense(start_server, count):
    server = start_server("--io-threads", count, start=False)
    server.launch()
    assert server.wait(30) == 1
    assert "argument must be between 1 and 128 inclusive" in server.log()


def test_every_client_gets_its_own_replies(threaded):
    connections = [threaded.connect(tcp=number % 2 == 0) for number in range(CLIENTS)]
    rng = random.Random(1)
    for _ in range(20):
        scripts = []
        for number in range(CLIENTS):
            key = f"key{number}"
            scripts.append([["SET", key, rng.randrange(10**9)]] + [["INCR", key] for _ in range(rng.randrange(200))] +
                           [["GET", key], ["ECHO", f"{number}" * rng.randrange(300)]])
        together(connections, [b"".join(encode(command) for command in script) for script in scripts])
        for connection, script in zip(connections, scripts):
            value = script[0][2]
            assert connection.read() == (b"+", b"OK")
            for command in script[1:]:
                if command[0] == "INCR":
                    value += 1
                    assert connection.read() == (b":", str(value).encode())
                else:
                    assert connection.read() == (b"$", str(value if command[0] == "GET" else command[1]).encode())


def test_info_counts_what_threads_did(threaded):
    """Whether sockets were ready at the same moment is chance, so it is tried until they were."""
    reads = threaded.connect().do("CONFIG", "GET", "io-threads-do-reads")[1] == b"yes"
    connections = [threaded.connect() for _ in range(CLIENTS)]

    def counted():
        together(connections, [b"PING\r\n"] * CLIENTS)
        for connection in connections:
            assert connection.read() == (b"+", b"PONG")
        stats = dict(line.split(b":") for line in connections[0].do("INFO", "stats").splitlines()[1:] if line)
        assert int(stats[b"total_reads_processed"]) > 0 and int(stats[b"total_writes_processed"]) > 0
        return int(stats[b"io_threaded_writes_processed"]) > 0 and (
            not reads or int(stats[b"io_threaded_reads_processed"]) > 0)

    wait_until(counted, what="a turn with threads")


def test_large_values_in_both_directions(threaded):
    connections = [threaded.connect() for _ in range(CLIENTS)]
    values = [random.Random(number).randbytes(100_000 + number * 1000) for number in range(CLIENTS)]
    together(connections, [encode(["SET", f"k{number}", value]) for number, value in enumerate(values)])
    for connection in connections:
        assert connection.read() == (b"+", b"OK")
    together(connections, [encode(["GET", f"k{number}"]) * 10 for number in range(CLIENTS)])
    for connection, value in zip(connections, values):
        for _ in range(10):
            assert connection.read() == (b"$", value)


def test_requests_in_pieces(threaded):
    connections = [threaded.connect() for _ in range(CLIENTS)]
    rng = random.Random(2)
    requests = [encode(["SET", f"k{number}", "v" * rng.randrange(3000)]) + encode(["STRLEN", f"k{number}"]) + b"PING\r\n"
                for number in range(CLIENTS)]
    longest = max(map(len, requests))
    for at in range(0, longest, 211):
        together(connections, [request[at:at + 211] for request in requests])
    for request, connection in zip(requests, connections):
        assert connection.read() == (b"+", b"OK")
        assert connection.read()[0] == b":"
        assert connection.read() == (b"+", b"PONG")


def test_inline_requests_and_protocol_errors(threaded):
    connections = [threaded.connect() for _ in range(CLIENTS)]
    kinds = [b'ECHO "a b"\r\nECHO c\r\n', b"PING\r\n*1\r\n:5\r\n", b"*1\r\n$4\r\nPING\r\n*x\r\nPING\r\n"]
    together(connections, [kinds[number % 3] for number in range(CLIENTS)])
    for number, connection in enumerate(connections):
        if number % 3 == 0:
            assert connection.read() == (b"$", b"a b") and connection.read() == (b"$", b"c")
        else:
            error = (b"-ERR Protocol error: expected '$', got ':'\r\n", b"-ERR Protocol error: invalid multibulk length\r\n")
            assert connection.read_to_end() == b"+PONG\r\n" + error[number % 3 - 1]


def test_blocked_clients(threaded):
    connections = [threaded.connect() for _ in range(CLIENTS)]
    admin = threaded.connect()
    together(connections, [f"BLPOP list{number} 0\r\nECHO after{number}\r\n".encode() for number in range(CLIENTS)])
    wait_until(lambda: f"blocked_clients:{CLIENTS}".encode() in admin.do("INFO", "clients"))
    together(connections, [b"ECHO more\r\n"] * CLIENTS)
    for number in range(CLIENTS):
        admin.do("RPUSH", f"list{number}", "x")
    for number, connection in enumerate(connections):
        assert connection.read() == (b"*", [(b"$", f"list{number}".encode()), (b"$", b"x")])
        assert connection.read() == (b"$", f"after{number}".encode())
        assert connection.read() == (b"$", b"more")


def test_clients_that_are_killed_with_their_requests(threaded):
    for _ in range(10):
        connections = [threaded.connect() for _ in range(CLIENTS)]
        numbers = [connection.do("CLIENT", "ID") for connection in connections]
        together(connections[::2], [f"CLIENT KILL ID {number}\r\nPING\r\n".encode() for number in numbers[1::2]])
        for victim in connections[1::2]:
            with contextlib.suppress(OSError):  # it may be gone already
                victim.send_bytes(b"PING\r\n" * 100)
        for killer, victim in zip(connections[::2], connections[1::2]):
            assert killer.read() == (b":", b"1") and killer.read() == (b"+", b"PONG")
            text = victim.read_to_end()
            assert text == b"+PONG\r\n" * (len(text) // 7)
            killer.close()


def test_a_password_limits_what_is_parsed(start_server):
    server = start_server("--io-threads", 4, "--io-threads-do-reads", "yes", "--requirepass", "secret")
    connections = [server.connect() for _ in range(CLIENTS)]
    together(connections, [b"*100\r\n" if number % 2 else b"AUTH secret\r\n" for number in range(CLIENTS)])
    for number, connection in enumerate(connections):
        if number % 2:
            assert connection.read_to_end() == b"-ERR Protocol error: unauthenticated multibulk length\r\n"
        else:
            assert connection.read() == (b"+", b"OK")


def test_a_busy_script(threaded):
    """Others are served within it, by phases of their own."""
    admin, busy = threaded.connect(), threaded.connect()
    admin.do("CONFIG", "SET", "busy-reply-threshold", 10)
    connections = [threaded.connect() for _ in range(CLIENTS)]
    busy.send("EVAL", "while true do end", 0)
    wait_until(lambda: admin.raw("PING").startswith(b"-BUSY"))
    together(connections, [b"PING\r\nECHO a\r\n"] * CLIENTS)
    for connection in connections:
        assert connection.read()[1].startswith(b"BUSY ") and connection.read()[1].startswith(b"BUSY ")
    assert admin.do("SCRIPT", "KILL") == b"OK"
    assert busy.read()[0] == b"-"
    together(connections, [b"PING\r\n"] * CLIENTS)
    for connection in connections:
        assert connection.read() == (b"+", b"PONG")


def test_memory_is_counted_right(start_server):
    """Buffers that one thread has and another gives back would make the count drift, and evict for nothing."""
    server = start_server("--io-threads", 4, "--io-threads-do-reads", "yes", "--maxmemory", "200mb", "--maxmemory-policy",
                          "allkeys-random")
    connections = [server.connect() for _ in range(CLIENTS)]
    value = b"v" * 20_000
    for number, connection in enumerate(connections):
        assert connection.do("SET", f"k{number}", value) == b"OK"
    for _ in range(100):
        together(connections, [encode(["GET", f"k{number}"]) * 5 for number in range(CLIENTS)])
        for connection in connections:
            for _ in range(5):
                assert connection.read() == (b"$", value)
    info = connections[0].do("INFO")
    assert b"evicted_keys:0\r\n" in info
    assert connections[0].do("DBSIZE") == CLIENTS


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl command to make certificates with")
def test_tls(start_server, tmp_path):
    authority, port = Authority(tmp_path), free_port()
    cert, key = authority.pair("server")
    start_server("--io-threads", 4, "--io-threads-do-reads", "yes", "--tls-port", port, "--tls-cert-file", cert,
                 "--tls-key-file", key, "--tls-auth-clients", "no", tcp=False)
    tls = context(authority)
    connections = [TlsConnection(port, tls) for _ in range(CLIENTS)]
    values = [random.Random(number).randbytes(1 + 7001 * number) for number in range(CLIENTS)]
    for _ in range(5):
        together(connections, [encode(["SET", f"k{number}", value]) for number, value in enumerate(values)])
        for connection in connections:
            assert connection.read() == (b"+", b"OK")
        together(connections, [encode(["GET", f"k{number}"]) * 8 for number in range(CLIENTS)])
        for connection, value in zip(connections, values):
            for _ in range(8):
                assert connection.read() == (b"$", value)
    for connection in connections:
        connection.close()


def test_clients_served_within_a_long_script_lose_nothing(start_server):
    """Those that are read while a script runs are read once, though they were noted before it and again within it."""
    server = start_server("--io-threads", "2", "--io-threads-do-reads", "yes", "--busy-reply-threshold", "1")
    sleeper, script, *others = [server.connect() for _ in range(4)]
    ping = b"*1\r\n$4\r\nPING\r\n"
    for _ in range(60):
        sleeper.send("DEBUG", "SLEEP", "0.01")
        time.sleep(0.002)
        for other in others:
            other.send_bytes(ping)
        script.send("EVAL", "local x = 0 for i = 1, 1500000 do x = x + i end return 1", "0")
        for _ in range(100):
            for other in others:
                other.send_bytes(ping * 5)
        assert sleeper.read() == (b"+", b"OK") and script.read() == (b":", b"1")
        for other in others:
            for _ in range(501):
                assert other.read()[0] in (b"+", b"-")
