# SPDX-License-Identifier: BSD-3-Clause
"""Commands of modules: what COMMAND tells of them, subcommands, key positions."""

import pytest

from harness.server import wait_until

MODULES = ["commands"]


def info(conn, name):
    fields = ["name", "arity", "flags", "first", "last", "step", "categories", "tips", "specs", "subcommands"]
    return dict(zip(fields, conn.do("command", "info", name)[0]))


def test_flags(conn):
    found = info(conn, "commands.flags")
    assert (found["arity"], found["first"], found["last"], found["step"]) == (-1, 2, -1, 3)
    # May-replicate says nothing about a command that writes anyway: Redis leaves it out.
    assert set(found["flags"]) - {b"may_replicate"} == {b"write", b"denyoom", b"admin", b"pubsub", b"loading", b"skip_slowlog", b"skip_monitor",
                                   b"fast", b"no_auth", b"no_mandatory_keys", b"allow_busy", b"module"}


def test_current_name(conn):
    assert conn.do("COMMANDS.Name") == b"commands.name"
    assert conn.do("commands.parent", "GET", "k") == b"commands.parent|get"


@pytest.mark.since("7.2")
def test_late_registration(conn):
    assert conn.do("commands.late") == 1
    assert conn.error("commands.later").startswith("ERR unknown command")


def test_subcommands(conn):
    assert conn.do("commands.parent", "set", "k", "v") == [b"commands.parent", b"set", b"k", b"v"]
    assert conn.error("commands.parent", "nosuch") == "ERR unknown subcommand 'nosuch'. Try COMMANDS.PARENT HELP."
    assert conn.error("commands.parent") == "ERR wrong number of arguments for 'commands.parent' command"
    assert conn.do("commands.both", "sub") == [b"commands.both", b"sub"]
    found = info(conn, "commands.parent")
    assert found["arity"] == -2 and info(conn, "commands.both")["arity"] == -1
    assert {sub[0] for sub in found["subcommands"]} == {b"commands.parent|set", b"commands.parent|get"}
    assert conn.do("command", "getkeys", "commands.parent", "set", "k", "v") == [b"k"]
    assert set(info(conn, "commands.parent|set")["flags"]) == {b"write", b"module"}


def test_getkeys_api(conn):
    assert conn.do("command", "getkeys", "commands.getkeys", 2, "a", "b", "c") == [b"a", b"b"]
    assert conn.do("command", "getkeys", "commands.getkeys", 1, "a") == [b"a"]
    assert conn.do("commands.getkeys", 2, "a") == [b"commands.getkeys", b"2", b"a"]
    assert conn.do("command", "getkeysandflags", "commands.getkeysflags", "x", "y") == [
        [b"x", [b"RO", b"access"]], [b"y", [b"OW", b"insert"]]]
    assert b"movablekeys" in info(conn, "commands.getkeys")["flags"]


@pytest.mark.parametrize("name, triple, movable", [
    ("adjoin", (1, 3, 1), False), ("gap", (1, 1, 1), True), ("keyword", (0, 0, 0), True), ("mixed", (1, 2, 1), True),
    ("open", (2, -1, 1), False), ("asked", (1, -1, 2), True)])
def test_range_that_specifications_make(conn, name, triple, movable):
    found = info(conn, "commands." + name)
    assert (found["first"], found["last"], found["step"]) == triple
    assert (b"movablekeys" in found["flags"]) == movable


def test_flags_of_keys_that_a_command_is_asked_for(conn3):
    spec, = info(conn3, "commands.asked")["specs"]
    assert set(spec[b"flags"]) == {b"RW", b"access", b"update", b"variable_flags"}
    spec, = info(conn3, "commands.flags")["specs"]
    assert set(spec[b"flags"]) == {b"RW", b"access", b"update"}


def test_keys_of_other_commands(conn):
    read, access, overwrite, insert = 1, 16, 4, 64
    assert conn.do("commands.keysof", "commands.getkeysflags", "x", "y") == [b"x", read | access, b"y", overwrite | insert]
    assert conn.do("commands.keysof", "mset", "a", 1, "b", 2)[::2] == [b"a", b"b"]
    assert conn.do("commands.keysof", "get", "k")[0] == b"k"
    assert conn.do("commands.keysof", "commands.getkeys", 2, "a", "b", "c")[::2] == [b"a", b"b"]
    assert conn.do("commands.keysof", "nosuch", "k")[0] == b"ENOENT"
    assert conn.do("commands.keysof", "get")[0] == b"EINVAL"
    assert conn.do("commands.keysof", "ping")[0] == b"0"


def test_description(conn, conn3):
    docs = conn3.do("command", "docs", "commands.described")[b"commands.described"]
    assert docs[b"summary"] == b"Describes itself."
    assert docs[b"since"] == b"1.0" and docs[b"complexity"] == b"O(N)" and docs[b"module"] == b"commands"
    assert docs[b"history"] == [[b"1.1", b"Added FROM."]]
    target, sources = docs[b"arguments"]
    assert target[b"name"] == b"target" and target[b"type"] == b"key" and target[b"key_spec_index"] == 0
    assert sources[b"type"] == b"block" and sources[b"flags"] == [b"optional"] and sources[b"since"] == b"1.1"
    token, count, source = sources[b"arguments"]
    assert token[b"type"] == b"pure-token" and token[b"token"] == b"FROM"
    assert count[b"type"] == b"integer" and source[b"flags"] == [b"multiple"] and source[b"key_spec_index"] == 1
    found = info(conn3, "commands.described")
    assert found["arity"] == -2
    assert set(found["tips"]) == {b"nondeterministic_output", b"request_policy:all_shards"}
    first, second = found["specs"]
    assert first[b"notes"] == b"the target"
    assert set(first[b"flags"]) == {b"OW", b"insert"}
    assert first[b"begin_search"] == {b"type": b"index", b"spec": {b"index": 1}}
    assert first[b"find_keys"] == {b"type": b"range", b"spec": {b"lastkey": 0, b"keystep": 1, b"limit": 0}}
    assert second[b"begin_search"] == {b"type": b"keyword", b"spec": {b"keyword": b"FROM", b"startfrom": 2}}
    assert second[b"find_keys"] == {b"type": b"keynum", b"spec": {b"keynumidx": 0, b"firstkey": 1, b"keystep": 1}}


def test_every_field_of_an_argument(conn3):
    docs = conn3.do("command", "docs", "commands.choices")[b"commands.choices"]
    assert list(docs) == [b"group", b"module", b"arguments"]
    how, last, prefix = docs[b"arguments"]
    assert last[b"type"] == b"key" and last[b"key_spec_index"] == 3
    assert how[b"type"] == b"oneof" and b"flags" not in how and b"display_text" not in how and b"token" not in how
    fast, limit, pair = how[b"arguments"]
    assert fast[b"token"] == b"FAST" and fast[b"summary"] == b"Now." and b"since" not in fast
    assert limit[b"type"] == b"integer" and limit[b"since"] == b"1.2" and limit[b"deprecated_since"] == b"1.3"
    assert pair[b"token"] == b"PAIR" and [part[b"type"] for part in pair[b"arguments"]] == [b"double", b"unix-time"]
    assert prefix[b"type"] == b"pattern" and prefix[b"flags"] == [b"optional", b"multiple", b"multiple_token"]


@pytest.mark.since("7.2")
def test_display_texts(conn3):
    how, _, prefix = conn3.do("command", "docs", "commands.choices")[b"commands.choices"][b"arguments"]
    fast, limit, pair = how[b"arguments"]
    assert fast[b"display_text"] == b"fast" and limit[b"display_text"] == b"n" and prefix[b"display_text"] == b"prefix"
    assert b"display_text" not in pair and pair[b"arguments"][0][b"display_text"] == b"from"
    assert list(limit) == [b"name", b"type", b"display_text", b"token", b"since", b"deprecated_since"]


def test_a_description_by_an_older_header(conn3):
    first, second = conn3.do("command", "docs", "commands.old")[b"commands.old"][b"arguments"]
    assert first[b"name"] == b"first" and first[b"type"] == b"integer" and first[b"since"] == b"1.1"
    assert second[b"name"] == b"second" and second[b"type"] == b"string"
    assert first.get(b"display_text", b"first") == b"first" and second.get(b"display_text", b"second") == b"second"


def test_a_command_that_describes_nothing(conn3):
    assert conn3.do("command", "docs", "commands.name") == {b"commands.name": {b"group": b"module", b"module": b"commands"}}


def test_a_second_or_wrong_description_is_refused(conn):
    assert conn.do("commands.refusals") == [1, 1]


def test_keys_by_description(conn):
    assert conn.do("command", "getkeys", "commands.described", "t") == [b"t"]
    assert conn.do("command", "getkeys", "commands.described", "t", "FROM", 2, "a", "b") == [b"t", b"a", b"b"]
    assert conn.do("command", "getkeysandflags", "commands.described", "t", "from", 1, "a") == [
        [b"t", [b"OW", b"insert"]], [b"a", [b"RO", b"access"]]]


def test_the_arity_of_the_description_holds(conn):
    assert conn.error("commands.described") == "ERR wrong number of arguments for 'commands.described' command"
    assert conn.do("commands.described", "a") == [b"commands.described", b"a"]


def test_names_in_statistics(conn):
    conn.do("config", "resetstat")
    conn.do("commands.weird:name")
    conn.do("commands.parent", "set", "k")
    found = conn.do("info", "commandstats").decode()
    assert "cmdstat_commands.weird_name:calls=1," in found
    assert "cmdstat_commands.parent|set:calls=1," in found


def test_listed_by_module(conn):
    found = conn.do("command", "list", "filterby", "module", "commands")
    assert {b"commands.name", b"commands.parent", b"commands.described"} <= set(found)
    assert conn.do("command", "list", "filterby", "module", "nosuch") == []


def test_gone_with_the_module(start_with):
    conn = start_with(["commands"]).connect()
    before = conn.do("command", "count")
    assert conn.do("module", "unload", "commands") == b"OK"
    assert conn.do("command", "count") < before
    assert conn.do("command", "info", "commands.name") == [None]
    assert conn.error("commands.parent", "set", "k").startswith("ERR unknown command")


@pytest.mark.parametrize("module, rewritten", [("commands", 1), ("logins", 0)])
def test_an_unload_has_the_append_only_file_rewritten(start_with, ours_only, module, rewritten):
    """When the module's commands may stand in it, which could not be read without it."""
    conn = start_with([module], "--appendonly", "yes", "--hz", "100").connect()

    def aof(field):
        return int(conn.do("info", "persistence").decode().split(f"\r\naof_{field}:")[1].split()[0])

    before = aof("rewrites")
    assert conn.do("module", "unload", module) == b"OK"
    wait_until(lambda: aof("rewrite_scheduled") + aof("rewrite_in_progress") == 0)
    assert aof("rewrites") - before == rewritten
