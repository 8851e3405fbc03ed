# SPDX-License-Identifier: BSD-3-Clause
"""MODULE UPGRADE: with data, options, waiting clients; refusals, rehearsals, rollback."""

import os
import re
import shutil
import threading
import time

import pytest
from process_figures import held, resident_kb
from stock_data import COUNT, check_values, fill

from harness.resp import ReplyError, plain
from harness.server import is_sanitized, wait_until

MODES = [(), ("lazy",), ("precopy",), ("lazy", "precopy")]
NAMES = ["eager", "lazy", "precopy", "lazy-precopy"]


def as_map(reply):
    return dict(zip(reply[::2], reply[1::2]))


def upgrade(conn, path, *words):
    if is_sanitized():
        # Its allocator, other than those of real builds, may be left locked in a child that is forked while the lazy-free
        # thread frees.
        wait_until(lambda: b"lazyfree_pending_objects:0" in conn.do("info", "memory"))
    return as_map(conn.do("module", "upgrade", "stock", path, *words))


def revived(conn):
    wait_until(lambda: conn.do("module", "dormant") == [], what="the end of the revival")


@pytest.mark.parametrize("probe", ["yes", "no"])
@pytest.mark.parametrize("mode", MODES, ids=NAMES)
def test_values_are_handed_over(stocked, stock, mode, probe):
    conn = stocked.conn
    stocked.restart([*stocked.options, "--module-load-probe", probe])
    conn = stocked.connect()
    fill(conn)
    conn.do("expire", "special", 1000)
    report = upgrade(conn, stock("v2"), *mode)
    assert report[b"old-version"] == 1 and report[b"new-version"] == 2
    assert report[b"values"] == COUNT + 1
    assert report[b"pause-us"] > 0
    assert conn.do("stock.version") == 2
    if "lazy" not in mode:
        check_values(conn)
    revived(conn)
    check_values(conn)
    assert 0 < conn.do("ttl", "special") <= 1000
    assert conn.do("module", "list")[0][5] == str(stock("v2")).encode()
    stocked.wait_for_log(r"Module 'stock' upgraded from version 1 \(.*stock_v1.so\) to version 2 \(.*stock_v2.so\), "
                         rf"{COUNT + 1} values handed over, pause \d+\.\d ms")


class Mixed:
    """Two clients count up, each its own keys, read back what they wrote, and read values that nobody changes."""

    OWN = 50

    def __init__(self, server, values):
        self.server = server
        self.values = values
        self.stop = threading.Event()
        self.errors = []
        self.counts = {}
        self.turns = 0
        self.workers = [threading.Thread(target=self.work, args=(number,)) for number in range(2)]

    def work(self, number):
        conn = self.server.connect()
        counts = {}
        turn = 0
        try:
            while not self.stop.is_set() or turn < self.OWN:
                key = f"own:{number}:{turn % self.OWN}"
                if turn < self.OWN:
                    conn.do("stock.set", key, 0, "mine")
                    counts[key] = 0
                counts[key] += 1
                if conn.do("stock.add", key, 1) != counts[key]:
                    self.errors.append(f"{key}: a lost change")
                # In no order that the table has.
                other = turn * 7919 % self.values
                if conn.do("stock.get", f"stock:{other}")[0] != other:
                    self.errors.append(f"stock:{other}: a wrong answer")
                turn += 1
                self.turns += 1
            self.counts.update(counts)
        except Exception as error:  # noqa: BLE001: reported below, with everything else
            self.errors.append(repr(error))

    def __enter__(self):
        for worker in self.workers:
            worker.start()
        self.some()
        return self

    def some(self):
        """Waits until they have done something from now on."""
        seen = self.turns
        wait_until(lambda: self.turns > seen + 100 or self.errors)

    def __exit__(self, *_):
        self.stop.set()
        for worker in self.workers:
            worker.join()
        assert not self.errors
        assert len(self.counts) == 2 * self.OWN
        conn = self.server.connect()
        for key, count in self.counts.items():
            assert conn.do("stock.get", key)[:2] == [count, b"mine"]


@pytest.mark.parametrize("mode", MODES, ids=NAMES)
def test_under_mixed_reads_and_writes(stocked, stock, mode):
    conn = stocked.conn
    conn.do("config", "set", "stock.limit", 5)
    with Mixed(stocked, COUNT) as mixed:
        copy = shutil.copy(stock("v1"), stocked.folder / "copy.so")
        for path in (copy, stock("v2"), stock("v2")):
            assert upgrade(conn, path, *mode)[b"values"] >= COUNT
            mixed.some()
    revived(conn)
    assert conn.do("stock.total")[0] == COUNT + 101


@pytest.mark.parametrize("mode", MODES, ids=NAMES)
def test_a_million_values(start_server, stock, mode):
    """Version 1 to version 2 under mixed reads and writes, AUX data included; and not back, before anything is touched."""
    values = 20_000 if is_sanitized() else 1_000_000
    server = start_server("--loadmodule", stock("v1"))
    conn = server.connect(timeout=300)
    conn.do("stock.fill", 0, values, "text")
    with Mixed(server, values) as mixed:
        assert upgrade(conn, stock("v2"), *mode)[b"values"] >= values
        mixed.some()
        revived(conn)
        with pytest.raises(ReplyError, match="encoding version of the type stock-tst is 1, values are written in version 2"):
            upgrade(conn, stock("v1"))
        mixed.some()
    assert conn.do("stock.version") == 2
    assert conn.do("stock.check", 0, values) == values
    total = sum(mixed.counts.values())
    assert conn.do("stock.total") == [values + len(mixed.counts), values * (values - 1) // 2 + total]
    # Each set and each addition has counted it up, in one version or the other.
    assert conn.do("stock.serial") == len(mixed.counts) + total
    assert conn.do("dbsize") == values + len(mixed.counts)


def test_options_keep_their_values(stocked, stock):
    conn = stocked.conn
    conn.do("config", "set", "stock.limit", 77)
    conn.do("config", "set", "stock.note", "two words")
    conn.do("config", "set", "stock.stale", "yes")
    upgrade(conn, stock("v2"), "config", "stock.fresh", "yes")
    assert conn.do("config", "get", "stock.*") == [b"stock.fresh", b"yes", b"stock.limit", b"77",
                                                   b"stock.note", b"two words"]
    stocked.wait_for_log("the option stock.stale is gone")
    with pytest.raises(ReplyError, match="stock.none"):
        upgrade(conn, stock("v2"), "config", "stock.none", "1")
    assert conn.do("config", "get", "stock.limit") == [b"stock.limit", b"77"]


def test_arguments_are_kept_or_replaced(stocked, stock):
    conn = stocked.conn
    upgrade(conn, stock("v2"), "args", "one", "two")
    assert conn.do("module", "list")[0][7] == [b"one", b"two"]
    upgrade(conn, stock("v2"))
    assert conn.do("module", "list")[0][7] == [b"one", b"two"]
    upgrade(conn, stock("v2"), "args")
    assert conn.do("module", "list")[0][7] == []


def test_config_rewrite_writes_the_new_path(start_server, stock, tmp_path):
    config = tmp_path / "backplane.conf"
    config.write_text(f"loadmodule {stock('v1')} first\n")
    server = start_server(start=False)
    command = server.command_line
    server.command_line = lambda: [command()[0], str(config), *command()[1:]]
    server.start()
    conn = server.connect()
    fill(conn)
    upgrade(conn, stock("v2"))
    conn.do("config", "rewrite")
    assert re.search(rf"^loadmodule \"?{re.escape(str(stock('v2')))}\"? \"?first\"?$", config.read_text(), re.MULTILINE)
    conn.do("save")
    server.stop()
    server.start()
    conn = server.connect()
    assert conn.do("stock.version") == 2
    check_values(conn)


def test_clients_waiting_for_keys_wait_on(stocked, stock):
    conn = stocked.conn
    conn.do("stock.set", "awaited", 1, "x")
    waiting, other, limited = stocked.connect(), stocked.connect(), stocked.connect()
    waiting.send("stock.wait", "awaited", 10, 0)
    other.send("stock.waitold", "awaited", 10, 0)
    limited.send("stock.wait", "never", 10, 1500)
    blocked = stocked.connect()
    blocked.send("stock.block")
    wait_until(lambda: b"blocked_clients:4" in conn.do("info", "clients"))
    upgrade(conn, stock("v2"))
    # The new version has no such command.
    for client in (other, blocked):
        with pytest.raises(ReplyError, match="^UNBLOCKED "):
            raise plain(client.read())
    assert b"blocked_clients:2" in conn.do("info", "clients")
    assert conn.do("stock.add", "awaited", 20) == 21
    assert plain(waiting.read()) == 21
    assert waiting.do("ping") == b"PONG"
    # What it has waited already counts.
    assert plain(limited.read()) == b"TIMEOUT"


REFUSED = [("encver_down", (), "encoding version of the type stock-tst is 0"),
           ("without_type", (), "does not register the type stock-tst"),
           ("other_name", (), "a module of the name 'shelf'"),
           ("v2", ("args", "fail"), "initialization failed"),
           ("v2", ("args", "exit"), "its process ended in phase 'OnLoad'"),
           ("v2", ("args", "crash"), r"crashed with SIGSEGV at CrashHere\+\d+ \(stock_v2.so\) in phase 'OnLoad'"),
           ("v2", ("args", "unreadable"), "1 of its values cannot be read: key 'special'"),
           ("v2", ("args", "load-crash"), r"crashed with SIGSEGV at .* in phase 'values'"),
           ("v2", ("args", "aux-unreadable"), "could not read its AUX data"),
           ("v2", ("config", "stock.none", "1"), "not used"),
           ("v2", ("config", "stock.limit", "many"), "initialization failed")]


@pytest.mark.parametrize("build,words,why", REFUSED, ids=[row[2][:20] for row in REFUSED])
def test_refused_by_the_rehearsal(stocked, stock, build, words, why):
    conn = stocked.conn
    for dry in ([], ["dryrun"]) if build != "v2" else ([],):
        with pytest.raises(ReplyError, match="^ERR Error upgrading module: .*" + why):
            upgrade(conn, stock(build), *dry, *words)
    assert conn.do("stock.version") == 1
    check_values(conn)
    # Nothing happened: values never were dormant.
    assert "upgraded" not in stocked.log() and "is back" not in stocked.log()


@pytest.mark.parametrize("where", ["hang", "load-hang"])
def test_a_hang_is_inconclusive(stocked, stock, where):
    conn = stocked.conn
    conn.do("config", "set", "module-probe-timeout", 300)
    clock = stocked.connect()
    clock.send("module", "upgrade", "stock", stock("v2"), "args", where)
    # The server goes on meanwhile.
    assert conn.do("stock.get", "special") == [7, b"unreadable", 1]
    with pytest.raises(ReplyError, match="inconclusive: it did not come to an end in phase '.*'; FORCE"):
        raise plain(clock.read())
    check_values(conn)
    # One that misbehaves only where the rehearsal cannot see why: the operator decides.
    with pytest.raises(ReplyError, match="inconclusive"):
        upgrade(conn, stock("v2"), "args", where)


def test_force_goes_on_after_an_inconclusive_rehearsal(stocked, stock):
    conn = stocked.conn
    conn.do("config", "set", "module-probe-timeout", 300)
    assert upgrade(conn, stock("v2"), "force", "args", "child-hang")[b"new-version"] == 2
    check_values(conn)


@pytest.mark.parametrize("mode", [(), ("precopy",)], ids=["eager", "precopy"])
@pytest.mark.parametrize("words,why", [(("args", "parent", "fail"), "initialization failed"),
                                       (("args", "parent", "unreadable"), "could not read the value"),
                                       (("args", "parent", "aux-unreadable"), "AUX")])
def test_rollback(stocked, stock, mode, words, why):
    """What the rehearsal does not find: the module behaves in the child and fails in the server."""
    conn = stocked.conn
    conn.do("config", "set", "stock.limit", 55)
    waiting = stocked.connect()
    waiting.send("stock.waitold", "special", 1000, 0)
    wait_until(lambda: b"blocked_clients:1" in conn.do("info", "clients"))
    for _ in range(2):
        with pytest.raises(ReplyError, match=f"Error upgrading module: the new version could not take over: .*{why}.*; "
                                             "the old version is back"):
            upgrade(conn, stock("v2"), *mode, *words)
        assert conn.do("stock.version") == 1
        check_values(conn)
        assert conn.do("config", "get", "stock.limit") == [b"stock.limit", b"55"]
    conn.do("stock.add", "special", 1000)
    assert plain(waiting.read()) == 1007
    assert conn.do("module", "dormant") == []
    stocked.wait_for_log("version 1 is back, with 1001 values")


def test_rollback_when_the_file_was_replaced(stocked, stock):
    """The old build is gone from the disk, its file had the same path as the new one."""
    conn = stocked.conn
    path = stocked.folder / "module.so"
    shutil.copy(stock("v1"), path)
    upgrade(conn, path)
    new = stocked.folder / "new.so"
    shutil.copy(stock("v2"), new)
    new.rename(path)
    # A private copy is mapped, and still called by its path.
    with pytest.raises(ReplyError, match=r"at CrashHere\+\d+ \(module.so\)"):
        upgrade(conn, path, "args", "crash")
    with pytest.raises(ReplyError, match="the old version is back"):
        upgrade(conn, path, "args", "parent", "fail")
    assert conn.do("stock.version") == 1
    check_values(conn)
    upgrade(conn, path, "args")
    assert conn.do("stock.version") == 2
    check_values(conn)


def test_a_value_unreadable_after_a_lazy_upgrade_stays_dormant(stocked, stock):
    conn = stocked.conn
    upgrade(conn, stock("v2"), "lazy", "args", "parent", "unreadable")
    wait_until(lambda: as_map(as_map(conn.do("module", "dormant"))[b"stock-tst"])[b"keys"] == 1)
    row = as_map(as_map(conn.do("module", "dormant"))[b"stock-tst"])
    assert row[b"unreadable"] == 1 and b"could not read" in row[b"last-error"]
    with pytest.raises(ReplyError, match="WRONGTYPE"):
        conn.do("stock.get", "special")
    assert conn.do("stock.get", "stock:5")[:2] == [5, b"text"]
    payload = conn.do("dump", "special")
    # It is not lost: another build reads it.
    upgrade(conn, stock("v2"), "args")
    check_values(conn)
    assert conn.do("exists", "special") == 1 and payload


@pytest.mark.skipif(is_sanitized(), reason="its allocator may be left locked in a child that is forked meanwhile")
def test_a_rehearsal_while_the_background_frees(stocked, stock):
    """The thread that does is not there in the child; a value that could not be read is tried again."""
    conn = stocked.conn
    conn.do("config", "set", "module-probe-timeout", 3000)
    upgrade(conn, stock("v2"), "lazy", "args", "parent", "unreadable")
    wait_until(lambda: as_map(as_map(conn.do("module", "dormant"))[b"stock-tst"])[b"unreadable"] == 1)
    conn.do("eval", "for i = 1, 400000, 4000 do local t = {} for j = i, i + 3999 do t[#t + 1] = 'member:' .. j end redis.call('sadd', KEYS[1], unpack(t)) end",
            1, "big")
    _, report = conn.pipeline([["unlink", "big"], ["module", "upgrade", "stock", stock("v2"), "args"]])
    assert as_map(plain(report))[b"new-version"] == 2
    check_values(conn)


def test_onunload_that_refuses(stocked, stock):
    conn = stocked.conn
    conn.do("stock.behave", "refuse")
    for mode in MODES:
        with pytest.raises(ReplyError, match="Error upgrading module: operation not possible."):
            upgrade(conn, stock("v2"), *mode)
        assert conn.do("stock.version") == 1
        revived(conn)
        check_values(conn)
    conn.do("stock.behave", "")
    upgrade(conn, stock("v2"))
    check_values(conn)


def test_dryrun_reports_and_changes_nothing(stocked, stock):
    conn = stocked.conn
    report = as_map(conn.do("module", "upgrade", "stock", stock("v2"), "dryrun"))
    assert report[b"ok"] == 1 and report[b"version"] == 2
    assert report[b"values"] == COUNT + 1 and report[b"values-failed"] == 0
    assert b"stock.get" in report[b"commands"] and report[b"types"] == [b"stock-tst", 2]
    assert conn.do("stock.version") == 1
    check_values(conn)


def test_wrong_words(stocked, stock):
    conn = stocked.conn
    with pytest.raises(ReplyError, match="no such module"):
        conn.do("module", "upgrade", "none", stock("v2"))
    with pytest.raises(ReplyError, match="No such file"):
        conn.do("module", "upgrade", "stock", "/nowhere.so")
    with pytest.raises(ReplyError, match="syntax error"):
        conn.do("module", "upgrade", "stock", stock("v2"), "nonsense")
    with pytest.raises(ReplyError, match="wrong number of arguments"):
        conn.do("module", "upgrade", "stock")


def test_within_a_transaction(stocked, stock):
    conn = stocked.conn
    conn.do("multi")
    conn.do("stock.get", "special")
    conn.do("module", "upgrade", "stock", stock("v2"))
    conn.do("stock.get", "special")
    conn.do("stock.waitold", "special", 1, 0)
    before, report, after, gone = conn.do("exec")
    assert before == after == [7, b"unreadable", 1]
    assert as_map(report)[b"new-version"] == 2
    assert isinstance(gone, ReplyError) and "unknown command" in str(gone)


def test_one_operation_at_a_time(stocked, stock):
    conn = stocked.conn
    conn.do("config", "set", "module-probe-timeout", 500)
    busy = stocked.connect()
    busy.send("module", "upgrade", "stock", stock("v2"), "args", "hang")
    time.sleep(0.1)
    with pytest.raises(ReplyError, match="try again later"):
        conn.do("module", "load", stock("other_name"))
    with pytest.raises(ReplyError, match="it is being upgraded"):
        conn.do("module", "unload", "stock", "keepdata")
    assert isinstance(plain(busy.read()), ReplyError)


def test_a_client_that_leaves_does_not_stop_it(stocked, stock):
    leaver = stocked.connect()
    leaver.send("module", "upgrade", "stock", stock("v2"))
    leaver.close()
    stocked.wait_for_log("upgraded from version 1")
    check_values(stocked.conn)


@pytest.mark.parametrize("command", [["flushall"], ["flushdb"], ["swapdb", 0, 9], ["unlink", "*"]], ids=lambda words: words[0])
def test_a_database_is_emptied_while_values_are_revived(start_server, stock, command):
    with start_server("--module-load-probe", "no", "--loadmodule", stock("v1")).connect() as conn:
        for first in range(0, 40000, 10000):
            conn.do("stock.fill", first, 10000, "text")
        conn.do("module", "upgrade", "stock", stock("v2"), "lazy")
        assert conn.do("module", "dormant") != [], "the revival has ended already"
        if command[0] == "unlink":
            command = ["unlink", *(f"stock:{n}" for n in range(40000))]
        conn.do(*command)
        revived(conn)
        assert conn.do("dbsize") == 0


def test_back_and_forth(stocked, stock):
    conn = stocked.conn
    copy = shutil.copy(stock("v1"), stocked.folder / "stock_copy.so")
    turns = int(os.environ.get("LIFECYCLE_UPGRADES", "200"))
    for turn in range(turns):
        upgrade(conn, copy if turn % 2 else stock("v1"), *MODES[turn % 4])
        revived(conn)
        check_values(conn)
        if turn == turns // 5:
            before, level = held(stocked), resident_kb(stocked)
    wait_until(lambda: held(stocked) == before, what="what the upgrades held to be given back")
    assert is_sanitized() or resident_kb(stocked) < level * 1.1 + 2048
