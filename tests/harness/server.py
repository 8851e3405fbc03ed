# SPDX-License-Identifier: BSD-3-Clause
"""Server processes for tests: ours, and Debian's redis-server as the reference, started the same way.

The server under test is the one of the environment variable BACKPLANE_SERVER, by default
build/release/backplane-server. Each process gets a folder of its own with its socket, files and log.
"""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness.resp import Connection

ROOT = pathlib.Path(__file__).resolve().parents[2]
REDIS = "/usr/bin/redis-server"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30

_SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|BP_ASSERT|=== (REDIS|BACKPLANE) BUG REPORT START")


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_the_test():
    """Runs in the new process: a test run that is killed leaves no servers behind."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def binary_under_test():
    return os.environ.get("BACKPLANE_SERVER", str(ROOT / "build/release/backplane-server"))


def build_folder():
    """The build folder whose modules go with the server under test."""
    return pathlib.Path(os.environ.get("BACKPLANE_BUILD", ROOT / "build/release"))


def is_sanitized():
    """Whether the server under test is a build with a sanitizer: its memory is not what it seems, and it reports crashes
    itself."""
    return build_folder().name in ("asan", "tsan")


def is_redis(binary):
    """Whether `binary` is Redis itself, which lacks the settings that only Backplane has."""
    return pathlib.Path(binary).name.startswith(("redis", "valkey"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server. `options` is a list of command line words that follow the standard ones, so they win.

    tcp=False starts it with port 0. The folder is removed by close(), not by stop(), so a server can be started
    again on its files with start().
    """

    def __init__(self, options=(), binary=None, tcp=True, start=True):
        self.binary = str(binary or binary_under_test())
        self.options = [str(word) for word in options]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="backplane-test-"))
        self.socket_path = self.folder / "s"
        self.log_path = self.folder / "server.log"
        self.port = free_port() if tcp else 0
        self.process = None
        self._connections = []
        if start:
            try:
                self.start()
            except BaseException:
                self.kill()
                shutil.rmtree(self.folder, ignore_errors=True)
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def pid(self):
        return self.process.pid

    def command_line(self):
        return [self.binary, "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket_path),
                "--dir", str(self.folder), "--save", "", "--daemonize", "no", "--enable-debug-command", "yes",
                "--enable-module-command", "yes"] + self.options

    def start(self, options=None):
        """Starts the process and waits until it answers. `options` replaces the ones given before."""
        if options is not None:
            self.options = [str(word) for word in options]
        self.launch()
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.binary} ended with {self.process.returncode} at start:\n{self.log()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self.binary} did not answer in {START_SECONDS_MAX} s:\n{self.log()}")
            time.sleep(0.01)

    def launch(self):
        """Starts the process without waiting for it."""
        assert self.process is None, "already running"
        if not os.path.exists(self.binary):
            raise RuntimeError(f"no server at {self.binary} (script/build builds it; BACKPLANE_SERVER names another)")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command_line(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env={**os.environ, "LC_ALL": "C"},
                                            preexec_fn=_die_with_the_test)

    def _answers(self):
        try:
            with Connection(self.socket_path, timeout=5) as probe:
                probe.send("PING")
                # Loading and busy replies are not yet an answer; one that asks for a password is.
                return probe.read_raw().startswith((b"+PONG", b"-NOAUTH"))
        except (OSError, EOFError):
            return False

    def connect(self, protocol=2, tcp=False, timeout=30.0):
        """A new connection, closed with the server."""
        connection = Connection(self.port if tcp else self.socket_path, protocol, timeout)
        self._connections.append(connection)
        return connection

    def wait(self, seconds=STOP_SECONDS_MAX):
        """Waits for the process to end by itself, returns its exit status."""
        status = self.process.wait(seconds)
        self.process = None
        return status

    def stop(self):
        """SIGTERM, then SIGKILL if that is not obeyed. Returns the exit status, or None if it was not running."""
        for connection in self._connections:
            connection.close()
        self._connections = []
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{self.binary} did not end within {STOP_SECONDS_MAX} s of SIGTERM:\n{self.log()}")

    def kill(self):
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self, options=None):
        self.stop()
        self.start(options)

    def close(self):
        """Stops the process, removes the folder, and fails if a sanitizer or an assertion wrote into the log."""
        try:
            self.stop()
            log = self.log()
        finally:
            self.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
        report = _SANITIZER_REPORT.search(log)
        if report:
            raise AssertionError("the server's log has a report:\n" + log[max(0, report.start() - 500):][:6000])

    def log(self):
        try:
            return self.log_path.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait_for_log(self, pattern, seconds=START_SECONDS_MAX):
        """Waits until a line of the log matches the regular expression, returns the match."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.log(), re.MULTILINE)
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"no {pattern!r} in the log:\n{self.log()}")
            time.sleep(0.02)


def wait_until(condition, seconds=30, what="the condition"):
    """Polls until condition() is true, returns its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true in {seconds} s"
        time.sleep(0.01)
    return value


def not_yet(reason):
    """Marks a test of something that our server does not do yet: it must fail there, and pass on Redis."""
    import pytest

    return pytest.mark.xfail(not is_redis(binary_under_test()), reason=reason, strict=True)
