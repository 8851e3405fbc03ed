// SPDX-License-Identifier: BSD-3-Clause
// The libraries of scripts that are ours: each leaves its table on top of the stack, or changes
// what stock Lua put into the globals. Called while a LuaVm is made. Engine thread.
#pragma once

#include <lua.hpp>

namespace backplane {

class ScriptRunner;

// Field of the registry under which the count hook finds the runner.
inline constexpr char kRunnerName[] = "backplane.runner";

// cmsgpack: MessagePack (msgpack.org).
void PushMsgpackLibrary(lua_State* lua);
// Changes the table of lua-cjson on top: encode and decode refuse what is too long for them.
void GuardCjsonLibrary(lua_State* lua);
// struct: packs and unpacks binary formats, after the library of that name.
void PushStructLibrary(lua_State* lua);
// Replaces in the globals what stock Lua's base library does in a way that a sandbox cannot have:
// load and loadstring without bytecode, pcall and xpcall that a kill goes through, math.random with
// a generator of the state's own; unpack and bit.tohex without the overflows of stock Lua 5.1.
void ReplaceBaseFunctions(lua_State* lua, ScriptRunner* runner);
// `redis` as scripts see it (`functions`: as functions do).
void PushRedisLibrary(lua_State* lua, ScriptRunner* runner, bool functions);
// `redis` as the code of a library sees it while it is loaded.
void PushLoadTimeRedisLibrary(lua_State* lua, ScriptRunner* runner);
// The function that pcall calls with an error: adds where it happened.
int DescribeError(lua_State* lua);

// Raises {err = text}; the caller returns what it returns.
int RaiseError(lua_State* lua, const char* text);

}  // namespace backplane
