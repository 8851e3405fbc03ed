# SPDX-License-Identifier: BSD-3-Clause
"""The crash report: which module's code it was, which function, command, key."""

import os
import re
import signal

import pytest

from harness.server import is_sanitized

pytestmark = pytest.mark.skipif(is_sanitized(), reason="sanitizers write reports of their own")


@pytest.fixture
def report(start_server, stock):
    def crash(*command, sends=None, number=-signal.SIGSEGV):
        server = start_server("--loadmodule", stock("v1"))
        conn = server.connect()
        conn.do("stock.set", "shelf", 1, "x")
        if sends is None:
            conn.send(*command)
        else:
            os.kill(server.pid, sends)
        assert server.wait() == number
        log = server.log()
        # What the harness would take for a failure of the test.
        server.log_path.write_text("")
        assert log.count("BACKPLANE BUG REPORT START") == 1 and "=== BACKPLANE BUG REPORT END ===" in log
        return log
    return crash


def test_in_a_command(report, stock):
    log = report("stock.crash", "shelf", "here")
    assert "crashed by signal: 11 (SIGSEGV)" in log and "Accessing address: (nil)" in log
    assert re.search(rf"Module 'stock' version 1 \({stock('v1')}\), in CrashHere\+\d+ \(stock_v1.so\), called as command",
                     log)
    assert re.search(r"^0x\w+ CrashHere\+\d+ \(stock_v1.so\)$", log, re.MULTILINE)
    assert re.search(r"^0x\w+ backplane::Engine::Call\(.*\)\+\d+ \(exe\)$", log, re.MULTILINE)
    assert "command: stock.crash of module stock" in log and 'key: "shelf"' in log
    assert "module:name=stock,ver=1" in log


def test_in_a_librarys_function_that_the_module_called(report):
    log = report("stock.crash", "shelf", "memcpy")
    assert re.search(r"Module 'stock' version 1 .* in Crash\+\d+ \(stock_v1.so\), called as command", log)


def test_abort(report):
    log = report("stock.crash", "shelf", "abort", number=-signal.SIGABRT)
    assert "crashed by signal: 6 (SIGABRT)" in log
    assert re.search(r"Module 'stock' .* in Crash", log)


def test_a_call_of_nothing(report):
    """What a function of the API is that the server lacks."""
    log = report("stock.crash", "shelf", "null")
    assert re.search(r"Module 'stock' version 1 .* in Crash\+\d+ \(stock_v1.so\), called as command", log)


def test_in_a_timer(report):
    log = report("stock.crash", "shelf", "timer")
    assert re.search(r"in CrashHere\+\d+ \(stock_v1.so\), called as timer", log)
    assert "CURRENT COMMAND" not in log


def test_on_a_thread_of_the_module(report):
    log = report("stock.crash", "shelf", "thread")
    assert re.search(r"Module 'stock' version 1 .*, in CrashHere\+\d+ \(stock_v1.so\), on a thread of its own", log)
    assert "CURRENT COMMAND" not in log


def test_without_a_module(report):
    log = report(sends=signal.SIGSEGV)
    assert "No module's code was running" in log


def test_switched_off(start_server, stock):
    server = start_server("--loadmodule", stock("v1"), "--crash-log-enabled", "no")
    conn = server.connect()
    conn.send("stock.crash", "shelf", "here")
    assert server.wait() == -signal.SIGSEGV
    assert "BUG REPORT" not in server.log()
