# SPDX-License-Identifier: BSD-3-Clause
"""The event loop: a module's descriptors, functions called once."""

import pytest

from harness.server import wait_until

MODULES = ["event_loop"]


def test_a_descriptor(conn):
    assert conn.do("eventloop.open") == b"OK"
    assert conn.do("eventloop.write", "hello") == 5
    wait_until(lambda: conn.do("eventloop.received") == b"hello")
    assert conn.do("eventloop.write", b"\0again") == 6
    wait_until(lambda: conn.do("eventloop.received") == b"hello\0again")
    before = conn.do("eventloop.writable", "count")
    assert conn.do("eventloop.writable") == b"OK"
    wait_until(lambda: conn.do("eventloop.writable", "count") == before + 1)
    # Its callback took it out again.
    conn.do("debug", "sleep", 0.01)
    assert conn.do("eventloop.writable", "count") == before + 1
    assert conn.do("eventloop.close") == b"OK"


def test_a_rehearsal_leaves_descriptors_alone(conn, module_path):
    assert conn.do("eventloop.open") == b"OK"
    conn.do("module", "upgrade", "eventloop", module_path("event_loop"), "dryrun")
    assert conn.do("eventloop.write", "hello") == 5
    wait_until(lambda: conn.do("eventloop.received") == b"hello")
    assert conn.do("eventloop.close") == b"OK"


def test_wrong_use(conn):
    assert conn.do("eventloop.wrong") == [b"ERANGE", b"ERANGE", b"EINVAL", b"ERANGE", b"EINVAL"]


def test_called_once(conn):
    before = conn.do("eventloop.sum")
    conn.do("eventloop.once", 5)
    conn.do("eventloop.once", 37)
    wait_until(lambda: conn.do("eventloop.sum") == before + 42)


@pytest.mark.thread
def test_called_once_from_threads(conn):
    before = conn.do("eventloop.sum")
    conn.do("eventloop.threads")
    wait_until(lambda: conn.do("eventloop.sum") == before + 400)
