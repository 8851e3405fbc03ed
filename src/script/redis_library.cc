// SPDX-License-Identifier: BSD-3-Clause
// The library `redis`, and what pcall does with an error. Each function's first upvalue is the
// runner.
#include <cstring>

#include "base/sha1.h"
#include "base/version.h"
#include "script/function_registration.h"
#include "script/lua_debugger.h"
#include "script/lua_libraries.h"
#include "script/replies.h"
#include "script/script_runner.h"

namespace backplane {
namespace {

ScriptRunner& RunnerOf(lua_State* lua) {
  return *static_cast<ScriptRunner*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

int Call(lua_State* lua) { return RunnerOf(lua).CallCommand(lua) ? 1 : lua_error(lua); }

int Pcall(lua_State* lua) {
  RunnerOf(lua).CallCommand(lua);
  return 1;
}

// The two that make a table of one text.
int MakeReply(lua_State* lua, bool error) {
  if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) {
    PushError(lua, "ERR wrong number or type of arguments", false);
    return 1;
  }
  if (error) {
    size_t size;
    const char* text = lua_tolstring(lua, 1, &size);
    if (size > 0 && text[0] == '-') {
      // As in the protocol; the mark is not part of the text.
      lua_pushlstring(lua, text + 1, size - 1);
      lua_replace(lua, 1);
      text = lua_tostring(lua, 1);
    }
    // Without a code it gets the common one.
    if (std::strchr(text, ' ') == nullptr) {
      lua_pushliteral(lua, "ERR ");
      lua_insert(lua, 1);
      lua_concat(lua, 2);
    }
  }
  lua_createtable(lua, 0, 1);
  lua_insert(lua, 1);
  lua_setfield(lua, 1, error ? "err" : "ok");
  return 1;
}

int ErrorReply(lua_State* lua) { return MakeReply(lua, true); }
int StatusReply(lua_State* lua) { return MakeReply(lua, false); }

int Sha1(lua_State* lua) {
  if (lua_gettop(lua) != 1) return RaiseError(lua, "ERR wrong number of arguments");
  size_t size = 0;
  const char* text = lua_tolstring(lua, 1, &size);
  char digest[40];
  std::memcpy(digest, Sha1Hex({text != nullptr ? text : "", size}).data(), sizeof(digest));
  lua_pushlstring(lua, digest, sizeof(digest));
  return 1;
}

int Log(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count < 2) return RaiseError(lua, "ERR redis.log() requires two arguments or more.");
  if (lua_type(lua, 1) != LUA_TNUMBER && lua_isnumber(lua, 1) == 0) {
    return RaiseError(lua, "ERR First argument must be a number (log level).");
  }
  const auto level = static_cast<int64_t>(lua_tonumber(lua, 1));
  if (level < static_cast<int64_t>(LogLevel::kDebug) ||
      level > static_cast<int64_t>(LogLevel::kWarning)) {
    return RaiseError(lua, "ERR Invalid debug level.");
  }
  luaL_Buffer line;
  luaL_buffinit(lua, &line);
  for (int i = 2; i <= count; ++i) {
    size_t size;
    const char* text = lua_tolstring(lua, i, &size);
    if (text == nullptr) continue;
    if (i > 2) luaL_addchar(&line, ' ');
    luaL_addlstring(&line, text, size);
  }
  luaL_pushresult(&line);
  size_t size;
  const char* text = lua_tolstring(lua, -1, &size);
  RunnerOf(lua).engine().logger().Log(static_cast<LogLevel>(level), {text, size});
  return 0;
}

int SetResp(lua_State* lua) {
  if (lua_gettop(lua) != 1) return RaiseError(lua, "ERR redis.setresp() requires one argument.");
  const auto resp = static_cast<int>(lua_tonumber(lua, 1));
  if (resp != 2 && resp != 3) return RaiseError(lua, "ERR RESP version must be 2 or 3.");
  ScriptRunner& runner = RunnerOf(lua);
  if (runner.running()) runner.SetResp(resp);
  return 0;
}

int SetReplication(lua_State* lua) {
  if (lua_gettop(lua) != 1) return RaiseError(lua, "ERR redis.set_repl() requires two arguments.");
  if (!RunnerOf(lua).SetReplication(static_cast<int64_t>(lua_tonumber(lua, 1)))) {
    return RaiseError(lua,
                      "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or "
                      "REPL_NONE.");
  }
  return 0;
}

int ReplicateCommands(lua_State* lua) {
  // Effects are all that is replicated, always.
  lua_pushboolean(lua, 1);
  return 1;
}

// Whether somebody debugs.
int Breakpoint(lua_State* lua) {
  LuaDebugger* debugger = RunnerOf(lua).debugger();
  if (debugger != nullptr) debugger->StopAtNextLine();
  lua_pushboolean(lua, debugger != nullptr ? 1 : 0);
  return 1;
}

int Debug(lua_State* lua) {
  if (LuaDebugger* debugger = RunnerOf(lua).debugger()) debugger->Say(lua);
  return 0;
}

int CheckCommand(lua_State* lua) {
  bool allowed = false;
  const char* error = RunnerOf(lua).CheckCommand(lua, &allowed);
  if (error != nullptr) return RaiseError(lua, error);
  lua_pushboolean(lua, allowed ? 1 : 0);
  return 1;
}

struct Row {
  const char* name;
  lua_CFunction function;
};
constexpr Row kCommon[] = {{"call", Call},
                           {"pcall", Pcall},
                           {"error_reply", ErrorReply},
                           {"log", Log},
                           {"setresp", SetResp},
                           {"status_reply", StatusReply},
                           {"sha1hex", Sha1},
                           {"set_repl", SetReplication},
                           {"acl_check_cmd", CheckCommand}};
constexpr Row kScriptsOnly[] = {
    {"replicate_commands", ReplicateCommands}, {"breakpoint", Breakpoint}, {"debug", Debug}};
constexpr Row kLoadTime[] = {{"log", Log}, {"register_function", RegisterFunction}};

void Add(lua_State* lua, ScriptRunner* runner, const Row& row) {
  lua_pushlightuserdata(lua, runner);
  lua_pushcclosure(lua, row.function, 1);
  lua_setfield(lua, -2, row.name);
}

void AddNumber(lua_State* lua, const char* name, int64_t value) {
  lua_pushnumber(lua, static_cast<lua_Number>(value));
  lua_setfield(lua, -2, name);
}

void AddConstants(lua_State* lua) {
  AddNumber(lua, "LOG_DEBUG", static_cast<int64_t>(LogLevel::kDebug));
  AddNumber(lua, "LOG_VERBOSE", static_cast<int64_t>(LogLevel::kVerbose));
  AddNumber(lua, "LOG_NOTICE", static_cast<int64_t>(LogLevel::kNotice));
  AddNumber(lua, "LOG_WARNING", static_cast<int64_t>(LogLevel::kWarning));
  lua_pushlstring(lua, kCompatVersion.data(), kCompatVersion.size());
  lua_setfield(lua, -2, "REDIS_VERSION");
  AddNumber(lua, "REDIS_VERSION_NUM", kCompatVersionNumber);
}

// Where the error was raised, into the table on top: the nearest place that is not one of our C
// functions.
void AddPlace(lua_State* lua) {
  lua_Debug where{};
  int level = 1;
  if (lua_getstack(lua, level, &where) == 0) return;
  lua_getinfo(lua, "nSl", &where);
  if (where.what != nullptr && std::strcmp(where.what, "C") == 0) {
    lua_Debug caller{};
    if (lua_getstack(lua, level + 1, &caller) != 0) {
      lua_getinfo(lua, "nSl", &caller);
      where = caller;
    }
  }
  lua_pushstring(lua, where.source);
  lua_setfield(lua, -2, "source");
  lua_pushfstring(lua, "%d", where.currentline);
  lua_setfield(lua, -2, "line");
}

}  // namespace

int RaiseError(lua_State* lua, const char* text) {
  PushError(lua, text, false);
  return lua_error(lua);
}

int DescribeError(lua_State* lua) {
  const int type = lua_type(lua, 1);
  if (type == LUA_TTABLE) {
    lua_settop(lua, 1);
    lua_pushliteral(lua, "err");
    lua_rawget(lua, 1);
    const bool has_text = lua_type(lua, -1) == LUA_TSTRING;
    lua_settop(lua, 1);
    if (!has_text) {
      lua_settop(lua, 0);
      PushError(lua, "ERR unknown error", false);
    }
    AddPlace(lua);
    return 1;
  }
  size_t size = 0;
  const char* text = nullptr;
  if (type == LUA_TSTRING || type == LUA_TNUMBER) {
    text = lua_tolstring(lua, 1, &size);
  } else {
    text = type == LUA_TNIL || type == LUA_TNONE ? "nil"
           : type != LUA_TBOOLEAN                ? "unknown error"
           : lua_toboolean(lua, 1) != 0          ? "true"
                                                 : "false";
    size = std::strlen(text);
  }
  lua_createtable(lua, 0, 3);
  lua_pushliteral(lua, "ERR ");
  lua_pushlstring(lua, text, size);
  lua_concat(lua, 2);
  lua_setfield(lua, -2, "err");
  AddPlace(lua);
  return 1;
}

void PushRedisLibrary(lua_State* lua, ScriptRunner* runner, bool functions) {
  lua_newtable(lua);
  for (const Row& row : kCommon) Add(lua, runner, row);
  if (!functions) {
    for (const Row& row : kScriptsOnly) Add(lua, runner, row);
  }
  AddConstants(lua);
  AddNumber(lua, "REPL_NONE", ScriptRunner::kReplicateNone);
  AddNumber(lua, "REPL_AOF", ScriptRunner::kReplicateAof);
  AddNumber(lua, "REPL_SLAVE", ScriptRunner::kReplicateReplicas);
  AddNumber(lua, "REPL_REPLICA", ScriptRunner::kReplicateReplicas);
  AddNumber(lua, "REPL_ALL", ScriptRunner::kReplicateAll);
}

void PushLoadTimeRedisLibrary(lua_State* lua, ScriptRunner* runner) {
  lua_newtable(lua);
  for (const Row& row : kLoadTime) Add(lua, runner, row);
  AddConstants(lua);
}

}  // namespace backplane
