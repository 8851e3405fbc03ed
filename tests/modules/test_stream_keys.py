# SPDX-License-Identifier: BSD-3-Clause
"""Stream values through the low-level functions, the iterator included."""

import pytest

MODULES = ["stream_keys"]

LAST = "18446744073709551615-18446744073709551615"


def fill(conn, count=5):
    for i in range(1, count + 1):
        conn.do("XADD", "s", f"{i}-1", "a", i, *(["b", "x"] if i % 2 == 0 else []))


def entry(i):
    return [f"{i}-1".encode(), 2 if i % 2 == 0 else 1, b"a", b"%d" % i] + ([b"b", b"x"] if i % 2 == 0 else [])


def test_add(conn):
    assert conn.do("streamkeys.add", "s", "w", "-", "5-5", "a", "1", "b", "2") == b"5-5"
    made = conn.do("streamkeys.add", "s", "rw", "a", "0-0", "c", "3")
    assert int(made.split(b"-")[0]) > 1600000000000
    assert conn.do("XRANGE", "s", "-", "+") == [[b"5-5", [b"a", b"1", b"b", b"2"]], [made, [b"c", b"3"]]]
    assert conn.do("XINFO", "STREAM", "s")[5 * 2 + 1] == 2  # entries-added


@pytest.mark.parametrize("mode, flag, identifier, outcome", [
    ("r", "-", "9-9", b"EBADF"), ("w", "-", "5-5", b"EDOM"), ("w", "-", "0-0", b"EDOM"), ("w", "x", "9-9", b"EINVAL"),
    ("w", "n", "9-9", b"EINVAL"),
])
def test_wrong_add(conn, mode, flag, identifier, outcome):
    conn.do("XADD", "s", "5-5", "a", "b")
    assert conn.do("streamkeys.add", "s", mode, flag, identifier, "a", "b") == outcome
    assert conn.do("XLEN", "s") == 1


def test_add_where_it_cannot_be(conn):
    conn.do("SET", "text", "x")
    assert conn.do("streamkeys.add", "text", "rw", "-", "1-1", "a", "b") == b"ENOTSUP"
    conn.do("XADD", "full", LAST, "a", "b")
    assert conn.do("streamkeys.add", "full", "rw", "a", "0-0", "a", "b") == b"EFBIG"
    # A refused entry makes no key.
    assert conn.do("streamkeys.add", "none", "rw", "-", "0-0", "a", "b") == b"EDOM"
    assert conn.do("EXISTS", "none") == 0


def test_add_wakes_who_waits(conn, server):
    reader = server.connect()
    reader.send("XREAD", "BLOCK", "0", "STREAMS", "s", "$")
    while b"cmd=xread" not in conn.do("CLIENT", "LIST"):
        pass
    conn.do("streamkeys.add", "s", "w", "-", "1-1", "a", "b")
    assert reader.read() == (b"*", [(b"*", [(b"$", b"s"), (b"*", [(b"*", [(b"$", b"1-1"), (b"*", [(b"$", b"a"), (b"$", b"b")])])])])])
    reader.close()


def test_delete(conn):
    fill(conn)
    assert conn.do("streamkeys.delete", "s", "rw", "2-1") == b"OK"
    assert conn.do("streamkeys.delete", "s", "rw", "2-1") == b"ENOENT"
    assert conn.do("streamkeys.delete", "s", "r", "3-1") == b"EBADF"
    conn.do("SET", "text", "x")
    assert conn.do("streamkeys.delete", "text", "rw", "3-1") == b"ENOTSUP"
    assert conn.do("streamkeys.delete", "none", "w", "3-1") == b"ENOTSUP"
    assert conn.do("XLEN", "s") == 4
    for i in (1, 3, 4, 5):
        assert conn.do("streamkeys.delete", "s", "rw", f"{i}-1") == b"OK"
    assert conn.do("EXISTS", "s") == 1  # an empty stream stays


@pytest.mark.parametrize("flags, start, end, ids", [
    ("-", "null", "null", [1, 2, 3, 4, 5]), ("r", "null", "null", [5, 4, 3, 2, 1]), ("-", "2-0", "4-1", [2, 3, 4]),
    ("r", "2-2", "4-1", [4, 3]), ("e", "1-1", "4-1", [2, 3]), ("re", "1-1", "5-1", [4, 3, 2]), ("-", "6-0", "null", []),
    ("e", "null", "3-1", [1, 2]),
])
@pytest.mark.parametrize("act", ["none", "call"])
def test_range(conn, flags, start, end, ids, act):
    fill(conn)
    assert conn.do("streamkeys.range", "s", "rw", flags, start, end, act) == [entry(i) for i in ids]


@pytest.mark.parametrize("flags", ["-", "r"])
def test_deleting_while_iterating(conn, flags):
    fill(conn, 300)
    ids = list(range(1, 301))
    assert conn.do("streamkeys.range", "s", "rw", flags, "null", "null", "delete") == \
        [entry(i) for i in (reversed(ids) if flags == "r" else ids)]
    assert conn.do("XLEN", "s") == 0 and conn.do("EXISTS", "s") == 1
    fill_again = conn.do("XADD", "s", "*", "a", "b")
    assert conn.do("XRANGE", "s", "-", "+") == [[fill_again, [b"a", b"b"]]]


def test_wrong_ranges(conn):
    fill(conn)
    conn.do("SET", "text", "x")
    assert conn.do("streamkeys.range", "text", "rw", "-", "null", "null", "none") == b"ENOTSUP"
    assert conn.do("streamkeys.range", "none", "w", "-", "null", "null", "none") == b"ENOTSUP"
    assert conn.do("streamkeys.range", "s", "r", "x", "null", "null", "none") == b"EINVAL"
    assert conn.do("streamkeys.range", "s", "r", "e", LAST, "null", "none") == b"EDOM"
    assert conn.do("streamkeys.range", "s", "r", "e", "null", "0-0", "none") == b"EDOM"


@pytest.mark.parametrize("mode, letters, outcomes", [
    ("rw", "nfdx", "EBADF EBADF EBADF EBADF"),
    ("rw", "ssx", "OK EBADF OK"),
    ("rw", "sfd", "OK ENOENT ENOENT"),
    ("rw", "snfff", "OK OK OK ENOENT ENOENT"),
    ("rw", "snddf", "OK OK OK ENOENT ENOENT"),
    ("rw", "snnnf", "OK OK OK ENOENT ENOENT"),
    ("rw", "se", "OK EBADF"),
    ("rw", "sxe", "OK OK OK"),
    ("r", "snd", "OK OK EBADF"),
])
def test_steps(conn, mode, letters, outcomes):
    conn.do("XADD", "s", "1-1", "a", "b")
    conn.do("XADD", "s", "2-1", "a", "b")
    assert conn.do("streamkeys.steps", "s", mode, letters) == outcomes.encode().split()


def test_trim(conn):
    fill(conn, 250)
    assert conn.do("streamkeys.trim", "s", "rw", "a", "length", 120) == 100
    assert conn.do("streamkeys.trim", "s", "rw", "-", "length", 120) == 30
    assert conn.do("streamkeys.trim", "s", "rw", "-", "id", "150-1") == 19
    assert conn.do("streamkeys.trim", "s", "rw", "a", "id", "250-1") == 51
    assert conn.do("XLEN", "s") == 50
    assert conn.do("streamkeys.trim", "s", "rw", "x", "length", 0) == b"EINVAL"
    assert conn.do("streamkeys.trim", "s", "rw", "-", "length", -1) == b"EINVAL"
    assert conn.do("streamkeys.trim", "s", "r", "-", "length", 0) == b"EBADF"
    conn.do("SET", "text", "x")
    assert conn.do("streamkeys.trim", "text", "rw", "-", "id", "1-1") == b"ENOTSUP"


def test_an_approximate_trim_has_a_limit(conn):
    """A hundred nodes at once."""
    conn.do("config", "set", "stream-node-max-entries", 10)
    fill(conn, 2500)
    assert [conn.do("streamkeys.trim", "s", "rw", "a", "length", 0) for _ in range(3)] == [1000, 1000, 500]
    conn.do("config", "set", "stream-node-max-entries", 100)


def test_ids(conn):
    for text, same in (("1-2", b"1-2"), ("7", b"7-0"), ("-", b"0-0"), ("+", LAST.encode())):
        assert conn.do("streamkeys.id", text) == same
    for text in ("", "x", "1-", "-1", "(1-1", "18446744073709551616"):
        assert conn.error("streamkeys.id", text) == "ERR no id"
