# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of every test that needs a running server. pytest finds this file for all of tests/."""

import contextlib
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness.server import REDIS, Server, binary_under_test, is_redis  # noqa: E402


def pytest_report_header(config):
    return f"server under test: {binary_under_test()}"


@pytest.fixture(scope="session")
def ours_only():
    """Asked for by tests of what Redis does not have: they are skipped when the server under test is Redis."""
    if is_redis(binary_under_test()):
        pytest.skip("the server under test is Redis, which does not have this")


@pytest.fixture(scope="module")
def shared_server():
    """One server for the tests of a file. Use `server`, which hands it out clean."""
    with Server() as server:
        yield server


@pytest.fixture
def server(shared_server):
    """The file's server, with empty databases. A test that changes settings starts its own (start_server)."""
    with shared_server.connect() as connection:
        connection.do("FLUSHALL")
    return shared_server


@pytest.fixture
def conn(server):
    """A RESP2 connection to `server`."""
    connection = server.connect()
    yield connection
    connection.close()


@pytest.fixture
def conn3(server):
    """A RESP3 connection to `server`."""
    connection = server.connect(protocol=3)
    yield connection
    connection.close()


@pytest.fixture
def start_server():
    """start_server("--maxclients", 5) starts a server of the test's own. All are stopped at its end."""
    with contextlib.ExitStack() as servers:
        yield lambda *options, **arguments: servers.enter_context(Server(options, **arguments))


@pytest.fixture
def start_redis():
    """The same for Debian's redis-server, the reference."""
    if not os.path.exists(REDIS):
        pytest.skip("redis-server is not installed (script/setup installs it)")
    with contextlib.ExitStack() as servers:
        yield lambda *options, **arguments: servers.enter_context(Server(options, binary=REDIS, **arguments))
