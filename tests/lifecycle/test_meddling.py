# SPDX-License-Identifier: BSD-3-Clause
"""Modules that use keys while they are loaded, unloaded or upgraded, from places where a careful one would not: the
server stays whole, and no value is lost. The module is modules/meddler.c."""

import hashlib

import pytest

from harness.resp import ReplyError, plain
from harness.server import build_folder, wait_until

COUNT = 200
SPECIAL = 7_007


@pytest.fixture
def meddler():
    """meddler(2) is the path of version 2; meddler("other") that of one with another name."""
    names = {1: "v1", 2: "v2", "other": "other"}
    return lambda build: build_folder() / "tests/lifecycle" / f"meddler_{names[build]}.so"


@pytest.fixture
def server(start_server, meddler):
    server = start_server("--loadmodule", meddler(1))
    server.conn = server.connect()
    for number in range(COUNT):
        server.conn.do("meddler.set", f"key:{number}", number * 1001)
    server.conn.do("meddler.set", "special", SPECIAL)
    return server


def upgrade(server, path, *words):
    return server.conn.do("module", "upgrade", "meddler", path, *words)


def leave(server, waiting):
    """The module frees what it has for a client that goes."""
    waiting.close()
    wait_until(lambda: b"blocked_clients:0" in server.conn.do("info", "clients"))


def check(server, version, special=SPECIAL, keys=COUNT):
    """The module answers, and no value but the special one was touched."""
    conn = server.conn
    assert conn.do("meddler.version") == version
    assert conn.do("meddler.get", "special") == special
    for number in range(keys):
        assert conn.do("meddler.get", f"key:{number}") == number * 1001
    # What an upgrade has kept for its way back is freed in the background, and counts until then.
    wait_until(lambda: conn.do("module", "dormant") == [])




@pytest.mark.parametrize("mode", [(), ("lazy",), ("precopy",), ("lazy", "precopy")], ids=lambda mode: "-".join(mode) or "eager")
def test_onunload_finds_no_values(server, meddler, mode):
    server.conn.do("meddler.behave", "onunload-open onunload-create")
    upgrade(server, meddler(2), *mode)
    server.wait_for_log("onunload sees nothing")
    server.wait_for_log("onunload may not")
    wait_until(lambda: server.conn.do("module", "dormant") == [])
    check(server, 2)
    assert server.conn.do("exists", "created") == 0


def test_onunload_that_refuses_afterwards(server):
    server.conn.do("meddler.behave", "onunload-open onunload-create onunload-fail")
    with pytest.raises(ReplyError, match="operation not possible"):
        server.conn.do("module", "unload", "meddler", "keepdata")
    server.wait_for_log("onunload may not")
    check(server, 1)
    # It may again.
    server.conn.do("meddler.set", "key:0", 0)
    server.conn.do("meddler.behave", "")
    assert server.conn.do("module", "unload", "meddler", "keepdata") == b"OK"


@pytest.mark.parametrize("words", ["onunload-delete", "onunload-empty"])
def test_onunload_that_deletes(server, meddler, words):
    server.conn.do("meddler.behave", words)
    upgrade(server, meddler(2))
    left = 0 if words == "onunload-empty" else COUNT
    check(server, 2, special=None, keys=left)
    assert server.conn.do("dbsize") == left


@pytest.mark.parametrize("words", ["data-open data-create", "data-empty", "data-unload"])
def test_data_of_waiting_clients(server, meddler, words):
    """It is freed by the module's code, which stops the timers that stand beside the client in the module's list."""
    waiting = server.connect()
    waiting.send("meddler.wait", "key:1")
    wait_until(lambda: b"blocked_clients:1" in server.conn.do("info", "clients"))
    server.conn.do("meddler.behave", words)
    assert server.conn.do("module", "unload", "meddler", "keepdata") == b"OK"
    assert str(plain(waiting.read())).startswith("UNBLOCKED ")
    server.conn.do("module", "load", meddler(2))
    gone = words == "data-empty"
    check(server, 2, special=None if gone else SPECIAL, keys=0 if gone else COUNT)
    assert server.conn.do("exists", "created") == 0


@pytest.mark.parametrize("words", ["save-delete", "save-empty", "save-open", "save-create"])
def test_rdb_save(server, meddler, words):
    server.conn.do("meddler.behave", words)
    upgrade(server, meddler(2))
    gone = words in ("save-delete", "save-empty")
    check(server, 2, special=None if gone else SPECIAL, keys=0 if words == "save-empty" else COUNT)
    # Made while the values become dormant, it becomes dormant too.
    assert server.conn.do("meddler.get", "created") == (11 if words == "save-create" else None)


@pytest.mark.parametrize("mode", ["eager", "lazy"])
@pytest.mark.parametrize("words", ["load-delete", "load-empty", "load-open", "load-create"])
def test_rdb_load(server, meddler, words, mode):
    """It has the bytes of its value to the end, also when it deletes the key."""
    server.conn.do("config", "set", "module-revival", mode)
    upgrade(server, meddler(2), "args", words)
    wait_until(lambda: server.conn.do("module", "dormant") == [])
    gone = words in ("load-delete", "load-empty")
    check(server, 2, special=None if gone else SPECIAL, keys=0 if words == "load-empty" else COUNT)
    if words == "load-open":
        server.wait_for_log("load sees nothing")
    if words == "load-create":
        assert server.conn.do("meddler.get", "created") == 11


def test_rdb_load_that_gives_its_key_another_value(server, meddler):
    conn = server.conn
    conn.do("meddler.set", "other", 5_005)
    payload = conn.do("dump", "other")
    conn.do("module", "unload", "meddler", "keepdata")
    conn.do("config", "set", "module-revival", "lazy")
    conn.do("module", "load", meddler(1), "load-restore")
    # Whoever comes first, the client or the background.
    conn.do("meddler.payload", payload)
    assert conn.do("meddler.get", "special") in (5_005, SPECIAL)
    wait_until(lambda: conn.do("module", "dormant") == [])


# What the new version does before it fails, what of the data is left then, and whether the lazy way comes there too.
MEDDLES = [("ended-delete load-fail", None, COUNT, False),
           ("ended-empty load-fail", None, 0, False),
           ("ended-create load-fail", SPECIAL, COUNT, False),
           ("load-delete ended-create aux-fail", None, COUNT, False),
           ("aux-open aux-fail", SPECIAL, COUNT, True),
           ("aux-create aux-fail", SPECIAL, COUNT, True),
           ("onload-open onload-fail", SPECIAL, COUNT, True),
           ("onload-create onload-fail", SPECIAL, COUNT, True),
           ("onload-open onload-delete onload-fail", None, COUNT, True),
           ("onload-open ended-empty load-fail", None, 0, False)]


@pytest.mark.parametrize("words,special,keys,mode", [(*row[:3], mode) for row in MEDDLES for mode in (["eager", "lazy"] if row[3] else ["eager"])])
def test_rollback(server, meddler, words, special, keys, mode):
    """What the new version has deleted is gone; everything else is as it was."""
    conn = server.conn
    conn.do("config", "set", "module-revival", mode)
    with pytest.raises(ReplyError, match="the old version is back"):
        upgrade(server, meddler(2), "args", "parent", *words.split())
    created = "create" in words
    assert conn.do("dbsize") == keys + (special is not None) + created
    if created:
        # By the new version, in its encoding, which the old one does not read.
        assert conn.do("type", "created") == b"meddler-t"
        assert conn.do("meddler.get", "created") is None
        server.wait_for_log("made 1 values while it was loaded: they are dormant")
        assert upgrade(server, meddler(2))[1] == 1
        assert conn.do("meddler.get", "created") == 11
        wait_until(lambda: conn.do("module", "dormant") == [])
    check(server, 2 if created else 1, special=special, keys=keys)


@pytest.mark.parametrize("words", ["onload-open", "onload-create", "onload-empty"])
def test_a_load_that_fails(server, meddler, words):
    conn = server.conn
    conn.do("module", "unload", "meddler", "keepdata")
    with pytest.raises(ReplyError, match="Error loading the extension"):
        conn.do("module", "load", meddler(1), "parent", words, "onload-fail")
    assert conn.do("module", "list") == []
    conn.do("module", "load", meddler(2))
    gone = words == "onload-empty"
    check(server, 2, special=None if gone else SPECIAL, keys=0 if gone else COUNT)
    assert conn.do("meddler.get", "created") == (11 if words == "onload-create" else None)


def test_the_rehearsal_tries_the_values_of_options(server, meddler):
    """Version 2 does not take a limit above 10."""
    server.conn.do("config", "set", "meddler.limit", 50)
    with pytest.raises(ReplyError, match="Error upgrading module: .*initialization failed"):
        upgrade(server, meddler(2))
    assert "could not take over" not in server.log()
    check(server, 1)
    upgrade(server, meddler(2), "config", "meddler.limit", 9)
    check(server, 2)
    assert server.conn.do("config", "get", "meddler.limit") == [b"meddler.limit", b"9"]


def test_a_pin_is_kept_by_a_rollback(start_server, meddler, tmp_path):
    """CONFIG REWRITE writes the digest that the old version was loaded with."""
    digest = hashlib.sha256(meddler(1).read_bytes()).hexdigest()
    config = tmp_path / "backplane.conf"
    config.write_text(f"loadmodule {meddler(1)} sha256:{digest}\n")
    server = start_server(start=False)
    command = server.command_line
    server.command_line = lambda: [command()[0], str(config), *command()[1:]]
    server.start()
    server.conn = server.connect()
    with pytest.raises(ReplyError, match="the old version is back"):
        upgrade(server, meddler(2), "args", "parent", "onload-fail")
    server.conn.do("config", "rewrite")
    assert f"sha256:{digest}" in config.read_text()


def test_a_one_shot_that_unloads_a_module_with_one_shots(server, meddler):
    """Both are due in one turn of the loop."""
    conn = server.conn
    conn.do("module", "load", meddler("other"))
    conn.do("multi")
    conn.do("another.oneshot", "meddler")
    conn.do("meddler.oneshot")
    conn.do("exec")
    server.wait_for_log("another's one-shot runs")
    wait_until(lambda: len(conn.do("module", "list")) == 1)
    assert "meddler's one-shot runs" not in server.log()
    assert conn.do("ping") == b"PONG"


def test_an_authenticator_that_unloads_another_ones_module(server, meddler):
    """The last that was added is asked first."""
    conn = server.conn
    conn.do("meddler.authenticate")
    conn.do("module", "load", meddler("other"))
    conn.do("another.authenticate", "meddler")
    with pytest.raises(ReplyError, match="WRONGPASS"):
        conn.do("auth", "nobody", "password")
    server.wait_for_log("another's authenticator runs")
    assert len(conn.do("module", "list")) == 1
    assert "meddler's authenticator runs" not in server.log()
    with pytest.raises(ReplyError, match="WRONGPASS"):
        conn.do("auth", "nobody", "password")


@pytest.mark.parametrize("where", ["onunload", "save", "auxsave", "data"])
def test_module_commands_while_a_module_goes(start_server, meddler, where):
    """They are refused: the other one is in the list before it, and has values of its own."""
    server = start_server("--loadmodule", meddler("other"), "--loadmodule", meddler(1))
    server.conn = conn = server.connect()
    for number in range(COUNT):
        conn.do("meddler.set", f"key:{number}", number * 1001)
        conn.do("another.set", f"other:{number}", number * 7)
    conn.do("meddler.set", "special", SPECIAL)
    waiting = server.connect()
    waiting.send("meddler.wait", "key:1")
    wait_until(lambda: b"blocked_clients:1" in conn.do("info", "clients"))
    conn.do("meddler.behave", f"{where}-victim")
    upgrade(server, meddler(2))
    assert [row[1] for row in conn.do("module", "list")] == [b"another", b"meddler"]
    check(server, 2)
    for number in range(COUNT):
        assert conn.do("another.get", f"other:{number}") == number * 7
    leave(server, waiting)


@pytest.mark.parametrize("action", ["unblock", "kill"])
@pytest.mark.parametrize("where", ["onunload", "onload", "ended"])
def test_a_waiting_client_while_its_module_goes(server, meddler, where, action):
    """Nobody can unblock it for a moment; who ends its connection does."""
    waiting = server.connect()
    number = waiting.do("client", "id")
    waiting.send("meddler.wait", "key:1")
    wait_until(lambda: b"blocked_clients:1" in server.conn.do("info", "clients"))
    words = f"{where}-{action}"
    if where == "onunload":
        server.conn.do("meddler.behave", words)
        upgrade(server, meddler(2))
    else:
        # The new version does not know the client: it is told.
        upgrade(server, meddler(2), "args", words, f"client-{number}")
    check(server, 2)
    wait_until(lambda: f"blocked_clients:{1 if action == 'unblock' else 0}".encode() in server.conn.do("info", "clients"))
    assert server.conn.do("ping") == b"PONG"
    leave(server, waiting)
