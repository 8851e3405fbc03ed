# SPDX-License-Identifier: BSD-3-Clause
"""Loads that are tried in a child first, what INSPECT says, and which files may be loaded."""

import hashlib
import json
import os
import shutil
import subprocess

import pytest

from harness.resp import ReplyError, plain
from harness.server import Server, binary_under_test

FAILED = "^ERR Error loading the extension. Please check the server logs. "


def as_map(reply):
    return dict(zip(reply[::2], reply[1::2]))


@pytest.fixture
def conn(start_server):
    server = start_server("--module-probe-timeout", 400)
    connection = server.connect()
    connection.server = server
    return connection


@pytest.mark.parametrize("word,why", [("crash", r"crashed with SIGSEGV at CrashHere\+\d+ \(stock_v1.so\) in phase 'OnLoad'"),
                                      ("hang", "did not come to an end in phase 'OnLoad'"),
                                      ("exit", "its process ended in phase 'OnLoad'"),
                                      ("fail", "initialization failed. Module not loaded")])
def test_a_load_that_goes_wrong_is_an_error_reply(conn, stock, word, why):
    conn.do("set", "x", 1)
    other = conn.server.connect()
    other.send("module", "load", stock("v1"), word)
    # Nobody waits for the child.
    assert conn.do("get", "x") == b"1"
    answer = plain(other.read())
    with pytest.raises(ReplyError, match=FAILED + ".*" + why):
        raise answer
    assert conn.do("module", "list") == []
    assert other.do("module", "load", stock("v1")) == b"OK"


@pytest.mark.parametrize("word", ["crash", "hang", "fail"])
def test_at_start_it_ends_the_start(stock, word):
    server = Server(["--module-probe-timeout", "400", "--loadmodule", stock("v1"), word], start=False)
    server.launch()
    assert server.wait() == 1
    assert "was tried in a child process" in server.log()
    assert "server aborting" in server.log()
    server.close()


def test_in_a_transaction_the_server_waits(conn, stock):
    conn.do("multi")
    conn.do("module", "load", stock("v1"), "crash")
    conn.do("module", "load", stock("v1"))
    crashed, loaded = conn.do("exec")
    assert "crashed with SIGSEGV" in str(crashed) and loaded == b"OK"
    assert conn.do("stock.version") == 1


def test_inspect(conn, stock):
    report = as_map(conn.do("module", "inspect", stock("v1"), "crash"))
    assert report[b"ok"] == 0 and report[b"signal"] == b"SIGSEGV" and b"CrashHere" in report[b"place"]
    report = as_map(conn.do("module", "inspect", stock("v2")))
    assert report[b"ok"] == 1 and report[b"problem"] == b""
    assert report[b"name"] == b"stock" and report[b"version"] == 2 and report[b"api-version"] == 1
    assert report[b"on-unload"] == 1
    assert report[b"types"] == [b"stock-tst", 2]
    assert b"stock.wait" in report[b"commands"]
    assert report[b"options"] == [b"stock.limit", b"stock.note", b"stock.fresh"]
    assert b"RedisModule_CreateKeyMetaClass" in report[b"missing-functions"]
    assert conn.do("module", "list") == []
    with pytest.raises(ReplyError, match="No such file"):
        conn.do("module", "inspect", "/nowhere.so")


def test_a_tried_load_cannot_shut_down(conn, server, stock):
    assert as_map(conn.do("module", "inspect", stock("v1"), "shutdown"))[b"ok"] == 1
    # The socket's file is there, and somebody listens.
    with server.connect() as another:
        assert another.do("ping") == b"PONG"


def test_inspect_from_the_command_line(stock, tmp_path):
    def inspect(*words):
        return subprocess.run([binary_under_test(), "--inspect-module", *map(str, words)], capture_output=True,
                              text=True, timeout=60, cwd=tmp_path)

    fine = inspect(stock("v2"))
    assert fine.returncode == 0, fine.stderr
    report = json.loads(fine.stdout)
    assert report["ok"] and report["types"] == [{"name": "stock-tst", "encver": 2}]
    broken = inspect(stock("v2"), "crash")
    assert broken.returncode == 1
    assert json.loads(broken.stdout)["signal"] == "SIGSEGV"
    none = inspect("/nowhere.so")
    assert none.returncode == 2 and "No such file" in none.stderr
    assert os.listdir(tmp_path) == []


def test_module_directories(start_server, stock, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    shutil.copy(stock("v1"), allowed / "in.so")
    (allowed / "link.so").symlink_to(stock("v1"))
    server = start_server("--module-directories", "/nowhere", allowed)
    conn = server.connect()
    for path in (stock("v1"), allowed / "link.so", f"{allowed}/../x.so"):
        with pytest.raises(ReplyError, match=FAILED + ".*(none of the directories|No such file)"):
            conn.do("module", "load", path)
    assert conn.do("module", "load", allowed / "in.so") == b"OK"
    with pytest.raises(ReplyError, match="none of the directories"):
        conn.do("module", "upgrade", "stock", stock("v2"))
    for wider in ("", "/", f"/nowhere {allowed} /tmp"):
        with pytest.raises(ReplyError, match="can be taken off the list, not added"):
            conn.do("config", "set", "module-directories", wider)
    assert conn.do("config", "get", "module-directories")[1] == f"/nowhere {allowed}".encode()
    conn.do("config", "set", "module-directories", "/nowhere")
    with pytest.raises(ReplyError, match="none of the directories"):
        conn.do("module", "upgrade", "stock", allowed / "in.so")


@pytest.mark.parametrize("mode,folder_mode,why", [(0o757, 0o755, "everybody may write it"),
                                                  (0o755, 0o777, "Its folder .* is not safe: everybody may write it"),
                                                  (0o644, 0o755, "does not have execute permissions"),
                                                  (0o755, 0o1777, None)])
def test_files_that_others_may_change(conn, stock, tmp_path, mode, folder_mode, why):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "m.so"
    shutil.copy(stock("v1"), path)
    path.chmod(mode)
    folder.chmod(folder_mode)
    if why is None:
        assert conn.do("module", "load", path) == b"OK"
        return
    with pytest.raises(ReplyError, match=FAILED + ".*" + why):
        conn.do("module", "load", path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_files_of_other_users(conn, stock, tmp_path):
    path = tmp_path / "m.so"
    shutil.copy(stock("v1"), path)
    os.chown(path, 12345, 0)
    with pytest.raises(ReplyError, match="another user owns it"):
        conn.do("module", "load", path)
    os.chown(path, 0, 12345)
    path.chmod(0o775)
    with pytest.raises(ReplyError, match="another group may write it"):
        conn.do("module", "load", path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_folders_of_other_users(conn, stock, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = shutil.copy(stock("v1"), folder / "m.so")
    os.chown(folder, 12345, 0)
    # In a folder with the sticky bit its owner may still replace what lies there.
    for mode in (0o755, 0o1777):
        folder.chmod(mode)
        with pytest.raises(ReplyError, match="folder is not safe: (another user owns it|everybody may write it)"):
            conn.do("module", "load", path)
    os.chown(folder, 0, 12345)
    folder.chmod(0o775)
    with pytest.raises(ReplyError, match="folder is not safe: another group may write it"):
        conn.do("module", "load", path)


def test_every_folder_up_to_the_allowed_one(start_server, stock, tmp_path):
    deep = tmp_path / "allowed" / "loose" / "deep"
    deep.mkdir(parents=True)
    path = shutil.copy(stock("v1"), deep / "m.so")
    (tmp_path / "allowed" / "loose").chmod(0o777)
    # What lies above the allowed one is its operator's matter.
    tmp_path.chmod(0o777)
    server = start_server("--module-directories", tmp_path / "allowed")
    conn = server.connect()
    with pytest.raises(ReplyError, match="loose is not safe: everybody may write it"):
        conn.do("module", "load", path)
    (tmp_path / "allowed" / "loose").chmod(0o755)
    assert conn.do("module", "load", path) == b"OK"


def test_a_pinned_digest(start_server, stock, tmp_path):
    digest = hashlib.sha256(stock("v1").read_bytes()).hexdigest()
    server = start_server("--loadmodule", stock("v1"), f"sha256:{digest}", "first")
    conn = server.connect()
    assert conn.do("module", "list")[0][7] == [b"first"]
    with pytest.raises(ReplyError, match=f"Its SHA-256 digest is {digest}"):
        conn.do("module", "load", shutil.copy(stock("v1"), tmp_path / "x.so"), "sha256:" + "0" * 64)
    with pytest.raises(ReplyError, match="64 hexadecimal digits"):
        conn.do("module", "load", tmp_path / "x.so", "sha256:abc")
    new = hashlib.sha256(stock("v2").read_bytes()).hexdigest()
    with pytest.raises(ReplyError, match="Its SHA-256 digest is"):
        conn.do("module", "upgrade", "stock", stock("v2"), "args", f"sha256:{digest}")
    conn.do("module", "upgrade", "stock", stock("v2"), "args", f"sha256:{new.upper()}", "second")
    assert conn.do("module", "list")[0][7] == [b"second"]
