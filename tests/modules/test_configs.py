# SPDX-License-Identifier: BSD-3-Clause
"""Options of a module: defaults, CONFIG SET, setters that refuse, apply, the file, MODULE LOADEX."""

import pytest

MODULES = ["configs"]

DEFAULTS = {"flag": b"yes", "text": b"de fault", "color": b"green", "bits": b"one two", "number": b"-1",
            "memory": b"1024", "fixed": b"no"}


def values(conn):
    flat = conn.do("config", "get", "configs.*")
    return {name.decode().removeprefix("configs."): value for name, value in zip(flat[::2], flat[1::2])}


@pytest.fixture
def own(start_with):
    """A connection to a server of the test's own."""
    return start_with(["configs"]).connect()


def test_defaults(own):
    assert values(own) == DEFAULTS


@pytest.mark.parametrize("name, value, shown", [
    ("flag", "no", b"no"), ("text", b"any \0 bytes", b"any \0 bytes"), ("text", "", b""), ("color", "BLUE", b"blue"),
    ("bits", "four one", b"one four"), ("bits", "none", b"none"), ("number", -5, b"-5"), ("number", 2000, b"2000"),
    ("memory", "1mb", b"1048576"), ("memory", "2k", b"2000"), ("memory", 500, b"500"),
])
def test_set(conn, name, value, shown):
    assert conn.do("config", "set", f"configs.{name}", value) == b"OK"
    assert values(conn)[name] == shown


@pytest.mark.parametrize("name, value, error", [
    ("flag", "maybe", "argument must be 'yes' or 'no'"), ("text", "refused", "this text is refused"),
    ("color", "pink", "argument(s) must be one of the following: red, green, blue"),
    ("number", 2001, "argument must be between -5 and 2000 inclusive"), ("number", -6, "argument must be between"),
    ("number", "x", "argument couldn't be parsed into an integer"),
    ("memory", "1gb", "argument must be between 0 and 3000000 inclusive"), ("memory", "lots", "argument must be a memory value"),
    ("memory", -5, "argument must be a memory value"), ("memory", 2**63, "argument must be between 0 and 3000000 inclusive"),
    ("fixed", "yes", "can't set immutable config"),
])
def test_refused(own, name, value, error):
    message = own.error("config", "set", f"configs.{name}", value)
    assert message.startswith(f"ERR CONFIG SET failed (possibly related to argument 'configs.{name}') - ")
    assert error in message
    assert values(own) == DEFAULTS


def test_bits_refused(own):
    assert "argument(s) must be one of the following" in own.error("config", "set", "configs.bits", "one three")
    assert values(own) == DEFAULTS


def test_apply_runs_once_for_all(own):
    before = own.do("configs.applied")
    own.do("config", "set", "configs.number", 5, "configs.memory", 6)
    # Options with one apply function and the same data share a call; these two have data of their own.
    assert own.do("configs.applied") - before in (1, 2)
    before = own.do("configs.applied")
    own.do("config", "set", "configs.text", "no apply function")
    assert own.do("configs.applied") == before


def test_apply_refuses_and_everything_goes_back(own):
    message = own.error("config", "set", "configs.number", 13, "configs.text", "changed", "configs.memory", 1313)
    assert "not these two" in message
    assert values(own) == DEFAULTS


def test_one_wrong_option_changes_nothing(own):
    own.error("config", "set", "configs.number", 7, "configs.text", "refused", "configs.flag", "no")
    assert values(own) == DEFAULTS


@pytest.mark.since("7.2")
def test_late_registration(own):
    assert own.do("configs.late") == [b"EBUSY", 1]
    assert values(own) == DEFAULTS


def test_wrong_registration(start_with):
    server = start_with([("configs", "wrong")])
    for number, expected in enumerate(["EINVAL", "EINVAL", "EINVAL", "EINVAL", "EALREADY"]):
        server.wait_for_log(rf"wrong option {number}: {expected}$", 1)
    assert values(server.connect()) == DEFAULTS


def test_options_on_the_command_line(start_with):
    server = start_with(["configs"], "--configs.number", 77, "--configs.text", "from the line", "--configs.bits", "two four",
                        "--configs.fixed", "yes")
    assert values(server.connect()) == DEFAULTS | {"number": b"77", "text": b"from the line", "bits": b"two four",
                                                   "fixed": b"yes"}


def test_loadex(start_server, module_path):
    conn = start_server().connect()
    path = module_path("configs")
    assert conn.do("module", "loadex", path, "CONFIG", "configs.number", 5, "CONFIG", "configs.text", "x y",
                   "CONFIG", "configs.fixed", "yes", "CONFIG", "configs.number", 6) == b"OK"
    assert values(conn) == DEFAULTS | {"number": b"6", "text": b"x y", "fixed": b"yes"}
    assert conn.do("module", "unload", "configs") == b"OK"
    assert values(conn) == {}
    assert conn.error("config", "set", "configs.number", 5).startswith("ERR Unknown option or number of arguments")


@pytest.mark.parametrize("words", [
    ["CONFIG", "configs.number", "5000"], ["CONFIG", "configs.text", "refused"], ["CONFIG", "configs.nosuch", "1"],
    ["CONFIG", "maxclients", "333"], ["CONFIG", "configs.number"], ["CONFIG", "configs.number", "1", "ARGS", "noload"],
    ["NOSUCH", "x"],
])
def test_loadex_refuses(start_server, module_path, words):
    conn = start_server().connect()
    assert conn.error("module", "loadex", module_path("configs"), *words).startswith("ERR ")
    assert values(conn) == {}
    assert conn.do("module", "list") == []
    # Nothing stays behind: it loads.
    assert conn.do("module", "load", module_path("configs")) == b"OK"
    assert values(conn) == DEFAULTS


def test_rewrite(start_with, module_path, tmp_path, release):
    file = tmp_path / "redis.conf"
    file.write_text(f"loadmodule {module_path('configs')}\n")
    # The file's name goes first on the command line.
    server = start_with([])
    server.stop()
    server.command_line = lambda: [server.binary, str(file), *type(server).command_line(server)[1:]]
    server.start()
    conn = server.connect()
    assert values(conn) == DEFAULTS
    changed = {"flag": b"no", "text": b"with \"quotes\" \n and \xff", "color": b"blue", "bits": b"four", "number": b"1999",
               "memory": b"4096"}
    for name, value in changed.items():
        conn.do("config", "set", f"configs.{name}", value)
    assert conn.do("config", "rewrite") == b"OK"
    server.restart()
    conn = server.connect()
    assert values(conn) == DEFAULTS | changed
    assert conn.do("module", "unload", "configs") == b"OK"
    assert conn.do("config", "rewrite") == b"OK"
    text = file.read_text()
    assert "loadmodule" not in text
    if release >= (7, 2):
        assert "configs." not in text


def test_options_without_their_module(start_server):
    with pytest.raises(RuntimeError, match="Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting"):
        start_server("--configs.number", 5)
