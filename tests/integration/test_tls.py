# SPDX-License-Identifier: BSD-3-Clause
"""TLS for clients: the handshake and who may pass it, options and their change at run time, much data, broken peers."""

import os
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess

import pytest

from harness.certificates import OPENSSL, Authority, TlsConnection, context
from harness.resp import Connection
from harness.server import Server, binary_under_test, build_folder, free_port, wait_until

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl command to make certificates with")

BAD_TLS = "ERR CONFIG SET failed (possibly related to argument '{}') - Unable to update TLS configuration. Check server logs."
BAD_PORT = "ERR CONFIG SET failed (possibly related to argument '{}') - Unable to listen on this port. Check server logs."


class Files:
    def __init__(self, folder):
        self.authority = Authority(folder)
        self.server = self.authority.pair("server")
        self.second = self.authority.pair("second")
        self.client = self.authority.pair("client")
        self.stranger = Authority(folder, "stranger").pair("nobody")
        self.locked_key = self.authority.encrypted(self.server[1], "secret")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("certificates"))


def options(files, port, *more):
    cert, key = files.server
    return ["--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", files.authority.cert,
            "--tls-auth-clients", "optional", *more]


@pytest.fixture
def tls_server(start_server, files):
    """tls_server("--maxclients", 5): a server with a TLS port, without a plain one (its Unix socket is there)."""
    def start(*more, **arguments):
        port = free_port()
        server = start_server(*options(files, port, *more), tcp=False, **arguments)
        server.tls_port = port
        return server
    return start


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


def get(connection, name):
    return connection.do("CONFIG", "GET", name)[1].decode()


def refused(port, tls):
    """Whether the server does not let this client in. TLS 1.3 lets a client find out only when it reads."""
    try:
        with TlsConnection(port, tls) as connection:
            return connection.do("PING") != b"PONG"
    except (OSError, EOFError):
        return True


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
    assert get(server.connect(), "tls-auth-clients") == "yes"


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


# Versions, ciphers, sessions.


def version_of(port, files, least, most):
    tls = context(files.authority)
    tls.minimum_version, tls.maximum_version = least, most
    try:
        with TlsConnection(port, tls) as connection:
            assert connection.do("PING") == b"PONG"
            return connection.socket.version()
    except OSError:
        return None


def test_protocols(tls_server, files):
    server = tls_server()
    admin = server.connect()
    v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    assert version_of(server.tls_port, files, v12, v13) == "TLSv1.3"
    assert version_of(server.tls_port, files, v12, v12) == "TLSv1.2"
    assert admin.do("CONFIG", "SET", "tls-protocols", "TLSv1.2") == b"OK"
    assert version_of(server.tls_port, files, v12, v13) == "TLSv1.2"
    assert version_of(server.tls_port, files, v13, v13) is None
    assert admin.do("CONFIG", "SET", "tls-protocols", "tlsv1.3") == b"OK", "case does not matter"
    assert version_of(server.tls_port, files, v12, v12) is None
    assert version_of(server.tls_port, files, v12, v13) == "TLSv1.3"
    for bad in ("bogus", "TLSv1.2,TLSv1.3"):
        assert admin.error("CONFIG", "SET", "tls-protocols", bad) == BAD_TLS.format("tls-protocols")
    assert get(admin, "tls-protocols") == "tlsv1.3"
    server.wait_for_log("Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'")


def cipher_of(port, files, ciphers):
    tls = context(files.authority)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers(ciphers)
    try:
        with TlsConnection(port, tls) as connection:
            return connection.socket.cipher()[0]
    except OSError:
        return None


def test_ciphers(tls_server, files):
    small, large = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
    server = tls_server()
    admin = server.connect()
    assert cipher_of(server.tls_port, files, f"{small}:{large}") == small
    assert admin.do("CONFIG", "SET", "tls-ciphers", large) == b"OK"
    assert cipher_of(server.tls_port, files, f"{small}:{large}") == large
    assert cipher_of(server.tls_port, files, small) is None
    admin.do("CONFIG", "SET", "tls-ciphers", f"{small}:{large}")
    assert cipher_of(server.tls_port, files, f"{large}:{small}") == large, "the client's wish"
    admin.do("CONFIG", "SET", "tls-prefer-server-ciphers", "yes")
    assert cipher_of(server.tls_port, files, f"{large}:{small}") == small, "the server's"
    assert admin.error("CONFIG", "SET", "tls-ciphers", "bogus") == BAD_TLS.format("tls-ciphers")
    assert get(admin, "tls-ciphers") == f"{small}:{large}"


def test_ciphersuites(tls_server, files):
    server = tls_server()
    admin = server.connect()
    for suite in ("TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"):
        assert admin.do("CONFIG", "SET", "tls-ciphersuites", suite) == b"OK"
        with TlsConnection(server.tls_port, context(files.authority)) as connection:
            assert connection.socket.cipher()[0] == suite
    assert admin.error("CONFIG", "SET", "tls-ciphersuites", "bogus") == BAD_TLS.format("tls-ciphersuites")


def resumed(port, files, version):
    """Whether a second connection takes the session of a first one up again."""
    tls = context(files.authority)
    tls.maximum_version = version
    with TlsConnection(port, tls) as first:
        assert first.do("PING") == b"PONG"
        session = first.socket.session
    with TlsConnection(port, tls, session=session) as second:
        assert second.do("PING") == b"PONG"
        return second.socket.session_reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_session_caching(tls_server, files, version):
    server = tls_server()
    assert resumed(server.tls_port, files, version)
    admin = server.connect()
    for name in ("tls-session-cache-size", "tls-session-cache-timeout"):
        assert admin.do("CONFIG", "SET", name, 60) == b"OK"
        assert resumed(server.tls_port, files, version)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_session_caching(ours_only, tls_server, files, version):
    """Without tickets either, which are a cache at the client. (Redis goes on handing them out.)"""
    server = tls_server("--tls-session-caching", "no")
    assert not resumed(server.tls_port, files, version)


def test_a_session_does_not_outlive_the_rules_it_was_made_under(ours_only, tls_server, files):
    """Redis takes it up again, without asking for the certificate."""
    server = tls_server()
    tls = context(files.authority)
    with TlsConnection(server.tls_port, tls) as first:
        assert first.do("PING") == b"PONG"
        session = first.socket.session
    server.connect().do("CONFIG", "SET", "tls-auth-clients", "yes")
    with pytest.raises((OSError, EOFError)):
        with TlsConnection(server.tls_port, tls, session=session) as second:
            second.do("PING")


def test_renegotiation_is_off(tls_server, files):
    server = tls_server()
    with subprocess.Popen([OPENSSL, "s_client", "-connect", f"127.0.0.1:{server.tls_port}", "-tls1_2"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        out, _ = process.communicate(b"R\nPING\r\n", timeout=30)
    assert b"no renegotiation" in out.lower() or b"+PONG" not in out
    assert not refused(server.tls_port, context(files.authority)), "others are served on"


# CONFIG.


DEFAULTS = {
    "tls-port": "0", "tls-cert-file": "", "tls-key-file": "", "tls-key-file-pass": "", "tls-client-cert-file": "",
    "tls-client-key-file": "", "tls-client-key-file-pass": "", "tls-dh-params-file": "", "tls-ca-cert-file": "",
    "tls-ca-cert-dir": "", "tls-auth-clients": "yes", "tls-protocols": "", "tls-ciphers": "", "tls-ciphersuites": "",
    "tls-prefer-server-ciphers": "no", "tls-session-caching": "yes", "tls-session-cache-size": "20480",
    "tls-session-cache-timeout": "300"}


def test_defaults(start_server):
    connection = start_server().connect()
    found = connection.do("CONFIG", "GET", "tls-*")
    found = {name.decode(): value.decode() for name, value in zip(found[::2], found[1::2])}
    for name in ("tls-cluster", "tls-replication"):
        found.pop(name, None)
    assert found == DEFAULTS


def test_ranges_of_values(conn):
    failed = "ERR CONFIG SET failed (possibly related to argument '{}') - {}"
    for name, value, why in (
            ("tls-port", "65536", "argument must be between 0 and 65535 inclusive"),
            ("tls-auth-clients", "maybe", "argument(s) must be one of the following: no, yes, optional"),
            ("tls-session-cache-size", "-1", "argument must be between 0 and 2147483647 inclusive"),
            ("tls-session-cache-timeout", "-1", "argument must be between 0 and 2147483647 inclusive"),
            ("tls-session-caching", "x", "argument must be 'yes' or 'no'"),
            ("tls-prefer-server-ciphers", "x", "argument must be 'yes' or 'no'")):
        assert conn.error("CONFIG", "SET", name, value) == failed.format(name, why)


def shown_by(port, files):
    """The common name of the certificate that the server shows."""
    with TlsConnection(port, context(files.authority)) as connection:
        subject = dict(part[0] for part in connection.socket.getpeercert()["subject"])
        return subject["commonName"]


def test_a_new_certificate_at_run_time(tls_server, files):
    server = tls_server()
    admin = server.connect()
    old = TlsConnection(server.tls_port, context(files.authority))
    assert shown_by(server.tls_port, files) == "server"
    cert, key = files.second
    assert admin.error("CONFIG", "SET", "tls-cert-file", cert) == BAD_TLS.format("tls-cert-file"), "the key is another's"
    assert get(admin, "tls-cert-file") == str(files.server[0])
    assert shown_by(server.tls_port, files) == "server"
    assert admin.do("CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key) == b"OK"
    assert shown_by(server.tls_port, files) == "second"
    assert old.do("PING") == b"PONG", "who was in stays in"


def test_the_same_files_are_read_again(start_server, files, tmp_path):
    cert, key = tmp_path / "c.crt", tmp_path / "c.key"
    for source, target in zip(files.server, (cert, key)):
        shutil.copy(source, target)
    port = free_port()
    server = start_server("--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no",
                          tcp=False)
    for source, target in zip(files.second, (cert, key)):
        shutil.copy(source, target)
    assert shown_by(port, files) == "server"
    assert server.connect().do("CONFIG", "SET", "tls-cert-file", cert) == b"OK"
    assert shown_by(port, files) == "second"


def test_bad_files_change_nothing(tls_server, files, tmp_path):
    server = tls_server()
    admin = server.connect()
    garbage = tmp_path / "garbage.pem"
    garbage.write_bytes(random.Random(1).randbytes(4000))
    before = admin.do("CONFIG", "GET", "tls-*")
    for name in ("tls-cert-file", "tls-key-file", "tls-ca-cert-file", "tls-dh-params-file"):
        for path in ("/nonexistent", garbage, tmp_path):
            assert admin.error("CONFIG", "SET", name, path) == BAD_TLS.format(name), (name, path)
    assert admin.error("CONFIG", "SET", "tls-ca-cert-file", "") == BAD_TLS.format("tls-ca-cert-file")
    assert admin.error("CONFIG", "SET", "tls-client-cert-file", "/nonexistent", "tls-client-key-file", "/nonexistent") == (
        BAD_TLS.format("tls-client-cert-file"))
    assert admin.do("CONFIG", "GET", "tls-*") == before
    assert shown_by(server.tls_port, files) == "server"
    server.wait_for_log("Failed to load certificate: /nonexistent: error:80000002:system library::No such file or directory")


def test_the_option_at_fault_is_named(tls_server):
    admin = tls_server().connect()
    assert admin.error("CONFIG", "SET", "hz", 11, "tls-cert-file", "/x") == BAD_TLS.format("tls-cert-file")
    assert admin.error("CONFIG", "SET", "tls-key-file", "/x", "tls-cert-file", "/x") == BAD_TLS.format("tls-key-file")
    assert admin.error("CONFIG", "SET", "tls-port", free_port(), "tls-cert-file", "/x") == BAD_TLS.format("tls-cert-file")
    assert get(admin, "hz") == "10"


def test_a_locked_key(tls_server, files):
    server = tls_server()
    admin = server.connect()
    locked = files.locked_key
    assert admin.error("CONFIG", "SET", "tls-key-file", locked) == BAD_TLS.format("tls-key-file")
    assert admin.error("CONFIG", "SET", "tls-key-file", locked, "tls-key-file-pass", "wrong") == BAD_TLS.format("tls-key-file")
    assert admin.do("CONFIG", "SET", "tls-key-file", locked, "tls-key-file-pass", "secret") == b"OK"
    assert not refused(server.tls_port, context(files.authority))
    assert "secret" not in server.log()


def test_a_client_pair_is_checked(tls_server, files):
    admin = tls_server().connect()
    cert, key = files.client
    assert admin.do("CONFIG", "SET", "tls-client-cert-file", cert, "tls-client-key-file", key) == b"OK"
    assert admin.error("CONFIG", "SET", "tls-client-key-file", files.server[1]) == BAD_TLS.format("tls-client-key-file")


def test_dh_parameters(tls_server, files, tmp_path):
    """ffdhe2048, as everybody may use it; 1024 bits of one's own would take a minute to make."""
    path = tmp_path / "dh.pem"
    subprocess.run([OPENSSL, "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", path],
                   check=True, capture_output=True)
    server = tls_server()
    admin = server.connect()
    assert admin.do("CONFIG", "SET", "tls-dh-params-file", path) == b"OK"
    assert not refused(server.tls_port, context(files.authority))


def test_turning_tls_on_and_off(start_server, files):
    server = start_server()
    admin, port = server.connect(), free_port()
    assert admin.do("CONFIG", "SET", "tls-cert-file", "/nonexistent") == b"OK", "nobody asks for it yet"
    assert admin.error("CONFIG", "SET", "tls-port", port) == BAD_TLS.format("tls-port")
    assert get(admin, "tls-port") == "0"
    cert, key = files.server
    admin.do("CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key)
    assert admin.error("CONFIG", "SET", "tls-port", port) == BAD_TLS.format("tls-port"), "clients cannot be checked"
    admin.do("CONFIG", "SET", "tls-ca-cert-file", files.authority.cert)
    assert admin.do("CONFIG", "SET", "tls-port", port) == b"OK"
    tls = TlsConnection(port, context(files.authority, files.client))
    assert tls.do("CONFIG", "SET", "port", "0") == b"OK", "only TLS"
    assert f"tcp_port:{port}\r\n".encode() in tls.do("INFO", "server")
    with pytest.raises(ConnectionRefusedError):
        Connection(server.port)
    assert tls.do("CONFIG", "SET", "tls-port", "0", "port", server.port) == b"OK"
    assert tls.do("PING") == b"PONG"
    with pytest.raises(ConnectionRefusedError):
        TlsConnection(port, context(files.authority, files.client))
    with Connection(server.port) as plain:
        assert plain.do("PING") == b"PONG"


def test_a_port_that_is_taken(tls_server, files):
    server = tls_server()
    admin = server.connect()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert admin.error("CONFIG", "SET", "tls-port", taken) == BAD_PORT.format("tls-port")
        assert get(admin, "tls-port") == str(server.tls_port)
        assert not refused(server.tls_port, context(files.authority))
    assert admin.error("CONFIG", "SET", "port", server.tls_port) == BAD_PORT.format("port")
    assert not refused(server.tls_port, context(files.authority))


def test_rewrite(ours_only, start_server, files, tmp_path):
    path, port = tmp_path / "server.conf", free_port()
    cert, key = files.server
    path.write_text(f'port 0\nbind 127.0.0.1\nsave ""\nunixsocket {tmp_path}/s\ntls-port {port}\ntls-cert-file {cert}\n'
                    f"tls-key-file {key}\ntls-ca-cert-file {files.authority.cert}\n")

    def run(check):
        process = subprocess.Popen([binary_under_test(), str(path)], stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: not refused(port, context(files.authority, files.client)), what="the start")
            check()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0

    def change():
        with TlsConnection(port, context(files.authority, files.client)) as connection:
            cert, key = files.second
            connection.do("CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key, "tls-auth-clients", "optional",
                          "tls-protocols", "TLSv1.2 TLSv1.3", "tls-session-caching", "no", "tls-key-file-pass", "a b")
            assert connection.do("CONFIG", "REWRITE") == b"OK"

    def look():
        assert shown_by(port, files) == "second"
        with TlsConnection(port, context(files.authority)) as connection:
            for name, value in (("tls-protocols", "TLSv1.2 TLSv1.3"), ("tls-session-caching", "no"),
                                ("tls-auth-clients", "optional"), ("tls-key-file-pass", "a b")):
                assert get(connection, name) == value

    run(change)
    run(look)


@pytest.mark.parametrize("words,reason", [
    ([], "No tls-cert-file configured!"),
    (["--tls-cert-file", "CERT"], "No tls-key-file configured!"),
    (["--tls-cert-file", "CERT", "--tls-key-file", "KEY"], "Either tls-ca-cert-file or tls-ca-cert-dir must be specified"),
    (["--tls-cert-file", "/x", "--tls-key-file", "KEY", "--tls-auth-clients", "no"], "Failed to load certificate: /x: "),
    (["--tls-cert-file", "CERT", "--tls-key-file", "/x", "--tls-auth-clients", "no"], "Failed to load private key: /x: "),
])
def test_no_start_without_a_context(start_server, files, words, reason):
    words = [str({"CERT": files.server[0], "KEY": files.server[1]}.get(word, word)) for word in words]
    server = start_server("--tls-port", free_port(), *words, start=False)
    server.launch()
    assert server.wait(30) == 1
    assert reason in server.log()
    assert "Failed to configure TLS. Check logs for more info." in server.log()


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
