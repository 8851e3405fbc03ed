# SPDX-License-Identifier: BSD-3-Clause
"""What a server's process holds, as the kernel counts it: nothing of a module may be left there."""

import os
import pathlib


def resident_kb(server):
    """Resident memory."""
    return int(_status(server, "VmRSS"))


def threads(server):
    """Without those of the allocator, which it starts when it sees fit (jemalloc-bg-thread)."""
    return sum(not name.startswith("jemalloc_bg") for name in _of_threads(server, "comm"))


def mappings(server):
    """Mapped pieces of module files."""
    return sum("stock_" in line or "memfd" in line for line in open(f"/proc/{server.pid}/maps"))


def files(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def children(server):
    """Processes that it has started and that are not gone: rehearsals, probes, also those that nobody waited for."""
    return sum(len(pids.split()) for pids in _of_threads(server, "children"))


def held(server):
    """What must be the same after as before, whatever was loaded and unloaded in between."""
    return {"threads": threads(server), "mappings": mappings(server), "files": files(server), "children": children(server)}


def _of_threads(server, name):
    """The file of that name of each thread; one may end meanwhile."""
    for path in pathlib.Path(f"/proc/{server.pid}/task").glob("*/" + name):
        try:
            yield path.read_text()
        except (FileNotFoundError, ProcessLookupError):
            pass


def _status(server, name):
    lines = open(f"/proc/{server.pid}/status")
    return next(line.split()[1] for line in lines if line.startswith(name + ":"))
