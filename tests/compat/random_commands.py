#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Random commands to Debian's redis-server and to ours, every reply and keyspace event compared to the letter.

usage: tests/compat/random_commands.py [--commands N] [--seed S] [--large] [--only SET,GET,...] [--known]
                                       [--mismatches N]

--large uses collections of thousands of members. --only restricts the commands, --known leaves out those that the
server under test does not have yet. --mismatches goes on (with empty
databases) after a mismatch until there are so many, and ends with a count by command. The server under test is
BACKPLANE_SERVER, by default build/release/backplane-server.
"""

import argparse
import collections
import pathlib
import random
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1])]

import grammar  # noqa: E402
from generate import Generator  # noqa: E402
from harness.server import REDIS, Server  # noqa: E402
from runner import Runner  # noqa: E402

# Low thresholds: small collections change their encodings often.
SMALL_OPTIONS = ["--databases", "16", "--hash-max-listpack-entries", "12", "--hash-max-listpack-value", "24",
                 "--set-max-intset-entries", "12", "--zset-max-listpack-entries", "12",
                 "--zset-max-listpack-value", "24", "--list-max-listpack-size", "8"]


def known_commands(server):
    """The grammar's commands that a server has."""
    names = sorted({row.name.decode() for row in grammar.ROWS})
    entries = server.connect().do("COMMAND", "INFO", *names)
    return {name for name, entry in zip(names, entries) if entry} | {"NOSUCHCOMMAND"}


def run(commands, seed, large=False, only=None, mismatches_max=1, known=False):
    """Runs it, returns the Runner."""
    print(f"random commands: {commands} with seed {seed}{' (large)' if large else ''}", flush=True)
    options = [] if large else SMALL_OPTIONS
    with Server(options, binary=REDIS, tcp=False) as theirs, Server(options, tcp=False) as ours:
        runner = Runner(theirs.socket_path, ours.socket_path, with_events=True)
        if known:
            only = known_commands(ours) & (only or known_commands(theirs))
        try:
            runner.run(Generator(seed, large, only), commands, mismatches_max)
        except (EOFError, OSError) as error:
            last = "\n".join(str(c.args)[:300] for c in runner.history[-3:])
            raise AssertionError(f"seed {seed}, after {runner.count} commands: {error!r}; the last replies were to\n"
                                 f"{last}\nour log:\n{ours.log()[-4000:]}") from error
        return runner


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--commands", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--known", action="store_true")
    parser.add_argument("--mismatches", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    only = options.only and set(options.only.upper().split(","))
    runner = run(options.commands, options.seed, options.large, only, options.mismatches,
                 options.known)
    print(runner.report(options.seed))
    if len(runner.mismatches) > 1:
        names = collections.Counter(m.command.args[0].upper().decode("latin1") for m in runner.mismatches)
        print("by command:", ", ".join(f"{name} {count}" for name, count in names.most_common()))
    print(f"{runner.count} commands, {len(runner.mismatches)} mismatches, {time.monotonic() - started:.0f} s")
    return bool(runner.mismatches)


if __name__ == "__main__":
    sys.exit(main())
