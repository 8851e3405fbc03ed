# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the example modules' tests: those of tests/conftest.py, on a server that has loaded the module of the
folder that the test file stands in. A test file imports what it needs: pytest gives the fixtures of a conftest.py here to
the tests under tests/ too, when both are run at once.
"""

import importlib.util
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1] / "tests"

_spec = importlib.util.spec_from_file_location("backplane_fixtures", TESTS / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _fixtures
_spec.loader.exec_module(_fixtures)

from backplane_fixtures import conn, conn3, ours_only, server, start_server  # noqa: E402
from harness.server import Server, build_folder  # noqa: E402

__all__ = ["conn", "conn3", "module_path", "ours_only", "server", "shared_server", "start_server"]


@pytest.fixture(scope="module")
def module_path(request):
    """The built module of the folder that the test stands in."""
    path = build_folder() / "modules" / (request.path.parent.name + ".so")
    assert path.exists(), f"no {path}: script/build builds it"
    return path


@pytest.fixture(scope="module")
def shared_server(module_path):
    with Server(["--loadmodule", module_path]) as server_with_module:
        yield server_with_module
