# SPDX-License-Identifier: BSD-3-Clause
"""Readers that wait for a stream, where 7.2 and 7.0 differ: a reader that is woken asks again, so it never gets an
empty reply, and a reader of a group is told when there is no group any more."""

import pytest

from harness.resp import ReplyError, plain
from harness.server import wait_until

ENTRY = [[b"s", [[b"9-9", [b"a", b"b"]]]]]


@pytest.fixture
def reader(server):
    connection = server.connect()
    yield connection
    connection.close()


def wait(conn, reader, *command):
    """Sends a command that waits; returns once it does."""
    reader.send(*command)
    wait_until(lambda: b"blocked_clients:1" in conn.do("INFO", "clients"))


def group(conn, key="s"):
    conn.do("XGROUP", "CREATE", key, "g", "$", "MKSTREAM")


GROUP_READ = ("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">")


@pytest.mark.parametrize("read", [("XREAD", "BLOCK", "0", "STREAMS", "s", "$"), GROUP_READ])
def test_a_stream_that_ran_dry(conn, reader, read):
    group(conn)
    wait(conn, reader, *read)
    for command in (("MULTI",), ("XADD", "s", "1-1", "a", "b"), ("XDEL", "s", "1-1"), ("EXEC",)):
        conn.do(*command)
    conn.do("XADD", "s", "9-9", "a", "b")
    assert plain(reader.read()) == ENTRY


@pytest.mark.parametrize("acts, error", [
    ([("DEL", "s")], "NOGROUP"),
    ([("XGROUP", "DESTROY", "s", "g")], "NOGROUP"),
    ([("FLUSHALL",)], "NOGROUP"),
    ([("FLUSHDB", "ASYNC")], "NOGROUP"),
    ([("SWAPDB", "0", "1")], "NOGROUP"),
    ([("SET", "s", "x")], "WRONGTYPE"),
    ([("MULTI",), ("DEL", "s"), ("RPUSH", "s", "x"), ("EXEC",)], "WRONGTYPE"),
    ([("RENAME", "s", "t")], "NOGROUP"),
    ([("XADD", "other", "1-1", "a", "b"), ("RENAME", "other", "s")], "NOGROUP"),
    ([("PEXPIRE", "s", "-1")], "NOGROUP"),
])
def test_a_group_that_goes(conn, reader, acts, error):
    group(conn)
    wait(conn, reader, *GROUP_READ)
    for act in acts:
        conn.do(*act)
    kind, text = reader.read()
    assert kind == b"-" and text.startswith(error.encode()), text
    assert b"blocked_clients:0" in conn.do("INFO", "clients")


def test_plain_readers_wait_on(conn, reader):
    conn.do("XADD", "s", "1-1", "a", "b")
    wait(conn, reader, "XREAD", "BLOCK", "0", "STREAMS", "s", "$")
    conn.do("DEL", "s")
    conn.do("SET", "s", "x")
    conn.do("DEL", "s")
    conn.do("XADD", "s", "9-9", "a", "b")
    assert plain(reader.read()) == ENTRY


def test_a_renamed_stream_brings_its_entries(conn, reader):
    group(conn)
    group(conn, "other")
    conn.do("XADD", "other", "9-9", "a", "b")
    wait(conn, reader, *GROUP_READ)
    conn.do("RENAME", "other", "s")
    assert plain(reader.read()) == ENTRY
    assert conn.do("XPENDING", "s", "g")[0] == 1


def test_a_waiting_reader_is_a_consumer(conn, reader):
    group(conn)
    wait(conn, reader, *GROUP_READ)
    assert [row[1] for row in conn.do("XINFO", "CONSUMERS", "s", "g")] == [b"c"]
    conn.do("XADD", "s", "9-9", "a", "b")
    assert plain(reader.read()) == ENTRY


def test_streams_survive_a_restart(server):
    """Counters, groups and pending entries too, in the file and over DEBUG RELOAD."""
    with server.connect() as conn:
        for i in range(300):
            conn.do("XADD", "s", f"{i + 1}-1", "a", i)
        conn.do("XDEL", "s", "7-1")
        group(conn)
        conn.do("XGROUP", "SETID", "s", "g", "0")
        conn.do("XREADGROUP", "GROUP", "g", "alice", "COUNT", "30", "STREAMS", "s", ">")
        conn.do("XREADGROUP", "GROUP", "g", "idle", "STREAMS", "s", "999-0")
        before = conn.do("XINFO", "STREAM", "s", "FULL", "COUNT", 0)
        conn.do("DEBUG", "RELOAD")
        assert conn.do("XINFO", "STREAM", "s", "FULL", "COUNT", 0) == before
        conn.do("SAVE")
    server.restart()
    with server.connect() as conn:
        assert conn.do("XINFO", "STREAM", "s", "FULL", "COUNT", 0) == before
        with pytest.raises(ReplyError, match="equal or smaller"):
            conn.do("XADD", "s", "300-1", "a", "b")
