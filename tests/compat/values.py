# SPDX-License-Identifier: BSD-3-Clause
"""Random arguments for generated commands: one method per word of the grammar (grammar.py).

Few keys and few members, so that commands meet; wrong types, edge numbers and binary bytes mixed in.
Nothing here may depend on the clock: times to live are far in the future or already over, so a test that takes
minutes on one server and seconds on the other still gets equal replies.
"""

INT_EDGES = [b"0", b"1", b"-1", b"10", b"2147483647", b"2147483648", b"-2147483648", b"4294967296",
             b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"-9223372036854775809",
             b"18446744073709551616"]
NOT_INTS = [b"", b"abc", b" 1", b"1 ", b"01", b"+1", b"-0", b"1.0", b"1e3", b"0x10", b"1\x00", b"--1", b"nan"]
FLOATS = [b"0", b"1", b"-1", b"1.5", b"-0.25", b"3.0e3", b"0.1", b"3.1", b"1e17", b"123456789.123456789", b"1e-7",
          b"5e-324", b"1.7976931348623157e308", b".5", b"5.", b"+1.5", b"00.5", b"0x1p3", b"0x10", b"-0", b"1E5"]
NOT_FLOATS = [b"", b"abc", b"nan", b"-nan", b"inf", b"-inf", b"+inf", b"infinity", b"1e400", b"-1e400", b"1e-400",
              b" 1.5", b"1.5 ", b"1,5", b"1.5\x00", b"1e", b"(1"]
# A sort by ALPHA sees text up to its first zero byte only: no two texts, or members (lexmember), are the same up to
# there.
TEXTS = [b"", b"a", b"b", b"c", b"hello", b"Hello World", b"\xfe\x00\r\n\x80", b"x" * 23, b"x" * 25, b"y" * 45,
         b"\xc3\xa9t\xc3\xa9", b"10", b"010", b"-7", b"3.0", b"1e3"]
PATTERNS = [b"*", b"*1", b"s*", b"?1", b"[sh]1", b"[^s]*", b"[a-h]*", b"h\\1", b"nomatch", b"", b"[", b"f*", b"**2",
            b"m*1*", b"\\", b"[\\s]1", b"[z-a]*", b"?", b"??", b"[1-", b"a*"]
OPTION_WORDS = [b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR", b"LIMIT", b"WITHSCORES", b"MATCH", b"COUNT", b"GET",
                b"ASC", b"LEFT", b"BEFORE", b"KEEPTTL", b"REPLACE", b"WITHVALUES", b"AGGREGATE", b"REV"]
FAR_SECONDS = 4102444800  # the year 2100

# One pool of key names per kind of key. x: sorted sets whose members all have score 0, so that orders by member are
# defined; n: strings that are mostly numbers; c: short strings; m: streams.
POOLS = {
    "s": [b"s1", b"s2", b"s3", b"s\x00\xff"],
    "n": [b"n1", b"n2", b"n3"],
    "c": [b"c1", b"c2"],
    "h": [b"h1", b"h2", b"h3"],
    "l": [b"l1", b"l2", b"l3"],
    "t": [b"t1", b"t2", b"t3", b"t4"],
    "z": [b"z1", b"z2", b"z3"],
    "x": [b"x1", b"x2"],
    "m": [b"m1", b"m2", b"m3"],
}
WRONG_TYPE_SHARE = 0.08


# For one key and one argument. Their replies have an order of their own.
SCRIPTS = [
    b"return redis.call('GET', KEYS[1])",
    b"return redis.pcall('LPUSH', KEYS[1], ARGV[1])",
    b"redis.call('SET', KEYS[1], ARGV[1]) return redis.call('INCR', KEYS[1])",
    b"redis.call('DEL', KEYS[1]) return redis.call('RPUSH', KEYS[1], ARGV[1], 'x')",
    b"return {redis.call('EXISTS', KEYS[1]), ARGV[1], tonumber(ARGV[1]), redis.call('TYPE', KEYS[1]), false, {1, {}}}",
    b"local r = redis.pcall('LRANGE', KEYS[1], 0, -1) if r.err then return redis.status_reply('no list') end return r",
    b"return redis.call('ZRANGE', KEYS[1], 0, -1)",
    b"redis.setresp(3) return redis.call('ZSCORE', KEYS[1], 'm1')",
    b"return redis.error_reply('MY ' .. string.len(ARGV[1]))",
    b"return cjson.encode({ARGV[1], #KEYS})",
    b"return redis.call('APPEND', KEYS[1], ARGV[1]) + 0.5",
    b"local n = 0 for i = 1, 3 do n = n + redis.call('STRLEN', KEYS[1]) end return n",
    b"return redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 2)",
    b"return redis.call('NOSUCHCOMMAND')",
    b"return redis.call('GET')",
    b"return nosuchvariable",
    b"return {ok = ARGV[1]}",
    b"syntax error(",
]


class Values:
    """The argument makers. `large` widens the pools of members and fields, for collections of thousands."""

    def __init__(self, random, large=False):
        self.random = random
        self.large = large
        self.keys = []  # Those handed out for the command that is being made.
        self.newest = 1  # Milliseconds of the newest stream id.

    # Helpers.

    def pick(self, choices):
        return choices[int(self.random.random() * len(choices))]

    def chance(self, share):
        return self.random.random() < share

    def _mixed(self, *weighted):
        """weighted: share, maker, share, maker... with the last maker for the rest."""
        at = self.random.random()
        for share, maker in zip(weighted[:-1:2], weighted[1::2]):
            if at < share:
                return maker()
            at -= share
        return weighted[-1]()

    def _number(self, low, high):
        return b"%d" % self.random.randint(low, high)

    # Keys.

    def key(self, kinds=None):
        """A key. kinds: letters of the wanted pools, then optionally ! and letters never to fall back to."""
        if kinds is None:
            name = self.pick(POOLS[self.pick("snchltzxm")])
        else:
            wanted, _, never = kinds.partition("!")
            kind = self.pick(wanted)
            if self.chance(WRONG_TYPE_SHARE):
                # x keys stay apart from all that could give their members another score.
                others = [k for k in "snhltzm" if k not in never and not (kind == "x" and k == "z")]
                kind = self.pick(others)
            name = b"missing" + kind.encode() if self.chance(0.02) else self.pick(POOLS[kind])
        self.keys.append(name)
        return [name]

    def dst(self, kinds):
        """A key that is going to be overwritten: hardly ever one of another kind, or types would mix for good."""
        kind = self.pick("snhltzm") if self.chance(0.01) else self.pick(kinds)
        name = self.pick(POOLS[kind])
        self.keys.append(name)
        return [name]

    def pair(self, kinds="snchltzxm"):
        """Two keys of one kind."""
        kind = self.pick(kinds)
        names = [self.pick(POOLS[kind]), self.pick(POOLS[kind])]
        self.keys += names
        return names

    def nkeys(self, kinds):
        """A count and that many keys; now and then the count is wrong."""
        keys = [self.key(kinds)[0] for _ in range(self.random.randint(1, 3))]
        count = b"%d" % len(keys)
        if self.chance(0.06):
            count = self.pick([b"0", b"-1", b"1", b"4", b"abc", b"9223372036854775807", b""])
        return [count] + keys

    # Data.

    def text(self):
        return self.pick(TEXTS)

    def val(self):
        return [self._mixed(0.3, self.text, 0.25, lambda: self._number(-100, 1000), 0.1, lambda: self.pick(INT_EDGES),
                            0.1, lambda: self.pick(FLOATS), 0.1, lambda: self.pick(NOT_INTS),
                            0.05, lambda: b"v" * self.random.randint(30, 300),
                            lambda: self.random.randbytes(self.random.randint(0, 40)))]

    def bit(self):
        return [self._mixed(0.03, lambda: self.pick([b"2", b"-1", b"x", b""]), lambda: self.pick([b"0", b"1"]))]

    def bitoff(self):
        """No offset that would make a string of megabytes."""
        return [self._mixed(0.03, lambda: self.pick([b"-1", b"4294967296", b"99999999999999999999", b"x", b"#1"]),
                            lambda: self._number(0, 700))]

    def ftype(self):
        return [self._mixed(0.03, lambda: self.pick([b"u64", b"i65", b"u0", b"i0", b"x8", b"u", b"U8", b"i-1"]),
                            0.6, lambda: self.pick([b"i", b"u"]) + self._number(1, 63),
                            lambda: self.pick([b"u8", b"i8", b"u1", b"i64", b"u63", b"i16"]))]

    def fieldint(self):
        """Not the smallest: SAT makes Redis's largest value of it (docs/differences.md)."""
        return [b"-4611686018427387904" if value == b"-9223372036854775808" else value for value in self.int()]

    def foffset(self):
        return [self._mixed(0.03, lambda: self.pick([b"-1", b"#-1", b"#99999999999999999999", b"x", b"#"]),
                            0.3, lambda: b"#" + self._number(0, 9), lambda: self._number(0, 200))]

    def short(self):
        return [bytes(self.random.choices(b"abcd", k=self.random.randint(0, 40)))]

    def num(self):
        return [self._mixed(0.6, lambda: self._number(-50, 1000), 0.15, lambda: self.pick(INT_EDGES),
                            0.2, lambda: self.pick(FLOATS), lambda: self.pick(NOT_INTS))]

    def member(self):
        if self.large and self.chance(0.9):
            return [b"%d" % self.random.randrange(3000) if self.chance(0.4) else b"m%05d" % self.random.randrange(3000)]
        return [self._mixed(0.55, lambda: self._number(0, 30), 0.3, self.text, 0.05, lambda: self.pick(INT_EDGES),
                            0.05, lambda: self.pick(FLOATS), lambda: b"m%d" % self.random.randrange(20))]

    def field(self):
        if self.large and self.chance(0.9):
            return [b"f%05d" % self.random.randrange(3000)]
        return [self._mixed(0.7, lambda: b"f%d" % self.random.randrange(12), 0.1, lambda: self._number(0, 12),
                            self.text)]

    def lexmember(self):
        return [bytes(self.random.choices(b"abc\xff", k=self.random.randint(0, 5 if self.large else 3)))]

    # Streams. No id is left to the clock, which is not the same on two servers.

    def newid(self):
        """An id for XADD: mostly one that is new."""
        self.newest += self.random.randint(0, 2)
        return [self._mixed(0.5, lambda: b"%d-%d" % (self.newest, self.random.randint(0, 40)), 0.3,
                            lambda: b"%d-*" % self.newest, 0.1, lambda: b"%d" % self.newest, lambda: self._odd_id())]

    def _odd_id(self):
        return self.pick([b"0-0", b"0", b"-1", b"x", b"", b"1-x", b"1-1-1", b"5-**", b"18446744073709551616", b"0-1",
                          b"0-*", b"-", b"+", b"(", b"$", b">"])

    def _old_id(self):
        ms = max(0, self.newest - self.random.randint(0, 30))
        return b"%d-%d" % (ms, self.random.randint(0, 10)) if self.chance(0.7) else b"%d" % ms

    def id(self):
        return [self._mixed(0.93, self._old_id, self._odd_id)]

    def rangeid(self):
        return [self._mixed(0.4, lambda: self.pick([b"-", b"+"]), 0.3, self._old_id, 0.25, lambda: b"(" + self._old_id(),
                            self._odd_id)]

    def readid(self):
        return [self._mixed(0.6, self._old_id, 0.2, lambda: b"0", 0.15, lambda: b"$", self._odd_id)]

    def groupid(self):
        return [self._mixed(0.5, lambda: b">", 0.4, lambda: self.pick([b"0", self._old_id()]), self._odd_id)]

    def group(self):
        return [self.pick([b"g1", b"g1", b"g2", b"g\xff"])]

    def consumer(self):
        return [self.pick([b"alice", b"bob", b"carol"])]

    def streams(self, kinds):
        """Keys, and then as many ids for XREAD."""
        keys = [self.key(kinds)[0] for _ in range(self.random.choice([1, 1, 2, 3]))]
        count = len(keys) if not self.chance(0.03) else 2
        return keys + [self.readid()[0] for _ in range(count)]

    def groupstreams(self, kinds):
        keys = [self.key(kinds)[0] for _ in range(self.random.choice([1, 1, 1, 2]))]
        return keys + [self.groupid()[0] for _ in keys]

    def threshold(self):
        return [self._mixed(0.8, lambda: self._number(0, 60), self._old_id)]

    # Numbers.

    def int(self):
        return [self._mixed(0.8, lambda: self._number(-5, 20), 0.13, lambda: self.pick(INT_EDGES),
                            lambda: self.pick(NOT_INTS))]

    def index(self):
        return [self._mixed(0.85, lambda: self._number(-12, 12), 0.1, lambda: self.pick(INT_EDGES),
                            lambda: self.pick(NOT_INTS))]

    def count(self):
        return [self._mixed(0.85, lambda: self._number(0, 12), 0.1, lambda: self.pick(INT_EDGES),
                            lambda: self.pick(NOT_INTS))]

    def randcount(self):
        """A count of random elements: a large negative one is a promise of as many elements in the reply."""
        return [self._mixed(0.85, lambda: self._number(-8, 12), lambda: self.pick(
            [b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"abc", b"", b"1.0"]))]

    def float(self):
        return [self._mixed(0.5, lambda: self._number(-20, 20), 0.4, lambda: self.pick(FLOATS),
                            lambda: self.pick(NOT_FLOATS))]

    def score(self):
        return [self._mixed(0.75, lambda: self._number(-20, 20), 0.2, lambda: self.pick(FLOATS),
                            lambda: self.pick(NOT_FLOATS))]

    def bound(self):
        """A score bound."""
        return [self._mixed(0.6, lambda: self._number(-22, 22), 0.15, lambda: b"(" + self._number(-22, 22),
                            0.15, lambda: self.pick([b"-inf", b"+inf", b"inf", b"(-inf", b"(+inf"]),
                            lambda: self.pick(FLOATS + NOT_FLOATS + [b"(nan", b"(", b"[1"]))]

    def lexbound(self):
        return [self._mixed(0.3, lambda: self.pick([b"-", b"+"]), 0.65, lambda: self.pick(b"[(").to_bytes(1, "big") +
                            self.lexmember()[0], lambda: self.pick([b"", b"a", b"--", b"+1", b"[", b"("]))]

    def weight(self):
        return self.score()

    # Times.

    def _bad_time(self):
        return self.pick([b"0", b"-1", b"-10000", b"9223372036854775807", b"9223372036854775", b"9223372036854776",
                          b"-9223372036854775808", b"abc", b"1.5", b" 10000", b""])

    def ttl(self):
        return [self._mixed(0.8, lambda: self._number(10000, 99999), self._bad_time)]

    def ttlms(self):
        return [self._mixed(0.8, lambda: self._number(10_000_000, 99_999_999), self._bad_time)]

    def at(self):
        return [self._mixed(0.8, lambda: self._number(FAR_SECONDS, FAR_SECONDS + 99999), self._bad_time)]

    def atms(self):
        return [self._mixed(0.8, lambda: self._number(FAR_SECONDS * 1000, FAR_SECONDS * 1000 + 99999),
                            self._bad_time)]

    def past(self):
        return [self.pick([b"1", b"1000000000", b"0", b"-1"])]

    # Others.

    def script(self):
        return [self.pick(SCRIPTS)]

    def pattern(self):
        return [self.pick(PATTERNS)]

    def typename(self):
        return [self.pick([b"string", b"hash", b"list", b"set", b"zset", b"stream", b"STRING", b"nonsense"])]

    def db(self):
        return [self.pick([b"0", b"1", b"2", b"0", b"1", b"2", b"-1", b"16", b"abc", b"99999999999"])]

    def word(self):
        """An option that does not belong there, or anything else."""
        return [self._mixed(0.5, lambda: self.pick(OPTION_WORDS), 0.2, lambda: self.pick([b"-1", b"0", b"nan", b"inf"]),
                            self.text)]
