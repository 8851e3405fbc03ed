# SPDX-License-Identifier: BSD-3-Clause
"""MEMORY STATS, DOCTOR and MALLOC-STATS, LOLWUT, SHUTDOWN and what signals do."""

import signal

import pytest

from harness.resp import plain
from harness.server import is_sanitized, wait_until


def stats(connection):
    values = connection.do("MEMORY", "STATS")
    return dict(zip([name.decode() for name in values[::2]], values[1::2]))


def test_memory_stats(conn):
    conn.do("DEBUG", "POPULATE", 10_000)
    conn.do("EVAL", "return 1", 0)
    found = stats(conn)
    assert found["keys.count"] == 10_000
    assert found["db.0"][:2] == [b"overhead.hashtable.main", found["db.0"][1]] and found["db.0"][1] > 0
    assert "db.1" not in found
    assert 0 < found["startup.allocated"] < found["total.allocated"] <= found["peak.allocated"]
    assert found["overhead.total"] + found["dataset.bytes"] == found["total.allocated"]
    assert found["keys.bytes-per-key"] == (found["total.allocated"] - found["startup.allocated"]) // 10_000
    assert found["lua.caches"] > 0 and found["clients.normal"] >= 0
    assert 0 < float(found["dataset.percentage"]) <= 100
    assert 0 < float(found["peak.percentage"]) <= 100


def test_memory_stats_in_resp3(conn3):
    conn3.do("SET", "a", "b")
    kind, _ = reply = conn3.call("MEMORY", "STATS")
    assert kind == b"%"
    found = plain(reply)
    assert isinstance(found[b"fragmentation"], float)
    assert set(found[b"db.0"]) == {b"overhead.hashtable.main", b"overhead.hashtable.expires",
                                   b"overhead.hashtable.slot-to-keys"}


def test_info_and_memory_stats_agree(conn):
    info = dict(line.split(":", 1) for line in conn.do("INFO", "memory").decode().split("\r\n") if ":" in line)
    found = stats(conn)
    assert int(info["used_memory_startup"]) == found["startup.allocated"]
    assert abs(int(info["used_memory"]) - found["total.allocated"]) < 1_000_000


def test_memory_doctor(start_server, ours_only):
    with start_server().connect() as connection:
        assert b"less than 5 megabytes" in connection.do("MEMORY", "DOCTOR")
        connection.do("DEBUG", "POPULATE", 300_000)
        connection.do("INFO", "memory")  # The peak is seen by looking.
        connection.do("FLUSHALL")
        connection.do("DEBUG", "POPULATE", 100_000)
        assert b"Peak: " in connection.do("MEMORY", "DOCTOR")


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer's allocator reports nothing")
def test_malloc_stats(conn3):
    kind, text = conn3.call("MEMORY", "MALLOC-STATS")
    assert kind == b"=" and text.startswith(b"txt:___ Begin jemalloc statistics ___")


def test_memory_help(conn):
    help_text = b"\n".join(conn.do("MEMORY", "HELP"))
    assert all(word in help_text for word in (b"DOCTOR", b"MALLOC-STATS", b"PURGE", b"STATS", b"USAGE"))


def test_lolwut(conn, conn3, ours_only):
    lines = conn.do("LOLWUT").decode().split("\n")
    assert lines[-2].startswith("Backplane ver. ")
    assert len({len(line) for line in lines[:-3]}) == 1, "a picture"
    small = conn.do("LOLWUT", "VERSION", 5, 2, 1).decode().split("\n")
    assert small[0] == "+==========+" and len(small) == 6
    assert conn.do("LOLWUT", "VERSION", 1).decode().startswith("+")
    assert conn.error("LOLWUT", "VERSION", "x") == "ERR value is not an integer or out of range"
    assert conn3.call("LOLWUT", 100000, 100000)[0] == b"="


@pytest.mark.parametrize("words", ["SAVE NOSAVE", "NOSAVE SAVE", "ABORT NOW", "NOSAVE ABORT", "NOSUCH"])
def test_shutdown_syntax(conn, words):
    assert conn.error("SHUTDOWN", *words.split()) == "ERR syntax error"


def test_shutdown_abort(conn):
    assert conn.error("SHUTDOWN", "ABORT") == "ERR No shutdown in progress."
    assert conn.error("SHUTDOWN", "ABORT", "ABORT") == "ERR No shutdown in progress."
    conn.do("MULTI")
    assert conn.error("SHUTDOWN", "ABORT") == "ERR Command not allowed inside a transaction"
    conn.do("DISCARD")


@pytest.mark.parametrize("words, save, is_saved", [
    ("SHUTDOWN", "", False), ("SHUTDOWN SAVE", "", True), ("SHUTDOWN NOW SAVE FORCE", "", True),
    ("SHUTDOWN", "3600 1000", True), ("SHUTDOWN NOSAVE", "3600 1000", False)])
def test_shutdown_saves(start_server, words, save, is_saved):
    server = start_server("--save", save)
    connection = server.connect()
    connection.do("SET", "a", "b")
    connection.send(*words.split())
    assert server.wait() == 0
    assert (server.folder / "dump.rdb").exists() == is_saved
    server.start()


def test_shutdown_that_cannot_save(start_server):
    server = start_server("--save", "3600 1000")
    connection = server.connect()
    connection.do("SET", "a", "b")
    (server.folder / "dump.rdb").mkdir()
    assert connection.error("SHUTDOWN") == "ERR Errors trying to SHUTDOWN. Check logs."
    assert connection.do("GET", "a") == b"b"
    connection.send("SHUTDOWN", "FORCE")
    assert server.wait() == 0
    (server.folder / "dump.rdb").rmdir()
    server.start()


@pytest.mark.parametrize("number, option", [(signal.SIGINT, "shutdown-on-sigint"),
                                            (signal.SIGTERM, "shutdown-on-sigterm")])
@pytest.mark.parametrize("value, save, is_saved", [("default", "", False), ("save", "", True),
                                                   ("nosave", "3600 1000", False), ("default", "3600 1000", True)])
def test_signals(start_server, number, option, value, save, is_saved):
    server = start_server("--save", save, "--" + option, value)
    with server.connect() as connection:
        connection.do("SET", "a", "b")
    server.process.send_signal(number)
    assert server.wait() == 0
    assert (server.folder / "dump.rdb").exists() == is_saved
    server.start()


def test_a_signal_that_is_to_force(start_server):
    server = start_server("--save", "3600 1000")
    with server.connect() as connection:
        connection.do("SET", "a", "b")
        (server.folder / "dump.rdb").mkdir()
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("Errors trying to shut down the server")
        connection.do("CONFIG", "SET", "shutdown-on-sigterm", "force")
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    (server.folder / "dump.rdb").rmdir()
    server.start()


@pytest.mark.parametrize("value, shown", [
    ("default", "default"), ("save", "save"), ("force now nosave", "nosave now force"), ("default now", "now"),
    ("save SAVE", "save")])
def test_signal_options(start_server, value, shown):
    with start_server().connect() as connection:
        for option in ("shutdown-on-sigint", "shutdown-on-sigterm"):
            connection.do("CONFIG", "SET", option, value)
            assert connection.do("CONFIG", "GET", option)[1] == shown.encode()


def test_signal_option_errors(conn):
    prefix = "ERR CONFIG SET failed (possibly related to argument 'shutdown-on-sigint') - "
    choices = "argument(s) must be one of the following: default, save, nosave, now, force"
    assert conn.error("CONFIG", "SET", "shutdown-on-sigint", "x") == prefix + choices
    assert conn.error("CONFIG", "SET", "shutdown-on-sigint", "") == prefix + choices
    assert conn.error("CONFIG", "SET", "shutdown-on-sigint", "save nosave") == \
        prefix + "shutdown options SAVE and NOSAVE can't be used simultaneously"
    assert "between 0 and 2147483647" in conn.error("CONFIG", "SET", "shutdown-timeout", -1)
    assert conn.do("CONFIG", "GET", "shutdown-timeout")[1] == b"10"


def test_info_clients_with_a_deadline(start_server):
    server = start_server()
    connection = server.connect()

    def field(name):
        lines = connection.do("INFO", "clients").decode().split("\r\n")
        return int(dict(line.split(":", 1) for line in lines if ":" in line)[name])

    assert field("clients_in_timeout_table") == 0
    server.connect().send("BLPOP", "queue", 0)
    server.connect().send("BLPOP", "queue", 1000)
    wait_until(lambda: field("blocked_clients") == 2)
    assert field("clients_in_timeout_table") == 1


def test_info_keys_whose_end_is_waited_for(start_server, ours_only):
    server = start_server()
    connection = server.connect()
    connection.do("XGROUP", "CREATE", "stream", "group", "$", "MKSTREAM")
    server.connect().send("XREADGROUP", "GROUP", "group", "me", "BLOCK", 0, "STREAMS", "stream", ">")
    server.connect().send("BLPOP", "queue", 0)
    wait_until(lambda: b"blocked_clients:2" in connection.do("INFO", "clients"))
    found = connection.do("INFO", "clients")
    assert b"total_blocking_keys:2\r\n" in found and b"total_blocking_keys_on_nokey:1\r\n" in found


def test_info_of_loop_and_expiry(start_server, ours_only):
    server = start_server("--hz", 100)
    connection = server.connect()

    def stat(name):
        lines = connection.do("INFO", "stats").decode().split("\r\n")
        return float(dict(line.split(":", 1) for line in lines if ":" in line)[name])

    wait_until(lambda: stat("instantaneous_eventloop_cycles_per_sec") > 0)
    assert stat("instantaneous_eventloop_duration_usec") >= 0
    assert connection.do("INFO", "stats").count(b"\r\nexpired_stale_perc:0.00\r\n") == 1
    before = stat("expire_cycle_cpu_milliseconds")
    for start in range(0, 200_000, 50_000):
        connection.pipeline([["SET", f"key{number}", "x", "PX", 1] for number in range(start, start + 50_000)])
    wait_until(lambda: stat("expired_keys") == 200_000)
    assert stat("expire_cycle_cpu_milliseconds") > before
    assert stat("expired_time_cap_reached_count") >= 0
    connection.do("CONFIG", "RESETSTAT")
    assert stat("expire_cycle_cpu_milliseconds") <= 1


def test_the_share_of_stale_keys(start_server):
    """expired_stale_perc is a mean of what the cycles have found: it rises with keys whose time is over, and falls
    when there are none."""
    connection = start_server("--hz", 100).connect()

    def share():
        return float(connection.do("INFO", "stats").split(b"expired_stale_perc:")[1].split()[0])

    assert share() == 0
    connection.do("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    connection.pipeline([["SET", f"key{number}", "x", "PX", 1] for number in range(20_000)])
    connection.do("DEBUG", "SLEEP", 0.01)
    assert share() == 0
    connection.do("DEBUG", "SET-ACTIVE-EXPIRE", 1)
    wait_until(lambda: share() > 2)
    wait_until(lambda: connection.do("DBSIZE") == 0)
    highest = share()
    wait_until(lambda: 0 < share() < highest or share() == 0)
    connection.do("CONFIG", "RESETSTAT")
    assert share() == 0


def test_shutdown_abort_of_a_signal(start_server):
    server = start_server()
    with server.connect() as connection:
        connection.do("DEBUG", "PAUSE-CRON", 1)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("Received SIGTERM scheduling shutdown")
        assert connection.do("SHUTDOWN", "ABORT") == b"OK"
        server.wait_for_log("Shutdown manually aborted")
        assert connection.error("SHUTDOWN", "ABORT") == "ERR No shutdown in progress."
        connection.do("DEBUG", "PAUSE-CRON", 0)
        assert connection.do("PING") == b"PONG"
        # What the pause held is done after it.
        connection.do("DEBUG", "PAUSE-CRON", 1)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("Received SIGTERM scheduling shutdown[^$]*Received SIGTERM scheduling shutdown")
        connection.do("DEBUG", "PAUSE-CRON", 0)
    assert server.wait() == 0


def test_a_second_interrupt_does_not_wait_for_the_save(start_server):
    server = start_server("--save", 900, 1)
    with server.connect() as connection:
        connection.do("DEBUG", "POPULATE", 100)
        connection.do("CONFIG", "SET", "rdb-key-save-delay", 10_000_000)
        temp = server.folder / f"temp-{server.pid}.rdb"
        server.process.send_signal(signal.SIGINT)
        wait_until(temp.exists)
        server.process.send_signal(signal.SIGINT)
        assert server.wait() == 1
        assert not temp.exists()


def test_numbers_of_the_allocator(conn, ours_only):
    if b"mem_allocator:jemalloc" not in conn.do("INFO", "memory"):
        pytest.skip("no jemalloc")
    assert conn.do("DEBUG", "MALLCTL", "arenas.page") == 4096
    assert conn.do("DEBUG", "MALLCTL", "stats.allocated") > 0
    assert conn.do("DEBUG", "MALLCTL", "config.debug") in (0, 1)
    # What reading would change, and what there is not.
    for name in ("arenas.create", "tcache.create", "epoch", "no.such", "arenas"):
        assert conn.error("DEBUG", "MALLCTL", name) == "ERR the allocator has no number of that name"


def test_texts_of_the_allocator(conn, ours_only):
    if b"mem_allocator:jemalloc" not in conn.do("INFO", "memory"):
        pytest.skip("no jemalloc")
    assert conn.do("DEBUG", "MALLCTL-STR", "version").startswith(b"5.")
    assert conn.do("DEBUG", "MALLCTL-STR", "opt.dss") == b"secondary"
    assert conn.do("DEBUG", "MALLCTL-STR", "thread.tcache.flush", "VOID") == b"OK"
    # A number is no text; nothing is set.
    for words in (("opt.narenas",), ("no.such", "VOID"), ("opt.dss", "disabled"), ("thread.tcache.flush", "x")):
        assert conn.error("DEBUG", "MALLCTL-STR", *words).startswith("ERR the allocator has no text")


def test_debug_object_shows_a_key_whose_time_is_over(conn):
    conn.do("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    conn.do("SET", "k", "v", "PX", 1)
    conn.do("DEBUG", "SLEEP", 0.01)
    assert b"encoding:embstr" in conn.do("DEBUG", "OBJECT", "k")
    assert conn.do("EXISTS", "k") == 0
    assert conn.error("DEBUG", "OBJECT", "k") == "ERR no such key"
    conn.do("DEBUG", "SET-ACTIVE-EXPIRE", 1)
