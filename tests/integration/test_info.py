# SPDX-License-Identifier: BSD-3-Clause
"""INFO: the sections, and the fields that monitoring tools read."""

import re

import pytest

from harness.resp import plain
from harness.server import is_sanitized, wait_until

FIELDS = {
    "server": "redis_version redis_git_sha1 redis_mode os arch_bits multiplexing_api gcc_version process_id run_id tcp_port "
              "server_time_usec uptime_in_seconds uptime_in_days hz configured_hz executable config_file",
    "clients": "connected_clients maxclients blocked_clients tracking_clients",
    "memory": "used_memory used_memory_human used_memory_rss used_memory_rss_human used_memory_peak "
              "used_memory_peak_human total_system_memory maxmemory maxmemory_policy mem_fragmentation_ratio "
              "mem_allocator lazyfree_pending_objects",
    "persistence": "loading rdb_changes_since_last_save rdb_bgsave_in_progress rdb_last_save_time "
                   "rdb_last_bgsave_status rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec rdb_saves "
                   "rdb_last_cow_size rdb_last_load_keys_expired rdb_last_load_keys_loaded aof_enabled",
    "stats": "eventloop_cycles eventloop_duration_sum eventloop_duration_max total_connections_received "
             "total_commands_processed instantaneous_ops_per_sec total_net_input_bytes total_net_output_bytes rejected_connections expired_keys evicted_keys keyspace_hits keyspace_misses "
             "pubsub_channels pubsub_patterns latest_fork_usec total_forks total_error_replies",
    "replication": "role connected_slaves master_replid master_repl_offset",
    "cpu": "used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children",
    "cluster": "cluster_enabled",
}


def info(connection, *sections):
    """INFO as {section: {field: value}}."""
    found, section = {}, None
    text = connection.do("INFO", *sections).decode()
    assert text == "" or text.endswith("\r\n")
    for line in text.split("\r\n"):
        if line.startswith("# "):
            section = found.setdefault(line[2:].lower(), {})
        elif line:
            name, _, value = line.partition(":")
            section[name] = value
    return found


@pytest.mark.parametrize("section", FIELDS)
def test_fields(conn, section):
    found = info(conn, section)
    assert list(found) == [section]
    missing = [field for field in FIELDS[section].split() if field not in found[section]]
    assert not missing


def test_the_debug_section_is_shown_to_who_names_it(conn):
    names = ["eventloop_duration_aof_sum", "eventloop_duration_cron_sum", "eventloop_duration_max", "eventloop_cmd_per_cycle_max"]
    for _ in range(2):
        assert not any("debug" in info(conn, *words) for words in ((), ("all",), ("everything",)))
        conn.send_bytes(b"PING\r\n" * 20)
        for _ in range(20):
            assert plain(conn.read()) == b"PONG"
        found = info(conn, "debug")
        assert list(found) == ["debug"] and list(found["debug"]) == names
        # Twenty that arrive in one packet are one turn's.
        assert int(found["debug"]["eventloop_cmd_per_cycle_max"]) >= 2
        assert found["debug"]["eventloop_duration_aof_sum"] == "0"
        before = int(found["debug"]["eventloop_duration_cron_sum"])
        wait_until(lambda: int(info(conn, "debug")["debug"]["eventloop_duration_cron_sum"]) > before)
        conn.do("CONFIG", "RESETSTAT")
        assert int(info(conn, "debug")["debug"]["eventloop_cmd_per_cycle_max"]) <= 2


def test_the_debug_section_counts_the_time_of_the_append_only_file(start_server):
    with start_server("--appendonly", "yes").connect() as connection:
        connection.do("SET", "k", "v")
        wait_until(lambda: info(connection, "debug")["debug"]["eventloop_duration_aof_sum"] != "0")


def test_sections(conn):
    conn.do("SET", "a", "1")
    default = info(conn)
    # Redis's order.
    assert [name for name in default if name != "errorstats"] == [
        "server", "clients", "memory", "persistence", "stats", "replication", "cpu", "modules", "cluster", "keyspace"]
    assert {"active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits", "active_defrag_key_misses",
            "total_active_defrag_time", "current_active_defrag_time"} <= set(default["stats"])
    assert default["replication"]["repl_backlog_size"] == "1048576"
    assert "commandstats" not in default
    assert "commandstats" in info(conn, "all")
    assert {"commandstats", "modules"} <= set(info(conn, "everything"))
    assert set(info(conn, "server", "CPU")) == {"server", "cpu"}
    assert info(conn, "nosuchsection") == {}
    assert info(conn, "default").keys() == default.keys()


def test_keyspace(conn):
    conn.do("MSET", "a", "1", "b", "2")
    conn.do("EXPIRE", "a", "1000")
    conn.do("SELECT", "5")
    conn.do("SET", "c", "3")
    found = info(conn, "keyspace")["keyspace"]
    assert found["db0"].startswith("keys=2,expires=1,avg_ttl=")
    assert found["db5"].startswith("keys=1,expires=0,avg_ttl=0")
    assert set(found) == {"db0", "db5"}


def test_counters(start_server):
    connection = start_server().connect()
    connection.do("SET", "a", "1")
    connection.do("GET", "a")
    connection.do("GET", "nokey")
    connection.error("LPUSH", "a", "x")
    connection.error("NOSUCHCOMMAND")
    stats = info(connection, "stats")["stats"]
    assert stats["keyspace_hits"] == "1" and stats["keyspace_misses"] == "1"
    assert stats["total_error_replies"] == "2"
    everything = info(connection, "everything")
    assert everything["errorstats"] == {"errorstat_WRONGTYPE": "count=1", "errorstat_ERR": "count=1"}
    get = dict(pair.split("=") for pair in everything["commandstats"]["cmdstat_get"].split(","))
    assert get["calls"] == "2" and get["failed_calls"] == "0" and float(get["usec_per_call"]) >= 0
    push = dict(pair.split("=") for pair in everything["commandstats"]["cmdstat_lpush"].split(","))
    assert push["failed_calls"] == "1"


def test_expired_keys_are_counted(start_server):
    connection = start_server().connect()
    connection.do("SET", "a", "1", "PX", "1")
    wait_until(lambda: info(connection, "stats")["stats"]["expired_keys"] == "1")


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer keeps freed memory")
def test_memory_grows_with_data_and_shrinks_again(start_server):
    connection = start_server().connect()
    before = int(info(connection, "memory")["memory"]["used_memory"])
    connection.pipeline([["SET", f"k{i}", b"x" * 1000] for i in range(2000)])
    full = int(info(connection, "memory")["memory"]["used_memory"])
    assert full - before > 2_000_000
    connection.do("FLUSHALL", "SYNC")
    after = int(info(connection, "memory")["memory"]["used_memory"])
    assert after < before + 1_000_000


def test_resp3_info_is_a_verbatim_string(conn3):
    kind, text = conn3.call("INFO", "server")
    assert kind == b"=" and text.startswith(b"txt:# Server\r\n")


def test_turns_of_the_loop(conn):
    """A command that takes long is a long turn; RESETSTAT forgets it."""
    def turns():
        info = conn.do("INFO", "stats").decode()
        return {name: int(re.search(rf"eventloop_{name}:(\d+)", info).group(1)) for name in ("cycles", "duration_sum", "duration_max")}

    conn.do("CONFIG", "RESETSTAT")
    conn.do("DEBUG", "SLEEP", "0.05")
    after = turns()
    assert after["duration_max"] >= 50000 and after["duration_sum"] >= after["duration_max"] and after["cycles"] >= 1
    conn.do("CONFIG", "RESETSTAT")
    conn.do("PING")
    assert turns()["duration_sum"] < after["duration_sum"]


def test_time_of_commands(conn):
    before = int(info(conn, "stats")["stats"]["eventloop_duration_cmd_sum"])
    conn.do("DEBUG", "SLEEP", "0.05")
    assert int(info(conn, "stats")["stats"]["eventloop_duration_cmd_sum"]) - before >= 50_000


def test_values_freed_in_the_background(conn):
    for _ in range(2):
        conn.do("CONFIG", "RESETSTAT")
        conn.do("RPUSH", "list", *["x" * 100] * 20_000)
        conn.do("UNLINK", "list")
        wait_until(lambda: info(conn, "memory")["memory"]["lazyfreed_objects"] == "1", what="the list to be freed")
