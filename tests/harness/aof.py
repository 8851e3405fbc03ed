# SPDX-License-Identifier: BSD-3-Clause
"""What tests of the append-only file share."""

import os
import signal
import subprocess

from harness.resp import encode
from harness.server import wait_until

MANIFEST = "appendonlydir/appendonly.aof.manifest"
INCR = "appendonlydir/appendonly.aof.%d.incr.aof"
ONE_INCR = "file appendonly.aof.1.incr.aof seq 1 type i\n"


def info(connection, field, section="persistence"):
    for line in connection.do("INFO", section).decode().splitlines():
        if line.startswith(field + ":"):
            return line[len(field) + 1:]
    raise KeyError(field)


def wait_for_rewrite(connection):
    # In this order: one that is scheduled may begin between the two looks.
    wait_until(lambda: info(connection, "aof_rewrite_scheduled") == "0" and
               info(connection, "aof_rewrite_in_progress") == "0", what="the end of the rewrite")


def write_set(server, files, manifest=None):
    """Puts files into the folder of a server that is not running."""
    folder = server.folder / "appendonlydir"
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    if manifest is not None:
        (server.folder / MANIFEST).write_text(manifest)


def start_fails(server):
    """Starts the server, which ends with 1, and returns the last line of its log."""
    server.launch()
    assert server.wait() == 1
    return server.log().splitlines()[-1]


def children(server):
    return [int(pid) for pid in subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True,
                                               text=True).stdout.split()]


def digest(connection):
    return connection.do("DEBUG", "DIGEST")


SET = encode(["SET", "a", "b"])


def start_with_file(start_server, path, text):
    path.write_text(text)
    server = start_server(start=False)
    command_line = server.command_line()
    server.command_line = lambda: [command_line[0], str(path), *command_line[1:]]
    server.start()
    return server


def commands_of(data):
    out = []
    while data:
        line, data = data.split(b"\r\n", 1)
        words = []
        for _ in range(int(line[1:])):
            head, data = data.split(b"\r\n", 1)
            words.append(data[:int(head[1:])])
            data = data[int(head[1:]) + 2:]
        out.append(b" ".join(words).decode())
    return out


def limit_files(server, size):
    subprocess.run(["prlimit", "--pid", str(server.pid), f"--fsize={size}:unlimited"], check=True)


def slow(conn, on=True):
    """Background children last until they are killed."""
    conn.do("CONFIG", "SET", "rdb-key-save-delay", 10_000_000 if on else 0)


def kill_child(server, conn):
    wait_until(lambda: children(server))
    for pid in children(server):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: info(conn, "aof_rewrite_in_progress") == info(conn, "rdb_bgsave_in_progress") == "0")
