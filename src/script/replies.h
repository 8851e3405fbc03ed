// SPDX-License-Identifier: BSD-3-Clause
// Between replies and Lua values. Engine thread.
//
//   reply            RESP2 in Lua               RESP3 in Lua (redis.setresp(3))
//   integer          number                     number
//   bulk             string                     string
//   simple string    {ok=text}                  {ok=text}
//   error            {err=text}                 {err=text}
//   null             false                      nil
//   array            array                      array
//   map, set         flat array, array          {map={}}, {set={}}
//   double, bool     string, number             {double=n}, true or false
//   big number       string                     {big_number=text}
//   verbatim         string                     {verbatim_string={format=, string=}}
#pragma once

#include <lua.hpp>
#include <string_view>

#include "resp/reply_sink.h"
#include "resp/reply_tape.h"

namespace backplane {

// Field of an error's table that says that the error is in the statistics already.
inline constexpr char kErrorIsCounted[] = "ignore_error_stats_update";

// Pushes the reply, which is complete, as Lua sees it in protocol `resp`.
void PushReply(lua_State* lua, const ReplyTape& tape, int resp);
// Pushes {err=text}.
void PushError(lua_State* lua, std::string_view text, bool counted);

// Writes the value on top of the stack as a reply and takes it away. Metatables are not asked.
// `resp`: the protocol that the script asked for.
void WriteReply(lua_State* lua, ReplySink& sink, int resp);

}  // namespace backplane
