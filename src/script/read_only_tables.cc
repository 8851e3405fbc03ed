// SPDX-License-Identifier: BSD-3-Clause
// Read-only tables for a Lua that has none. The linker puts these functions in front of Lua's own
// (CMakeLists.txt: --wrap): every write of a table from the interpreter, its interface and so all
// libraries goes through luaH_set, luaH_setnum or luaH_setstr, and every change of a metatable
// through lua_setmetatable. A table that lies in the sealed arena of its state refuses. That is one
// door instead of a list of functions to wrap (rawset, table.insert, table.sort, ...), pairs and
// next see the real tables, and reads cost nothing. The tables' structure is not looked at.
// Any thread that may use the Lua state.
#include "script/read_only_tables.h"

#include <lua.hpp>

#include "base/assert.h"
#include "script/lua_memory.h"

namespace {

// As Lua's own errors: with the line when Lua code is what runs, without when it is a C function.
void Refuse(lua_State* lua) {
  luaL_where(lua, 0);
  lua_pushliteral(lua, "Attempt to modify a readonly table");
  lua_concat(lua, 2);
  lua_error(lua);
}

inline bool IsReadOnly(lua_State* lua, const void* table) {
  void* memory;
  lua_getallocf(lua, &memory);
  return static_cast<backplane::LuaMemory*>(memory)->IsReadOnly(table);
}

}  // namespace

// Types of Lua's inside (a table, a value, a string), of which only addresses pass here.
struct Table;
struct TValue;
struct TString;

extern "C" {

TValue* __real_luaH_set(lua_State* lua, Table* table, const TValue* key);
TValue* __real_luaH_setnum(lua_State* lua, Table* table, int key);
TValue* __real_luaH_setstr(lua_State* lua, Table* table, TString* key);
int __real_lua_setmetatable(lua_State* lua, int index);
TValue* __wrap_luaH_set(lua_State* lua, Table* table, const TValue* key);
TValue* __wrap_luaH_setnum(lua_State* lua, Table* table, int key);
TValue* __wrap_luaH_setstr(lua_State* lua, Table* table, TString* key);
int __wrap_lua_setmetatable(lua_State* lua, int index);

TValue* __wrap_luaH_set(lua_State* lua, Table* table, const TValue* key) {
  if (IsReadOnly(lua, table)) [[unlikely]]
    Refuse(lua);
  return __real_luaH_set(lua, table, key);
}

TValue* __wrap_luaH_setnum(lua_State* lua, Table* table, int key) {
  if (IsReadOnly(lua, table)) [[unlikely]]
    Refuse(lua);
  return __real_luaH_setnum(lua, table, key);
}

TValue* __wrap_luaH_setstr(lua_State* lua, Table* table, TString* key) {
  if (IsReadOnly(lua, table)) [[unlikely]]
    Refuse(lua);
  return __real_luaH_setstr(lua, table, key);
}

int __wrap_lua_setmetatable(lua_State* lua, int index) {
  if (lua_type(lua, index) == LUA_TTABLE && IsReadOnly(lua, lua_topointer(lua, index))) [[unlikely]]
    Refuse(lua);
  return __real_lua_setmetatable(lua, index);
}

}  // extern "C"

namespace backplane {

void CheckReadOnlyTables(lua_State* lua) {
  auto write = [](lua_State* inner) {
    lua_pushboolean(inner, 1);
    lua_setfield(inner, LUA_GLOBALSINDEX, "_VERSION");
    return 0;
  };
  BP_ASSERT(lua_cpcall(lua, write, nullptr) != 0);
  lua_pop(lua, 1);
}

}  // namespace backplane
