# SPDX-License-Identifier: BSD-3-Clause
"""Value types: every kind of field in an RDB, AUX, copies, digests, memory, freeing, damaged files."""

import random

import pytest

from harness.resp import ReplyError
from harness.server import wait_until

MODULES = ["data_type"]
TEXTS = [b"", b"text", b"with \0 zero", b"x" * 100000, bytes(range(256)) * 3]
IDS = ["empty", "text", "zero", "large", "bytes"]


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_set_and_get(conn, text):
    assert conn.do("datatype.set", "k", text) == b"OK"
    assert conn.do("datatype.get", "k") == text
    assert conn.do("type", "k") == b"bp-_test1"
    assert conn.do("object", "encoding", "k") == b"raw"


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_dump_and_restore(conn, text):
    conn.do("datatype.set", "k", text)
    payload = conn.do("dump", "k")
    assert conn.do("restore", "r", 0, payload) == b"OK"
    assert conn.do("datatype.get", "r") == text
    assert conn.do("dump", "r") == payload
    assert conn.do("restore", "r", 0, payload, "replace") == b"OK"


def test_every_kind_of_field_goes_through_a_file(start_with):
    server = start_with(["data_type"])
    conn = server.connect()
    for number, text in enumerate(TEXTS):
        conn.do("datatype.set", f"k{number}", text)
    conn.do("expire", "k1", 1000)
    conn.do("save")
    server.restart()
    conn = server.connect()
    for number, text in enumerate(TEXTS):
        assert conn.do("datatype.get", f"k{number}") == text
    assert conn.do("ttl", "k1") > 900


def test_aux_fields(start_with):
    server = start_with(["data_type"])
    conn = server.connect()
    assert conn.do("datatype.aux") == [None, 0, None, 0]
    conn.do("datatype.aux", "before", "first\0")
    conn.do("datatype.aux", "after", "")
    conn.do("save")  # Aux fields are saved although there is no key.
    server.restart()
    conn = server.connect()
    assert conn.do("datatype.aux") == [b"first\0", 1, b"", 1]
    conn.do("debug", "reload")
    assert conn.do("datatype.aux") == [b"first\0", 2, b"", 2]


def test_a_type_in_an_rdb_needs_its_module_or_a_host_that_keeps_it(start_with, ours_only):
    server = start_with(["data_type"])
    conn = server.connect()
    conn.do("datatype.set", "k", "text")
    conn.do("datatype.aux", "before", "first")
    conn.do("save")
    options = server.options
    server.restart(options=[])
    conn = server.connect()
    assert conn.do("type", "k") == b"bp-_test1"
    assert conn.do("copy", "k", "copy") == 1
    assert conn.do("dump", "k") == conn.do("dump", "copy")
    conn.do("save")
    server.restart(options)
    conn = server.connect()
    assert conn.do("datatype.get", "k") == conn.do("datatype.get", "copy") == b"text"
    assert conn.do("datatype.aux") == [b"first", 1, None, 1]


def test_copy(conn):
    before = conn.do("datatype.counts")[4]
    conn.do("datatype.set", "k", "text")
    assert conn.do("copy", "k", "c") == 1
    assert conn.do("datatype.get", "c") == b"text"
    assert conn.do("datatype.counts")[4] == before + 1
    conn.do("datatype.set", "k", "changed")
    assert conn.do("datatype.get", "c") == b"text"
    conn.do("datatype.set", "k", "no copy")
    with pytest.raises(ReplyError, match="module key failed to copy"):
        conn.do("copy", "k", "refused")
    assert conn.do("exists", "refused") == 0


def test_copy_knows_keys_and_databases(start_with):
    conn = start_with([("data_type", "copy2")]).connect()
    conn.do("select", 3)
    conn.do("datatype.set", "k", "text")
    assert conn.do("copy", "k", "c", "replace", "db", 5) == 1
    assert conn.do("datatype.copied") == [b"k", b"c", 3, 5]
    assert conn.do("copy", "k", "d") == 1
    assert conn.do("datatype.copied") == [b"k", b"d", 3, 3]


def test_digest_knows_the_key(conn):
    conn.do("select", 2)
    conn.do("datatype.set", "named", "text")
    conn.do("debug", "digest-value", "named")
    assert conn.do("datatype.digested") == [b"named", 2]


def test_digest(conn):
    conn.do("datatype.set", "a", "text")
    conn.do("datatype.set", "b", "text")
    conn.do("datatype.set", "c", "other")
    if conn.raw("debug", "digest-value")[:1] == b"-":
        pytest.skip("the server has no DEBUG DIGEST-VALUE")
    a, b, c = conn.do("debug", "digest-value", "a", "b", "c")
    assert a == b != c


def test_memory_usage(conn):
    conn.do("datatype.set", "k", "12345")
    assert 1000000 < conn.do("memory", "usage", "k") < 1001000


def test_freed_where_it_goes(conn):
    wait_until(lambda: conn.do("datatype.counts")[0] == 0)
    _, freed, unlinked, _, _ = conn.do("datatype.counts")
    conn.do("datatype.set", "k", "text")
    conn.do("del", "k")
    conn.do("datatype.set", "k", "x" * 10000)
    conn.do("unlink", "k")
    conn.do("datatype.set", "k", "old")
    conn.do("datatype.set", "k", "new")
    conn.do("set", "k", "string")
    wait_until(lambda: conn.do("datatype.counts")[0] == 0)
    assert conn.do("datatype.counts")[1:4] == [freed + 4, unlinked + 4, 1]
    conn.do("datatype.set", "k", "text")
    conn.do("flushall", "async")
    wait_until(lambda: conn.do("datatype.counts")[0] == 0)
    conn.do("datatype.set", "k", "text")
    conn.do("pexpire", "k", 1)
    wait_until(lambda: conn.do("datatype.counts")[0] == 0)


def test_swap_frees_nothing(conn):
    conn.do("datatype.set", "a", "first")
    conn.do("datatype.set", "b", "second")
    freed = conn.do("datatype.counts")[1]
    assert conn.do("datatype.swap", "a", "b") == 1
    assert (conn.do("datatype.get", "a"), conn.do("datatype.get", "b")) == (b"second", b"first")
    assert conn.do("datatype.counts")[1] == freed


def test_wrong_handles(conn):
    conn.do("datatype.set", "k", "text")
    assert conn.do("datatype.wrong", "k") == [1, 1, 1]
    assert conn.do("datatype.get", "k") == b"text"
    conn.do("set", "s", "string")
    assert conn.do("datatype.wrong", "s") == [1, 1, 0]
    assert conn.do("datatype.get", "s") is None
    assert conn.error("get", "k").startswith("WRONGTYPE ")
    assert conn.error("lpush", "k", "a").startswith("WRONGTYPE ")


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_to_and_from_a_string(conn, text):
    conn.do("datatype.set", "k", text)
    saved = conn.do("datatype.string", "k")
    assert conn.do("datatype.unstring", "other", saved, 3) == b"OK"
    assert conn.do("datatype.get", "other") == text
    assert conn.error("datatype.unstring", "bad", saved, 4) == "ERR no value"
    assert conn.error("datatype.unstring", "bad", saved[:-3], 3) == "ERR no value"
    assert conn.error("datatype.unstring", "bad", b"", 3) == "ERR no value"
    assert conn.do("exists", "bad") == 0


def test_damaged_payloads(conn, server):
    conn.do("datatype.set", "k", b"some text\0")
    saved = conn.do("datatype.string", "k")
    seed = 5
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(300):
        damaged = bytearray(saved)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        if rng.random() < 0.3:
            damaged = damaged[:rng.randrange(len(damaged))]
        reply = conn.call("datatype.unstring", "d", bytes(damaged), 3)
        assert reply[0] in (b"+", b"-")
    conn.do("del", "d")
    payload = conn.do("dump", "k")
    for at in range(len(payload)):
        damaged = payload[:at] + bytes([payload[at] ^ 0x55]) + payload[at + 1:]
        assert conn.error("restore", "d", 0, damaged) == "ERR DUMP payload version or checksum are wrong"
    assert conn.do("datatype.get", "k") == b"some text\0"


def test_aof_rewrite(start_with, option):
    server = start_with(["data_type"])
    conn = server.connect()
    option(conn, "appendonly")
    conn.do("config", "set", "aof-use-rdb-preamble", "no")
    conn.do("datatype.set", "k", b"te\0xt")
    conn.do("config", "set", "appendonly", "yes")
    wait_until(lambda: b"aof_rewrite_in_progress:0" in conn.do("info", "persistence"))
    server.restart(server.options + ["--appendonly", "yes"])
    assert server.connect().do("datatype.get", "k") == b"te\0xt"


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_dormant_values_survive_a_rewrite(start_with, ours_only, preamble):
    """Whatever form the base has: what no module is there for is kept."""
    server = start_with(["data_type"])
    with_module = server.options + ["--appendonly", "yes", "--aof-use-rdb-preamble", preamble]
    server.restart(with_module)
    conn = server.connect()
    conn.do("datatype.set", "k", b"te\0xt")
    conn.do("pexpireat", "k", 4102444800000)
    conn.do("bgrewriteaof")
    wait_until(lambda: b"aof_rewrite_in_progress:0" in conn.do("info", "persistence"))
    if preamble == "no":
        # Their commands need the module; as values they do not.
        server.restart(server.options + ["--aof-use-rdb-preamble", "yes"])
        conn = server.connect()
        conn.do("bgrewriteaof")
        wait_until(lambda: b"aof_rewrite_in_progress:0" in conn.do("info", "persistence"))
    server.restart(["--appendonly", "yes", "--aof-use-rdb-preamble", preamble])
    conn = server.connect()
    assert conn.error("datatype.get", "k").startswith("ERR unknown command")
    for _ in range(2):
        conn.do("bgrewriteaof")
        wait_until(lambda: b"aof_rewrite_in_progress:0" in conn.do("info", "persistence"))
    suffix = "rdb" if preamble == "yes" else "aof"
    assert list(server.folder.glob(f"appendonlydir/*.base.{suffix}"))
    server.restart(with_module)
    conn = server.connect()
    assert conn.do("datatype.get", "k") == b"te\0xt"
    assert conn.do("pexpiretime", "k") == 4102444800000


def test_an_unload_leaves_a_file_that_needs_no_module(start_with, ours_only):
    server = start_with(["data_type"])
    server.restart(server.options + ["--appendonly", "yes"])
    conn = server.connect()
    conn.do("datatype.set", "k", b"text")
    assert conn.do("module", "unload", "datatype", "keepdata") == b"OK"
    wait_until(lambda: b"aof_rewrites:1" in conn.do("info", "persistence")
               and b"aof_rewrite_in_progress:0" in conn.do("info", "persistence"))
    server.restart(["--appendonly", "yes"])
    assert server.connect().do("dbsize") == 1


def test_values_keep_their_module(conn):
    conn.do("datatype.set", "k", "text")
    assert conn.error("module", "unload", "datatype").startswith("ERR Error unloading module: the module exports one or")
