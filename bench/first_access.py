#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""usage: first_access.py BUILD_FOLDER [ROUNDS]

What the first access to a value costs after a lazy upgrade, which has to revive the value, beside what reading the value
takes by itself (the rehearsal's rdb_load) and what the next access costs. Microseconds of the command, as the server's slow log has
them: means, and the longest single one. All accesses come within one transaction, before the background has revived anything.
The last column is the mean of first accesses less that of the next ones, over the mean load.
"""

import os
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "bench"))

from harness.resp import Connection  # noqa: E402
from upgrade_pause import start  # noqa: E402

SIZES = [(100, 2000), (10_000, 2000), (100_000, 500), (1_000_000, 50)]


def accesses(conn, values, *before):
    """Microseconds of an access to each value, in one transaction behind the command `before`."""
    conn.do("slowlog", "reset")
    conn.do("config", "set", "slowlog-log-slower-than", 0)
    conn.do("multi")
    commands = [before] if before else []
    commands += [("stock.add", f"stock:{number}", 0) for number in range(values)]
    for command in commands:
        conn.do(*command)
    assert len(conn.do("exec")) == len(commands)
    conn.do("config", "set", "slowlog-log-slower-than", -1)
    rows = conn.do("slowlog", "get", -1)
    return [row[2] for row in rows if row[3][0] == b"stock.add" and len(row[3]) == 3]


def one(build, size, values):
    kind = build / "tests/lifecycle/stock_single"
    with tempfile.TemporaryDirectory() as name:
        process, path, _ = start(build, pathlib.Path(name), f"{kind}_v1.so", "--slowlog-max-len", "100000", "--slowlog-log-slower-than", "-1")
        try:
            conn = Connection(path, timeout=300)
            for first in range(0, values, 100):
                conn.do("stock.fill", first, min(100, values - first), "x" * size)
            reply = conn.do("module", "upgrade", "stock", f"{kind}_v2.so", "dryrun")
            report = dict(zip(reply[::2], reply[1::2]))
            first = accesses(conn, values, "module", "upgrade", "stock", f"{kind}_v2.so", "lazy")
            return {"load": report[b"revive-us"] / report[b"values"], "first": first, "next": accesses(conn, values)}
        finally:
            process.terminate()
            process.wait()


def main():
    os.sched_setaffinity(0, {1})
    build = pathlib.Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(f"medians of {rounds}, microseconds")
    print(f"{'bytes':>9}{'load':>10}{'first':>10}{'longest':>10}{'next':>10}{'ratio':>8}")
    for size, values in SIZES:
        results = [one(build, size, values) for _ in range(rounds)]
        load = statistics.median(result["load"] for result in results)
        first = statistics.median(statistics.mean(result["first"]) for result in results)
        longest = statistics.median(max(result["first"]) for result in results)
        later = statistics.median(statistics.mean(result["next"]) for result in results)
        print(f"{size:9}{load:10.2f}{first:10.2f}{longest:10.1f}{later:10.2f}{(first - later) / load:8.2f}", flush=True)


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    main()
