# SPDX-License-Identifier: BSD-3-Clause
"""Debian's redisearch.so, unmodified, is upgraded to a copy of itself, unloaded and brought back, with 20,000
documents indexed and clients that search all the while: not one wrong answer, no document lost."""

import shutil
import threading

import pytest

import catalogue
from harness.resp import ReplyError
from harness.server import Server, build_folder, wait_until
from test_redisearch import (DOCUMENTS_MIN, MODULE, QUERIES, QUERY_SEED, THREADED, UNTHREADED, add_command, fill,
                             info, load_options, pytestmark, same_answer)  # noqa: F401

MODES = [(), ("lazy",), ("precopy",), ("lazy", "precopy")]


@pytest.fixture(scope="module", params=[UNTHREADED, THREADED], ids=["unthreaded", "threaded"])
def indexed(ours_only, tmp_path_factory, request):
    """A server with the documents; `server.before` are the answers that are right. One restart, since the module
    answers some queries otherwise after one, on Redis too. Threaded, it searches on threads of its own, which let the
    lock go every now and then."""
    with Server([*load_options(*request.param), "--enable-protected-configs", "yes"], tcp=False) as server:
        server.arguments = request.param
        server.documents = catalogue.packages(DOCUMENTS_MIN)
        server.copy = tmp_path_factory.mktemp("module") / "copy.so"
        shutil.copy(MODULE, server.copy)
        conn = server.connect(timeout=120)
        fill(conn, "pkg", server.documents)
        conn.do("SAVE")
        server.restart()
        conn = server.connect(timeout=120)
        server.queries = catalogue.queries(server.documents, QUERIES, QUERY_SEED)
        server.before = [conn.call(*query) for query in server.queries]
        server.size = conn.do("DBSIZE")
        server.info = info(conn.call("FT.INFO", "pkg"))
        server.types = report(conn, server.copy)[b"types"]
        yield server


def report(conn, path):
    reply = conn.do("MODULE", "UPGRADE", "ft", path, "DRYRUN")
    return dict(zip(reply[::2], reply[1::2]))


def check(server, conn):
    assert conn.do("DBSIZE") == server.size
    assert info(conn.call("FT.INFO", "pkg")) == server.info
    for query, before in zip(server.queries, server.before):
        now = conn.call(*query)
        assert same_answer(before, now), f"{query}\nbefore: {before!r:.1000}\nnow:    {now!r:.1000}"


class Searchers:
    """Clients that search all the while; a wrong answer is remembered."""

    def __init__(self, server, count=3, told=False):
        """`told`: the client may hear that its command has gone, in place of an answer."""
        self.server = server
        self.told = told
        self.stop = threading.Event()
        self.wrong = []
        self.answers = 0
        self.threads = [threading.Thread(target=self.search, args=(i, count)) for i in range(count)]

    def search(self, first, step):
        try:
            with self.server.connect(timeout=120) as conn:
                i = first
                while not self.stop.is_set():
                    query = self.server.queries[i % QUERIES]
                    answer = conn.call(*query)
                    gone = self.told and "UNBLOCKED" in str(answer)
                    if not gone and not same_answer(self.server.before[i % QUERIES], answer):
                        self.wrong.append((query, answer))
                    self.answers += 1
                    i += step
        except Exception as error:  # noqa: BLE001: it is in the list that the test looks at
            self.wrong.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[:3]
        assert self.answers > 0


@pytest.mark.parametrize("mode", MODES, ids=["eager", "lazy", "precopy", "lazy-precopy"])
def test_upgrade_to_a_copy_while_clients_search(indexed, mode):
    conn = indexed.connect(timeout=120)
    path = conn.do("MODULE", "LIST")[0][5].decode()
    other = indexed.copy if path == MODULE else MODULE
    with Searchers(indexed) as searchers:
        wait_until(lambda: searchers.answers > 20)
        reply = conn.do("MODULE", "UPGRADE", "ft", other, *mode)
        seen = searchers.answers
        wait_until(lambda: searchers.answers > seen + 20)
    assert reply[reply.index(b"values") + 1] > 0
    assert conn.do("MODULE", "LIST")[0][5].decode() == str(other)
    wait_until(lambda: conn.do("MODULE", "DORMANT") == [])
    check(indexed, conn)


@pytest.mark.parametrize("mode", MODES, ids=["eager", "lazy", "precopy", "lazy-precopy"])
def test_upgrade_that_does_not_wait_for_threads(indexed, mode):
    """Threads that have not finished go on with what they know."""
    if indexed.arguments is UNTHREADED:
        pytest.skip("there are no threads")
    conn = indexed.connect(timeout=120)
    conn.do("CONFIG", "SET", "module-drain-timeout", 0)
    path = conn.do("MODULE", "LIST")[0][5].decode()
    with Searchers(indexed, told=True) as searchers:
        wait_until(lambda: searchers.answers > 20)
        conn.do("MODULE", "UPGRADE", "ft", indexed.copy if path == MODULE else MODULE, *mode)
        seen = searchers.answers
        wait_until(lambda: searchers.answers > seen + 20)
    conn.do("CONFIG", "SET", "module-drain-timeout", 1000)
    wait_until(lambda: conn.do("MODULE", "DORMANT") == [])
    check(indexed, conn)


@pytest.mark.parametrize("probe", ["yes", "no"])
@pytest.mark.parametrize("mode", ["fail", "crash", "hang", "unreadable"])
def test_a_file_that_cannot_take_over(indexed, mode, probe):
    conn = indexed.connect(timeout=120)
    if probe == "no" and mode in ("crash", "hang"):
        pytest.skip("without a rehearsal such a file takes the server with it")
    conn.do("CONFIG", "SET", "module-load-probe", probe)
    conn.do("CONFIG", "SET", "module-probe-timeout", 1000)
    impostor = build_folder() / "tests/lifecycle/impostor.so"
    with Searchers(indexed) as searchers:
        wait_until(lambda: searchers.answers > 20)
        with pytest.raises(ReplyError, match="Error upgrading module: " + ("" if probe == "yes" else ".*is back")):
            conn.do("MODULE", "UPGRADE", "ft", impostor, "ARGS", mode, *indexed.types)
    conn.do("CONFIG", "SET", "module-load-probe", "yes")
    conn.do("CONFIG", "SET", "module-probe-timeout", 10000)
    check(indexed, conn)


def test_unload_keepdata_and_back(indexed):
    conn = indexed.connect(timeout=120)
    assert conn.do("MODULE", "UNLOAD", "ft", "KEEPDATA") == b"OK"
    assert "unknown command" in conn.error("FT.SEARCH", "pkg", "library")
    assert conn.do("DBSIZE") == indexed.size
    assert conn.do("MODULE", "LOAD", indexed.copy, *indexed.arguments) == b"OK"
    check(indexed, conn)


def test_the_same_over_a_restart(indexed):
    conn = indexed.connect(timeout=120)
    assert conn.do("MODULE", "UNLOAD", "ft", "KEEPDATA") == b"OK"
    conn.do("SAVE")
    indexed.restart([])
    conn = indexed.connect(timeout=120)
    assert conn.do("DBSIZE") == indexed.size
    conn.do("SAVE")
    assert conn.do("MODULE", "LOAD", MODULE, *indexed.arguments) == b"OK"
    check(indexed, conn)
    new = (b"backplane", b"quuxlibrary", b"database", b"77")
    assert conn.do(*add_command("pkg", new)) == b"OK"
    assert conn.do("FT.SEARCH", "pkg", "quuxlibrary", "NOCONTENT")[0] == 1
