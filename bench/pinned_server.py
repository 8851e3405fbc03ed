# SPDX-License-Identifier: BSD-3-Clause
"""A server for a benchmark: on a core of its own, without snapshots, on a Unix socket in a folder that goes with it."""

import contextlib
import pathlib
import subprocess
import tempfile
import time


@contextlib.contextmanager
def pinned_server(binary):
    """Gives (process, path of its socket); the process is killed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/s"
        server = subprocess.Popen(["taskset", "-c", "0", binary, "--port", "0", "--unixsocket", path, "--dir", folder, "--save", ""],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not pathlib.Path(path).exists():
                time.sleep(0.01)
            yield server, path
        finally:
            server.kill()
            server.wait()
