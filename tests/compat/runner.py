# SPDX-License-Identifier: BSD-3-Clause
"""Sends generated commands to a reference and to the server under test and compares every reply.

Commands go out in batches, alternately on a RESP2 and a RESP3 connection, the same on both servers. A command that
is `alone` (random or multi-call) ends the batch and is run by a procedure of its own that leaves both servers in
equal states.

A subscriber on each server gets all keyspace events; after each batch they must have been the same, in order.
"""

import collections

import compare
import differences
from generate import Command
from harness.resp import OK, QUEUED, Connection, encode

BATCH_COMMANDS = 200
DATABASES = 3
EVENTS_PATTERN = "__key*__:*"
HISTORY_SHOWN = 5

Mismatch = collections.namedtuple("Mismatch", "index command theirs ours history")


def show(reply, limit=600):
    text = repr(reply)
    return text if len(text) <= limit else text[:limit] + f"... ({len(text)} characters)"


def _is_number(text):
    try:
        return int(text) is not None
    except ValueError:
        return False


def show_command(args):
    return " ".join(repr(arg)[1:] for arg in args)


class Runner:
    """Runs commands on two servers given by their socket paths. `mismatches` collects what differed."""

    def __init__(self, theirs, ours, with_events=False):
        self.targets = (theirs, ours)
        self.with_events = with_events
        self.subscribers = []
        self.links = []  # For RESP2 and RESP3: a connection to each of the two.
        self.queues = []  # For each link: the commands queued since MULTI, or None.
        self.mismatches = []
        self.history = []
        self.count = 0
        self._connect()

    def _connect(self):
        for connections in [*self.links, self.subscribers]:
            for connection in connections:
                connection.close()
        self.links = [[Connection(target, protocol) for target in self.targets] for protocol in (2, 3)]
        self.queues = [None, None]
        if self.with_events:
            self.subscribers = [Connection(target) for target in self.targets]
            for subscriber, connection in zip(self.subscribers, self.links[0]):
                connection.do("CONFIG", "SET", "notify-keyspace-events", "KEA")
                subscriber.do("PSUBSCRIBE", EVENTS_PATTERN)

    def reset(self):
        """Empties both servers and starts new connections, so that one mismatch does not cause more."""
        self._connect()
        for connection in self.links[0]:
            connection.do("FLUSHALL")

    def run(self, generator, commands_max, mismatches_max=1):
        """Runs commands until so many were run or so many replies differed. True if none did."""
        link = 0
        batch = []
        for group in generator.groups():
            if group[0].alone:
                self._send(link, batch)
                batch = []
                self._alone(link, group[0])
            else:
                batch += group
                if len(batch) >= BATCH_COMMANDS:
                    self._send(link, batch)
                    batch = []
                    link = 1 - link
            if self.count >= commands_max or len(self.mismatches) >= mismatches_max:
                break
        if len(self.mismatches) < mismatches_max:
            self._send(link, batch)
            self.compare_keyspaces()
        return not self.mismatches

    # Batches.

    def _send(self, link, batch):
        data = b"".join(encode(command.args) for command in batch)
        for connection in self.links[link]:
            connection.send_bytes(data)
        # All replies are read before any is judged, so that a mismatch leaves the connections usable.
        theirs, ours = ([connection.read() for _ in batch] for connection in self.links[link])
        for command, their_reply, our_reply in zip(batch, theirs, ours):
            if not self._judge(link, command, their_reply, our_reply):
                return
        self._compare_events()

    def _compare_events(self):
        """Reads all events since the last time from both subscribers."""
        if not self.with_events:
            return
        events = []
        for subscriber in self.subscribers:
            subscriber.send("PING")
            received = []
            while (message := subscriber.read())[1][0][1] == b"pmessage":
                event = (message[1][2][1], message[1][3][1])
                if not differences.is_newer_event(event):
                    received.append(event)
            events.append(received)
        theirs, ours = events
        if theirs == ours:
            return
        at = next((i for i, (a, b) in enumerate(zip(theirs, ours)) if a != b), min(len(theirs), len(ours)))
        shown = [b" ".join(b" ".join(event) for event in side[at:at + 4]) for side in events]
        key = next((side[at][1] if side[at][0].startswith(b"__keyevent") else side[at][0].split(b":", 1)[1]
                    for side in events if len(side) > at), b"")
        self._mismatch(Command([b"(keyspace events)"], compare.exact, None, [key]), (b"$", shown[0]), (b"$", shown[1]))

    def _judge(self, link, command, theirs, ours):
        self.count += 1
        self.history.append(command)
        queue = self.queues[link]
        name = command.args[0].upper()
        if theirs == QUEUED and ours == QUEUED and queue is not None:
            queue.append(command)
            return True
        agree = command.compare(theirs, ours)
        if name == b"MULTI" and theirs == OK:
            self.queues[link] = []
        elif name in (b"EXEC", b"DISCARD") and queue is not None:
            # EXEC with arguments is refused and leaves the transaction open.
            if not (len(command.args) > 1 and theirs[0] == b"-" and b"EXECABORT" not in theirs[1]):
                self.queues[link] = None
            if name == b"EXEC" and not agree and theirs[0] == ours[0] == b"*" and theirs[1] and ours[1]:
                for inner, a, b in zip(queue, theirs[1], ours[1]):
                    if not inner.compare(a, b) and not differences.allowed(inner, a, b):
                        command, theirs, ours = inner, a, b
                        break
                else:
                    agree = len(theirs[1]) == len(ours[1])
        if agree or differences.allowed(command, theirs, ours):
            return True
        self._mismatch(command, theirs, ours)
        return False

    def _mismatch(self, command, theirs, ours):
        keys = set(command.keys)
        before = self.history if command not in self.history[-1:] else self.history[:-1]
        related = [c for c in before if not keys.isdisjoint(c.args)][-HISTORY_SHOWN:]
        self.mismatches.append(Mismatch(self.count, command, theirs, ours, related))
        self.reset()

    # Commands that run alone.

    def _alone(self, link, command):
        if self.queues[link] is not None:
            return
        mismatches = len(self.mismatches)
        getattr(self, command.alone)(link, command)
        if len(self.mismatches) == mismatches:
            self._compare_events()

    def _both(self, link, *args):
        for connection in self.links[link]:
            connection.send(*args)
        return [connection.read() for connection in self.links[link]]

    def _judge_with(self, link, command, how, theirs, ours):
        return self._judge(link, command._replace(compare=how), theirs, ours)

    def spop(self, link, command):
        """Each server takes members of its own choice; then both get the set that is left on the reference.

        The set is made anew on both, because which members are left also decides its encoding.
        """
        theirs, ours = self._both(link, *command.args)
        if not self._judge_with(link, command, compare.shape, theirs, ours) or theirs[0] == b"-":
            return
        key = command.args[1]
        left = [[item[1] for item in reply[1]] for reply in self._both(link, "SMEMBERS", key)]
        before = [sorted(self._members(reply) + rest) for reply, rest in zip((theirs, ours), left)]
        if before[0] != before[1]:
            self._mismatch(command, (b"$", b"taken and left: %r" % before[0]), (b"$", b"taken and left: %r" % before[1]))
            return
        if left[0]:
            expires = self._both(link, "PEXPIRETIME", key)[0][1]
            self._both(link, "DEL", key)
            self._both(link, "SADD", key, *sorted(left[0]))
            if expires != b"-1":
                self._both(link, "PEXPIREAT", key, expires)

    @staticmethod
    def _members(reply):
        kind, payload = reply
        if payload is None or kind == b"_":
            return []
        return [item[1] for item in payload] if isinstance(payload, list) else [payload]

    def scan(self, link, command):
        """A whole iteration on each server: every element must come, however often and in whatever order."""
        theirs, ours = (self._scan_all(connection, command.args) for connection in self.links[link])
        self._judge_with(link, command, compare.scores, theirs, ours)

    @staticmethod
    def _scan_all(connection, args):
        """The distinct elements as one sorted reply, or the reply itself when the command fails."""
        name = args[0].upper()
        at = 1 if name == b"SCAN" else 2
        args = list(args)
        if len(args) > at and _is_number(args[at]):
            args[at] = b"0"
        elements = {}
        while True:
            reply = connection.call(*args)
            if reply[0] != b"*":
                return reply
            cursor, items = reply[1]
            step = 2 if name in (b"HSCAN", b"ZSCAN") else 1
            for i in range(0, len(items[1]), step):
                elements[items[1][i][1]] = (b"*", items[1][i:i + step])
            if cursor[1] == b"0":
                return b"*", [elements[name] for name in sorted(elements)]
            args[at] = cursor[1]

    def encoding(self, link, command):
        """OBJECT ENCODING, where it is the same in 7.0 and 7.2."""
        if len(command.args) == 3:
            kind = self._both(link, "TYPE", command.args[2])[0][1]
            if kind == b"list":
                return
        theirs, ours = self._both(link, *command.args)
        if len(command.args) == 3 and kind == b"set" and ours == (b"$", b"listpack"):
            ours = (b"$", b"hashtable")
        self._judge_with(link, command, compare.exact, theirs, ours)

    def sort(self, link, command):
        """SORT BY, which leaves a set unsorted when the pattern has no *: then any order will do, and no LIMIT."""
        how = compare.exact
        if len(command.args) > 1 and self._both(link, "TYPE", command.args[1])[0][1] == b"set":
            words = [arg.upper() for arg in command.args]
            if not any(b"*" in b for a, b in zip(words, words[1:]) if a == b"BY"):
                if b"LIMIT" in words:
                    return
                how = compare.unordered
        self._judge_with(link, command, how, *self._both(link, *command.args))

    # The end.

    CONTENTS = {
        b"string": (("GET", "{}"), compare.exact),
        b"list": (("LRANGE", "{}", 0, -1), compare.exact),
        b"set": (("SMEMBERS", "{}"), compare.unordered),
        b"hash": (("HGETALL", "{}"), compare.pairs),
        b"zset": (("ZRANGE", "{}", 0, -1, "WITHSCORES"), compare.scores),
        b"stream": (("XRANGE", "{}", "-", "+"), compare.exact),
    }

    def compare_keyspaces(self):
        """Every key of every database: type, contents, time to live."""
        for connection in self.links[0]:
            connection.call("DISCARD")
        for database in range(DATABASES):
            self._both(0, "SELECT", database)
            listed = self._both(0, "KEYS", "*")
            if not self._same_state(compare.unordered, ("KEYS", "*"), *listed):
                return
            for _, key in sorted(listed[0][1]):
                kinds = self._both(0, "TYPE", key)
                if not self._same_state(compare.exact, ("TYPE", key), *kinds):
                    return
                command, how = self.CONTENTS[kinds[0][1]]
                for args, judge in ((command, how), (("PTTL", "{}"), compare.near_ms)):
                    args = [key if arg == "{}" else arg for arg in args]
                    if not self._same_state(judge, args, *self._both(0, *args)):
                        return

    def _same_state(self, how, args, theirs, ours):
        args = [arg if isinstance(arg, bytes) else str(arg).encode() for arg in args]
        if how(theirs, ours):
            return True
        self._mismatch(Command(args, how, None, args[1:2]), theirs, ours)
        return False

    def report(self, seed):
        lines = []
        for m in self.mismatches:
            lines += [f"MISMATCH seed {seed}, command number {m.index}: {show_command(m.command.args)}",
                      f"  reference: {show(m.theirs)}", f"  ours:      {show(m.ours)}",
                      "  before, on the same keys:"]
            lines += [f"    {show_command(c.args)[:300]}" for c in m.history]
        return "\n".join(lines)
