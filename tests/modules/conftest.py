# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the Module API's tests. A file names the test modules it needs in MODULES, as names or (name, argument...);
`conn`, `conn3` and `server` are then of a server that has loaded them. Modules stand in tests/modules/api.

@pytest.mark.since("7.2") marks a test of what Redis has since that release: it is skipped on an older Redis.
"""

import pytest

from harness.server import Server, binary_under_test, build_folder, is_redis


def pytest_configure(config):
    config.addinivalue_line("markers", "since(release): of what Redis has since that release")


def path_of(name):
    path = build_folder() / "tests/modules" / (name + ".so")
    assert path.exists(), f"no {path}: script/build builds it"
    return path


def load_options(modules):
    """The command line words that load modules, given as names or as (name, argument...)."""
    options = []
    for module in modules:
        name, *arguments = [module] if isinstance(module, str) else module
        options += ["--loadmodule", path_of(name), *arguments]
    return options


@pytest.fixture(scope="module")
def shared_server(request):
    with Server(load_options(getattr(request.module, "MODULES", []))) as server:
        yield server


@pytest.fixture
def module_path():
    """module_path("strings") is the path of a test module's file."""
    return path_of


@pytest.fixture
def start_with(start_server):
    """start_with(["strings", ("configs", "argument")], "--maxclients", 5) starts a server with modules."""
    return lambda modules, *options: start_server(*load_options(modules), *options)


@pytest.fixture(scope="session")
def release():
    """The release of the server under test, as (major, minor)."""
    with Server() as server, server.connect() as conn:
        version = conn.do("info", "server").split(b"redis_version:")[1].split()[0].decode()
    return tuple(map(int, version.split(".")[:2]))


@pytest.fixture
def option():
    """option(conn, name) skips the test when the server has no such option."""
    def require(conn, name):
        if not conn.do("config", "get", name):
            pytest.skip(f"the server has no option {name}")
    return require


@pytest.fixture(autouse=True)
def _since(request):
    mark = request.node.get_closest_marker("since")
    if mark and is_redis(binary_under_test()):
        wanted = mark.args[0]
        if request.getfixturevalue("release") < tuple(map(int, wanted.split("."))):
            pytest.skip(f"the server under test is a Redis before {wanted}")
