# SPDX-License-Identifier: BSD-3-Clause
"""The debugger of scripts: SCRIPT DEBUG, and what its client says and is told."""

import signal

import pytest

from harness.resp import plain
from harness.server import wait_until

SCRIPT = """local a = 1
local t = {1, 'x', k = {true, 2.5}}
redis.call('set', KEYS[1], a)
local function twice(x)
  local y = x * 2
  redis.debug('in', y, t[3])
  return y
end
for i = 1, 2 do
  a = a + i
end
local z = twice(a)
redis.breakpoint()
return {z, redis.call('get', KEYS[1])}"""


class Debugged:
    """A connection whose next script is debugged, stopped at the script's first line."""

    def __init__(self, server, script, *args, mode="YES", keys=()):
        self.connection = server.connect()
        assert self.connection.do("SCRIPT", "DEBUG", mode) == b"OK"
        self.connection.send("EVAL", script, len(keys), *keys, *args)
        self.first = self.lines()

    def lines(self):
        return [line.decode() for line in plain(self.connection.read())]

    def do(self, *words):
        self.connection.send(*(words[0].split() if len(words) == 1 else words))
        return self.lines()

    def end(self, *words):
        """The last command: what the script replies, and then nothing."""
        self.connection.send(*(words[0].split() if len(words) == 1 else words))
        lines = self.lines()
        assert lines[-1] == "<endsession>"
        reply = self.connection.read()
        assert self.connection.read_to_end() == b""
        return lines[:-1], reply


def at(line, text, reason="step over", mark="-> "):
    return [f"* Stopped at {line}, stop reason = {reason}", f"{mark}{line:<3} {text}"]


@pytest.mark.parametrize("mode", ["YES", "SYNC"])
def test_steps_and_stops(start_server, mode):
    with start_server() as server:
        session = Debugged(server, SCRIPT, "arg", mode=mode, keys=["key"])
        assert session.first == at(1, "local a = 1")
        assert session.do("s") == at(2, "local t = {1, 'x', k = {true, 2.5}}")
        assert session.do("next") == at(3, "redis.call('set', KEYS[1], a)")
        assert session.do("step") == ["<redis> set key 1", '<reply> "+OK"', *at(8, "end")]
        assert session.do("break", "10", "-3", "0", "x", "99", "6", "10") == [
            "   9   for i = 1, 2 do", "  #10    a = a + i", "   11  end",
            "No breakpoint in the specified line.", "All breakpoints removed.", "Invalid argument:'x'", "Wrong line number.",
            "   5     local y = x * 2", "  #6     redis.debug('in', y, t[3])", "   7     return y",
            "   9   for i = 1, 2 do", "  #10    a = a + i", "   11  end"]
        assert session.do("c") == at(10, "  a = a + i", "break point", "->#")
        assert session.do("b -10") == ["Breakpoint removed."]
        assert session.do("b") == ["1 breakpoints set:", "  #6     redis.debug('in', y, t[3])"]
        assert session.do("continue") == at(6, "  redis.debug('in', y, t[3])", "break point", "->#")
        assert session.do("trace") == ["In twice:", "->#6     redis.debug('in', y, t[3])", "From top level:",
                                       "   12  local z = twice(a)"]
        assert session.do("c") == ['<debug> line 6: "in", 8, nil',
                                   *at(14, "return {z, redis.call('get', KEYS[1])}", "redis.breakpoint() called")]
        lines, reply = session.end("c")
        assert lines == [] and plain(reply) == [8, b"1"]
        # A forked session leaves nothing behind.
        assert server.connect().do("GET", "key") == (b"1" if mode == "SYNC" else None)


def test_what_is_shown(server):
    session = Debugged(server, "local n = false\nlocal s = 'a\"\\n'\nlocal t = {}\nt.t = t\nlocal long = string.rep('x', 300)\n"
                               "local list = {10, {20}, false}\nlocal f = function() end\ndo local s = 5\nreturn 1 end",
                       "arg", "b", keys=["k"])
    assert session.do("p") == ["No local variables in the current context."]
    session.do("b 9")
    session.do("c")
    shown = session.do("print")
    assert shown[:2] == ["<value> n = false", '<value> s = "a\\"\\n"']
    assert shown[2].startswith('<value> t = {["t"]={["t"]={') and "max recursion level" in shown[2]
    assert shown[3] == "<value> long = " + '"' + "x" * (256 - 16) + " ..."
    assert shown[4].startswith("<hint>")
    assert shown[5] == "<value> list = {10; {20}; false}"
    assert shown[6].startswith('<value> f = "function@0x')
    assert session.do("p s") == ["<value> 5"], "the inner one hides the outer one"
    assert session.do("p KEYS") == ['<value> {"k"}'] and session.do("p ARGV") == ['<value> {"arg"; "b"}']
    assert session.do("p redis") == ["No such variable."]
    assert session.do("maxlen") == ["<value> replies are truncated at 256 bytes."]
    assert session.do("m 1") == ["<value> replies are truncated at 60 bytes."]
    assert session.do("p long") == ['<value> "' + "x" * 51 + " ..."]
    assert session.do("m 0") == ["<value> replies are unlimited."]
    assert session.do("p long") == ['<value> "' + "x" * 300 + '"']
    assert session.do("list") == session.do("l 9") == session.do("l -1") == session.do("l x")
    assert session.do("l 2 1") == ["   1   local n = false", "   2   local s = 'a\"\\n'", "   3   local t = {}"]
    assert session.do("l 99") == [] and len(session.do("whole")) == 9
    assert session.do("e 1 + 1") == session.do("eval return 2") == ["<retval> 2"]
    assert session.do("e a = 5") == ["<error> ldb_eval:1: Attempt to modify a readonly table"]
    assert session.do("e s") == ["<error> ldb_eval:1: Script attempted to access nonexistent global variable 's'"]
    assert "unfinished" in session.do("e ", "'")[0] or "near" in session.do("e", "'")[0]
    assert session.do("e", "\x1bLuaQ")[0].startswith("<error>")
    assert "[s]tep" in " ".join(session.do("help"))
    assert plain(session.end("c")[1]) == 1


def test_commands_of_the_debugger(server):
    session = Debugged(server, "redis.setresp(3)\nreturn 1")
    assert session.do("r set k v") == ["<redis> set k v", '<reply> "+OK"']
    assert session.do("redis hset h a 1") == ["<redis> hset h a 1", "<reply> 1"]
    assert session.do("r mget k nosuch") == ["<redis> mget k nosuch", '<reply> ["v",NULL]']
    assert session.do("r hgetall h") == ["<redis> hgetall h", '<reply> ["a","1"]']
    assert session.do("r nosuch") == ["<redis> nosuch", "<error> Unknown Redis command called from script"]
    assert session.do("r shutdown") == ["<redis> shutdown", "<error> This Redis command is not allowed from script"]
    assert session.do("r hget k a")[1].startswith('<reply> "-WRONGTYPE')
    session.do("s")
    assert session.do("r hgetall h") == ["<redis> hgetall h", '<reply> {"a" => "1"}']
    assert session.do("r get nosuch") == ["<redis> get nosuch", "<reply> (null)"]
    for words in ("redis", "foo", "hello\x00world"):
        assert session.do(words) == ["<error> Unknown Redis Lua debugger command or wrong number of arguments."]
    assert plain(session.end("c")[1]) == 1


@pytest.mark.parametrize("mode", ["YES", "SYNC"])
def test_ends(start_server, mode):
    with start_server() as server:
        session = Debugged(server, "pcall(function()\n error('x') end)\nreturn 1", mode=mode)
        session.do("b 2")
        session.do("c")
        _, reply = session.end("a")
        assert b"script aborted for user request script:" in str(reply).encode(), "pcall does not go on"
        session = Debugged(server, "redis.call('nosuch')", mode=mode)
        lines, reply = session.end("s")
        assert lines == ["<redis> nosuch", "<error> Unknown Redis command called from script"]
        session = Debugged(server, "return 1", mode=mode)
        session.connection.send_bytes(b"*0\r\n")
        assert session.lines() == ["<endsession>"]
        assert "protocol error" in str(session.connection.read())
        # A client that goes ends its session, and the server goes on.
        session = Debugged(server, "while true do local x = 1 end", mode=mode)
        session.connection.close()
        assert server.connect().do("PING") == b"PONG"
        # An error before the first line ends the session too.
        session = Debugged(server, "local x =", mode=mode)
        assert session.first == ["<endsession>"]
        assert "compiling script" in str(session.connection.read())
        assert session.connection.read_to_end() == b""


def test_modes_and_refusals(server):
    connection = server.connect()
    assert connection.error("SCRIPT", "DEBUG", "x") == "ERR Use SCRIPT DEBUG YES/SYNC/NO"
    connection.send_bytes(b"PING\r\nSCRIPT DEBUG YES\r\n")
    assert plain(connection.read()) == b"PONG"
    assert "outside a pipeline" in str(connection.read())
    connection.do("SCRIPT", "DEBUG", "YES")
    assert connection.error("EVALSHA", "0" * 40, 0) == "ERR Please use EVAL instead of EVALSHA for debugging"
    connection.do("MULTI")
    connection.do("EVAL", "return redis.breakpoint()", 0)
    assert connection.do("EXEC") == [None], "not within a transaction"
    assert connection.do("SCRIPT", "DEBUG", "NO") == b"OK"
    assert connection.do("EVAL", "return 1", 0) == 1
    connection.do("SCRIPT", "DEBUG", "SYNC")
    connection.do("RESET")
    assert connection.do("EVAL", "return 1", 0) == 1


def test_a_script_without_end_is_stopped(start_server):
    with start_server("--busy-reply-threshold", 20) as server:
        session = Debugged(server, "while true do local x = 1 end")
        assert session.do("c") == at(1, "while true do local x = 1 end", "timeout reached, infinite loop?")
        session.end("a")


def test_a_signal_ends_a_session_in_the_server(start_server):
    server = start_server()
    session = Debugged(server, "return 1", mode="SYNC")
    server.process.send_signal(signal.SIGTERM)
    assert session.lines() == ["<endsession>"]
    assert server.wait() == 0


def test_children_do_not_outlive_the_server_and_are_limited(start_server):
    server = start_server()
    sessions = [Debugged(server, "return 1") for _ in range(16)]
    one_more = Debugged(server, "return 1")
    assert one_more.first == ["<endsession>"] and "too many" in str(one_more.connection.read())
    for session in sessions[1:]:
        session.end("c")
    wait_until(lambda: Debugged(server, "return 1").first != ["<endsession>"])
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    assert sessions[0].connection.read_to_end() == b""


def test_the_files_are_the_servers(start_server):
    """What a script that is debugged does to its copy of the data reaches no file, and no save that runs."""
    server = start_server("--save", "3600 1", "--appendonly", "yes")
    conn = server.connect()
    conn.pipeline([["SET", f"key{number}", "x"] for number in range(1000)])
    conn.do("SAVE")
    files = {path: path.read_bytes() for path in [server.folder / "dump.rdb", *server.folder.glob("*/*")]}
    conn.do("CONFIG", "SET", "rdb-key-save-delay", "20000")
    conn.do("BGSAVE")
    session = Debugged(server, "redis.call('flushall') redis.call('set', 'a', 'b') return redis.call('dbsize')")
    lines, reply = session.end("c")
    assert plain(reply) == 1
    assert conn.do("DBSIZE") == 1000
    assert b"rdb_bgsave_in_progress:1" in conn.do("INFO", "persistence")
    assert files == {path: path.read_bytes() for path in files}
    assert b"rdb_last_bgsave_status:ok" in conn.do("INFO", "persistence")
