// SPDX-License-Identifier: BSD-3-Clause
// The library cmsgpack: MessagePack of Lua values and back. Integers take the shortest form that
// holds them, other numbers a float when that loses nothing; a table whose keys are 1 to n is an
// array, any other a map; what is nested deeper than kDepthMax, or has no form, is nil. The
// extension and binary types are not read.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "script/lua_libraries.h"

namespace backplane {
namespace {

constexpr int kDepthMax = 16;

// --- packing ---

void AddByte(luaL_Buffer* out, int64_t byte) { luaL_addchar(out, static_cast<char>(byte)); }

void AddBigEndian(luaL_Buffer* out, uint8_t tag, uint64_t value, int bytes) {
  luaL_addchar(out, static_cast<char>(tag));
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    luaL_addchar(out, static_cast<char>(value >> shift));
  }
}

void PackInteger(luaL_Buffer* out, int64_t value) {
  const auto bits = static_cast<uint64_t>(value);
  if (value >= 0) {
    if (value <= 0x7f) return AddByte(out, value);
    if (value <= 0xff) return AddBigEndian(out, 0xcc, bits, 1);
    if (value <= 0xffff) return AddBigEndian(out, 0xcd, bits, 2);
    if (value <= 0xffffffff) return AddBigEndian(out, 0xce, bits, 4);
    return AddBigEndian(out, 0xcf, bits, 8);
  }
  if (value >= -32) return AddByte(out, value);
  if (value >= INT8_MIN) return AddBigEndian(out, 0xd0, bits, 1);
  if (value >= INT16_MIN) return AddBigEndian(out, 0xd1, bits, 2);
  if (value >= INT32_MIN) return AddBigEndian(out, 0xd2, bits, 4);
  AddBigEndian(out, 0xd3, bits, 8);
}

void PackNumber(luaL_Buffer* out, double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (value >= -kLimit && value < kLimit && std::floor(value) == value) {
    return PackInteger(out, static_cast<int64_t>(value));
  }
  const auto narrow = static_cast<float>(value);
  if (static_cast<double>(narrow) == value) {
    return AddBigEndian(out, 0xca, std::bit_cast<uint32_t>(narrow), 4);
  }
  AddBigEndian(out, 0xcb, std::bit_cast<uint64_t>(value), 8);
}

void PackStringHead(luaL_Buffer* out, size_t size) {
  if (size < 32) return AddByte(out, static_cast<int64_t>(0xa0 | size));
  if (size <= 0xff) return AddBigEndian(out, 0xd9, size, 1);
  if (size <= 0xffff) return AddBigEndian(out, 0xda, size, 2);
  AddBigEndian(out, 0xdb, size, 4);
}

void PackAggregateHead(luaL_Buffer* out, uint8_t small, uint8_t large, size_t size) {
  if (size < 16) return AddByte(out, static_cast<int64_t>(small | size));
  if (size <= 0xffff) return AddBigEndian(out, large, size, 2);
  AddBigEndian(out, large + 1, size, 4);
}

// The size of the table on top; *array when its keys are 1 to that.
size_t TableSize(lua_State* lua, bool* array) {
  size_t count = 0;
  double highest = 0;
  *array = true;
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    lua_pop(lua, 1);
    ++count;
    if (lua_type(lua, -1) != LUA_TNUMBER) {
      *array = false;
      continue;
    }
    const double key = lua_tonumber(lua, -1);
    if (!(key >= 1) || std::floor(key) != key) *array = false;
    highest = key > highest ? key : highest;
  }
  *array = *array && highest == static_cast<double>(count);
  return count;
}

// A buffer of luaL keeps parts of its text on the stack, above the value that it is made from. So
// each value is packed to a string of its own, and a table's are concatenated: the string takes the
// value's place on top.
void PackTop(lua_State* lua, int depth);

void PackTable(lua_State* lua, int depth) {
  bool array;
  const size_t count = TableSize(lua, &array);
  luaL_Buffer out;
  lua_pushvalue(lua, -1);
  const int table = lua_gettop(lua);
  luaL_buffinit(lua, &out);
  if (array) {
    PackAggregateHead(&out, 0x90, 0xdc, count);
    for (size_t i = 1; i <= count; ++i) {
      lua_rawgeti(lua, table, static_cast<int>(i));
      PackTop(lua, depth);
      luaL_addvalue(&out);
    }
  } else {
    PackAggregateHead(&out, 0x80, 0xde, count);
    // The key that the traversal goes on from stands where the table's copy stood.
    lua_pushnil(lua);
    lua_replace(lua, table);
    for (;;) {
      lua_pushvalue(lua, table);
      if (lua_next(lua, table - 1) == 0) break;
      lua_pushvalue(lua, -2);
      lua_replace(lua, table);
      lua_insert(lua, -2);
      PackTop(lua, depth);
      lua_insert(lua, -2);
      PackTop(lua, depth);
      lua_concat(lua, 2);
      luaL_addvalue(&out);
    }
  }
  luaL_pushresult(&out);
  lua_remove(lua, table);
  lua_remove(lua, table - 1);
}

void PackTop(lua_State* lua, int depth) {
  luaL_checkstack(lua, LUA_MINSTACK, "in function mp_encode_lua_type");
  luaL_Buffer out;
  const int type = lua_type(lua, -1);
  if (type == LUA_TTABLE && depth < kDepthMax) return PackTable(lua, depth + 1);
  if (type == LUA_TSTRING) {
    luaL_buffinit(lua, &out);
    PackStringHead(&out, lua_objlen(lua, -1));
    luaL_pushresult(&out);
    lua_insert(lua, -2);
    lua_concat(lua, 2);
    return;
  }
  const double number = lua_tonumber(lua, -1);
  const bool truth = lua_toboolean(lua, -1) != 0;
  lua_pop(lua, 1);
  luaL_buffinit(lua, &out);
  if (type == LUA_TNUMBER) {
    PackNumber(&out, number);
  } else if (type == LUA_TBOOLEAN) {
    luaL_addchar(&out, static_cast<char>(truth ? 0xc3 : 0xc2));
  } else {
    luaL_addchar(&out, static_cast<char>(0xc0));
  }
  luaL_pushresult(&out);
}

int Pack(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count == 0) return luaL_argerror(lua, 0, "MessagePack pack needs input.");
  luaL_checkstack(lua, LUA_MINSTACK, "too many arguments for MessagePack pack.");
  luaL_Buffer out;
  luaL_buffinit(lua, &out);
  for (int i = 1; i <= count; ++i) {
    lua_pushvalue(lua, i);
    PackTop(lua, 0);
    luaL_addvalue(&out);
  }
  luaL_pushresult(&out);
  return 1;
}

// --- unpacking ---

struct Input {
  const unsigned char* at;
  const unsigned char* end;
};

int Missing(lua_State* lua) { return luaL_error(lua, "Missing bytes in input."); }

uint64_t TakeBigEndian(lua_State* lua, Input* in, int bytes) {
  if (in->end - in->at < bytes) Missing(lua);
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | *in->at++;
  return value;
}

void UnpackValue(lua_State* lua, Input* in);

void UnpackString(lua_State* lua, Input* in, uint64_t size) {
  if (static_cast<uint64_t>(in->end - in->at) < size) Missing(lua);
  lua_pushlstring(lua, reinterpret_cast<const char*>(in->at), size);
  in->at += size;
}

void UnpackArray(lua_State* lua, Input* in, uint64_t count) {
  lua_newtable(lua);
  for (uint64_t i = 1; i <= count; ++i) {
    UnpackValue(lua, in);
    lua_rawseti(lua, -2, static_cast<int>(i));
  }
}

void UnpackMap(lua_State* lua, Input* in, uint64_t count) {
  lua_newtable(lua);
  for (uint64_t i = 0; i < count; ++i) {
    UnpackValue(lua, in);
    UnpackValue(lua, in);
    lua_rawset(lua, -3);
  }
}

void PushInteger(lua_State* lua, int64_t value) {
  lua_pushnumber(lua, static_cast<lua_Number>(value));
}

void UnpackTagged(lua_State* lua, Input* in, uint8_t tag) {
  switch (tag) {
    case 0xc0:
      return lua_pushnil(lua);
    case 0xc2:
    case 0xc3:
      return lua_pushboolean(lua, tag == 0xc3);
    case 0xca: {
      const auto bits = static_cast<uint32_t>(TakeBigEndian(lua, in, 4));
      return lua_pushnumber(lua, static_cast<double>(std::bit_cast<float>(bits)));
    }
    case 0xcb:
      return lua_pushnumber(lua, std::bit_cast<double>(TakeBigEndian(lua, in, 8)));
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return PushInteger(lua, static_cast<int64_t>(TakeBigEndian(lua, in, 1 << (tag - 0xcc))));
    case 0xd0:
      return PushInteger(lua, static_cast<int8_t>(TakeBigEndian(lua, in, 1)));
    case 0xd1:
      return PushInteger(lua, static_cast<int16_t>(TakeBigEndian(lua, in, 2)));
    case 0xd2:
      return PushInteger(lua, static_cast<int32_t>(TakeBigEndian(lua, in, 4)));
    case 0xd3:
      return PushInteger(lua, static_cast<int64_t>(TakeBigEndian(lua, in, 8)));
    case 0xd9:
    case 0xda:
    case 0xdb:
      return UnpackString(lua, in, TakeBigEndian(lua, in, 1 << (tag - 0xd9)));
    case 0xdc:
    case 0xdd:
      return UnpackArray(lua, in, TakeBigEndian(lua, in, tag == 0xdc ? 2 : 4));
    case 0xde:
    case 0xdf:
      return UnpackMap(lua, in, TakeBigEndian(lua, in, tag == 0xde ? 2 : 4));
    default:
      luaL_error(lua, "Bad data format in input.");
  }
}

void UnpackValue(lua_State* lua, Input* in) {
  // This also bounds how deep the input may nest.
  luaL_checkstack(lua, 4,
                  "too many return values at once; use unpack_one or unpack_limit instead.");
  if (in->at == in->end) Missing(lua);
  const uint8_t tag = *in->at++;
  if (tag < 0x80 || tag >= 0xe0) return PushInteger(lua, static_cast<int8_t>(tag));
  if (tag < 0x90) return UnpackMap(lua, in, tag & 0x0f);
  if (tag < 0xa0) return UnpackArray(lua, in, tag & 0x0f);
  if (tag < 0xc0) return UnpackString(lua, in, tag & 0x1f);
  UnpackTagged(lua, in, tag);
}

// `limit` values from `offset` on; 0: all, and then no offset in front of them.
int UnpackFrom(lua_State* lua, lua_Integer limit, lua_Integer offset) {
  size_t size;
  const char* text = luaL_checklstring(lua, 1, &size);
  const int length = static_cast<int>(size);
  if (offset < 0 || limit < 0) {
    return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.",
                      static_cast<int>(offset), length);
  }
  if (static_cast<size_t>(offset) > size) {
    return luaL_error(lua, "Start offset %d greater than input length %d.",
                      static_cast<int>(offset), length);
  }
  const auto* begin = reinterpret_cast<const unsigned char*>(text);
  Input in{begin + offset, begin + size};
  const int first = lua_gettop(lua) + 1;
  const bool all = limit == 0;
  if (!all) lua_pushnil(lua);
  int count = 0;
  while (in.at < in.end && (all || count < limit)) {
    UnpackValue(lua, &in);
    ++count;
  }
  if (all) return count;
  lua_pushinteger(lua, in.at == in.end ? -1 : in.at - begin);
  lua_replace(lua, first);
  return count + 1;
}

int Unpack(lua_State* lua) { return UnpackFrom(lua, 0, 0); }
int UnpackOne(lua_State* lua) {
  const lua_Integer offset = luaL_optinteger(lua, 2, 0);
  return UnpackFrom(lua, 1, offset);
}
int UnpackLimit(lua_State* lua) {
  const lua_Integer limit = luaL_checkinteger(lua, 2);
  const lua_Integer offset = luaL_optinteger(lua, 3, 0);
  return UnpackFrom(lua, limit, offset);
}

}  // namespace

void PushMsgpackLibrary(lua_State* lua) {
  constexpr luaL_Reg kFunctions[] = {{"pack", Pack},
                                     {"unpack", Unpack},
                                     {"unpack_one", UnpackOne},
                                     {"unpack_limit", UnpackLimit},
                                     {nullptr, nullptr}};
  lua_newtable(lua);
  luaL_register(lua, nullptr, kFunctions);
  lua_pushliteral(lua, "cmsgpack");
  lua_setfield(lua, -2, "_NAME");
  lua_pushliteral(lua, "lua-cmsgpack 0.4.0");
  lua_setfield(lua, -2, "_VERSION");
  lua_pushliteral(lua, "MessagePack for Lua");
  lua_setfield(lua, -2, "_DESCRIPTION");
  lua_pushliteral(lua, "Backplane");
  lua_setfield(lua, -2, "_COPYRIGHT");
}

}  // namespace backplane
