# SPDX-License-Identifier: BSD-3-Clause
"""A data set with every encoding of every classic type, for tests that move data between servers."""

import random


def values(seed=1):
    """(key, command that makes it) pairs: around every width and threshold that an encoding has."""
    rng = random.Random(seed)
    text = b"the quick brown fox jumps over the lazy dog "
    out = []

    def add(command, key, *args):
        out.append((key, [command, key, *args]))

    for number in (0, 1, -1, 12, 13, 127, 128, -128, -129, 255, 256, 32767, 32768, -32768, 2**31 - 1, 2**31, -2**31,
                   2**63 - 1, -2**63, 10**10):
        add("SET", f"str:int:{number}", number)
    for name, value in (("empty", b""), ("leading-zero", b"007"), ("space", b" 1"), ("binary", bytes(range(256))),
                        ("embstr", b"x" * 44), ("raw", b"x" * 45), ("compressible", text * 500),
                        ("incompressible", rng.randbytes(30000)), ("6bit", b"q" * 63), ("14bit", rng.randbytes(64)),
                        ("14bit-most", rng.randbytes(16383)), ("32bit", rng.randbytes(16384))):
        add("SET", f"str:{name}", value)

    for count in (1, 2, 8, 100, 600, 3000):
        add("RPUSH", f"list:text:{count}", *[b"element-%d" % i for i in range(count)])
        add("RPUSH", f"list:int:{count}", *[rng.choice([0, 1, -1, 127, 128, 4095, 4096, -2**15, 2**23, 2**31, 2**63 - 1])
                                            for _ in range(count)])
    add("RPUSH", "list:long", *[rng.randbytes(size) for size in (0, 1, 63, 64, 4095, 4096, 9000, 70000)], text * 300)

    for width, base in (("16", 100), ("32", 10**6), ("64", 10**12)):
        for count in (1, 10, 500, 600):
            add("SADD", f"set:int{width}:{count}", *[base * rng.choice([1, -1]) + i for i in range(count)])
    for count in (1, 5, 120, 128, 129, 2000):
        add("SADD", f"set:text:{count}", *[b"member-%d" % i for i in range(count)])
    add("SADD", "set:mixed", *range(20), b"", b"a", b"\xff\x00", text * 10)

    for count in (1, 5, 127, 128, 129, 3000):
        add("HSET", f"hash:{count}", *sum(([b"field-%d" % i, i * 1000] for i in range(count)), []))
        add("ZADD", f"zset:{count}", *sum(([i * 0.5 - 3, b"member-%d" % i] for i in range(count)), []))
    add("HSET", "hash:long", b"f", b"v" * 65, b"g" * 65, b"", b"", text * 100, b"\x00", b"\xff" * 64)
    add("ZADD", "zset:odd", "inf", "a", "-inf", "b", "3.1", "c", "-0", "d", "1e-300", "e", "1.7976931348623157e308", "f",
        "5e-324", "g", str(2**53 + 2), "h", "0", text * 3, "0", "", "0", "12345")
    return out


def fill(connection, seed=1):
    """Makes the data set in databases 0 and 3, with times to live on some keys."""
    for database in (0, 3):
        connection.do("SELECT", database)
        for i, (key, command) in enumerate(values(seed)):
            connection.do(*command)
            if i % 5 == 0:
                connection.do("PEXPIREAT", key, 4102444800000 + i)
    connection.do("SELECT", 0)
