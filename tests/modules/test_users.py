# SPDX-License-Identifier: BSD-3-Clause
"""Users and permissions as modules see them. Needs level 7.2: Debian's redis-server 7.0 lacks some of the functions."""

import re
import time

import pytest

from harness.server import wait_until

MODULES = ["users"]
ACCESS, INSERT, DELETE, UPDATE = 1 << 4, 1 << 6, 1 << 7, 1 << 5
PATTERN, PUBLISH, SUBSCRIBE, UNSUBSCRIBE = 1, 2, 4, 8


@pytest.fixture(autouse=True)
def newest(release):
    if release < (7, 2):
        pytest.skip("needs functions of 7.2")


@pytest.fixture
def limited(conn):
    conn.do("acl", "setuser", "limited", "reset", "on", "nopass", "+get", "+set", "%R~r*", "%W~w*", "&chat:*", "&p*")
    yield "limited"
    conn.do("acl", "deluser", "limited")


def test_command_checks(conn, limited):
    assert conn.do("users.check", limited, "command", "get", "r1") == b"OK"
    assert conn.do("users.check", limited, "command", "get", "w1") == b"EACCES"
    assert conn.do("users.check", limited, "command", "del", "w1") == b"EACCES"
    assert conn.do("users.check", limited, "command", "nosuch") == b"ENOENT"
    assert conn.do("users.check", "nobody", "command", "get", "r1") is None
    conn.do("acl", "setuser", limited, "off")
    assert conn.do("users.check", limited, "command", "get", "r1") is None


def test_categories(conn):
    (row,) = conn.do("command", "info", "users.check")
    assert set(row[6]) == {b"@read", b"@connection", b"@geo"}
    (row,) = conn.do("command", "info", "users.rule")
    assert row[6] == []  # no category follows from flags
    assert b"users.check" in conn.do("acl", "cat", "geo")
    conn.do("acl", "setuser", "ranked", "reset", "+@connection")
    assert conn.do("acl", "dryrun", "ranked", "users.check", "x") == b"OK"
    assert conn.do("acl", "dryrun", "ranked", "users.rule", "x") != b"OK"
    conn.do("acl", "deluser", "ranked")


def test_key_checks(conn, limited):
    for key, flags, outcome in [("r1", ACCESS, b"OK"), ("r1", UPDATE, b"EACCES"), ("w1", INSERT | DELETE, b"OK"),
                                ("w1", ACCESS | UPDATE, b"EACCES"), ("w1", 0, b"OK"), ("x", 0, b"EACCES"),
                                ("r1", 1 << 20, b"EINVAL")]:
        assert conn.do("users.check", limited, "key", key, flags) == outcome, (key, flags)


def test_channel_checks(conn, limited):
    for channel, flags, outcome in [("chat:1", PUBLISH, b"OK"), ("x", SUBSCRIBE, b"EACCES"), ("x", UNSUBSCRIBE, b"OK"),
                                    ("p*", SUBSCRIBE | PATTERN, b"OK"), ("p1*", SUBSCRIBE | PATTERN, b"EACCES"),
                                    ("x", 1 << 20, b"EINVAL")]:
        assert conn.do("users.check", limited, "channel", channel, flags) == outcome, (channel, flags)


def test_calls_as_the_callers_user(conn, server, limited):
    conn.do("acl", "setuser", limited, "+@all", "-del")
    client = server.connect()
    client.do("auth", limited, "x")
    assert client.do("users.call", "C", "set", "w1", "v") == b"OK"
    assert client.do("users.call", "C", "set", "x", "v") == b"EACCES"
    assert client.error("users.call", "CE", "set", "x", "v") == "NOPERM No permissions to access a key"
    assert client.error("users.call", "CE", "del", "w1") == "NOPERM User limited has no permissions to run the 'del' command"
    assert client.do("users.call", "", "set", "x", "v") == b"OK"  # Without C the module may do everything.
    entry = conn.do("acl", "log", 1)[0]
    assert entry[3] == b"command" and entry[5] == b"module" and entry[7] == b"del" and entry[9] == b"limited"


def test_calls_as_the_modules_user(conn):
    conn.do("users.new", "mine")
    assert conn.do("users.rules", "~* &* +@all -set") == b"off sanitize-payload ~* &* +@all -set"
    assert conn.do("users.callas", "C", "get", "x") in (None, b"v")
    assert conn.error("users.callas", "CE", "set", "x", "v") == "NOPERM User mine has no permissions to run the 'set' command"
    # Scripts that it calls are bound as well.
    text = conn.error("users.callas", "CE", "eval", "return redis.call('set', 'x', 1)", "0")
    assert text.startswith("ERR ACL failure in script: User mine has no permissions to run the 'set' command")
    # The log shows the client whose command called the script.
    entry = conn.do("acl", "log", 1)[0]
    described = dict(zip(entry[::2], entry[1::2]))
    assert described[b"username"] == b"mine" and b"cmd=users.callas " in described[b"client-info"]
    assert b"id=%d " % conn.do("client", "id") in described[b"client-info"]
    assert conn.do("users.callas", "", "set", "x", "v") == b"OK"


def test_rules(conn):
    conn.do("users.new", "mine")
    assert conn.do("users.rule", "+get") == b"OK"
    assert conn.do("users.rule", "nonsense") == b"EINVAL"
    assert "nonsense" in conn.error("users.rules", "+set nonsense")
    assert conn.do("users.rules", "(~a +del)") == b"off sanitize-payload resetchannels -@all +get (~a resetchannels -@all +del)"
    assert b"mine" not in conn.do("acl", "users")


def test_logging_in(conn, server, limited):
    client = server.connect()
    changes = conn.do("users.changes")[0]
    conn.do("users.new", "mine")
    assert client.error("users.login") == "ERR refused"  # It is off.
    conn.do("users.rules", "on +@all ~*")
    own_id = client.do("client", "id")
    assert client.do("users.login") == own_id
    assert client.do("acl", "whoami") == b"mine"
    assert client.error("users.login", "nobody") == "ERR refused"
    conn.do("acl", "setuser", limited, "+@all")
    assert client.do("users.login", limited) == own_id
    assert client.do("acl", "whoami") == b"limited"
    assert conn.do("users.changes") == [changes + 1, own_id]
    client.do("auth", "default", "")
    assert conn.do("users.changes") == [changes + 2, own_id]
    client.do("auth", "default", "")
    assert conn.do("users.changes") == [changes + 2, own_id]


def test_a_freed_user_takes_its_clients_along(conn, server):
    client = server.connect()
    changes = conn.do("users.changes")[0]
    conn.do("users.new", "mine")
    conn.do("users.rules", "on +@all")
    client.do("users.login")
    conn.do("users.free")
    with pytest.raises((EOFError, ConnectionError)):
        client.do("ping")
    assert conn.do("users.changes")[0] == changes + 1


def test_log_entries(conn):
    conn.do("users.new", "mine")
    for reason, name in [(0, b"auth"), (1, b"command"), (2, b"key"), (3, b"channel")]:
        conn.do("acl", "log", "reset")
        conn.do("users.log", reason, "what")
        entries = conn.do("acl", "log")
        assert [(entry[3], entry[5], entry[7], entry[9]) for entry in entries] == [
            (name, b"module", b"what", b"n"), (name, b"module", b"what", b"mine")]
    conn.do("acl", "log", "reset")
    conn.do("users.log", 9, "what")
    assert conn.do("acl", "log") == []


def test_logins_that_wait(conn, server):
    wrong = b"WRONGPASS invalid username-password pair or user is disabled."
    conn.do("acl", "setuser", "wanda", "on", ">secret", "+@all")
    conn.do("users.gate")
    assert conn.do("users.waiting") == [0, 0, 1]  # Nobody logs in: nobody can be blocked.
    clients = [server.connect() for _ in range(4)]
    conn.do("config", "resetstat")

    def ask(*commands):
        for client, command in zip(clients, commands):
            client.send(*command)
            client.send("acl", "whoami")
        wait_until(lambda: conn.do("users.waiting")[0] == len(commands), what="the logins to wait")

    ask(("auth", "wanda", "open"), ("hello", "2", "auth", "wanda", "open", "setname", "w"))
    assert conn.do("users.decide", 1) == b"OK"
    assert clients[0].read() == (b"+", b"OK")
    assert clients[1].read()[0] == b"*"  # HELLO's own reply.
    assert [client.read() for client in clients[:2]] == [(b"$", b"wanda")] * 2
    assert clients[1].do("client", "getname") == b"w"
    ask(("auth", "wanda", "because"), ("hello", "2", "auth", "wanda", "why not", "setname", "x"))
    conn.do("users.decide", 0)
    assert [client.read() for client in clients[:2]] == [(b"-", b"ERR because"), (b"-", b"ERR why not")]
    assert [client.read() for client in clients[:2]] == [(b"$", b"wanda")] * 2
    assert clients[1].do("client", "getname") == b"w"
    # Not the module's affair: then passwords count.
    ask(("auth", "wanda", "secret"), ("auth", "wanda", "wrong"), ("auth", "walter", "x"))
    conn.do("users.decide", 2)
    assert [client.read() for client in clients[:3]] == [(b"+", b"OK"), (b"-", wrong), (b"-", wrong)]
    assert [client.read()[1] for client in clients[:3]] == [b"wanda", b"wanda", b"default"]
    assert conn.do("users.waiting") == [0, 7, 1]
    stats = conn.do("info", "commandstats").decode()
    assert "cmdstat_auth:calls=5," in stats and "cmdstat_hello:calls=2," in stats
    # What the module has measured counts.
    conn.do("config", "resetstat")
    ask(("auth", "wanda", "secret"))
    time.sleep(0.05)
    conn.do("users.decide", 2)
    assert [clients[0].read()[1] for _ in range(2)] == [b"OK", b"wanda"]
    usec = re.search(r"cmdstat_auth:calls=1,usec=(\d+)", conn.do("info", "commandstats").decode())
    assert int(usec.group(1)) >= 50_000
    # In a transaction nobody can wait; one that hangs up while it waits is forgotten.
    clients[0].do("multi")
    clients[0].do("auth", "wanda", "x")
    assert clients[0].call("exec") == (b"*", [(b"-", b"ERR Blocking module command called from transaction")])
    conn.do("users.decide", 1)
    wait_until(lambda: conn.do("users.waiting")[1] == 9, what="the handle to be freed")
    ask(("auth", "wanda", "x"))
    clients[0].close()
    conn.do("users.decide", 1)
    wait_until(lambda: conn.do("users.waiting")[1] == 10, what="the login to be forgotten")
    conn.do("acl", "deluser", "wanda")


def test_redaction(conn):
    conn.do("config", "set", "slowlog-log-slower-than", "0")
    conn.do("slowlog", "reset")
    assert conn.do("users.redact", "secret", "open", "secret") == [1, 1]
    conn.do("config", "set", "slowlog-log-slower-than", "10000")
    logged = [entry[3] for entry in conn.do("slowlog", "get")]
    assert [b"users.redact", b"(redacted)", b"open", b"(redacted)"] in logged


def test_authentication_by_the_module(conn, server):
    conn.do("acl", "setuser", "guest", "on", ">secret", "+@all")
    client = server.connect()
    wrong = "WRONGPASS invalid username-password pair or user is disabled."
    assert client.error("auth", "guest", "x") == wrong
    conn.do("users.guard")
    assert client.do("auth", "guest", "x") == b"OK"
    assert client.do("acl", "whoami") == b"guest"
    assert client.error("auth", "evil", "x") == wrong
    assert client.error("auth", "evil", "why") == "ERR no evil here"
    assert client.error("hello", "2", "auth", "evil", "why") == "ERR no evil here"
    assert client.do("acl", "whoami") == b"guest"
    assert client.error("auth", "guest", "pass on") == wrong
    assert client.do("auth", "guest", "secret") == b"OK"
    conn.do("module", "unload", "users")
    assert client.error("auth", "evil", "why") == wrong
    conn.do("acl", "deluser", "guest")


def test_a_wait_for_a_login_outlives_another_module(start_with):
    server = start_with(["logins", "users"])
    conn, client = server.connect(), server.connect()
    conn.do("acl", "setuser", "wanda", "on", ">secret", "+@all")
    # Asked are: the gate, the guard, the module that was loaded first.
    conn.do("users.guard")
    conn.do("users.gate")
    client.send("auth", "wanda", "secret")
    wait_until(lambda: conn.do("users.waiting")[0] == 1, what="the login to wait")
    conn.do("module", "unload", "logins")
    conn.do("users.decide", 2)
    # The gate is not asked again.
    assert client.read() == (b"+", b"OK")
    assert conn.do("users.waiting")[0] == 0


def test_who_loses_a_channel_loses_the_connection(start_with):
    server = start_with(["users"])
    conn = server.connect()
    for lose in (("users.rule", "resetchannels"), ("users.rules", "resetchannels &other")):
        conn.do("users.new", "mine")
        conn.do("users.rules", "on +@all ~* &*")
        listener, bystander = server.connect(), server.connect()
        for client in (listener, bystander):
            client.do("users.login")
        listener.do("subscribe", "chat")
        conn.do(*lose)
        with pytest.raises((EOFError, ConnectionError)):
            listener.read()
        assert bystander.do("ping") == b"PONG"
    # Who changes its own user's rules still gets the reply.
    conn.do("users.new", "mine")
    conn.do("users.rules", "on +@all ~* &*")
    listener = server.connect(protocol=3)
    listener.do("users.login")
    listener.call("subscribe", "chat")
    assert listener.do("users.rule", "resetchannels") == b"OK"
    with pytest.raises((EOFError, ConnectionError)):
        listener.do("ping")
    conn.do("users.free")


def test_a_new_acl_file_is_not_about_users_of_modules(start_with, tmp_path):
    file = tmp_path / "users.acl"
    file.write_text("user default on nopass ~* &* +@all\nuser listed on nopass ~* &* +@all\n")
    server = start_with(["users"], "--aclfile", file)
    conn, mine, listed = (server.connect() for _ in range(3))
    conn.do("users.new", "listed")  # Of the same name as another.
    conn.do("users.rules", "on +@all ~* &*")
    mine.do("users.login")
    listed.do("auth", "listed", "x")
    assert conn.do("acl", "load") == b"OK"
    with pytest.raises((EOFError, ConnectionError)):
        listed.do("ping")
    assert mine.do("acl", "whoami") == b"listed"
