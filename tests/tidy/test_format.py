# SPDX-License-Identifier: BSD-3-Clause
"""clang-format has nothing to change."""

import subprocess

import sources

FILES_AT_ONCE = 50


def test_clang_format():
    names = [str(path) for path in sources.cpp_files()]
    wrong = set()
    for at in range(0, len(names), FILES_AT_ONCE):
        result = subprocess.run(["clang-format", "--dry-run", *names[at:at + FILES_AT_ONCE]], cwd=sources.ROOT,
                                capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        wrong |= {line.split(":")[0] for line in result.stderr.splitlines() if "clang-format-violations" in line}
    assert not wrong, "script/format repairs these"
