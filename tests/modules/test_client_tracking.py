# SPDX-License-Identifier: BSD-3-Clause
"""CLIENT TRACKING and modules: what their commands read and change; CLIENT PAUSE and their commands."""

from harness.resp import plain
from harness.server import wait_until

MODULES = ["calls", "commands", "string_keys"]


def push(conn):
    kind, payload = conn.read()
    assert kind == b">", (kind, payload)
    return [plain(item) for item in payload]


def nothing(conn):
    assert conn.call("PING") == (b"+", b"PONG")


def test_keys_of_a_command_that_only_reads(server, conn3):
    other = server.connect()
    conn3.do("CLIENT", "TRACKING", "ON")
    conn3.do("commands.parent", "get", "a")
    conn3.do("commands.getkeys", 2, "b", "c", "not-a-key")
    conn3.do("commands.parent", "set", "d")
    conn3.do("calls.call", "-", "get", "e")  # what it reads by a call, too
    for key, told in (("a", True), ("b", True), ("c", True), ("d", False), ("e", True), ("not-a-key", False)):
        other.do("SET", key, 1)
        if told:
            assert push(conn3) == [b"invalidate", [key.encode()]]
        else:
            nothing(conn3)


def test_what_a_module_writes(server, conn3):
    writer = server.connect()
    conn3.do("CLIENT", "TRACKING", "ON", "NOLOOP")
    conn3.do("MGET", "a", "b", "c")
    writer.do("stringkeys.set", "a", "w", "x")
    assert push(conn3) == [b"invalidate", [b"a"]]
    writer.do("calls.call", "-", "set", "b", 1)
    assert push(conn3) == [b"invalidate", [b"b"]]
    # Through a module or not, it is the client's own doing.
    conn3.do("calls.call", "-", "set", "c", 1)
    conn3.do("GET", "d")
    conn3.do("stringkeys.set", "d", "w", "x")
    nothing(conn3)


def test_own_message_comes_after_the_module_s_reply(conn3):
    conn3.do("CLIENT", "TRACKING", "ON")
    conn3.do("GET", "a")
    assert conn3.call("calls.call", "-", "incr", "a") == (b":", b"1")
    assert push(conn3) == [b"invalidate", [b"a"]]


def test_commands_of_modules_wait_as_their_flags_say(server, conn):
    control = server.connect()
    control.do("CLIENT", "PAUSE", 600_000, "WRITE")
    conn.do("commands.parent", "get", "a")
    conn.send("commands.parent", "set", "a")
    wait_until(lambda: b"blocked_clients:1" in control.do("INFO", "clients"))
    control.do("CLIENT", "UNPAUSE")
    assert conn.read()[0] == b"*"
