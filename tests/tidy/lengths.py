#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Lengths of files and functions, and the ratchet of those that are longer than they should be.

usage: tests/tidy/lengths.py            prints what is over the limits
       tests/tidy/lengths.py --update   lowers the entries of long.txt to today's lengths, never raises or adds one
"""

import pathlib
import sys

import functions
import sources

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
RATCHET = pathlib.Path(__file__).with_name("long.txt")


def measure():
    """{name: lines} of all that is over the limit; a name is a path, or path:function."""
    over = {}
    for path in sources.files(sources.CPP | {".py"}):
        text = sources.text(path)
        lines = text.count("\n")
        if lines > FILE_LINES_MAX:
            over[str(path)] = lines
        found = functions.python_functions(text) if path.suffix == ".py" else functions.functions(text)
        for name, _, length in found:
            if length > FUNCTION_LINES_MAX:
                key = f"{path}:{name}".replace(" ", "_")
                over[key] = max(length, over.get(key, 0))
    return over


def allowed():
    """The ratchet: {name: lines it may have}."""
    entries = {}
    for line in RATCHET.read_text().splitlines():
        if line and not line.startswith("#"):
            name, lines = line.split()
            entries[name] = int(lines)
    return entries


def update():
    over = measure()
    kept = {name: min(lines, over[name]) for name, lines in allowed().items() if name in over}
    head = [line for line in RATCHET.read_text().splitlines() if line.startswith("#")]
    RATCHET.write_text("\n".join(head + [f"{name} {lines}" for name, lines in sorted(kept.items())]) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        for over_name, over_lines in sorted(measure().items(), key=lambda item: -item[1]):
            print(over_lines, over_name)
