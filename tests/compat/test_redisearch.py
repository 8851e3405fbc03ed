# SPDX-License-Identifier: BSD-3-Clause
"""A real module that nobody here wrote: Debian's redisearch.so, unmodified, in Debian's redis-server and in ours.

Both index the same packages of Debian and must give the same answers: fresh, after deletions, after a restart from
RDB, and, ours only, after a restart without the module in between, whose RDB keeps the module's values dormant.
Where answers are compared, the module's garbage collector is off (it runs at random and changes scores), and in most
tests its threads too: with them, which 200 words a prefix expands to is not the same in any two processes. Its threads
have the last three tests.
"""

import contextlib
import os
import threading

import pytest

import catalogue
import compare
from harness.resp import ReplyError, plain
from harness.server import REDIS, Server

MODULE = "/usr/lib/redis/modules/redisearch.so"
DOCUMENTS = int(os.environ.get("REDISEARCH_DOCUMENTS", "25000"))
DOCUMENTS_MIN = 20000
QUERIES = 400
QUERY_SEED = 20240607
# A query that takes longer than its time limit returns what it found so far: on a busy machine not the same twice.
THREADED = ["NOGC", "TIMEOUT", "600000"]
UNTHREADED = [*THREADED, "SAFEMODE"]
SCHEMA = ["name", "TEXT", "WEIGHT", "5.0", "description", "TEXT", "section", "TAG", "size", "NUMERIC", "SORTABLE"]
# What FT.INFO says that follows from the documents alone; its other fields are sizes of allocations and the like.
INFO_FIELDS = [b"index_name", b"index_options", b"fields", b"num_docs", b"max_doc_id", b"num_terms", b"num_records",
               b"inverted_sz_mb", b"offset_vectors_sz_mb", b"records_per_doc_avg", b"offsets_per_term_avg"]

pytestmark = pytest.mark.skipif(not (os.path.exists(REDIS) and os.path.exists(MODULE)),
                                reason="redis-server or redis-redisearch is not installed (script/setup installs them)")


def load_options(*arguments):
    return ["--loadmodule", MODULE, *arguments]


def add_command(index, document):
    name, description, section, size = document
    return ["FT.ADD", index, b"%s:%s" % (index.encode(), name), "1.0", "FIELDS", "name", name, "description",
            description, "section", section, "size", size]


def fill(connection, index, documents, batch=500):
    assert connection.do("FT.CREATE", index, "SCHEMA", *SCHEMA) == b"OK"
    commands = [add_command(index, document) for document in documents]
    for at in range(0, len(commands), batch):
        for reply in connection.pipeline(commands[at:at + batch]):
            assert reply == (b"+", b"OK")


class Pair:
    """The reference and our server, asked the same."""

    def __init__(self, *module_args):
        with contextlib.ExitStack() as started:
            self.servers = [started.enter_context(Server(load_options(*module_args), binary=binary, tcp=False))
                            for binary in (REDIS, None)]
            self.running = started.pop_all()
        self.documents = catalogue.packages(DOCUMENTS)
        self.queries = catalogue.queries(self.documents, QUERIES, QUERY_SEED)
        self.connect()

    def connect(self):
        self.connections = [server.connect(timeout=120) for server in self.servers]

    def close(self):
        self.running.close()

    def both(self, *command):
        return [connection.call(*command) for connection in self.connections]

    def check(self, *command):
        """Asserts equal answers, returns ours."""
        theirs, ours = self.both(*command)
        assert same_answer(theirs, ours), f"{command}\nreference: {theirs!r:.2000}\nours:      {ours!r:.2000}"
        return ours

    def answers(self):
        """Asserts that every query has equal answers, returns ours."""
        return [self.check(*query) for query in self.queries]


def same_answer(theirs, ours):
    """Equal to the letter, but for the order of a document's fields, which is the order of a hash, and the digits of
    scores (compare.scores)."""
    if theirs == ours:
        return True
    if theirs[0] != ours[0] or theirs[0] != b"*" or len(theirs[1]) != len(ours[1]):
        return compare.scores(theirs, ours)
    return all(compare.scores(a, b) or same_answer(a, b) or (a[0] == b"*" and len(a[1]) % 2 == 0 and compare.pairs(a, b))
               for a, b in zip(theirs[1], ours[1]))


@pytest.fixture(scope="module")
def pair():
    pair = Pair(*UNTHREADED)
    yield pair
    pair.close()


def info(reply):
    values = plain(reply)
    assert not isinstance(values, ReplyError), values
    fields = dict(zip(values[::2], values[1::2]))
    return {name: number(fields[name]) for name in INFO_FIELDS}


def number(value):
    """The value as a float if it is one: 7.0 prints 17 digits, 7.2 the fewest that read back the same."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


# The tests of this file build on each other, in this order.


def test_indexing(pair):
    assert len(pair.documents) >= DOCUMENTS_MIN, "apt-cache dumpavail lists too few packages: apt-get update"
    for connection in pair.connections:
        fill(connection, "pkg", pair.documents)
    theirs, ours = map(info, pair.both("FT.INFO", "pkg"))
    assert ours == theirs
    assert ours[b"num_docs"] == len(pair.documents)


def test_queries_find_something(pair):
    """The queries that the other tests compare are worth comparing."""
    answers = pair.answers()
    assert sum(reply[0] == b"*" and reply[1][0][1] != b"0" for reply in answers) > QUERIES // 2
    # Some do not parse, those with a stop word in a phrase for one; their errors are compared too.
    assert sum(reply[0] == b"-" for reply in answers) < QUERIES // 10


@pytest.mark.parametrize("query", [
    ["FT.SEARCH", "pkg", '"text editor"', "LIMIT", "0", "100"],
    ["FT.SEARCH", "pkg", "edit*", "NOCONTENT", "LIMIT", "0", "500"],
    ["FT.SEARCH", "pkg", "@size:[100 (200]", "SORTBY", "size", "DESC", "RETURN", "2", "name", "size"],
    ["FT.SEARCH", "pkg", "library", "HIGHLIGHT", "FIELDS", "1", "description", "TAGS", "<b>", "</b>"],
    ["FT.SEARCH", "pkg", "library -python", "WITHSCORES", "SUMMARIZE"],
    ["FT.SEARCH", "pkg", "game", "INKEYS", "2", "pkg:0ad", "pkg:nosuch"],
    ["FT.SEARCH", "pkg", "game", "FILTER", "size", "10", "1000", "LIMIT", "0", "20"],
    ["FT.SEARCH", "pkg", "game", "EXPLAINSCORE"],
    ["FT.SEARCH", "pkg", "(unbalanced"],
    ["FT.SEARCH", "nosuchindex", "x"],
    ["FT.SEARCH", "pkg"],
    ["FT.SEARCH", "pkg", "x", "LIMIT", "a", "b"],
    ["FT.EXPLAIN", "pkg", "hello (world|people) -@size:[1 (2] pre*"],
    ["FT.AGGREGATE", "pkg", "*", "GROUPBY", "0", "REDUCE", "COUNT", "0", "AS", "n"],
    ["FT.AGGREGATE", "pkg", "x", "GROUPBY"],
    ["FT.GET", "pkg", "pkg:0ad"],
    ["FT.MGET", "pkg", "pkg:0ad", "pkg:nosuch", "pkg:0ad-data"],
    ["FT.CREATE", "pkg", "SCHEMA", "name", "TEXT"],
    ["FT.CREATE", "bad", "SCHEMA", "name", "NOSUCHTYPE"],
    ["FT.ADD", "pkg", "pkg:0ad", "1.0", "FIELDS", "name", "again"],
    ["FT.ADD", "pkg", "x", "not-a-score", "FIELDS", "name", "again"],
    ["FT.ADD", "nosuchindex", "x", "1.0", "FIELDS", "name", "again"],
    ["FT.DEL", "pkg", "nosuchdocument"],
    ["FT.INFO", "nosuchindex"],
    ["FT.DROP", "nosuchindex"],
    ["FT.NOSUCH", "pkg"],
    ["GET", "idx:pkg"],
    ["TYPE", "idx:pkg"],
    ["DBSIZE"],
], ids=lambda query: " ".join(query)[:50])
def test_single_commands(pair, query):
    pair.check(*query)


def test_tag_values(pair):
    theirs, ours = pair.both("FT.TAGVALS", "pkg", "section")
    assert compare.unordered(theirs, ours)


def test_suggestions(pair):
    for i, (name, *_) in enumerate(pair.documents[:500]):
        pair.check("FT.SUGADD", "names", name, 1 + i % 7)
    for prefix in ("a", "ab", "acl", "lib", "zzz"):
        pair.check("FT.SUGGET", "names", prefix, "MAX", 10, "WITHSCORES")
        pair.check("FT.SUGGET", "names", prefix, "FUZZY")
    pair.check("FT.SUGDEL", "names", pair.documents[0][0])
    pair.check("FT.SUGLEN", "names")


def test_replace_and_delete(pair):
    for name, description, section, size in pair.documents[100:200]:
        pair.check("FT.ADD", "pkg", b"pkg:" + name, "0.5", "REPLACE", "FIELDS", "name", name, "description",
                   description + b" replacement", "section", section, "size", size)
    for name, *_ in pair.documents[:5000:5]:
        pair.check("FT.DEL", "pkg", b"pkg:" + name)
    for name, *_ in pair.documents[1:3000:5]:
        pair.check("FT.DEL", "pkg", b"pkg:" + name, "DD")
    pair.check("FT.SEARCH", "pkg", "replacement", "LIMIT", "0", "200", "NOCONTENT")
    theirs, ours = map(info, pair.both("FT.INFO", "pkg"))
    assert ours == theirs
    pair.answers()


def test_restart_keeps_the_answers(pair):
    before = pair.answers()
    size = pair.check("DBSIZE")
    for connection in pair.connections:
        assert connection.do("SAVE") == b"OK"
    for server in pair.servers:
        server.restart()
    pair.connect()
    assert pair.check("DBSIZE") == size
    # The module itself answers some queries otherwise after a restart, on Redis too: scores know of deleted documents.
    kept = sum(map(same_answer, before, pair.answers()))
    assert kept > QUERIES // 2


def test_restart_without_the_module_keeps_the_answers(pair, ours_only):
    for connection in pair.connections:
        assert connection.do("SAVE") == b"OK"
    reference, server = pair.servers
    reference.restart()
    before = [pair.connections[1].call(*query) for query in pair.queries]
    connection = pair.connections[1]
    size = connection.do("DBSIZE")
    kinds = {key: connection.do("TYPE", key) for key in sorted(connection.do("KEYS", "*"))[::20] + [b"idx:pkg"]}
    assert b"ft_index0" in kinds.values()

    server.restart([])
    with server.connect() as dormant:
        assert dormant.do("DBSIZE") == size
        assert {key: dormant.do("TYPE", key) for key in kinds} == kinds
        assert "unknown command" in dormant.error("FT.SEARCH", "pkg", "library")
        assert dormant.do("SAVE") == b"OK"

    server.restart(load_options(*UNTHREADED))
    pair.connect()
    assert all(map(same_answer, before, pair.answers()))
    # The revived index takes new documents.
    for connection in pair.connections:
        assert connection.do(*add_command("pkg", (b"backplane", b"revived library", b"database", b"77"))) == b"OK"
    pair.check("FT.SEARCH", "pkg", "revived")
    pair.check("FT.DROP", "pkg")
    pair.check("FT.SEARCH", "pkg", "library")


@pytest.fixture(scope="module")
def threaded_pair():
    """The same with the module's threads at work, which need blocked clients, thread-safe contexts and the host lock."""
    pair = Pair(*THREADED)
    yield pair
    pair.close()


def test_threads(threaded_pair):
    for connection in threaded_pair.connections:
        fill(connection, "pkg", threaded_pair.documents)
    for query in threaded_pair.queries:
        if "*" not in query[2] and "%" not in query[2]:
            threaded_pair.check(*query)


def test_cursors(threaded_pair):
    """An aggregation read in pieces; a cursor's number is random. Without threads this module crashes here."""
    pieces = []
    for connection in threaded_pair.connections:
        rows, cursor = plain(connection.call("FT.AGGREGATE", "pkg", "library", "LOAD", 1, "@name", "WITHCURSOR",
                                             "COUNT", 100))
        collected = rows[1:]
        while cursor:
            rows, cursor = plain(connection.call("FT.CURSOR", "READ", "pkg", cursor))
            collected += rows[1:]
        pieces.append(collected)
    assert len(pieces[1]) > 1000
    assert pieces[1] == pieces[0]


def test_many_clients_index_at_once_with_garbage_collection(start_server):
    """The module's threads, blocked clients and timers at work: whatever the order was, the right documents are there."""
    server = start_server(*load_options(), tcp=False)
    documents = catalogue.packages(8000)
    with server.connect(timeout=120) as connection:
        fill(connection, "par", [])
    failures = []

    def work(share):
        try:
            with server.connect(timeout=120) as connection:
                for document in share:
                    assert connection.do(*add_command("par", document)) == b"OK"
                for name, *_ in share[::3]:
                    assert connection.do("FT.DEL", "par", b"par:" + name) == 1
        except BaseException as failure:
            failures.append(failure)

    workers = [threading.Thread(target=work, args=(documents[i::8],)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures, failures

    deleted = {name for i in range(8) for name, *_ in documents[i::8][::3]}
    with server.connect(timeout=120) as connection:
        fields = info(connection.call("FT.INFO", "par"))
        assert int(fields[b"num_docs"]) == len(documents) - len(deleted)
        sizes = [int(size) for name, _, _, size in documents if name not in deleted]
        reply = connection.do("FT.SEARCH", "par", "@size:[1000 2000]", "NOCONTENT", "LIMIT", 0, 10000)
        assert reply[0] == len(reply) - 1 == sum(1000 <= size <= 2000 for size in sizes)
        assert not {b"par:" + name for name in deleted} & set(reply[1:])
