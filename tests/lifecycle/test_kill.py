# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 at every phase of load, unload and upgrade: after the restart all values are there, in one version or the
other. The module kills the server itself, from the code that runs in the phase."""

import os

import pytest
from stock_data import check_values, fill

from harness.server import Server, wait_until

# Phase: the words that version 1 is told to behave by, the arguments of version 2, the server's environment.
UPGRADE = {
    # In the child of the rehearsal, and so while the server serves.
    "rehearsal: aux_save": ("child-kill-aux-save", "", {}),
    "rehearsal: mapping": ("", "", {"STOCK_KILL_PARENT_MAP": "2"}),
    "rehearsal: OnLoad": ("", "child-kill-onload", {}),
    "rehearsal: aux_load": ("", "child-kill-aux-load", {}),
    "rehearsal: rdb_save": ("child-kill-save", "", {}),
    "rehearsal: rdb_load": ("", "child-kill-load", {}),
    # In the server.
    "aux_save": ("kill-aux-save", "", {}),
    "rdb_save": ("kill-save", "", {}),
    "OnUnload of the old version": ("kill-onunload", "", {}),
    "mapping": ("", "", {"STOCK_KILL_MAP": "2"}),
    "OnLoad": ("", "kill-onload", {}),
    "aux_load": ("", "kill-aux-load", {}),
    "rdb_load": ("", "kill-load", {}),
    "half of the values saved": ("kill-save-half", "", {}),
    "half of the values loaded": ("", "kill-load-half", {}),
    "end of the old code": ("", "", {"STOCK_KILL_UNMAP": "1"}),
    "clients wait on": ("", "kill-wait", {}),
    "after the exchange": ("", "kill-serve", {}),
}
# The new version cannot take over, and the old one comes back. By the arguments of the new one.
ROLLBACK = {
    "OnUnload of the new version": "unreadable kill-onunload",
    "mapping": "unreadable next-kill-map",
    "OnLoad": "unreadable next-kill-onload",
    "OnLoad, after an OnLoad": "fail next-kill-onload",
    "aux_load": "unreadable next-kill-aux-load",
    "rdb_load": "unreadable next-kill-load",
    "half of the values loaded": "unreadable next-kill-load-half",
}
MODES = {"eager": [], "lazy": ["lazy"], "precopy": ["precopy"], "both": ["lazy", "precopy"]}
# Nobody waits for a module that is not there yet.
LOAD = {phase: words for phase, (_, words, _) in UPGRADE.items() if words and phase != "clients wait on"} | {"rehearsal: mapping": "", "mapping": ""}
UNLOAD = ["kill-aux-save", "kill-save", "kill-onunload"]


@pytest.fixture
def saved(stock, monkeypatch):
    """Starts a server with saved values; the environment is for the server."""
    servers = []

    def start(environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        server = Server(["--loadmodule", stock("v1")])
        servers.append(server)
        conn = server.connect()
        fill(conn)
        conn.do("save")
        return server, conn

    yield start
    for server in servers:
        server.close()


def dies(server, conn, *command):
    conn.send(*command)
    if "kill-serve" in command:
        conn.send("stock.version")
    assert server.wait(60) == -9


def comes_back(server, stock, monkeypatch, builds):
    for name in ("STOCK_KILL_MAP", "STOCK_KILL_PARENT_MAP", "STOCK_KILL_UNMAP"):
        monkeypatch.delenv(name, raising=False)
    for build in builds:
        server.start(["--loadmodule", stock(build)])
        conn = server.connect()
        check_values(conn)
        conn.close()
        server.kill()
        left = set(os.listdir(server.folder)) - {"dump.rdb", "server.log", "s"}
        assert not left


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("phase", UPGRADE)
def test_upgrade(saved, stock, monkeypatch, phase, mode):
    old, new, environment = UPGRADE[phase]
    server, conn = saved(environment)
    waiting = server.connect()
    waiting.send("stock.wait", "special", 1000, 0)
    wait_until(lambda: b"blocked_clients:1" in conn.do("info", "clients"))
    conn.do("stock.behave", old)
    dies(server, conn, "module", "upgrade", "stock", stock("v2"), *MODES[mode], "args", *new.split())
    comes_back(server, stock, monkeypatch, ["v1", "v2"])


@pytest.mark.parametrize("mode", ["eager", "precopy"])
@pytest.mark.parametrize("phase", ROLLBACK)
def test_rollback(saved, stock, monkeypatch, phase, mode):
    server, conn = saved({})
    dies(server, conn, "module", "upgrade", "stock", stock("v2"), *MODES[mode], "args", "parent", *ROLLBACK[phase].split())
    comes_back(server, stock, monkeypatch, ["v1", "v2"])


@pytest.mark.parametrize("revival", ["eager", "lazy"])
@pytest.mark.parametrize("phase", LOAD)
def test_load(saved, stock, monkeypatch, phase, revival):
    words = LOAD[phase]
    server, conn = saved(UPGRADE[phase][2])
    conn.do("config", "set", "module-revival", revival)
    if phase == "rehearsal: aux_load" or phase == "rehearsal: rdb_load":
        pytest.skip("a load's child reads no values")
    conn.do("module", "unload", "stock", "keepdata")
    conn.do("save")
    dies(server, conn, "module", "load", stock("v2"), *words.split())
    comes_back(server, stock, monkeypatch, ["v1", "v2"])


@pytest.mark.parametrize("words", UNLOAD)
def test_unload(saved, stock, monkeypatch, words):
    server, conn = saved({})
    conn.do("stock.behave", words)
    dies(server, conn, "module", "unload", "stock", "keepdata")
    comes_back(server, stock, monkeypatch, ["v1"])


def test_while_threads_are_waited_for(saved, stock, monkeypatch, tmp_path):
    server, conn = saved({})
    worker, upgrading = server.connect(), server.connect()
    worker.send("stock.work", "special", tmp_path / "never")
    wait_until(lambda: b"blocked_clients:1" in conn.do("info", "clients"))
    upgrading.send("module", "upgrade", "stock", stock("v2"))
    wait_until(lambda: b"module_draining:name=stock" in conn.do("info", "modules"))
    server.kill()
    comes_back(server, stock, monkeypatch, ["v1", "v2"])


def test_at_the_end_of_a_quarantine(saved, stock, monkeypatch):
    server, conn = saved({"STOCK_KILL_UNMAP": "1"})
    conn.do("stock.leave", "thread")
    conn.do("stock.behave", "late-thread")
    conn.send("module", "upgrade", "stock", stock("v2"))
    assert server.wait(60) == -9
    comes_back(server, stock, monkeypatch, ["v1", "v2"])


def test_while_dormant_values_are_saved(saved, stock, monkeypatch):
    """Dormant values alone are a complete data set too."""
    server, conn = saved({})
    conn.do("module", "unload", "stock", "keepdata")
    conn.do("save")
    conn.do("flushall")
    server.kill()
    comes_back(server, stock, monkeypatch, ["v2", "v1"])
