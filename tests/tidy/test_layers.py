# SPDX-License-Identifier: BSD-3-Clause
"""The folders of src/ are layers: each includes itself and lower ones only."""

import pathlib
import re

import sources

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
MODULE_HEADERS = {"redismodule.h", "valkeymodule.h"}
ALLOWED = pathlib.Path(__file__).with_name("layers_allowed.txt")


def upward(path, includes):
    """Those of a file's includes that its layer may not have."""
    own = sources.LAYERS.index(path.parts[1])
    for include in includes:
        folder = include.split("/")[0] if "/" in include else None
        if include in MODULE_HEADERS:
            if own < sources.LAYERS.index("modhost"):
                yield include
        elif folder not in sources.LAYERS or sources.LAYERS.index(folder) > own:
            yield include


def test_every_folder_is_a_layer():
    folders = {path.parts[1] for path in sources.files(sources.CPP, under={"src"})}
    assert folders <= set(sources.LAYERS)


def test_includes_go_down():
    found = {f"{path} {include}" for path in sources.files(sources.CPP, under={"src"})
             for include in upward(path, INCLUDE.findall(sources.text(path)))}
    allowed = {line for line in ALLOWED.read_text().splitlines() if line and not line.startswith("#")}
    assert not found - allowed, "these includes go up the layers, or are not paths from src/"
    assert not allowed - found, "these exceptions are no longer needed: remove them from layers_allowed.txt"


def test_the_check_sees_an_include_that_goes_up():
    path = pathlib.Path("src/keyspace/x.cc")
    includes = ["base/result.h", "keyspace/x.h", "engine/engine.h", "x.h", "redismodule.h"]
    assert list(upward(path, includes)) == ["engine/engine.h", "x.h", "redismodule.h"]
    assert not list(upward(pathlib.Path("src/modhost/x.cc"), ["redismodule.h", "engine/engine.h"]))
