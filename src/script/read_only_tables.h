// SPDX-License-Identifier: BSD-3-Clause
// See read_only_tables.cc. Whoever makes a Lua state calls this once its memory is sealed.
#pragma once

struct lua_State;

namespace backplane {

// Ends the process when the state's globals can be written: this program was then linked without
// the functions that keep them, and no script may run in it.
void CheckReadOnlyTables(lua_State* lua);

}  // namespace backplane
