# SPDX-License-Identifier: BSD-3-Clause
"""What may differ between Debian's redis-server (7.0) and a server of level 7.2, with the reason for each.

Only replies that both versions document or show count here. Everything else that differs is a bug of ours.
Differences that a way of comparing covers are told there: digits of floating point numbers (compare.scores), and
encodings of lists and of small sets (runner.Runner.encoding: 7.2 has listpacks where 7.0 has quicklists and hash
tables).
"""

import collections

Difference = collections.namedtuple("Difference", "reason holds")

DIFFERENCES = []


def allowed(command, theirs, ours):
    """The reason why these two replies to a command may differ, or None."""
    for difference in DIFFERENCES:
        if difference.holds(command, theirs, ours):
            return difference.reason
    return None
