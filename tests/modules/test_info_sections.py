# SPDX-License-Identifier: BSD-3-Clause
"""INFO of a module's own, and reading the server's."""

MODULES = ["info"]


def sections(conn, *names):
    """{section: {field: value}}"""
    out = {}
    for line in conn.do("info", *names).decode().splitlines():
        if line.startswith("# "):
            out[line[2:]] = {}
        elif ":" in line:
            name, _, value = line.partition(":")
            out[list(out)[-1]][name] = value
    return out


OWN = {
    "infotest": {"infotest_signed": "-42", "infotest_unsigned": "18446744073709551615", "infotest_double": "1.5",
                 "infotest_crash": "no"},
    "infotest_Letters": {"infotest_string": "some text"},
    "infotest_Nested": {"infotest_dict": "a=1,b=two", "infotest_odd__name": "x=1", "infotest_left_open": "c=3"},
}


def own(found):
    return {name: {field: value.rstrip("0") if field.endswith("double") else value for field, value in fields.items()}
            for name, fields in found.items() if name.startswith("infotest")}


def test_all_sections(conn):
    for word in ("everything", "modules"):
        assert own(sections(conn, word)) == OWN
    assert own(sections(conn, "all")) == {}
    assert own(sections(conn)) == {}


def test_one_section(conn):
    assert own(sections(conn, "infotest")) == OWN
    assert own(sections(conn, "infotest_letters")) == {"infotest_Letters": OWN["infotest_Letters"]}
    assert sections(conn, "infotest_none") == {}
    found = sections(conn, "infotest_nested", "server")
    assert list(own(found)) == ["infotest_Nested"] and "Server" in found


def test_modules_section_lists_the_module(conn):
    found = conn.do("info", "modules").decode()
    assert "module:name=infotest,ver=1,api=1,filters=0,usedby=[],using=[],options=[]" in found


def test_reading_the_servers(conn):
    port = conn.do("config", "get", "port")[1]
    assert conn.do("info.field", "server", "tcp_port", "string") == port
    assert conn.do("info.field", "server", "tcp_port", "cstring") == port
    assert conn.do("info.field", "server", "tcp_port", "signed") == int(port)
    assert conn.do("info.field", "server", "tcp_port", "unsigned") == int(port)
    assert conn.do("info.field", "server", "tcp_port", "double") == port
    assert conn.do("info.field", "server", "nosuch", "string") is None
    assert conn.do("info.field", "nosuch", "tcp_port", "cstring") is None
    for kind in ("signed", "unsigned", "double"):
        assert conn.error("info.field", "server", "nosuch", kind) == "ERR no such number"
    for kind in ("signed", "unsigned"):
        assert conn.error("info.field", "server", "redis_version", kind) == "ERR no such number"
    assert conn.do("info.field", "keyspace", "db9", "string") is None
    conn.do("select", 9)
    conn.do("set", "k", "v")
    assert conn.do("info.field", "keyspace", "db9", "string").startswith(b"keys=1,expires=0")


def test_reading_its_own(conn):
    assert conn.do("info.field", "infotest", "infotest_signed", "signed") == -42
    assert conn.do("info.field", "infotest", "infotest_unsigned", "unsigned") == -1  # As a signed reply.
    assert conn.error("info.field", "infotest", "infotest_signed", "unsigned") == "ERR no such number"
    assert conn.do("info.field", "infotest", "infotest_double", "double") == b"1.5"
    assert conn.do("info.field", "infotest_nested", "infotest_dict", "string") == b"a=1,b=two"


def test_unload_ends_it(start_with):
    conn = start_with(["info"]).connect()
    assert conn.do("module", "unload", "infotest") == b"OK"
    assert own(sections(conn, "everything")) == {}
