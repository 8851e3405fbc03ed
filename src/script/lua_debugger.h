// SPDX-License-Identifier: BSD-3-Clause
// LuaDebugger: one debugging session (SCRIPT DEBUG, EVAL): stops the script line by line and at
// breakpoints, and does what its client asks for meanwhile. ScriptRunner calls it from the hook and
// from redis.*; made for one run by DebugSessions. The thread that runs the script.
//
// Nothing here leaves by longjmp: what Lua code it runs, it runs protected.
#pragma once

#include <cstdint>
#include <lua.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "resp/reply_tape.h"
#include "script/debug_channel.h"

namespace backplane {

class LuaDebugger {
 public:
  // `source`: the script's text, line 1 its first. `channel` outlives it. `patience_ms`: a script
  // that goes on without meeting a stop for so long is stopped; 0: never.
  LuaDebugger(std::string_view source, DebugChannel* channel, int64_t patience_ms);

  // The name that the script's code must have been compiled under.
  static constexpr char kChunkName[] = "@user_script";

  // Lua's hook, for lines and counts: stops here, if there is a reason to, until the client lets
  // the script go on. Null then; else the text of the error that ends the script.
  const char* OnHook(lua_State* lua, lua_Debug* where);

  // redis.call: what the script calls and is answered, shown while it is stepped through.
  // `refusal`: why the command was not run.
  void OnCall(std::span<const std::string_view> args);
  void OnReply(const ReplyTape& tape, int resp);
  void OnRefusal(std::string_view refusal);
  // redis.breakpoint().
  void StopAtNextLine() { stop_asked_ = true; }
  // redis.debug(), whose arguments are all that is on the stack.
  void Say(lua_State* lua);

  // The script has ended; its reply follows.
  void End();

 private:
  using Words = std::vector<std::string>;
  enum class Next : uint8_t { kStay, kGo, kAbort };

  const char* Converse(lua_State* lua);
  Next Do(lua_State* lua, const Words& words);
  void Help();
  void List(int64_t around, int64_t context);
  void ListAs(const Words& words);
  void Breakpoints(const Words& words);
  void ChangeBreakpoint(const std::string& word);
  void PrintAll(lua_State* lua);
  void PrintOne(lua_State* lua, const std::string& name);
  void Trace(lua_State* lua);
  void Evaluate(lua_State* lua, const Words& words);
  void CallRedis(lua_State* lua, const Words& words);
  void SetLengthMax(const Words& words);
  void LogLine(int64_t line);
  // Cuts what is too long.
  void LogValue(std::string text);

  DebugChannel& channel_;
  std::vector<std::string> lines_;
  std::set<int64_t> breakpoints_;
  int64_t current_ = 0;
  int64_t patience_ms_;
  int64_t resumed_nanos_ = 0;
  size_t length_max_ = 256;  // 0: no limit
  bool hint_given_ = false;
  bool stepping_ = true;
  bool stop_asked_ = false;
};

}  // namespace backplane
