# SPDX-License-Identifier: BSD-3-Clause
"""maxmemory-clients, and what CLIENT LIST says of clients' memory."""

import pytest

from harness.server import wait_until

MB = 1 << 20


def info(conn, name):
    fields = dict(line.split(":", 1) for line in conn.do("INFO").decode().split("\r\n") if ":" in line)
    return int(fields[name])


def clients(conn):
    lines = conn.do("CLIENT", "LIST").decode().splitlines()
    return [dict(word.split("=", 1) for word in line.split(" ")) for line in lines]


def client(conn, name):
    found = [fields for fields in clients(conn) if fields["name"] == name]
    return found[0] if found else None


def named(server, name):
    connection = server.connect()
    connection.do("CLIENT", "SETNAME", name)
    return connection


def cut_off(connection, data=b""):
    """Sends it all; True when the server has closed the connection meanwhile or does so now."""
    try:
        connection.send_bytes(data)
        connection.socket.settimeout(10)
        return connection.read_to_end() == b""
    except ConnectionError:
        return True


@pytest.fixture
def limited(start_server):
    """A server with a limit of 3 MB, and a client that is not evicted."""
    server = start_server("--maxmemory-clients", "3mb")
    control = server.connect()
    control.do("CLIENT", "NO-EVICT", "ON")
    return server, control


def test_query_buffer(limited):
    server, control = limited
    hog = named(server, "hog")
    hog.do("MSET", "a", "x" * MB, "b", "y" * MB)
    assert client(control, "hog")
    assert cut_off(hog, b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n" % (4 * MB) + b"x" * (4 * MB - 10))
    assert client(control, "hog") is None
    assert info(control, "evicted_clients") == 1
    server.wait_for_log("Evicting client: id=")


def test_request_of_many_arguments(limited):
    server, control = limited
    hog = named(server, "hog")
    with pytest.raises((EOFError, ConnectionError)):
        hog.do("MSET", *[word for i in range(4000) for word in (f"key:{i}", "x" * 1000)])
    assert info(control, "evicted_clients") == 1
    assert control.do("DBSIZE") == 0


def test_transaction(limited):
    server, control = limited
    hog = named(server, "hog")
    hog.do("MULTI")
    hog.do("SET", "a", "x" * MB)
    fields = client(control, "hog")
    assert int(fields["multi-mem"]) >= MB and int(fields["tot-mem"]) >= MB
    with pytest.raises((EOFError, ConnectionError)):
        for _ in range(4):
            hog.do("SET", "a", "x" * MB)
    assert info(control, "evicted_clients") == 1


@pytest.mark.parametrize("command", [
    lambda i: ("WATCH", f"key:{i}"),
    lambda i: ("SUBSCRIBE", f"channel:{i}"),
    lambda i: ("PSUBSCRIBE", f"pattern:{i}"),
    lambda i: ("SSUBSCRIBE", f"channel:{i}"),
    lambda i: ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", f"prefix:{i:08}"),
])
def test_small_things_add_up(limited, command):
    server, control = limited
    control.do("CONFIG", "SET", "maxmemory-clients", 200_000)
    hog = server.connect(protocol=3)
    with pytest.raises((EOFError, ConnectionError)):
        for i in range(20_000):
            hog.call(*command(i))
    assert info(control, "evicted_clients") == 1


def test_subscriptions_that_end_give_their_memory_back(limited):
    server, control = limited
    holder = named(server, "holder")
    before = int(client(control, "holder")["tot-mem"])
    for words in (("SUBSCRIBE",), ("UNSUBSCRIBE",)):
        holder.send(*words, *[f"channel:{i}" for i in range(500)])
        for _ in range(500):
            holder.read()
    with server.connect() as fresh:
        fresh.do("PING")
    # The output's block may stay.
    assert int(client(control, "holder")["tot-mem"]) < before + 60_000


def test_output_of_replies(limited):
    server, control = limited
    control.do("SETRANGE", "a", MB, "x")
    hog = named(server, "hog")
    with pytest.raises((OSError, EOFError)):
        for _ in range(200):
            hog.send("GET", "a")
        hog.read_to_end()
        raise EOFError
    wait_until(lambda: client(control, "hog") is None)
    assert info(control, "evicted_clients") == 1


def test_messages_from_others(limited):
    server, control = limited
    control.do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 0 0")
    control.do("DEBUG", "PAUSE-CRON", 1)
    hog = named(server, "hog")
    hog.do("SUBSCRIBE", "c")
    for _ in range(200):
        control.do("PUBLISH", "c", "x" * 200_000)
        if client(control, "hog") is None:
            break
    assert client(control, "hog") is None
    control.do("DEBUG", "PAUSE-CRON", 0)


def test_part_of_maxmemory(limited):
    server, control = limited
    control.do("CONFIG", "SET", "maxmemory-clients", "10%")
    hog = named(server, "hog")
    hog.send_bytes(b"*1\r\n$%d\r\n" % (5 * MB) + b"x" * (4 * MB))  # without maxmemory there is no limit
    wait_until(lambda: int(client(control, "hog")["qbuf"]) == 4 * MB)
    control.do("CONFIG", "SET", "maxmemory", 20 * MB)
    assert cut_off(hog)
    small = named(server, "small")
    small.send_bytes(b"*1\r\n$%d\r\n" % MB + b"x" * 1000)
    wait_until(lambda: int(client(control, "small")["tot-mem"]) >= MB)
    assert control.do("PING") == "PONG" or client(control, "small")


def test_largest_first_and_only_until_below(limited):
    server, control = limited
    control.do("CONFIG", "SET", "maxmemory-clients", 0)
    sizes = {"tiny": 100_000, "small": 300_000, "middle": 900_000, "large": 2_700_000}
    held = {}
    for name, size in sizes.items():
        held[name] = named(server, name)
        held[name].send_bytes(b"*2\r\n$%d\r\n" % size + b"x" * size)
        wait_until(lambda: int(client(control, name)["qbuf"]) == size)
    assert int(client(control, "large")["tot-mem"]) >= sizes["large"]
    assert info(control, "mem_clients_normal") >= sum(sizes.values())
    for limit, left in ((10_000_000, 4), (2_000_000, 3), (600_000, 2), (250_000, 1)):
        control.do("CONFIG", "SET", "maxmemory-clients", limit)
        assert [name for name in sizes if client(control, name)] == list(sizes)[:left]
    assert info(control, "evicted_clients") == 3


def test_no_evict(limited):
    server, control = limited
    hog = named(server, "hog")
    hog.do("CLIENT", "NO-EVICT", "ON")
    hog.send_bytes(b"*1\r\n$%d\r\n" % (5 * MB) + b"x" * (4 * MB))
    wait_until(lambda: int(client(control, "hog")["qbuf"]) == 4 * MB)
    assert int(client(control, "hog")["tot-mem"]) > 3 * MB
    assert info(control, "evicted_clients") == 0


def test_no_evict_that_is_taken_back(limited):
    server, control = limited
    hog = named(server, "hog")
    hog.do("CLIENT", "NO-EVICT", "ON")
    hog.do("MULTI")
    hog.do("SET", "a", "x" * MB)
    control.do("CONFIG", "SET", "maxmemory-clients", MB // 2)
    hog.do("DISCARD")
    hog.do("MULTI")
    hog.do("SET", "a", "x" * MB)
    hog.do("EXEC")
    hog.do("MULTI")
    hog.do("SET", "a", "x" * MB)
    hog.send("RESET")  # switches it off; the transaction goes with it
    assert hog.read() == (b"+", b"RESET")
    assert info(control, "evicted_clients") == 0


def test_arguments_that_wait_for_the_rest(limited):
    server, control = limited
    slow = named(server, "slow")
    slow.send_bytes(b"*3\r\n$3\r\nSET\r\n$50000\r\n" + b"k" * 50_000 + b"\r\n$100000\r\n" + b"v" * 60_000)
    wait_until(lambda: client(control, "slow")["qbuf"] == "60000")
    assert client(control, "slow")["argv-mem"] == "50003"
    slow.send_bytes(b"v" * 40_000 + b"\r\n")
    assert slow.read() == (b"+", b"OK")
    fields = client(control, "slow")
    assert (fields["qbuf"], fields["argv-mem"], fields["multi-mem"]) == ("0", "0", "0")


def test_own_line(limited):
    _, control = limited
    line = dict(word.split("=", 1) for word in control.do("CLIENT", "INFO").decode().strip().split(" "))
    assert line["argv-mem"] == "10" and line["qbuf"] == "26" and int(line["tot-mem"]) > 0


def test_input_limit_counts_the_transaction(start_server):
    server = start_server("--client-query-buffer-limit", "1mb")
    conn = server.connect()
    conn.do("MULTI")
    with pytest.raises((EOFError, ConnectionError)):
        for _ in range(20):
            conn.do("SET", "a", "x" * 100_000)
    server.wait_for_log("max query buffer length")


def test_output_limit_of_messages_does_not_wait_for_cron(start_server):
    server = start_server("--client-output-buffer-limit", "pubsub 8mb 0 0")
    control, hog = server.connect(), named(server, "hog")
    hog.do("SUBSCRIBE", "c")
    control.do("DEBUG", "PAUSE-CRON", 1)
    for _ in range(100):
        control.do("PUBLISH", "c", "x" * 500_000)
    assert client(control, "hog") is None
    server.wait_for_log("overcoming of output buffer limits")
    control.do("DEBUG", "PAUSE-CRON", 0)  # A server whose cron rests does not stop by a signal.


def test_limit_at_start(start_server):
    server = start_server("--maxmemory-clients", "1mb")
    hog = server.connect()
    assert cut_off(hog, b"*1\r\n$%d\r\n" % (2 * MB) + b"x" * MB)


def test_clients_go_before_keys(start_server):
    """What a client's requests make within one turn counts when the next of them comes, and is free when it is evicted."""
    server = start_server("--maxmemory", "11mb", "--maxmemory-policy", "allkeys-lru", "--maxmemory-clients", "3mb")
    with server.connect() as control:
        control.do("CLIENT", "NO-EVICT", "ON")
        for n in range(50):
            control.do("SETRANGE", n, 99_999, "x")
        greedy = server.connect()
        greedy.send_bytes(b"MGET 1\r\n" * 200)
        wait_until(lambda: info(control, "evicted_clients") == 1)
        assert info(control, "evicted_keys") == 0
        assert control.do("DBSIZE") == 50
