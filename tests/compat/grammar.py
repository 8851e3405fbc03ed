# SPDX-License-Identifier: BSD-3-Clause
"""The commands that the random compat test sends: one row per form of a command.

A row is the command, its arguments, how replies compare, and a weight. The arguments' language:

    WORD          sent as it is (in either case)          key:h     a key of pool h (values.py), other words likewise
    [ ... ]       there or not                            ( a | b ) one of them
    { ... }       a group                                 +  *      after the above: one to three times, or none too

Ways to compare (compare.py): exact, unordered, pairs, scores, near, near_ms, shape. `alone` names the procedure for a command
whose effect or reply is random, or that needs several calls: spop, scan, encoding, sort.
"""

import collections
import re

Row = collections.namedtuple("Row", "name arguments reply weight alone")


def row(line, reply="exact", weight=10, alone=None):
    name, _, arguments = line.partition(" ")
    return Row(name.encode(), parse(arguments), reply, weight, alone)


def parse(text):
    """The arguments' language as a tree: ("seq", [..]) ("opt", n) ("any", [..]) ("many", low, n) ("lit", b) ("gen", m, a)."""
    tokens = re.findall(r"[\[\](){}|+*]|[^\s\[\](){}|+*]+", text)
    tree, rest = _sequence(tokens)
    assert not rest, f"cannot parse {text!r}"
    return tree


def _sequence(tokens):
    items = []
    while tokens and tokens[0] not in "])}|":
        item, tokens = _item(tokens)
        while tokens and tokens[0] in "+*":
            item, tokens = ("many", 1 if tokens[0] == "+" else 0, item), tokens[1:]
        items.append(item)
    return ("seq", items), tokens


def _item(tokens):
    head, rest = tokens[0], tokens[1:]
    if head == "[":
        inner, rest = _sequence(rest)
        return ("opt", inner), rest[1:]
    if head == "{":
        inner, rest = _sequence(rest)
        return inner, rest[1:]
    if head == "(":
        choices = []
        while True:
            inner, rest = _sequence(rest)
            choices.append(inner)
            end, rest = rest[0], rest[1:]
            if end == ")":
                return ("any", choices), rest
    if head[0].islower():
        maker, _, argument = head.partition(":")
        return ("gen", maker, argument), rest
    return ("lit", head.encode()), rest


STRINGS = [
    row("APPEND key:s val"),
    row("APPEND key:n num", weight=3),
    row("DECR key:n"),
    row("DECRBY key:n int"),
    row("GET key:sn", weight=30),
    row("GETDEL key:sn"),
    row("GETEX key:sn [(EX ttl|PX ttlms|EXAT at|PXAT atms|PERSIST)]"),
    row("GETRANGE key:sn index index"),
    row("GETSET key:sn val"),
    row("INCR key:n", weight=15),
    row("INCRBY key:n int"),
    row("INCRBYFLOAT key:n float", weight=15),
    row("LCS key:c key:c [LEN] [IDX] [MINMATCHLEN int] [WITHMATCHLEN]", weight=5),
    row("MGET key:snh+"),
    row("MSET {dst:sn val}+"),
    row("MSETNX {dst:sn val}+", weight=3),
    row("PSETEX dst:s ttlms val", weight=4),
    row("SET dst:s val", weight=25),
    row("SET dst:n num", weight=25),
    row("SET dst:c short", weight=10),
    row("SET dst:sn val [(EX ttl|PX ttlms|EXAT at|PXAT atms|KEEPTTL)] [(NX|XX)] [GET]", weight=25),
    row("SETEX dst:s ttl val", weight=4),
    row("SETNX dst:sn val", weight=5),
    row("SETRANGE key:sn index val"),
    row("STRLEN key:snch"),
    row("SUBSTR key:s index index", weight=3),
]

BITMAPS = [
    row("BITCOUNT key:snc [index index [(BYTE|BIT)]]"),
    row("BITFIELD key:snc ({GET ftype foffset}|{SET ftype foffset fieldint}|{INCRBY ftype foffset int}|{OVERFLOW (WRAP|SAT|FAIL)})*", weight=20),
    row("BITFIELD_RO key:snc {GET ftype foffset}*", weight=4),
    row("BITFIELD_RO key:sn {SET ftype foffset int}", weight=1),
    row("BITOP (AND|OR|XOR|NOT) dst:s key:snc+"),
    row("BITOP NOT dst:s key:s", weight=3),
    row("BITPOS key:snc bit [index [index [(BYTE|BIT)]]]"),
    row("GETBIT key:snc bitoff"),
    row("SETBIT key:snc bitoff bit", weight=20),
]

HASHES = [
    row("HDEL key:h field+"),
    row("HEXISTS key:h field"),
    row("HGET key:h field", weight=15),
    row("HGETALL key:h", "pairs"),
    row("HINCRBY key:h field int"),
    row("HINCRBYFLOAT key:h field float"),
    row("HKEYS key:h", "unordered", weight=5),
    row("HLEN key:h"),
    row("HMGET key:h field+"),
    row("HMSET key:h {field val}+"),
    row("HRANDFIELD key:h [randcount [WITHVALUES]]", "shape"),
    row("HSCAN key:h SCANCURSOR [MATCH pattern] [COUNT count]", weight=2, alone="scan"),
    row("HSET key:h {field val}+", weight=30),
    row("HSET key:h {field num}+", weight=15),
    row("HSETNX key:h field val"),
    row("HSTRLEN key:h field"),
    row("HVALS key:h", "unordered", weight=5),
]

LISTS = [
    row("LINDEX key:l index"),
    row("LINSERT key:l (BEFORE|AFTER) member member", weight=15),
    row("LLEN key:l"),
    row("LMOVE key:l key:l (LEFT|RIGHT) (LEFT|RIGHT)"),
    row("LMPOP nkeys:l (LEFT|RIGHT) [COUNT count]"),
    row("LPOP key:l [count]"),
    row("LPOS key:l member [RANK int] [COUNT count] [MAXLEN count]"),
    row("LPUSH key:l member+", weight=20),
    row("LPUSHX key:l member+"),
    row("LRANGE key:l index index", weight=20),
    row("LREM key:l int member"),
    row("LSET key:l index member"),
    row("LTRIM key:l index index", weight=5),
    row("RPOP key:l [count]"),
    row("RPOPLPUSH key:l key:l"),
    row("RPUSH key:l member+", weight=25),
    row("RPUSHX key:l member+"),
]

SETS = [
    row("SADD key:t member+", weight=50),
    row("SCARD key:t"),
    row("SDIFF key:t+", "unordered"),
    row("SDIFFSTORE dst:t key:t+"),
    row("SINTER key:t+", "unordered"),
    row("SINTERCARD nkeys:t [LIMIT count]"),
    row("SINTERSTORE dst:t key:t+"),
    row("SISMEMBER key:t member"),
    row("SMISMEMBER key:t member+"),
    row("SMEMBERS key:t", "unordered", weight=15),
    row("SMOVE key:t key:t member"),
    row("SPOP key:t [count]", weight=4, alone="spop"),
    row("SRANDMEMBER key:t [randcount]", "shape"),
    row("SREM key:t member+"),
    row("SSCAN key:t SCANCURSOR [MATCH pattern] [COUNT count]", weight=2, alone="scan"),
    row("SUNION key:t+", "unordered"),
    row("SUNIONSTORE dst:t key:t+", weight=5),
]

SORTED_SETS = [
    row("ZADD key:z {score member}+", "scores", weight=40),
    row("ZADD key:z [(NX|XX)] [(GT|LT)] [CH] [INCR] {score member}+", "scores", weight=20),
    row("ZADD key:x 0 lexmember 0 lexmember 0 lexmember", weight=25),
    row("ZCARD key:zx"),
    row("ZCOUNT key:zx bound bound"),
    row("ZDIFF nkeys:zt [WITHSCORES]", "scores"),
    row("ZDIFFSTORE dst:z nkeys:zt", weight=5),
    row("ZINCRBY key:z score member", "scores"),
    row("ZINTER nkeys:zt [WEIGHTS weight+] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]", "scores"),
    row("ZINTER nkeys:zt [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]", "scores"),
    row("ZINTERCARD nkeys:zt [LIMIT count]"),
    row("ZINTERSTORE dst:z nkeys:zt [WEIGHTS weight+] [AGGREGATE (SUM|MIN|MAX)]", weight=5),
    row("ZLEXCOUNT key:x lexbound lexbound"),
    row("ZMPOP nkeys:zx (MIN|MAX) [COUNT count]", "scores"),
    row("ZMSCORE key:zx member+", "scores"),
    row("ZPOPMAX key:zx [count]", "scores"),
    row("ZPOPMIN key:zx [count]", "scores"),
    row("ZRANDMEMBER key:zx [randcount [WITHSCORES]]", "shape"),
    row("ZRANGE key:zx index index [REV] [WITHSCORES]", "scores", weight=15),
    row("ZRANGE key:zx bound bound BYSCORE [REV] [LIMIT index index] [WITHSCORES]", "scores", weight=15),
    row("ZRANGE key:x lexbound lexbound BYLEX [REV] [LIMIT index index]", weight=15),
    row("ZRANGEBYLEX key:x lexbound lexbound [LIMIT index index]"),
    row("ZRANGEBYSCORE key:zx bound bound [WITHSCORES] [LIMIT index index]", "scores", weight=15),
    row("ZRANGESTORE dst:z key:z index index [REV]", weight=4),
    row("ZRANGESTORE dst:z key:z bound bound BYSCORE [REV] [LIMIT index index]", weight=4),
    row("ZRANGESTORE dst:x key:x lexbound lexbound BYLEX [REV] [LIMIT index index]", weight=4),
    row("ZRANK key:z member"),
    row("ZRANK key:x lexmember"),
    row("ZREM key:z member+"),
    row("ZREM key:x lexmember+"),
    row("ZREMRANGEBYLEX key:x lexbound lexbound", weight=5),
    row("ZREMRANGEBYRANK key:zx index index", weight=5),
    row("ZREMRANGEBYSCORE key:zx bound bound", weight=5),
    row("ZREVRANGE key:zx index index [WITHSCORES]", "scores"),
    row("ZREVRANGEBYLEX key:x lexbound lexbound [LIMIT index index]"),
    row("ZREVRANGEBYSCORE key:zx bound bound [WITHSCORES] [LIMIT index index]", "scores"),
    row("ZREVRANK key:z member"),
    row("ZREVRANK key:x lexmember"),
    row("ZSCAN key:z SCANCURSOR [MATCH pattern] [COUNT count]", weight=2, alone="scan"),
    row("ZSCORE key:z member", "scores"),
    row("ZUNION nkeys:zt [WEIGHTS weight+] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]", "scores"),
    row("ZUNION nkeys:zt [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]", "scores"),
    row("ZUNIONSTORE dst:z nkeys:zt [WEIGHTS weight+] [AGGREGATE (SUM|MIN|MAX)]", weight=5),
]

# Redis 7.2 makes a consumer that reads nothing, 7.0 does not: nothing here tells whether one is there. Times and what
# follows from them are in test_streams.py.
STREAMS = [
    row("XACK key:m group id+"),
    row("XADD key:m newid {field val}+", weight=60),
    row("XADD key:m [NOMKSTREAM] [(MAXLEN|MINID) [(=|~)] threshold [LIMIT count]] newid {field num}+", weight=20),
    row("XADD key:m newid field val field"),
    row("XAUTOCLAIM key:m group consumer 0 rangeid [COUNT count] [JUSTID]"),
    row("XCLAIM key:m group consumer 0 id+ [RETRYCOUNT int] [FORCE] [JUSTID] [LASTID id]"),
    row("XDEL key:m id+"),
    row("XGROUP CREATE key:m group (0|$|0-0|5-1) [MKSTREAM] [ENTRIESREAD int]"),
    row("XGROUP DESTROY key:m group", weight=1),
    row("XGROUP SETID key:m group (id|0|$) [ENTRIESREAD int]", weight=4),
    row("XLEN key:m"),
    row("XPENDING key:m group"),
    row("XRANGE key:m rangeid rangeid [COUNT count]", weight=20),
    row("XREAD [COUNT count] STREAMS streams:m", weight=20),
    row("XREADGROUP GROUP group consumer [COUNT count] [NOACK] STREAMS groupstreams:m", weight=30),
    row("XREVRANGE key:m rangeid rangeid [COUNT count]", weight=20),
    row("XSETID key:m id [ENTRIESADDED int] [MAXDELETEDID id]", weight=2),
    row("XTRIM key:m (MAXLEN|MINID) [(=|~)] threshold [LIMIT count]", weight=5),
    row("XTRIM key:m (MAXLEN|MINID|word) threshold", weight=1),
]

KEYS = [
    row("COPY pair [DB db] [REPLACE]"),
    row("DBSIZE"),
    row("DEL key+", weight=20),
    row("EXISTS key+"),
    row("EXPIRE key ttl [(NX|XX|GT|LT)]", weight=15),
    row("EXPIRE key ttl (NX|XX|GT|LT) (NX|XX|GT|LT)", weight=3),
    row("EXPIREAT key (at|at|past) [(NX|XX|GT|LT)]"),
    row("EXPIRETIME key", "near"),
    row("FLUSHALL [(ASYNC|SYNC)]", weight=0.1),
    row("FLUSHDB [(ASYNC|SYNC)]", weight=0.3),
    row("KEYS pattern", "unordered"),
    row("MOVE key db"),
    row("OBJECT ENCODING key", alone="encoding"),
    row("OBJECT REFCOUNT key", "shape", weight=3),
    row("OBJECT IDLETIME key", "shape", weight=3),
    row("OBJECT FREQ key", weight=3),
    row("PERSIST key"),
    row("PEXPIRE key ttlms [(NX|XX|GT|LT)]"),
    row("PEXPIREAT key (atms|atms|past) [(NX|XX|GT|LT)]"),
    row("PEXPIRETIME key", "near_ms"),
    row("PTTL key", "near_ms"),
    row("RANDOMKEY", "shape"),
    row("RENAME pair"),
    row("RENAMENX pair"),
    row("SCAN SCANCURSOR [MATCH pattern] [COUNT count] [TYPE typename]", weight=3, alone="scan"),
    row("SORT key:l [LIMIT index index] [(ASC|DESC)] [ALPHA]"),
    row("SORT key:lt ALPHA [LIMIT index index] [(ASC|DESC)]", weight=20),
    row("SORT key:ltz BY NOSORT [LIMIT index index] [GET GETPATTERN]*", weight=5, alone="sort"),
    row("SORT key:lt BY BYPATTERN [LIMIT index index] [(ASC|DESC)] [GET GETPATTERN]*", weight=10, alone="sort"),
    row("SORT key:ltz ALPHA GET GETPATTERN [GET GETPATTERN]", weight=5),
    row("SORT key:l ALPHA [(ASC|DESC)] STORE dst:l", weight=5),
    row("SORT_RO key:l [LIMIT index index] [(ASC|DESC)] [ALPHA]"),
    row("TOUCH key+"),
    row("TTL key", "near", weight=15),
    row("TYPE key"),
    row("UNLINK key+"),
]

CONNECTION = [
    row("ECHO val", weight=3),
    row("PING [val]", weight=3),
    row("SELECT db", weight=4),
    row("PUBLISH val val", weight=2),
    row("NOSUCHCOMMAND val*", weight=2),
    row("OBJECT NOSUCHSUBCOMMAND key", weight=1),
    row("UNWATCH", weight=2),
    row("EXEC", weight=0.5),
    row("DISCARD", weight=0.5),
]

SCRIPTS = [
    row("EVAL script 1 key:snclzm val", "scores", weight=30),
    row("EVAL_RO script 1 key:snclzm val", "scores", weight=8),
    row("EVAL script nkeys:snl val", "scores", weight=4),
    row("EVALSHA val 1 key:s val", weight=1),
]

ROWS = SCRIPTS + STRINGS + BITMAPS + HASHES + LISTS + SETS + SORTED_SETS + STREAMS + KEYS + CONNECTION
