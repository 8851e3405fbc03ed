# SPDX-License-Identifier: BSD-3-Clause
"""Settings: the command line, redis.conf syntax, CONFIG."""

import re
import subprocess

import pytest

from harness.server import binary_under_test, is_redis

# Names that tools and operators expect to find.
NAMES = """
bind port unixsocket protected-mode tcp-backlog timeout tcp-keepalive daemonize pidfile loglevel logfile databases save
stop-writes-on-bgsave-error rdbcompression rdbchecksum dbfilename dir maxclients lazyfree-lazy-expire
lazyfree-lazy-server-del lazyfree-lazy-user-del lazyfree-lazy-user-flush hash-max-listpack-entries
hash-max-listpack-value hash-max-ziplist-entries list-max-listpack-size set-max-intset-entries
set-max-listpack-entries set-max-listpack-value zset-max-listpack-entries zset-max-listpack-value
client-output-buffer-limit client-query-buffer-limit proto-max-bulk-len hz notify-keyspace-events requirepass
enable-debug-command enable-module-command
""".split()
NAMES_OF_7_2 = {"set-max-listpack-entries", "set-max-listpack-value"}


def get(connection, *names):
    values = connection.do("CONFIG", "GET", *names)
    return dict(zip(values[::2], values[1::2]))


@pytest.mark.parametrize("name", NAMES)
def test_known_names(conn, name):
    found = get(conn, name)
    if name in NAMES_OF_7_2 and is_redis(binary_under_test()):
        pytest.skip("new in 7.2")
    assert list(found) == [name.encode()]


def test_config_get_patterns(conn):
    found = get(conn, "hash-max-*", "port", "nosuch")
    assert {b"hash-max-listpack-entries", b"hash-max-ziplist-entries", b"port"} <= set(found)
    assert get(conn, "MAXCLIENTS") == {b"MAXCLIENTS": b"10000"}, "a name comes back as it was asked for"
    assert get(conn, "nosuch") == {}
    assert conn.error("CONFIG", "GET") == "ERR wrong number of arguments for 'config|get' command"
    assert conn.error("CONFIG", "NOSUCH") == "ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP."


def test_config_get_is_a_map_in_resp3(conn3):
    assert conn3.call("CONFIG", "GET", "databases") == (b"%", [(b"$", b"databases"), (b"$", b"16")])


@pytest.mark.parametrize("name, value, shown", [
    ("proto-max-bulk-len", "100mb", b"104857600"),
    ("proto-max-bulk-len", "1g", b"1000000000"),
    ("proto-max-bulk-len", "512MB", b"536870912"),
    ("hz", "100", b"100"),
    ("hz", "100000", b"500"),
    ("loglevel", "debug", b"debug"),
    ("loglevel", "notice", b"notice"),
    ("rdbcompression", "no", b"no"),
    ("rdbcompression", "YES", b"yes"),
    ("hash-max-ziplist-entries", "77", b"77"),
    ("notify-keyspace-events", "KEA", b"AKE"),
    ("notify-keyspace-events", "gE$", b"g$E"),
    ("notify-keyspace-events", "", b""),
    ("save", "10 20 30 40", b"10 20 30 40"),
    ("save", "", b""),
    ("hash-max-listpack-value", "100", b"100"),
    ("timeout", "100", b"100"),
    ("timeout", "0", b"0"),
])
def test_config_set(conn, name, value, shown):
    assert conn.raw("CONFIG", "SET", name, value) == b"+OK\r\n"
    assert get(conn, name) == {name.encode(): shown}


def test_aliases_are_one_setting(conn):
    conn.do("CONFIG", "SET", "hash-max-ziplist-entries", "33")
    assert get(conn, "hash-max-listpack-entries") == {b"hash-max-listpack-entries": b"33"}
    conn.do("CONFIG", "SET", "hash-max-listpack-entries", "128")


@pytest.mark.parametrize("arguments, error", [
    (["maxclients", "x"], "ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument couldn't be parsed "
                          "into an integer"),
    (["maxclients", "0"], "ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument must be between 1 "
                          "and 4294967295 inclusive"),
    (["rdbcompression", "maybe"], "ERR CONFIG SET failed (possibly related to argument 'rdbcompression') - argument must "
                                   "be 'yes' or 'no'"),
    (["loglevel", "loud"], "ERR CONFIG SET failed (possibly related to argument 'loglevel') - argument(s) must be one of "
                           "the following: "),
    (["proto-max-bulk-len", "1parsec"], "ERR CONFIG SET failed (possibly related to argument 'proto-max-bulk-len') - "
                                        "argument must be a memory value"),
    (["databases", "5"], "ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config"),
    (["notify-keyspace-events", "?"], "ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - "
                                      "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
    (["save", "10"], "ERR CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters"),
    (["nosuch", "1"], "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
    (["hz"], "ERR wrong number of arguments for 'config|set' command"),
    (["hz", "10", "timeout"], "ERR syntax error"),
    (["hz", "10", "hz", "11"], "ERR CONFIG SET failed (possibly related to argument 'hz') - duplicate parameter"),
])
def test_config_set_errors(conn, arguments, error):
    assert conn.error("CONFIG", "SET", *arguments).startswith(error)


def test_config_set_is_all_or_nothing(conn):
    before = get(conn, "timeout", "maxclients")
    conn.error("CONFIG", "SET", "timeout", "77", "maxclients", "x")
    assert get(conn, "timeout", "maxclients") == before
    conn.do("CONFIG", "SET", "timeout", "88", "tcp-keepalive", "99")
    assert get(conn, "timeout", "tcp-keepalive") == {b"timeout": b"88", b"tcp-keepalive": b"99"}
    conn.do("CONFIG", "SET", "timeout", "0")


def test_a_threshold_changes_encodings(conn):
    conn.do("CONFIG", "SET", "hash-max-listpack-entries", "2")
    conn.do("HSET", "h", "a", "1", "b", "2")
    assert conn.do("OBJECT", "ENCODING", "h") == b"listpack"
    conn.do("HSET", "h", "c", "3")
    assert conn.do("OBJECT", "ENCODING", "h") == b"hashtable"
    conn.do("CONFIG", "SET", "hash-max-listpack-entries", "128")


def test_config_file(start_server, tmp_path):
    file = tmp_path / "redis.conf"
    included = tmp_path / "more.conf"
    included.write_text("hz 50\n")
    file.write_text(f"""# A comment

maxclients 123
  timeout   45
requirepass "a b\\x41\\""
save 900 1
save 300 10
include {included}
client-output-buffer-limit pubsub 1mb 0 0
rename-command FLUSHALL ""
rename-command CONFIG my-config
""")
    # The file comes first on a command line; what follows wins.
    server = start_server(start=False)
    server.command_line = lambda: [server.binary, str(file), "--port", "0", "--unixsocket", str(server.socket_path),
                                   "--dir", str(server.folder), "--timeout", "46"]
    server.start()
    connection = server.connect()
    assert connection.raw("AUTH", 'a bA"') == b"+OK\r\n"
    assert connection.error("CONFIG", "GET", "hz").startswith("ERR unknown command 'CONFIG'")
    assert connection.error("FLUSHALL").startswith("ERR unknown command 'FLUSHALL'")
    for name, value in (("maxclients", b"123"), ("timeout", b"46"), ("hz", b"50"), ("save", b"900 1 300 10")):
        assert connection.do("my-config", "GET", name) == [name.encode(), value]


def test_config_rewrite(start_server, tmp_path):
    file = tmp_path / "redis.conf"
    server = start_server(start=False)
    file.write_text(f"# Kept comment\nport 0\nunixsocket {server.socket_path}\ndir {server.folder}\nmaxclients 50\n")
    server.command_line = lambda: [server.binary, str(file)]
    server.start()
    connection = server.connect()
    connection.do("CONFIG", "SET", "maxclients", "60", "timeout", "7", "save", "11 22")
    assert connection.raw("CONFIG", "REWRITE") == b"+OK\r\n"
    text = file.read_text()
    assert text.startswith("# Kept comment\n") and "maxclients 60\n" in text and "timeout 7\n" in text
    assert "save 11 22\n" in text
    server.restart()
    connection = server.connect()
    assert get(connection, "maxclients", "timeout", "save") == {b"maxclients": b"60", b"timeout": b"7",
                                                                b"save": b"11 22"}


def test_rewrite_of_an_option_with_several_lines(start_server, tmp_path):
    file = tmp_path / "redis.conf"
    server = start_server(start=False)
    file.write_text(f"port 0\nunixsocket {server.socket_path}\ndir {server.folder}\nsave 3600 1\nsave 300 100\nsave 60 10\n")
    server.command_line = lambda: [server.binary, str(file)]
    server.start()
    for value in ("", "3600 1 60 10", "11 22"):
        connection = server.connect()
        connection.do("CONFIG", "SET", "save", value)
        connection.do("CONFIG", "REWRITE")
        server.restart()
        assert get(server.connect(), "save") == {b"save": value.encode()}


def test_rewrite_of_all_options(start_server, tmp_path):
    file = tmp_path / "redis.conf"
    server = start_server(start=False)
    file.write_text(f"port 0\nunixsocket {server.socket_path}\ndir {server.folder}\nenable-debug-command yes\n")
    server.command_line = lambda: [server.binary, str(file)]
    server.start()
    connection = server.connect()
    before = get(connection, "*")
    assert connection.raw("DEBUG", "CONFIG-REWRITE-FORCE-ALL") == b"+OK\r\n"
    named = {line.split()[0].encode() for line in file.read_text().splitlines() if line and line[0] != "#"}
    assert {b"maxclients", b"appendfsync", b"repl-timeout", b"bind", b"shutdown-on-sigint"} <= named
    # What has no line is the second name of an option that has one.
    for name in set(before) - named:
        assert re.search(b"slave|ziplist|lua-time-limit", name), name
    server.restart()
    assert get(server.connect(), "*") == before


def test_rewrite_without_a_file(conn):
    assert conn.error("CONFIG", "REWRITE") == "ERR The server is running without a config file"


@pytest.mark.parametrize("options, message", [
    (["--maxclients", "x"], "argument couldn't be parsed into an integer"),
    (["--nosuchoption", "1"], "Bad directive or wrong number of arguments"),
    (["--port"], "wrong number of arguments"),
    (["--shutdown-on-sigint"], "argument(s) must be one of the following: default, save, nosave, now, force"),
    (["--loglevel", "loud"], "must be one of the following"),
    (["--dir", "/nonexistent/folder"], "No such file or directory"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_bad_settings_stop_the_start_with_a_message(start_server, options, message):
    server = start_server(*options, start=False)
    server.launch()
    assert server.wait() == 1
    assert message in server.log()
    if options[0] != "--dir":
        assert "FATAL CONFIG FILE ERROR" in server.log() and options[0][2:] in server.log()


def test_version_and_help(start_server):
    binary = start_server(start=False).binary
    version = subprocess.run([binary, "--version"], capture_output=True, text=True)
    assert version.returncode == 0 and " v=" in version.stdout
    usage = subprocess.run([binary, "--help"], capture_output=True, text=True)
    assert "Usage" in usage.stdout + usage.stderr


def test_resetstat(conn):
    conn.do("SET", "a", "1")
    assert b"cmdstat_set:" in conn.do("INFO", "commandstats")
    assert conn.raw("CONFIG", "RESETSTAT") == b"+OK\r\n"
    assert b"cmdstat_set:" not in conn.do("INFO", "commandstats")


@pytest.mark.parametrize("lines, options, expected", [
    ("save 100 100\n", [], b"100 100"),
    ("save 900 1\nsave 100 100\n", [], b"900 1 100 100"),
    ("save 900 1\n", ["--save", "100", "100"], b"900 1 100 100"),
    ("save 900 1\n", ["--save", ""], b""),
    ("save\n", [], b""),
])
def test_save_lines_add_up(ours_only, start_server, tmp_path, lines, options, expected):
    file = tmp_path / "save.conf"
    file.write_text(lines)
    server = start_server("--include", str(file), *options)
    assert get(server.connect(), "save") == {b"save": expected}


def test_prose_in_a_file(start_server, tmp_path):
    """A comment need not have its quotes in pairs."""
    config = tmp_path / "server.conf"
    config.write_text("# Note that option \"include\" won't be rewritten\n   # isn't \"it\nmaxclients 77\n#\n")
    server = start_server(start=False)
    command = server.command_line
    server.command_line = lambda: [command()[0], str(config), *command()[1:]]
    server.start()
    conn = server.connect()
    assert get(conn, "maxclients") == {b"maxclients": b"77"}
    conn.do("CONFIG", "SET", "maxclients", "78")
    conn.do("CONFIG", "REWRITE")
    assert "won't be rewritten" in config.read_text() and "maxclients 78" in config.read_text()


def test_writes_that_want_replicas(start_server):
    """There are none."""
    server = start_server("--min-slaves-to-write", "1")
    conn = server.connect()
    refused = "NOREPLICAS Not enough good replicas to write."
    assert conn.error("SET", "k", "v") == refused
    assert conn.error("EVAL", "return redis.call('set', KEYS[1], 'v')", 1, "k").startswith(refused)
    assert conn.error("EVAL", "#!lua\nreturn 1", 0) == refused
    assert conn.do("GET", "k") is None and conn.do("PING") == b"PONG"
    conn.do("CONFIG", "SET", "min-replicas-max-lag", "0")
    assert conn.do("SET", "k", "v") == b"OK"
    conn.do("MULTI")
    conn.do("SET", "k", "other")
    server.connect().do("CONFIG", "SET", "min-replicas-max-lag", "10")
    assert conn.error("EXEC") == "EXECABORT Transaction discarded because of: " + refused
    assert conn.do("GET", "k") == b"v"
