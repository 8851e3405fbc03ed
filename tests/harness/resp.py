# SPDX-License-Identifier: BSD-3-Clause
"""A raw RESP2/RESP3 client for tests that compare replies to the letter.

A reply is kept as the server sent it, as a tuple (type, payload):

    (b"+", bytes)  (b"-", bytes)  (b":", bytes)  (b"$", bytes or None)  (b"*", list or None)       RESP2
    (b"_", b"")  (b"#", b"t" or b"f")  (b",", bytes)  (b"(", bytes)  (b"=", bytes)  (b"!", bytes)  RESP3
    (b"~", list)  (b">", list)  (b"%", [key, value, key, value...])  (b"|", the same)              RESP3

Numbers stay bytes, so ":01" is not ":1". plain() turns a reply into ordinary Python values.
Connection.raw() gives the bytes of one reply themselves.
"""

import socket

NIL = (b"$", None)
OK = (b"+", b"OK")
QUEUED = (b"+", b"QUEUED")

_LINES = b"+-:_#,("
_BULKS = b"$=!"
_AGGREGATES = b"*~>%|"


class ReplyError(Exception):
    """An error reply, raised by Connection.do()."""


class ProtocolError(Exception):
    """The server sent something that is not RESP."""


def encode(args):
    """One command as RESP: args are bytes, str, int or float."""
    out = [b"*%d\r\n" % len(args)]
    for arg in args:
        if not isinstance(arg, bytes):
            arg = str(arg).encode()
        out.append(b"$%d\r\n%s\r\n" % (len(arg), arg))
    return b"".join(out)


def plain(reply):
    """A reply as Python values: bytes, int, float, bool, None, list, dict, set as list; an error as ReplyError."""
    kind, payload = reply
    if payload is None or kind == b"_":
        return None
    if kind == b"-" or kind == b"!":
        return ReplyError(payload.decode("utf-8", "replace"))
    if kind == b":" or kind == b"(":
        return int(payload)
    if kind == b",":
        return float(payload)
    if kind == b"#":
        return payload == b"t"
    if kind == b"=":
        return payload[4:]
    if kind == b"%" or kind == b"|":
        values = [plain(item) for item in payload]
        return dict(zip(map(_hashable, values[::2]), values[1::2]))
    if kind in _AGGREGATES:
        return [plain(item) for item in payload]
    return payload


def _hashable(value):
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


class Connection:
    """One client connection: `target` is a unix socket's path or a TCP port on the loopback."""

    def __init__(self, target, protocol=2, timeout=30.0):
        if isinstance(target, int):
            self.socket = socket.create_connection(("127.0.0.1", target), timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(timeout)
            self.socket.connect(str(target))
        self._buffer = b""
        self._at = 0
        if protocol == 3:
            self.do("HELLO", 3)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # Sending.

    def send(self, *args):
        self.socket.sendall(encode(args))

    def send_bytes(self, data):
        self.socket.sendall(data)

    # Receiving.

    def read(self):
        """The next reply. EOFError when the server has closed the connection."""
        kind, line = self._line()
        if kind in _LINES:
            return kind, line
        length = int(line)
        if kind in _BULKS:
            if length < 0:
                return kind, None
            data = self._exactly(length + 2)
            if data[-2:] != b"\r\n":
                raise ProtocolError(f"bulk without CRLF: {data[-20:]!r}")
            return kind, data[:-2]
        if length < 0:
            return kind, None
        if kind == b"%" or kind == b"|":
            length *= 2
        return kind, [self.read() for _ in range(length)]

    def read_raw(self):
        """The next reply's bytes."""
        return serialize(self.read())

    def read_to_end(self):
        """Everything up to the close of the connection by the server."""
        out = [self._buffer[self._at:]]
        self._buffer, self._at = b"", 0
        try:
            while data := self.socket.recv(1 << 16):
                out.append(data)
        except ConnectionResetError:
            pass
        return b"".join(out)

    # Both.

    def call(self, *args):
        """Sends one command, returns its reply as a tuple (see the file's head)."""
        self.send(*args)
        return self.read()

    def raw(self, *args):
        """Sends one command, returns the bytes of its reply."""
        return serialize(self.call(*args))

    def do(self, *args):
        """Sends one command, returns its reply as Python values; raises ReplyError for an error reply."""
        value = plain(self.call(*args))
        if isinstance(value, ReplyError):
            raise value
        return value

    def error(self, *args):
        """Sends one command that must fail, returns the error's text."""
        value = plain(self.call(*args))
        assert isinstance(value, ReplyError), f"{args!r} should fail but replied {value!r}"
        return str(value)

    def pipeline(self, commands):
        """Sends all commands (argument lists) at once, returns the list of replies."""
        self.socket.sendall(b"".join(encode(command) for command in commands))
        return [self.read() for _ in commands]

    # Buffer.

    def _fill(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise EOFError("the server closed the connection")
        self._buffer = self._buffer[self._at:] + data
        self._at = 0

    def _line(self):
        while True:
            end = self._buffer.find(b"\r\n", self._at)
            if end >= 0:
                break
            self._fill()
        kind = self._buffer[self._at:self._at + 1]
        if kind == b"" or kind not in _LINES + _BULKS + _AGGREGATES:
            raise ProtocolError(f"unknown reply type: {self._buffer[self._at:end][:80]!r}")
        line = self._buffer[self._at + 1:end]
        self._at = end + 2
        return kind, line

    def _exactly(self, count):
        if len(self._buffer) - self._at < count:
            parts = [self._buffer[self._at:]]
            have = len(parts[0])
            while have < count:
                data = self.socket.recv(1 << 18)
                if not data:
                    raise EOFError("the server closed the connection inside a reply")
                parts.append(data)
                have += len(data)
            self._buffer = b"".join(parts)
            self._at = 0
        out = self._buffer[self._at:self._at + count]
        self._at += count
        return out


def serialize(reply):
    """The bytes a reply came in as."""
    kind, payload = reply
    if kind in _LINES:
        return kind + payload + b"\r\n"
    if payload is None:
        return kind + b"-1\r\n"
    if kind in _BULKS:
        return b"%s%d\r\n%s\r\n" % (kind, len(payload), payload)
    count = len(payload) // 2 if kind in b"%|" else len(payload)
    return b"%s%d\r\n" % (kind, count) + b"".join(serialize(item) for item in payload)
