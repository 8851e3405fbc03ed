# SPDX-License-Identifier: BSD-3-Clause
"""Blocked clients: unblocked from a command, a thread or a timeout, hung up, aborted, blocked on keys."""

import pytest

from harness.server import wait_until

MODULES = ["blocking"]
pytestmark = pytest.mark.thread


def blocked(conn):
    return int(conn.do("info", "clients").split(b"blocked_clients:")[1].split()[0])


def counts(conn):
    return dict(zip(("replied", "timed out", "disconnected", "freed", "freed disconnected"), conn.do("blocking.counts")))


def changes(before, after):
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


@pytest.fixture
def waiting(server, conn):
    """waiting(1, ms) is a connection that blocks under that name."""
    def block(name, ms=0, *kind):
        connection = server.connect()
        connection.number = connection.do("client", "id")
        was = blocked(conn)
        connection.send("blocking.block", name, ms, *kind)
        wait_until(lambda: blocked(conn) == was + 1)
        return connection
    return block


def test_unblock(conn, waiting):
    before = counts(conn)
    client = waiting(1)
    assert conn.do("blocking.unblock", 1, b"da\0ta") == 0
    assert client.read() == (b"*", [(b":", b"1"), (b":", b"0"), (b":", b"3"), (b"$", b"1"), (b"$", b"da\0ta")])
    wait_until(lambda: changes(before, counts(conn)) == {"replied": 1, "freed": 1})
    assert blocked(conn) == 0
    assert client.do("ping") == b"PONG"


def test_commands_behind_wait(conn, waiting):
    client = waiting(1)
    client.send("set", "k", "after")
    client.send("get", "k")
    assert conn.do("exists", "k") == 0
    conn.do("blocking.unblock", 1)
    assert client.read()[1][4] == (b"$", None)
    assert client.read() == (b"+", b"OK")
    assert client.read() == (b"$", b"after")


def test_timeout(conn, waiting):
    before = counts(conn)
    client = waiting(1, 30)
    assert client.read() == (b"*", [(b":", b"1"), (b"$", b"1")])
    assert changes(before, counts(conn)) == {"timed out": 1}
    # The handle lives on until it is unblocked, which then calls nobody but the one that frees.
    assert conn.do("blocking.unblock", 1, "data") == 0
    wait_until(lambda: changes(before, counts(conn)) == {"timed out": 1, "freed": 1, "freed disconnected": 1}
               or changes(before, counts(conn)) == {"timed out": 1, "freed": 1})
    assert client.do("ping") == b"PONG"


def test_disconnect(conn, waiting):
    before = counts(conn)
    client = waiting(1)
    client.close()
    wait_until(lambda: changes(before, counts(conn)) == {"disconnected": 1})
    assert conn.do("blocking.unblock", 1, "data") == 0
    wait_until(lambda: changes(before, counts(conn)) == {"disconnected": 1, "freed": 1, "freed disconnected": 1})
    assert blocked(conn) == 0


def test_client_kill(conn, waiting):
    before = counts(conn)
    client = waiting(1)
    assert conn.do("client", "kill", "id", client.number) == 1
    wait_until(lambda: changes(before, counts(conn)) == {"disconnected": 1})
    conn.do("blocking.unblock", 1)
    with pytest.raises(EOFError):
        client.read()


@pytest.mark.parametrize("how, reply", [("timeout", (b"*", [(b":", b"1"), (b"$", b"1")])),
                                        ("error", (b"-", b"UNBLOCKED client unblocked via CLIENT UNBLOCK"))])
def test_client_unblock(conn, waiting, how, reply):
    client = waiting(1, 100000)
    assert conn.do("client", "unblock", client.number, how) == 1
    assert client.read() == reply
    conn.do("blocking.unblock", 1)


def test_without_timeout_callback(conn, waiting):
    client = waiting(1, 0, "plain")
    # A client that has no way to time out is not unblocked.
    assert conn.do("client", "unblock", client.number) == 0
    client.close()
    conn.do("blocking.unblock", 1)
    wait_until(lambda: blocked(conn) == 0)


def test_abort(conn):
    before = counts(conn)
    assert conn.do("blocking.abort") == b"aborted"
    assert conn.do("ping") == b"PONG"
    assert blocked(conn) == 0
    assert "replied" not in changes(before, counts(conn))


def test_unblock_inside_the_handler(conn):
    for number in range(50):
        assert conn.do("blocking.now", number) == [1, 0, 2, b"%d" % number, b"%d" % number]


def test_unblock_from_a_thread(server, conn):
    clients = [server.connect() for _ in range(10)]
    for _ in range(20):
        for number, client in enumerate(clients):
            client.send("blocking.thread", number)
        for number, client in enumerate(clients):
            assert client.read()[1][3] == (b"$", b"%d" % number)
    assert blocked(conn) == 0


def test_several_at_once(conn, waiting):
    clients = {name: waiting(name) for name in range(10)}
    for name in reversed(clients):
        conn.do("blocking.unblock", name, f"data {name}")
    for name, client in clients.items():
        assert client.read()[1][4] == (b"$", b"data %d" % name)


def test_a_transaction_cannot_block(conn):
    conn.do("multi")
    conn.do("blocking.block", 1, 0)
    error = conn.do("exec")[0]
    assert str(error) == "ERR Blocking module command called from transaction"
    conn.do("blocking.unblock", 1)
    assert conn.do("ping") == b"PONG"


def test_a_handler_can_ask_whether_it_may_block(conn):
    assert conn.do("blocking.allowed") == 1
    assert conn.do("blocking.call", "blocking.allowed") == 0
    conn.do("multi")
    conn.do("blocking.allowed")
    assert conn.do("exec") == [0]


def test_a_called_command_cannot_block(conn, ours_only):
    """Redis 7.0 ends here: its modules have to ask."""
    assert conn.call("blocking.call", "blocking.block", 1, 0)[0] in (b"-", b"+", b"$")
    conn.do("blocking.unblock", 1)
    assert conn.do("ping") == b"PONG"


def test_keys(server, conn):
    client = server.connect()
    client.send("blocking.keys", 2, 0, "a", "b")
    wait_until(lambda: blocked(conn) == 1)
    conn.do("rpush", "b", "1")
    conn.do("set", "a", "not a list")
    assert blocked(conn) == 1
    conn.do("rpush", "b", "2")
    # The list was there before: its module says when it is worth a look.
    assert blocked(conn) == 1
    conn.do("blocking.signal", "b")
    assert client.read() == (b"*", [(b"$", b"b"), (b"$", b"1")])
    assert conn.do("lrange", "b", 0, -1) == [b"2"]


@pytest.fixture
def asked(server, conn):
    """asked(command...) is how often that makes a client's module look at the key k; wake is said by a flag of
    blocking.look."""
    watcher, clients = server.connect(), []

    def ask(*command, wake="created"):
        if not clients:
            clients.append(server.connect())
            clients[0].send("blocking.look", wake, "k")
            wait_until(lambda: blocked(watcher) == 1)
        before = watcher.do("blocking.looks")
        conn.do(*command)
        return watcher.do("blocking.looks") - before
    yield ask
    for client in [watcher, *clients]:
        client.close()
    wait_until(lambda: blocked(conn) == 0)


def test_who_waits_is_asked_when_the_key_comes_to_be(conn, asked):
    assert asked("rpush", "k", 1) == 1
    assert asked("rpush", "k", 2) == 0
    assert asked("lset", "k", 0, 3) == 0
    assert asked("expire", "k", 1000) == 0
    assert asked("blocking.signal", "k") == 1
    assert asked("del", "k") == 0
    assert asked("lpush", "k", 1) == 1


def test_in_the_place_of_another(conn, asked):
    for key in ("k", "a", "b", "c"):
        conn.do("rpush", key, 1)
    dumped = conn.do("dump", "a")
    assert asked("rpush", "k", 2) == 0
    assert asked("rename", "a", "k") == 1
    assert asked("copy", "b", "k", "replace") == 1
    assert asked("restore", "k", 0, dumped, "replace") == 1
    conn.do("multi")
    conn.do("del", "k")
    conn.do("rpush", "k", 4)
    assert asked("exec") == 1
    conn.do("select", 5)
    conn.do("rpush", "k", 5)
    assert asked("swapdb", 0, 5) == 1
    conn.do("select", 0)


def test_another_type_is_another_value(conn, asked, ours_only):
    """Redis asks of this only who waits for the key to go."""
    conn.do("rpush", "k", 1)
    assert asked("set", "k", "text") == 1
    assert asked("set", "k", "text 2") == 0
    conn.do("rpush", "a", 1)
    assert asked("sort", "a", "store", "k") == 1


@pytest.mark.since("7.2")
def test_who_waits_for_the_key_to_go(conn, asked):
    conn.do("rpush", "k", 1)
    assert asked("rpush", "k", 2, wake="deleted") == 0
    assert asked("del", "k") == 1
    assert asked("rpush", "k", 1) == 1
    assert asked("flushall") == 1


def test_blocking_commands_hear_of_every_change(server, conn, asked):
    """A module in the same queue changes nothing for them."""
    conn.do("rpush", "k", 1)
    assert asked("rpush", "k", 2) == 0
    waiter = server.connect()
    waiter.send("xread", "block", 0, "streams", "k", "0-0")
    assert waiter.read()[0] == b"-"
    waiter.send("blpop", "l", "0")
    module = server.connect()
    module.send("blocking.look", "created", "l")
    wait_until(lambda: blocked(conn) == 3)
    conn.do("rpush", "l", "x")
    assert waiter.read() == (b"*", [(b"$", b"l"), (b"$", b"x")])
    module.close()
    waiter.close()
    wait_until(lambda: blocked(conn) == 1)


def test_keys_timeout(server, conn):
    client = server.connect()
    client.send("blocking.keys", 1, 20, "k")
    assert client.read() == (b"*", [(b":", b"1"), (b"$", b"1")])
    assert blocked(conn) == 0
    conn.do("rpush", "k", "1")
    assert conn.do("llen", "k") == 1


def test_keys_disconnect(server, conn):
    client = server.connect()
    client.send("blocking.keys", 1, 0, "k")
    wait_until(lambda: blocked(conn) == 1)
    client.close()
    wait_until(lambda: blocked(conn) == 0)
    conn.do("rpush", "k", "1")
    assert conn.do("llen", "k") == 1


def test_keys_are_served_in_order(server, conn):
    clients = []
    for number in range(5):
        clients.append(server.connect())
        clients[-1].send("blocking.keys", 1, 0, "k")
        wait_until(lambda: blocked(conn) == number + 1)
    for number in range(5):
        conn.do("rpush", "k", number)
        assert clients[number].read()[1][1] == (b"$", b"%d" % number)


def test_shutdown_while_clients_are_blocked(start_with):
    server = start_with(["blocking"])
    client = server.connect()
    client.send("blocking.block", 1, 0)
    wait_until(lambda: blocked(server.connect()) == 1)
    assert server.stop() == 0


def test_what_a_module_measures_is_its_commands(conn):
    """In commandstats, the histogram and the slow log, once."""
    conn.do("config", "resetstat")
    conn.do("slowlog", "reset")
    conn.do("config", "set", "slowlog-log-slower-than", 50000)
    conn.do("blocking.measured", 1)
    conn.do("config", "set", "slowlog-log-slower-than", 10000)
    entries = [entry for entry in conn.do("slowlog", "get", 10) if entry[3][0] == b"blocking.measured"]
    assert len(entries) == 1 and entries[0][2] >= 50000 and entries[0][3] == [b"blocking.measured", b"1"]
    stats = conn.do("info", "commandstats").decode()
    line = next(line for line in stats.splitlines() if line.startswith("cmdstat_blocking.measured:"))
    assert "calls=1," in line and int(line.split("usec=")[1].split(",")[0]) >= 50000
    histogram = conn.do("latency", "histogram", "blocking.measured")[1]
    assert histogram[1] == 1
