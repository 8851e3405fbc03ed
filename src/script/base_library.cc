// SPDX-License-Identifier: BSD-3-Clause
// What scripts get in place of functions of stock Lua's base library that a sandbox cannot have as
// they are.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "script/lua_libraries.h"
#include "script/script_runner.h"

namespace backplane {
namespace {

ScriptRunner& RunnerOf(lua_State* lua) {
  return *static_cast<ScriptRunner*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

// A killed script must not go on because somebody catches errors.
void PassKillOn(lua_State* lua, int outcome) {
  if (outcome != 0 && RunnerOf(lua).killed()) lua_error(lua);
}

// Like Lua's, but an error of ours, which is a table, is caught as its text.
int ProtectedCall(lua_State* lua) {
  luaL_checkany(lua, 1);
  const int outcome = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
  PassKillOn(lua, outcome);
  if (outcome != 0 && lua_type(lua, -1) == LUA_TTABLE) {
    lua_pushliteral(lua, "err");
    lua_rawget(lua, -2);
    if (lua_type(lua, -1) == LUA_TSTRING) {
      lua_replace(lua, -2);
    } else {
      lua_pop(lua, 1);
    }
  }
  lua_pushboolean(lua, outcome == 0);
  lua_insert(lua, 1);
  return lua_gettop(lua);
}

int ProtectedCallWithHandler(lua_State* lua) {
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  lua_insert(lua, 1);  // the handler below the function
  const int outcome = lua_pcall(lua, 0, LUA_MULTRET, 1);
  PassKillOn(lua, outcome);
  lua_pushboolean(lua, outcome == 0);
  lua_replace(lua, 1);
  return lua_gettop(lua);
}

// The name on the stack keeps the string alive that the parser makes of it and does not anchor
// (CVE-2025-49844).
const char* PushChunkName(lua_State* lua, const char* name) {
  lua_pushstring(lua, name);
  return lua_tostring(lua, -1);
}

int Loaded(lua_State* lua, int outcome) {
  if (outcome == 0) return 1;
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

// Text that begins with the mark of bytecode gets a blank in front, and is a syntax error then.
constexpr char kGuard[] = " ";

struct TextPiece {
  const char* text;
  size_t size;
  bool guard;
};

const char* ReadText(lua_State*, void* data, size_t* size) {
  auto* piece = static_cast<TextPiece*>(data);
  if (piece->guard) {
    piece->guard = false;
    *size = 1;
    return kGuard;
  }
  *size = piece->size;
  piece->size = 0;
  return *size > 0 ? piece->text : nullptr;
}

// Stock Lua's lexer counts the signs of a long bracket in an int, and reads beyond the text when it
// overflows (CVE-2025-46819).
constexpr size_t kTextMax = INT32_MAX;

int LoadString(lua_State* lua) {
  TextPiece piece{};
  piece.text = luaL_checklstring(lua, 1, &piece.size);
  luaL_argcheck(lua, piece.size < kTextMax, 1, "chunk too long");
  const char* name = PushChunkName(lua, luaL_optstring(lua, 2, piece.text));
  piece.guard = piece.size > 0 && piece.text[0] == LUA_SIGNATURE[0];
  return Loaded(lua, lua_load(lua, ReadText, &piece, name));
}

// Of a text that a function gives in pieces. The piece in use stands at kPlace of the stack, so
// that it lives.
struct FunctionPieces {
  static constexpr int kPlace = 3;
  bool begun = false;
  size_t size = 0;
};

const char* ReadPieces(lua_State* lua, void* data, size_t* size) {
  auto* pieces = static_cast<FunctionPieces*>(data);
  luaL_checkstack(lua, 2, "too many nested functions");
  if (pieces->begun && lua_type(lua, FunctionPieces::kPlace) == LUA_TBOOLEAN) {
    // The guard has been read; the piece that it was put in front of is below it.
    lua_pushvalue(lua, FunctionPieces::kPlace + 1);
    lua_replace(lua, FunctionPieces::kPlace);
    return lua_tolstring(lua, FunctionPieces::kPlace, size);
  }
  lua_pushvalue(lua, 1);
  lua_call(lua, 0, 1);
  *size = 0;
  if (lua_isnil(lua, -1)) return nullptr;
  if (lua_isstring(lua, -1) == 0) luaL_error(lua, "reader function must return a string");
  lua_replace(lua, FunctionPieces::kPlace);
  const char* text = lua_tolstring(lua, FunctionPieces::kPlace, size);
  pieces->size += *size;
  if (pieces->size >= kTextMax) luaL_error(lua, "chunk too long");
  const bool guarded = !pieces->begun && *size > 0 && text[0] == LUA_SIGNATURE[0];
  pieces->begun = pieces->begun || *size > 0;
  if (!guarded) return text;
  lua_pushvalue(lua, FunctionPieces::kPlace);
  lua_replace(lua, FunctionPieces::kPlace + 1);
  lua_pushboolean(lua, 1);
  lua_replace(lua, FunctionPieces::kPlace);
  *size = 1;
  return kGuard;
}

int Load(lua_State* lua) {
  FunctionPieces pieces;
  const char* name = luaL_optstring(lua, 2, "=(load)");
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  lua_settop(lua, FunctionPieces::kPlace + 1);
  name = PushChunkName(lua, name);
  return Loaded(lua, lua_load(lua, ReadPieces, &pieces, name));
}

// Stock Lua 5.1 counts the values in an int: a range wider than that overflows, and it writes
// beyond its stack (CVE-2025-46817).
int Unpack(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int first = luaL_optint(lua, 2, 1);
  const int last =
      lua_isnoneornil(lua, 3) ? static_cast<int>(lua_objlen(lua, 1)) : luaL_checkint(lua, 3);
  if (first > last) return 0;
  const int64_t count = int64_t{last} - first + 1;
  if (count > INT32_MAX / 2 || lua_checkstack(lua, static_cast<int>(count)) == 0)
    return luaL_error(lua, "too many results to unpack");
  for (int64_t i = first; i <= last; ++i) lua_rawgeti(lua, 1, static_cast<int>(i));
  return static_cast<int>(count);
}

// A number as the library `bit` takes it: modulo 2^32, rounded.
int32_t BitArgument(lua_State* lua, int index) {
  constexpr double kIntegerPart = 6755399441055744.0;  // 2^52 + 2^51: leaves no bits of fractions
  return static_cast<int32_t>(std::bit_cast<uint64_t>(luaL_checknumber(lua, index) + kIntegerPart));
}

// In place of the library's, which negates the smallest count of digits and writes beyond its
// buffer (CVE-2024-31449).
int BitToHex(lua_State* lua) {
  constexpr int64_t kDigits = 8;
  const auto bits = static_cast<uint32_t>(BitArgument(lua, 1));
  const int64_t wanted = lua_isnone(lua, 2) ? kDigits : BitArgument(lua, 2);
  const char* digits = wanted < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
  const auto count = static_cast<int>(std::min(wanted < 0 ? -wanted : wanted, kDigits));
  char text[kDigits];
  for (int i = 0; i < count; ++i) text[i] = digits[bits >> (4 * (count - 1 - i)) & 15];
  lua_pushlstring(lua, text, static_cast<size_t>(count));
  return 1;
}

int MathRandom(lua_State* lua) {
  const double share = static_cast<double>(RunnerOf(lua).random().Next() % Random48::kMax) /
                       static_cast<double>(Random48::kMax);
  int low = 1;
  int high = 0;
  switch (lua_gettop(lua)) {
    case 0:
      lua_pushnumber(lua, share);
      return 1;
    case 1:
      high = luaL_checkint(lua, 1);
      luaL_argcheck(lua, low <= high, 1, "interval is empty");
      break;
    case 2:
      low = luaL_checkint(lua, 1);
      high = luaL_checkint(lua, 2);
      luaL_argcheck(lua, low <= high, 2, "interval is empty");
      break;
    default:
      return luaL_error(lua, "wrong number of arguments");
  }
  const double width = static_cast<double>(high) - static_cast<double>(low) + 1;
  lua_pushnumber(lua, std::floor(share * width) + low);
  return 1;
}

int MathRandomSeed(lua_State* lua) {
  RunnerOf(lua).random().Seed(static_cast<uint32_t>(luaL_checkint(lua, 1)));
  return 0;
}

void Set(lua_State* lua, int table, ScriptRunner* runner, const char* name,
         lua_CFunction function) {
  lua_pushlightuserdata(lua, runner);
  lua_pushcclosure(lua, function, 1);
  lua_setfield(lua, table, name);
}

}  // namespace

void ReplaceBaseFunctions(lua_State* lua, ScriptRunner* runner) {
  Set(lua, LUA_GLOBALSINDEX, runner, "pcall", ProtectedCall);
  Set(lua, LUA_GLOBALSINDEX, runner, "xpcall", ProtectedCallWithHandler);
  Set(lua, LUA_GLOBALSINDEX, runner, "load", Load);
  Set(lua, LUA_GLOBALSINDEX, runner, "loadstring", LoadString);
  Set(lua, LUA_GLOBALSINDEX, runner, "unpack", Unpack);
  lua_getglobal(lua, "bit");
  Set(lua, lua_gettop(lua), runner, "tohex", BitToHex);
  lua_pop(lua, 1);
  lua_getglobal(lua, "math");
  const int math = lua_gettop(lua);
  Set(lua, math, runner, "random", MathRandom);
  Set(lua, math, runner, "randomseed", MathRandomSeed);
  lua_pop(lua, 1);
  // The hook finds the runner here.
  lua_pushlightuserdata(lua, runner);
  lua_setfield(lua, LUA_REGISTRYINDEX, kRunnerName);
}

}  // namespace backplane
