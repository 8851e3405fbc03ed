# SPDX-License-Identifier: BSD-3-Clause
"""Thread-safe contexts and the host lock, from several threads."""

import pytest

from harness.server import wait_until

MODULES = ["threads"]
pytestmark = pytest.mark.thread


@pytest.fixture(autouse=True)
def all_ended(conn):
    yield
    wait_until(lambda: conn.do("threads.running") == 0)


def test_calls_from_a_thread(conn):
    assert conn.do("threads.increment", 100) == 100
    assert conn.do("get", "counter") == b"100"


def test_calls_from_many_threads(server, conn):
    clients = [server.connect() for _ in range(8)]
    for client in clients:
        client.send("threads.increment", 200)
    for _ in range(200):
        assert conn.do("incr", "counter") > 0
    assert max(client.read()[1] for client in clients) > b"0"
    assert conn.do("get", "counter") == b"1800"


@pytest.mark.parametrize("protocol", [2, 3])
def test_replies_without_the_lock(server, protocol):
    conn = server.connect(protocol)
    one = {b"number": 0} if protocol == 3 else [b"number", 0]
    assert conn.do("threads.reply", 1) == [one]
    assert len(conn.do("threads.reply", 5000)) == 5000
    clients = [server.connect(protocol) for _ in range(8)]
    for client in clients:
        client.send("threads.reply", 500)
    for client in clients:
        assert len(client.read()[1]) == 500


def test_an_error_from_a_thread_is_counted(conn):
    conn.do("config", "resetstat")
    assert conn.error("threads.reply", -1) == "MINE of a thread"
    assert b"errorstat_MINE:count=1" in conn.do("info", "errorstats")
    stats = conn.do("info", "commandstats").decode()
    assert "failed_calls=1" in next(line for line in stats.splitlines() if line.startswith("cmdstat_threads.reply:"))


@pytest.mark.parametrize("kind", ["detached", "plain"])
def test_contexts_without_a_client(server, conn, kind):
    conn.do("threads.detached", 50, kind)
    conn.do("select", 2)
    wait_until(lambda: conn.do("llen", "detached") == 50)
    assert conn.do("lrange", "detached", 0, -1) == [b"%d" % number for number in range(50)]
    if kind == "detached":
        server.wait_for_log(r"<threads> detached thread done")


def test_try_lock(conn):
    conn.do("threads.try", 50)
    conn.do("threads.try", 50)
    for _ in range(10):
        assert conn.do("threads.busy", 10) == 0


def test_a_client_that_hangs_up(server, conn):
    for _ in range(5):
        client = server.connect()
        client.send("threads.increment", 300)
        client.close()
    wait_until(lambda: conn.do("get", "counter") == b"1500")


def test_unload_afterwards(start_with):
    server = start_with(["threads"])
    conn = server.connect()
    for _ in range(20):
        conn.do("threads.increment", 3)
    wait_until(lambda: conn.do("threads.running") == 0)
    wait_until(lambda: conn.raw("module", "unload", "threads") == b"+OK\r\n")
