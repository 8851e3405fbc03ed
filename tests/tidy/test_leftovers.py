# SPDX-License-Identifier: BSD-3-Clause
"""What must not stay in the repository, and what every source has."""

import re

import sources

# Written so that this file does not match itself.
MARKERS = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(work|root|farm|home/\w+|tmp/bp|tmp/bash_jobs)/")
REGISTRIES = re.compile(r"\b(registry\.npm" r"js\.org|registry\.yarn" r"pkg\.com|py" r"pi\.org|files\.python" r"hosted\.org|"
                        r"crat" r"es\.io|proxy\.gol" r"ang\.org|(?:deb|security)\.deb" r"ian\.org|rubyg" r"ems\.org)\b")
SPDX = "SPDX-License-Identifier: BSD-3-Clause"
BINARY = {".png", ".ico", ".rdb", ".gz", ".so", ".bin"}


def lines_that_match(pattern):
    out = []
    for path in sources.all_files():
        if path.suffix in BINARY:
            continue
        for number, line in enumerate(sources.text(path).splitlines(), 1):
            if pattern.search(line):
                out.append(f"{path}:{number}: {line.strip()[:120]}")
    return out


def test_no_leftover_markers():
    assert not lines_that_match(MARKERS), "finish it, or leave it out and write an issue"


def test_no_paths_of_a_machine():
    assert not lines_that_match(MACHINE_PATHS)


def test_no_registry_host_names():
    assert not lines_that_match(REGISTRIES)


def test_every_source_names_its_licence():
    wanted = [path for path in sources.all_files()
              if path.suffix in sources.CPP | {".py", ".sh"} or (path.suffix == "" and sources.has_shebang(path))]
    without = [str(path) for path in wanted if SPDX not in "\n".join(sources.text(path).splitlines()[:3])]
    assert not without


def test_the_patterns_match():
    assert MARKERS.search("// TO" "DO: later") and not MARKERS.search("mkstemp(dump-XXXXXX)")
    assert MACHINE_PATHS.search('"/wo' 'rk/main/x"') and not MACHINE_PATHS.search("src/work/x")
    assert REGISTRIES.search("https://registry.npm" "js.org/redis")
