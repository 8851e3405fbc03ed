# SPDX-License-Identifier: BSD-3-Clause
"""Work that yields: clients are told that the module is busy, and may stop it."""

import pytest

from harness.resp import plain
from harness.server import wait_until

MODULES = ["yield"]


@pytest.fixture
def worker(conn, shared_server):
    """A client for the work, on a server that is busy after 20 ms."""
    conn.do("config", "set", "busy-reply-threshold", 20)
    worker = shared_server.connect()
    yield worker
    conn.do("yield.stop")
    wait_until(lambda: conn.call("ping") == (b"+", b"PONG"))
    conn.do("config", "set", "busy-reply-threshold", 5000)


def is_busy(conn, text):
    wait_until(lambda: conn.call("ping")[0] == b"-")
    assert conn.error("ping") == text


@pytest.mark.parametrize("words,text", [([], "BUSY Redis is busy running a module command."),
                                        (["work of my own"], "BUSY work of my own")])
def test_a_command(conn, worker, words, text):
    worker.send("yield.run", *words)
    worker.send("echo", "behind it")
    is_busy(conn, text)
    assert conn.error("set", "a", "b") == text
    assert conn.do("yield.stop") == b"OK"
    assert plain(worker.read()) == b"DONE"
    assert plain(worker.read()) == b"behind it"
    assert conn.do("ping") == b"PONG"


def test_its_client_goes(conn, worker):
    worker.send("yield.run")
    is_busy(conn, "BUSY Redis is busy running a module command.")
    worker.close()
    is_busy(conn, "BUSY Redis is busy running a module command.")
    conn.do("yield.stop")
    wait_until(lambda: conn.call("ping") == (b"+", b"PONG"))


def test_without_clients(conn, worker):
    worker.send("yield.alone", 100)
    # Either before the work or behind it.
    assert conn.do("ping") == b"PONG"
    assert plain(worker.read()) == b"DONE"


def test_never_busy(conn, worker):
    conn.do("config", "set", "busy-reply-threshold", 0)
    worker.send("yield.alone", 50)
    assert plain(worker.read()) == b"DONE"


def test_a_thread(conn, worker):
    conn.do("set", "key", "text")
    worker.send("yield.thread")
    is_busy(conn, "BUSY a thread works")
    assert conn.error("get", "key") == "BUSY a thread works"
    conn.do("yield.stop")
    assert plain(worker.read()) == 4


def test_a_key_that_goes_while_it_is_open(conn, worker):
    conn.do("set", "key", "text")
    worker.send("yield.thread")
    is_busy(conn, "BUSY a thread works")
    conn.do("yield.drop")
    conn.do("yield.stop")
    assert plain(worker.read()) == 0
    assert conn.do("exists", "key") == 0


def test_while_data_are_loaded(conn, worker):
    """No waiting for the threshold then."""
    conn.do("config", "set", "busy-reply-threshold", 5000)
    conn.do("yield.value", "k")
    worker.send("debug", "reload")
    wait_until(lambda: conn.call("ping")[0] == b"-")
    assert conn.error("get", "k").startswith("LOADING ")
    assert b"loading:1" in conn.do("info", "persistence")
    conn.do("yield.stop")
    assert plain(worker.read()) == b"OK"
    assert conn.do("type", "k") == b"yield-tst"
