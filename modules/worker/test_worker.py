# SPDX-License-Identifier: BSD-3-Clause
"""worker: jobs of blocked clients on a thread of the module's own."""

import pytest

from example_fixtures import *  # noqa: F401, F403
from harness.resp import ReplyError
from harness.server import wait_until

pytestmark = pytest.mark.thread

LONG = 10**15  # Rounds that no machine ends within a test.


def stats(conn):
    return dict(zip(*[iter(conn.do("worker.stats"))] * 2))


def fnv(text, rounds):
    value = 0xCBF29CE484222325
    for _ in range(rounds):
        for byte in text:
            value = (value ^ byte) * 0x100000001B3 % 2**64
    return b"%016x" % value


def test_hash(conn):
    for text, rounds in ((b"", 1), (b"a", 1), (b"hello\0world", 3), (bytes(range(256)), 100)):
        assert conn.do("worker.hash", text, rounds) == fnv(text, rounds)


def test_count(conn):
    conn.pipeline([["set", f"{'ab'[number % 2]}:{number}", "x"] for number in range(3000)])
    assert conn.do("worker.count", "a:") == 1500
    assert conn.do("worker.count", "") == 3000
    assert conn.do("worker.count", "none") == 0
    conn.do("select", 1)
    assert conn.do("worker.count", "") == 0


def test_wrong_use(conn):
    assert conn.error("worker.hash", "a") == "ERR wrong number of arguments for 'worker.hash' command"
    for rounds in ("x", 0, -1):
        assert conn.error("worker.hash", "a", rounds) == "ERR rounds must be a positive integer"
    assert conn.error("worker.hash", "a", 1, "timeout") == "ERR syntax error"
    assert conn.error("worker.hash", "a", 1, "soon", 1) == "ERR syntax error"
    assert conn.error("worker.hash", "a", 1, "timeout", -1) == "ERR timeout is not an integer or out of range"


def test_a_transaction_cannot_block(conn):
    conn.do("multi")
    conn.do("worker.hash", "a", 1)
    assert str(conn.do("exec")[0]) == "ERR the worker needs a client that can be blocked"


def test_many_clients_at_once(server, conn):
    clients = [server.connect() for _ in range(20)]
    before = stats(conn)[b"done"]
    for round_ in range(5):
        for number, client in enumerate(clients):
            client.send("worker.hash", f"client {number}", round_ + 1)
        for number, client in enumerate(clients):
            assert client.read()[1] == fnv(f"client {number}".encode(), round_ + 1)
    wait_until(lambda: stats(conn)[b"done"] == before + 100)


def test_others_are_served_meanwhile(server, conn):
    before = stats(conn)[b"cancelled"]
    blocked = server.connect()
    blocked.send("worker.hash", "a", LONG)
    wait_until(lambda: stats(conn)[b"running"] == 1)
    assert conn.do("ping") == b"PONG"
    assert b"blocked_clients:1" in conn.do("info", "clients")
    blocked.close()
    wait_until(lambda: stats(conn)[b"cancelled"] == before + 1)
    assert stats(conn)[b"running"] == 0


def test_timeout(server, conn):
    before = stats(conn)[b"cancelled"]
    first, second = server.connect(), server.connect()
    first.send("worker.hash", "a", LONG, "timeout", 300)
    wait_until(lambda: stats(conn)[b"running"] == 1)
    second.send("worker.hash", "b", LONG, "TIMEOUT", 1)
    # The second runs out while it waits for the first.
    assert second.read() == (b"$", None)
    assert first.read() == (b"$", None)
    wait_until(lambda: stats(conn)[b"cancelled"] == before + 2)
    assert first.do("ping") == b"PONG"
    assert first.do("worker.hash", "a", 1) == fnv(b"a", 1)


def test_client_unblock(server, conn):
    blocked = server.connect()
    client = blocked.do("client", "id")
    blocked.send("worker.hash", "a", LONG)
    wait_until(lambda: stats(conn)[b"running"] == 1)
    assert conn.do("client", "unblock", client, "timeout") == 1
    assert blocked.read() == (b"$", None)
    wait_until(lambda: stats(conn)[b"running"] == 0)


def test_unload(start_server, module_path):
    server = start_server("--loadmodule", module_path)
    conn = server.connect()
    assert conn.do("worker.hash", "a", 1) == fnv(b"a", 1)
    for _ in range(10):
        # Until the host has let go of the client that was just served.
        wait_until(lambda: unload(conn))
        assert "unknown command" in conn.error("worker.hash", "a", 1)
        assert conn.do("module", "load", str(module_path)) == b"OK"
        assert conn.do("worker.hash", "a", 1) == fnv(b"a", 1)


def unload(conn):
    try:
        return conn.do("module", "unload", "worker") == b"OK"
    except ReplyError:
        return False


def test_unload_with_a_job_at_work(start_server, module_path):
    server = start_server("--loadmodule", module_path)
    conn, blocked, waiting = server.connect(), server.connect(), server.connect()
    blocked.send("worker.hash", "a", LONG)
    wait_until(lambda: stats(conn)[b"running"] == 1)
    waiting.send("worker.hash", "b", LONG)
    wait_until(lambda: stats(conn)[b"waiting"] == 1)
    if unload(conn):
        # The host gave the blocked clients to OnUnload to end.
        for client in (blocked, waiting):
            kind, _ = client.read()
            assert kind == b"-"
    else:
        # The host refuses as long as clients are blocked.
        blocked.close()
        waiting.close()
        wait_until(lambda: stats(conn)[b"running"] + stats(conn)[b"waiting"] == 0)
        wait_until(lambda: unload(conn))
    assert conn.do("ping") == b"PONG"


def test_shutdown_with_a_job_at_work(start_server, module_path):
    server = start_server("--loadmodule", module_path)
    conn, blocked = server.connect(), server.connect()
    blocked.send("worker.hash", "a", LONG)
    wait_until(lambda: stats(conn)[b"running"] == 1)
    assert server.stop() == 0
