# SPDX-License-Identifier: BSD-3-Clause
"""What the kernel tells of a socket once only: input beyond what one read takes, its end, and what comes while a script runs
long, with I/O threads and without."""

import os
import signal
import socket
import time

import pytest

from harness.resp import encode
from harness.server import wait_until

FOREVER = encode(["EVAL", "while true do end", 0])
BUSY = b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
THREADS = {"one thread": (), "I/O threads": ("--io-threads", 4, "--io-threads-do-reads", "yes")}


@pytest.fixture(params=THREADS.values(), ids=THREADS.keys())
def server(start_server, request):
    return start_server("--busy-reply-threshold", 50, *request.param)


@pytest.fixture(params=[False, True], ids=["unix", "tcp"])
def tcp(request):
    return request.param


class Standing:
    """The server stands still within: what is sent meanwhile it is told at once."""

    def __init__(self, server):
        self.pid = server.pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)


def test_clients_that_leave_behind_much_input(server, tcp):
    control = server.connect()
    request = encode(["ECHO", "x" * 1000]) * 150
    for _ in range(30):
        client = server.connect(tcp=tcp)
        client.send_bytes(request)
        client.close()
    wait_until(lambda: len(control.do("CLIENT", "LIST").splitlines()) == 1, what="the clients to be gone")


@pytest.mark.parametrize("size", [60_000, 66_000, 132_000])
def test_the_end_behind_input_of_any_size(server, tcp, size):
    client = server.connect(tcp=tcp)
    requests = size // 1000
    with Standing(server):
        client.send_bytes(encode(["PING", "x" * 977]) * requests)
        client.socket.shutdown(socket.SHUT_WR)
    assert client.read_to_end() == (b"$977\r\n" + b"x" * 977 + b"\r\n") * requests


def test_who_came_with_the_script_is_told(server, tcp):
    """The loop was told of all of them at once, and is within the script when it comes to the others."""
    runner, *others = (server.connect(tcp=tcp) for _ in range(20))
    with Standing(server):
        runner.send_bytes(FOREVER)
        for other in others:
            other.send("PING")
    assert {other.read()[1] for other in others} == {BUSY}
    assert others[0].do("SCRIPT", "KILL") == b"OK"
    assert b"Script killed" in runner.read()[1]


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("how", ["resumed", "second read"])
def test_input_behind_the_kill_of_a_script(server, how, ends):
    """The script runs out of what is done before the loop waits: for a client that had waited, or had much to say."""
    runner, killer, control = server.connect(), server.connect(), server.connect()
    if how == "resumed":
        runner.send_bytes(encode(["BLPOP", "key", 0]) + FOREVER)
        wait_until(lambda: b"cmd=blpop" in control.do("CLIENT", "LIST"), what="the client to wait")
        control.send("LPUSH", "key", "value")
    else:
        runner.send_bytes(encode(["PING"]) * 5000 + FOREVER)
    time.sleep(0.3)  # the script is long by then
    if ends:
        with Standing(server):
            killer.send("SCRIPT", "KILL")
            killer.socket.shutdown(socket.SHUT_WR)
        assert killer.read_to_end() == b"+OK\r\n"
        return
    pings = 10_000
    killer.send_bytes(encode(["SCRIPT", "KILL"]) + encode(["PING"]) * pings)
    assert killer.read() == (b"+", b"OK")
    for _ in range(pings):
        killer.read()


def test_replies_to_who_ends_while_a_script_runs(start_server):
    """The end comes between the turn that was told of the request and the one that delivers it."""
    server = start_server("--busy-reply-threshold", 400)
    clients = [server.connect(tcp=True) for _ in range(9)]
    runner = clients.pop(4)
    with Standing(server):
        for client in clients[:4]:
            client.send("PING")
        runner.send_bytes(FOREVER)
        for client in clients[4:]:
            client.send("PING")
    time.sleep(0.1)
    for client in clients:
        client.socket.shutdown(socket.SHUT_WR)
    replies = [client.read_to_end() for client in clients]
    assert set(replies) <= {b"+PONG\r\n", b"-" + BUSY + b"\r\n"}
    assert server.connect().do("SCRIPT", "KILL") == b"OK"
