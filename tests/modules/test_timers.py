# SPDX-License-Identifier: BSD-3-Clause
"""Timers: order, stopping, asking, timers that make timers."""

from harness.server import wait_until

MODULES = ["timers"]


def fired(conn, count):
    wait_until(lambda: conn.do("llen", "fired") >= count, what=f"{count} timers")
    return conn.do("lrange", "fired", 0, -1)


def test_order_is_that_of_the_times(conn):
    for delay, text in ((60, "c"), (20, "b"), (1, "a")):
        conn.do("timers.create", delay, text)
    assert fired(conn, 3) == [b"a", b"b", b"c"]


def test_fires_in_the_database_it_was_made_in(conn):
    conn.do("select", 7)
    conn.do("timers.create", 1, "seven")
    assert fired(conn, 1) == [b"seven"]
    conn.do("select", 0)
    assert conn.do("exists", "fired") == 0


def test_stop(conn):
    first = conn.do("timers.create", 100000, "first")
    second = conn.do("timers.create", 100000, "second")
    assert first != second
    assert conn.do("timers.stop", first) == b"first"
    assert conn.do("timers.stop", first) is None
    left, text = conn.do("timers.info", second)
    assert 0 < left < 100000 and text == b"second"
    assert conn.do("timers.info", first) is None
    assert conn.do("timers.stop", second) == b"second"
    assert conn.do("timers.stop", 123456789) is None


def test_a_fired_timer_is_gone(conn):
    timer = conn.do("timers.create", 0, "x")
    assert fired(conn, 1) == [b"x"]
    assert conn.do("timers.stop", timer) is None
    assert conn.do("timers.info", timer) is None


def test_a_chain(conn):
    conn.do("timers.chain", 25)
    wait_until(lambda: conn.do("get", "chain") == b"25")


def test_many(conn):
    timers = [conn.do("timers.create", 30 + number % 20, number) for number in range(1000)]
    assert len(set(timers)) == 1000
    stopped = {conn.do("timers.stop", timer) for timer in timers[::2]} - {None}
    wait_until(lambda: conn.do("llen", "fired") + len(stopped) == 1000)
    assert set(conn.do("lrange", "fired", 0, -1)) | stopped == {b"%d" % number for number in range(1000)}


def test_timers_of_a_module_that_goes(start_with, ours_only):
    """Backplane takes them with the module; Redis refuses to unload."""
    conn = start_with(["timers"]).connect()
    conn.do("timers.chain", 1000000)
    assert conn.do("module", "unload", "timers") == b"OK"
    count = conn.do("get", "chain")
    conn.do("debug", "sleep", 0.05)
    assert conn.do("ping") == b"PONG"
    assert conn.do("get", "chain") == count
