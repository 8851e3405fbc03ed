# SPDX-License-Identifier: BSD-3-Clause
"""Clients that wait for keys, where time passes meanwhile. Replies as such are compared in tests/compat."""

from harness.server import wait_until


def test_the_end_of_a_wait_must_be_a_time(conn):
    assert conn.error("WAIT", 2, 2**63) == "ERR timeout is not an integer or out of range"
    assert conn.error("WAIT", 2, 2**63 - 1) == "ERR timeout is out of range"
    assert conn.error("WAIT", 0, 2**63 - 1) == "ERR timeout is out of range"
    assert conn.error("WAIT", 2, -1) == "ERR timeout is negative"
    assert conn.do("WAIT", 2, 1) == 0


def test_a_key_that_has_expired_when_its_transaction_ends(start_server):
    server = start_server()
    conn, waiter = server.connect(), server.connect()
    conn.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    waiter.send("BLPOP", "list", "0.5")
    wait_until(lambda: b"blocked_clients:1" in conn.do("INFO", "clients"), what="the client to wait")
    for command in (("MULTI",), ("RPUSH", "list", "a"), ("PEXPIRE", "list", "20"), ("DEBUG", "SLEEP", "0.1"), ("EXEC",)):
        conn.do(*command)
    assert waiter.read() == (b"*", None)


def test_a_reply_that_is_skipped_comes_behind_a_wait(start_server):
    """CLIENT REPLY SKIP is about the command that waits."""
    server = start_server()
    conn, waiter = server.connect(), server.connect()
    for command in (("CLIENT", "REPLY", "SKIP"), ("BLPOP", "list", "0"), ("PING",)):
        waiter.send(*command)
    wait_until(lambda: b"blocked_clients:1" in conn.do("INFO", "clients"), what="the client to wait")
    conn.do("RPUSH", "list", "a")
    assert waiter.read() == (b"+", b"PONG")
    assert waiter.do("ECHO", "text") == b"text"
    assert conn.do("EXISTS", "list") == 0
