# SPDX-License-Identifier: BSD-3-Clause
"""TLS for clients: the handshake and who may pass it, requests and replies, much data, broken peers."""

import os
import random
import shutil
import socket
import ssl
import struct
import subprocess

import pytest

from harness.certificates import OPENSSL, TlsConnection, context, files, options, refused, tls_server  # noqa: F401
from harness.resp import Connection
from harness.server import Server, build_folder, free_port, wait_until

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl command to make certificates with")

@pytest.fixture(scope="module")
def shared_server(files):
    port = free_port()
    with Server(options(files, port), tcp=False) as server:
        server.tls_port = port
        yield server


@pytest.fixture
def tls(server, files):
    connection = TlsConnection(server.tls_port, context(files.authority))
    yield connection
    connection.close()


def fields_of(line):
    return dict(field.partition("=")[::2] for field in line.decode().split())


# Talking.


def test_a_client_is_served(tls):
    assert tls.do("PING") == b"PONG"
    assert tls.raw("SET", "a", "1") == b"+OK\r\n"
    assert tls.do("GET", "a") == b"1"
    assert tls.error("NOSUCH").startswith("ERR unknown command 'NOSUCH'")
    assert tls.socket.version() == "TLSv1.3"


def test_client_list_and_info(server, tls):
    host, port = tls.socket.getsockname()
    fields = fields_of(tls.do("CLIENT", "INFO"))
    assert fields["addr"] == f"{host}:{port}" and fields["laddr"] == f"127.0.0.1:{server.tls_port}"
    assert fields["flags"] == "N"
    assert f"tcp_port:{server.tls_port}\r\n".encode() in tls.do("INFO", "server")


def test_info_names_the_listener(ours_only, server, tls):
    assert f"name=tls,bind=127.0.0.1,port={server.tls_port}\r\n".encode() in tls.do("INFO", "server")


def test_a_pipeline_and_both_protocols(server, files):
    for protocol in (2, 3):
        with TlsConnection(server.tls_port, context(files.authority), protocol) as connection:
            replies = connection.pipeline([["SET", f"k{i}", i] for i in range(3000)] + [["GET", "k2999"]])
            assert replies[-1] == (b"$", b"2999") and len(replies) == 3001
            assert connection.call("GET", "nokey") == ((b"_", b"") if protocol == 3 else (b"$", None))


@pytest.mark.parametrize("size", [1, 16383, 16384, 16385, 65536, 300_001, 20_000_000])
def test_values_of_any_size(tls, size):
    value = random.Random(size).randbytes(size)
    assert tls.do("SET", "big", value) == b"OK"
    assert tls.do("GET", "big") == value


def test_much_output_to_a_slow_reader(server, files, conn):
    """Writing stops in the middle of records again and again; other clients go on meanwhile."""
    value = random.Random(7).randbytes(400_000)
    conn.do("SET", "big", value)
    with TlsConnection(server.tls_port, context(files.authority)) as slow:
        slow.send_bytes(b"GET big\r\n" * 60)
        assert conn.do("PING") == b"PONG"
        for _ in range(60):
            assert slow.read() == (b"$", value)


def test_many_small_replies_and_large_ones_between(tls):
    value = b"v" * 40_000
    tls.do("SET", "large", value)
    commands = [["GET", "large"] if i % 50 == 0 else ["ECHO", "x" * (i % 200)] for i in range(4000)]
    for command, reply in zip(commands, tls.pipeline(commands)):
        assert reply == (b"$", value if command[0] == "GET" else command[1].encode())


def test_requests_behind_a_blocking_command(server, conn, tls):
    """They came in one record with it: once it ends nothing more arrives at the socket."""
    tls.send_bytes(b"BLPOP list 0\r\nECHO after\r\n")
    wait_until(lambda: b"blocked_clients:1" in conn.do("INFO", "clients"))
    conn.do("RPUSH", "list", "x")
    assert tls.do("PING") == [b"list", b"x"]
    assert tls.read() == (b"$", b"after")
    assert tls.read() == (b"+", b"PONG")


def test_more_than_one_buffer_behind_a_blocking_command(server, conn, tls):
    count = 20_000
    tls.send_bytes(b"BLPOP list 0\r\n")
    wait_until(lambda: b"blocked_clients:1" in conn.do("INFO", "clients"))
    tls.send_bytes(b"PING\r\n" * count)
    conn.do("RPUSH", "list", "x")
    assert tls.read() == (b"*", [(b"$", b"list"), (b"$", b"x")])
    for _ in range(count):
        assert tls.read() == (b"+", b"PONG")


def test_messages_reach_a_subscriber(server, conn, tls):
    tls.do("SUBSCRIBE", "news")
    assert conn.do("PUBLISH", "news", "x" * 30_000) == 1
    assert tls.read() == (b"*", [(b"$", b"message"), (b"$", b"news"), (b"$", b"x" * 30_000)])


def test_the_last_reply_comes_before_the_close(server, files):
    """The request and the client's goodbye come together."""
    for _ in range(20):
        with TlsConnection(server.tls_port, context(files.authority)) as connection:
            connection.send_bytes(b"ECHO last\r\nQUIT\r\n")
            assert connection.read_to_end() == b"$4\r\nlast\r\n+OK\r\n", "and a close_notify, or Python would object"


def test_openssl_s_client_one_shot(server):
    done = subprocess.run([OPENSSL, "s_client", "-connect", f"127.0.0.1:{server.tls_port}", "-quiet"], capture_output=True,
                          input=b"ECHO hello\r\nQUIT\r\n", timeout=30)
    assert b"$5\r\nhello\r\n+OK\r\n" in done.stdout


def test_client_kill_ends_the_connection(server, conn, tls):
    number = tls.do("CLIENT", "ID")
    assert conn.do("CLIENT", "KILL", "ID", number) == 1
    assert tls.read_to_end() == b""


def test_redis_cli(server, files):
    cli = shutil.which("redis-cli")
    if cli is None:
        pytest.skip("there is no redis-cli")
    done = subprocess.run([cli, "-p", str(server.tls_port), "--tls", "--cacert", files.authority.cert, "--cert",
                           files.client[0], "--key", files.client[1], "ECHO", "hello"], capture_output=True, timeout=30)
    assert done.stdout == b"hello\n", done.stderr


def test_redis_py(server, files):
    redis = pytest.importorskip("redis")
    client = redis.Redis(port=server.tls_port, ssl=True, ssl_ca_certs=str(files.authority.cert), ssl_check_hostname=False,
                         ssl_certfile=str(files.client[0]), ssl_keyfile=str(files.client[1]))
    assert client.set("a", "b" * 100_000) and client.get("a") == b"b" * 100_000
    with client.pipeline() as pipeline:
        for _ in range(1000):
            pipeline.incr("counter")
        assert pipeline.execute() == list(range(1, 1001))
    client.close()


def test_a_plain_port_beside_the_tls_port(start_server, files):
    port = free_port()
    server = start_server(*options(files, port))
    with Connection(server.port) as plain, TlsConnection(port, context(files.authority)) as tls:
        assert plain.do("PING") == tls.do("PING") == b"PONG"
        assert f"tcp_port:{server.port}\r\n".encode() in plain.do("INFO", "server")


# Who may come in.


def test_a_plain_client_at_the_tls_port_is_closed(server):
    with Connection(server.tls_port) as plain:
        plain.send_bytes(b"PING\r\n")
        assert b"PONG" not in plain.read_to_end()
    server.wait_for_log(r"Error accepting a client connection: .*wrong version number|.*http request")


def test_auth_clients(tls_server, files):
    server = tls_server()
    admin = server.connect()
    nobody, ours, stranger = context(files.authority), context(files.authority, files.client), context(
        files.authority, files.stranger)
    for setting, expected in (("optional", (False, False, True)), ("yes", (True, False, True)), ("no", (False, False, False))):
        assert admin.do("CONFIG", "SET", "tls-auth-clients", setting) == b"OK"
        assert tuple(refused(server.tls_port, each) for each in (nobody, ours, stranger)) == expected, setting


def test_auth_clients_is_on_by_default(start_server, files):
    port = free_port()
    cert, key = files.server
    server = start_server("--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file",
                          files.authority.cert, tcp=False)
    assert refused(port, context(files.authority))
    assert not refused(port, context(files.authority, files.client))
    assert server.connect().do("CONFIG", "GET", "tls-auth-clients")[1] == b"yes"


def test_a_folder_of_authorities(start_server, files, tmp_path):
    shutil.copy(files.authority.cert, tmp_path / "a.pem")
    subprocess.run([OPENSSL, "rehash", tmp_path], check=True, capture_output=True)
    port = free_port()
    cert, key = files.server
    start_server("--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-dir", tmp_path, tcp=False)
    assert not refused(port, context(files.authority, files.client))
    assert refused(port, context(files.authority, files.stranger))


def test_password_and_maxclients(tls_server, files):
    server = tls_server("--requirepass", "secret", "--maxclients", 2)
    first = TlsConnection(server.tls_port, context(files.authority))
    assert first.error("PING").startswith("NOAUTH")
    assert first.do("AUTH", "secret") == b"OK"
    with Connection(server.socket_path):
        with socket.create_connection(("127.0.0.1", server.tls_port), 30) as third:
            assert third.recv(100) == b"", "no plain text, which a TLS client could not read"
    assert b"rejected_connections:1" in first.do("INFO", "stats")
    first.close()


# Broken peers.


def client_hello(files, port):
    """The first bytes that a client sends."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context(files.authority).wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


def send_and_leave(port, data, reset=False):
    with socket.create_connection(("127.0.0.1", port), 30) as peer:
        try:
            for at in range(0, len(data), 997):
                peer.sendall(data[at:at + 997])
        except OSError:
            pass
        if reset:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_broken_handshakes_do_no_harm(tls_server, files):
    server = tls_server()
    admin = server.connect()
    rng = random.Random(20)
    hello = client_hello(files, server.tls_port)
    for _ in range(300):
        kind = rng.randrange(5)
        data = bytearray(hello)
        if kind == 0:
            data = rng.randbytes(rng.randrange(1, 4000))
        elif kind == 1:
            data = data[:rng.randrange(len(data))]
        elif kind == 2:
            for _ in range(rng.randrange(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
        elif kind == 3:
            data += rng.randbytes(rng.randrange(1, 20000))
        else:
            data = b"\x16\x03\x01" + struct.pack(">H", rng.randrange(65536)) + rng.randbytes(rng.randrange(300))
        send_and_leave(server.tls_port, bytes(data), rng.random() < 0.3)
        if rng.randrange(20) == 0:
            assert not refused(server.tls_port, context(files.authority))
    assert admin.do("PING") == b"PONG"
    wait_until(lambda: len(admin.do("CLIENT", "LIST").splitlines()) == 1, what="the end of all broken connections")


def test_garbage_after_the_handshake(tls_server, files):
    """Records that do not decrypt, in the middle of requests."""
    server = tls_server()
    admin = server.connect()
    rng = random.Random(21)
    for _ in range(60):
        plain = socket.create_connection(("127.0.0.1", server.tls_port), 30)
        tls = context(files.authority).wrap_socket(plain)
        tls.sendall(b"SET k " + b"v" * rng.randrange(2000) + rng.choice([b"\r\n", b""]))
        handle = socket.socket(fileno=os.dup(tls.fileno()))
        handle.settimeout(30)
        os.close(tls.detach())
        try:
            handle.sendall(b"\x17\x03\x03" + struct.pack(">H", rng.randrange(1, 16384)) + rng.randbytes(rng.randrange(20000)))
        except OSError:
            pass
        handle.close()
    assert not refused(server.tls_port, context(files.authority))
    wait_until(lambda: len(admin.do("CLIENT", "LIST").splitlines()) == 1, what="the end of all broken connections")


def test_a_handshake_one_byte_at_a_time(tls_server, files):
    server = tls_server()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context(files.authority, files.client).wrap_bio(incoming, outgoing)
    with socket.create_connection(("127.0.0.1", server.tls_port), 30) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def until(call):
            while True:
                try:
                    done = call()
                except ssl.SSLWantReadError:
                    done = None
                for byte in outgoing.read():
                    peer.sendall(bytes([byte]))
                if done is not None:
                    return done
                incoming.write(peer.recv(1))

        until(lambda: session.do_handshake() or True)
        session.write(b"PING\r\n")
        assert until(lambda: session.read(100)) == b"+PONG\r\n"


def test_a_silent_peer_is_closed(ours_only, tls_server, files):
    server = tls_server()
    with socket.create_connection(("127.0.0.1", server.tls_port), 60) as peer:
        assert peer.recv(1) == b""
    server.wait_for_log("Error accepting a client connection: handshake took too long")
    assert not refused(server.tls_port, context(files.authority))


def test_many_clients_at_once(tls_server, files):
    server = tls_server()
    tls = context(files.authority)
    connections = [TlsConnection(server.tls_port, tls) for _ in range(100)]
    for number, connection in enumerate(connections):
        connection.send("ECHO", number)
    for number, connection in enumerate(connections):
        assert connection.read() == (b"$", str(number).encode())
    for connection in connections:
        connection.close()


# Modules.


def test_modules_see_the_certificate(ours_only, tls_server, files):
    path = build_folder() / "tests/modules/misc.so"
    if not path.exists():
        pytest.skip(f"no {path}")
    server = tls_server("--loadmodule", path)
    admin = server.connect()
    with TlsConnection(server.tls_port, context(files.authority, files.client)) as known, \
            TlsConnection(server.tls_port, context(files.authority)) as unknown:
        number, other = known.do("CLIENT", "ID"), unknown.do("CLIENT", "ID")
        text = known.do("misc.certificate", number)
        assert text == files.client[0].read_bytes()
        assert admin.do("misc.certificate", number) == text
        assert unknown.do("misc.certificate", other) is None
        flags = known.do("misc.client", number)[2]
        assert flags & 1 == 1, "REDISMODULE_CLIENTINFO_FLAG_SSL"
        assert admin.do("misc.client")[2] & 1 == 0
