#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""usage: families.py BUILD_FOLDER [ROUNDS [NAME...]]

CPU time per request of one or two commands of each family of the data model, side by side with Debian's redis-server,
which gets the same work from redis-benchmark. Medians of ROUNDS (default 3). NAMEs: only rows
that begin so. script/bench families runs it.
"""

import pathlib
import random
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness.resp import Connection, encode  # noqa: E402
from pinned_server import pinned_server  # noqa: E402

EVAL = "return redis.call('GET', KEYS[1])"

# Name, requests, pipeline, range of random numbers, command.
WORK = [
    ("XADD, 100 streams", 400_000, 16, 100, ["XADD", "log:__rand_int__", "MAXLEN", "~", "10000", "*", "field", "value"]),
    ("XREADGROUP COUNT 10", 40_000, 16, 1, ["XREADGROUP", "GROUP", "g", "c", "COUNT", "10", "NOACK", "STREAMS", "stream", ">"]),
    ("XRANGE COUNT 10", 200_000, 16, 400_000, ["XRANGE", "stream", "1-__rand_int__", "+", "COUNT", "10"]),
    ("BITCOUNT of 1 MB", 4_000, 1, 1, ["BITCOUNT", "bits"]),
    ("PFADD", 600_000, 16, 1_000_000, ["PFADD", "hll", "element:__rand_int__"]),
    ("PFADD of ten", 200_000, 16, 1_000_000, ["PFADD", "hll", *["element:__rand_int__"] * 10]),
    ("PFCOUNT of two dense", 10_000, 4, 1, ["PFCOUNT", "hll:1", "hll:2"]),
    ("GEOSEARCH, 100,000 points", 20_000, 4, 1, ["GEOSEARCH", "geo", "FROMLONLAT", "15", "37", "BYRADIUS", "50", "km", "ASC", "COUNT", "10"]),
    ("ZADD, 1,000,000 members", 400_000, 16, 1_000_000, ["ZADD", "zset", "__rand_int__", "member:__rand_int__"]),
    ("ZRANGE BYSCORE LIMIT 10 of them", 300_000, 16, 1_000_000, ["ZRANGE", "zset", "__rand_int__", "+inf", "BYSCORE", "LIMIT", "0", "10"]),
    ("ZRANK of them", 400_000, 16, 1_000_000, ["ZRANK", "zset", "member:__rand_int__"]),
    ("EVAL of a GET", 400_000, 16, 1_000, ["EVAL", EVAL, "1", "key:__rand_int__"]),
]


def pipeline(connection, commands):
    """Many commands, their replies thrown away."""
    batch = []
    for command in commands:
        batch.append(command)
        if len(batch) == 1000:
            flush(connection, batch)
    flush(connection, batch)


def flush(connection, batch):
    connection.send_bytes(b"".join(encode(command) for command in batch))
    for _ in batch:
        connection.read()
    batch.clear()


def fill(connection):
    draw = random.Random(1)
    pipeline(connection, (("XADD", "stream", f"1-{n + 1}", "field", f"value {n}") for n in range(410_000)))
    connection.do("XGROUP", "CREATE", "stream", "g", "0")
    connection.do("SET", "bits", draw.randbytes(1 << 20))
    for key in ("hll:1", "hll:2"):
        pipeline(connection, (("PFADD", key, *[f"{key}{n}:{i}" for i in range(50)]) for n in range(2000)))
    pipeline(connection, (("GEOADD", "geo", draw.uniform(10, 20), draw.uniform(32, 42), f"place:{n}") for n in range(100_000)))
    pipeline(connection, (("ZADD", "zset", draw.randrange(1_000_000), f"member:{n:012d}") for n in range(1_000_000)))
    pipeline(connection, (("SET", f"key:{n:012d}", f"value {n}") for n in range(1_000)))


def cpu_seconds(pid):
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def measure(binary):
    """Microseconds of CPU per request, by name."""
    with pinned_server(binary) as (server, path):
        fill(Connection(path, timeout=300))
        found = {}
        for name, requests, depth, numbers, command in WORK:
            before = cpu_seconds(server.pid)
            subprocess.run(["taskset", "-c", "1", "redis-benchmark", "-s", path, "-q", "-n", str(requests), "-c", "20",
                            "-P", str(depth), "-r", str(numbers), *command], check=True, stdout=subprocess.DEVNULL)
            found[name] = (cpu_seconds(server.pid) - before) / requests * 1e6
        return found


def main():
    build = pathlib.Path(sys.argv[1])
    only = sys.argv[3:]
    WORK[:] = [row for row in WORK if not only or any(row[0].startswith(name) for name in only)]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    binaries = [build / "backplane-server", pathlib.Path("/usr/bin/redis-server")]
    results = [[measure(binary) for binary in binaries] for _ in range(rounds)]
    print(f"microseconds of CPU per request, medians of {rounds}")
    print(f"{'':34}{'ours':>10}{'redis':>10}{'ratio':>8}")
    for name, *_ in WORK:
        ours, redis = (statistics.median(round_[side][name] for round_ in results) for side in (0, 1))
        print(f"{name:34}{ours:10.3f}{redis:10.3f}{ours / redis:8.2f}")


if __name__ == "__main__":
    main()
