# SPDX-License-Identifier: BSD-3-Clause
"""Conversations of several clients, held with Debian's redis-server and with ours: every byte received must be equal.

A step is the name of a client and its command; "b3" is a RESP3 client, others speak RESP2. After each step every
client is read up to the answer of a PING of its own, so what was pushed to it is seen in its order.
"""

import os
import re

import pytest

import grammar
from generate import Generator
from harness.resp import serialize
from harness.server import REDIS, Server

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

# A client that publishes to itself reads the reply first since 7.2: integration/test_connections.py asks for that.
CONVERSATIONS = {
    "subscribe and publish": """
        a SUBSCRIBE one two one
        a3 SUBSCRIBE one
        b PUBLISH one hello
        b PUBLISH three hello
        b PUBSUB CHANNELS o*
        b PUBSUB NUMSUB one two three
        b PUBSUB NUMPAT
        a UNSUBSCRIBE two
        a UNSUBSCRIBE nosuch
        a UNSUBSCRIBE
        a UNSUBSCRIBE
        a GET x
        b PUBLISH one again
        a3 UNSUBSCRIBE
        a3 UNSUBSCRIBE""",
    "patterns": """
        a PSUBSCRIBE n* x*
        a3 PSUBSCRIBE n?ws
        a3 SUBSCRIBE news
        b PUBLISH news hello
        b PUBSUB NUMPAT
        b PUBSUB CHANNELS
        b PUBSUB CHANNELS x*
        a PUNSUBSCRIBE x*
        b PUBLISH news again
        a PUNSUBSCRIBE
        a3 PUNSUBSCRIBE
        b PUBLISH news last""",
    "what a subscriber may do": """
        a SUBSCRIBE c
        a GET x
        a PING
        a PING text
        a SET x 1
        a MULTI
        a NOSUCH
        a3 SUBSCRIBE c
        a3 SET x 1
        a3 PING text
        a RESET
        a GET x""",
    "subscribing in a transaction": """
        a MULTI
        a SUBSCRIBE c
        a EXEC
        a UNSUBSCRIBE c
        a3 MULTI
        a3 SUBSCRIBE c
        a3 EXEC""",
    "pubsub errors": """
        a SUBSCRIBE
        a PSUBSCRIBE
        a PUBLISH c
        a PUBSUB
        a PUBSUB NOSUCH
        a PUBSUB NUMSUB
        a PUBSUB CHANNELS a b""",
    "transactions": """
        a MULTI
        a MULTI
        a WATCH x
        a SET x 1
        a LPUSH x 1
        a GET x
        a EXEC
        a EXEC
        a DISCARD
        a MULTI
        a NOSUCH
        a SET x 2
        a EXEC
        a MULTI
        a SET x
        a DISCARD
        a MULTI
        a EXEC
        a3 MULTI
        a3 HGETALL nokey
        a3 EXEC""",
    "watch": """
        a SET x 1
        a WATCH x
        b SET x 2
        a MULTI
        a GET x
        a EXEC
        a WATCH x nokey
        b SET other 1
        a MULTI
        a GET x
        a EXEC
        a WATCH nokey
        b SET nokey 1
        b DEL nokey
        a MULTI
        a EXEC
        a WATCH x
        b EXPIRE x 1000
        a MULTI
        a EXEC
        a WATCH x
        b FLUSHALL
        a MULTI
        a EXEC
        a WATCH x
        b FLUSHALL
        a MULTI
        a EXEC
        a WATCH x
        b SET x 1
        a UNWATCH
        a MULTI
        a EXEC
        a WATCH x
        b SELECT 3
        b SET x 1
        a MULTI
        a EXEC
        a3 WATCH x
        a SET x 9
        a3 MULTI
        a3 EXEC""",
    "copies of strings keep their encodings": """
        a SET number 10
        a COPY number copy1
        a OBJECT ENCODING copy1
        a INCRBYFLOAT number 2
        a COPY number copy2
        a OBJECT ENCODING copy2
        a COPY number copy2 DB 1 REPLACE
        a APPEND number 5
        a COPY number copy3
        a OBJECT ENCODING copy3
        a INCR copy2
        a OBJECT ENCODING copy2
        a SELECT 1
        a OBJECT ENCODING copy2""",
    "keyspace events": """
        a CONFIG SET notify-keyspace-events KEA
        e PSUBSCRIBE __key*
        a SET s 1
        a SET s 1 EX 1000
        a GETEX s PERSIST
        a GETDEL s
        a MSET s 1 s2 2
        a INCRBYFLOAT s 0.5
        a SETRANGE s 0 x
        a APPEND s x
        a RENAME s s3
        a COPY s3 s4
        a MOVE s3 1
        a EXPIRE s4 1000
        a PERSIST s4
        a EXPIREAT s4 1
        a HSET h f 1 g 2
        a HINCRBY h f 1
        a HDEL h f g
        a RPUSH l a b c
        a LMOVE l l2 LEFT RIGHT
        a LTRIM l 5 6
        a LPOP l2
        a SADD t a b c
        a SMOVE t t2 a
        a SDIFFSTORE t3 t t2
        a SINTERSTORE t3 t t2
        a SREM t2 a
        a ZADD z 1 a 2 b
        a ZINCRBY z 1 a
        a ZADD z INCR 1 a
        a ZUNIONSTORE z2 1 z
        a ZPOPMIN z 10
        a ZREMRANGEBYRANK z2 0 -1
        a SORT t ALPHA STORE l
        a DEL l t
        a FLUSHALL
        a CONFIG SET notify-keyspace-events K$g
        a SET s 1
        a RPUSH l 1
        a DEL s l
        a CONFIG SET notify-keyspace-events ''""",
    "unknown commands and arities": """
        a NOSUCH
        a NOSUCH a b c
        a nosuch 'a b'
        a GET
        a GET a b
        a CONFIG
        a CONFIG NOSUCH
        a CLIENT
        a CLIENT NOSUCH a
        a OBJECT ENCODING
        a OBJECT NOSUCH x
        a DEBUG NOSUCH
        a COMMAND NOSUCH
        a SELECT
        a SELECT x
        a SELECT -1
        a SELECT 16
        a SWAPDB 0 x
        a SWAPDB x 0
        a SWAPDB 0 99
        a HELLO x
        a AUTH
        a ECHO
        a PING a b
        a WATCH
        a EXEC x
        a FLUSHALL x
        a FLUSHDB ASYNC SYNC
        a EXPIRE x y z w
        a COMMAND GETKEYS
        a COMMAND GETKEYS NOSUCH x
        a COMMAND INFO nosuch
        a COMMAND COUNT x
        a COMMAND LIST FILTERBY
        a COMMAND LIST FILTERBY PATTERN nosuch*
        a RESET""",
    "keys that are not there": """
        a OBJECT ENCODING nokey
        a OBJECT FREQ nokey
        a OBJECT IDLETIME nokey
        a OBJECT REFCOUNT nokey
        a DEBUG OBJECT nokey
        a TYPE nokey
        a DUMP nokey""",
}


def words(line):
    return [quoted[1:-1] if quoted[:1] == "'" else quoted for quoted in re.findall(r"'[^']*'|\S+", line)]


class Talk:
    """One server's side: runs steps, writes down what every client received."""

    def __init__(self, server):
        self.server = server
        self.clients = {}
        self.pings = 0

    def step(self, line):
        name, *command = words(line)
        if name not in self.clients:
            self.clients[name] = self.server.connect(protocol=3 if name.endswith("3") else 2)
        self.clients[name].send(*command)
        # The client's own answers first: what others get from its command is sent no later than its reply.
        order = [name] + sorted(set(self.clients) - {name})
        return [(client, self.read_up_to_ping(client, client == name)) for client in order]

    def close(self):
        """Ends the clients, and waits until the server knows."""
        for client in self.clients.values():
            client.send("QUIT")
            client.read_to_end()
            client.close()

    def read_up_to_ping(self, name, has_sent):
        """All that a client has received. In a transaction its PING is queued; has_sent: a reply comes before that."""
        client = self.clients[name]
        self.pings += 1
        mark = b"ping-%d" % self.pings
        client.send("PING", mark)
        received = []
        while True:
            reply = serialize(client.read())
            queued = reply == b"+QUEUED\r\n" and (received or not has_sent)
            if mark in reply or queued or b"-ERR Can't execute 'ping'" in reply:
                return b"".join(received)
            received.append(reply)


@pytest.fixture(scope="module")
def servers():
    with Server(binary=REDIS, tcp=False) as theirs, Server(tcp=False) as ours:
        yield theirs, ours


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation(servers, name):
    talks = [Talk(server) for server in servers]
    for server in servers:
        server.connect().do("FLUSHALL")
    for line in CONVERSATIONS[name].strip().splitlines():
        theirs, ours = (talk.step(line.strip()) for talk in talks)
        assert ours == theirs, line
    for talk in talks:
        talk.close()


def test_command_getkeys(servers):
    """The keys of generated commands, as the server finds them."""
    connections = [server.connect() for server in servers]
    generator = Generator(20240607)
    compared = 0
    for group in generator.groups():
        for command in group:
            # 7.0 wants another word behind the command's name, 7.2 answers.
            if len(command.args) == 1:
                continue
            args = ["COMMAND", "GETKEYS", *command.args]
            theirs, ours = (connection.call(*args) for connection in connections)
            assert ours == theirs, args
            compared += 1
        if compared > 5000:
            break


CURSORS = ["0", "-1", "+0", "-0", "", " 0", "0 ", "0x1", "1a", "-", "+-1", "-18446744073709551615", "-18446744073709551616",
           "18446744073709551616", "\t0", "0\n"]


@pytest.mark.parametrize("cursor", CURSORS)
def test_cursors(servers, cursor):
    """What a scan takes for a cursor, and which of several errors it tells."""
    pairs = [server.connect() for server in servers]
    for connection in pairs:
        connection.do("FLUSHALL")
        connection.do("HSET", "h", "f", "v")
        connection.do("SET", "s", "v")
    for command in ("HSCAN", "SSCAN", "ZSCAN"):
        for key in ("h", "s", "missing"):
            for options in ([], ["MATCH"], ["COUNT", "0"], ["COUNT", "x"], ["NONSENSE", "1"], ["TYPE", "string"]):
                theirs, ours = (connection.call(command, key, cursor, *options) for connection in pairs)
                assert ours == theirs, (command, key, cursor, options)


# ZRANK and ZREVRANK take WITHSCORE since 7.2.
ARITIES_SINCE_7_2 = {"ZRANK": -3, "ZREVRANK": -3}
# Scripts may call these since 7.2: there they do not block.
SCRIPTED_SINCE_7_2 = {"BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT"}


# Families whose commands have compat tests of their own.
OTHERS = """BLPOP BRPOP BLMOVE BRPOPLPUSH BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT PFADD PFCOUNT PFMERGE PFDEBUG PFSELFTEST GEOADD GEOPOS GEODIST
    GEOHASH GEOSEARCH GEOSEARCHSTORE GEORADIUS GEORADIUS_RO GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO""".split()


@pytest.mark.parametrize("name", sorted({*OTHERS, *(row.name.decode() for row in grammar.ROWS if row.name != b"NOSUCHCOMMAND")}))
def test_command_info(servers, name):
    """Name, arity, flags and key positions."""
    entries = []
    for server in servers:
        [entry] = server.connect().do("COMMAND", "INFO", name)
        assert entry is not None, name
        name_, arity, flags, first, last, step, categories = entry[:7]
        if name in SCRIPTED_SINCE_7_2:
            assert server is servers[0] or b"noscript" not in flags
            flags = [flag for flag in flags if flag != b"noscript"]
        entries.append((name_, arity, sorted(flags), first, last, step, sorted(categories)))
    if name in ARITIES_SINCE_7_2:
        assert entries[1][1] == ARITIES_SINCE_7_2[name]
        entries = [entry[:1] + entry[2:] for entry in entries]
    assert entries[1] == entries[0]
