# SPDX-License-Identifier: BSD-3-Clause
"""Data moves between Debian's redis-server and ours: DUMP and RESTORE, and RDB files, both ways.

Ours writes RDB version 10, which Redis 7.0 reads, when it is told to (rdb-version).
"""

import os
import random
import re
import shutil

import pytest

import compare
import dataset
from harness.server import REDIS, Server, binary_under_test, is_redis
from runner import Runner

OURS_ARE_REDIS = is_redis(binary_under_test())
# Redis trusts payloads unless told otherwise; ours never does.
THEIR_OPTIONS = ["--sanitize-dump-payload", "yes"]
OUR_OPTIONS = THEIR_OPTIONS if OURS_ARE_REDIS else ["--rdb-version", "10"]

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")


@pytest.fixture
def theirs():
    with Server(THEIR_OPTIONS, binary=REDIS, tcp=False) as server:
        yield server


@pytest.fixture
def ours():
    with Server(OUR_OPTIONS, tcp=False) as server:
        yield server


def assert_same_keyspaces(theirs, ours):
    runner = Runner(theirs.socket_path, ours.socket_path)
    runner.compare_keyspaces()
    assert not runner.mismatches, runner.report("none")


@pytest.mark.parametrize("direction", ["from ours to redis", "from redis to ours"])
def test_dump_and_restore(theirs, ours, direction):
    source, target = (ours, theirs) if "from ours" in direction else (theirs, ours)
    source, target = source.connect(), target.connect()
    for key, command in dataset.values():
        source.do(*command)
        payload = source.do("DUMP", key)
        assert target.call("RESTORE", key, 0, payload) == (b"+", b"OK"), key
    assert_same_keyspaces(theirs, ours)


def test_restore_options(theirs, ours):
    commands = []
    connection = theirs.connect()
    connection.do("SET", "s", "value")
    payload = connection.do("DUMP", "s")
    connection.do("DEL", "s")
    for args in (["a", 0], ["a", 0], ["a", -1], ["a", "x"], ["b", 50_000_000], ["c", 4102444800000, "#", "ABSTTL"],
                 ["d", 1, "#", "ABSTTL"], ["a", 0, "#", "REPLACE"], ["e", 0, "#", "IDLETIME", 10],
                 ["e", 0, "#", "REPLACE", "IDLETIME", -1], ["e", 0, "#", "REPLACE", "FREQ", 256],
                 ["e", 0, "#", "REPLACE", "FREQ", 3], ["e", 0, "#", "REPLACE", "FREQ", 3, "IDLETIME", 3],
                 ["e", 0, "#", "NOSUCHOPTION"], ["f", 0, "#", "ABSTTL", "REPLACE"]):
        args = args if "#" in args else args + ["#"]
        commands.append(["RESTORE"] + [payload if arg == "#" else arg for arg in args])
    for broken in (b"", b"x", payload[:-1], payload[1:], payload + b"x", payload[:-10],
                   payload[:-8] + bytes(8), payload[:-10] + b"\xff\xff" + payload[-8:]):
        commands.append(["RESTORE", "broken", 0, broken])
    connections = [theirs.connect(), ours.connect()]
    for command in commands + [["DUMP", "nosuchkey"], ["DUMP"], ["RESTORE", "a"], ["TTL", "e"], ["KEYS", "*"]]:
        a, b = (connection.call(*command) for connection in connections)
        assert compare.unordered(a, b), (command, a, b)
    assert_same_keyspaces(theirs, ours)


def _crc64_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ 0x95AC9329AC4BC9B5 if byte & 1 else byte >> 1
        table.append(byte)
    return table


CRC64 = _crc64_table()


def with_checksum(payload):
    """A DUMP payload with its last eight bytes, the CRC-64 of the others, made right."""
    crc = 0
    for byte in payload[:-8]:
        crc = CRC64[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return payload[:-8] + crc.to_bytes(8, "little")


def test_checksum_of_this_test_is_the_servers(ours):
    connection = ours.connect()
    connection.do("RPUSH", "list", *range(100))
    payload = connection.do("DUMP", "list")
    assert with_checksum(payload) == payload


READS = {b"string": ["STRLEN"], b"list": ["LRANGE", 0, -1], b"set": ["SMEMBERS"], b"hash": ["HGETALL"],
         b"zset": ["ZRANGE", 0, -1, "WITHSCORES"]}


def test_damaged_payloads_are_refused_or_harmless(ours):
    """Bits flipped and the checksum made right again: whatever is accepted can be read, changed and deleted."""
    seed = random.SystemRandom().randrange(1 << 31)
    print("seed", seed)
    rng = random.Random(seed)
    connection = ours.connect()
    payloads = []
    for key, command in dataset.values():
        connection.do(*command)
        payload = connection.do("DUMP", key)
        if len(payload) < 3000:
            payloads.append(payload)
    connection.do("FLUSHALL")
    refused = 0
    for _ in range(6000):
        damaged = bytearray(rng.choice(payloads))
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            # The eight bytes before the checksum's hold the version; a flip there is refused for that.
            damaged[rng.randrange(len(damaged) - 10)] ^= 1 << rng.randrange(8)
        if rng.random() < 0.1:
            at = rng.randrange(len(damaged) - 10)
            del damaged[at:at + rng.randint(1, 8)]
        reply = connection.call("RESTORE", "damaged", 0, with_checksum(bytes(damaged)))
        if reply[0] == b"-":
            assert reply[1].startswith((b"ERR Bad data format", b"ERR DUMP payload")), reply
            refused += 1
            continue
        kind = connection.do("TYPE", "damaged")
        if kind in READS:
            name, *args = READS[kind]
            assert connection.call(name, "damaged", *args)[0] != b"-"
        connection.do("DUMP", "damaged")
        connection.do("DEL", "damaged")
    assert refused > 100
    assert connection.do("PING") == b"PONG"


@pytest.mark.parametrize("options", [[], ["--rdbcompression", "no"], ["--rdbchecksum", "no"]],
                         ids=["default", "uncompressed", "no checksum"])
@pytest.mark.parametrize("direction", ["from ours to redis", "from redis to ours"])
def test_rdb_files(theirs, ours, direction, options):
    source, target = (ours, theirs) if "from ours" in direction else (theirs, ours)
    source.restart(source.options + options)
    connection = source.connect()
    dataset.fill(connection)
    assert connection.do("SAVE") == b"OK"
    target.stop()
    shutil.copy(source.folder / "dump.rdb", target.folder / "dump.rdb")
    target.start(target.options + options)
    assert int(target.connect().do("DBSIZE")) > 50
    assert_same_keyspaces(theirs, ours)


@pytest.mark.parametrize("damage", ["cut short", "bit flipped", "not an RDB", "empty"])
def test_damaged_rdb_files_stop_the_start_with_a_message(ours, damage):
    connection = ours.connect()
    dataset.fill(connection)
    assert connection.do("SAVE") == b"OK"
    ours.stop()
    path = ours.folder / "dump.rdb"
    data = bytearray(path.read_bytes())
    if damage == "cut short":
        data = data[:len(data) // 2]
    elif damage == "bit flipped":
        data[len(data) // 2] ^= 4
    elif damage == "not an RDB":
        data = bytearray(b"hello world, this is no RDB file" * 10)
    else:
        data = bytearray()
    path.write_bytes(data)
    before = len(ours.log())
    ours.launch()
    assert ours.wait() == 1
    log = ours.log()[before:]
    assert re.search("# .*(RDB|DB from file|loading the DB)", log), log
    assert path.read_bytes() == data, "the file that could not be read must be left as it was"
