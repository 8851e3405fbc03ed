// SPDX-License-Identifier: BSD-3-Clause
// Values of Lua and replies of commands as the debugger shows them. Engine thread.
#pragma once

#include <lua.hpp>
#include <string>

#include "resp/reply_tape.h"

namespace backplane {

// The value at `index`: {1; "two"} for a list, {["key"]=value} for other tables. Tables in tables
// are followed to a depth, and the text is cut where it gets out of hand. Metatables are not asked.
std::string LuaValueText(lua_State* lua, int index);

// The reply, which is complete: [1,"two"]; in RESP3 also {"key" => value} and ~(set).
std::string ReplyText(const ReplyTape& tape, int resp);

}  // namespace backplane
