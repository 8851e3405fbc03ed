# SPDX-License-Identifier: BSD-3-Clause
"""A seeded stream of commands made from the grammar's rows.

Commands come in groups, lists of Command that have to stay on one connection, in order: mostly one alone, sometimes
a transaction. A share of the commands is broken on purpose: an argument missing, one too many, one replaced.
"""

import collections
import itertools
import random

import compare
import grammar
import values

Command = collections.namedtuple("Command", "args compare alone keys")

FAULT_SHARE = 0.06
TRANSACTION_SHARE = 0.012
# Commands of one key for between WATCH and MULTI.
TOUCHING = [b"DEL", b"INCR", b"PERSIST", b"GETDEL", b"TOUCH", b"LPOP", b"ZPOPMIN", b"STRLEN"]
BYPATTERNS = [b"w*", b"s*", b"n*", b"h*->f1", b"*", b"h*->"]  # All with a *: without one, a set is not sorted.
GETPATTERNS = [b"#", b"n*", b"s*", b"h*->f1", b"*", b"x"]


class Generator:
    def __init__(self, seed, large=False, only=None):
        self.random = random.Random(seed)
        self.values = values.Values(self.random, large)
        rows = [r for r in grammar.ROWS if not only or r.name.decode() in only]
        self.rows = rows
        names = {r.name for r in rows}
        self.touching = [name for name in TOUCHING if name in names]
        self.weights = list(itertools.accumulate(r.weight for r in rows))
        self.plain_rows = [r for r in rows if not r.alone and r.name not in (b"EXEC", b"DISCARD")]
        self.plain_weights = list(itertools.accumulate(r.weight for r in self.plain_rows))

    def groups(self):
        """An endless stream of groups."""
        while True:
            if self.plain_rows and self.values.chance(TRANSACTION_SHARE):
                yield self._transaction()
            else:
                yield [self._command(self.rows, self.weights)]

    def _transaction(self):
        group = []
        if self.values.chance(0.4):
            watched = [self.values.key()[0] for _ in range(self.random.randint(1, 2))]
            group.append(self._make(b"WATCH", watched))
            if self.values.chance(0.4):
                # Some of these count as a change of the key, some do not.
                if self.touching:
                    group.append(self._make(self.values.pick(self.touching), watched[:1]))
            elif self.values.chance(0.5):
                group.append(self._command(self.plain_rows, self.plain_weights))
        group.append(self._make(b"MULTI"))
        for _ in range(self.random.randint(0, 5)):
            group.append(self._command(self.plain_rows, self.plain_weights))
        if self.values.chance(0.05):
            group.append(self._make(self.values.pick([b"MULTI", b"WATCH"]), [b"s1"]))
        group.append(self._make(b"EXEC" if self.values.chance(0.85) else b"DISCARD"))
        return group

    def _make(self, name, args=()):
        return Command([name, *args], compare.exact, None, list(args))

    def _command(self, rows, weights):
        row = self.random.choices(rows, cum_weights=weights)[0]
        self.values.keys = []
        args = []
        self._expand(row.arguments, args)
        name = row.name.lower() if self.values.chance(0.2) else row.name
        if self.values.chance(FAULT_SHARE):
            whole = list(args)
            self._break(args)
            # A third argument is wrong in 7.0 and an option in 7.2: in a transaction one side would then run what the
            # other has refused.
            if row.name in (b"ZRANK", b"ZREVRANK") and len(args) == 3:
                args = whole
            # Another score than 0 in pool x, and orders by member are undefined from then on.
            if row.name == b"ZADD" and any(key in values.POOLS["x"] for key in self.values.keys):
                args = whole
        return Command([name] + [a for a, _ in args], compare.BY_NAME[row.reply], row.alone, self.values.keys)

    def _expand(self, node, out):
        """Appends (argument, may it be replaced) pairs for a node of the grammar."""
        kind = node[0]
        if kind == "seq":
            for item in node[1]:
                self._expand(item, out)
        elif kind == "opt":
            if self.values.chance(0.4):
                self._expand(node[1], out)
        elif kind == "any":
            self._expand(self.values.pick(node[1]), out)
        elif kind == "many":
            count = self.random.randint(node[1], 3)
            if self.values.large and node[1] and self.values.chance(0.5):
                count = self.random.randint(10, 100)
            for _ in range(count):
                self._expand(node[2], out)
        elif kind == "lit":
            out.append((self._literal(node[1]), True))
        else:
            made = getattr(self.values, node[1])(*([node[2]] if node[2] else []))
            # A small number in the place of a time or of a random count would make replies depend on the clock, or
            # on chance; a key replaced by another could bring other scores into the keys of pool x.
            may_replace = node[1] not in ("ttl", "ttlms", "at", "atms", "past", "randcount", "key", "dst", "pair")
            out += [(argument, may_replace) for argument in made]

    def _literal(self, word):
        if word == b"SCANCURSOR":
            return b"0"
        if word == b"BYPATTERN":
            return self.values.pick(BYPATTERNS)
        if word == b"GETPATTERN":
            return self.values.pick(GETPATTERNS)
        return word.lower() if self.values.chance(0.2) else word

    def _break(self, args):
        how = self.random.randrange(3)
        if how == 0 and args:
            del args[self.random.randrange(len(args))]
        elif how == 1:
            args.insert(self.random.randint(0, len(args)), (self.values.word()[0], True))
        else:
            replaceable = [i for i, (_, may) in enumerate(args) if may]
            if replaceable:
                args[self.values.pick(replaceable)] = (self.values.word()[0], True)
