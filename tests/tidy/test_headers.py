# SPDX-License-Identifier: BSD-3-Clause
"""Every header of src/ compiles alone.

Where x.cc includes x.h before anything else, its compilation proves that for x.h at no cost, so that is what is
checked. Headers without a source of their own are compiled here, two at a time.
"""

import concurrent.futures
import re
import subprocess
import sys

import sources

FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)


def headers():
    return sources.files({".h"}, under={"src"})


def test_sources_include_their_own_header_first():
    wrong = []
    for header in headers():
        source = header.with_suffix(".cc")
        if (sources.ROOT / source).exists():
            first = FIRST_INCLUDE.search(sources.text(source))
            if not first or first.group(1) != str(header.relative_to("src")):
                wrong.append(f"{source} should include {header.relative_to('src')} before anything else")
    assert not wrong


def test_other_headers_compile_alone(tmp_path):
    alone = [header for header in headers() if not (sources.ROOT / header.with_suffix(".cc")).exists()]
    include, generated = tmp_path / "include", tmp_path / "generated"
    subprocess.run([sys.executable, "-B", sources.ROOT / "api/generate.py", "--include-dir", include,
                    "--generated-dir", generated, "--stamp", tmp_path / "stamp"], check=True)
    lua = subprocess.run(["pkg-config", "--cflags", "lua5.1"], capture_output=True, text=True, check=True).stdout.split()
    command = ["g++", *lua, "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Wno-unused", "-Werror", "-x", "c++",
               "-I", sources.ROOT / "src", "-I", include, "-I", generated]

    def compile_alone(header):
        # Included by a line of text and not given as the main file, where #pragma once is a warning.
        return subprocess.run(command + ["-"], input=f'#include "{header.relative_to("src")}"\n', capture_output=True,
                              text=True)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        failures = [f"{header}:\n{result.stderr[:2000]}" for header, result in
                    zip(alone, pool.map(compile_alone, alone)) if result.returncode]
    assert not failures, "\n".join(failures)
