# SPDX-License-Identifier: BSD-3-Clause
"""MONITOR: the lines, what is left out of them, and what a monitoring client may do."""

import re
import time

import pytest

from harness.server import wait_until

LINE = re.compile(rb"^(\d+\.\d{6}) \[(\d+) ([^\]]+)\]((?: \"(?:[^\"\\]|\\.)*\")+)$")


class Watcher:
    """A connection that has said MONITOR."""

    def __init__(self, server, protocol=2):
        self.server = server
        self.connection = server.connect(protocol)
        assert self.connection.do("MONITOR") == b"OK"
        self.mark = 0

    def lines(self):
        """(time, database, who, words) of all lines up to now."""
        self.mark += 1
        with self.server.connect() as other:
            other.do("ECHO", f"mark-{self.mark}")
        found = []
        while True:
            kind, text = self.connection.read()
            assert kind == b"+"
            moment, database, who, words = LINE.match(text).groups()
            if words == b' "ECHO" "mark-%d"' % self.mark:
                return found
            found.append((float(moment), int(database), who, words[1:]))

    def words(self):
        return [line[3] for line in self.lines()]


@pytest.fixture
def watcher(start_server):
    return Watcher(start_server())


@pytest.fixture
def client(watcher):
    return watcher.server.connect()


def test_line(watcher, client):
    before = time.time()
    client.do("SET", "a", "b")
    tcp = watcher.server.connect(tcp=True)
    tcp.do("SELECT", 3)
    tcp.do("get", "a")
    lines = watcher.lines()
    path = b"unix:" + str(watcher.server.socket_path).encode()
    address = b"127.0.0.1:%d" % tcp.socket.getsockname()[1]
    assert [line[1:] for line in lines] == [(0, path, b'"SET" "a" "b"'), (3, address, b'"SELECT" "3"'),
                                            (3, address, b'"get" "a"')]
    assert all(before - 1 <= line[0] <= time.time() + 1 for line in lines)


def test_bytes_are_quoted(watcher, client):
    client.do("SET", b"a\"\\\n\r\t\x00\xff", "")
    assert watcher.words() == [rb'"SET" "a\"\\\n\r\t\x00\xff" ""']


def test_several_watchers_and_protocols(watcher, client):
    other = Watcher(watcher.server, 3)
    client.do("PING")
    assert b'"PING"' in watcher.words()
    assert b'"PING"' in other.words()


@pytest.mark.parametrize("command, shown", [
    ("AUTH secret", '"AUTH" "(redacted)"'),
    ("AUTH default secret", '"AUTH" "(redacted)" "(redacted)"'),
    ("HELLO 2 AUTH default secret", '"HELLO" "2" "AUTH" "(redacted)" "(redacted)"'),
    ("CLIENT SETNAME me", '"CLIENT" "SETNAME" "me"'),
    ("INFO server", '"INFO" "server"'),
    ("LPUSH string x", '"LPUSH" "string" "x"'),
])
def test_shown(watcher, client, command, shown):
    client.call(*command.split())
    assert watcher.words() == [shown.encode()]


@pytest.mark.parametrize("command", ["CONFIG SET maxmemory 0", "CONFIG GET port", "CLIENT LIST", "SLOWLOG GET",
                                     "DEBUG SLEEP 0", "LATENCY LATEST", "NOSUCH", "GET"])
def test_not_shown(watcher, client, command):
    client.call(*command.split())
    assert watcher.words() == []


def test_transactions(watcher, client):
    for command in (["MULTI"], ["SET", "a", "b"], ["GET", "a"], ["EXEC"]):
        client.do(*command)
    assert watcher.words() == [b'"MULTI"', b'"SET" "a" "b"', b'"GET" "a"', b'"EXEC"']
    client.do("MULTI")
    client.call("NOSUCH")
    client.call("EXEC")
    assert watcher.words() == [b'"MULTI"', b'"EXEC"']


def test_scripts(watcher, client):
    client.do("EVAL", "redis.call('set', 'x', 1) return 1", 0)
    client.do("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return redis.call('get', 'x') end)")
    client.do("FCALL", "f", 0)
    client.call("EVALSHA", "x", 0)
    lines = watcher.lines()
    path = b"unix:" + str(watcher.server.socket_path).encode()
    del lines[2]  # FUNCTION LOAD
    assert [line[2:] for line in lines] == [
        (path, b'"EVAL" "redis.call(\'set\', \'x\', 1) return 1" "0"'), (b"lua", b'"set" "x" "1"'),
        (path, b'"FCALL" "f" "0"'), (b"lua", b'"get" "x"'), (path, b'"EVALSHA" "x" "0"')]


def test_blocking_commands_are_shown_once(watcher, client):
    waiting = watcher.server.connect()
    waiting.send("BLPOP", "queue", 0)
    wait_until(lambda: b"blocked_clients:1" in client.do("INFO", "clients"))
    client.do("LPUSH", "queue", "x")
    waiting.read()
    assert [words for words in watcher.words() if not words.startswith(b'"INFO')] == [
        b'"BLPOP" "queue" "0"', b'"LPUSH" "queue" "x"']



def test_what_a_watcher_may_do(watcher, client):
    me = watcher.connection
    assert me.call("PING") == (b"+", b"PONG")
    assert me.read()[1].endswith(b'"PING"'), "its own commands are shown to it, after their replies"
    refusal = "ERR Replica can't interact with the keyspace"
    assert me.error("GET", "a") == refusal
    assert me.error("SET", "a", "b") == refusal
    assert me.error("KEYS", "*") == refusal
    me.send("MONITOR")
    me.send("PING")
    assert me.read() == (b"+", b"PONG"), "said again it has no answer"
    assert me.read()[1].endswith(b'"PING"')
    listed = [line for line in client.do("CLIENT", "LIST").decode().split("\n") if "cmd=ping" in line]
    assert len(listed) == 1 and " flags=UO " in listed[0] or " flags=OU " in listed[0]


def test_its_own_transaction(watcher):
    me = watcher.connection
    assert me.call("MULTI") == (b"+", b"OK")
    assert me.read()[1].endswith(b'"MULTI"')
    assert me.call("PING") == (b"+", b"QUEUED")
    assert me.call("EXEC") == (b"*", [(b"+", b"PONG")])
    assert [me.read()[1].rsplit(b" ", 1)[1] for _ in range(2)] == [b'"PING"', b'"EXEC"']


def test_reset_ends_it(watcher, client):
    assert watcher.connection.call("RESET") == (b"+", b"RESET")
    client.do("SET", "a", "b")
    assert watcher.connection.do("GET", "a") == b"b"
    assert "flags=O" not in client.do("CLIENT", "LIST").decode()


def test_a_watcher_that_goes(watcher, client):
    watcher.connection.close()
    for _ in range(50):
        client.do("PING")
    client.do("SET", "a", "b")
    assert client.do("GET", "a") == b"b"


def test_where_it_is_not_allowed(watcher, client):
    assert client.error("MONITOR", "x") == "ERR wrong number of arguments for 'monitor' command"
    client.do("MULTI")
    client.do("MONITOR")
    assert client.call("EXEC") == (b"*", [(b"-", b"ERR MONITOR isn't allowed for DENY BLOCKING client")])
    assert "not allowed from script" in client.error("EVAL", "return redis.call('monitor')", 0)


def test_a_slow_watcher_is_a_normal_client_to_the_limits(start_server):
    server = start_server("--client-output-buffer-limit", "normal", "1mb", "0", "0")
    watcher = Watcher(server)
    with server.connect() as client:
        def listed():
            client.do("ECHO", "x" * 100_000)
            return b"cmd=monitor" in client.do("CLIENT", "LIST")
        assert listed()
        wait_until(lambda: not listed())
    assert "output buffer limits" in server.log()
    watcher.connection.close()
