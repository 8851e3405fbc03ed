// SPDX-License-Identifier: BSD-3-Clause
// LuaVm: one Lua state with the libraries that scripts have, closed against everything else: what a
// script can reach that outlives it is read-only (lua_memory.h), there is no bytecode, no file, no
// other module. One for EVAL, one for libraries of functions. Engine thread.
//
// Code of ours that Lua calls, or that calls Lua, may be left by longjmp: it holds no object with a
// destructor across a call that can raise an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <lua.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "script/lua_memory.h"

namespace backplane {

class ScriptRunner;

class LuaVm {
 public:
  // kEval: globals are the libraries, KEYS and ARGV. kFunctions: what globals there are depends on
  // whether a library is being loaded (SetLoading).
  enum class Kind : uint8_t { kEval, kFunctions };
  // What stands at the bottom of the state's stack.
  enum Slot : int {
    kErrorHandler = 1,
    kScripts,
    kKeysName,
    kArgvName,
    kGlobalsMeta,
    kRuntime,
    kLoadTime,
    kSlots
  };

  // `runner` outlives it.
  LuaVm(Kind kind, ScriptRunner* runner);
  ~LuaVm();
  LuaVm(const LuaVm&) = delete;
  LuaVm& operator=(const LuaVm&) = delete;

  lua_State* state() { return lua_; }
  size_t memory() const;

  // Compiles text and leaves the function on the stack. An error's message is Lua's, beginning with
  // `chunk_name` ("@user_script") and the line.
  Status Compile(std::string_view code, const char* chunk_name);
  // Takes the function off the top of the stack and keeps it; pushes it again; forgets it.
  int Keep();
  // The same within a call from Lua, from the stack of the thread that runs.
  int KeepFrom(lua_State* thread);
  void Push(int ref) { lua_rawgeti(lua_, kScripts, ref); }
  void Drop(int ref);

  // KEYS and ARGV. REQUIRES: kEval.
  void SetKeysAndArgs(const std::string_view* args, size_t keys, size_t total);
  // REQUIRES: kFunctions.
  void SetLoading(bool loading);
  // A little of the collector's work, so that a state in which every script leaves a bit does not
  // wait for one large collection; undoes a script's collectgarbage("stop").
  void CollectSome();
  // Every instruction of the running script is a chance to end it, from now on or no longer.
  void SetEager(lua_State* running, bool eager);
  // Every line of what runs next is told to the runner's debugger, or no longer.
  void SetDebugged(bool debugged);

 private:
  LuaMemory memory_;
  lua_State* lua_;
  int runs_ = 0;
};

// An array of the strings, on top of the stack.
void PushStrings(lua_State* lua, const std::string_view* strings, size_t count);

}  // namespace backplane
