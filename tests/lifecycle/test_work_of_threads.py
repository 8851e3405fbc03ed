# SPDX-License-Identifier: BSD-3-Clause
"""Upgrades and unloads of a module whose threads are at work for clients, with pointers to values in their hands."""

import os
import shutil
import threading

import pytest
from stock_data import COUNT, check_values

from harness.resp import ReplyError, plain
from harness.server import wait_until

MODES = [(), ("lazy",), ("precopy",), ("lazy", "precopy")]


@pytest.fixture
def stocked(stocked):
    """The thread's work ends with the test at the latest."""
    stocked.end_of_work = stocked.folder / "end_of_work"
    # Nothing here ends because somebody has waited for long.
    stocked.conn.do("config", "set", "module-drain-timeout", 60000)
    yield stocked
    stocked.end_of_work.touch()


def begin_work(server, *number):
    """A client that waits for a thread; the thread has its pointer."""
    worker = server.connect()
    worker.send("stock.work", "special", server.end_of_work, *number)
    wait_until(lambda: b"blocked_clients:1" in server.conn.do("info", "clients"))
    # The lock is taken by turns: behind this the thread has had it.
    wait_until(lambda: b"lock_holds=0," not in server.conn.do("info", "modules"))
    return worker


class Upgrade(threading.Thread):
    """MODULE UPGRADE by a client of its own."""

    def __init__(self, server, path, *words):
        super().__init__()
        self.conn = server.connect()
        self.words = ["module", "upgrade", "stock", path, *words]
        self.reply = None
        self.start()

    def run(self):
        self.reply = plain(self.conn.call(*self.words))

    def done(self):
        self.join()
        return self.reply


def draining(server):
    """A command of the module has come to wait."""
    held = server.connect()
    # From here on commands are held back; this one is served before or waits.
    wait_until(lambda: b"module_draining:name=stock" in server.conn.do("info", "modules"))
    held.send("stock.get", "special")
    # The worker's client, that of the upgrade, and this one.
    wait_until(lambda: b"blocked_clients:3" in server.conn.do("info", "clients"))
    return held


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(mode) or "eager")
def test_work_is_finished_first(stocked, stock, mode):
    worker = begin_work(stocked)
    upgrade = Upgrade(stocked, stock("v2"), *mode)
    held = draining(stocked)
    # Who cannot wait is served by the old version.
    conn = stocked.connect()
    conn.do("multi")
    conn.do("stock.version")
    assert conn.do("exec") == [1]
    stocked.end_of_work.touch()
    assert plain(worker.read()) == [1, 7]
    assert upgrade.done()[:4] == [b"old-version", 1, b"new-version", 2]
    assert plain(held.read()) == [7, b"unreadable", 1]
    assert stocked.conn.do("stock.version") == 2
    wait_until(lambda: stocked.conn.do("module", "dormant") == [])
    check_values(stocked.conn)
    wait_until(lambda: b"module_quarantined" not in stocked.conn.do("info", "modules"))


@pytest.mark.parametrize("timeout", [0, 100])
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(mode) or "eager")
def test_work_that_takes_too_long(stocked, stock, mode, timeout):
    """Its client is told; the thread still reads the value that it knows, and finds none of its successor's."""
    stocked.conn.do("config", "set", "module-drain-timeout", timeout)
    worker = begin_work(stocked)
    upgrade = Upgrade(stocked, stock("v2"), *mode)
    assert upgrade.done()[:4] == [b"old-version", 1, b"new-version", 2]
    assert str(plain(worker.read())).startswith("UNBLOCKED ")
    wait_until(lambda: stocked.conn.do("module", "dormant") == [])
    check_values(stocked.conn)
    stocked.end_of_work.touch()
    stocked.wait_for_log("work of version 1: count 7, gone")
    wait_until(lambda: b"module_quarantined" not in stocked.conn.do("info", "modules"))
    stocked.wait_for_log("no API is exported")
    # What was kept for the thread is freed.
    stocked.wait_for_log("its quarantine is over")
    check_values(stocked.conn)


def test_unload_while_a_thread_works(stocked, stock):
    worker = begin_work(stocked)
    assert stocked.conn.do("module", "unload", "stock", "keepdata") == b"OK"
    assert str(plain(worker.read())).startswith("UNBLOCKED ")
    stocked.end_of_work.touch()
    stocked.wait_for_log("work of version 1: count 7, gone")
    wait_until(lambda: b"module_quarantined" not in stocked.conn.do("info", "modules"))
    stocked.conn.do("module", "load", stock("v2"))
    check_values(stocked.conn)


def test_an_upgrade_that_is_refused_after_the_wait(stocked, stock):
    """The old version serves who was held back, and values that it has anew are its own."""
    stocked.conn.do("stock.behave", "refuse")
    worker = begin_work(stocked)
    upgrade = Upgrade(stocked, stock("v2"))
    held = draining(stocked)
    stocked.end_of_work.touch()
    assert plain(worker.read()) == [1, 7]
    assert "operation not possible" in str(upgrade.done())
    assert plain(held.read()) == [7, b"unreadable", 1]
    check_values(stocked.conn)
    assert stocked.conn.do("stock.version") == 1


def test_an_upgrade_that_is_refused_while_a_thread_works(stocked, stock):
    """Its values were dormant for a moment: the thread's pointer is to one that was kept."""
    stocked.conn.do("config", "set", "module-drain-timeout", 0)
    stocked.conn.do("stock.behave", "refuse")
    worker = begin_work(stocked)
    with pytest.raises(ReplyError, match="operation not possible"):
        stocked.conn.do("module", "upgrade", "stock", stock("v2"))
    stocked.end_of_work.touch()
    assert plain(worker.read()) == [1, 7]
    # Until that is freed, the module's own list has both.
    wait_until(lambda: stocked.conn.do("stock.total")[0] == COUNT + 1)
    check_values(stocked.conn)


def test_a_held_client_that_leaves(stocked, stock):
    worker = begin_work(stocked)
    upgrade = Upgrade(stocked, stock("v2"))
    held = draining(stocked)
    held.close()
    wait_until(lambda: b"blocked_clients:2" in stocked.conn.do("info", "clients"))
    stocked.end_of_work.touch()
    assert plain(worker.read()) == [1, 7]
    assert upgrade.done()[:2] == [b"old-version", 1]
    check_values(stocked.conn)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(mode) or "eager")
def test_what_a_thread_writes_last_is_not_lost(stocked, stock, mode):
    """It has opened the key for writing before values are serialised in advance, and writes after that."""
    worker = begin_work(stocked, 999)
    upgrade = Upgrade(stocked, stock("v2"), *mode)
    held = draining(stocked)
    stocked.end_of_work.touch()
    assert plain(worker.read()) == [1, 999]
    assert upgrade.done()[:2] == [b"old-version", 1]
    assert plain(held.read())[0] == 999
    assert stocked.conn.do("stock.get", "special")[0] == 999


def test_copies_of_an_upgrade_that_was_refused_do_not_count(stocked, stock):
    path = shutil.copy(stock("v2"), stocked.folder / "copy.so")
    worker = begin_work(stocked)
    upgrade = Upgrade(stocked, path, "precopy")
    draining(stocked)
    os.unlink(path)
    stocked.end_of_work.touch()
    assert plain(worker.read()) == [1, 7]
    assert "No such file" in str(upgrade.done())
    # Not as PRECOPY asks of a module, but the next one does not ask.
    stocked.conn.do("stock.sneak", "stock:5", 4242)
    stocked.conn.do("module", "upgrade", "stock", stock("v2"))
    assert stocked.conn.do("stock.get", "stock:5")[0] == 4242


def test_a_held_command_whose_reply_is_skipped(stocked, stock):
    worker = begin_work(stocked)
    upgrade = Upgrade(stocked, stock("v2"))
    draining(stocked)
    quiet = stocked.connect()
    quiet.send("client", "reply", "skip")
    quiet.send("stock.get", "special")
    quiet.send("ping")
    wait_until(lambda: b"blocked_clients:4" in stocked.conn.do("info", "clients"))
    stocked.end_of_work.touch()
    assert plain(worker.read()) == [1, 7]
    upgrade.done()
    assert plain(quiet.read()) == b"PONG"
