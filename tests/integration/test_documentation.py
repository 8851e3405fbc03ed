# SPDX-License-Identifier: BSD-3-Clause
"""COMMAND DOCS: its replies to the letter, and whether each command's syntax agrees with its arity and its keys.

What Redis says of the same commands is compared in tests/compat/test_command_docs.py."""

import subprocess

import pytest

PEXPIRETIME = (
    b"%1\r\n$11\r\npexpiretime\r\n%5\r\n"
    b"$7\r\nsummary\r\n$SUMMARY\r\n"
    b"$5\r\nsince\r\n$5\r\n7.0.0\r\n$5\r\ngroup\r\n$7\r\ngeneric\r\n$10\r\ncomplexity\r\n$4\r\nO(1)\r\n"
    b"$9\r\narguments\r\n*1\r\n%4\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n$12\r\ndisplay_text\r\n$3\r\nkey\r\n"
    b"$14\r\nkey_spec_index\r\n:0\r\n")

# Everything a document can have but subcommands and a module.
SETEX_TAIL = (
    b"$9\r\ndoc_flags\r\n~1\r\n+deprecated\r\n$16\r\ndeprecated_since\r\n$6\r\n2.6.12\r\n"
    b"$11\r\nreplaced_by\r\n$15\r\n`SET` with `EX`\r\n")

FLUSHDB_TAIL = (
    b"$7\r\nhistory\r\n~2\r\n*2\r\n$5\r\n4.0.0\r\n$7\r\n`ASYNC`\r\n*2\r\n$5\r\n6.2.0\r\n$6\r\n`SYNC`\r\n"
    b"$9\r\narguments\r\n*1\r\n%4\r\n$4\r\nname\r\n$10\r\nflush-type\r\n$4\r\ntype\r\n$5\r\noneof\r\n$5\r\nflags\r\n~1\r\n+optional\r\n"
    b"$9\r\narguments\r\n*2\r\n"
    b"%5\r\n$4\r\nname\r\n$5\r\nasync\r\n$4\r\ntype\r\n$10\r\npure-token\r\n$12\r\ndisplay_text\r\n$5\r\nasync\r\n"
    b"$5\r\ntoken\r\n$5\r\nASYNC\r\n$5\r\nsince\r\n$5\r\n4.0.0\r\n"
    b"%5\r\n$4\r\nname\r\n$4\r\nsync\r\n$4\r\ntype\r\n$10\r\npure-token\r\n$12\r\ndisplay_text\r\n$4\r\nsync\r\n"
    b"$5\r\ntoken\r\n$4\r\nSYNC\r\n$5\r\nsince\r\n$5\r\n6.2.0\r\n")


def flat(resp3):
    """A RESP3 reply's bytes as RESP2 has them."""
    lines = []
    for line in resp3.split(b"\r\n"):
        if line[:1] == b"%":
            line = b"*%d" % (2 * int(line[1:]))
        elif line[:1] == b"~":
            line = b"*" + line[1:]
        lines.append(line)
    return b"\r\n".join(lines)


def test_a_whole_reply(conn, conn3, ours_only):
    summary = conn3.do("COMMAND", "DOCS", "pexpiretime")[b"pexpiretime"][b"summary"]
    expected = PEXPIRETIME.replace(b"$SUMMARY", b"$%d\r\n%s" % (len(summary), summary))
    assert conn3.raw("COMMAND", "DOCS", "PEXPIRETIME") == expected
    assert conn.raw("COMMAND", "DOCS", "PEXPIRETIME") == flat(expected)


@pytest.mark.parametrize("command, part", [("setex", SETEX_TAIL), ("flushdb", FLUSHDB_TAIL)])
def test_parts_to_the_letter(conn, conn3, ours_only, command, part):
    assert part in conn3.raw("COMMAND", "DOCS", command)
    assert flat(part) in conn.raw("COMMAND", "DOCS", command)


def test_subcommands(conn, conn3):
    container = conn3.do("COMMAND", "DOCS", "xgroup")[b"xgroup"]
    assert set(container[b"subcommands"]) == {b"xgroup|" + name for name in (b"create", b"setid", b"destroy", b"createconsumer",
                                                                           b"delconsumer", b"help")}
    alone = conn3.do("COMMAND", "DOCS", "xgroup|create")[b"xgroup|create"]
    assert container[b"subcommands"][b"xgroup|create"] == alone
    assert conn.call("COMMAND", "DOCS", "xgroup")[0] == b"*"


def documents(conn3):
    found = {}

    def add(items):
        for name, document in items.items():
            found[name.decode()] = document
            add(document.get(b"subcommands", {}))

    add(conn3.do("COMMAND", "DOCS"))
    return found


def rows(conn3):
    found = {}

    def add(items):
        for row in items:
            found[row[0].decode()] = row
            add(row[9])

    add(conn3.do("COMMAND"))
    return found


def words(arguments):
    """The fewest words that arguments take, and whether there can be more."""
    fewest, more = 0, False
    for argument in arguments:
        flags = argument.get(b"flags", [])
        own = 0
        if argument[b"type"] == b"oneof":
            parts = [words([part]) for part in argument[b"arguments"]]
            own = min(least for least, _ in parts)
            more = more or any(part != (own, False) for part in parts)
        elif argument[b"type"] == b"block":
            own, inner = words(argument[b"arguments"])
            more = more or inner
        else:
            own = 1
        if b"token" in argument and argument[b"type"] != b"pure-token":
            own += 1
        more = more or b"optional" in flags or b"multiple" in flags
        fewest += 0 if b"optional" in flags else own
    return fewest, more


# What browsers say: the server has them to close the connection.
NO_COMMANDS = {"host:", "post"}

# The arity, where it says something else than the syntax.
OTHER_ARITIES = {
    "client|kill": -3,  # each filter may be left out, but not all
    "debug": -2,  # its subcommands are not documented
    "quit": -1,  # takes any arguments
}


def test_the_syntax_agrees_with_the_arity(conn3, ours_only):
    documentation, table = documents(conn3), rows(conn3)
    assert set(documentation) == set(table) and len(table) > 350
    wrong = {}
    for name, row in table.items():
        if row[9] or name in NO_COMMANDS:
            continue  # (a container takes a subcommand)
        fewest, more = words(documentation[name].get(b"arguments", []))
        fewest += 1 + ("|" in name)
        arity = -fewest if more else fewest
        if arity != row[1]:
            wrong[name] = row[1]
    assert wrong == OTHER_ARITIES


def keys_of(arguments):
    for argument in arguments:
        if argument[b"type"] == b"key":
            yield argument[b"key_spec_index"]
        yield from keys_of(argument.get(b"arguments", []))


def test_keys_have_specifications(conn3):
    documentation, table = documents(conn3), rows(conn3)
    for name, row in table.items():
        numbers = set(keys_of(documentation[name].get(b"arguments", [])))
        assert numbers <= set(range(len(row[8]))), name
        # Where a specification says where keys are, an argument is that key.
        known = {i for i, spec in enumerate(row[8]) if spec[b"begin_search"][b"type"] != b"unknown" and
                 b"not_key" not in spec[b"flags"]}
        assert known <= numbers, name


def test_every_command_is_documented(conn3, ours_only):
    groups = {b"bitmap", b"cluster", b"connection", b"generic", b"geo", b"hash", b"hyperloglog", b"list", b"pubsub", b"scripting",
              b"server", b"set", b"sorted-set", b"stream", b"string", b"transactions"}
    for name, document in documents(conn3).items():
        if name in NO_COMMANDS:
            continue
        assert document[b"summary"] and document[b"since"].count(b".") == 2, name
        assert document[b"group"] in groups, name
        assert document[b"complexity"], name


def test_names_beside_each_other_differ(conn3, ours_only):
    def look(name, arguments):
        names = [argument[b"name"] for argument in arguments]
        assert len(set(names)) == len(names), (name, names)
        for argument in arguments:
            look(name, argument.get(b"arguments", []))

    for name, document in documents(conn3).items():
        look(name, document.get(b"arguments", []))


def test_redis_cli_shows_it(server, ours_only):
    shown = subprocess.run(["redis-cli", "-s", server.socket_path, "COMMAND", "DOCS"], capture_output=True, text=True, timeout=30, check=True)
    assert "geosearchstore" in shown.stdout and "storedistkey" in shown.stdout and "ERR " not in shown.stdout


def hint(argument):
    """An argument as redis-cli 7.2 hints at it."""
    flags = argument.get(b"flags", [])
    kind = argument[b"type"]
    if kind == b"pure-token":
        text = argument[b"token"].decode() or '""'
    elif kind == b"oneof":
        text = " | ".join(map(hint, argument[b"arguments"]))
        if b"optional" not in flags or b"token" in argument:
            text = f"<{text}>"
    elif kind == b"block":
        text = " ".join(map(hint, argument[b"arguments"]))
    else:
        text = argument[b"display_text"].decode()
    token = "" if kind == b"pure-token" else argument.get(b"token", b"").decode()
    alone = text
    text = f"{token} {text}" if token else text
    if b"multiple" in flags:
        text += f" [{text if b'multiple_token' in flags else alone} ...]"
    return f"[{text}]" if b"optional" in flags else text


# What 7.2 shows; where it says something else than 7.0 the comparison with Redis leaves the command out.
HINTS = {
    "bitop": "<AND | OR | XOR | NOT> destkey key [key ...]",
    "client|kill": "<ip:port | <[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER username] | "
                   "[ADDR ip:port] | [LADDR ip:port] | [SKIPME <YES | NO>]>",
    "client|list": "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
    "client|no-touch": "<ON | OFF>",
    "client|setinfo": "<LIB-NAME libname | LIB-VER libver>",
    "client|tracking": "<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
    "command|getkeys": "command [arg [arg ...]]",
    "command|getkeysandflags": "command [arg [arg ...]]",
    "config|get": "parameter [parameter ...]",
    "geohash": "key [member [member ...]]",
    "geopos": "key [member [member ...]]",
    "georadius": "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] "
                 "[ASC | DESC] [STORE key | STOREDIST key]",
    "georadiusbymember": "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] "
                         "[ASC | DESC] [STORE key | STOREDIST key]",
    "module|loadex": "path [CONFIG name value [CONFIG name value ...]] [ARGS args [args ...]]",
    "module|unload": "name [KEEPDATA]",
    "pfmerge": "destkey [sourcekey [sourcekey ...]]",
    "psubscribe": "pattern [pattern ...]",
    "set": "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
    "sort": "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] [STORE destination]",
    "xadd": "key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]",
    "xgroup|setid": "key group <id | $> [ENTRIESREAD entries-read]",
    "xinfo|stream": "key [FULL [COUNT count]]",
    "zrank": "key member [WITHSCORE]",
    "zrevrank": "key member [WITHSCORE]",
}


@pytest.mark.parametrize("name", HINTS)
def test_hints(conn3, ours_only, name):
    [document] = conn3.do("COMMAND", "DOCS", name).values()
    shown = " ".join(map(hint, document[b"arguments"]))
    if name == "client|kill":  # filters are repeated: said once more
        assert shown.startswith(HINTS[name])
    else:
        assert shown == HINTS[name]
