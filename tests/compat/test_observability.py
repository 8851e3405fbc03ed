# SPDX-License-Identifier: BSD-3-Clause
"""SLOWLOG, MONITOR, LATENCY and tips, asked of Debian's redis-server and of ours: what depends neither on time nor on
texts of our own must be equal."""

import re

import pytest

from harness.resp import plain

# New in 7.2, or not the same there: the reference is 7.0.
ARGUMENTS = [
    "SET a b", "LPUSH a b", "GET", "NOSUCH x", "AUTH secret", "AUTH default secret", "AUTH a b c",
    "HELLO 2 AUTH default secret", "HELLO 2 AUTH nosuch secret", "HELLO 2 SETNAME me AUTH default secret", "HELLO 9",
    "HELLO 2 AUTH default", "CONFIG SET requirepass secret nosuch x", "CONFIG SET maxmemory 0", "CONFIG SET maxmemory",
    "CONFIG GET requirepass", "SELECT 1", "SELECT 0", "SELECT 99", "MULTI", "PING", "EXEC", "MULTI", "SET a b", "INCR a",
    "EXEC", "MULTI", "NOSUCH", "EXEC", "EXEC", "WATCH a", "MULTI", "EVAL return(redis.call('get','a')) 0", "EXEC",
    "MULTI", "SET a b", "DISCARD", "EVAL return(redis.call('set','x','y')) 0", "EVAL return(redis.pcall('nosuch')) 0",
    "EVAL x 0", "EVAL return(1) x", "EVALSHA x 0", "EVAL_RO return(redis.call('get','x')) 0", "FCALL nosuch 0",
    "FCALL_RO nosuch 0", "BLPOP q 0.01", "LPUSH q 1", "BLPOP q 0.01", "SUBSCRIBE c", "GET a", "PING", "UNSUBSCRIBE c",
    "PUBLISH c m", "CLIENT SETNAME me", "CLIENT ID x", "CLIENT LIST", "COMMAND COUNT", "DEBUG SLEEP 0", "INFO server",
    "OBJECT ENCODING a", "SORT q", "SADD s a b c", "SPOP s", "SETEX e 10 x", "GETEX e PX 10000", "INCRBYFLOAT f 1.5",
    "RESET", "FLUSHALL", "SLOWLOG LEN", "MEMORY USAGE a", "SCRIPT FLUSH", "FUNCTION FLUSH", "SHUTDOWN ABORT", "WAIT 0 0",
    "ECHO " + "x" * 200, "SADD many " + " ".join(map(str, range(50))), "LATENCY RESET",
]


@pytest.fixture
def servers(start_redis, start_server):
    options = ("--slowlog-log-slower-than", 0, "--slowlog-max-len", 1000)
    return start_redis(*options), start_server(*options)


def test_slow_log(servers):
    """The entries that each command leaves."""
    logs = []
    for server in servers:
        client, reader = server.connect(), server.connect()
        reader.do("CONFIG", "SET", "slowlog-log-slower-than", 0)
        log = []
        for line in ARGUMENTS:
            reader.do("SLOWLOG", "RESET")
            client.call(*line.split(" "))
            entries = reader.do("SLOWLOG", "GET", -1)[:-1]
            log.append((line, [(entry[3], entry[4].endswith(b"/s:0"), entry[5]) for entry in entries]))
        logs.append(log)
    for theirs, ours in zip(*logs):
        assert theirs == ours


def test_monitor(servers):
    """The whole stream."""
    streams = []
    for server in servers:
        client, watcher = server.connect(), server.connect()
        watcher.do("MONITOR")
        for line in ARGUMENTS:
            client.call(*line.split(" "))
        client.do("ECHO", "the end")
        stream = []
        while not stream or not stream[-1].endswith(b'"the end"'):
            kind, text = watcher.read()
            assert kind == b"+"
            stream.append(re.sub(rb"^\d{10}\.\d{6} ", b"", text).replace(str(server.folder).encode(), b""))
        streams.append(stream)
    theirs, ours = streams
    assert theirs == ours


@pytest.mark.parametrize("line", [
    "SLOWLOG", "SLOWLOG NOSUCH", "SLOWLOG GET -2", "SLOWLOG GET x", "SLOWLOG GET 1 2", "SLOWLOG LEN 1", "SLOWLOG RESET 1",
    "SLOWLOG HELP x", "LATENCY", "LATENCY NOSUCH", "LATENCY HISTORY", "LATENCY HISTORY x", "LATENCY HISTORY x y",
    "LATENCY GRAPH", "LATENCY GRAPH x", "LATENCY LATEST", "LATENCY LATEST x", "LATENCY RESET", "LATENCY RESET x",
    "LATENCY HISTOGRAM nosuch", "LATENCY HISTOGRAM config|nosuch", "LATENCY DOCTOR x", "MONITOR x", "MEMORY",
    "MEMORY NOSUCH", "MEMORY STATS x", "MEMORY DOCTOR x", "MEMORY MALLOC-STATS x", "LOLWUT VERSION x", "SHUTDOWN ABORT",
    "SHUTDOWN ABORT ABORT", "SHUTDOWN ABORT NOW", "SHUTDOWN SAVE NOSAVE", "SHUTDOWN NOSAVE SAVE", "SHUTDOWN NOSUCH",
    "CONFIG SET latency-monitor-threshold -1", "CONFIG SET latency-monitor-threshold x", "CONFIG GET latency*",
    "CONFIG SET latency-tracking x", "CONFIG SET latency-tracking-info-percentiles 101",
    "CONFIG SET latency-tracking-info-percentiles x", "CONFIG SET shutdown-timeout -1", "CONFIG GET shutdown-*",
    "CONFIG SET shutdown-on-sigterm x", "CONFIG GET slowlog*",
])
def test_replies(start_redis, start_server, line):
    theirs, ours = (start().connect() for start in (start_redis, start_server))
    a, b = (connection.call(*line.split(" ")) for connection in (theirs, ours))
    if line.startswith("CONFIG GET"):
        a, b = (dict(zip(plain(reply)[::2], plain(reply)[1::2])) for reply in (a, b))
    assert a == b


@pytest.mark.parametrize("protocol", [2, 3])
def test_shapes(servers, protocol):
    """Types of the replies, all the way down; numbers and texts are not compared."""
    def shape(reply):
        kind, payload = reply
        if isinstance(payload, list) and kind == b"%":
            return kind, {name: shape(value) for (_, name), value in zip(payload[::2], payload[1::2])
                          if not name.startswith(b"db.") or name == b"db.0"}
        if isinstance(payload, list):
            return kind, [shape(item) for item in payload]
        return kind

    shapes = []
    for server in servers:
        connection = server.connect(protocol)
        connection.do("CONFIG", "SET", "latency-monitor-threshold", 1)
        connection.do("SET", "a", "b")
        connection.do("DEBUG", "SLEEP", "0.01")
        shapes.append({command: shape(connection.call(*command.split())) for command in (
            "MEMORY STATS", "MEMORY DOCTOR", "MEMORY MALLOC-STATS", "LATENCY LATEST", "LATENCY HISTORY command",
            "LATENCY GRAPH command", "LATENCY DOCTOR", "LATENCY HISTOGRAM get", "LOLWUT", "SLOWLOG GET 1", "INFO latencystats")})
        if protocol == 3:
            kind, payload = connection.call("LATENCY", "HISTOGRAM", "set")
            shapes[-1]["histogram"] = kind, payload[0], shape(payload[1])[0]
    assert shapes[0] == shapes[1]


def test_command_info(servers):
    """Arity, flags, positions and categories of the commands that this file is about."""
    def facts(info):
        name, arity, flags, first, last, step, categories, _, _, subcommands = info
        return name, arity, sorted(flags), first, last, step, sorted(categories), sorted(map(facts, subcommands))

    theirs, ours = (server.connect() for server in servers)
    for name in ("slowlog", "latency", "monitor", "memory", "lolwut", "shutdown"):
        assert facts(ours.do("COMMAND", "INFO", name)[0]) == facts(theirs.do("COMMAND", "INFO", name)[0])
