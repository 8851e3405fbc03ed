# SPDX-License-Identifier: BSD-3-Clause
"""Certificates for tests of TLS, made with the openssl command, a raw RESP connection over TLS, and the fixtures `files` and
`tls_server` of the tests that import them."""

import pathlib
import shutil
import socket
import ssl
import subprocess

import pytest

from harness.resp import Connection
from harness.server import free_port

OPENSSL = shutil.which("openssl")


def _openssl(*words):
    done = subprocess.run([OPENSSL, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


class Authority:
    """A certificate authority in a folder: its own certificate, and pairs that it signs."""

    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder)
        self.key, self.cert = self.folder / f"{name}.key", self.folder / f"{name}.crt"
        self._new_key(self.key)
        _openssl("req", "-x509", "-new", "-sha256", "-key", self.key, "-days", "3650", "-subj", f"/O=Backplane/CN={name}",
                 "-out", self.cert)

    @staticmethod
    def _new_key(path):
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)

    def pair(self, name):
        """A new key and a certificate for it with this common name: (cert, key) as paths."""
        key, cert, request = (self.folder / f"{name}.{kind}" for kind in ("key", "crt", "csr"))
        self._new_key(key)
        _openssl("req", "-new", "-sha256", "-key", key, "-subj", f"/O=Backplane/CN={name}", "-out", request)
        _openssl("x509", "-req", "-sha256", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-set_serial",
                 abs(hash(name)) % 10**9 + 1, "-days", "365", "-out", cert)
        return cert, key

    def encrypted(self, key, password):
        """A copy of a key that needs a password."""
        out = key.with_suffix(".locked.key")
        _openssl("ec", "-in", key, "-aes256", "-passout", f"pass:{password}", "-out", out)
        return out


def context(authority=None, pair=None):
    """What a client needs: it checks the server's certificate with `authority`, and shows `pair`."""
    made = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    made.check_hostname = False
    if authority is None:
        made.verify_mode = ssl.CERT_NONE
    else:
        made.load_verify_locations(authority.cert)
    if pair is not None:
        made.load_cert_chain(*pair)
    return made


class TlsConnection(Connection):
    """A raw RESP connection over TLS. Needs a TCP port."""

    def __init__(self, port, tls, protocol=2, timeout=30.0, session=None):
        plain = socket.create_connection(("127.0.0.1", port), timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = tls.wrap_socket(plain, session=session)
        self._buffer = b""
        self._at = 0
        if protocol == 3:
            self.do("HELLO", 3)


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


def refused(port, tls):
    """Whether the server does not let this client in. TLS 1.3 lets a client find out only when it reads."""
    try:
        with TlsConnection(port, tls) as connection:
            return connection.do("PING") != b"PONG"
    except (OSError, EOFError):
        return True
