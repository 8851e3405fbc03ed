# SPDX-License-Identifier: BSD-3-Clause
"""Who may connect and what a connection may do: AUTH, HELLO, limits, protected mode, sockets, CLIENT."""

import os
import re
import socket
import stat

import pytest

from harness.resp import Connection, plain
from harness.server import wait_until


def client_fields(line):
    return dict(field.partition("=")[::2] for field in line.decode().split())


# AUTH.


def test_without_a_password_everything_is_allowed_and_auth_is_refused(conn):
    assert conn.error("AUTH", "x") == ("ERR AUTH <password> called without any password configured for the default "
                                       "user. Are you sure your configuration is correct?")
    assert conn.error("AUTH", "nosuchuser", "x") == "WRONGPASS invalid username-password pair or user is disabled."
    assert conn.raw("AUTH", "default", "anything") == b"+OK\r\n"


@pytest.mark.parametrize("command", ["READONLY", "READWRITE", "ASKING", "CLUSTER INFO", "CLUSTER NODES", "CLUSTER KEYSLOT k"])
def test_there_is_no_cluster(conn, command):
    assert conn.error(*command.split()) == "ERR This instance has cluster support disabled"


def test_requirepass(start_server):
    server = start_server("--requirepass", "secret")
    connection = server.connect()
    for command in (["GET", "a"], ["PING"], ["CONFIG", "GET", "port"], ["MULTI"], ["NOSUCHCOMMAND"]):
        assert connection.error(*command) in ("NOAUTH Authentication required.",
                                              "ERR unknown command 'NOSUCHCOMMAND', with args beginning with: ")
    assert connection.error("AUTH", "wrong") == "WRONGPASS invalid username-password pair or user is disabled."
    assert connection.error("AUTH", "default", "wrong").startswith("WRONGPASS")
    assert connection.error("AUTH") == "ERR wrong number of arguments for 'auth' command"
    assert connection.error("AUTH", "a", "b", "c") == "ERR syntax error"
    assert connection.raw("AUTH", "secret") == b"+OK\r\n"
    assert connection.raw("SET", "a", "1") == b"+OK\r\n"
    assert connection.raw("RESET") == b"+RESET\r\n"
    assert connection.error("GET", "a").startswith("NOAUTH")
    assert connection.raw("AUTH", "default", "secret") == b"+OK\r\n"
    assert connection.do("GET", "a") == b"1"


def test_requirepass_can_be_changed(start_server):
    server = start_server()
    old, new = server.connect(), server.connect()
    assert old.raw("CONFIG", "SET", "requirepass", "one") == b"+OK\r\n"
    assert old.do("PING") == b"PONG", "who was in stays in"
    assert server.connect().error("PING") == "NOAUTH Authentication required."
    assert new.raw("CONFIG", "SET", "requirepass", "") == b"+OK\r\n"
    assert server.connect().do("PING") == b"PONG"


# HELLO.


def test_hello_switches_the_protocol(server):
    connection = server.connect()
    fields = plain(connection.call("HELLO"))
    fields = dict(zip(fields[::2], fields[1::2]))
    assert fields[b"proto"] == 2 and fields[b"mode"] == b"standalone" and fields[b"role"] == b"master"
    assert list(fields) == [b"server", b"version", b"proto", b"id", b"mode", b"role", b"modules"]
    assert connection.raw("HGETALL", "nokey") == b"*0\r\n"
    reply = connection.call("HELLO", "3")
    assert reply[0] == b"%" and plain(reply)[b"proto"] == 3
    assert connection.raw("HGETALL", "nokey") == b"%0\r\n"
    assert connection.raw("GET", "nokey") == b"_\r\n"
    assert connection.call("HELLO", "2")[0] == b"*"
    assert connection.raw("GET", "nokey") == b"$-1\r\n"


def test_hello_errors_change_nothing(server):
    connection = server.connect()
    assert connection.error("HELLO", "4") == "NOPROTO unsupported protocol version"
    assert connection.error("HELLO", "1") == "NOPROTO unsupported protocol version"
    assert connection.error("HELLO", "x") == "ERR Protocol version is not an integer or out of range"
    assert connection.error("HELLO", "3", "AUTH", "a").startswith("ERR Syntax error in HELLO option 'AUTH'")
    assert connection.error("HELLO", "3", "NOSUCH").startswith("ERR Syntax error in HELLO option 'NOSUCH'")
    assert connection.error("HELLO", "3", "AUTH", "nosuchuser", "x").startswith("WRONGPASS")
    assert connection.error("HELLO", "3", "SETNAME", "a b").startswith("ERR Client names cannot contain spaces")
    assert connection.raw("GET", "nokey") == b"$-1\r\n", "still RESP2"


def test_hello_authenticates_and_names(start_server):
    server = start_server("--requirepass", "secret")
    connection = server.connect()
    assert connection.error("HELLO", "3").startswith("NOAUTH HELLO must be called with the client already authenticated")
    fields = connection.do("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "worker")
    assert fields[b"proto"] == 3
    assert connection.do("CLIENT", "GETNAME") == b"worker"


# CLIENT.


def test_client_name_id_and_list(server):
    a, b = server.connect(), server.connect(tcp=True)
    assert a.raw("CLIENT", "GETNAME") == b"$-1\r\n"
    assert a.raw("CLIENT", "SETNAME", "first") == b"+OK\r\n"
    assert a.error("CLIENT", "SETNAME", "two words") == (
        "ERR Client names cannot contain spaces, newlines or special characters.")
    a_id, b_id = a.do("CLIENT", "ID"), b.do("CLIENT", "ID")
    assert b_id > a_id
    lines = {int(client_fields(line)["id"]): client_fields(line) for line in a.do("CLIENT", "LIST").splitlines()}
    assert lines[a_id]["name"] == "first" and lines[a_id]["cmd"] == "client|list"
    assert lines[b_id]["addr"].startswith("127.0.0.1:") and lines[b_id]["laddr"] == f"127.0.0.1:{server.port}"
    assert lines[b_id]["cmd"] == "client|id" and lines[b_id]["resp"] == "2"
    for field in ("fd", "age", "idle", "flags", "db", "sub", "psub", "multi", "qbuf", "qbuf-free", "argv-mem", "obl",
                  "oll", "omem", "tot-mem", "events", "user", "redir"):
        assert field in lines[a_id], field
    info = client_fields(b.do("CLIENT", "INFO"))
    assert int(info["id"]) == b_id
    assert len(a.do("CLIENT", "LIST", "ID", b_id).splitlines()) == 1
    assert a.do("CLIENT", "LIST", "TYPE", "pubsub") == b""


def test_client_kill(server):
    a, b, c = server.connect(), server.connect(tcp=True), server.connect(tcp=True)
    assert a.do("CLIENT", "KILL", "ID", b.do("CLIENT", "ID")) == 1
    assert b.read_to_end() == b""
    addr = client_fields(c.do("CLIENT", "INFO"))["addr"]
    assert a.raw("CLIENT", "KILL", addr) == b"+OK\r\n"
    assert c.read_to_end() == b""
    assert a.error("CLIENT", "KILL", "1.2.3.4:5") == "ERR No such client"
    assert a.do("CLIENT", "KILL", "ID", 999999999) == 0
    assert a.error("CLIENT", "KILL", "ID", "x") == "ERR client-id should be greater than 0"
    own = a.do("CLIENT", "ID")
    assert a.do("CLIENT", "KILL", "ID", own, "SKIPME", "no") == 1, "the reply comes before the end"
    assert a.read_to_end() == b""


def test_client_reply(conn):
    conn.send_bytes(b"CLIENT REPLY OFF\r\nPING\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n")
    assert [conn.read_raw() for _ in range(2)] == [b"+OK\r\n", b"+PONG\r\n"]
    conn.send_bytes(b"CLIENT REPLY SKIP\r\nPING\r\nECHO a\r\n")
    assert conn.read_raw() == b"$1\r\na\r\n"
    assert conn.error("CLIENT", "REPLY", "MAYBE") == "ERR syntax error"


def test_no_touch_leaves_the_access_time_alone(ours_only, conn):
    def idle():
        return conn.do("OBJECT", "IDLETIME", "k")

    conn.do("SET", "k", "v")
    conn.do("CLIENT", "NO-TOUCH", "ON")
    wait_until(lambda: conn.do("GET", "k") == b"v" and idle() >= 1)
    conn.do("TOUCH", "k")
    assert idle() == 0, "TOUCH means it"
    wait_until(lambda: idle() >= 1)
    conn.do("CLIENT", "NO-TOUCH", "OFF")
    conn.do("GET", "k")
    assert idle() == 0


def test_messages_come_whatever_client_reply_says(ours_only, server):
    a, b = server.connect(protocol=3), server.connect()
    a.send("CLIENT", "REPLY", "OFF")
    a.send("SUBSCRIBE", "news")
    assert a.read_raw() == b">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"
    assert b.do("PUBLISH", "news", "x") == 1
    assert a.read_raw() == b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n"


def test_messages_of_its_own_come_after_the_reply(ours_only, server):
    a = server.connect(protocol=3)
    a.call("SUBSCRIBE", "own")
    a.send_bytes(b"MULTI\r\nPUBLISH own x\r\nECHO e\r\nEXEC\r\nPUBLISH own y\r\n")
    replies = [a.read_raw() for _ in range(6)]
    assert replies[3] == b"*2\r\n:1\r\n$1\r\ne\r\n"
    assert replies[4].endswith(b"$1\r\nx\r\n")
    assert replies[5] == b":1\r\n"
    assert a.read_raw().endswith(b"$1\r\ny\r\n")


def test_reset_forgets_the_state_of_the_connection(conn):
    conn.do("HELLO", "3")
    conn.do("SELECT", "5")
    conn.do("CLIENT", "SETNAME", "x")
    conn.do("WATCH", "k")
    conn.do("MULTI")
    assert conn.raw("RESET") == b"+RESET\r\n"
    assert conn.raw("EXEC") == b"-ERR EXEC without MULTI\r\n"
    assert conn.raw("GET", "nokey") == b"$-1\r\n"
    fields = client_fields(conn.do("CLIENT", "INFO"))
    assert fields["db"] == "0" and fields["name"] == ""


# Limits.


def test_maxclients(start_server):
    server = start_server("--maxclients", "5")
    connections = [server.connect() for _ in range(5)]
    for connection in connections:
        assert connection.do("PING") == b"PONG"
    extra = server.connect(tcp=True)
    assert extra.read_to_end() == b"-ERR max number of clients reached\r\n"
    assert b"rejected_connections:1" in connections[0].do("INFO", "stats")
    connections.pop().close()

    def again():
        with Connection(server.socket_path) as connection:
            try:
                return connection.raw("PING") == b"+PONG\r\n"
            except (EOFError, OSError):
                return False

    wait_until(again, what="a new connection in the place of a closed one")


def test_idle_clients_are_closed(start_server):
    server = start_server("--timeout", "1")
    connection = server.connect()
    subscriber = server.connect()
    subscriber.do("SUBSCRIBE", "channel")
    assert connection.do("PING") == b"PONG"
    assert connection.read_to_end() == b"", "closed by the server"
    publisher = server.connect()
    assert publisher.do("PUBLISH", "channel", "x") == 1, "a subscriber is not idle"


def test_output_limit_of_normal_clients(start_server):
    server = start_server("--client-output-buffer-limit", "normal 1mb 0 0")
    connection, other = server.connect(), server.connect()
    connection.do("SET", "big", b"x" * 500_000)
    connection.send_bytes(b"GET big\r\n" * 200)
    wait_until(lambda: len(other.do("CLIENT", "LIST").splitlines()) == 1, what="closing a client that does not read")
    assert other.do("PING") == b"PONG"


def test_output_limit_of_clients_that_are_not_logged_in(start_server):
    server = start_server("--requirepass", "secret")
    stranger, other = server.connect(), server.connect()
    assert other.do("AUTH", "secret") == b"OK"
    # Errors that it does not read: without a limit they stay in memory.
    with pytest.raises(OSError):
        for _ in range(10000):
            stranger.send_bytes(b"GET x\r\n" * 2000)
    wait_until(lambda: len(other.do("CLIENT", "LIST").splitlines()) == 1, what="closing a client that does not read")
    # Who reads them is not closed, and neither is who has logged in.
    reader = server.connect()
    for _ in range(2000):
        assert reader.error("GET", "x") == "NOAUTH Authentication required."
    other.do("SET", "big", b"x" * 500_000)
    assert len(other.do("GET", "big")) == 500_000


@pytest.mark.parametrize("count", [-999_999_999, -(2**62)])
@pytest.mark.parametrize("make,draw", [(("HSET", "k", "f", "v"), ("HRANDFIELD", "k")),
                                       (("SADD", "k", "m"), ("SRANDMEMBER", "k")),
                                       (("ZADD", "k", 1, "m"), ("ZRANDMEMBER", "k"))])
def test_draws_without_end_stop_at_the_output_limit(start_server, make, draw, count):
    server = start_server("--client-output-buffer-limit", "normal 1mb 0 0")
    connection, other = server.connect(), server.connect()
    other.do(*make)
    connection.send(*draw, count)
    assert len(connection.read_to_end()) < 8_000_000, "closed by the server"
    # Within a transaction as well; where nothing grows that a limit could end, they are refused.
    connection = server.connect()
    connection.send_bytes(b"MULTI\r\n" + " ".join(map(str, (*draw, count))).encode() + b"\r\nEXEC\r\n")
    connection.read_to_end()
    assert "out of range" in other.error("EVAL", "return redis.call(unpack(ARGV))", 0, *draw, count)
    silent = server.connect()
    silent.send_bytes(b"CLIENT REPLY OFF\r\n" + " ".join(map(str, (*draw, count))).encode() + b"\r\nCLIENT REPLY ON\r\n")
    assert plain(silent.read()) == b"OK"
    other.do("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0")
    assert "out of range" in other.error(*draw, count)


def test_output_limit_of_subscribers(start_server):
    server = start_server("--client-output-buffer-limit", "pubsub 256kb 0 0")
    subscriber, publisher = server.connect(), server.connect()
    subscriber.do("SUBSCRIBE", "channel")

    def publish():
        return publisher.do("PUBLISH", "channel", b"x" * 50_000) == 0

    wait_until(publish, what="closing a subscriber that does not read")


def test_output_limit_at_run_time(conn):
    conn.do("CONFIG", "SET", "client-output-buffer-limit", "normal 2mb 1mb 10 replica 4mb 3mb 20")
    assert conn.do("CONFIG", "GET", "client-output-buffer-limit")[1] == (
        b"normal 2097152 1048576 10 slave 4194304 3145728 20 pubsub 33554432 8388608 60")
    assert conn.error("CONFIG", "SET", "client-output-buffer-limit", "nosuch 1 1 1").startswith("ERR CONFIG SET failed")
    conn.do("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0")


# Addresses.


def test_several_bind_addresses(start_server):
    # "-" means: go on if that address is not there.
    server = start_server("--bind", "127.0.0.1", "127.0.0.2", "-::1")
    for address in ("127.0.0.1", "127.0.0.2"):
        with socket.create_connection((address, server.port)) as raw:
            raw.sendall(b"PING\r\n")
            assert raw.recv(100) == b"+PONG\r\n"
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.3", server.port), 1).close()


def test_no_tcp_port(start_server):
    server = start_server(tcp=False)
    assert server.connect().do("CONFIG", "GET", "port") == [b"port", b"0"]


def test_unix_socket_permissions(start_server):
    server = start_server("--unixsocketperm", "700")
    assert stat.S_IMODE(os.stat(server.socket_path).st_mode) == 0o700
    server.stop()
    assert not server.socket_path.exists(), "the socket goes with the server"


def own_address():
    """An address of this machine that is not on the loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # Sends nothing: it only picks a route.
            return probe.getsockname()[0]
        except OSError:
            return None


def test_protected_mode(start_server):
    address = own_address()
    if address is None or address.startswith("127."):
        pytest.skip("this machine has no address besides the loopback")
    server = start_server("--bind", "*")
    inside = server.connect(tcp=True)
    assert inside.do("PING") == b"PONG"

    def from_outside():
        with socket.create_connection((address, server.port)) as raw:
            raw.settimeout(10)
            try:
                raw.sendall(b"PING\r\n")
                return raw.recv(4096)
            except ConnectionResetError:
                return b""

    assert from_outside().startswith(b"-DENIED ")
    inside.do("CONFIG", "SET", "protected-mode", "no")
    assert from_outside() == b"+PONG\r\n"
    inside.do("CONFIG", "SET", "protected-mode", "yes")
    inside.do("CONFIG", "SET", "requirepass", "secret")
    assert from_outside() == b"-NOAUTH Authentication required.\r\n"


def test_databases(start_server):
    server = start_server("--databases", "4")
    connection = server.connect()
    assert connection.raw("SELECT", "3") == b"+OK\r\n"
    assert connection.raw("SELECT", "4") == b"-ERR DB index is out of range\r\n"
    connection.do("SET", "k", "3")
    assert connection.do("MOVE", "k", "0") == 1
    assert connection.raw("GET", "k") == b"$-1\r\n"
    connection.do("SELECT", "0")
    assert connection.do("GET", "k") == b"3"
    assert connection.raw("SWAPDB", "0", "1") == b"+OK\r\n"
    assert connection.raw("GET", "k") == b"$-1\r\n"


def test_unblocking_with_an_error_counts_as_one(start_server):
    server = start_server()
    control, waiting = server.connect(), server.connect()
    waiting_id = waiting.do("CLIENT", "ID")
    waiting.send("BLPOP", "l", 0)
    wait_until(lambda: b" flags=bU " in control.do("CLIENT", "LIST"))
    assert control.do("CLIENT", "UNBLOCK", waiting_id, "ERROR") == 1
    assert waiting.read() == (b"-", b"UNBLOCKED client unblocked via CLIENT UNBLOCK")
    assert b"errorstat_UNBLOCKED:count=1" in control.do("INFO", "errorstats")
    assert b"total_error_replies:1\r\n" in control.do("INFO", "stats")


def test_kill_by_all_filters_at_once(start_server):
    server = start_server()
    control, plain_client, subscriber = server.connect(), server.connect(), server.connect()
    subscriber_id = subscriber.do("CLIENT", "ID")
    subscriber.do("SUBSCRIBE", "c")
    path = str(server.socket_path) + ":0"
    plain_id = plain_client.do("CLIENT", "ID")
    for filters in (("TYPE", "pubsub"), ("ADDR", "nowhere:1"), ("LADDR", "nowhere:1"), ("ID", plain_id + 1000)):
        assert control.do("CLIENT", "KILL", "ID", plain_id, *filters) == 0
    assert control.do("CLIENT", "KILL", "ID", plain_id, "TYPE", "normal", "ADDR", path, "LADDR", path, "USER", "default",
                      "SKIPME", "yes") == 1
    assert plain_client.read_to_end() == b""
    assert control.do("CLIENT", "KILL", "TYPE", "pubsub", "ID", subscriber_id) == 1
    assert subscriber.read_to_end() == b""
    control_id = control.do("CLIENT", "ID")
    assert control.do("CLIENT", "KILL", "ID", control_id) == 0  # itself only when asked to
    assert control.do("CLIENT", "KILL", "ID", control_id, "SKIPME", "NO") == 1
    assert control.read_to_end() == b""


def test_list_of_several_ids(server):
    clients = [server.connect() for _ in range(4)]
    ids = [client.do("CLIENT", "ID") for client in clients]
    lines = clients[0].do("CLIENT", "LIST", "ID", ids[2], 999999, ids[1], ids[2]).decode().splitlines()
    assert [line.split()[0] for line in lines] == [f"id={ids[2]}", f"id={ids[1]}", f"id={ids[2]}"]


def client_memory(conn, name):
    for line in conn.do("CLIENT", "LIST").splitlines():
        if client_fields(line)["name"] == name:
            return int(client_fields(line)["omem"])
    return None


@pytest.mark.parametrize("leaves", [False, True])
def test_a_subscriber_that_does_not_read(start_server, leaves):
    """One that has said QUIT gets no more; others are closed at their limit, within a script too."""
    server = start_server("--client-output-buffer-limit", "pubsub 4mb 0 0")
    conn, subscriber = server.connect(), server.connect()
    subscriber.do("CLIENT", "SETNAME", "deaf")
    subscriber.do("SUBSCRIBE", "c")
    for _ in range(2):
        conn.do("PUBLISH", "c", "x" * 1_000_000)
    if leaves:
        subscriber.send("QUIT")
        wait_until(lambda: b"flags=PUc" in conn.do("CLIENT", "LIST"), what="the client to leave")
    before = int(re.search(rb"used_memory:(\d+)", conn.do("INFO", "memory")).group(1))
    conn.do("EVAL", "local v = string.rep('x', 1000000) for i = 1, 100 do redis.call('PUBLISH', 'c', v) end", "0")
    peak = int(re.search(rb"used_memory_peak:(\d+)", conn.do("INFO", "memory")).group(1))
    assert peak < before + 20_000_000
    if leaves:
        assert client_memory(conn, "deaf") < 4_000_000
    else:
        wait_until(lambda: client_memory(conn, "deaf") is None, what="the client to be closed")


def test_a_pipeline_that_asks_for_too_much(start_server):
    server = start_server("--client-output-buffer-limit", "normal 4mb 0 0")
    conn, greedy = server.connect(), server.connect()
    conn.do("SET", "k", "x" * 1_000_000)
    greedy.send_bytes(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" * 500)
    wait_until(lambda: b"connected_clients:1\r" in conn.do("INFO", "clients"), what="the client to be closed")
    peak = int(re.search(rb"used_memory_peak:(\d+)", conn.do("INFO", "memory")).group(1))
    assert peak < 40_000_000


def test_clients_that_do_not_read_their_last_reply_count(start_server):
    server = start_server("--maxclients", 4, "--io-threads", 1)
    with server.connect() as conn:
        conn.do("SET", "big", "x" * 10_000_000)
        lazy = [server.connect() for _ in range(3)]
        for connection in lazy:
            connection.send("GET", "big")
            connection.send("QUIT")
        # All three are to be closed, once they have read.
        wait_until(lambda: conn.do("INFO", "clients") and b"connected_clients:4" in conn.do("INFO", "clients"))
        refused = Connection(server.socket_path)
        assert refused.read() == (b"-", b"ERR max number of clients reached")
        # One that goes makes room.
        lazy[0].close()
        wait_until(lambda: b"connected_clients:3" in conn.do("INFO", "clients"))
        with Connection(server.socket_path) as welcome:
            assert welcome.do("PING") == b"PONG"
