# SPDX-License-Identifier: BSD-3-Clause
"""Edges that random commands do not come to, asked of Debian's redis-server and of ours: equal to the letter."""

import os

import pytest

from harness.server import REDIS, Server

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

# A line is a command; a group has a data set and a connection of its own.
GROUPS = {
    "XCLAIM of entries that were not pending": """
        XADD s 1-1 a b
        XADD s 2-1 a b
        XADD s 3-1 a b
        XGROUP CREATE s g $
        XCLAIM s g c 0 1-1 FORCE
        XCLAIM s g c 0 2-1 FORCE JUSTID
        XCLAIM s g c 0 3-1 FORCE RETRYCOUNT 7
        XCLAIM s g c 0 1-1
        XPENDING s g""",
    "limits of options": """
        CONFIG SET maxmemory -1
        CONFIG SET maxmemory 1x
        CONFIG SET maxmemory-samples 0
        CONFIG SET maxmemory-samples 1000
        CONFIG GET maxmemory-samples
        CONFIG SET maxmemory-samples 5
        CONFIG SET acl-pubsub-default nosuch""",
    "wrong words": """
        CLIENT UNBLOCK 1 ERROR x
        CLIENT UNBLOCK 1 x
        DEBUG PROTOCOL nosuch
        DEBUG SDSLEN
        ACL SETUSER edge +config|
        ACL SETUSER edge -config|
        ACL SETUSER edge +config|get|x
        ACL SETUSER edge +get|
        ACL SETUSER edge +|get""",
    "LCS needs more memory than it may have": """
        CONFIG SET proto-max-bulk-len 1mb
        SETRANGE a 599 x
        SETRANGE b 599 x
        LCS a b LEN
        SETRANGE c 499 x
        LCS c c LEN
        CONFIG SET proto-max-bulk-len 512mb""",
    "options that come twice": """
        SET k v EX 50 EX 5000
        SET k v EX 50 PX 50
        SET k v PX 50000 PX 5000000
        SET k v EXAT 9999999999 EXAT 99999999999
        SET k v PXAT 9999999999000 PXAT 99999999999000
        SET k v EXAT 9999999999 PXAT 9999999999000
        SET k v KEEPTTL KEEPTTL
        SET k v KEEPTTL EX 50
        SET k v EX 50 KEEPTTL
        SET k v EX 50 EX
        SET k v XX XX
        SET k v NX NX
        SET k v NX XX
        SET k v GET GET
        EXPIRETIME k
        GETEX k EXAT 9999999999 EXAT 99999999999
        GETEX k EXAT 9999999999 PERSIST
        GETEX k EX 50 PX 50
        GETEX k PERSIST PERSIST
        GETEX k PERSIST EX 50
        TTL k""",
    "subscriptions in a transaction": """
        MULTI
        SSUBSCRIBE x
        EXEC
        PING""",
}


@pytest.fixture(scope="module")
def servers():
    options = ["--enable-debug-command", "yes"]
    with Server(options, binary=REDIS, tcp=False) as theirs, Server(options, tcp=False) as ours:
        yield theirs, ours


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", GROUPS)
def test_edges(servers, name, protocol):
    theirs, ours = (server.connect(protocol=protocol) for server in servers)
    for connection in (theirs, ours):
        connection.do("FLUSHALL")
    for line in GROUPS[name].strip().splitlines():
        words = line.split()
        assert ours.raw(*words) == theirs.raw(*words), line
    # How often entries have been delivered; how long ago is nobody's to compare.
    counts = [[entry[3] for entry in server.do("XPENDING", "s", "g", "-", "+", 10)]
              for server in (theirs, ours) if name.startswith("XCLAIM")]
    assert not counts or counts[0] == counts[1] == [3, 1, 7]
    theirs.close()
    ours.close()
