// SPDX-License-Identifier: BSD-3-Clause
#include "script/function_registration.h"

#include <cstring>
#include <string_view>

#include "base/ascii.h"
#include "script/lua_libraries.h"
#include "script/script_flags.h"
#include "script/script_runner.h"

namespace backplane {
namespace {

// Where the callback and the name stand once the arguments were looked at.
constexpr int kName = 1;
constexpr int kCallback = 2;
constexpr int kDescription = 3;  // nil: none
constexpr int kFlags = 4;        // a number

bool IsText(lua_State* lua, int index) {
  const int type = lua_type(lua, index);
  return type == LUA_TSTRING || type == LUA_TNUMBER;
}

// The flags in the table at `index`; false when one is unknown.
bool ReadFlags(lua_State* lua, int index, uint32_t* flags) {
  for (int i = 1;; ++i) {
    lua_rawgeti(lua, index, i);
    const bool end = lua_isnil(lua, -1);
    uint32_t flag = 0;
    if (lua_type(lua, -1) == LUA_TSTRING) flag = ScriptFlagByName(lua_tostring(lua, -1));
    lua_pop(lua, 1);
    if (end) return true;
    if (flag == 0) return false;
    *flags |= flag;
  }
}

// Named arguments to places. An error text, or null.
const char* ReadNamed(lua_State* lua) {
  lua_settop(lua, 1);
  lua_insert(lua, 1);
  const int table = 5;
  lua_settop(lua, table);
  lua_pushvalue(lua, 1);
  lua_replace(lua, table);
  lua_pushnil(lua);
  lua_replace(lua, kName);
  uint32_t flags = 0;
  lua_pushnil(lua);
  while (lua_next(lua, table) != 0) {
    if (lua_type(lua, -2) != LUA_TSTRING) {
      return "ERR unknown argument given to redis.register_function";
    }
    const char* key = lua_tostring(lua, -2);
    int place = 0;
    if (EqualsIgnoreCase(key, "function_name")) {
      if (!IsText(lua, -1)) {
        return "ERR function_name argument given to redis.register_function must be a string";
      }
      place = kName;
    } else if (EqualsIgnoreCase(key, "description")) {
      if (!IsText(lua, -1)) {
        return "ERR description argument given to redis.register_function must be a string";
      }
      place = kDescription;
    } else if (EqualsIgnoreCase(key, "callback")) {
      if (!lua_isfunction(lua, -1)) {
        return "ERR callback argument given to redis.register_function must be a function";
      }
      place = kCallback;
    } else if (EqualsIgnoreCase(key, "flags")) {
      if (!lua_istable(lua, -1)) {
        return "ERR flags argument to redis.register_function must be a table representing "
               "function flags";
      }
      if (!ReadFlags(lua, lua_gettop(lua), &flags)) return "ERR unknown flag given";
      lua_pop(lua, 1);
      continue;
    } else {
      return "ERR unknown argument given to redis.register_function";
    }
    lua_replace(lua, place);
  }
  lua_pushnumber(lua, flags);
  lua_replace(lua, kFlags);
  if (lua_isnil(lua, kName)) return "ERR redis.register_function must get a function name argument";
  if (lua_isnil(lua, kCallback)) {
    return "ERR redis.register_function must get a callback argument";
  }
  return nullptr;
}

const char* ReadPositional(lua_State* lua) {
  if (!IsText(lua, kName)) {
    return "ERR first argument to redis.register_function must be a string";
  }
  if (!lua_isfunction(lua, kCallback)) {
    return "ERR second argument to redis.register_function must be a function";
  }
  lua_pushnil(lua);
  lua_pushnumber(lua, 0);
  return nullptr;
}

const char* ReadArguments(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count < 1 || count > 2) return "ERR wrong number of arguments to redis.register_function";
  if (count == 2) return ReadPositional(lua);
  if (!lua_istable(lua, 1)) {
    return "ERR calling redis.register_function with a single argument is only applicable to Lua "
           "table (representing named arguments).";
  }
  return ReadNamed(lua);
}

}  // namespace

bool IsFunctionName(std::string_view name) {
  if (name.empty()) return false;
  for (const char c : name) {
    const bool ok =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!ok) return false;
  }
  return true;
}

int RegisterFunction(lua_State* lua) {
  auto& runner = *static_cast<ScriptRunner*>(lua_touserdata(lua, lua_upvalueindex(1)));
  if (!runner.loading_library()) {
    return RaiseError(lua,
                      "ERR redis.register_function can only be called on FUNCTION LOAD command");
  }
  if (const char* error = ReadArguments(lua); error != nullptr) return RaiseError(lua, error);
  size_t size;
  const char* text = lua_tolstring(lua, kName, &size);
  if (!IsFunctionName({text, size})) return RaiseError(lua, kBadFunctionName);
  if (!runner.Declare(lua, kName, kCallback, kDescription,
                      static_cast<uint32_t>(lua_tonumber(lua, kFlags)))) {
    return RaiseError(lua, "ERR Function already exists in the library");
  }
  return 0;
}

}  // namespace backplane
