# SPDX-License-Identifier: BSD-3-Clause
"""What the system sees of the server: its title, its rank for the out-of-memory killer, and options of the process."""

import os
import pathlib
import resource
import shutil
import socket
import stat
import subprocess
import time

import pytest

from harness.resp import ReplyError
from harness.server import Server, binary_under_test, wait_until


def title_of(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")[0].decode()


def oom(pid):
    return int(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text())


def child_of(pid):
    return wait_until(lambda: subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True).stdout.split())[0]


def failure(connection, *command):
    with pytest.raises(ReplyError) as error:
        connection.do(*command)
    return str(error.value)


@pytest.fixture
def own(start_server):
    return start_server()


def test_title(own):
    name = str(own.binary)
    assert title_of(own.pid) == f"{name} 127.0.0.1:{own.port}"
    with own.connect() as conn:
        conn.do("CONFIG", "SET", "proc-title-template", "T {title} {listen-addr}|{server-mode}|{port} {tls-port} {unixsocket} {config-file}{{x")
        assert title_of(own.pid) == f"T {name} 127.0.0.1:{own.port}||{own.port} 0 {own.socket_path} {{x"
        conn.do("CONFIG", "SET", "proc-title-template", "short")
        assert title_of(own.pid) == "short"
        # As much as there is room for.
        conn.do("CONFIG", "SET", "proc-title-template", "long " * 4000)
        assert title_of(own.pid).startswith("long long long")
        for bad in ("", "{x}", "{title", "{server-mode}"):
            assert "template format is invalid or contains unknown variables" in failure(
                conn, "CONFIG", "SET", "proc-title-template", bad)
        assert "immutable" in failure(conn, "CONFIG", "SET", "set-proc-title", "no")


def test_title_follows_ports_and_files(start_server, tmp_path):
    config = tmp_path / "x.conf"
    config.write_text('proc-title-template "{config-file} {port} {listen-addr}"\n')
    with Server(start=False) as server:
        server.command_line = lambda: [server.binary, str(config), *Server.command_line(server)[1:]]
        server.start()
        assert title_of(server.pid) == f"{config} {server.port} 127.0.0.1:{server.port}"
        with server.connect() as conn:
            conn.do("CONFIG", "SET", "port", 0)
            assert title_of(server.pid) == f"{config} 0 unixsocket:{server.socket_path}"


def test_title_of_a_child(own):
    with own.connect() as conn:
        conn.do("SET", "a", "b")
        conn.do("CONFIG", "SET", "rdb-key-save-delay", 10_000_000)
        conn.do("BGSAVE")
        child = child_of(own.pid)
        wait_until(lambda: title_of(child).startswith("backplane-rdb-bgsave 127.0.0.1:"))
        conn.do("CONFIG", "SET", "rdb-key-save-delay", 0)


def test_no_title(start_server):
    server = start_server("--set-proc-title", "no")
    assert title_of(server.pid) == str(server.binary)


def test_the_environment_survives_the_title(own):
    with own.connect() as conn:
        conn.do("CONFIG", "SET", "proc-title-template", "x" * 3000)
        # The resolver, among others, reads it.
        assert conn.do("CONFIG", "SET", "locale-collate", "") == b"OK"
        assert conn.do("PING") == b"PONG"


def test_oom_score(own):
    base = oom(own.pid)
    with own.connect() as conn:
        assert conn.do("CONFIG", "GET", "oom-score-adj-values") == [b"oom-score-adj-values", b"0 200 800"]
        conn.do("CONFIG", "SET", "oom-score-adj-values", "10 20 30")
        assert oom(own.pid) == base
        conn.do("CONFIG", "SET", "oom-score-adj", "yes")
        assert oom(own.pid) == base + 10
        conn.do("CONFIG", "SET", "oom-score-adj-values", "15 20 30")
        assert oom(own.pid) == base + 15
        conn.do("SET", "a", "b")
        conn.do("CONFIG", "SET", "rdb-key-save-delay", 10_000_000)
        conn.do("BGSAVE")
        child = child_of(own.pid)
        wait_until(lambda: oom(child) == base + 30)
        conn.do("CONFIG", "SET", "rdb-key-save-delay", 0)
        conn.do("CONFIG", "SET", "oom-score-adj", "relative")
        assert conn.do("CONFIG", "GET", "oom-score-adj") == [b"oom-score-adj", b"yes"]
        conn.do("CONFIG", "SET", "oom-score-adj", "absolute", "oom-score-adj-values", "7 8 9")
        assert oom(own.pid) == 7
        conn.do("CONFIG", "SET", "oom-score-adj", "no")
        assert oom(own.pid) == base
        assert failure(conn, "CONFIG", "SET", "oom-score-adj-values", "1 2").endswith("- wrong number of arguments")
        for bad in ("1 2 2001", "-2001 1 1", "1 2 x"):
            assert failure(conn, "CONFIG", "SET", "oom-score-adj-values", bad).endswith(
                "- Invalid oom-score-adj-values, elements must be between -2000 and 2000.")


def test_oom_score_at_start(start_server):
    server = start_server("--oom-score-adj", "absolute", "--oom-score-adj-values", 33, 44, 55)
    assert oom(server.pid) == 33


def test_oom_score_that_is_refused(start_server, tmp_path):
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root, to give the right to lower the score up, and setpriv")
    script = tmp_path / "server"
    script.write_text(f'#!/bin/sh\nexec setpriv --bounding-set -sys_resource --inh-caps -all {binary_under_test()} "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    server = start_server(binary=script)
    with server.connect() as conn:
        base = oom(server.pid)
        text = "ERR CONFIG SET failed (possibly related to argument '{}') - Failed to set current oom_score_adj. Check server logs."
        conn.do("CONFIG", "SET", "oom-score-adj-values", "-1000 -1000 -1000")
        assert failure(conn, "CONFIG", "SET", "hz", 20, "oom-score-adj", "yes") == text.format("oom-score-adj")
        assert conn.do("CONFIG", "GET", "oom-score-adj", "hz") == [b"hz", b"10", b"oom-score-adj", b"no"]
        conn.do("CONFIG", "SET", "oom-score-adj-values", "0 100 100", "oom-score-adj", "yes")
        assert failure(conn, "CONFIG", "SET", "oom-score-adj-values", "-1000 -1000 -1000") == text.format("oom-score-adj-values")
        assert conn.do("CONFIG", "GET", "oom-score-adj-values")[1] == b"0 100 100"
        assert oom(server.pid) == base
    server.wait_for_log("Permission denied")


def test_what_was_applied_is_undone_when_another_option_fails(start_server):
    server, other = start_server(), start_server()
    base = oom(server.pid)
    with server.connect() as conn:
        assert "related to argument 'port'" in failure(
            conn, "CONFIG", "SET", "oom-score-adj-values", "1 1 1", "oom-score-adj", "yes", "requirepass", "x", "port", other.port)
        assert oom(server.pid) == base
    # Nor does the password that came with it hold.
    with server.connect(tcp=True) as conn:
        assert conn.do("PING") == b"PONG"


def test_options_without_visible_effect(own):
    with own.connect() as conn:
        for name, values in {"jemalloc-bg-thread": ("no", "yes"), "rdb-save-incremental-fsync": ("no", "yes"),
                             "ignore-warnings": ("ARM64-COW-BUG", ""), "active-expire-effort": ("10", "1")}.items():
            for value in values:
                conn.do("CONFIG", "SET", name, value)
                assert conn.do("CONFIG", "GET", name)[1].decode() == value
        assert failure(conn, "CONFIG", "SET", "active-expire-effort", 11).endswith("- argument must be between 1 and 10 inclusive")
        assert failure(conn, "CONFIG", "SET", "active-expire-effort", 0).endswith("- argument must be between 1 and 10 inclusive")
        assert "immutable" in failure(conn, "CONFIG", "SET", "disable-thp", "no")
        # A file that is synced in pieces is whole.
        conn.do("DEBUG", "POPULATE", 30_000, "key", 1000)
        conn.do("CONFIG", "SET", "rdbcompression", "no")
        digest = conn.do("DEBUG", "DIGEST")
        conn.do("DEBUG", "RELOAD")
        assert conn.do("DEBUG", "DIGEST") == digest


def test_huge_pages(start_server):
    for choice in ("yes", "no"):
        server = start_server("--disable-thp", choice)
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        if "THP_enabled" not in status:
            pytest.skip("this kernel does not tell")
        always = "[always]" in pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
        assert ("THP_enabled:\t0" in status) == (always and choice == "yes")


def test_allocator_threads(start_server):
    from harness.server import is_sanitized
    if is_sanitized():
        pytest.skip("a sanitizer's allocator has no threads")
    server = start_server()

    def has_one():
        folder = pathlib.Path(f"/proc/{server.pid}/task")
        return any(task.joinpath("comm").read_text().startswith("jemalloc_bg") for task in folder.iterdir())

    def free_much(conn):
        keys = [f"k{n}" for n in range(80)]
        for key in keys:
            conn.do("SETRANGE", key, 999_999, "x")
        conn.do("DEL", *keys)

    with server.connect() as conn:
        # It comes when there is something to give back.
        assert not has_one()
        free_much(conn)
        wait_until(has_one)
        conn.do("CONFIG", "SET", "jemalloc-bg-thread", "no")
        wait_until(lambda: not has_one())
        free_much(conn)
        time.sleep(1.5)  # a second in which it would come
        assert not has_one()
        conn.do("CONFIG", "SET", "jemalloc-bg-thread", "yes")
        free_much(conn)
        wait_until(has_one)


LOCALE_SOURCE = "/usr/share/i18n/locales/sv_SE"


@pytest.fixture
def swedish(tmp_path, monkeypatch):
    """A locale of the test's own: the machine may have none but C."""
    if not shutil.which("localedef") or not os.path.exists(LOCALE_SOURCE):
        pytest.skip("localedef and the sources of locales (package locales) are not installed")
    subprocess.run(["localedef", "-i", "sv_SE", "-f", "UTF-8", str(tmp_path / "sv_SE.UTF-8")], check=False, capture_output=True)
    if not (tmp_path / "sv_SE.UTF-8").exists():
        pytest.skip("localedef made no locale")
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    return "sv_SE.UTF-8"


def test_sort_by_a_locale(swedish, start_server):
    server = start_server()
    with server.connect() as conn:
        words = ["b", "B", "a", "A", "ö", "z", "å", "ä", "a\0y", "a\0x"]
        conn.do("RPUSH", "l", *words)
        by_bytes = sorted(word.encode() for word in words)
        assert conn.do("SORT", "l", "ALPHA") == by_bytes
        assert failure(conn, "CONFIG", "SET", "locale-collate", "no_such") == (
            "ERR CONFIG SET failed (possibly related to argument 'locale-collate') - Invalid locale name")
        assert conn.do("CONFIG", "GET", "locale-collate")[1] == b""
        conn.do("CONFIG", "SET", "locale-collate", swedish)
        swedes = [word.encode() for word in ["a", "a\0x", "a\0y", "A", "b", "B", "z", "å", "ä", "ö"]]
        assert conn.do("SORT", "l", "ALPHA") == swedes
        assert conn.do("SORT", "l", "ALPHA", "DESC") == swedes[::-1]
        # What is stored is the same on every server.
        conn.do("SORT", "l", "ALPHA", "STORE", "stored")
        assert conn.do("LRANGE", "stored", 0, -1) == by_bytes
        for word in "åz":
            conn.do("SET", f"w_{word}", word)
        conn.do("RPUSH", "keys", "å", "z")
        assert conn.do("SORT", "keys", "ALPHA", "BY", "w_*") == ["z".encode(), "å".encode()]
        conn.do("CONFIG", "SET", "locale-collate", "C")
        assert conn.do("SORT", "l", "ALPHA") == by_bytes
    server = start_server("--locale-collate", swedish)
    with server.connect() as conn:
        conn.do("RPUSH", "l", "B", "a")
        assert conn.do("SORT", "l", "ALPHA") == [b"a", b"B"]


def files_limit(pid):
    return resource.prlimit(pid, resource.RLIMIT_NOFILE)


def test_open_files_follow_maxclients(start_server):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        server = start_server("--maxclients", "500")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    # The soft limit of most systems is less than the clients that the server takes.
    assert files_limit(server.pid)[0] == 532
    clients = [server.connect() for _ in range(300)]
    assert all(client.do("PING") == b"PONG" for client in clients)
    control = clients[0]
    control.do("CONFIG", "SET", "maxclients", "600")
    assert files_limit(server.pid)[0] == 632
    # What the system does not allow is refused, and stays as it was.
    refused = failure(control, "CONFIG", "SET", "maxclients", "4000000000")
    assert "The operating system is not able to handle the specified number of clients, try with" in refused
    assert control.do("CONFIG", "GET", "maxclients") == [b"maxclients", b"600"]


def test_maxclients_beyond_what_the_system_allows(start_server):
    server = start_server("--maxclients", "4000000000")
    with server.connect() as conn:
        allowed = int(conn.do("CONFIG", "GET", "maxclients")[1])
        assert allowed == files_limit(server.pid)[0] - 32
    assert f"maxclients has been reduced to {allowed}" in server.log()


@pytest.mark.parametrize("mode, shown", [("systemd", "systemd"), ("auto", "systemd"), ("no", "no")])
def test_systemd_is_told(tmp_path, monkeypatch, start_server, mode, shown):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        # A service stays where systemd put it.
        server = start_server("--supervised", mode, *(["--daemonize", "yes"] if mode != "no" else []))
        with server.connect() as conn:
            assert conn.do("CONFIG", "GET", "supervised") == [b"supervised", mode.encode()]
            assert f"process_supervised:{shown}\r\n" in conn.do("INFO", "server").decode()
        if mode == "no":
            manager.setblocking(False)
            with pytest.raises(BlockingIOError):
                manager.recv(1000)
            return
        assert b"READY=1\n" in manager.recv(1000)
        server.stop()
        assert manager.recv(1000) == b"STOPPING=1\n"


def test_supervision_without_systemd(start_server):
    server = start_server("--supervised", "systemd")
    assert "systemd supervision: NOTIFY_SOCKET is not set" in server.log()
    server = start_server("--supervised", "auto")
    with server.connect() as conn:
        assert "process_supervised:no\r\n" in conn.do("INFO", "server").decode()
    assert "supervision" not in server.log()
