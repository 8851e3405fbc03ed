# SPDX-License-Identifier: BSD-3-Clause
"""Unload with data and back, restarts in between, what a module leaves behind, quarantine."""

import os
import shutil

import pytest
from process_figures import held, mappings, resident_kb, threads
from stock_data import COUNT, check_values, fill

from harness.resp import ReplyError, plain
from harness.server import is_sanitized, wait_until


def test_without_keepdata_values_keep_their_module(stocked):
    conn = stocked.conn
    with pytest.raises(ReplyError, match="exports one or more module-side data types, can't unload"):
        conn.do("module", "unload", "stock")
    check_values(conn)
    conn.do("flushall")
    assert conn.do("module", "unload", "stock") == b"OK"


def test_keepdata_and_back(stocked, stock):
    conn = stocked.conn
    payload = conn.do("dump", "special")
    assert conn.do("module", "unload", "stock", "keepdata") == b"OK"
    assert conn.do("module", "list") == []
    with pytest.raises(ReplyError, match="unknown command"):
        conn.do("stock.get", "special")
    # The keys are there, and everything that needs no module works on them.
    assert conn.do("type", "special") == b"stock-tst"
    assert conn.do("dbsize") == COUNT + 2
    assert conn.do("memory", "usage", "special") > 0
    assert conn.do("dump", "special")[:-10].startswith(payload[:10])
    conn.do("rename", "special", "renamed")
    conn.do("copy", "renamed", "special")
    conn.do("del", "renamed")
    conn.do("expire", "special", 5000)
    row = conn.do("module", "dormant")
    assert row[0] == b"stock-tst" and row[1][:2] == [b"keys", COUNT + 1]
    assert row[1][4:6] == [b"aux-fields", 1]
    assert conn.do("module", "load", stock("v1")) == b"OK"
    check_values(conn)
    assert conn.do("ttl", "special") > 0


def test_keepdata_then_a_restart_then_another_version(stocked, stock):
    conn = stocked.conn
    conn.do("module", "unload", "stock", "keepdata")
    conn.do("save")
    stocked.restart([])
    conn = stocked.connect()
    assert conn.do("dbsize") == COUNT + 2
    conn.do("save")
    stocked.restart(["--loadmodule", stock("v2")])
    check_values(stocked.connect())


def test_a_lazy_load(stocked, stock):
    conn = stocked.conn
    conn.do("module", "unload", "stock", "keepdata")
    conn.do("config", "set", "module-revival", "lazy")
    assert conn.do("module", "load", stock("v2")) == b"OK"
    assert conn.do("stock.get", "stock:77")[:2] == [77, b"text"]
    assert conn.do("memory", "usage", "stock:78") > 0
    with pytest.raises(ReplyError, match="exports one or more module-side data types"):
        conn.do("module", "unload", "stock")
    wait_until(lambda: conn.do("module", "dormant") == [])
    check_values(conn)
    stocked.wait_for_log("values revived in the background")


def test_waiting_clients_are_told(stocked):
    conn = stocked.conn
    clients = [stocked.connect() for _ in range(2)]
    clients[0].send("stock.wait", "special", 100, 0)
    clients[1].send("stock.block")
    wait_until(lambda: b"blocked_clients:2" in conn.do("info", "clients"))
    conn.do("module", "unload", "stock", "keepdata")
    for client in clients:
        assert str(plain(client.read())).startswith("UNBLOCKED ")
        assert client.do("ping") == b"PONG"


def test_an_onunload_that_refuses(stocked):
    conn = stocked.conn
    conn.do("stock.behave", "refuse")
    waiting = stocked.connect()
    waiting.send("stock.wait", "special", 100, 0)
    wait_until(lambda: b"blocked_clients:1" in conn.do("info", "clients"))
    with pytest.raises(ReplyError, match="Error unloading module: operation not possible."):
        conn.do("module", "unload", "stock", "keepdata")
    check_values(conn)
    conn.do("stock.add", "special", 100)
    assert plain(waiting.read()) == 107


def test_queued_commands_of_a_module_that_went(stocked, stock):
    conn = stocked.conn
    conn.do("multi")
    conn.do("stock.get", "special")
    conn.do("get", "plain")
    stocked.connect().do("module", "unload", "stock", "keepdata")
    gone, value = conn.do("exec")
    assert "unknown command" in str(gone) and value == b"value"


def test_leftovers_are_reported_and_gone(stocked, stock):
    conn = stocked.conn
    conn.do("stock.leave", "memory", 1000)
    conn.do("stock.leave", "timer")
    conn.do("stock.leave", "fd")
    conn.do("stock.leave", "subscription")
    assert conn.do("module", "unload", "stock", "keepdata") == b"OK"
    stocked.wait_for_log(r"Module stock left \d+ bytes in \d+ blocks of memory behind")
    # Nobody is there to be told of changes any more, or of what comes through the pipe, whose other end is open still.
    conn.do("set", "x", 1)
    assert not any(b"stock" in name for part in registrations(conn)[:3] for name in part)
    conn.do("module", "load", stock("v1"))
    assert conn.do("stock.total")[0] == COUNT + 1


def memory_in_use(conn):
    info = conn.do("info", "memory").decode()
    return int(next(line.split(":")[1] for line in info.splitlines() if line.startswith("used_memory:")))


MEGABYTE = 1 << 20

with_arenas = pytest.mark.skipif(is_sanitized(), reason="with a sanitizer's allocator modules have no arenas")


@with_arenas
def test_memory_that_was_left_is_taken_back(stocked, stock):
    conn = stocked.conn
    conn.do("stock.leave", "memory", 1)
    before = resident_kb(stocked)
    for _ in range(300):
        conn.do("stock.leave", "memory", 100000)
        conn.do("stock.leave", "memory", 100)
    assert resident_kb(stocked) > before + 28000
    held = memory_in_use(conn)
    conn.do("module", "unload", "stock", "keepdata")
    stocked.wait_for_log(r"Module stock left \d+ bytes in 601 blocks of memory behind; they are taken back")
    wait_until(lambda: resident_kb(stocked) < before + 4000)
    assert memory_in_use(conn) < held - 28 * MEGABYTE
    conn.do("module", "load", stock("v1"))
    check_values(conn)


@with_arenas
def test_memory_that_a_failed_load_left_is_taken_back(start_server, stock):
    server = start_server("--module-load-probe", "no")
    conn = server.connect()
    with pytest.raises(ReplyError, match="not loaded"):
        conn.do("module", "load", stock("v1"), "leave-and-fail")
    server.wait_for_log(r"left \d+ bytes in 1 blocks of memory behind; they are taken back")


@with_arenas
def test_memory_stays_when_others_may_have_a_part_of_it(stocked, stock):
    conn = stocked.conn
    conn.do("stock.leave", "shared")
    conn.do("stock.leave", "memory", 10 * MEGABYTE)
    before = resident_kb(stocked)
    conn.do("module", "unload", "stock", "keepdata")
    stocked.wait_for_log(r"Module stock left \d+ bytes in 1 blocks of memory behind$")
    conn.do("module", "load", stock("v1"))
    check_values(conn)
    assert resident_kb(stocked) > before - 5000


@with_arenas
def test_blocks_that_leave_another_way_than_they_came(stocked):
    conn = stocked.conn
    before = conn.do("module", "stats", "stock")[:6]
    for _ in range(100):
        conn.do("stock.leave", "nothing")
    assert conn.do("module", "stats", "stock")[:6] == before
    conn.do("module", "unload", "stock", "keepdata")
    stocked.wait_for_log("Module stock unloaded")
    assert "of memory behind" not in stocked.log()


def test_a_module_that_frees_everything_is_not_reported(stocked):
    stocked.conn.do("module", "unload", "stock", "keepdata")
    stocked.wait_for_log("Module stock unloaded, 1001 of its values are dormant")
    assert "blocks of memory behind" not in stocked.log()


def test_threads_that_onunload_ends(stocked, stock):
    conn = stocked.conn
    # The first unload starts the server's own thread that frees memory.
    conn.do("module", "unload", "stock", "keepdata")
    conn.do("module", "load", stock("v1"))
    before = threads(stocked)
    conn.do("stock.leave", "thread")
    assert threads(stocked) == before + 1
    conn.do("module", "unload", "stock", "keepdata")
    assert threads(stocked) == before
    assert mappings(stocked) == 0
    conn.do("module", "load", stock("v1"))
    check_values(conn)


def test_code_with_threads_is_quarantined(stocked, stock):
    conn = stocked.conn
    conn.do("stock.leave", "thread")
    conn.do("stock.behave", "leave-thread")
    blocked = stocked.connect()
    blocked.send("stock.block")
    wait_until(lambda: b"blocked_clients:1" in conn.do("info", "clients"))
    conn.do("module", "unload", "stock", "keepdata")
    assert str(plain(blocked.read())).startswith("UNBLOCKED ")
    stocked.wait_for_log("Module stock still runs 1 threads after its unload: its code stays mapped, under quarantine")
    assert mappings(stocked) > 0
    assert b"module_quarantined:name=stock,ver=1,threads=1" in conn.do("info", "modules")
    # Its successor is another copy of the code, with variables of its own.
    conn.do("module", "load", stock("v1"))
    check_values(conn)
    conn.do("stock.set", "more", 1, "x")
    assert conn.do("stock.total")[0] == COUNT + 2


def test_quarantine_ends_with_the_last_thread(stocked, stock):
    """Its place is free then, and its code is unmapped."""
    conn = stocked.conn
    for path in (stock("v1"), shutil.copy(stock("v1"), stocked.folder / "copy.so")):
        conn.do("stock.leave", "thread")
        conn.do("stock.behave", "late-thread")
        conn.do("module", "upgrade", "stock", path, "args")
    conn.do("stock.leave", "thread")
    conn.do("stock.behave", "late-thread")
    conn.do("module", "unload", "stock", "keepdata")
    assert b"module_quarantined:name=stock" in conn.do("info", "modules")
    wait_until(lambda: b"module_quarantined" not in conn.do("info", "modules"))
    stocked.wait_for_log("The last thread of module stock has ended: its quarantine is over")
    assert mappings(stocked) == 0
    conn.do("module", "load", stock("v1"))
    check_values(conn)


def test_upgrade_past_a_thread(stocked, stock):
    conn = stocked.conn
    conn.do("stock.leave", "thread")
    conn.do("stock.behave", "leave-thread")
    conn.do("module", "upgrade", "stock", stock("v2"))
    check_values(conn)
    assert b"module_quarantined:name=stock,ver=1" in conn.do("info", "modules")


def test_the_same_file_again_is_no_error(start_server, stock):
    server = start_server("--loadmodule", stock("v1"), "--loadmodule", stock("v1"))
    conn = server.connect()
    assert len(conn.do("module", "list")) == 1
    assert conn.do("module", "load", stock("v1")) == b"OK"
    assert conn.do("module", "load", stock("v1"), "other") == b"OK"
    server.wait_for_log("Module 'stock' is loaded from .* already, with other arguments")
    with pytest.raises(ReplyError, match="loaded already from .*stock_v1.so; MODULE UPGRADE replaces it"):
        conn.do("module", "load", stock("v2"))
    with pytest.raises(ReplyError, match="MODULE UPGRADE replaces it"):
        conn.do("config", "set", "module-probe-timeout", "5000")
        conn.do("module", "loadex", stock("v2"), "args", "x")


def test_a_changed_file_under_the_same_path_is_another(stocked, stock):
    conn = stocked.conn
    path = stocked.folder / "module.so"
    shutil.copy(stock("v1"), path)
    conn.do("module", "upgrade", "stock", path)
    new = stocked.folder / "new.so"
    shutil.copy(stock("v1"), new)
    new.rename(path)
    with pytest.raises(ReplyError, match="MODULE UPGRADE"):
        conn.do("module", "load", path)


CYCLES = int(os.environ.get("LIFECYCLE_CYCLES", "1000"))


def registrations(conn):
    """What the server knows by name that a module can add to."""
    commands = conn.do("command", "list")
    options = conn.do("config", "get", "*")[::2]
    sections = [line for line in conn.do("info", "everything").splitlines() if line.startswith(b"# ")]
    return sorted(commands), sorted(options), sections, conn.do("acl", "cat"), conn.do("module", "list")


def test_load_use_unload_over_and_over(start_server, stock, cycles=CYCLES):
    """Nothing is left behind: no registration, thread, mapping, file; the memory is level."""
    server = start_server("--module-load-probe", "no")
    conn = server.connect()

    def cycle():
        conn.do("module", "load", stock("v1"))
        fill(conn)
        conn.do("stock.leave", "thread")
        conn.do("stock.leave", "timer")
        conn.do("stock.leave", "subscription")
        conn.do("module", "unload", "stock", "keepdata")
        conn.do("module", "load", stock("v2"))
        check_values(conn)
        conn.do("flushall")
        conn.do("module", "unload", "stock")

    known = registrations(conn)
    for turn in range(cycles):
        cycle()
        if turn == cycles // 5:
            before, level = held(server), resident_kb(server)
    assert held(server) == before
    assert registrations(conn) == known
    assert is_sanitized() or resident_kb(server) < level * 1.1 + 2048
    assert conn.do("module", "dormant") == []
