# SPDX-License-Identifier: BSD-3-Clause
"""Random commands (grammar.py), then the same data again out of the append-only file: after a kill, after rewrites in
both forms of a base, and within the process.

COMPAT_COMMANDS sets how many, COMPAT_SEED repeats a run.
"""

import os
import random
import re

import pytest

from generate import Generator
from harness.resp import encode
from harness.server import Server, wait_until
from random_commands import SMALL_OPTIONS

CI_SEED = 17
COMMANDS = int(os.environ.get("COMPAT_COMMANDS", "20000"))
ROUNDS = 4


def seed():
    chosen = CI_SEED if os.environ.get("CI") else random.SystemRandom().randrange(1 << 31)
    return int(os.environ.get("COMPAT_SEED", chosen))


def run(connection, groups, count):
    """So many commands, in pipelines; replies do not matter."""
    sent = 0
    while sent < count:
        batch = []
        while len(batch) < 200:
            batch += [command.args for command in next(groups) if command.args]
        connection.send_bytes(b"".join(encode(args) for args in batch))
        for _ in batch:
            connection.read()
        sent += len(batch)


def state(connection):
    """Each key with its time to live and digest. Keys whose time may run out meanwhile go first."""
    # The commands may have left it within a transaction, or anywhere.
    connection.call("DISCARD")
    keys = {}
    for database in range(16):
        connection.do("SELECT", database)
        for key in sorted(connection.do("KEYS", "*")):
            if 0 <= connection.do("PTTL", key) < 3_600_000:
                connection.do("DEL", key)
            else:
                keys[database, key] = (connection.do("TYPE", key), connection.do("PEXPIRETIME", key),
                                       connection.do("DEBUG", "DIGEST-VALUE", key))
    connection.do("SELECT", 0)
    return keys


def settle(connection):
    """All is in the file, and no rewrite runs."""
    wait_until(lambda: b"aof_buffer_length:0" in connection.do("INFO", "persistence"))


def rewrite(connection, preamble):
    connection.do("CONFIG", "SET", "aof-use-rdb-preamble", preamble)
    connection.do("BGREWRITEAOF")
    wait_until(lambda: b"aof_rewrite_in_progress:0" in connection.do("INFO", "persistence"))
    assert b"aof_last_bgrewrite_status:ok" in connection.do("INFO", "persistence")


def assert_same(before, after, chosen):
    wrong = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert not wrong, (f"seed {chosen}", [(key, before.get(key), after.get(key)) for key in sorted(wrong)][:10])


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_the_file_leads_to_the_same_data(large):
    chosen = seed()
    print(f"seed {chosen}")
    groups = Generator(chosen, large).groups()
    count = COMMANDS // ROUNDS // (4 if large else 1)
    options = ["--appendonly", "yes", "--enable-debug-command", "yes", *([] if large else SMALL_OPTIONS)]
    with Server(options, tcp=False) as server:
        for turn in range(ROUNDS):
            connection = server.connect()
            run(connection, groups, count)
            before = state(connection)
            settle(connection)
            server.kill()
            server.start()
            connection = server.connect()
            assert_same(before, state(connection), chosen)
            assert "== CRITICAL ==" not in server.log(), (f"seed {chosen}", re.findall(".*CRITICAL.*", server.log())[:5])

            rewrite(connection, "no" if turn % 2 == 0 else "yes")
            run(connection, groups, count // 4)
            before = state(connection)
            assert connection.do("DEBUG", "LOADAOF") == b"OK"
            assert_same(before, state(connection), chosen)
            # Commands run while the child writes, on top of what it has seen.
            connection.do("BGREWRITEAOF")
            run(connection, groups, count // 4)
            before = state(connection)
            settle(connection)
            server.kill()
            server.start()
            assert_same(before, state(server.connect()), chosen)
