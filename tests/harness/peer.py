# SPDX-License-Identifier: BSD-3-Clause
"""A server of a few lines that answers what it was told to, whatever it is asked: for tests of what our server sends."""

import socket
import threading

CLOSE = object()


class ScriptedPeer:
    """Listens on the loopback. Each arrival of bytes takes the next of `answers`: bytes to send, or CLOSE.

    `seen` has one entry for each event: ("open", n), ("bytes", n, what) and ("closed", n), n counting connections.
    """

    def __init__(self, answers=()):
        self.answers = list(answers)
        self.seen = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            number = len(self._open)
            self.seen.append(("open", number))
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        try:
            while data := connection.recv(1 << 20):
                self.seen.append(("bytes", number, data))
                answer = self.answers.pop(0) if self.answers else b""
                if answer is CLOSE:
                    connection.close()
                    return
                connection.sendall(answer)
        except OSError:
            return
        self.seen.append(("closed", number))
