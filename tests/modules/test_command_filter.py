# SPDX-License-Identifier: BSD-3-Clause
"""Command filters."""

import pytest

MODULES = ["command_filter"]


@pytest.mark.parametrize("words, elements", [
    (["a", "@delete", "b"], [b"a", b"b"]), (["a", "@replace"], [b"a", b"--replaced--"]),
    (["@before", "a"], [b"--before--", b"@before", b"a"]), (["a", "@after"], [b"a", b"@after", b"--after--"]),
    (["@delete", "@delete", "a", "@before", "@replace", "@after"],
     [b"a", b"--before--", b"@before", b"--replaced--", b"@after", b"--after--"]), (["@bounds"], [b"right"]),
])
def test_arguments(conn, words, elements):
    assert conn.do("rpush", "k", *words) == len(elements)
    assert conn.do("lrange", "k", 0, -1) == elements


def test_before_the_command_is_looked_up(conn):
    assert conn.error("@replace").startswith("ERR unknown command '--replaced--'")
    assert conn.do("@delete", "echo", "text") == b"text"
    assert conn.error("get", "k", "@after").startswith("ERR wrong number of arguments")
    assert conn.do("get", "none", "@delete") is None


def test_every_command_once(conn):
    before = conn.do("filter.seen")
    conn.do("ping")
    conn.call("nosuch")
    assert conn.do("filter.seen") == before + 3


def test_in_a_transaction(conn):
    conn.do("multi")
    # Filtered when it is queued, and not again when it runs.
    conn.do("rpush", "k", "@replace", "@after")
    assert conn.do("exec") == [3]
    assert conn.do("lrange", "k", 0, -1) == [b"--replaced--", b"@after", b"--after--"]


def test_a_retained_argument(conn):
    conn.do("rpush", "k", "@retain", "kept argument")
    conn.pipeline([["set", f"k{number}", "x" * number] for number in range(50)])
    assert conn.do("filter.retained") == b"kept argument"


def test_calls_of_the_module_itself(conn, start_with):
    assert conn.do("filter.call", "replace") == b"--replaced--"
    own = start_with([("command_filter", "noself")]).connect()
    assert own.do("filter.call", "replace") == b"@replace"
    assert own.do("echo", "@replace") == b"--replaced--"


def test_calls_of_scripts(conn):
    assert conn.do("eval", "return redis.call('echo', '@replace')", 0) == b"--replaced--"
    assert conn.do("eval", "redis.call('rpush', KEYS[1], 'a', '@after') return redis.call('lrange', KEYS[1], 0, -1)", 1, "s") == [
        b"a", b"@after", b"--after--"]
    assert conn.do("eval", "return redis.call('@delete', 'echo', 'text')", 0) == b"text"
    # All words are gone.
    assert "Unknown Redis command" in conn.error("eval", "return redis.call('@delete')", 0)


def test_calls_of_other_modules(start_with):
    conn = start_with(["command_filter", "calls"]).connect()
    assert conn.do("eval", "return redis.call('calls.call', '-', 'echo', '@replace')", 0) == b"--replaced--"
    assert conn.do("calls.call", "-", "echo", "@replace") == b"--replaced--"


def test_unregister(start_with):
    conn = start_with(["command_filter"]).connect()
    assert conn.do("filter.unregister") == 0
    assert conn.do("echo", "@replace") == b"@replace"


def test_unload_ends_it(start_with):
    conn = start_with(["command_filter"]).connect()
    assert conn.do("echo", "@replace") == b"--replaced--"
    assert conn.do("module", "unload", "filter") == b"OK"
    assert conn.do("echo", "@replace") == b"@replace"


@pytest.mark.since("7.2")
def test_a_load_that_fails_leaves_none(start_server, module_path):
    conn = start_server().connect()
    assert conn.error("module", "load", module_path("command_filter"), "fail").startswith("ERR Error loading the extension")
    assert conn.do("echo", "@replace") == b"@replace"


@pytest.mark.since("7.2")
def test_the_clients_id(conn, server):
    with server.connect() as other:
        other.do("filter.spare", other.do("client", "id"))
        assert other.do("echo", "@replace") == b"@replace"
        # What its scripts call is its own.
        assert other.do("eval", "return redis.call('echo', '@replace')", 0) == b"@replace"
        assert conn.do("echo", "@replace") == b"--replaced--"
        other.do("filter.spare", 0)
