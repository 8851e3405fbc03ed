// SPDX-License-Identifier: BSD-3-Clause
// Guards around lua-cjson, whose buffers count in int: a text beyond 2 GiB makes it write beyond
// them, or search for a size for ever (CVE-2022-24834). Engine thread.
#include <cstdint>

#include "script/lua_libraries.h"

namespace backplane {
namespace {

// Bytes that a text may have at most, on either side.
constexpr int64_t kTextMax = INT64_C(1) << 30;
// lua-cjson writes six bytes for a sign of a string at most, and reserves them; a number takes up
// to 32 and a separator.
constexpr int64_t kBytesPerSign = 6;
constexpr int64_t kBytesPerValue = 40;
// Tables in tables that the walk below has room for on Lua's stack.
constexpr int kDepthMax = 3900;

// The walk through a value before it is encoded, in the order of lua-cjson's.
struct Walk {
  int depth_max;
  int64_t left = kTextMax;
  bool deep = false;  // it has come to depth_max: what follows does not count
};

// Subtracts from what is left what the value on top takes at most as text. The stack is as before.
void TakeText(lua_State* lua, int depth, Walk* walk) {
  walk->left -= kBytesPerValue;
  if (lua_type(lua, -1) == LUA_TSTRING) {
    walk->left -= static_cast<int64_t>(lua_objlen(lua, -1)) * kBytesPerSign;
  } else if (lua_type(lua, -1) == LUA_TTABLE) {
    if (depth >= walk->depth_max || lua_checkstack(lua, 3) == 0) {
      walk->deep = true;
      return;
    }
    lua_pushnil(lua);
    while (walk->left >= 0 && !walk->deep && lua_next(lua, -2) != 0) {
      if (lua_type(lua, -2) == LUA_TSTRING)
        walk->left -= static_cast<int64_t>(lua_objlen(lua, -2)) * kBytesPerSign;
      TakeText(lua, depth + 1, walk);
      const bool go_on = walk->left >= 0 && !walk->deep;
      lua_pop(lua, go_on ? 1 : 2);
      if (!go_on) return;
    }
  }
}

// Calls the library's function (an upvalue) with the one argument. What it says of an error has the
// place of the script in front, as without this call between.
int CallLibrary(lua_State* lua) {
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  if (lua_pcall(lua, 1, 1, 0) == 0) return 1;
  if (lua_type(lua, -1) == LUA_TSTRING) {
    luaL_where(lua, 1);
    lua_insert(lua, -2);
    lua_concat(lua, 2);
  }
  return lua_error(lua);
}

int Encode(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  lua_pushvalue(lua, lua_upvalueindex(2));
  lua_call(lua, 0, 1);
  const auto allowed = static_cast<int>(lua_tointeger(lua, -1));
  lua_pop(lua, 1);
  Walk walk{.depth_max = allowed < kDepthMax ? allowed : kDepthMax};
  TakeText(lua, 0, &walk);
  if (walk.left < 0) return luaL_error(lua, "Cannot serialise, text would be too long");
  // The library stops where the walk did, when that is a limit of its own.
  if (walk.deep && allowed >= kDepthMax)
    return luaL_error(lua, "Cannot serialise, excessive nesting (%d)", kDepthMax + 1);
  return CallLibrary(lua);
}

int Decode(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  size_t size;
  luaL_checklstring(lua, 1, &size);
  if (size > kTextMax) return luaL_error(lua, "JSON text is too long");
  return CallLibrary(lua);
}

int New(lua_State* lua);

// In the table on top.
void Wrap(lua_State* lua, const char* name, lua_CFunction guard) {
  lua_getfield(lua, -1, name);
  lua_getfield(lua, -2, "encode_max_depth");
  lua_pushcclosure(lua, guard, 2);
  lua_setfield(lua, -2, name);
}

void WrapAll(lua_State* lua) {
  Wrap(lua, "encode", Encode);
  Wrap(lua, "decode", Decode);
  Wrap(lua, "new", New);
}

// cjson.new(): another instance of the library, with settings of its own.
int New(lua_State* lua) {
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_call(lua, 0, 1);
  WrapAll(lua);
  return 1;
}

}  // namespace

void GuardCjsonLibrary(lua_State* lua) { WrapAll(lua); }

}  // namespace backplane
