# SPDX-License-Identifier: BSD-3-Clause
"""How two replies are compared: one function per way that a row of the grammar can name.

Each takes the reply of the reference and of the server under test (tuples, see harness/resp.py) and says whether
they agree. All but `shape` want errors and types equal to the letter.
"""

NEAR_SECONDS = 2
# A time to live is at least this large (values.py), so smaller numbers (-1, -2) are compared exactly.
TIME_MIN = 1000


def exact(theirs, ours):
    return theirs == ours


def unordered(theirs, ours):
    if theirs == ours:
        return True
    return _same_kind_of_list(theirs, ours) and _sorted(theirs[1]) == _sorted(ours[1])


def pairs(theirs, ours):
    """Field, value, field, value... whose pairs come in any order: a RESP2 array or a RESP3 map."""
    if theirs == ours:
        return True
    return _same_kind_of_list(theirs, ours) and _sorted(_paired(theirs[1])) == _sorted(_paired(ours[1]))


def scores(theirs, ours):
    """Exact, but for the digits of floating point numbers.

    Redis 7.0 prints 17 digits (3.1000000000000001), 7.2 the fewest that read back as the same number (3.1).
    """
    if theirs == ours:
        return True
    if theirs[0] != ours[0] or theirs[1] is None or ours[1] is None:
        return False
    if isinstance(theirs[1], list):
        return len(theirs[1]) == len(ours[1]) and all(map(scores, theirs[1], ours[1]))
    if theirs[0] not in (b"$", b","):
        return False
    try:
        return theirs[1] == b"%.17g" % float(ours[1])
    except ValueError:
        return False


def near(theirs, ours):
    """A time in seconds, which may differ by what passed between the two servers' looks at the clock."""
    return theirs == ours or _close(theirs, ours, NEAR_SECONDS)


def near_ms(theirs, ours):
    """The same in milliseconds."""
    return theirs == ours or _close(theirs, ours, NEAR_SECONDS * 1000)


def _close(theirs, ours, tolerance):
    if theirs[0] != b":" or ours[0] != b":":
        return False
    a, b = int(theirs[1]), int(ours[1])
    return min(a, b) >= TIME_MIN and abs(a - b) <= tolerance


def shape(theirs, ours):
    """Replies that are random by their nature: the same types and counts, errors to the letter."""
    if theirs[0] != ours[0] or (theirs[1] is None) != (ours[1] is None):
        return False
    if theirs[0] == b"-":
        return theirs == ours
    if isinstance(theirs[1], list):
        return len(theirs[1]) == len(ours[1]) and all(map(shape, theirs[1], ours[1]))
    return True


def _same_kind_of_list(theirs, ours):
    return theirs[0] == ours[0] and isinstance(theirs[1], list) and isinstance(ours[1], list)


def _sorted(items):
    return sorted(items, key=repr)


def _paired(items):
    return list(zip(items[::2], items[1::2]))


BY_NAME = {f.__name__: f for f in (exact, unordered, pairs, scores, near, near_ms, shape)}
