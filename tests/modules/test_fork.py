# SPDX-License-Identifier: BSD-3-Clause
"""Forked children of a module."""

import os
import re
import signal

import pytest

from harness.server import wait_until

MODULES = ["fork"]


@pytest.fixture(autouse=True)
def _verbose(conn):
    conn.do("config", "set", "loglevel", "verbose")


@pytest.mark.parametrize("code", [0, 1, 42])
def test_a_child_ends(conn, code):
    before = conn.do("fork.outcome")[0]
    assert conn.do("fork.start", code, 1) > 0
    wait_until(lambda: conn.do("fork.outcome")[0] == before + 1)
    assert conn.do("fork.outcome")[1:] == [code, 0]


def test_the_child_has_the_data(conn):
    before = conn.do("fork.outcome")[0]
    conn.do("set", "code", "there")
    conn.do("fork.start", 10, 50)
    conn.do("del", "code")
    wait_until(lambda: conn.do("fork.outcome")[0] == before + 1)
    assert conn.do("fork.outcome")[1:] == [11, 0]


def test_one_at_a_time(conn, shared_server):
    before = conn.do("fork.outcome")[0]
    assert conn.do("fork.start", 0, 100000) > 0
    assert conn.do("fork.start", 0, 1) == -1
    shared_server.wait_for_log("Can't fork for module: File exists")
    assert conn.error("bgsave").startswith("ERR ")
    assert conn.do("fork.kill") == [1, 0]
    # The child has written it before it was gone.
    assert re.search(r"^\d+:signal-handler \(\d+\) Received SIGUSR1 in child", shared_server.log(), re.M)
    wait_until(lambda: b"rdb_bgsave_in_progress:0" in conn.do("info", "persistence"))
    assert conn.do("fork.start", 3, 1) > 0
    wait_until(lambda: conn.do("fork.outcome")[0] > before and conn.do("fork.outcome")[1] == 3)


@pytest.mark.parametrize("number, code", [(signal.SIGUSR1, 1), (signal.SIGKILL, -1)])
def test_a_child_that_is_killed(conn, shared_server, number, code):
    """SIGUSR1 calls a child off, which counts as an exit with 1 as well."""
    before = conn.do("fork.outcome")[0]
    pid = conn.do("fork.start", 0, 100000)
    shared_server.wait_for_log(f"Module fork started pid: {pid}")
    os.kill(pid, number)
    wait_until(lambda: conn.do("fork.outcome")[0] == before + 1)
    assert conn.do("fork.outcome")[1:] == [code, number]
    shared_server.wait_for_log(rf"\* Module fork exited pid: {pid}, retcode: {code}, bysignal: {int(number)}$")
    called_off = re.findall(rf"^{pid}:signal-handler \(\d+\) Received SIGUSR1 in child", shared_server.log(), re.M)
    assert len(called_off) == (number == signal.SIGUSR1)


def test_shutdown_ends_the_child(start_with):
    server = start_with(["fork"])
    server.connect().do("fork.start", 0, 100000)
    assert server.stop() == 0
