# SPDX-License-Identifier: BSD-3-Clause
"""What the life cycle's tests put into a server, and look for afterwards."""

COUNT = 1000


def fill(conn):
    conn.do("stock.fill", 0, COUNT, "text")
    conn.do("stock.set", "special", 7, "unreadable")
    conn.do("set", "plain", "value")


def check_values(conn, version_of_special=1):
    """Everything that fill() made is there; the module answers from its list, and value by value."""
    assert conn.do("stock.total") == [COUNT + 1, COUNT * (COUNT - 1) // 2 + 7]
    assert conn.do("stock.get", "special") == [7, b"unreadable", version_of_special]
    assert conn.do("stock.get", "stock:999")[:2] == [999, b"text"]
    assert conn.do("get", "plain") == b"value"
    assert conn.do("dbsize") == COUNT + 2
    assert conn.do("stock.serial") == 1
