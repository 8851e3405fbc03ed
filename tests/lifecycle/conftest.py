# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the life cycle's tests: load, unload, upgrade of a module while its data is live. The module is
lifecycle/modules/stock.c, in several builds."""

import pytest

from harness.server import build_folder
from stock_data import fill


@pytest.fixture(autouse=True)
def _ours(ours_only):
    """Redis has none of this."""


@pytest.fixture
def stock():
    """stock("v2") is the path of a build of the module."""
    def path(build):
        file = build_folder() / "tests/lifecycle" / f"stock_{build}.so"
        assert file.exists(), f"no {file}: script/build builds it"
        return file
    return path


@pytest.fixture
def stocked(start_server, stock):
    """A server with version 1 and 1,000 values, of which one is called `unreadable`."""
    server = start_server("--loadmodule", stock("v1"))
    conn = server.connect()
    fill(conn)
    server.conn = conn
    return server
