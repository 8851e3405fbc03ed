# SPDX-License-Identifier: BSD-3-Clause
"""What modules propagate, read in the AOF."""

import pytest

from harness.server import wait_until


def commands_of(data):
    """The commands in a piece of AOF."""
    out = []
    while data:
        if data.startswith(b"#"):
            data = data[data.index(b"\r\n") + 2:]
            continue
        assert data.startswith(b"*"), data[:40]
        line, data = data.split(b"\r\n", 1)
        words = []
        for _ in range(int(line[1:])):
            head, data = data.split(b"\r\n", 1)
            length = int(head[1:])
            words.append(data[:length])
            data = data[length + 2:]
        out.append(words)
    return out


@pytest.fixture
def aof(start_with):
    """A connection, and a function that gives the commands written to the AOF since the last time."""
    server = start_with(["replication"])
    conn = server.connect()
    assert conn.do("config", "set", "appendonly", "yes") == b"OK"
    wait_until(lambda: b"aof_rewrite_in_progress:0" in conn.do("info", "persistence")
               and list(server.folder.glob("appendonlydir/*.incr.aof")))
    conn.do("set", "first", "x")
    files = sorted(server.folder.glob("appendonlydir/*.incr.aof"))
    state = {"at": 0}

    def written():
        # Redis may put off writing while it syncs.
        data = wait_until(lambda: files[-1].read_bytes()[state["at"]:])
        state["at"] += len(data)
        return [words for words in commands_of(data) if words[0].lower() != b"select"]

    written()
    return conn, written


def test_the_command_itself(aof):
    conn, written = aof
    conn.do("replication.verbatim", "a", b"b\0")
    assert written() == [[b"replication.verbatim", b"a", b"b\0"]]


def test_other_commands_in_a_transaction(aof):
    conn, written = aof
    assert conn.do("replication.several") == 1
    assert written() == [[b"MULTI"], [b"RPUSH", b"list", b"c string", b"42", b"b\0uffer"],
                         [b"RPUSH", b"list", b"string", b"string", b"string"], [b"EXEC"]]


def test_a_single_command(aof):
    conn, written = aof
    conn.do("replication.one")
    found = written()
    assert [words for words in found if words not in ([b"MULTI"], [b"EXEC"])] == [[b"INCR", b"one"]]


def test_calls(aof):
    conn, written = aof
    conn.do("replication.calls")
    assert written() == [[b"MULTI"], [b"INCR", b"both"], [b"INCR", b"aof"], [b"EXEC"]]


def test_calls_and_the_command_itself(aof):
    conn, written = aof
    conn.do("replication.mixed")
    assert written() == [[b"MULTI"], [b"INCR", b"mixed"], [b"replication.mixed"], [b"EXEC"]]


def test_in_a_transaction(aof):
    conn, written = aof
    conn.do("multi")
    conn.pipeline([["replication.verbatim", "a"], ["replication.calls"], ["set", "k", "v"]])
    conn.do("exec")
    found = written()
    assert found[0] in ([b"MULTI"], [b"multi"]) and found[-1] in ([b"EXEC"], [b"exec"])
    assert found[1:-1] == [[b"replication.verbatim", b"a"], [b"INCR", b"both"], [b"INCR", b"aof"], [b"set", b"k", b"v"]]


def test_from_a_timer(aof):
    conn, written = aof
    conn.do("replication.timer")
    wait_until(lambda: conn.do("exists", "timerlist"))
    assert written() == [[b"MULTI"], [b"INCR", b"timer"], [b"RPUSH", b"timerlist", b"x"], [b"EXEC"]]


def test_the_data_without_an_aof(start_with):
    """What the calls do here and now does not depend on who is told."""
    conn = start_with(["replication"]).connect()
    conn.do("replication.calls")
    assert conn.do("mget", "both", "neither", "replicas", "aof") == [b"1"] * 4
    assert conn.do("replication.several") == 1
    assert conn.do("exists", "list", "one") == 0
    before = int(conn.do("info", "persistence").split(b"rdb_changes_since_last_save:")[1].split()[0])
    conn.do("replication.mixed")
    assert int(conn.do("info", "persistence").split(b"rdb_changes_since_last_save:")[1].split()[0]) > before
