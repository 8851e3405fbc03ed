# SPDX-License-Identifier: BSD-3-Clause
"""What may differ between Debian's redis-server (7.0) and a server of level 7.2, with the reason for each.

Only replies that both versions document or show count here. Everything else that differs is a bug of ours.
Differences that a way of comparing covers are told there: digits of floating point numbers (compare.scores), and
encodings of lists and of small sets (runner.Runner.encoding: 7.2 has listpacks where 7.0 has quicklists and hash
tables).
"""

import collections

import compare

Difference = collections.namedtuple("Difference", "reason holds")



def _words(command):
    return [word.lower() for word in command.args]


def _no_sign(reply):
    """The reply with every -0 as 0."""
    kind, value = reply
    if isinstance(value, list):
        return kind, [_no_sign(item) for item in value]
    return kind, b"0" if value == b"-0" else value


def _up_to_zero(reply):
    """The strings of a reply up to their first zero byte; None for anything else."""
    kind, value = reply
    return [text.split(b"\0")[0] for _, text in value] if kind == b"*" else None


DIFFERENCES = [
    Difference("SORT of a sorted set turns it into a skiplist for good in Redis; ours reads it as it is",
               lambda command, theirs, ours: _words(command)[:2] == [b"object", b"encoding"]
               and theirs == (b"$", b"skiplist") and ours == (b"$", b"listpack")),
    Difference("SORT in 7.0 looks at an errno that an earlier command left behind, and then refuses weights that are numbers",
               lambda command, theirs, ours: _words(command)[0] in (b"sort", b"sort_ro")
               and theirs == (b"-", b"ERR One or more scores can't be converted into double") and ours[0] != b"-"),
    Difference("a score of -0 is 0 in the compact encoding; SORT has given Redis's sorted set the other one",
               lambda command, theirs, ours: _words(command)[0].startswith(b"z")
               and compare.scores(_no_sign(theirs), _no_sign(ours))),
    Difference("SORT ALPHA compares up to a zero byte in Redis: elements that are the same up to there come in any order",
               lambda command, theirs, ours: _words(command)[0] in (b"sort", b"sort_ro") and b"alpha" in _words(command)
               and b"get" not in _words(command) and _up_to_zero(theirs) is not None
               and _up_to_zero(theirs) == _up_to_zero(ours)),
    Difference("LPOS refuses the smallest rank, which it cannot negate, since 7.2",
               lambda command, theirs, ours: _words(command)[0] == b"lpos" and b"-9223372036854775808" in command.args
               and ours[0] == b"-" and ours[1].startswith(b"ERR value is out of range")),
    Difference("7.2 compares the id of XSETID with the newest deleted one",
               lambda command, theirs, ours: _words(command)[0] == b"xsetid"
               and ours == (b"-", b"ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")),
    Difference("7.2 names the command whose list of streams has too few ids",
               lambda command, theirs, ours: _words(command)[0] in (b"xread", b"xreadgroup")
               and theirs[0] == ours[0] == b"-"
               and theirs[1].startswith(b"ERR Unbalanced") and ours[1].startswith(b"ERR Unbalanced")),
]


def is_newer_event(event):
    """7.2 makes a consumer that finds nothing to read or to claim; 7.0 makes it with its first entry. XSETID: see above."""
    return any(name in event or event[0].endswith(b":" + name) for name in (b"xgroup-createconsumer", b"xsetid"))


def allowed(command, theirs, ours):
    """The reason why these two replies to a command may differ, or None."""
    for difference in DIFFERENCES:
        if difference.holds(command, theirs, ours):
            return difference.reason
    return None
