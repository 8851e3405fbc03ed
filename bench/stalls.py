#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""usage: stalls.py BUILD_FOLDER [ROUNDS]

How long work of the server's own holds a PING that is sent each millisecond: 100,000 keys that expire at once, and the
growth of the table to 10,000,000 keys. Prints the longest PING of each, and that of an idle server; medians of ROUNDS
(default 3). The server has a core of its own. script/bench stalls runs it.
"""

import pathlib
import statistics
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness.resp import Connection  # noqa: E402
from pinned_server import pinned_server  # noqa: E402
from upgrade_pause import Pinger  # noqa: E402

EXPIRING = 100_000
KEYS = 10_000_000


def fill(connection, first, count, expire_at_ms=None):
    """Keys by DEBUG POPULATE would be one command: these come as a client sends them, 100 at a time."""
    batch, options = 100, b"" if expire_at_ms is None else b"$4\r\nPXAT\r\n$13\r\n%013d\r\n" % expire_at_ms
    words = 3 if expire_at_ms is None else 5
    for start in range(first, first + count, batch):
        connection.send_bytes(b"".join(b"*%d\r\n$3\r\nSET\r\n$12\r\nkey:%08d\r\n$1\r\nv\r\n%s" % (words, n, options)
                                       for n in range(start, start + batch)))
        received = 0
        while received < batch * 5:
            received += len(connection.socket.recv(1 << 16))


def one(binary):
    with pinned_server(binary) as (_, path):
        connection = Connection(path, timeout=300)
        at = int(time.time() * 1000) + 8000
        fill(connection, 0, EXPIRING, at)
        pinger = Pinger(path)
        pinger.start()
        time.sleep(1)
        idle = (pinger.take(), time.sleep(2), pinger.take())[2]
        time.sleep(max(0.0, at / 1000 - time.time() - 0.05))
        pinger.take()
        while connection.do("DBSIZE") > 0:
            time.sleep(0.05)
        expiry = pinger.take()
        loader = threading.Thread(target=fill, args=(Connection(path, timeout=300), 0, KEYS))
        pinger.take()
        loader.start()
        loader.join()
        growth = pinger.take()
        pinger.stop = True
        pinger.join()
        return {"idle": idle, f"{EXPIRING:,} keys expire": expiry, f"growth to {KEYS:,} keys": growth}


def main():
    build = pathlib.Path(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    binaries = {"ours": build / "backplane-server", "redis": pathlib.Path("/usr/bin/redis-server")}
    results = {name: [one(binary) for _ in range(rounds)] for name, binary in binaries.items()}
    print(f"longest PING in ms, medians of {rounds}")
    print(f"{'':30}" + "".join(f"{name:>10}" for name in binaries))
    for row in results["ours"][0]:
        figures = (statistics.median(round_[row] for round_ in results[name]) * 1e3 for name in binaries)
        print(f"{row:30}" + "".join(f"{figure:10.2f}" for figure in figures))


if __name__ == "__main__":
    main()
