# SPDX-License-Identifier: BSD-3-Clause
"""SLOWLOG: what is logged, how it is shortened, whose secrets it keeps."""

import time

import pytest


@pytest.fixture
def log(start_server):
    """A connection to a server that logs every command."""
    server = start_server("--slowlog-log-slower-than", 0)
    connection = server.connect()
    connection.server = server
    return connection


def logged(connection, *args, setup=()):
    """What the slow log has of one command: the arguments of its entries, the oldest first."""
    for command in setup:
        connection.call(*command)
    connection.do("SLOWLOG", "RESET")
    connection.call(*args)
    entries = connection.do("SLOWLOG", "GET", -1)
    assert entries[-1][3] == [b"SLOWLOG", b"RESET"]
    return [entry[3] for entry in reversed(entries[:-1])]


def test_entry(log):
    log.do("CLIENT", "SETNAME", "tester")
    log.do("SLOWLOG", "RESET")
    before = int(time.time())
    log.do("DEBUG", "SLEEP", "0.05")
    first, second = log.do("SLOWLOG", "GET", 2)
    assert first[0] == second[0] + 1, "ids grow"
    assert before <= first[1] <= time.time() + 1
    assert 50_000 <= first[2] < 30_000_000
    assert first[3] == [b"DEBUG", b"SLEEP", b"0.05"]
    assert first[4] == str(log.server.socket_path).encode() + b":0"
    assert first[5] == b"tester"
    assert log.do("SLOWLOG", "LEN") == 3


def test_tcp_address(log):
    with log.server.connect(tcp=True) as tcp:
        tcp.do("PING")
        entry = tcp.do("SLOWLOG", "GET", 1)[0]
        assert entry[4] == b"127.0.0.1:%d" % tcp.socket.getsockname()[1]


def test_threshold(start_server):
    with start_server().connect() as connection:
        assert connection.do("CONFIG", "GET", "slowlog-log-slower-than")[1] == b"10000"
        assert connection.do("CONFIG", "GET", "slowlog-max-len")[1] == b"128"
        connection.do("PING")
        connection.do("DEBUG", "SLEEP", "0.02")
        entries = connection.do("SLOWLOG", "GET")
        assert [entry[3] for entry in entries] == [[b"DEBUG", b"SLEEP", b"0.02"]]
        connection.do("CONFIG", "SET", "slowlog-log-slower-than", -1)
        connection.do("DEBUG", "SLEEP", "0.02")
        assert connection.do("SLOWLOG", "LEN") == 1
        connection.do("CONFIG", "SET", "slowlog-log-slower-than", 100_000_000)
        connection.do("DEBUG", "SLEEP", "0.02")
        assert connection.do("SLOWLOG", "LEN") == 1


def test_max_len(log):
    log.do("CONFIG", "SET", "slowlog-max-len", 3)
    for number in range(10):
        log.do("ECHO", number)
    assert [entry[3][1] for entry in log.do("SLOWLOG", "GET")] == [b"9", b"8", b"7"]
    log.do("CONFIG", "SET", "slowlog-max-len", 0)
    assert log.do("SLOWLOG", "LEN") == 0


def test_get_counts(log):
    for number in range(15):
        log.do("ECHO", number)
    assert len(log.do("SLOWLOG", "GET")) == 10
    assert len(log.do("SLOWLOG", "GET", 0)) == 0
    assert len(log.do("SLOWLOG", "GET", 4)) == 4
    assert len(log.do("SLOWLOG", "GET", -1)) > 15


def test_reset_goes_on_counting(log):
    log.do("PING")
    last = log.do("SLOWLOG", "GET", 1)[0][0]
    assert log.do("SLOWLOG", "RESET") == b"OK"
    assert log.do("SLOWLOG", "GET", 1)[0][0] == last + 2


def test_shortened(log):
    assert logged(log, "ECHO", "x" * 128) == [[b"ECHO", b"x" * 128]]
    assert logged(log, "ECHO", "x" * 200) == [[b"ECHO", b"x" * 128 + b"... (72 more bytes)"]]
    words = [b"%d" % number for number in range(40)]
    assert logged(log, "SADD", "s", *words[:30]) == [[b"SADD", b"s", *words[:30]]]
    assert logged(log, "SADD", "s", *words[:31]) == [[b"SADD", b"s", *words[:29], b"... (2 more arguments)"]]
    assert logged(log, "SADD", "s", *words) == [[b"SADD", b"s", *words[:29], b"... (11 more arguments)"]]


@pytest.mark.parametrize("command, shown", [
    ("AUTH secret", "AUTH (redacted)"),
    ("AUTH default secret", "AUTH (redacted) (redacted)"),
    ("HELLO 2 AUTH default secret SETNAME me", "HELLO 2 AUTH (redacted) (redacted) SETNAME me"),
    ("HELLO 2", "HELLO 2"),
    ("CONFIG SET requirepass secret nosuch x", "CONFIG SET requirepass (redacted) nosuch x"),
    ("CONFIG SET masterauth secret masteruser secret", "CONFIG SET masterauth (redacted) masteruser (redacted)"),
    ("CONFIG SET MAXMEMORY 0", "CONFIG SET MAXMEMORY 0"),
    ("CONFIG GET requirepass", "CONFIG GET requirepass"),
])
def test_secrets(log, command, shown):
    assert logged(log, *command.split()) == [shown.encode().split()]


def test_what_is_logged(log):
    assert logged(log, "NOSUCH") == []
    assert logged(log, "GET") == [], "it did not run"
    assert logged(log, "LPUSH", "a", "b", setup=[("SET", "a", "b")]) == [[b"LPUSH", b"a", b"b"]], "errors are"
    assert logged(log, "set", "a", "b") == [[b"set", b"a", b"b"]], "as it was typed"


def test_transactions(log):
    log.do("SLOWLOG", "RESET")
    for command in (["MULTI"], ["SET", "a", "b"], ["GET", "a"], ["EXEC"]):
        log.do(*command)
    shown = [entry[3] for entry in log.do("SLOWLOG", "GET")]
    assert shown[:3] == [[b"GET", b"a"], [b"SET", b"a", b"b"], [b"MULTI"]], "EXEC's commands and not EXEC"


def test_scripts(log):
    script = "redis.call('set', 'x', 1) return redis.call('get', 'x')"
    assert logged(log, "EVAL", script, 0) == [[b"set", b"x", b"1"], [b"get", b"x"], [b"EVAL", script.encode(), b"0"]]
    assert log.do("SLOWLOG", "GET", 3)[2][4:] == [b"?:0", b""], "a command of a script has no client"


def test_blocked_commands_are_logged_when_they_end(log):
    waiting = log.server.connect()
    log.do("SLOWLOG", "RESET")
    waiting.send("BLPOP", "queue", 0)
    while log.do("INFO", "clients").find(b"blocked_clients:1") < 0:
        time.sleep(0.01)
    assert not any(entry[3][0] == b"BLPOP" for entry in log.do("SLOWLOG", "GET", -1))
    log.do("LPUSH", "queue", "x")
    waiting.read()
    assert sum(entry[3] == [b"BLPOP", b"queue", b"0"] for entry in log.do("SLOWLOG", "GET", -1)) == 1
    waiting.do("PING")
    assert logged(log, "BLPOP", "empty", "0.01") == [], "one whose time is over did nothing"


def test_errors(log):
    bad_count = "ERR count should be greater than or equal to -1"
    assert log.error("SLOWLOG", "GET", -2) == bad_count
    assert log.error("SLOWLOG", "GET", "x") == bad_count
    assert log.error("SLOWLOG", "GET", "9" * 20) == bad_count
    assert log.error("SLOWLOG", "GET", 1, 2) == \
        "ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP."
    assert log.error("SLOWLOG", "LEN", 1) == "ERR wrong number of arguments for 'slowlog|len' command"
    assert log.error("SLOWLOG", "NOSUCH") == "ERR unknown subcommand 'NOSUCH'. Try SLOWLOG HELP."
    help_text = b"\n".join(log.do("SLOWLOG", "HELP"))
    assert all(word in help_text for word in (b"GET", b"LEN", b"RESET"))
