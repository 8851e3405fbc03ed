# SPDX-License-Identifier: BSD-3-Clause
"""LATENCY: events, histograms of commands, and what INFO latencystats says of them."""

import time

import pytest

from harness.server import wait_until


@pytest.fixture
def watched(start_server):
    """A connection to a server whose events of 10 ms are kept."""
    server = start_server("--latency-monitor-threshold", 10)
    connection = server.connect()
    connection.server = server
    return connection


def percentiles(connection):
    """INFO latencystats as {command: {percentile: microseconds}}."""
    found = {}
    for line in connection.do("INFO", "latencystats").decode().split("\r\n")[1:-1]:
        name, _, values = line.partition(":")
        assert name.startswith("latency_percentiles_usec_")
        pairs = [pair.split("=") for pair in values.split(",") if pair]
        found[name.removeprefix("latency_percentiles_usec_")] = {key: float(value) for key, value in pairs}
    return found


def histograms(connection, *names):
    """LATENCY HISTOGRAM as {command: (calls, {microseconds: calls up to there})}."""
    def pairs(flat):
        return dict(zip(flat[::2], flat[1::2]))
    found = {}
    for name, facts in pairs(connection.do("LATENCY", "HISTOGRAM", *names)).items():
        assert facts[::2] == [b"calls", b"histogram_usec"]
        found[name.decode()] = (facts[1], pairs(facts[3]))
    return found


def test_off_by_default(start_server):
    with start_server().connect() as connection:
        assert connection.do("CONFIG", "GET", "latency-monitor-threshold")[1] == b"0"
        connection.do("DEBUG", "SLEEP", "0.02")
        assert connection.do("LATENCY", "LATEST") == []
        assert b"latency-monitor-threshold" in connection.do("LATENCY", "DOCTOR")


def test_events(watched):
    now = int(time.time())
    watched.do("DEBUG", "SLEEP", "0.03")
    watched.do("DEBUG", "SLEEP", "0.02")
    name, when, latest, longest = watched.do("LATENCY", "LATEST")[0]
    assert name == b"command"
    assert now <= when <= now + 30
    assert latest >= 20 and longest >= 30
    history = watched.do("LATENCY", "HISTORY", "command")
    assert 1 <= len(history) <= 2 and all(millis >= 20 for _, millis in history)
    graph = watched.do("LATENCY", "GRAPH", "command").decode()
    assert graph.startswith("command - high ") and "\n" + "-" * 80 + "\n" in graph
    assert b"1. command: " in watched.do("LATENCY", "DOCTOR")


def test_threshold(watched):
    watched.do("DEBUG", "SLEEP", "0.001")
    watched.do("CONFIG", "SET", "latency-monitor-threshold", 100_000)
    watched.do("DEBUG", "SLEEP", "0.02")
    watched.do("CONFIG", "SET", "latency-monitor-threshold", 0)
    watched.do("DEBUG", "SLEEP", "0.02")
    assert watched.do("LATENCY", "LATEST") == []


def test_scripts_and_their_commands(watched):
    watched.do("EVAL", "local t = 0 for i = 1, 30000000 do t = t + i end return t", 0)
    assert [event[0] for event in watched.do("LATENCY", "LATEST")] == [b"command"]


def test_fork_is_an_event_of_its_own(watched):
    watched.do("CONFIG", "SET", "latency-monitor-threshold", 1)
    watched.do("DEBUG", "POPULATE", 1_000_000)
    watched.do("LATENCY", "RESET")
    watched.do("BGSAVE")
    micros = int(dict(line.split(":") for line in watched.do("INFO", "stats").decode().split("\r\n")
                      if ":" in line)["latest_fork_usec"])
    events = {event[0]: event[2] for event in watched.do("LATENCY", "LATEST")}
    assert events.get(b"fork", 0) == micros // 1000


def test_eviction_and_expiry(watched):
    """Only that they are known as such: how long they take is the machine's affair."""
    watched.do("CONFIG", "SET", "latency-monitor-threshold", 1, "lazyfree-lazy-eviction", "no", "lazyfree-lazy-expire", "no")
    size = 1_000_000

    def big(key):
        for start in range(0, size, 100_000):
            watched.do("SADD", key, *[f"member-{number}" for number in range(start, start + 100_000)])

    # Values of expired keys go to the background: what takes time is many keys at once.
    watched.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    watched.pipeline([("SET", f"key:{n}", "v", "PX", "1") for n in range(100_000)])
    watched.do("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    wait_until(lambda: watched.do("DBSIZE") == 0)
    assert b"expire-cycle" in [event[0] for event in watched.do("LATENCY", "LATEST")]
    big("evicted")
    watched.do("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", "5mb")
    watched.call("SET", "a", "b")
    wait_until(lambda: watched.do("DBSIZE") <= 1)
    assert {b"eviction-cycle", b"eviction-del"} <= {event[0] for event in watched.do("LATENCY", "LATEST")}


def test_reset(watched):
    for _ in range(2):
        watched.do("DEBUG", "SLEEP", "0.02")
        assert watched.do("LATENCY", "RESET", "nosuch") == 0
        assert watched.do("LATENCY", "RESET", "command", "nosuch") == 1
        assert watched.do("LATENCY", "LATEST") == []
    watched.do("DEBUG", "SLEEP", "0.02")
    assert watched.do("LATENCY", "RESET") == 1
    assert watched.do("LATENCY", "RESET") == 0
    assert watched.do("LATENCY", "HISTORY", "command") == []


def test_errors(watched):
    assert watched.error("LATENCY", "GRAPH", "nosuch") == "ERR No samples available for event 'nosuch'"
    assert watched.error("LATENCY", "HISTORY") == "ERR wrong number of arguments for 'latency|history' command"
    assert watched.error("LATENCY", "NOSUCH") == "ERR unknown subcommand 'NOSUCH'. Try LATENCY HELP."
    help_text = b"\n".join(watched.do("LATENCY", "HELP"))
    assert all(word in help_text for word in (b"DOCTOR", b"GRAPH", b"HISTOGRAM", b"HISTORY", b"LATEST", b"RESET"))


def test_histograms(watched):
    watched.do("CONFIG", "RESETSTAT")
    for _ in range(5):
        watched.do("SET", "a", "b")
    watched.do("DEBUG", "SLEEP", "0.02")
    watched.do("CONFIG", "GET", "port")
    found = histograms(watched)
    assert {"set", "debug", "config|get", "config|resetstat"} <= set(found)
    calls, rows = found["set"]
    assert calls == 5 and max(rows.values()) == 5
    assert list(rows.values()) == sorted(rows.values()), "cumulative"
    calls, rows = found["debug"]
    assert calls == 1 and min(rows) >= 20_000
    assert {micros for _, row in found.values() for micros in row} <= {
        (1024 << power) * 129 // 128 // 1000 for power in range(40)}
    assert set(histograms(watched, "set", "nosuch", "config|get", "config|nosuch")) == {"set", "config|get"}
    assert {"config|get", "config|resetstat"} <= set(histograms(watched, "config")), "a container stands for its parts"


def test_waiting_is_not_counted(watched):
    watched.do("CONFIG", "RESETSTAT")
    watched.do("BLPOP", "queue", "0.01")
    assert "blpop" not in histograms(watched)
    with watched.server.connect() as other:
        other.send("BLPOP", "queue", 0)
        wait_until(lambda: b"blocked_clients:1" in watched.do("INFO", "clients"))
        watched.do("LPUSH", "queue", "x")
        other.read()
    assert histograms(watched)["blpop"][0] == 1


def test_latencystats(watched):
    assert "latencystats" not in watched.do("INFO").decode().lower()
    assert "# Latencystats\r\n" in watched.do("INFO", "all").decode()
    watched.do("DEBUG", "SLEEP", "0.02")
    found = percentiles(watched)["debug"]
    assert list(found) == ["p50", "p99", "p99.9"]
    assert 20_000 <= found["p50"] <= found["p99"] <= found["p99.9"]
    watched.do("CONFIG", "SET", "latency-tracking-info-percentiles", "0 12.5 100")
    assert list(percentiles(watched)["debug"]) == ["p0", "p12.5", "p100"]
    watched.do("CONFIG", "SET", "latency-tracking-info-percentiles", "")
    assert percentiles(watched)["debug"] == {}
    watched.do("CONFIG", "RESETSTAT")
    assert set(percentiles(watched)) <= {"config|resetstat", "info"}


def test_tracking_can_be_off(watched):
    watched.do("CONFIG", "SET", "latency-tracking", "no")
    watched.do("CONFIG", "RESETSTAT")
    watched.do("GET", "a")
    assert watched.do("INFO", "latencystats") == b"# Latencystats\r\n"
    assert histograms(watched) == {}


@pytest.mark.parametrize("value, shown", [("50 99 99.9", "50 99 99.9"), ("", ""), ("33.33333333", "33.333333"),
                                          ("1e1", "10"), ("0", "0"), ("100", "100")])
def test_percentiles_option(watched, value, shown):
    watched.do("CONFIG", "SET", "latency-tracking-info-percentiles", value)
    assert watched.do("CONFIG", "GET", "latency-tracking-info-percentiles")[1] == shown.encode()


@pytest.mark.parametrize("value, why", [
    ("x", "Invalid latency-tracking-info-percentiles parameters"),
    ("50,99", "Invalid latency-tracking-info-percentiles parameters"),
    ("101", "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"),
    ("-1", "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"),
])
def test_percentiles_errors(watched, value, why):
    assert watched.error("CONFIG", "SET", "latency-tracking-info-percentiles", value) == \
        "ERR CONFIG SET failed (possibly related to argument 'latency-tracking-info-percentiles') - " + why


def test_percentiles_in_a_file(start_server, tmp_path):
    path = tmp_path / "server.conf"
    path.write_text("latency-tracking-info-percentiles 75 99.99\nshutdown-on-sigint nosave force\n")
    server = start_server(start=False)
    server.command_line = lambda: [server.binary, str(path), "--port", "0", "--unixsocket", str(server.socket_path),
                                   "--dir", str(server.folder), "--save", ""]
    server.start()
    with server.connect() as connection:
        assert connection.do("CONFIG", "GET", "latency-tracking-info-percentiles")[1] == b"75 99.99"
        connection.do("CONFIG", "SET", "latency-tracking-info-percentiles", "10", "shutdown-on-sigterm", "now force")
        connection.do("CONFIG", "REWRITE")
    lines = path.read_text().split("\n")
    assert "latency-tracking-info-percentiles 10" in lines
    assert "shutdown-on-sigint nosave force" in lines
    assert "shutdown-on-sigterm now force" in lines
