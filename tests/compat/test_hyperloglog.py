# SPDX-License-Identifier: BSD-3-Clause
"""HyperLogLogs: after the same commands the strings of Debian's redis-server and of ours are equal to the byte, and so are the estimates."""

import os
import random

import pytest

from harness.server import REDIS, Server

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")


@pytest.fixture(scope="module")
def servers():
    with Server(binary=REDIS, tcp=False) as theirs, Server(tcp=False) as ours:
        yield theirs, ours


@pytest.fixture
def both(servers):
    connections = [server.connect() for server in servers]
    for connection in connections:
        connection.do("FLUSHALL")
        connection.do("CONFIG", "SET", "hll-sparse-max-bytes", "3000")

    def ask(*command):
        theirs, ours = (connection.call(*command) for connection in connections)
        assert ours == theirs, command[:3]
        return ours[1]

    yield ask
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("sparse_max", [0, 16, 100, 3000, 20000])
def test_growing(both, sparse_max):
    """One element at a time at first, then in batches, through the change to dense."""
    both("CONFIG", "SET", "hll-sparse-max-bytes", sparse_max)
    rng = random.Random(sparse_max)
    for step in range(3000):
        both("PFADD", "h", rng.randrange(1 << 40))
        if step % 20 == 0:
            both("GET", "h")
            both("PFCOUNT", "h")
            both("PFDEBUG", "ENCODING", "h")
    for _ in range(100):
        both("PFADD", "h", *(rng.randrange(1 << 40) for _ in range(500)))
        both("PFCOUNT", "h")
        both("PFCOUNT", "h")
    both("GET", "h")
    assert both("PFDEBUG", "ENCODING", "h") == (b"sparse" if sparse_max == 20000 else b"dense")


def test_every_sparse_step(both):
    rng = random.Random(3)
    for key in range(20):
        for _ in range(200):
            both("PFADD", f"h{key}", rng.randbytes(rng.randint(0, 30)))
            both("GET", f"h{key}")
        both("PFDEBUG", "DECODE", f"h{key}")


def test_merging(both):
    rng = random.Random(4)
    keys = [f"h{i}" for i in range(8)]
    for i, key in enumerate(keys):
        for _ in range(i * 3):
            both("PFADD", key, *(rng.randrange(20000) for _ in range(10 ** (i // 2))))
    for _ in range(300):
        target = rng.choice(keys + ["merged", "other"])
        both("PFMERGE", target, *(rng.choice([*keys, "missing"]) for _ in range(rng.randint(0, 3))))
        both("GET", target)
        both("PFCOUNT", target, rng.choice(keys))
        both("PFCOUNT", target)
        both("PFDEBUG", "ENCODING", target)
        if rng.random() < 0.2:
            both("DEL", target)


def test_registers_and_forms(both):
    both("PFADD", "h", *range(100))
    both("PFDEBUG", "DECODE", "h")
    both("PFDEBUG", "GETREG", "h")
    both("PFDEBUG", "ENCODING", "h")
    both("PFDEBUG", "DECODE", "h")
    both("PFADD", "i", *range(100))
    both("PFDEBUG", "TODENSE", "i")
    both("PFDEBUG", "TODENSE", "i")
    both("GET", "i")
    both("PFDEBUG", "NOSUCH", "i")
    both("PFDEBUG", "ENCODING", "missing")
    both("PFDEBUG", "ENCODING", "i", "x")
    assert both("PFSELFTEST") == b"OK"


def test_what_is_none(both):
    both("PFADD", "good", "a", "b")
    for value in (b"", b"foo", b"HYLL", b"HYLL" + b"x" * 12, b"HYLL\x00" + bytes(11), b"HYLL\x02" + bytes(11), b"12345"):
        both("SET", "bad", value)
        for command in (("PFADD", "bad", "x"), ("PFADD", "bad"), ("PFCOUNT", "bad"), ("PFCOUNT", "good", "bad"), ("PFMERGE", "bad", "good"),
                        ("PFMERGE", "good", "bad"), ("PFDEBUG", "DECODE", "bad")):
            both(*command)
    both("RPUSH", "list", "x")
    for command in (("PFADD", "list", "x"), ("PFCOUNT", "list"), ("PFCOUNT", "good", "list"), ("PFMERGE", "list", "good"), ("PFMERGE", "good", "list"),
                    ("PFDEBUG", "GETREG", "list")):
        both(*command)
    both("GET", "good")


def test_broken_runs(both):
    """A header that is right, and runs that are not: an error, wherever it is found."""
    header = b"HYLL\x01" + bytes(10) + b"\x80"
    whole = b"\x7f\xff"
    for runs in (b"", b"\x00", whole + b"\x00", whole + b"\x80", b"\x7f", b"\x7f\xfe\x7f\xff", b"\x80" * 100):
        for command in (("PFCOUNT", "bad"), ("PFMERGE", "target", "bad"), ("PFCOUNT", "bad", "bad")):
            both("SET", "bad", header + runs)
            both(*command)


def test_keys_of_the_future_and_the_past(both):
    """What the other server wrote is read."""
    both("PFADD", "h", *range(5000))
    value = both("GET", "h")
    both("SET", "copy", value)
    both("PFADD", "copy", *range(5000, 6000))
    both("PFCOUNT", "copy")
    both("GET", "copy")
