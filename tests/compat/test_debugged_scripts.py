# SPDX-License-Identifier: BSD-3-Clause
"""The debugger of scripts: the same sessions with Debian's redis-server and with ours, what the client gets must be equal to the byte."""

import pytest

from harness.resp import encode

LOOP = """local a = 1
local t = {1, 2, 'x', k = 'v', n = {1.5, true, false}}
redis.call('set', 'foo', a)
for i = 1, 3 do
  a = a + i
end
local function f(x)
  local y = x * 2
  redis.debug('in f', y, t)
  return y
end
local z = f(a)
redis.breakpoint()
local r = redis.call('get', 'foo')
return {r, z}"""

NESTED = """local function g(x)
  return x
end
local function f(x)
  local y = g(x)
  return y
end
table.sort({3, 1, 2}, function(a, b)
  return a < b
end)
local ok, e = pcall(function()
  error('x')
end)
return f(3)"""

# What is sent for each session after SCRIPT DEBUG and EVAL; the last ends it.
SESSIONS = {
    "steps": (LOOP, ["s", "n", "step", "next", "p a", "print", "p KEYS", "p ARGV", "p nosuch", "p t", "l", "list 3", "list 5 1",
                     "list 0", "w", "b", "b 5", "b 8", "b 100", "b -8", "b -9", "b x", "b", "c", "p a", "c", "t", "b 0", "c", "p r",
                     "s", "s"]),
    "functions": (LOOP, ["b 9 10", "c", "p", "p y", "p a", "t", "s", "s", "s", "t", "p z", "e 1+1", "e return 1+1", "eval a = 5",
                         "e KEYS", "e error('x')", "e return {1,2}", "e nil", "e", "l 99", "l -3", "list x", "foo", "maxlen",
                         "maxlen 10", "p t", "m 70", "m 0", "m", "a"]),
    "commands": ("redis.setresp(3)\nreturn 1", ["redis get foo", "r incr n", "r nosuch", "r hello 3", "r get", "redis", "r mget n m",
                                                "r hset h a 1", "r hgetall h", "r sadd s a", "r smembers s", "r lrange l 0 -1",
                                                "s", "r hgetall h", "r smembers none", "r get none", "c"]),
    "nested": (NESTED, ["b 2 9 12", "c", "t", "c", "c", "t", "c", "t", "p x", "c"]),
    "an error": ("redis.call('nosuch')\nreturn 1", ["s"]),
    "an error of Lua": ("local x = {} .. 'a'\nreturn 1", ["c"]),
    "a reply that is an error": ("return redis.error_reply('ERR x')", ["c"]),
    "a breakpoint's value": ("local x = redis.breakpoint()\nlocal y = x\nredis.debug()\nreturn y", ["c", "s", "s", "c"]),
    "a shebang": ("#!lua flags=no-writes\nlocal x = 1\nreturn redis.call('set', 'x', 1)", ["w", "s", "c"]),
    "blank lines": ("\n\n  return 1", ["w", "abort"]),
    "no code": ("local x =", []),
    "no command": ("return 1", [""]),
}


def conversation(server, script, mode, commands):
    """All that the client reads, the end included."""
    with server.connect() as connection:
        assert connection.do("SCRIPT", "DEBUG", mode) == b"OK"
        connection.send("EVAL", script, 1, "foo", "bar")
        # What came in one packet with EVAL would not reach the debugger.
        answers = [connection.read_raw()]
        for command in commands:
            connection.send_bytes(encode(command.split(" ")) if command else b"*0\r\n")
            answers.append(connection.read_raw())
        return b"".join([*answers, connection.read_to_end()])


@pytest.mark.parametrize("mode", ["YES", "SYNC"])
@pytest.mark.parametrize("name", SESSIONS)
def test_sessions(start_redis, start_server, name, mode):
    script, commands = SESSIONS[name]
    theirs, ours = (conversation(start(), script, mode, commands).split(b"\r\n") for start in (start_redis, start_server))
    assert ours == theirs
