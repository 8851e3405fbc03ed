# SPDX-License-Identifier: BSD-3-Clause
"""Adds up the test results of script/test.

usage: totals.py RESULTS STEP:STATUS...   RESULTS has a JUnit file STEP.xml for each step that ran tests

Prints what failed and what was skipped and why; the last line is "N passed, N failed, N skipped". Exits with 1 if
anything failed. A step without a file counts as one test. One that failed although its file knows of no failure
counts as one failure more.
"""

import collections
import pathlib
import sys
import xml.etree.ElementTree as xml

# pytest's status for a run that selected no tests.
NO_TESTS = 5


def outcomes(path):
    """(name, "passed" | "failed" | "skipped", message) of each test in a JUnit file."""
    for case in xml.parse(path).getroot().iter("testcase"):
        name = ".".join(filter(None, [case.get("classname"), case.get("name")]))
        outcome, message = "passed", ""
        for child in case:
            if child.tag in ("failure", "error"):
                outcome, message = "failed", child.get("message") or ""
                break
            if child.tag == "skipped":
                outcome, message = "skipped", child.get("message") or ""
        # ctest says it with an attribute.
        if case.get("status") in ("notrun", "disabled") and outcome != "failed":
            outcome = "skipped"
        elif case.get("status") == "fail":
            outcome = "failed"
        yield name, outcome, message


def main(results, steps):
    counts = collections.Counter()
    failed, skipped = [], collections.Counter()
    for step in steps:
        name, _, status = step.rpartition(":")
        path = pathlib.Path(results) / f"{name}.xml"
        here = collections.Counter()
        if path.exists():
            for test, outcome, message in outcomes(path):
                here[outcome] += 1
                if outcome == "failed":
                    failed.append(f"{name}: {test}")
                elif outcome == "skipped":
                    skipped[f"{name}: {message or test}"] += 1
            if status != "0" and int(status) != NO_TESTS and not here["failed"]:
                here["failed"] += 1
                failed.append(f"{name}: ended with status {status}")
        else:
            here["passed" if status == "0" else "failed"] += 1
            if status != "0":
                failed.append(f"{name}: ended with status {status}")
        counts += here
    for reason, count in sorted(skipped.items()):
        print(f"skipped {count}  {reason}")
    for test in failed:
        print(f"FAILED  {test}")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
