# SPDX-License-Identifier: BSD-3-Clause
"""The options of TLS: versions, ciphers, sessions, certificates at run time, what is refused and with which words."""

import random
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from harness.certificates import OPENSSL, TlsConnection, context, files, options, refused, tls_server  # noqa: F401
from harness.resp import Connection
from harness.server import binary_under_test, free_port, wait_until

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl command to make certificates with")

BAD_TLS = "ERR CONFIG SET failed (possibly related to argument '{}') - Unable to update TLS configuration. Check server logs."
BAD_PORT = "ERR CONFIG SET failed (possibly related to argument '{}') - Unable to listen on this port. Check server logs."


def get(connection, name):
    return connection.do("CONFIG", "GET", name)[1].decode()


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
