# SPDX-License-Identifier: BSD-3-Clause
"""Append-only files move between Debian's redis-server and ours, both ways and in both forms of a base."""

import os
import shutil

import pytest

import dataset
from harness.server import REDIS, Server, binary_under_test, is_redis, wait_until
from runner import Runner

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

OURS_ARE_REDIS = is_redis(binary_under_test())
OUR_OPTIONS = [] if OURS_ARE_REDIS else ["--rdb-version", "10"]


def rewrite(connection):
    connection.do("BGREWRITEAOF")
    wait_until(lambda: b"aof_rewrite_in_progress:0" in connection.do("INFO", "persistence"))


def fill(connection):
    """Everything: in the base, and some of it changed by commands behind it."""
    dataset.fill(connection)
    for i in range(1, 200):
        connection.do("XADD", "stream", f"{i}-1", "field", f"value-{i}")
    connection.do("XDEL", "stream", "7-1", "150-1")
    connection.do("XGROUP", "CREATE", "stream", "group", "0", "ENTRIESREAD", "0")
    connection.do("XREADGROUP", "GROUP", "group", "alice", "COUNT", 20, "STREAMS", "stream", ">")
    connection.do("XACK", "stream", "group", "3-1")
    connection.do("XGROUP", "CREATECONSUMER", "stream", "group", "bob")
    connection.do("XADD", "empty", "5-5", "f", "v")
    connection.do("XTRIM", "empty", "MAXLEN", 0)
    connection.do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
    rewrite(connection)
    connection.do("RPUSH", "list:text:8", "more")
    connection.do("EVAL", "redis.call('set','script','x') redis.call('incr','count')", 0)
    connection.do("SELECT", 5)
    connection.do("MULTI")
    connection.do("SET", "a", "b", "EXAT", 4102444800)
    connection.do("SADD", "s", "1", "2")
    connection.do("EXEC")
    connection.do("SPOP", "s")
    connection.do("SELECT", 0)
    connection.do("XREADGROUP", "GROUP", "group", "bob", "COUNT", 5, "STREAMS", "stream", ">")
    connection.do("FUNCTION", "LOAD", "#!lua name=lib2\nredis.register_function('g', function() return 2 end)")


def streams(connection):
    return [connection.do("XINFO", "STREAM", "stream"), connection.do("XPENDING", "stream", "group"),
            # Without how long ago.
            [entry[:2] + entry[3:] for entry in connection.do("XPENDING", "stream", "group", "-", "+", 100)],
            connection.do("XINFO", "STREAM", "empty")[:8],
            sorted(str(library) for library in connection.do("FUNCTION", "LIST"))]


def without_internals(reply):
    """XINFO STREAM without the sizes of trees, which are another matter."""
    out = []
    for name, value in zip(reply[::2], reply[1::2]):
        if not name.startswith(b"radix"):
            out += [name, value]
    return out


@pytest.mark.parametrize("preamble", ["yes", "no"])
@pytest.mark.parametrize("direction", ["from ours to redis", "from redis to ours"])
def test_a_set_of_files(direction, preamble):
    options = ["--appendonly", "yes", "--aof-use-rdb-preamble", preamble, "--aof-timestamp-enabled", "yes"]
    with Server(options + OUR_OPTIONS, tcp=False) as ours, Server(options, binary=REDIS, tcp=False) as theirs:
        source, target = (ours, theirs) if "from ours" in direction else (theirs, ours)
        connection = source.connect()
        fill(connection)
        before = streams(connection)
        assert source.stop() == 0
        target.stop()
        shutil.rmtree(target.folder / "appendonlydir")
        shutil.copytree(source.folder / "appendonlydir", target.folder / "appendonlydir")
        target.start()
        source.start()
        after = streams(target.connect())
        assert without_internals(after[0]) == without_internals(before[0])
        assert after[1:] == before[1:]
        runner = Runner(theirs.socket_path, ours.socket_path)
        runner.compare_keyspaces()
        assert not runner.mismatches, runner.report("none")
        # And on: what was taken over is written to.
        target.connect().do("SET", "on", "1")
        target.restart()
        assert target.connect().do("GET", "on") == b"1"


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_an_old_file(preamble):
    """The form of one file: a base and commands behind it, by Redis."""
    options = ["--appendonly", "yes", "--aof-use-rdb-preamble", preamble]
    with Server(options, binary=REDIS, tcp=False) as theirs, Server(options, tcp=False, start=False) as ours:
        connection = theirs.connect()
        dataset.fill(connection)
        rewrite(connection)
        connection.do("SET", "tail", "1")
        assert theirs.stop() == 0
        folder = theirs.folder / "appendonlydir"
        names = [line.split()[1] for line in (folder / "appendonly.aof.manifest").read_text().splitlines()]
        (ours.folder / "appendonly.aof").write_bytes(b"".join((folder / name).read_bytes() for name in names))
        theirs.start()
        ours.start()
        runner = Runner(theirs.socket_path, ours.socket_path)
        runner.compare_keyspaces()
        assert not runner.mismatches, runner.report("none")
        assert ours.connect().do("GET", "tail") == b"1"


def test_their_tool_accepts_ours():
    tool = "/usr/bin/redis-check-aof"
    if not os.path.exists(tool):
        pytest.skip("redis-check-aof is not installed")
    import subprocess
    for preamble in ("yes", "no"):
        with Server(["--appendonly", "yes", "--aof-use-rdb-preamble", preamble, "--aof-timestamp-enabled", "yes",
                     *OUR_OPTIONS], tcp=False) as ours:
            connection = ours.connect()
            fill(connection)
            ours.stop()
            checked = subprocess.run([tool, "appendonly.aof.manifest"], cwd=ours.folder / "appendonlydir",
                                     capture_output=True, text=True)
            assert checked.returncode == 0 and "All AOF files and manifest are valid" in checked.stdout, checked.stdout
