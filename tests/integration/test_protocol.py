# SPDX-License-Identifier: BSD-3-Clause
"""The wire protocol: inline commands, pipelining, and what is answered to bytes that are no RESP."""

import pytest

from harness.resp import encode

MALFORMED = [
    (b"*x\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*2147483648\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*9999999999999999999999\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*1 \r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*1\r\nxPING\r\n", b"-ERR Protocol error: expected '$', got 'x'\r\n"),
    (b"*1\r\n\r\n", b"-ERR Protocol error: expected '$', got ' '\r\n"),
    (b"*1\r\n$x\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$-1\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$536870913\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$99999999999999999999\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1" + b"0" * 66000, b"-ERR Protocol error: too big mbulk count string\r\n"),
    (b"*1\r\n$1" + b"0" * 66000, b"-ERR Protocol error: too big bulk count string\r\n"),
    (b"a" * 66000, b"-ERR Protocol error: too big inline request\r\n"),
    (b'SET x "unbalanced\r\n', b"-ERR Protocol error: unbalanced quotes in request\r\n"),
    (b"SET x 'unbalanced\r\n", b"-ERR Protocol error: unbalanced quotes in request\r\n"),
    (b'SET x "a"b\r\n', b"-ERR Protocol error: unbalanced quotes in request\r\n"),
]


@pytest.mark.parametrize("data, answer", MALFORMED, ids=[answer[21:50].decode() + f" {i}"
                                                         for i, (_, answer) in enumerate(MALFORMED)])
def test_malformed_requests_get_an_error_and_the_connection_ends(server, data, answer):
    connection = server.connect(tcp=True)
    connection.send_bytes(data)
    assert connection.read_to_end() == answer
    with server.connect() as other:
        assert other.do("PING") == b"PONG"


def test_commands_before_the_malformed_one_are_answered(server):
    connection = server.connect()
    connection.send_bytes(encode(["SET", "a", "1"]) + encode(["INCR", "a"]) + b"*1\r\n?\r\n" + encode(["INCR", "a"]))
    assert connection.read_to_end() == b"+OK\r\n:2\r\n-ERR Protocol error: expected '$', got '?'\r\n"
    with server.connect() as other:
        assert other.raw("GET", "a") == b"$1\r\n2\r\n"


INLINE = [
    (b"PING\r\n", b"+PONG\r\n"),
    (b"PING\n", b"+PONG\r\n"),
    (b"  ping   hello  \r\n", b"$5\r\nhello\r\n"),
    (b'ECHO "a b\\n\\x41\\"\\\\"\r\n', b'$7\r\na b\nA"\\\r\n'),
    (b"ECHO 'it\\'s \\x41'\r\n", b"$9\r\nit's \\x41\r\n"),
    (b'ECHO ""\r\n', b"$0\r\n\r\n"),
    (b"\r\nPING\r\n", b"+PONG\r\n"),
    (b"\r\n\r\n \r\nPING\r\n", b"+PONG\r\n"),
    (b"*0\r\nPING\r\n", b"+PONG\r\n"),
    (b"*-1\r\nPING\r\n", b"+PONG\r\n"),
    (b"NOSUCH a b\r\n", b"-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' \r\n"),
]


@pytest.mark.parametrize("data, answer", INLINE, ids=[repr(data)[2:-1] for data, _ in INLINE])
def test_inline_commands(server, data, answer):
    connection = server.connect()
    connection.send_bytes(data)
    assert connection.read_raw() == answer


def test_inline_and_resp_commands_mix(conn):
    conn.send_bytes(b"SET a 1\r\n" + encode(["INCR", "a"]) + b"INCR a\r\n" + encode(["GET", "a"]))
    assert [conn.read_raw() for _ in range(4)] == [b"+OK\r\n", b":2\r\n", b":3\r\n", b"$1\r\n3\r\n"]


def test_a_request_may_come_byte_by_byte(conn):
    for byte in encode(["SET", "key", "value with\r\nline break"]) + b"ECHO inline\r\n":
        conn.send_bytes(bytes([byte]))
    assert conn.read_raw() == b"+OK\r\n"
    assert conn.read_raw() == b"$6\r\ninline\r\n"
    assert conn.do("GET", "key") == b"value with\r\nline break"


def test_every_cut_of_a_pipeline_gives_the_same_replies(conn):
    data = encode(["SET", "k", "x" * 50]) + encode(["APPEND", "k", ""]) + b"STRLEN k\r\n" + encode(["GET", "k"])
    wanted = b"+OK\r\n:50\r\n:50\r\n$50\r\n" + b"x" * 50 + b"\r\n"
    for cut in range(1, len(data)):
        conn.send_bytes(data[:cut])
        conn.send_bytes(data[cut:])
        assert b"".join(conn.read_raw() for _ in range(4)) == wanted, cut


def test_a_deep_pipeline_keeps_its_order(conn):
    count = 50_000
    replies = conn.pipeline([["INCR", "counter"]] * count)
    assert [int(value) for _, value in replies] == list(range(1, count + 1))


def test_a_pipeline_of_large_and_small_values(conn):
    sizes = [0, 1, 100, 16_000, 32_767, 32_768, 32_769, 65_536, 1_000_000, 5, 3_000_000, 7]
    commands = []
    for i, size in enumerate(sizes):
        commands += [["SET", f"k{i}", bytes([65 + i]) * size], ["STRLEN", f"k{i}"]]
    replies = conn.pipeline(commands)
    assert [int(value) for _, value in replies[1::2]] == sizes
    for i, (kind, value) in enumerate(conn.pipeline([["GET", f"k{i}"] for i in range(len(sizes))])):
        assert kind == b"$" and value == bytes([65 + i]) * sizes[i]


def test_a_command_of_very_many_arguments(conn):
    members = [b"member-%d" % i for i in range(200_000)]
    assert conn.do("SADD", "set", *members) == len(members)
    assert sorted(conn.do("SMEMBERS", "set")) == sorted(members)


def test_a_client_that_goes_away_in_the_middle_of_a_request(server):
    for data in (b"*", b"*3\r\n$3\r\nSET\r\n$1\r\n", b"*2\r\n$4\r\nECHO\r\n$1000000\r\nabc", b"SET a"):
        connection = server.connect(tcp=True)
        connection.send_bytes(data)
        connection.close()
    with server.connect() as other:
        assert other.do("PING") == b"PONG"


def test_before_authentication_requests_have_small_limits(start_server):
    server = start_server("--requirepass", "secret")
    for data, answer in ((b"*11\r\n", b"-ERR Protocol error: unauthenticated multibulk length\r\n"),
                         (b"*1\r\n$16385\r\n", b"-ERR Protocol error: unauthenticated bulk length\r\n")):
        connection = server.connect()
        connection.send_bytes(data)
        assert connection.read_to_end() == answer


def test_proto_max_bulk_len(start_server):
    server = start_server("--proto-max-bulk-len", "1mb")
    connection = server.connect()
    assert connection.raw("SET", "k", b"x" * (1 << 20)) == b"+OK\r\n"
    assert connection.raw("APPEND", "k", "y") == (
        b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n")
    connection.send_bytes(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048577\r\n")
    assert connection.read_to_end() == b"-ERR Protocol error: invalid bulk length\r\n"


def test_client_query_buffer_limit(start_server):
    server = start_server("--client-query-buffer-limit", "1mb")
    connection = server.connect()
    connection.send_bytes(b"*2\r\n$4\r\nECHO\r\n$5000000\r\n")
    try:
        for _ in range(50):
            connection.send_bytes(b"x" * 100_000)
    except OSError:
        pass
    assert connection.read_to_end() == b""
    assert server.connect().do("PING") == b"PONG"


def test_quit(server):
    connection = server.connect()
    connection.send_bytes(b"PING\r\nQUIT\r\nPING\r\n")
    assert connection.read_to_end() == b"+PONG\r\n+OK\r\n"


@pytest.mark.parametrize("first", [b"POST / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_browser_is_cut_off(server, first):
    """A web page that makes a browser send requests here must not get commands run by lines of a body."""
    connection = server.connect(tcp=True)
    connection.send_bytes(first + b"\r\nSET injected 1\r\n")
    answer = connection.read_to_end()
    assert b"OK" not in answer
    with server.connect() as other:
        assert other.raw("EXISTS", "injected") == b":0\r\n"
