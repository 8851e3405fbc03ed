# SPDX-License-Identifier: BSD-3-Clause
"""Random commands to Debian's redis-server and to ours (random_commands.py runs the same by hand).

COMPAT_COMMANDS sets how many, COMPAT_SEED repeats a run.
"""

import os
import random

import pytest

import compare
import grammar
import random_commands
from harness.server import REDIS

CI_SEED = 13
COMMANDS = int(os.environ.get("COMPAT_COMMANDS", "100000"))


@pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup installs it)")
@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_replies_are_equal_to_the_letter(large):
    # Under CI the same commands every time: what has landed must not fail by chance. Everywhere else new ones.
    chosen = CI_SEED if os.environ.get("CI") else random.SystemRandom().randrange(1 << 31)
    seed = int(os.environ.get("COMPAT_SEED", chosen))
    runner = random_commands.run(COMMANDS // 4 if large else COMMANDS, seed, large)
    assert not runner.mismatches, "\n" + runner.report(seed)


def test_every_row_can_be_compared():
    for row in grammar.ROWS:
        assert row.reply in compare.BY_NAME, row


def bulk(text):
    return (b"$", text) if text is not None else (b"$", None)


@pytest.mark.parametrize("how, theirs, ours, agree", [
    ("exact", (b":", b"1"), (b":", b"01"), False),
    ("exact", (b"$", b""), (b"$", None), False),
    ("exact", (b"+", b"OK"), (b"$", b"OK"), False),
    ("unordered", (b"*", [bulk(b"a"), bulk(b"b")]), (b"*", [bulk(b"b"), bulk(b"a")]), True),
    ("unordered", (b"*", [bulk(b"a"), bulk(b"a")]), (b"*", [bulk(b"a")]), False),
    ("unordered", (b"~", [bulk(b"a")]), (b"*", [bulk(b"a")]), False),
    ("pairs", (b"*", [bulk(b"f"), bulk(b"1"), bulk(b"g"), bulk(b"2")]),
     (b"*", [bulk(b"g"), bulk(b"2"), bulk(b"f"), bulk(b"1")]), True),
    ("pairs", (b"*", [bulk(b"f"), bulk(b"1"), bulk(b"g"), bulk(b"2")]),
     (b"*", [bulk(b"f"), bulk(b"2"), bulk(b"g"), bulk(b"1")]), False),
    ("scores", bulk(b"3.1000000000000001"), bulk(b"3.1"), True),
    ("scores", (b",", b"0.10000000000000001"), (b",", b"0.1"), True),
    ("scores", bulk(b"3.1"), bulk(b"3.2"), False),
    ("scores", bulk(b"1"), bulk(b"1.5"), False),
    ("near", (b":", b"9999"), (b":", b"10000"), True),
    ("near", (b":", b"9990"), (b":", b"10000"), False),
    ("near", (b":", b"-1"), (b":", b"-2"), False),
    ("near_ms", (b":", b"99990000"), (b":", b"99991000"), True),
    ("near_ms", (b":", b"99990000"), (b":", b"99999000"), False),
    ("shape", (b"*", [bulk(b"a")]), (b"*", [bulk(b"b")]), True),
    ("shape", (b"*", [bulk(b"a")]), (b"*", []), False),
    ("shape", (b"-", b"ERR a"), (b"-", b"ERR b"), False),
])
def test_comparisons(how, theirs, ours, agree):
    assert bool(compare.BY_NAME[how](theirs, ours)) == agree
