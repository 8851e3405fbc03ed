// SPDX-License-Identifier: BSD-3-Clause
// Guards around lua-cjson, whose buffers count in int: a text beyond 2 GiB makes it write beyond
// them, or search for a size for ever (CVE-2022-24834). Engine thread.
#include <algorithm>
#include <cmath>
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
// What stands for an element of an array that is not there.
constexpr int64_t kBytesPerGap = sizeof("null,") - 1;
// Tables in tables that the walk below has room for on Lua's stack.
constexpr int kDepthMax = 3900;

// The walk through a value before it is encoded.
struct Walk {
  int depth_max;
  // Gaps in arrays: a table whose largest index is beyond `safe` and beyond `ratio` times its
  // elements is none. 0: every table with indices only is one.
  int64_t sparse_ratio;
  int64_t sparse_safe;
  int64_t left = kTextMax;
  bool deep = false;  // deeper than depth_max: it cannot be encoded
};

// The keys of a table, as lua-cjson looks at them to tell an array.
struct Keys {
  int64_t count = 0;
  double largest = 0;
  bool indices_only = true;

  void Add(lua_State* lua, int key) {
    ++count;
    const double index = lua_type(lua, key) == LUA_TNUMBER ? lua_tonumber(lua, key) : 0;
    if (index < 1 || index != std::floor(index)) indices_only = false;
    largest = std::max(largest, index);
  }
  int64_t Gaps(const Walk& walk) const {
    if (!indices_only || count == 0) return 0;
    const auto last = static_cast<int64_t>(std::min(largest, static_cast<double>(kTextMax)));
    const bool sparse =
        walk.sparse_ratio > 0 && last > count * walk.sparse_ratio && last > walk.sparse_safe;
    return sparse ? 0 : std::max<int64_t>(last - count, 0);
  }
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
    Keys keys;
    lua_pushnil(lua);
    while (walk->left >= 0 && !walk->deep && lua_next(lua, -2) != 0) {
      keys.Add(lua, -2);
      if (lua_type(lua, -2) == LUA_TSTRING)
        walk->left -= static_cast<int64_t>(lua_objlen(lua, -2)) * kBytesPerSign;
      TakeText(lua, depth + 1, walk);
      const bool go_on = walk->left >= 0 && !walk->deep;
      lua_pop(lua, go_on ? 1 : 2);
      if (!go_on) return;
    }
    walk->left -= keys.Gaps(*walk) * kBytesPerGap;
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
  const int depth_max = std::min(static_cast<int>(lua_tointeger(lua, -1)), kDepthMax);
  lua_pushvalue(lua, lua_upvalueindex(3));
  lua_call(lua, 0, 3);
  Walk walk{.depth_max = depth_max,
            .sparse_ratio = lua_tointeger(lua, -2),
            .sparse_safe = lua_tointeger(lua, -1)};
  lua_settop(lua, 1);
  TakeText(lua, 0, &walk);
  if (walk.deep) return luaL_error(lua, "Cannot serialise, excessive nesting (%d)", depth_max + 1);
  if (walk.left < 0) return luaL_error(lua, "Cannot serialise, text would be too long");
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
  lua_getfield(lua, -3, "encode_sparse_array");
  lua_pushcclosure(lua, guard, 3);
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
