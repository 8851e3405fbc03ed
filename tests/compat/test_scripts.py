# SPDX-License-Identifier: BSD-3-Clause
"""Scripts and functions, run by Debian's redis-server and by ours: replies must be equal to the letter.

What differs on purpose is not asked: `os` (7.2 has its clock), the version, help texts, NaN, the order of FUNCTION LIST.
"""

import os

import pytest

import scripts
from harness.server import REDIS, Server

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

HEX = "local function h(s) return (s:gsub('.',function(x) return string.format('%02x',x:byte()) end)) end return "
CHANGED = ("REDIS_VERSION",)


@pytest.fixture(scope="module")
def servers():
    with Server(binary=REDIS, tcp=False) as theirs, Server(tcp=False) as ours:
        yield theirs, ours


@pytest.fixture
def both(servers):
    connections = [server.connect() for server in servers]
    for connection in connections:
        for command in ("FLUSHALL", "SCRIPT FLUSH", "FUNCTION FLUSH"):
            connection.do(*command.split())

    def ask(*command):
        theirs, ours = (connection.call(*command) for connection in connections)
        assert ours == theirs, f"{command}\ntheirs {theirs}\nours   {ours}"
        return ours

    yield ask
    for connection in connections:
        connection.close()


def test_scripts(both):
    both("SET", "s", "v")
    for script in scripts.SCRIPTS:
        if not any(word in script for word in CHANGED):
            both("EVAL", script, 0)


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("resp", [2, 3])
def test_conversions(servers, protocol, resp):
    theirs, ours = (server.connect(protocol=protocol) for server in servers)
    for connection in (theirs, ours):
        for command in ("FLUSHALL", "HSET h a 1", "SADD s m", "ZADD z 1.5 m"):
            connection.do(*command.split())
    for script in scripts.CONVERSIONS:
        script = f"redis.setresp({resp}); {script}"
        assert ours.raw("EVAL", script, 0) == theirs.raw("EVAL", script, 0), script
    theirs.close()
    ours.close()


def test_binary_formats(both):
    for expression in scripts.PACKED:
        both("EVAL", HEX + expression, 0)


def test_commands(both):
    for command in scripts.COMMANDS:
        both(*command)


def test_functions(both):
    for code in scripts.LIBRARIES:
        both("FUNCTION", "LOAD", code)
    both("FUNCTION", "LOAD", scripts.LIBRARY)
    for command in scripts.CALLS:
        both(*command)


def test_dumps_are_exchanged(servers):
    theirs, ours = (server.connect() for server in servers)
    ours.do("CONFIG", "SET", "rdb-version", 10)
    code = "#!lua name=traveller\n" + "-- a comment that is worth compressing\n" * 20 + \
        "redis.register_function('f', function() return 'here' end)"
    for giver, taker in ((theirs, ours), (ours, theirs)):
        giver.do("FUNCTION", "FLUSH")
        taker.do("FUNCTION", "FLUSH")
        giver.do("FUNCTION", "LOAD", code)
        payload = giver.do("FUNCTION", "DUMP")
        assert taker.do("FUNCTION", "RESTORE", payload) == b"OK"
        assert taker.do("FCALL", "f", 0) == b"here"
        assert taker.do("FUNCTION", "DUMP") == payload


def test_command_info(servers):
    """Flags, categories, tips and key specifications, but notes, which ours has none of."""
    def facts(info):
        name, arity, flags, first, last, step, categories, tips, specs, subcommands = info
        fields = [{key: value for key, value in zip(spec[::2], spec[1::2]) if key != b"notes"} for spec in specs]
        return (name, arity, sorted(flags), first, last, step, sorted(categories), tips, fields,
                sorted(facts(sub) for sub in subcommands) if subcommands else [])

    theirs, ours = (server.connect() for server in servers)
    for name in ("eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro", "script", "function"):
        assert facts(ours.do("COMMAND", "INFO", name)[0]) == facts(theirs.do("COMMAND", "INFO", name)[0])
