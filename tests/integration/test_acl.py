# SPDX-License-Identifier: BSD-3-Clause
"""Users and permissions: rules, checks, the log, files. Texts are those of 7.2."""

import os

import pytest

from harness.server import wait_until

RULE = "ERR Error in ACL SETUSER modifier '%s': %s"
UNKNOWN = "Unknown command or category name in ACL"
AFTER_KEYS = ("Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. "
              "Try 'resetkeys' to start with an empty list of patterns")
AFTER_CHANNELS = ("Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any "
                  "effect. Try 'resetchannels' to start with an empty list of channels")
NO_KEY = "NOPERM No permissions to access a key"
NO_CHANNEL = "NOPERM No permissions to access a channel"


def no_command(user, command):
    return f"NOPERM User {user} has no permissions to run the '{command}' command"


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture
def admin(server):
    return server.connect()


def login(server, name, *rules):
    """A client of a user with these rules."""
    assert server.connect().do("ACL", "SETUSER", name, "on", "nopass", *rules) == b"OK"
    client = server.connect()
    assert client.do("AUTH", name, "any") == b"OK"
    return client


def user(connection, name):
    reply = connection.do("ACL", "GETUSER", name)
    return dict(zip(reply[::2], reply[1::2]))


def commands_of(connection, name):
    return user(connection, name)[b"commands"].decode()


def log(connection, count=10):
    return [dict(zip(entry[::2], entry[1::2])) for entry in connection.do("ACL", "LOG", count)]


def info(connection, field):
    for line in connection.do("INFO", "stats").decode().splitlines():
        if line.startswith(field + ":"):
            return int(line.split(":")[1])
    raise KeyError(field)


# --- rules ---

def test_the_default_user(admin):
    assert admin.do("ACL", "WHOAMI") == b"default"
    assert admin.do("ACL", "USERS") == [b"default"]
    assert admin.do("ACL", "LIST") == [b"user default on nopass sanitize-payload ~* &* +@all"]
    assert admin.error("ACL", "DELUSER", "default") == "ERR The 'default' user cannot be removed"


def test_getuser(admin):
    assert admin.raw("ACL", "GETUSER", "nobody") == b"$-1\r\n"
    assert admin.do("ACL", "SETUSER", "u", "on", ">p", "~a*", "%R~b", "%W~c", "&ch*", "+get", "(+set ~x)") == b"OK"
    hashed = b"148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940"
    assert user(admin, "u") == {
        b"flags": [b"on", b"sanitize-payload"], b"passwords": [hashed], b"commands": b"-@all +get",
        b"keys": b"~a* %R~b %W~c", b"channels": b"&ch*",
        b"selectors": [[b"commands", b"-@all +set", b"keys", b"~x", b"channels", b""]]}
    assert admin.do("ACL", "LIST")[1] == (b"user u on sanitize-payload #" + hashed +
                                          b" ~a* %R~b %W~c resetchannels &ch* -@all +get (~x resetchannels -@all +set)")


@pytest.mark.parametrize("rules, commands", [
    ("+@all -@hash -@slow +hget", "+@all -@hash -@slow +hget"),
    ("+@all -@hash +hget -@hash", "+@all +hget -@hash"),
    ("+@all -@hash +@hash", "+@all +@hash"),
    ("-@string -@slow +@all", "+@all"),
    ("+@HASH +@hash", "-@all +@hash"),
    ("+HGET +hget", "-@all +hget"),
    ("+hget -hset +hset -hget", "-@all +hset -hget"),
    ("+client|list +client|list +config|get +config +acl|list -acl", "-@all +client|list +config -acl"),
    ("+select|0 +select|0 +select|1", "-@all +select|0 +select|1"),
    ("+select|0 +select", "-@all +select"),
    ("-@dangerous", "-@all -@dangerous"),
    ("+config +config|get -config|set +config", "-@all +config"),
    ("allcommands", "+@all"),
    ("allcommands nocommands", "-@all"),
])
def test_rules_overrule_each_other(admin, rules, commands):
    admin.do("ACL", "SETUSER", "u", *rules.split())
    assert commands_of(admin, "u") == commands


@pytest.mark.parametrize("rule, why", [
    ("foo", "Syntax error"), ("%X~b", "Syntax error"), ("%~b", "Syntax error"), ("%RR~b", "Syntax error"),
    ("%R", "Syntax error"), ("~a b", "Syntax error"), ("&a b", "Syntax error"), (" () ", "Syntax error"),
    (")", "Syntax error"), ("(foo)", "Syntax error"), ("+get|", "Syntax error"), ("+foo", UNKNOWN),
    ("+@foo", UNKNOWN), ("-@foo", UNKNOWN), ("+@all|x", UNKNOWN), ("+config|foo", UNKNOWN), ("-config|foo", UNKNOWN),
    ("+get|a|b", UNKNOWN), ("-get|a", UNKNOWN),
    ("+config|get|x", "Allowing first-arg of a subcommand is not supported"),
    ("<zz", "The password you are trying to remove from the user does not exist"),
    ("#zz", "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"),
    ("!" + "A" * 64, "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"),
])
def test_wrong_rules_change_nothing(admin, rule, why):
    admin.do("ACL", "SETUSER", "u", "+get")
    assert admin.error("ACL", "SETUSER", "u", "+set", rule) == RULE % (rule, why)
    assert commands_of(admin, "u") == "-@all +get"


def test_patterns_after_all(admin):
    assert admin.error("ACL", "SETUSER", "u", "~*", "~b") == RULE % ("~b", AFTER_KEYS)
    assert admin.error("ACL", "SETUSER", "u", "allkeys", "%R~b") == RULE % ("%R~b", AFTER_KEYS)
    assert admin.error("ACL", "SETUSER", "u", "&*", "&b") == RULE % ("&b", AFTER_CHANNELS)
    assert admin.do("ACL", "SETUSER", "u", "allkeys", "resetkeys", "~b", "allchannels", "resetchannels", "&c") == b"OK"
    assert admin.do("ACL", "SETUSER", "u", "%R~d", "%W~d", "%R~e") == b"OK"
    assert user(admin, "u")[b"keys"] == b"~b ~d %R~e"


def test_names_and_parentheses(admin):
    assert admin.error("ACL", "SETUSER", "a b", "on") == "ERR Usernames can't contain spaces or null characters"
    assert admin.error("ACL", "SETUSER", b"a\0b") == "ERR Usernames can't contain spaces or null characters"
    assert admin.error("ACL", "SETUSER", "u", "(+get", "~a") == \
        "ERR Unmatched parenthesis in acl selector starting at '(+get'."
    assert admin.do("ACL", "USERS") == [b"default"]
    assert admin.do("ACL", "SETUSER", "u", "(~k1", "+get", ")", "(", "~k2", "+get)") == b"OK"
    assert [selector[3] for selector in user(admin, "u")[b"selectors"]] == [b"~k1", b"~k2"]
    assert admin.do("ACL", "SETUSER", "u", "clearselectors") == b"OK"
    assert user(admin, "u")[b"selectors"] == []


def test_reset(admin):
    admin.do("ACL", "SETUSER", "u")
    fresh = user(admin, "u")
    admin.do("ACL", "SETUSER", "u", "on", ">p", "~*", "&*", "+@all", "(+get)", "skip-sanitize-payload")
    assert user(admin, "u")[b"flags"] == [b"on", b"skip-sanitize-payload"]
    admin.do("ACL", "SETUSER", "u", "reset")
    assert user(admin, "u") == fresh
    assert fresh[b"flags"] == [b"off", b"sanitize-payload"]


def test_passwords(server, admin):
    wrong = "WRONGPASS invalid username-password pair or user is disabled."
    client = server.connect()
    admin.do("ACL", "SETUSER", "u", ">one", ">two", "+ping")
    assert client.error("AUTH", "u", "one") == wrong  # It is off.
    admin.do("ACL", "SETUSER", "u", "on")
    assert client.do("AUTH", "u", "one") == client.do("AUTH", "u", "two") == b"OK"
    assert client.error("AUTH", "u", "three") == wrong
    assert client.error("AUTH", "nobody", "one") == wrong
    admin.do("ACL", "SETUSER", "u", "<one")
    assert client.error("AUTH", "u", "one") == wrong
    hashed = user(admin, "u")[b"passwords"][0].decode()
    admin.do("ACL", "SETUSER", "u", "!" + hashed)
    assert client.error("AUTH", "u", "two") == wrong
    admin.do("ACL", "SETUSER", "u", "#" + hashed)
    assert client.do("HELLO", "2", "AUTH", "u", "two")[0] == b"server"
    admin.do("ACL", "SETUSER", "u", "nopass")
    assert client.do("AUTH", "u", "anything") == b"OK"
    admin.do("ACL", "SETUSER", "u", "resetpass")
    assert client.error("AUTH", "u", "anything") == wrong


# --- checks ---

def test_commands(server):
    client = login(server, "u", "+@string", "-append", "+client|id", "+select|0", "~*")
    assert client.do("SET", "k", "v") == b"OK"
    assert client.error("APPEND", "k", "v") == no_command("u", "append")
    assert client.error("DEL", "k") == no_command("u", "del")
    assert client.do("CLIENT", "ID") > 0
    assert client.error("CLIENT", "LIST") == no_command("u", "client|list")
    assert client.do("SELECT", "0") == b"OK"
    assert client.error("SELECT", "1") == no_command("u", "select")
    # What everybody may do.
    assert client.do("AUTH", "u", "x") == b"OK"
    assert client.do("RESET") == b"RESET"


def test_keys(server):
    client = login(server, "u", "+@all", "%R~r*", "%W~w*", "~rw*")
    assert client.do("GET", "r1") is None
    assert client.error("GET", "w1") == NO_KEY
    assert client.error("SET", "r1", "v") == NO_KEY
    assert client.do("SET", "w1", "v") == b"OK"
    assert client.error("SET", "w1", "v", "GET") == NO_KEY  # It would read.
    assert client.do("SET", "rw1", "v", "GET") is None
    assert client.error("MSET", "w1", "1", "r1", "2") == NO_KEY
    assert client.do("EXISTS", "r1", "w1") == 1  # Tells nothing about the value: any permission will do.
    assert client.error("EXISTS", "x") == NO_KEY
    assert client.do("COPY", "r1", "w2") == 0
    assert client.error("COPY", "w1", "r2") == NO_KEY
    assert client.do("SORT", "r1", "STORE", "w3") == 0
    assert client.error("SORT", "r1", "STORE", "r2") == NO_KEY
    assert client.do("BITFIELD", "r1", "GET", "u8", "0") == [0]
    assert client.error("BITFIELD", "r1", "SET", "u8", "0", "1") == NO_KEY
    assert client.do("EVAL", "return 1", "1", "rw1") == 1
    assert client.error("EVAL", "return 1", "1", "r1") == NO_KEY
    assert client.do("EVAL_RO", "return 1", "1", "r1") == 1
    assert client.do("XREAD", "STREAMS", "r1", "0") is None
    assert client.error("XREAD", "STREAMS", "w1", "0") == NO_KEY


def test_sort_by_other_keys(server):
    by = "ERR BY option of SORT denied due to insufficient ACL permissions."
    get = "ERR GET option of SORT denied due to insufficient ACL permissions."
    client = login(server, "u", "+@all", "~l", "~v*")
    client.do("RPUSH", "l", "2", "1")
    assert client.error("SORT", "l", "BY", "v*") == by
    assert client.error("SORT", "l", "GET", "v*") == get
    assert client.error("SORT_RO", "l", "GET", "#") == get
    assert client.do("SORT", "l", "BY", "nosort") == [b"2", b"1"]
    server.connect().do("ACL", "SETUSER", "u", "%R~*")
    assert client.do("SORT", "l", "BY", "v*", "GET", "#") == [b"1", b"2"]


def test_sort_finds_its_destination_only_where_it_is(server, admin):
    client = login(server, "u", "+@all", "~ok*", "~GET", "~LIMIT")
    admin.do("RPUSH", "ok1", "1")
    assert client.error("SORT", "ok1", "STORE", "secret", "BY", "store", "LIMIT", "0", "5") == NO_KEY
    assert client.error("SORT", "ok1", "STORE", "secret", "GET", "store", "GET", "#") == NO_KEY
    assert admin.do("EXISTS", "secret") == 0


def test_one_selector_must_allow_all_of_a_sort(server, admin):
    client = login(server, "u", "~okl", "~okd", "+sort", "(%R~* +sort)")
    admin.do("RPUSH", "okl", "1")
    assert client.error("SORT", "okl", "BY", "w_*", "STORE", "okd").startswith("ERR BY option of SORT denied")
    assert client.do("SORT", "okl", "BY", "w_*") == [b"1"]


def test_later_rules_take_a_first_argument_back(server):
    client = login(server, "u", "+select|0", "-@connection")
    assert client.error("SELECT", "0") == no_command("u", "select")
    server.connect().do("ACL", "SETUSER", "u", "+select|0")
    assert client.do("SELECT", "0") == b"OK"


def test_what_follows_a_login_in_one_piece(start_server):
    client = start_server("--requirepass", "p").connect()
    pairs = [word for n in range(30) for word in (f"k{n}", "v" * 2000)]
    assert client.pipeline([("AUTH", "p"), ("MSET", *pairs), ("PING",)]) == [(b"+", b"OK"), (b"+", b"OK"), (b"+", b"PONG")]


def test_channels(server):
    client = login(server, "u", "+@all", "~*", "&news", "&chat:*")
    assert client.do("PUBLISH", "news", "m") == 0
    assert client.error("PUBLISH", "other", "m") == NO_CHANNEL
    assert client.error("SPUBLISH", "other", "m") == NO_CHANNEL
    assert client.error("SUBSCRIBE", "news", "other") == NO_CHANNEL
    assert client.error("SSUBSCRIBE", "other") == NO_CHANNEL
    assert client.error("PSUBSCRIBE", "chat:1") == NO_CHANNEL  # A pattern is allowed by itself only.
    assert client.do("PSUBSCRIBE", "chat:*") == [b"psubscribe", b"chat:*", 1]
    assert client.do("SUBSCRIBE", "chat:1") == [b"subscribe", b"chat:1", 2]
    assert client.do("UNSUBSCRIBE", "other") == [b"unsubscribe", b"other", 2]


def test_selectors(server, admin):
    client = login(server, "u", "+mget", "~key", "(+mget ~key ~other)", "(+get ~read)")
    assert client.do("GET", "read") is None
    assert client.error("GET", "key") == NO_KEY
    assert client.do("MGET", "key", "other") == [None, None]
    admin.do("ACL", "LOG", "RESET")
    assert client.error("MGET", "key", "other", "third") == NO_KEY
    assert log(admin)[0][b"object"] == b"third"  # That of the selector that came furthest.


def test_queued_commands(server, admin):
    client = login(server, "u", "+@all", "~k*")
    assert client.do("MULTI") == b"OK"
    assert client.error("SET", "x", "1") == NO_KEY
    assert client.error("EXEC").startswith("EXECABORT")
    client.do("MULTI")
    assert client.do("SET", "k", "1") == client.do("INCR", "k") == b"QUEUED"
    admin.do("ACL", "SETUSER", "u", "-incr", "resetkeys")
    changed = ("NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This "
               "command is no longer allowed for the following reason: ")
    kind, replies = client.call("EXEC")
    assert kind == b"*"
    assert [text.decode() for _, text in replies] == [
        changed + "no permission to touch the specified keys",
        changed + "no permission to execute the command or subcommand"]
    assert {entry[b"context"] for entry in log(admin)} == {b"multi"}


def test_scripts(server, admin):
    client = login(server, "u", "+eval", "+get", "+set", "~k*")
    assert client.do("EVAL", "return redis.call('set', 'k', 1)", 0) == b"OK"
    text = client.error("EVAL", "return redis.call('set', 'x', 1)", 0)
    assert text.startswith("ERR ACL failure in script: No permissions to access a key")
    text = client.error("EVAL", "return redis.call('del', 'k')", 0)
    assert text.startswith("ERR ACL failure in script: User u has no permissions to run the 'del' command")
    assert log(admin)[0][b"context"] == b"lua"
    check = "return {redis.acl_check_cmd('get','k'), redis.acl_check_cmd('get','x'), redis.acl_check_cmd('del','k')}"
    assert client.do("EVAL", check, 0) == [1, None, None]


def test_permission_lost_while_waiting(server, admin):
    client = login(server, "u", "+@all", "~*")
    admin.do("CONFIG", "RESETSTAT")
    client.send("BLPOP", "l", "0")
    wait_until(lambda: b"blocked_clients:1" in admin.do("INFO", "clients"), what="the client to wait")
    admin.do("ACL", "SETUSER", "u", "resetkeys")
    admin.do("RPUSH", "l", "x")
    assert client.read() == (b"-", NO_KEY.encode())
    assert admin.do("LRANGE", "l", "0", "-1") == [b"x"]
    assert "calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0" in \
        admin.do("INFO", "commandstats").decode().split("cmdstat_blpop:")[1].splitlines()[0]


# --- clients of users that change ---

def closed(client):
    try:
        client.do("PING")
    except (EOFError, ConnectionError):
        return True
    return False


def test_deluser_closes_connections(server, admin):
    client, other = login(server, "u", "+@all"), server.connect()
    assert admin.do("ACL", "DELUSER", "nobody", "u") == 1
    assert closed(client) and not closed(other)
    own = login(server, "u", "+acl")
    assert own.do("ACL", "DELUSER", "u") == 1
    assert closed(own)


def test_lost_channels_close_connections(server, admin):
    client = login(server, "u", "+@all", "&a", "&p*")
    client.do("SUBSCRIBE", "a")
    client.do("PSUBSCRIBE", "p*")
    admin.do("ACL", "SETUSER", "u", "resetchannels", "&a", "&p*", "&more")
    assert not closed(client)
    admin.do("ACL", "SETUSER", "u", "resetchannels", "&a")
    assert closed(client)


def test_client_kill_user(server, admin):
    client = login(server, "u", "+@all")
    assert b" user=u " in admin.do("CLIENT", "LIST")
    assert admin.error("CLIENT", "KILL", "USER", "nobody") == "ERR No such user 'nobody'"
    assert admin.do("CLIENT", "KILL", "USER", "u") == 1
    assert closed(client)


def test_default_off(server, admin):
    admin.do("ACL", "SETUSER", "u", "on", ">p", "+@all")
    admin.do("ACL", "SETUSER", "default", "off")
    client = server.connect()
    assert client.error("PING") == "NOAUTH Authentication required."
    assert client.do("AUTH", "u", "p") == b"OK"
    assert client.do("PING") == b"PONG"
    assert client.do("RESET") == b"RESET"
    assert client.error("PING") == "NOAUTH Authentication required."


def test_requirepass_is_the_default_users_password(start_server):
    server = start_server("--requirepass", "one")
    admin = server.connect()
    assert admin.do("AUTH", "one") == admin.do("AUTH", "default", "one") == b"OK"
    assert len(user(admin, "default")[b"passwords"]) == 1
    admin.do("CONFIG", "SET", "requirepass", "two")
    assert admin.error("AUTH", "one").startswith("WRONGPASS")
    admin.do("CONFIG", "SET", "requirepass", "")
    assert user(admin, "default")[b"flags"] == [b"on", b"nopass", b"sanitize-payload"]
    assert server.connect().error("AUTH", "x").startswith("ERR AUTH <password> called without any password configured")


# --- the log ---

def test_log(server, admin):
    client = login(server, "u", "+get", "~k")
    before = [info(admin, "acl_access_denied_" + kind) for kind in ("auth", "cmd", "key", "channel")]
    client.call("SET", "k", "v")
    client.call("SET", "k", "v")
    client.call("GET", "x")
    client.call("AUTH", "nobody", "p")
    auth, key, command = log(admin)
    assert command[b"count"] == 2 and command[b"reason"] == b"command" and command[b"object"] == b"set"
    assert command[b"username"] == b"u" and command[b"context"] == b"toplevel"
    assert b"cmd=set user=u" in command[b"client-info"]
    assert command[b"timestamp-created"] <= command[b"timestamp-last-updated"]
    assert float(command[b"age-seconds"]) >= 0
    assert key[b"reason"] == b"key" and key[b"object"] == b"x" and key[b"entry-id"] == command[b"entry-id"] + 1
    assert auth[b"reason"] == b"auth" and auth[b"object"] == b"AUTH" and auth[b"username"] == b"nobody"
    after = [info(admin, "acl_access_denied_" + kind) for kind in ("auth", "cmd", "key", "channel")]
    assert [b - a for a, b in zip(before, after)] == [1, 2, 1, 0]
    assert len(log(admin, 1)) == 1
    assert admin.do("ACL", "LOG", "-1") == []
    assert admin.error("ACL", "LOG", "x") == "ERR value is not an integer or out of range"
    assert admin.do("ACL", "LOG", "RESET") == b"OK"
    assert log(admin) == []
    admin.do("CONFIG", "SET", "acllog-max-len", "2")
    for key in "abc":
        client.call("GET", key)
    assert [entry[b"object"] for entry in log(admin)] == [b"c", b"b"]


# --- small commands ---

def test_cat(admin):
    categories = admin.do("ACL", "CAT")
    assert categories[0] == b"keyspace" and b"scripting" in categories and len(categories) == 21
    assert b"multi" in admin.do("ACL", "CAT", "transaction")
    assert b"function|list" in admin.do("ACL", "CAT", "SCRIPTING")
    assert b"get" not in admin.do("ACL", "CAT", "stream")
    assert admin.error("ACL", "CAT", "foo") == "ERR Unknown category 'foo'"
    assert admin.error("ACL", "CAT", "a", "b") == \
        "ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP."


def test_genpass(admin):
    assert len(admin.do("ACL", "GENPASS")) == 64 and len(admin.do("ACL", "GENPASS", "5")) == 2
    assert admin.do("ACL", "GENPASS") != admin.do("ACL", "GENPASS")
    for bits in ("0", "4097", "-1"):
        assert admin.error("ACL", "GENPASS", bits) == ("ERR ACL GENPASS argument must be the number of bits for the "
                                                        "output password, a positive number up to 4096")
    assert admin.error("ACL", "GENPASS", "x") == "ERR value is not an integer or out of range"


def test_dryrun(admin):
    admin.do("ACL", "SETUSER", "u", "+get", "+publish", "~k")
    ask = lambda *args: admin.do("ACL", "DRYRUN", "u", *args)
    assert ask("GET", "k") == b"OK"
    assert ask("GET", "x") == b"User u has no permissions to access the 'x' key"
    assert ask("SET", "k", "v") == b"User u has no permissions to run the 'set' command"
    assert ask("PUBLISH", "c", "m") == b"User u has no permissions to access the 'c' channel"
    assert admin.error("ACL", "DRYRUN", "nobody", "GET", "k") == "ERR User 'nobody' not found"
    assert admin.error("ACL", "DRYRUN", "u", "NOPE") == "ERR Command 'NOPE' not found"
    assert admin.error("ACL", "DRYRUN", "u", "GET") == "ERR wrong number of arguments for 'get' command"
    assert admin.do("GET", "k") is None


# --- files ---

NO_FILE = "ERR This Redis instance is not configured to use an ACL file."


def test_without_a_file(admin):
    assert admin.error("ACL", "LOAD").startswith(NO_FILE)
    assert admin.error("ACL", "SAVE").startswith(NO_FILE)


def test_file(start_server, tmp_path):
    path = tmp_path / "users.acl"
    path.write_text("# people\nuser alice on nopass ~* &* +@all\n\nuser bob on nopass +get (+set ~w*)\n")
    server = start_server("--aclfile", str(path))
    admin = server.connect()
    assert admin.do("ACL", "USERS") == [b"alice", b"bob", b"default"]
    assert commands_of(admin, "bob") == "-@all +get"
    alice = server.connect()
    alice.do("AUTH", "alice", "x")
    admin.do("ACL", "SETUSER", "carol", "+ping")
    assert admin.do("ACL", "SAVE") == b"OK"
    assert "user carol off sanitize-payload resetchannels -@all +ping\n" in path.read_text()
    path.write_text(path.read_text().replace("user carol off", "user dave on"))
    assert admin.do("ACL", "LOAD") == b"OK"
    assert admin.do("ACL", "USERS") == [b"alice", b"bob", b"dave", b"default"]
    assert closed(alice) and not closed(admin)
    os.remove(path)
    os.mkdir(path)
    assert admin.error("ACL", "SAVE").startswith("ERR There was an error trying to save the ACLs.")


def test_a_file_without_the_default_user_does_not_open_the_door(start_server, tmp_path):
    path = tmp_path / "users.acl"
    path.write_text("user alice on nopass +@all\n")
    server = start_server("--aclfile", str(path), "--requirepass", "secret")
    assert server.connect().error("PING") == "NOAUTH Authentication required."
    admin = server.connect()
    assert admin.do("AUTH", "secret") == b"OK"
    assert admin.do("ACL", "LOAD") == b"OK"
    assert server.connect().error("PING") == "NOAUTH Authentication required."


@pytest.mark.parametrize("line, complaint", [
    ("user bob on +foo", "users.acl:2: Unknown command or category name in ACL in '+foo'."),
    ("user alice on", "users.acl:2: Duplicate user 'alice' found."),
    ("carol on", "users.acl:2: line should start with user keyword and a username."),
    ("user bob (+get", "users.acl:2: Unmatched parenthesis in acl selector starting at '(+get'.."),
])
def test_wrong_file(start_server, tmp_path, line, complaint):
    path = tmp_path / "users.acl"
    path.write_text("user alice on\n")
    server = start_server("--aclfile", str(path))
    admin = server.connect()
    path.write_text("user alice off\n" + line + "\n")
    text = admin.error("ACL", "LOAD")
    assert complaint in text and text.endswith(
        "WARNING: ACL errors detected, no change to the previously active ACL rules was performed")
    assert user(admin, "alice")[b"flags"][0] == b"on"


def test_users_of_the_configuration(start_server, tmp_path):
    config = tmp_path / "server.conf"
    server = start_server(start=False)
    config.write_text(f"port 0\nunixsocket {server.socket_path}\ndir {server.folder}\n"
                      "user default on nopass ~* +@all -flushdb\nuser bob on >p ~b:* +get (+set ~w)\n")
    server.command_line = lambda: [server.binary, str(config)]
    server.start()
    admin = server.connect()
    assert admin.error("FLUSHDB") == no_command("default", "flushdb")
    assert admin.error("SUBSCRIBE", "c") == NO_CHANNEL
    admin.do("ACL", "SETUSER", "carol", "on", "+ping")
    lines = admin.do("ACL", "LIST")
    assert admin.do("CONFIG", "REWRITE") == b"OK"
    text = config.read_text()
    assert text.count("user bob") == text.count("user carol") == text.count("user default") == 1
    server.restart()
    assert server.connect().do("ACL", "LIST") == lines


def test_a_file_that_cannot_be_read(start_server, tmp_path):
    with pytest.raises(RuntimeError, match="Error loading ACLs"):
        start_server("--aclfile", str(tmp_path))


def test_rules_name_commands_as_they_were(start_server):
    admin = start_server("--rename-command", "CONFIG", "CFG", "--user", "bob", "on", "nopass", "+@all", "-config|set").connect()
    assert admin.do("ACL", "DRYRUN", "bob", "CFG", "GET", "port") == b"OK"
    assert admin.do("ACL", "DRYRUN", "bob", "CFG", "SET", "port", "1") != b"OK"


def test_users_twice(start_server):
    for name in ("bob", "default"):
        with pytest.raises(RuntimeError, match="Duplicate user found"):
            start_server("--user", name, "--user", name)


def test_users_in_two_places(start_server, tmp_path):
    (tmp_path / "users.acl").write_text("user alice on\n")
    with pytest.raises(RuntimeError, match="Users are defined both"):
        start_server("--aclfile", str(tmp_path / "users.acl"), "--user", "bob", "on")
    with pytest.raises(RuntimeError, match="opening file"):
        start_server("--aclfile", str(tmp_path / "nosuch.acl"))
    with pytest.raises(RuntimeError, match="Error in user declaration 'foo': Syntax error"):
        start_server("--user", "bob", "foo")


def test_pubsub_default(start_server):
    admin = start_server("--acl-pubsub-default", "allchannels").connect()
    admin.do("ACL", "SETUSER", "u")
    assert user(admin, "u")[b"channels"] == b"&*"
    assert admin.error("ACL", "SETUSER", "v", "&c") == RULE % ("&c", AFTER_CHANNELS)
    admin.do("CONFIG", "SET", "acl-pubsub-default", "resetchannels")
    admin.do("ACL", "SETUSER", "w")
    assert user(admin, "w")[b"channels"] == b"" and user(admin, "u")[b"channels"] == b"&*"


def test_rules_about_commands_that_nobody_can_call(start_server):
    server = start_server("--rename-command", "FLUSHALL", "", "--rename-command", "CONFIG", "", "--rename-command", "KEYS", "LISTALL",
                          "--user", "x", "on", "nopass", "~*", "+@all", "-flushall", "+config|get",
                          "--user", "y", "on", "nopass", "-@all", "+flushall", "+keys", "-config", "+get")
    with server.connect() as conn:
        lines = conn.do("ACL", "LIST")
        assert any(line.startswith(b"user y ") and b"+flushall" in line and b"+keys" in line for line in lines)
        assert conn.do("ACL", "SETUSER", "z", "+flushall") == b"OK"
        assert "Unknown command" in conn.error("ACL", "SETUSER", "z", "+listall")
        assert "Unknown command" in conn.error("ACL", "SETUSER", "z", "+nosuch")
        assert conn.error("FLUSHALL").startswith("ERR unknown command")
        assert b"flushall" not in conn.do("ACL", "CAT", "dangerous")
        assert conn.do("COMMAND", "INFO", "flushall") == [None]
        assert conn.do("ACL", "DRYRUN", "y", "LISTALL", "*") == b"OK"
