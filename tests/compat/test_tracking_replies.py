# SPDX-License-Identifier: BSD-3-Clause
"""CLIENT TRACKING and its kin, CLIENT PAUSE, and the limits of clients: replies and error texts, compared with Debian's redis-server.

A step is "client command". What a client gets besides its replies is compared at the end of each conversation, by way of PING.
"""

import os
import re
import shlex

import pytest

from harness.resp import serialize
from harness.server import REDIS, Server

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

CONVERSATIONS = {
    "syntax": """
        a CLIENT TRACKING
        a CLIENT TRACKING foo
        a CLIENT TRACKING ON FOO
        a CLIENT TRACKING OFF FOO
        a CLIENT TRACKING ON REDIRECT
        a CLIENT TRACKING ON REDIRECT abc
        a CLIENT TRACKING ON REDIRECT 999
        a CLIENT TRACKING ON REDIRECT -1
        a CLIENT TRACKING ON REDIRECT 0
        a CLIENT TRACKING ON REDIRECT 0 REDIRECT 0
        a CLIENT TRACKING ON REDIRECT {b} REDIRECT {b}
        a CLIENT TRACKING ON PREFIX
        a CLIENT TRACKING ON PREFIX a
        a CLIENT TRACKING ON PREFIX a OPTIN OPTOUT
        a CLIENT TRACKING OFF PREFIX a
        a CLIENT TRACKING OFF REDIRECT 99
        a CLIENT TRACKING OFF OPTIN OPTOUT
        a CLIENT TRACKING maybe REDIRECT 99
        a CLIENT TRACKING ON OPTIN OPTOUT
        a CLIENT TRACKING ON BCAST OPTIN OPTOUT
        a CLIENT TRACKING ON BCAST OPTIN
        a CLIENT TRACKING ON BCAST OPTOUT
        a CLIENT TRACKINGINFO x
        a CLIENT GETREDIR x
        a CLIENT CACHING
        a CLIENT TRACKINGINFO
        a CLIENT GETREDIR""",
    "modes": """
        a CLIENT TRACKING ON BCAST
        a CLIENT TRACKING ON
        a CLIENT TRACKING ON OPTIN OPTOUT
        a CLIENT TRACKING ON OPTIN
        a CLIENT TRACKINGINFO
        a CLIENT TRACKING OFF
        a CLIENT TRACKING ON OPTIN NOLOOP
        a CLIENT TRACKING ON OPTOUT
        a CLIENT TRACKING ON BCAST OPTIN
        a CLIENT TRACKING ON OPTIN OPTOUT
        a CLIENT TRACKINGINFO
        a CLIENT TRACKING ON
        a CLIENT TRACKINGINFO
        a CLIENT TRACKING ON OPTOUT
        a CLIENT TRACKING ON REDIRECT {b}
        a CLIENT TRACKINGINFO
        a CLIENT GETREDIR
        a CLIENT TRACKING ON
        a CLIENT GETREDIR""",
    "prefixes": """
        a CLIENT TRACKING ON BCAST PREFIX FOO PREFIX FOOBAR
        a CLIENT TRACKING ON BCAST PREFIX FOOBAR PREFIX FOO
        a CLIENT TRACKING ON BCAST PREFIX aa PREFIX aa
        a CLIENT TRACKING ON BCAST PREFIX x PREFIX "" PREFIX y
        a CLIENT TRACKINGINFO
        a CLIENT TRACKING ON BCAST PREFIX FOO PREFIX BAR
        a CLIENT TRACKING ON BCAST PREFIX FO
        a CLIENT TRACKING ON BCAST PREFIX BARB PREFIX BARBA
        a CLIENT TRACKING ON BCAST PREFIX FOO
        a CLIENT TRACKING ON BCAST PREFIX c
        a CLIENT TRACKINGINFO
        a CLIENT TRACKING OFF
        a CLIENT TRACKING ON BCAST
        a CLIENT TRACKING ON BCAST
        a CLIENT TRACKING ON BCAST PREFIX foo
        a CLIENT TRACKINGINFO
        a RESET
        a CLIENT TRACKINGINFO""",
    "caching": """
        a CLIENT CACHING yes
        a CLIENT CACHING foo
        a CLIENT TRACKING ON
        a CLIENT CACHING yes
        a CLIENT CACHING no
        a CLIENT CACHING foo
        a CLIENT TRACKING OFF
        a CLIENT TRACKING ON OPTIN
        a CLIENT CACHING no
        a CLIENT CACHING yes
        a CLIENT TRACKINGINFO
        a PING
        a CLIENT TRACKINGINFO
        a CLIENT CACHING yes
        a MULTI
        a GET k
        a CLIENT TRACKINGINFO
        a EXEC
        a CLIENT TRACKINGINFO
        b SET k 1
        a CLIENT CACHING yes
        a NOSUCH
        a CLIENT TRACKINGINFO
        a CLIENT CACHING yes
        a GET
        a CLIENT TRACKINGINFO
        a CLIENT TRACKING OFF
        a CLIENT TRACKING ON OPTOUT
        a CLIENT CACHING yes
        a CLIENT CACHING no
        a CLIENT TRACKINGINFO""",
    "messages": """
        a CLIENT TRACKING ON
        a MGET x y
        a MSET x 1 y 2
        a MULTI
        a GET x
        a LPUSH l 1
        a SET x 1
        a EXEC
        a SORT l BY w_* GET x
        b LPUSH l 2
        a TOUCH x
        a TYPE l
        a STRLEN x
        a OBJECT ENCODING x
        b SET x 2
        b DEL l
        a LRANGE l 0 -1
        b RENAME x l
        a XREAD STREAMS s t 0 0
        b XADD t 1-1 a b
        b XADD s 1-1 a b
        a ZDIFF 2 z1 z2
        b ZADD z2 1 a
        b ZADD z1 1 a
        a SET q 1
        a GETEX q PERSIST
        a SETRANGE q 0 x
        b EXPIRE q 100
        a FLUSHALL
        a FLUSHDB""",
    "commands that do not read for keeps": """
        a CLIENT TRACKING ON
        a SET a 1
        a GETSET a 2
        a GETDEL a
        a SADD s 1
        a SPOP s
        a RPUSH l 1
        a LPOP l
        a EXISTS k
        a DBSIZE
        a SCAN 0
        a KEYS *
        a RANDOMKEY
        b SET k 1
        b MSET a 1 b 2
        b SADD s 1
        b RPUSH l 1""",
    "redirection": """
        a CLIENT TRACKING ON REDIRECT {b}
        a MGET x y
        c SET x 1
        b SUBSCRIBE other
        a MGET x y
        c MSET x 1 y 1
        b PING
        b RESET
        a GET x
        c SET x 1
        b HELLO 3
        a GET x
        c SET x 1
        a CLIENT TRACKING ON REDIRECT {a}
        a GET x
        c SET x 2
        a CLIENT TRACKINGINFO""",
    "broadcast": """
        a CLIENT TRACKING ON BCAST PREFIX x PREFIX y
        c MSET y1 1 x2 1 x1 1 z 1
        a PING
        c MULTI
        c SET x1 1
        c DEL x1
        c SET x3 1
        c EXEC
        a PING
        a SET x5 1
        a PING
        a CLIENT TRACKING ON BCAST NOLOOP PREFIX q
        a SET q 1
        a PING
        c SET q 1
        a PING
        c FLUSHALL
        a PING""",
    "pause": """
        a CLIENT PAUSE
        a CLIENT PAUSE abc
        a CLIENT PAUSE -1
        a CLIENT PAUSE 1.5
        a CLIENT PAUSE 10 FOO
        a CLIENT PAUSE abc FOO
        a CLIENT PAUSE 1 WRITE x
        a CLIENT PAUSE 1 write
        a CLIENT PAUSE 1 aLL
        a CLIENT PAUSE 0
        a CLIENT UNPAUSE
        a CLIENT UNPAUSE x""",
    "limits": """
        a CONFIG SET maxmemory-clients -1
        a CONFIG SET maxmemory-clients 101%
        a CONFIG SET maxmemory-clients -5%
        a CONFIG SET maxmemory-clients abc
        a CONFIG SET maxmemory-clients x%
        a CONFIG SET maxmemory-clients 5.5%
        a CONFIG SET maxmemory-clients 5%
        a CONFIG GET maxmemory-clients
        a CONFIG SET maxmemory-clients 100%
        a CONFIG GET maxmemory-clients
        a CONFIG SET maxmemory-clients 1gb
        a CONFIG GET maxmemory-clients
        a CONFIG SET maxmemory-clients 0%
        a CONFIG GET maxmemory-clients
        a CONFIG SET tracking-table-max-keys -1
        a CONFIG SET tracking-table-max-keys abc
        a CONFIG SET tracking-table-max-keys 1k
        a CONFIG SET tracking-table-max-keys 10
        a CONFIG GET tracking-table-max-keys
        a CONFIG SET tracking-table-max-keys 1000000
        a CONFIG SET client-query-buffer-limit 1
        a CONFIG SET client-query-buffer-limit abc
        a CONFIG GET client-query-buffer-limit""",
    "killing": """
        a CLIENT KILL
        a CLIENT KILL ID
        a CLIENT KILL ID 10 wrong_arg
        a CLIENT KILL ID str
        a CLIENT KILL ID -1
        a CLIENT KILL ID 0
        a CLIENT KILL ID 99999
        a CLIENT KILL TYPE wrong
        a CLIENT KILL TYPE master
        a CLIENT KILL TYPE slave
        a CLIENT KILL TYPE replica SKIPME no
        a CLIENT KILL USER wrong
        a CLIENT KILL SKIPME maybe
        a CLIENT KILL ADDR nowhere:0
        a CLIENT KILL LADDR nowhere:0
        a CLIENT KILL nowhere:0
        a CLIENT KILL ID {b} TYPE pubsub
        a CLIENT KILL ID {b} TYPE normal USER default SKIPME yes
        a CLIENT KILL ID {a}
        c SUBSCRIBE x
        a CLIENT KILL TYPE pubsub
        a CLIENT LIST ID
        a CLIENT LIST ID abc
        a CLIENT LIST ID 0 -1
        a CLIENT LIST ID 99999 99998
        a CLIENT LIST TYPE
        a CLIENT LIST TYPE foo
        a CLIENT LIST TYPE normal x
        a CLIENT LIST FOO bar
        a CLIENT NO-EVICT
        a CLIENT NO-EVICT maybe
        a CLIENT NO-EVICT on
        a CLIENT NO-EVICT off""",
}


def hold(server, text, protocol):
    """What each step was answered, and what each client got besides."""
    names = sorted({line.split()[0] for line in text.strip().splitlines()} | {"a", "b"})
    clients = {name: server.connect(protocol=protocol if name == "a" else 2) for name in names}
    ids = {name: client.do("CLIENT", "ID") for name, client in clients.items()}

    def neutral(reply):
        # Ids of clients are not the same on both.
        raw = re.sub(rb"\$\d+\r\n7\.\d\.\d+\r\n", b"<version>", serialize(reply))
        for name, number in ids.items():
            raw = raw.replace(b":%d\r\n" % number, b":<%s>\r\n" % name.encode())
        return raw

    heard = []
    for line in text.strip().splitlines():
        name, *words = shlex.split(line)
        words = [word.format(**ids) if word.startswith("{") else word for word in words]
        client = clients[name]
        try:
            client.send(*words)
            reply = client.read()
            while reply[0] == b">" and words[0] != "SUBSCRIBE":
                heard.append((line, "push", neutral(reply)))
                reply = client.read()
            heard.append((line, "reply", neutral(reply)))
        except (EOFError, OSError):
            heard.append((line, "closed", b""))
    for name, client in clients.items():
        try:
            client.send("PING")
            while True:
                reply = client.read()
                heard.append((name, "end", neutral(reply)))
                if reply == (b"+", b"PONG") or reply[0] == b"-" or (reply[0] == b"*" and reply[1][0] == (b"$", b"pong")):
                    break
        except (EOFError, OSError):
            heard.append((name, "closed", b""))
        client.close()
    return heard


@pytest.fixture(scope="module")
def servers():
    with Server() as ours, Server(binary=REDIS) as redis:
        yield ours, redis


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_same_as_redis(servers, name, protocol):
    ours, redis = servers
    for server in servers:
        with server.connect() as connection:
            connection.do("FLUSHALL")
    expected = hold(redis, CONVERSATIONS[name], protocol)
    assert hold(ours, CONVERSATIONS[name], protocol) == expected


@pytest.mark.parametrize("name", [
    "client|tracking", "client|caching", "client|getredir", "client|trackinginfo", "client|pause", "client|unpause", "client|kill",
    "client|no-evict", "client|list", "client|unblock", "publish", "spublish", "eval", "evalsha", "fcall",
])
def test_command_info(servers, name):
    rows = [server.connect().do("COMMAND", "INFO", name)[0][:7] for server in servers]
    for row in rows:
        row[2].sort()
    assert rows[0] == rows[1]
