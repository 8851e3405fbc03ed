# SPDX-License-Identifier: BSD-3-Clause
"""Functions that one module exports and another uses."""

import pytest


@pytest.mark.parametrize("modules", [["shared_export", "shared_import"], ["shared_import", "shared_export"]])
def test_in_either_order(start_with, modules):
    conn = start_with(modules).connect()
    assert conn.do("sharedimport.add", 40, 2) == 42
    assert conn.do("sharedexport.calls") == 1


def test_without_the_other(start_with):
    conn = start_with(["shared_import"]).connect()
    assert conn.error("sharedimport.add", 1, 2) == "ERR not exported"


def test_a_module_in_use_stays(start_with):
    conn = start_with(["shared_export", "shared_import"]).connect()
    assert conn.do("sharedimport.add", 1, 2) == 3
    used = conn.do("info", "modules").decode()
    assert "name=sharedexport,ver=1,api=1,filters=0,usedby=[sharedimport],using=[]" in used
    assert "name=sharedimport,ver=1,api=1,filters=0,usedby=[],using=[sharedexport]" in used
    assert conn.error("module", "unload", "sharedexport").startswith(
        "ERR Error unloading module: the module exports APIs used by other modules.")
    assert conn.do("sharedimport.add", 1, 2) == 3
    assert conn.do("module", "unload", "sharedimport") == b"OK"
    assert conn.do("module", "unload", "sharedexport") == b"OK"
