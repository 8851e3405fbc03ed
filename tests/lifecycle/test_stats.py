# SPDX-License-Identifier: BSD-3-Clause
"""MODULE STATS and the usage lines of INFO modules."""

import time

import pytest
from stock_data import COUNT

from harness.resp import ReplyError
from harness.server import wait_until


def as_map(reply):
    return dict(zip(reply[::2], reply[1::2]))


def stats(conn):
    return as_map(conn.do("module", "stats", "stock"))


def test_memory_agrees_with_the_module_to_the_byte(stocked):
    conn = stocked.conn
    row = stats(conn)
    bytes_held, blocks = conn.do("stock.memory")
    assert (row[b"memory-bytes"], row[b"memory-blocks"]) == (bytes_held, blocks)
    assert blocks == COUNT + 1
    conn.do("del", "special")
    assert stats(conn)[b"memory-blocks"] == COUNT
    conn.do("stock.leave", "memory", 100000)
    assert stats(conn)[b"memory-bytes"] >= conn.do("stock.memory")[0] + 100000
    conn.do("flushall")
    wait_until(lambda: stats(conn)[b"memory-blocks"] == 1)


def test_calls_and_time(stocked):
    conn = stocked.conn
    for _ in range(10):
        conn.do("stock.get", "special")
    row = stats(conn)
    commands = {name: as_map(value) for name, value in as_map(row[b"commands"]).items()}
    assert commands[b"stock.get"][b"calls"] == 10
    assert row[b"command-calls"] == sum(command[b"calls"] for command in commands.values())
    assert row[b"command-usec"] > 0 and commands[b"stock.fill"][b"usec"] > 0
    before = row[b"callbacks"]
    conn.do("config", "get", "stock.limit")
    conn.do("save")
    row = stats(conn)
    assert row[b"callbacks"] > before and row[b"callback-usec"] > 0


def test_keys_and_bytes_by_type(stocked):
    conn = stocked.conn
    row = as_map(as_map(stats(conn)[b"types"])[b"stock-tst"])
    assert row[b"encver"] == 1 and row[b"keys"] == COUNT + 1
    assert row[b"dormant-keys"] == 0
    assert row[b"bytes"] > 0
    conn.do("flushall")
    conn.do("stock.set", "one", 1, "12345")
    row = as_map(as_map(stats(conn)[b"types"])[b"stock-tst"])
    assert row[b"bytes-exact"] == 1
    one = row[b"bytes"]
    conn.do("stock.fill", 0, 5000, "12345")
    row = as_map(as_map(stats(conn)[b"types"])[b"stock-tst"])
    assert row[b"bytes-exact"] == 0 and row[b"bytes"] == 5001 * one


def test_registrations_functions_and_threads(stocked):
    conn = stocked.conn
    row = stats(conn)
    kinds = as_map(row[b"registrations"])
    assert kinds[b"type"] == 1 and kinds[b"option"] == 3 and kinds[b"command"] > 10 and b"timer" not in kinds
    conn.do("stock.leave", "timer")
    conn.do("stock.leave", "thread")
    conn.do("stock.leave", "subscription")
    conn.do("stock.leave", "fd")
    row = stats(conn)
    kinds = as_map(row[b"registrations"])
    assert kinds[b"timer"] == 1 and kinds[b"keyspace-subscription"] == 1 and kinds[b"event-subscription"] == 1
    assert kinds[b"file-event"] == 1
    assert row[b"threads"] == 1
    assert row[b"functions"] > 300 and b"RedisModule_CreateKeyMetaClass" in row[b"missing-functions"]
    blocked = stocked.connect()
    blocked.send("stock.block")
    wait_until(lambda: stats(conn)[b"blocked-clients"] == 1)


def test_time_with_the_lock(start_server, stock):
    from harness.server import build_folder
    server = start_server("--loadmodule", build_folder() / "tests/modules/threads.so")
    conn = server.connect()
    conn.do("threads.increment", 50)
    row = as_map(conn.do("module", "stats", "threads"))
    assert row[b"lock-holds"] >= 50 and row[b"lock-usec"] > 0


def test_figures_go_on_over_an_upgrade(stocked, stock):
    conn = stocked.conn
    for _ in range(7):
        conn.do("stock.get", "special")
    before = stats(conn)
    conn.do("module", "upgrade", "stock", stock("v2"))
    after = stats(conn)
    assert after[b"version"] == 2
    assert after[b"command-calls"] >= before[b"command-calls"]
    assert after[b"callbacks"] > before[b"callbacks"]
    # Memory is what the new version holds; calls by command begin again, they are other commands.
    assert [after[b"memory-bytes"], after[b"memory-blocks"]] == conn.do("stock.memory")
    assert as_map(as_map(after[b"commands"])[b"stock.get"])[b"calls"] == 0


def test_all_modules_and_info(stocked, stock):
    conn = stocked.conn
    rows = [as_map(row) for row in conn.do("module", "stats")]
    assert [row[b"name"] for row in rows] == [b"stock"] and rows[0][b"state"] == b"loaded"
    info = conn.do("info", "modules").decode()
    line = next(line for line in info.split("\r\n") if line.startswith("module_usage_stock:"))
    fields = dict(field.split("=") for field in line.split(":")[1].split(","))
    assert [int(fields["memory"]), int(fields["blocks"])] == conn.do("stock.memory")
    assert int(fields["calls"]) > 0 and fields["threads"] == "0"
    with pytest.raises(ReplyError, match="no such module"):
        conn.do("module", "stats", "none")
    with pytest.raises(ReplyError, match="wrong number of arguments"):
        conn.do("module", "stats", "stock", "more")
    conn.do("stock.leave", "thread")
    conn.do("stock.behave", "leave-thread")
    conn.do("module", "unload", "stock", "keepdata")
    time.sleep(0.01)
    assert [as_map(row)[b"state"] for row in conn.do("module", "stats")] == [b"quarantined"]
