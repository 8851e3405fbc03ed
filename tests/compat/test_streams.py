# SPDX-License-Identifier: BSD-3-Clause
"""Streams: replies, counters and DUMP payloads of Debian's redis-server and of ours after the same commands.

The random commands of test_random_commands.py cover entries and errors. Here is what these leave out: groups with their
consumers, lag, idle times (masked: two clocks), nodes as XINFO shows them, and the bytes of whole streams both ways.
"""

import os
import random

import pytest

from harness.server import REDIS, Server

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

CONSUMERS = ["alice", "bob", "carol"]
# Fields whose values are times, and those that only 7.2 has.
TIMES = {b"idle", b"seen-time"}
NEWER = {b"inactive", b"active-time"}


@pytest.fixture(scope="module")
def servers():
    with Server(binary=REDIS, tcp=False) as theirs, \
            Server(tcp=False, options=["--rdb-version", "10"]) as ours:
        yield theirs, ours


@pytest.fixture
def links(servers):
    connections = [server.connect() for server in servers]
    for connection in connections:
        connection.do("FLUSHALL")
        connection.do("CONFIG", "SET", "stream-node-max-entries", "100")
        connection.do("CONFIG", "SET", "stream-node-max-bytes", "4096")
    yield connections
    for connection in connections:
        connection.close()


def masked(reply):
    """A reply of XINFO without times, and without the fields that are new."""
    kind, value = reply
    if not isinstance(value, list):
        return reply
    out = []
    skip = False
    mask = False
    for item in value:
        if skip or mask:
            if mask:
                out.append((item[0], b"time"))
            skip = mask = False
        elif isinstance(item[1], bytes) and item[1] in NEWER:
            skip = True
        else:
            mask = isinstance(item[1], bytes) and item[1] in TIMES
            out.append(masked(item))
    return kind, out


def without_times(reply):
    """The lists of pending entries that XINFO STREAM FULL shows have a time each: three or four items, ids first."""
    kind, value = reply
    if not isinstance(value, list):
        return reply
    if len(value) in (3, 4) and value[0][0] == b"$" and b"-" in (value[0][1] or b"") and value[-1][0] == b":":
        return kind, value[:-2] + [value[-1]]
    return kind, [without_times(item) for item in value]


class Both:
    """The same command to both servers, and equal replies."""

    def __init__(self, links):
        self.links = links

    def __call__(self, *command, view=lambda reply: reply):
        theirs, ours = (view(link.call(*command)) for link in self.links)
        assert ours == theirs, command
        return ours[1]


@pytest.fixture
def both(links):
    return Both(links)


def fill(both, rng, key, entries, nodes):
    both("CONFIG", "SET", "stream-node-max-entries", nodes)
    ms = 1000
    for _ in range(entries):
        ms += rng.choice([0, 1, 1, 300, 70000])
        names = rng.choice([["a", "b"], ["a", "b"], ["a"], ["long" * 20, "7"]])
        words = [word for name in names for word in (name, rng.choice([b"x", b"12", b"-70000", rng.randbytes(30)]))]
        both("XADD", key, f"{ms}-*", *words)
    return ms


@pytest.mark.parametrize("nodes", [1, 3, 100, 200])
def test_streams_have_the_same_bytes(both, links, nodes):
    rng = random.Random(nodes)
    newest = fill(both, rng, "s", 400, nodes)
    for step in range(60):
        both("XDEL", "s", *(f"{rng.randint(1000, newest)}-{rng.randint(0, 2)}" for _ in range(30)))
        both("XINFO", "STREAM", "s")
        both("DUMP", "s")
        if step % 10 == 9:
            both("XTRIM", "s", rng.choice(["MAXLEN", "MINID"]), rng.choice(["=", "~"]), rng.randint(100, 300))
            both("DUMP", "s")
    dump = both("DUMP", "s")
    # And each reads what the other wrote.
    for link in links:
        assert link.call("RESTORE", "copy", "0", dump) == (b"+", b"OK")
    assert both("DUMP", "copy") == dump
    both("XTRIM", "s", "MAXLEN", "0")
    both("XINFO", "STREAM", "s")
    both("DUMP", "s")


def test_nodes_by_bytes(both):
    both("CONFIG", "SET", "stream-node-max-bytes", 300)
    rng = random.Random(1)
    fill(both, rng, "s", 300, 0)
    both("DUMP", "s")
    both("XINFO", "STREAM", "s", "FULL", "COUNT", 3)


def random_group_command(rng, newest):
    consumer = rng.choice(CONSUMERS)
    group = rng.choice(["g1", "g1", "g2"])
    ids = [f"{rng.randint(990, newest + 5)}" for _ in range(rng.randint(1, 4))]
    return rng.choice([
        ("XREADGROUP", "GROUP", group, consumer, "COUNT", rng.randint(1, 8), "STREAMS", "s", ">"),
        ("XREADGROUP", "GROUP", group, consumer, "NOACK", "COUNT", rng.randint(1, 3), "STREAMS", "s", ">"),
        ("XREADGROUP", "GROUP", group, consumer, "STREAMS", "s", "0"),
        ("XREADGROUP", "GROUP", group, consumer, "COUNT", 2, "STREAMS", "s", ids[0]),
        ("XACK", "s", group, *ids),
        ("XACK", "s", group, f"{ids[0]}-0", f"{ids[0]}-1"),
        ("XDEL", "s", f"{ids[0]}-0", f"{ids[0]}-1"),
        ("XCLAIM", "s", group, consumer, 0, *ids, "FORCE"),
        ("XCLAIM", "s", group, consumer, 0, *ids, "JUSTID"),
        ("XCLAIM", "s", group, consumer, 0, *ids, "RETRYCOUNT", 7, "IDLE", 100000),
        ("XCLAIM", "s", group, consumer, 50000, *ids, "TIME", 1000, "LASTID", ids[0]),
        ("XAUTOCLAIM", "s", group, consumer, 0, ids[0], "COUNT", rng.randint(1, 5)),
        ("XAUTOCLAIM", "s", group, consumer, 50000, "-", "JUSTID"),
        ("XAUTOCLAIM", "s", group, consumer, 0, f"({ids[0]}", "JUSTID"),
        ("XGROUP", "SETID", "s", group, rng.choice(["0", "$", ids[0]])),
        ("XGROUP", "SETID", "s", group, ids[0], "ENTRIESREAD", rng.randint(-1, 50)),
        ("XADD", "s", f"{newest + 1}-0", "a", "b"),
        ("XADD", "s", "MAXLEN", "~", rng.randint(10, 40), f"{newest + 1}-0", "a", "b"),
        ("XTRIM", "s", "MAXLEN", rng.randint(30, 60)),
        ("XPENDING", "s", group),
        ("XPENDING", "s", group, "IDLE", 0, "-", "+", 5),
    ])


def pending_without_idle(reply):
    """XPENDING's long form: its third column is a time."""
    kind, value = reply
    if not value or not isinstance(value[0][1], list):
        return reply
    return kind, [(k, row[:2] + row[3:]) for k, row in value]


@pytest.mark.parametrize("seed", range(6))
def test_groups(both, seed):
    rng = random.Random(seed)
    fill(both, rng, "s", 60, 7)
    newest = 200000000
    both("XADD", "s", f"{newest}-0", "a", "b")
    for group, at in (("g1", "0"), ("g2", "$")):
        both("XGROUP", "CREATE", "s", group, at)
        for consumer in CONSUMERS:
            both("XGROUP", "CREATECONSUMER", "s", group, consumer)
    for _ in range(1500):
        command = random_group_command(rng, newest)
        if command[0] == "XADD":
            newest += 1
        view = pending_without_idle if command[0] == "XPENDING" and len(command) > 3 else lambda reply: reply
        both(*command, view=view)
        if rng.random() < 0.2:
            both("XINFO", "GROUPS", "s")
        if rng.random() < 0.1:
            both("XINFO", "CONSUMERS", "s", "g1", view=masked)
            both("XINFO", "STREAM", "s", "FULL", "COUNT", rng.randint(0, 8),
                 view=lambda reply: without_times(masked(reply)))
    for consumer in CONSUMERS:
        both("XPENDING", "s", "g1", "-", "+", 1000, consumer, view=pending_without_idle)
        both("XGROUP", "DELCONSUMER", "s", "g1", consumer)
        both("XGROUP", "DELCONSUMER", "s", "g1", consumer)
    both("XGROUP", "DESTROY", "s", "g1")
    both("XGROUP", "DESTROY", "s", "g1")


def test_a_stream_with_groups_goes_both_ways(links):
    theirs, ours = links
    for source, target in ((theirs, ours), (ours, theirs)):
        source.do("FLUSHALL")
        target.do("FLUSHALL")
        for i in range(1, 300):
            source.do("XADD", "s", f"{i}-1", "a", i)
        source.do("XGROUP", "CREATE", "s", "g", "0")
        source.do("XGROUP", "CREATE", "s", "idle", "$")
        for consumer in CONSUMERS:
            source.do("XREADGROUP", "GROUP", "g", consumer, "COUNT", 20, "STREAMS", "s", ">")
        source.do("XDEL", "s", "5-1", "200-1")
        source.do("XACK", "s", "g", "1-1", "2-1")
        target.do("RESTORE", "s", "0", source.do("DUMP", "s"))
        assert target.do("DUMP", "s") == source.do("DUMP", "s")
        for question in (("XPENDING", "s", "g"), ("XINFO", "GROUPS", "s"), ("XRANGE", "s", "-", "+"), ("XINFO", "STREAM", "s")):
            assert target.do(*question) == source.do(*question)


ERRORS = [
    "XADD", "XADD s", "XADD s * a", "XADD s * a b c", "XADD s MAXLEN x * a b", "XADD s MAXLEN -1 * a b",
    "XADD s MAXLEN 5 MINID 5 * a b", "XADD s LIMIT 5 * a b", "XADD s MAXLEN 5 LIMIT 5 * a b", "XADD s MAXLEN ~ 5 LIMIT -1 * a b",
    "XADD s MAXLEN ~ 5 LIMIT x * a b", "XADD s 0-0 a b", "XADD s 1-1 a b", "XADD s 5-* a b", "XADD text 1-1 a b",
    "XADD s NOMKSTREAM", "XADD none NOMKSTREAM 1-1 a b", "XADD s MINID x * a b", "XADD s MAXLEN",
    "XTRIM s", "XTRIM s MAXLEN", "XTRIM s NONSENSE 5", "XTRIM s MAXLEN 5 LIMIT 3", "XTRIM s MAXLEN ~ 5 LIMIT", "XTRIM text MAXLEN 1",
    "XTRIM s MAXLEN 5 MINID 3", "XTRIM none MAXLEN x", "XTRIM s LIMIT 5",
    "XDEL s x", "XDEL none x", "XDEL text 1-1", "XLEN text", "XRANGE s - + COUNT", "XRANGE s - + NONSENSE 5", "XRANGE text - +",
    "XRANGE s (18446744073709551615-18446744073709551615 +", "XRANGE s - (0-0", "XREVRANGE s + (18446744073709551615-18446744073709551615",
    "XSETID none 1-1", "XSETID s 1-0", "XSETID s 9-9 ENTRIESADDED -1", "XSETID s 9-9 ENTRIESADDED 1", "XSETID s 9-9 MAXDELETEDID 10-0",
    "XSETID s 9-9 ENTRIESADDED", "XSETID s 9-9 NONSENSE 5", "XSETID s x", "XSETID s 9-9 ENTRIESADDED x",
    "XREAD COUNT 5", "XREAD BLOCK x STREAMS s 0", "XREAD BLOCK -1 STREAMS s 0", "XREAD COUNT x STREAMS s 0", "XREAD STREAMS s >",
    "XREAD GROUP g c STREAMS s 0", "XREAD NOACK STREAMS s 0", "XREAD NONSENSE STREAMS s 0", "XREAD STREAMS text 0", "XREAD STREAMS s x",
    "XREADGROUP GROUP g c STREAMS s $", "XREADGROUP GROUP g c STREAMS none >", "XREADGROUP GROUP none c STREAMS s >",
    "XREADGROUP COUNT 5 NOACK STREAMS s >", "XREADGROUP GROUP g c STREAMS text >", "XREADGROUP GROUP g c NONSENSE 5 STREAMS s >",
    "XGROUP CREATE none g $", "XGROUP CREATE s g $", "XGROUP CREATE s new x", "XGROUP CREATE s new 0 NONSENSE",
    "XGROUP CREATE s new 0 ENTRIESREAD -2", "XGROUP CREATE s new 0 ENTRIESREAD x", "XGROUP CREATE text g $ MKSTREAM",
    "XGROUP SETID s none 0", "XGROUP SETID s g x", "XGROUP SETID s g 0 MKSTREAM", "XGROUP SETID none g 0", "XGROUP DESTROY none g",
    "XGROUP CREATECONSUMER none g c", "XGROUP CREATECONSUMER s none c", "XGROUP DELCONSUMER s none c", "XGROUP NONSENSE", "XGROUP",
    "XACK s g x", "XACK none g 1-1", "XACK s none 1-1", "XACK text g 1-1",
    "XPENDING s none", "XPENDING none g", "XPENDING s g -", "XPENDING s g - +", "XPENDING s g - + x", "XPENDING s g x + 1",
    "XPENDING s g IDLE x - + 1", "XPENDING s g IDLE 5 - +", "XPENDING s g - + 1 none", "XPENDING s g - + 1 c extra", "XPENDING text g",
    "XCLAIM s g c x 1-1", "XCLAIM s g c 0 1-1 NONSENSE", "XCLAIM s g c 0 1-1 IDLE x", "XCLAIM s g c 0 1-1 TIME x",
    "XCLAIM s g c 0 1-1 RETRYCOUNT x", "XCLAIM s g c 0 1-1 LASTID x", "XCLAIM s none c 0 1-1", "XCLAIM none g c 0 1-1", "XCLAIM s g c 0 x",
    "XAUTOCLAIM s g c x 0", "XAUTOCLAIM s g c 0 x", "XAUTOCLAIM s g c 0 0 COUNT 0", "XAUTOCLAIM s g c 0 0 COUNT", "XAUTOCLAIM s g c 0 0 NONSENSE",
    "XAUTOCLAIM s none c 0 0", "XAUTOCLAIM s g c 0 (18446744073709551615-18446744073709551615", "XAUTOCLAIM s g c 0 0 COUNT 9223372036854775807",
    "XINFO", "XINFO STREAM none", "XINFO STREAM s NONSENSE", "XINFO STREAM s FULL COUNT", "XINFO STREAM s FULL COUNT x", "XINFO STREAM text",
    "XINFO STREAM s FULL NONSENSE 1", "XINFO GROUPS none", "XINFO GROUPS text", "XINFO CONSUMERS s none", "XINFO CONSUMERS none g", "XINFO NONSENSE",
]


@pytest.mark.parametrize("line", ERRORS)
def test_errors(both, line):
    both("SET", "text", "x")
    for i in (1, 5):
        both("XADD", "s", f"{i}-1", "a", "b")
    both("XGROUP", "CREATE", "s", "g", "0")
    both("XGROUP", "CREATECONSUMER", "s", "g", "c")
    both(*line.split())


def test_the_last_ids(both):
    both("XADD", "s", "18446744073709551615-18446744073709551614", "a", "b")
    both("XADD", "s", "18446744073709551615-*", "a", "b")
    both("XADD", "s", "*", "a", "b")
    both("XADD", "s", "18446744073709551615-18446744073709551615", "a", "b")
    both("XREAD", "STREAMS", "s", "18446744073709551615-18446744073709551614")
    both("XREAD", "STREAMS", "s", "18446744073709551615-18446744073709551615")
    both("XGROUP", "CREATE", "s", "g", "18446744073709551615-18446744073709551615")
    both("XGROUP", "CREATECONSUMER", "s", "g", "c")
    both("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    # 7.0 has the wrong words for a sequence that has come to its end (XADD t 5-*).
    both("XADD", "t", "5-18446744073709551615", "a", "b")
    both("XSETID", "t", "6-18446744073709551615")
    both("XADD", "t", "7-*", "a", "b")
