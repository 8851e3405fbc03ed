# SPDX-License-Identifier: BSD-3-Clause
"""Which files of the repository the tidy tests look at, and the layers of src/, low to high.

usage: tests/tidy/sources.py --formatted   prints the files that clang-format formats
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

LAYERS = ["base", "resp", "net", "value", "keyspace", "command", "config", "client", "acl", "engine", "persist",
          "replicate", "cluster", "script", "modhost", "commands", "server"]

CPP = {".h", ".cc", ".c"}


def all_files():
    """Every file that is in the repository or would be after git add, as paths relative to its top."""
    listing = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, check=True).stdout
    names = sorted(name.decode() for name in listing.split(b"\0") if name)
    return [pathlib.Path(name) for name in names if (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


def files(suffixes, under=None):
    return [path for path in all_files() if path.suffix in suffixes and (under is None or path.parts[0] in under)]


def cpp_files():
    return files(CPP)


def text(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def has_shebang(path):
    with open(ROOT / path, "rb") as file:
        return file.read(2) == b"#!"


if __name__ == "__main__":
    if sys.argv[1:] != ["--formatted"]:
        sys.exit(__doc__)
    for name in cpp_files():
        print(name)
