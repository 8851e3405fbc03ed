#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""usage: upgrade_pause.py BUILD_FOLDER [VALUES] [ROUNDS]

How long an upgrade holds the server: a module type with VALUES values (default 1,000,000) is upgraded from version 1 to
version 2 in each mode while a client sends PING every millisecond and two others read and write. Prints, as medians of
ROUNDS (default 3): the longest PING during the upgrade, while idle, and after the reply while values are revived; the longest turn of
the event loop meanwhile; the pause that the server reports; and the time
that rdb_save and rdb_load take for all values (SAVE of the data set, and the load of that file at a start, less the time
for an empty data set). script/bench upgrade runs it.
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness.resp import Connection  # noqa: E402

MODES = [(), ("lazy",), ("precopy",), ("lazy", "precopy")]


class Pinger(threading.Thread):
    """PING each millisecond; the longest time that one took, from when it was due."""

    def __init__(self, path):
        super().__init__()
        self.path, self.stop, self.longest = path, False, 0.0

    def run(self):
        with Connection(self.path, timeout=300) as conn:
            due = time.perf_counter()
            while not self.stop:
                conn.do("ping")
                now = time.perf_counter()
                self.longest = max(self.longest, now - due)
                due = max(due + 0.001, now)
                time.sleep(max(0.0, due - time.perf_counter()))

    def take(self):
        longest, self.longest = self.longest, 0.0
        return longest


class Load(threading.Thread):
    """Reads and writes single values, checks each answer."""

    def __init__(self, path, values, number):
        super().__init__()
        self.path, self.values, self.number = path, values, number
        self.stop, self.operations, self.wrong = False, 0, 0

    def run(self):
        with Connection(self.path, timeout=300) as conn:
            key = self.number
            while not self.stop:
                key = (key * 1103515245 + 12345) % self.values
                self.wrong += conn.do("stock.get", f"stock:{key}")[0] != key
                self.wrong += conn.do("stock.add", f"stock:{key}", 0) != key
                self.operations += 2
                time.sleep(0.001)


def start(build, folder, module, *options):
    path = folder / "s"
    process = subprocess.Popen(["taskset", "-c", "0", build / "backplane-server", "--port", "0", "--unixsocket", path, "--dir", folder, "--save", "",
                                "--enable-module-command", "yes", "--loadmodule", module, *options],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begin = time.perf_counter()
    while True:
        try:
            with Connection(path, timeout=300) as conn:
                if conn.call("ping") == (b"+", b"PONG"):
                    return process, path, time.perf_counter() - begin
        except OSError:
            pass
        time.sleep(0.005)


def timed(conn, *command):
    begin = time.perf_counter()
    conn.do(*command)
    return time.perf_counter() - begin


def one(build, folder, values, mode):
    # Lazy revival is for values that are independent of each other; the others stand in a list.
    kind = build / ("tests/lifecycle/stock_single" if "lazy" in mode else "tests/lifecycle/stock")
    process, path, _ = start(build, folder, f"{kind}_v1.so")
    try:
        conn = Connection(path, timeout=300)
        empty = timed(conn, "save")
        for first in range(0, values, 10000):
            conn.do("stock.fill", first, min(10000, values - first), "some text of the value")
        save = statistics.median(timed(conn, "save") for _ in range(3)) - empty
        pinger = Pinger(path)
        loads = [Load(path, values, n) for n in range(2)]
        for thread in [pinger, *loads]:
            thread.start()
        time.sleep(1)
        idle = (pinger.take(), time.sleep(1), pinger.take())[2]
        reply = conn.do("module", "upgrade", "stock", f"{kind}_v2.so", *mode)
        # The PING that waited is answered, and its thread has had its turn.
        time.sleep(0.05)
        stall = pinger.take()
        conn.do("config", "resetstat")
        while conn.do("module", "dormant"):
            time.sleep(0.02)
        sweep = pinger.take()
        turn = int(re.search(rb"eventloop_duration_max:(\d+)", conn.do("info", "stats")).group(1)) / 1e6
        for thread in [pinger, *loads]:
            thread.stop = True
            thread.join()
        total = conn.do("stock.total")
        assert total[0] == values and sum(load.wrong for load in loads) == 0, "a value is lost or wrong"
        assert sum(load.operations for load in loads) > 0
        conn.close()
        return {"idle": idle, "stall": stall, "sweep": sweep, "turn": turn, "pause": reply[reply.index(b"pause-us") + 1] / 1e6, "save": save}
    finally:
        process.terminate()
        process.wait()


def load_time(build, folder):
    """Loads the file that SAVE has left, less a start with nothing to load."""
    module = build / "tests/lifecycle/stock_v1.so"
    times = []
    for name in ("dump.rdb", "none.rdb"):
        process, _, took = start(build, folder, module, "--dbfilename", name)
        times.append(took)
        process.terminate()
        process.wait()
    return times[0] - times[1]


def main():
    # The server has the first core (start), its clients the second: a turn of its loop is then its own work.
    os.sched_setaffinity(0, {1})
    build = pathlib.Path(sys.argv[1]).resolve()
    values = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    print(f"{values} values, medians of {rounds}, milliseconds")
    print(f"{'mode':14}{'longest PING':>14}{'idle':>8}{'after':>8}{'turn':>8}{'pause':>9}{'rdb_save':>10}{'rdb_load':>10}{'stall/bound':>13}")
    for mode in MODES:
        results = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                result = one(build, folder, values, mode)
                result["load"] = load_time(build, folder)
                results.append(result)
        m = {key: statistics.median(result[key] for result in results) for key in results[0]}
        if mode == ("lazy", "precopy"):
            bound = m["idle"] + 0.020
        else:
            bound = 1.2 * (m["save"] + (0 if "lazy" in mode else m["load"]))
        print(f"{' '.join(mode) or 'default':14}" + f"{m['stall'] * 1e3:14.1f}{m['idle'] * 1e3:8.1f}{m['sweep'] * 1e3:8.1f}{m['turn'] * 1e3:8.2f}{m['pause'] * 1e3:9.1f}"
              f"{m['save'] * 1e3:10.1f}{m['load'] * 1e3:10.1f}{m['stall'] / bound:13.2f}", flush=True)


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    main()
