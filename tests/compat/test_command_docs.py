# SPDX-License-Identifier: BSD-3-Clause
"""What COMMAND DOCS, COMMAND INFO and COMMAND LIST say of each command, compared with Debian's redis-server: every field, its
type and its place. Sentences are our own: that they are there is compared, not what they say. Redis 7.0 has no display_text."""

import os

import pytest

from harness.server import REDIS, Server

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

OWN_WORDS = {"summary", "complexity", "replaced_by"}

# Arguments that 7.2 (or we) describe in another way than 7.0.
OTHER_ARGUMENTS = {
    "bitop": "the operation is a choice of tokens",
    "client|kill": "SKIPME takes one of two tokens",
    "client|list": "no block around ID",
    "command|getkeys": "arguments are told",
    "command|getkeysandflags": "arguments are told",
    "config|get": "no block around the parameter",
    "geohash": "members are optional",
    "geopos": "members are optional",
    "georadius": "STORE or STOREDIST",
    "georadiusbymember": "STORE or STOREDIST",
    "migrate": "AUTH and AUTH2 are not optional within their choice; names of 7.2",
    "module|loadex": "no block around ARGS",
    "module|unload": "KEEPDATA is ours",
    "pfmerge": "sources are optional",
    "psubscribe": "no block around the pattern",
    "xinfo|stream": "FULL is a token in a block",
    "zrank": "WITHSCORE",
    "zrevrank": "WITHSCORE",
}

OTHER_FIELDS = {
    "acl|log": {"history"},
    "client|pause": {"since"},
    **dict.fromkeys(["psetex", "quit", "setex", "setnx"], {"doc_flags", "deprecated_since", "replaced_by"}),
    **dict.fromkeys(["xinfo|consumers", "xinfo|stream", "zrank", "zrevrank"], {"history"}),
}

# Arguments that 7.2 gave another name: 7.0's, and its new ones.
RENAMED = {old: set(new) for old, *new in map(str.split, """
    async flush-type
    auto_id auto-id
    categoryname category
    cluster_bus_port cluster-bus-port
    consumername consumer
    count count-block
    encoding_offset get-block
    encoding_offset_increment incrby-block
    encoding_offset_value set-block
    end_index end-unit-block
    entries_added entries-added
    entries_read entries-read entriesread
    field_value data
    group_consumer group-block
    groupname group
    hard_soft reset-type
    id id-selector lastid
    id_or_auto id-selector
    index range
    index_unit unit
    key_value data
    len min-match-len
    longitude_latitude fromlonlat
    longitude_latitude_member data
    max_deleted_entry_id max-deleted-id
    new_id new-id
    node-id importing migrating node
    nosave_save save-selector
    offset_count limit
    on_off_skip action
    parameter_value data
    pattern by-pattern get-pattern
    score_member data
    start-slot_end-slot range
    timeout_error unblock-type
    username_password auth
    wrap_sat_fail overflow-block
    write_operation write-operation
""".strip().splitlines())}


@pytest.fixture(scope="module")
def servers():
    with Server(binary=REDIS, tcp=False) as theirs, Server(tcp=False) as ours:
        yield theirs, ours


@pytest.fixture(params=[2, 3])
def both(servers, request):
    theirs, ours = (server.connect(protocol=request.param) for server in servers)
    yield theirs, ours
    theirs.close()
    ours.close()


def entries(reply):
    """A map, or under RESP2 the array instead, as pairs of a text and a reply."""
    return [(key[1].decode(), value) for key, value in zip(reply[1][::2], reply[1][1::2])]


def argument(reply):
    fields = []
    for name, value in entries(reply):
        if name == "arguments":
            value = (value[0], [argument(part) for part in value[1]])
        if name != "display_text":
            fields.append((name, value))
    return reply[0], fields


def documents(connection):
    """Of each command and subcommand: its fields in their order, each with its type and value."""
    found = {}

    def add(name, reply):
        fields = {}
        for field, value in entries(reply):
            if field == "subcommands":
                for sub, document in entries(value):
                    add(sub, document)
                value = value[0]
            elif field == "arguments":
                value = (value[0], [argument(part) for part in value[1]])
            elif field == "history":
                value = (value[0], [(kind, since, change[0]) for kind, (since, change) in value[1]])
            elif field in OWN_WORDS:
                assert value[1], (name, field)
                value = value[0]
            fields[field] = value
        found[name] = (reply[0], fields)

    for name, document in entries(connection.call("COMMAND", "DOCS")):
        add(name, document)
    return found


def renamed(theirs, ours):
    """Their arguments with the names that ours have, where those are known to be new."""
    kind, items = theirs
    if len(items) != len(ours[1]):
        return theirs
    out = []
    for (map_kind, fields), (_, our_fields) in zip(items, ours[1]):
        new = dict(our_fields).get("name")
        fields = [("name", new) if field == "name" and new[1].decode() in RENAMED.get(value[1].decode(), ()) else
                  (field, renamed(value, dict(our_fields).get("arguments", ours))) if field == "arguments" else
                  (field, value) for field, value in fields]
        out.append((map_kind, fields))
    return kind, out


def test_every_field_of_every_command(both):
    theirs, ours = map(documents, both)
    common = sorted(set(theirs) & set(ours))
    assert len(common) > 340
    differ = {}
    for name in common:
        their_kind, their_fields = theirs[name]
        our_kind, our_fields = ours[name]
        skipped = OTHER_FIELDS.get(name, set()) | ({"arguments"} if name in OTHER_ARGUMENTS else set())
        if "complexity" not in their_fields:
            skipped.add("complexity")
        if "arguments" in their_fields and "arguments" in our_fields:
            their_fields["arguments"] = renamed(their_fields["arguments"], our_fields["arguments"])
        a, b = ([(field, value) for field, value in fields.items() if field not in skipped]
                for fields in (their_fields, our_fields))
        if (their_kind, a) != (our_kind, b):
            differ[name] = (a, b)
    assert not differ, "\n".join(f"{name}:\n  theirs {a}\n  ours   {b}" for name, (a, b) in differ.items())


def test_the_exceptions_are_needed(both):
    theirs, ours = map(documents, both)
    for name in OTHER_ARGUMENTS:
        assert theirs[name][1].get("arguments") != ours[name][1].get("arguments"), name
    for name, fields in OTHER_FIELDS.items():
        assert all(theirs[name][1].get(field) != ours[name][1].get(field) for field in fields), name


@pytest.mark.parametrize("names", [
    "GET", "get", "config|get", "CONFIG|GET", "config|nosuch", "nosuch", "nosuch|get", "get nosuch set", "get get", "object|help"])
def test_which_are_described(both, names):
    theirs, ours = ([name for name, _ in entries(conn.call("COMMAND", "DOCS", *names.split()))] for conn in both)
    assert ours == theirs


def shape(reply, depth=0):
    """The types of COMMAND INFO's reply. Elements of sets may come in any order."""
    kind, payload = reply
    if not isinstance(payload, list):
        return kind if depth > 1 else reply
    inner = [shape(item, depth + 1) for item in payload]
    return kind, sorted(inner, key=repr) if kind == b"~" or depth > 1 else inner


def test_types_in_command_info(both):
    theirs, ours = ({row[1][0][1].decode(): row for row in conn.call("COMMAND")[1]} for conn in both)
    # The rows of containers hold those of their subcommands, of which we have fewer, or more.
    containers = {name for name, row in theirs.items() if row[1][9][1]}
    assert len(containers) > 10
    for name in sorted(set(theirs) & set(ours)):
        their_row, our_row = (reply[name][1] for reply in (theirs, ours))
        assert [kind for kind, _ in our_row] == [kind for kind, _ in their_row], name
        # Sentences of COMMAND INFO: whether there are notes.
        assert [shape(spec, 2) for spec in our_row[8][1]] == [shape(spec, 2) for spec in their_row[8][1]], name
    for name in sorted(containers & set(ours)):
        their_subs, our_subs = ({sub[1][0][1]: sub for sub in rows[name][1][9][1]} for rows in (theirs, ours))
        for sub in set(their_subs) & set(our_subs):
            assert [kind for kind, _ in our_subs[sub][1]] == [kind for kind, _ in their_subs[sub][1]], sub


@pytest.mark.parametrize("names", ["config|get", "CONFIG|GET", "config|nosuch", "nosuch", "get config|get nosuch", "xgroup|create"])
def test_command_info_by_name(both, names):
    theirs, ours = ([row[1] and (len(row[1]), row[1][0]) for row in conn.call("COMMAND", "INFO", *names.split())[1]] for conn in both)
    assert ours == theirs


# Commands that one of both does not have.
def names_of(connection, *filters):
    kind, payload = connection.call("COMMAND", "LIST", *filters)
    return kind, {name for _, name in payload} if isinstance(payload, list) else payload


@pytest.mark.parametrize("filters", [
    "", "FILTERBY MODULE nosuch", "FILTERBY MODULE", "FILTERBY", "FILTERBY NOSUCH x", "FILTERBY ACLCAT nosuch", "FILTERBY ACLCAT geo",
    "FILTERBY ACLCAT GEO", "FILTERBY ACLCAT @geo", "filterby aclcat hyperloglog", "FILTERBY ACLCAT blocking", "FILTERBY PATTERN x*",
    "FILTERBY PATTERN X*", "FILTERBY PATTERN config*", "FILTERBY PATTERN *|get", "FILTERBY PATTERN nosuch", "FILTERBY PATTERN [gs]et",
    "FILTERBY PATTERN a b", "PATTERN x"])
def test_command_list(both, servers, filters):
    theirs, ours = (names_of(conn, *filters.split()) for conn in both)
    if isinstance(theirs[1], set):
        all_theirs, all_ours = (names_of(conn)[1] for conn in both)
        common = all_theirs & all_ours
        theirs, ours = ((kind, names & common) for kind, names in (theirs, ours))
    assert ours == theirs
