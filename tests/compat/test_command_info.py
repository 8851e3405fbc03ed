# SPDX-License-Identifier: BSD-3-Clause
"""What COMMAND INFO and COMMAND GETKEYSANDFLAGS say of each command, compared with Debian's redis-server."""

import os

import pytest

from harness.server import REDIS, Server

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

# What 7.2 changed in these rows.
EXCEPTIONS = {
    # They may be called by scripts, where they do not wait.
    **dict.fromkeys(["blmove", "blpop", "brpop", "brpoplpush", "bzpopmax", "bzpopmin", "wait"], {"flags"}),
    **dict.fromkeys(["command|getkeys", "command|getkeysandflags"], {"arity"}),
    # WITHSCORE.
    **dict.fromkeys(["zrank", "zrevrank"], {"arity"}),
    # KEEPDATA.
    "module|unload": {"arity"},
    # They answer while data is loaded.
    **dict.fromkeys(["cluster|shards", "cluster|slots"], {"flags"}),
    # What proxies are told of them.
    **dict.fromkeys(["acl|deluser", "acl|save", "acl|setuser", "client|setname", "config|resetstat", "config|rewrite",
                     "latency|reset", "msetnx", "randomkey", "scan"], {"tips"}),
}


@pytest.fixture(scope="module")
def both():
    with Server(binary=REDIS, tcp=False) as theirs, Server(tcp=False) as ours:
        yield theirs.connect(), ours.connect()


def rows(connection):
    found = {}

    def add(row):
        found[row[0].decode()] = row
        for sub in row[9]:
            add(sub)

    for row in connection.do("COMMAND"):
        add(row)
    return found


def spec(row):
    """Key specifications, order of map entries left out."""
    def pairs(value):
        if isinstance(value, list) and value and len(value) % 2 == 0 and isinstance(value[0], bytes):
            return {key: pairs(item) for key, item in zip(value[::2], value[1::2])}
        return value

    def one(value):
        whole = dict(zip(value[::2], value[1::2]))
        return (sorted(whole[b"flags"]), pairs(whole[b"begin_search"]), pairs(whole[b"find_keys"]))

    return [one(value) for value in row[8]]


PARTS = {"arity": lambda row: row[1], "flags": lambda row: sorted(row[2]), "first": lambda row: row[3],
         "last": lambda row: row[4], "step": lambda row: row[5], "categories": lambda row: sorted(row[6]),
         "tips": lambda row: row[7], "key specifications": spec}


@pytest.mark.parametrize("part", PARTS)
def test_rows(both, part):
    theirs, ours = map(rows, both)
    common = sorted(set(theirs) & set(ours))
    assert len(common) > 300
    differ = {name: (PARTS[part](theirs[name]), PARTS[part](ours[name])) for name in common
              if PARTS[part](theirs[name]) != PARTS[part](ours[name]) and part not in EXCEPTIONS.get(name, ())}
    assert not differ, "\n".join(f"{name}: theirs {a}, ours {b}" for name, (a, b) in differ.items())


@pytest.mark.parametrize("command", [
    "GET k", "SET k v", "SET k v GET", "SET k get", "MSET a 1 b 2", "BITFIELD k GET u8 0", "BITFIELD k SET u8 0 1",
    "BITFIELD k OVERFLOW SAT GET u8 0", "EVAL x 2 a b c", "EVAL x 0", "EVAL x 3 a b", "EVAL x -1 a", "SORT a BY x* GET y* STORE b",
    "SORT a STORE b STORE c", "GEORADIUS a 1 2 3 m STORE b STOREDIST c", "GEORADIUSBYMEMBER a m 3 m STOREDIST c",
    "GEOSEARCHSTORE d s FROMMEMBER m BYRADIUS 1 m", "COPY a b", "RENAME a b", "RENAMENX a b", "BITOP AND d a b",
    "PFMERGE d a b", "ZUNIONSTORE d 2 a b", "ZUNION 2 a b", "ZINTERSTORE d 9 a", "SINTERSTORE d a b",
    "SMOVE a b m", "LMOVE a b LEFT LEFT", "XREAD COUNT 1 STREAMS a b 1 2", "XREADGROUP GROUP g c STREAMS a >",
    "XREAD STREAMS a", "LMPOP 2 a b LEFT", "BLMPOP 0 2 a b LEFT", "SUBSCRIBE a", "SSUBSCRIBE a", "SPUBLISH a b",
    "MEMORY USAGE k", "OBJECT ENCODING k", "XGROUP CREATE k g 0", "NOSUCH k", "SET k", "FCALL f 1 k", "SINTERCARD 0 a"])
def test_keys_of_a_call(both, command):
    for question in ("GETKEYS", "GETKEYSANDFLAGS"):
        theirs, ours = (connection.call("COMMAND", question, *command.split()) for connection in both)
        assert ours == theirs
