# SPDX-License-Identifier: BSD-3-Clause
"""Blocking commands: conversations of several clients, held with Debian's redis-server and with ours; every reply must be equal.

A step is "client command": it is sent, and its reply read; "client! command" sends a command that blocks, and goes on once the server says so;
"client?" reads the reply that a blocked client has got meanwhile. At the end every client must have nothing more to read.
"""

import os
import re

import pytest

from harness.resp import ReplyError, plain, serialize
from harness.server import REDIS, Server, wait_until

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

CONVERSATIONS = {
    "streams": """
        a! XREAD BLOCK 0 STREAMS s t $ $
        b! XREAD COUNT 1 BLOCK 0 STREAMS t 0
        c XADD s 1-1 a b
        a?
        c XADD t 1-1 a b
        b?
        a XREAD BLOCK 10 STREAMS s t 0 0
        a! XREAD BLOCK 0 STREAMS s s 1-1 5-0
        c XADD s 3-0 a b
        a?""",
    "a stream that begins again": """
        c XADD s 2-1 a b
        a! XREAD BLOCK 0 STREAMS s $
        c DEL s
        c XADD s 1-1 a b
        c XADD s 9-1 a b
        a?""",
    "another type has its own readers": """
        a! XREAD BLOCK 0 STREAMS s $
        b! BLPOP s 0
        c RPUSH s x y
        b?
        c DEL s
        c XADD s 1-1 a b
        a?""",
    "a group shares its entries": """
        c XGROUP CREATE s g $ MKSTREAM
        c XGROUP CREATECONSUMER s g one
        c XGROUP CREATECONSUMER s g two
        a! XREADGROUP GROUP g one BLOCK 0 STREAMS s >
        b! XREADGROUP GROUP g two COUNT 1 BLOCK 0 STREAMS s >
        d! XREAD BLOCK 0 STREAMS s $
        c XADD s 1-1 a b
        a?
        d?
        c XADD s 2-1 a b
        b?
        c XPENDING s g
        a XREADGROUP GROUP g one BLOCK 0 STREAMS s 0
        a! XREADGROUP GROUP g one NOACK BLOCK 0 STREAMS s >
        c XADD s 3-1 a b
        a?
        c XPENDING s g""",
    "a stream of which the time is over": """
        a XREAD BLOCK 1 STREAMS s $
        c XGROUP CREATE s g $ MKSTREAM
        c XGROUP CREATECONSUMER s g one
        a XREADGROUP GROUP g one BLOCK 1 STREAMS s >
        a MULTI
        a XREAD BLOCK 0 STREAMS s $
        a XREADGROUP GROUP g one BLOCK 0 STREAMS s >
        a EXEC""",
    "a list": """
        a! BLPOP l 0
        b RPUSH l x y
        a?
        b LRANGE l 0 -1
        a BLPOP l 0
        a! BRPOP none l 0
        b LPUSH l p q
        a?
        b LRANGE l 0 -1""",
    "in order of coming": """
        a! BLPOP l 0
        b! BRPOP l 0
        c! BLPOP l 0
        d RPUSH l 1 2
        a?
        b?
        d RPUSH l 3 4
        c?
        d LRANGE l 0 -1""",
    "several keys": """
        a! BLPOP k1 k2 k3 0
        b! BLPOP k3 k2 0
        c RPUSH k2 x
        a?
        c RPUSH k3 y
        b?
        c EXISTS k1 k2 k3
        a! BLPOP k1 k1 k1 0
        c RPUSH k1 1 2
        a?""",
    "the first key that has something": """
        c RPUSH k2 2
        c RPUSH k3 3
        a BLPOP k1 k2 k3 0
        a BLPOP k3 k2 k1 0""",
    "keys that are filled in a transaction": """
        a! BLPOP k1 k2 0
        b MULTI
        b RPUSH k2 two
        b RPUSH k1 one
        b EXEC
        a?
        b KEYS *
        b DEL k1 k2
        a! BLPOP l 0
        b MULTI
        b RPUSH l x
        b DEL l
        b EXEC
        b RPUSH l y
        a?""",
    "in a transaction nobody waits": """
        a MULTI
        a BLPOP l 0
        a BLMOVE l m left right 0
        a BRPOPLPUSH l m 0
        a BLMPOP 0 1 l left
        a BZPOPMIN z 0
        a BZMPOP 0 1 z min
        a WAIT 1 0
        a EXEC
        a3 MULTI
        a3 BLPOP l 0
        a3 BLMOVE l m left right 0
        a3 EXEC""",
    "wrong types": """
        b SET s x
        a BLPOP s 0
        a BZPOPMIN s 0
        a BLPOP l s 0
        a BLMOVE s l left left 0
        a BLMPOP 0 1 s left
        a BZMPOP 0 1 s max
        a! BLPOP l 0
        b SET l string
        b DEL l
        b ZADD l 1 m
        b DEL l
        b RPUSH l x
        a?
        b RPUSH l y
        b SET target x
        a BLMOVE l target left left 0
        b DEL l
        a! BLMOVE l target left left 0
        b RPUSH l z
        a?
        b LRANGE l 0 -1""",
    "moves": """
        a! BLMOVE from to LEFT RIGHT 0
        b! BRPOPLPUSH to last 0
        c! BLPOP last 0
        d RPUSH from x
        a?
        b?
        c?
        d KEYS *
        a! BRPOPLPUSH l l 0
        d RPUSH l 1
        a?
        d LRANGE l 0 -1
        d RPUSH from 1 2 3
        a BLMOVE from to RIGHT LEFT 0
        a BLMOVE from from RIGHT LEFT 0
        a BRPOPLPUSH from to 0
        d LRANGE from 0 -1
        d LRANGE to 0 -1""",
    "a circle": """
        a! BRPOPLPUSH k1 k2 0
        b! BRPOPLPUSH k2 k1 0
        c RPUSH k1 x
        a?
        b?
        c LRANGE k1 0 -1
        c LRANGE k2 0 -1""",
    "several elements": """
        a! BLMPOP 0 2 l1 l2 LEFT COUNT 3
        b RPUSH l2 1 2 3 4 5
        a?
        a BLMPOP 0 2 l1 l2 RIGHT COUNT 10
        a! BLMPOP 0 1 l1 RIGHT
        b RPUSH l1 x y
        a?
        a3! BLMPOP 0 1 l3 LEFT COUNT 2
        b RPUSH l3 x y z
        a3?""",
    "sorted sets": """
        a! BZPOPMIN z1 z2 0
        b ZADD z2 1.5 one 2 two 3 three
        a?
        a BZPOPMAX z1 z2 0
        a3 BZPOPMAX z1 z2 0
        a3! BZPOPMAX z1 0
        b ZADD z1 0.1 x inf y
        a3?
        a! BZMPOP 0 2 none z3 MIN COUNT 2
        b ZADD z3 3 c 2 b 1 a
        a?
        a3 BZMPOP 0 2 none z3 MAX COUNT 5
        a! BZPOPMIN z 0
        b! BZPOPMAX z 0
        c ZADD z 1 a 2 b 3 c
        a?
        b?
        c ZRANGE z 0 -1 WITHSCORES""",
    "what else makes a key": """
        a! BLPOP l 0
        b RPUSH other x
        b RENAME other l
        a?
        a! BLPOP l 0
        b RPUSH other y
        b COPY other l
        a?
        a! BLPOP l 0
        b SELECT 1
        b RPUSH l z
        b MOVE l 0
        a?
        a! BLPOP l 0
        b RPUSH l w
        b SWAPDB 0 1
        a?
        a! BLPOP sorted 0
        b SELECT 0
        b RPUSH tosort 3 1 2
        b SORT tosort STORE sorted
        a?
        b LRANGE sorted 0 -1
        a! BZPOPMIN union 0
        b ZADD z 1 m
        b ZUNIONSTORE union 1 z
        a?""",
    "another database": """
        a SELECT 3
        a! BLPOP l 0
        b RPUSH l wrong
        b SELECT 3
        b RPUSH l right
        a?""",
    "time": """
        a! BLPOP l 0.05
        a?
        a! BLMOVE l m LEFT LEFT 0.05
        a?
        a! BRPOPLPUSH l m 0.05
        a?
        a! BLMPOP 0.05 1 l LEFT
        a?
        a! BZPOPMAX z 0.05
        a?
        a! BZMPOP 0.05 1 z MIN
        a?
        a3! BLPOP l 0.05
        a3?
        a3! BLMOVE l m LEFT LEFT 0.05
        a3?
        a! WAIT 1 50
        a?
        a WAIT 0 0
        a WAIT -1 0
        b RPUSH l x
        a LLEN l""",
    "errors": """
        a BLPOP l abc
        a BLPOP l -1
        a! BLPOP l -0.0001
        b RPUSH l x
        a?
        a BLPOP
        a BLPOP l
        a BLMOVE l m up down 0
        a BLMOVE l m left down 0
        a BLMOVE l m left right x
        a BRPOPLPUSH l m -1
        a BLMPOP x 1 l LEFT
        a BLMPOP 0 0 l LEFT
        a BLMPOP 0 2 l LEFT
        a BLMPOP 0 1 l UP
        a BLMPOP 0 1 l LEFT COUNT 0
        a BLMPOP 0 1 l LEFT COUNT 1 x
        a BZPOPMIN z abc
        a BZMPOP 0 0 z MIN
        a BZMPOP 0 1 z LEFT
        a BZMPOP -1 1 z MIN
        a WAIT x 0
        a WAIT 1 x
        a WAIT 1 -1""",
    "what a blocked client has sent already is done afterwards": """
        a! BLPOP l 0
        a+ SET done yes
        a+ GET done
        b GET done
        b RPUSH l x
        a?
        a?
        a?
        b GET done""",
    "unblocking": """
        a! BLPOP l 0
        b UNBLOCK a
        a?
        a! BLPOP l 0
        b UNBLOCK a TIMEOUT
        a?
        a! BLMOVE l m LEFT LEFT 0
        b UNBLOCK a ERROR
        a?
        b UNBLOCK a ERROR
        b RPUSH l x
        a LLEN l""",
    "who hangs up does not take": """
        a! BLPOP l 0
        c! BLPOP l 0
        a QUIT!
        b RPUSH l x
        c?
        b EXISTS l""",
    "notifications": """
        n CONFIG SET notify-keyspace-events KEA
        n SUBSCRIBE __keyevent@0__:lpop __keyevent@0__:rpush __keyevent@0__:del
        n?
        n?
        a! BLPOP l 0
        b RPUSH l x
        a?
        n?
        n?
        n?
        b CONFIG SET notify-keyspace-events ''""",
}


def words(line):
    return [quoted[1:-1] if quoted[:1] == "'" else quoted for quoted in re.findall(r"'[^']*'|\S+", line)]


def blocked(control):
    return int(re.search(rb"blocked_clients:(\d+)", control.do("INFO", "clients")).group(1))


class Talk:
    def __init__(self, server):
        self.server = server
        self.control = server.connect()
        self.control.do("FLUSHALL")
        self.clients = {}
        self.ids = {}

    def client(self, name):
        if name not in self.clients:
            self.clients[name] = self.server.connect(protocol=3 if name.endswith("3") else 2)
            self.ids[name] = self.clients[name].do("CLIENT", "ID")
        return self.clients[name]

    def step(self, line):
        name, *command = words(line)
        client = self.client(name.rstrip("!?+"))
        if command == ["QUIT!"]:
            before = blocked(self.control)
            client.close()
            del self.clients[name]
            wait_until(lambda: blocked(self.control) == before - 1)
            return None
        if command[:1] == ["UNBLOCK"]:
            command = ["CLIENT", "UNBLOCK", str(self.ids[command[1]]), *command[2:]]
        if name.endswith("!"):
            before = blocked(self.control)
            client.send(*command)
            wait_until(lambda: blocked(self.control) == before + 1)
            return None
        if not name.endswith("?"):
            client.send(*command)
        return None if name.endswith("+") else serialize(client.read())

    def close(self):
        for name, client in self.clients.items():
            if name == "n":
                continue
            assert client.do("ECHO", "end") == b"end", name
        for client in [*self.clients.values(), self.control]:
            client.close()


@pytest.fixture(scope="module")
def servers():
    with Server(binary=REDIS, tcp=False) as theirs, Server(tcp=False) as ours:
        yield theirs, ours


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation(servers, name):
    talks = [Talk(server) for server in servers]
    for line in CONVERSATIONS[name].strip().splitlines():
        theirs, ours = (talk.step(line.strip()) for talk in talks)
        assert ours == theirs, line
    for talk in talks:
        talk.close()


def test_timeouts_that_are_no_time():
    """7.0 takes an overflow for a negative number."""
    with Server(tcp=False) as server:
        conn = server.connect()
        for timeout in ("inf", "1e300", "9223372036854775807"):
            with pytest.raises(ReplyError, match="timeout is out of range"):
                conn.do("BLPOP", "l", timeout)


def test_many_wait_and_each_gets_one():
    with Server(tcp=False) as server:
        control = server.connect()
        waiting = [server.connect() for _ in range(300)]
        for client in waiting:
            client.send("BLPOP", "queue", "0")
        wait_until(lambda: blocked(control) == 300)
        info = control.do("INFO", "clients")
        assert b"total_blocking_keys:1\r\n" in info
        for first in range(0, 300, 30):
            control.do("RPUSH", "queue", *range(first, first + 30))
        assert sorted(int(plain(client.read())[1]) for client in waiting) == list(range(300))
        assert blocked(control) == 0 and control.do("EXISTS", "queue") == 0
        assert b"total_blocking_keys:0\r\n" in control.do("INFO", "clients")


def test_calls_count_once():
    with Server(tcp=False) as server:
        control, client = server.connect(), server.connect()
        client.send("BLPOP", "l", "0")
        wait_until(lambda: blocked(control) == 1)
        assert b"cmdstat_blpop:calls=1" not in control.do("INFO", "commandstats")
        control.do("RPUSH", "l", "x")
        assert plain(client.read()) == [b"l", b"x"]
        assert b"cmdstat_blpop:calls=1," in control.do("INFO", "commandstats")
