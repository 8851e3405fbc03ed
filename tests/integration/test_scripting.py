# SPDX-License-Identifier: BSD-3-Clause
"""Scripts and functions where they need a process: long ones, the clock, files, INFO."""

import time

import pytest

from harness.server import wait_until

KILLED = b"ERR Script killed by user with SCRIPT KILL..."
BUSY = "BUSY Redis is busy running a script. You can only call %s KILL or SHUTDOWN NOSAVE."
FUNCTIONS = """#!lua name=lib
redis.register_function('spin', function() while true do end end)
redis.register_function('one', function() return 1 end)
"""


@pytest.fixture
def impatient(start_server):
    """A server that calls a script long after 20 ms."""
    return start_server("--busy-reply-threshold", 20)


def run_long(server, *command):
    """A client whose script runs, and another one that is told so."""
    runner, other = server.connect(), server.connect()
    runner.send(*command)
    wait_until(lambda: other.call("PING")[0] == b"-", what="the script to be called long")
    return runner, other


def info(connection, field):
    for line in connection.do("INFO", "memory").decode().splitlines():
        if line.startswith(field + ":"):
            return line[len(field) + 1:]
    raise KeyError(field)


def test_long_script_is_killed(impatient):
    runner, other = run_long(impatient, "EVAL", "while true do end", 0)
    busy = BUSY % "SCRIPT"
    assert other.error("GET", "x") == busy
    assert other.error("FUNCTION", "KILL") == busy
    assert other.error("FUNCTION", "STATS") == busy
    assert other.do("MULTI") == b"OK"
    assert other.error("EXEC") == "EXECABORT Transaction discarded because of: " + busy
    assert other.do("SCRIPT", "KILL") == b"OK"
    assert runner.read()[1].startswith(KILLED + b" script: ")
    assert other.do("PING") == b"PONG"
    assert other.error("SCRIPT", "KILL") == "NOTBUSY No scripts in execution right now."


@pytest.mark.parametrize("code", [
    "local f = function() while 1 do redis.call('ping') end end while 1 do pcall(f) end",
    "while 1 do xpcall(function() while 1 do end end, function(e) return e end) end",
    "while 1 do coroutine.resume(coroutine.create(function() while 1 do end end)) end",
])
def test_nothing_catches_a_kill(impatient, code):
    runner, other = run_long(impatient, "EVAL", code, 0)
    assert other.do("SCRIPT", "KILL") == b"OK"
    assert runner.read()[1].startswith(KILLED)
    assert other.do("PING") == b"PONG"
    # The state is as good as before.
    assert runner.do("EVAL", "local n = 0 for i = 1, 1000 do n = n + i end return n", 0) == 500500


def test_script_that_wrote_is_not_killed(impatient):
    runner, other = run_long(impatient, "EVAL", "redis.call('set','k','v') while true do end", 0)
    assert other.error("SCRIPT", "KILL").startswith("UNKILLABLE Sorry the script already executed write commands")
    assert other.error("FUNCTION", "KILL").startswith("UNKILLABLE Sorry the script already executed write commands")
    assert other.error("PING") == BUSY % "SCRIPT"
    other.send("SHUTDOWN", "NOSAVE")
    impatient.wait()
    del runner


def test_long_function_is_killed(impatient):
    impatient.connect().do("FUNCTION", "LOAD", FUNCTIONS)
    runner, other = run_long(impatient, "FCALL", "spin", 0)
    assert other.error("SCRIPT", "KILL") == BUSY % "FUNCTION"
    stats = other.do("FUNCTION", "STATS")
    assert stats[0] == b"running_script" and stats[1][:4] == [b"name", b"spin", b"command", [b"FCALL", b"spin", b"0"]]
    assert stats[1][5] >= 20
    assert other.do("FUNCTION", "KILL") == b"OK"
    assert runner.read()[1] == KILLED + b" script: spin, on @user_function:2."
    assert other.do("FCALL", "one", 0) == 1


def test_client_of_a_long_script_may_go(impatient):
    runner, other = run_long(impatient, "EVAL", "while true do end", 0)
    runner.close()
    time.sleep(0.1)
    assert other.error("PING") == BUSY % "SCRIPT"
    assert other.do("SCRIPT", "KILL") == b"OK"
    wait_until(lambda: other.call("PING") == (b"+", b"PONG"), what="the end of the script")


def test_what_follows_a_long_script_in_the_pipeline(impatient):
    runner, other = run_long(impatient, "EVAL", "while true do end", 0)
    runner.send("PING")
    assert other.error("PING") == BUSY % "SCRIPT"
    assert other.do("SCRIPT", "KILL") == b"OK"
    assert runner.read()[1].startswith(KILLED)
    assert runner.read() == (b"+", b"PONG")


def test_many_clients_are_served_while_a_script_runs(impatient):
    runner, other = run_long(impatient, "EVAL", "while true do end", 0)
    late = [impatient.connect() for _ in range(20)]
    for client in late:
        client.send("PING")
    assert {client.read()[1] for client in late} == {(BUSY % "SCRIPT").encode()}
    for client in late:
        client.close()
    assert other.do("SCRIPT", "KILL") == b"OK"
    assert runner.read()[1].startswith(KILLED)


def test_threshold_has_two_names(conn):
    assert conn.do("CONFIG", "SET", "lua-time-limit", 77) == b"OK"
    assert conn.do("CONFIG", "GET", "busy-reply-threshold") == [b"busy-reply-threshold", b"77"]


def test_time_stands_still(start_server):
    conn = start_server("--enable-debug-command", "yes").connect()
    conn.do("DEBUG", "SET-DISABLE-DENY-SCRIPTS", 1)
    code = "redis.call('set','k','v','px',1) redis.call('debug','sleep',0.02) return redis.call('exists','k')"
    assert conn.do("EVAL", code, 0) == 1
    assert conn.do("EXISTS", "k") == 0
    conn.do("DEBUG", "SET-DISABLE-DENY-SCRIPTS", 0)
    assert "not allowed from script" in conn.error("EVAL", "redis.call('debug','sleep',0)", 0)


def test_a_script_is_one_moment(conn):
    code = "local t = redis.call('time') local c = os.clock() while os.clock() - c < 0.01 do end " \
           "local u = redis.call('time') return {t[1] == u[1], t[2] == u[2], t[1]}"
    same = conn.do("EVAL", code, 0)
    assert same[:2] == [1, 1] and abs(int(same[2]) - time.time()) < 60


def test_time_stands_still_in_a_long_script(impatient):
    conn = impatient.connect()
    code = ("redis.call('set','k','v','px',30) local t = os.clock() while os.clock() - t < 0.2 do end "
            "return redis.call('exists','k')")
    assert conn.do("EVAL", code, 0) == 1
    assert conn.do("EXISTS", "k") == 0


def test_select_does_not_leak(conn):
    assert conn.do("EVAL", "redis.call('select', 3) redis.call('set','k','three') return redis.call('select', 2)", 0) == b"OK"
    assert conn.do("GET", "k") is None
    conn.do("SELECT", 3)
    assert conn.do("GET", "k") == b"three"
    assert "DB index is out of range script: " in conn.error("EVAL", "redis.call('select', 99)", 0)


def test_blocked_client_gets_what_a_script_left(server, conn):
    waiting = server.connect()
    waiting.send("BLPOP", "l", 0)
    wait_until(lambda: b"blocked_clients:1" in conn.do("INFO", "clients"), what="the client to wait")
    conn.do("EVAL", "redis.call('rpush','l','a') redis.call('lpush','l','b')", 0)
    assert waiting.read() == (b"*", [(b"$", b"l"), (b"$", b"b")])


def test_info_memory(conn):
    conn.do("SCRIPT", "FLUSH")
    conn.do("FUNCTION", "FLUSH")
    empty = int(info(conn, "used_memory_scripts"))
    for i in range(100):
        conn.do("SCRIPT", "LOAD", f"return {i}")
    conn.do("FUNCTION", "LOAD", FUNCTIONS)
    assert info(conn, "number_of_cached_scripts") == "100"
    assert info(conn, "number_of_libraries") == "1" and info(conn, "number_of_functions") == "2"
    assert int(info(conn, "used_memory_scripts")) > empty + 100 * 40
    assert info(conn, "used_memory_lua") == info(conn, "used_memory_vm_eval")
    assert int(info(conn, "used_memory_vm_total")) == \
        int(info(conn, "used_memory_vm_eval")) + int(info(conn, "used_memory_vm_functions"))
    conn.do("SCRIPT", "FLUSH", "ASYNC")
    conn.do("FUNCTION", "FLUSH")
    assert info(conn, "number_of_cached_scripts") == "0" and int(info(conn, "used_memory_scripts")) == empty


def test_libraries_are_saved(start_server):
    server = start_server("--enable-debug-command", "yes")
    conn = server.connect()
    conn.do("FUNCTION", "LOAD", FUNCTIONS)
    conn.do("FLUSHALL")
    assert conn.do("SAVE") == b"OK"
    server.kill()
    server.start()
    conn = server.connect()
    assert conn.do("FCALL", "one", 0) == 1
    assert conn.do("DEBUG", "RELOAD") == b"OK"
    assert conn.do("FCALL", "one", 0) == 1
    assert "Error trying to load the RDB dump" in conn.error("DEBUG", "RELOAD", "NOFLUSH")
    assert conn.do("DEBUG", "RELOAD", "NOFLUSH", "MERGE") == b"OK"
    assert conn.do("FUNCTION", "STATS")[3][1] == [b"libraries_count", 1, b"functions_count", 2]


def test_log(start_server):
    server = start_server()
    server.connect().do("EVAL", "redis.log(redis.LOG_WARNING, 'from', 'a script', 7)", 0)
    server.wait_for_log(r"# from a script 7")


def test_keys_of_a_call(conn):
    assert conn.do("COMMAND", "GETKEYS", "EVAL", "x", 2, "a", "b", "c") == [b"a", b"b"]
    assert conn.do("COMMAND", "GETKEYS", "FCALL", "x", 1, "a", "b") == [b"a"]
    assert conn.do("COMMAND", "GETKEYS", "EVAL", "x", 0) == []
