// SPDX-License-Identifier: BSD-3-Clause
// What a library's code registers while it is loaded. Engine thread.
#pragma once

#include <cstdint>
#include <lua.hpp>
#include <string>
#include <vector>

namespace backplane {

// One redis.register_function.
struct FunctionDeclaration {
  std::string name;
  std::string description;
  bool has_description = false;
  uint32_t flags = 0;   // ScriptFlag
  int ref = LUA_NOREF;  // of LuaVm::Keep
};
using FunctionDeclarations = std::vector<FunctionDeclaration>;

// Library names and function names are of letters, digits and underscores.
bool IsFunctionName(std::string_view name);
inline constexpr char kBadFunctionName[] =
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least "
    "one character long";

// redis.register_function(name, callback), or of a table with named arguments.
int RegisterFunction(lua_State* lua);

}  // namespace backplane
