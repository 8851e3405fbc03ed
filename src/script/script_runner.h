// SPDX-License-Identifier: BSD-3-Clause
// ScriptRunner: runs one script or function for the command that asks for it, and is what `redis`
// in it talks to: it calls commands, counts the time, ends it on request. One object for both Lua
// states, since one script runs at a time. Engine thread.
//
// A script that runs longer than busy-reply-threshold serves other clients from within: they get
// BUSY, and may end it (SCRIPT KILL, FUNCTION KILL) as long as it has written nothing.
#pragma once

#include <array>
#include <cstdint>
#include <lua.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/session.h"
#include "command/context.h"
#include "engine/busy_server.h"
#include "engine/engine.h"
#include "resp/reply_tape.h"
#include "script/function_registration.h"
#include "script/lua_vm.h"
#include "script/random48.h"
#include "script/script_flags.h"

namespace backplane {

class LuaDebugger;

class ScriptRunner {
 public:
  enum class Kind : uint8_t { kScript, kFunction };
  struct Facts {
    Kind kind = Kind::kScript;
    std::string_view name;   // the SHA-1, or the function's name
    uint32_t flags = 0;      // ScriptFlag
    bool read_only = false;  // by its flags or by the command that runs it
  };
  enum class KillOutcome : uint8_t { kKilled, kNotRunning, kWrongKind, kUnkillable };

  explicit ScriptRunner(Engine* engine);
  ScriptRunner(const ScriptRunner&) = delete;
  ScriptRunner& operator=(const ScriptRunner&) = delete;
  // Not owned; without one (unit tests) a long script just runs.
  void set_busy_server(BusyServer* server) { busy_server_ = server; }

  // Commands that scripts may not call are called all the same (DEBUG SET-DISABLE-DENY-SCRIPTS).
  void set_allows_all(bool value) { allows_all_ = value; }

  // The next runs are watched by it; null: by none. Not owned.
  void set_debugger(LuaDebugger* debugger) { debugger_ = debugger; }
  LuaDebugger* debugger() const { return debugger_; }

  // Calls the function that stands on the state's stack below its `argc` arguments, and replies.
  // REQUIRES: no script runs.
  void Run(CommandContext& ctx, LuaVm& vm, const Facts& facts, int argc);
  // Runs a library's code, which stands on the stack, for at most kLoadMilliseconds. On an error
  // its table is left on the stack.
  bool RunLoad(LuaVm& vm, FunctionDeclarations* declarations);

  // The text of the error that RunLoad left, which goes.
  static std::string TakeErrorText(LuaVm& vm);

  bool running() const { return run_ != nullptr; }
  // REQUIRES: running().
  const Facts& facts() const { return run_->facts; }
  Args command() const { return run_->ctx->args(); }
  int64_t milliseconds() const;
  // The time of day that the script is told: the same as long as it runs. REQUIRES: running().
  int64_t TimeMicros();
  // Asks the running script of that kind to end; it does at its next instruction.
  KillOutcome Kill(Kind kind);
  bool killed() const { return run_ != nullptr && run_->killed; }

  // --- for the library `redis` ---
  Engine& engine() { return engine_; }
  // redis.call and redis.pcall: runs the command that the stack holds and pushes the reply. False
  // when that is an error.
  bool CallCommand(lua_State* lua);
  // redis.acl_check_cmd: an error text when the stack holds no command that there is, or null and
  // whether the script's user may run it.
  const char* CheckCommand(lua_State* lua, bool* allowed);
  void SetResp(int resp) { run_->resp = resp; }
  // False when there are no such flags (kReplicate...).
  bool SetReplication(int64_t flags);
  static constexpr int64_t kReplicateNone = 0;
  static constexpr int64_t kReplicateAof = 1;
  static constexpr int64_t kReplicateReplicas = 2;
  static constexpr int64_t kReplicateAll = 3;
  bool loading_library() const { return loading_vm_ != nullptr; }
  // redis.register_function, of what stands at these places of the stack. False when the library
  // has a function of this name. REQUIRES: loading_library().
  bool Declare(lua_State* lua, int name, int callback, int description, uint32_t flags);
  Random48& random() { return random_; }

  // Lua's count hook.
  static void OnInstructions(lua_State* lua, lua_Debug* where);
  // The hook for lines and counts of a script that is debugged.
  static void OnDebuggedLine(lua_State* lua, lua_Debug* where);

 private:
  struct Running {
    CommandContext* ctx;
    LuaVm* vm;
    Facts facts;
    uint64_t started;  // Ticks
    int resp = 2;
    int64_t time_micros = 0;  // 0: nobody has asked
    uint8_t targets = kPropagateEverywhere;
    bool wrote = false;
    bool busy = false;
    bool killed = false;
    const char* end = "ERR Script killed by user with SCRIPT KILL...";  // of one that is killed
  };

  // Collects the arguments on the stack; an error text when they are none of a command.
  const char* CollectArgs(lua_State* lua);
  // The command that args_ name, if the script may call it; else null, and the reason in *refusal.
  bool LacksMemory() const;
  const Command* FindAllowed(std::string* refusal);
  bool IsForbidden(const Command& command, std::string* refusal);
  void ReplyError(lua_State* lua, CommandContext& ctx);
  void Reply(lua_State* lua, CommandContext& ctx);
  void Look(lua_State* lua);
  void End(lua_State* lua, LuaVm* vm, const char* error);
  void EnterBusy();
  void LeaveBusy();

  Engine& engine_;
  BusyServer* busy_server_ = nullptr;
  ReplyTape tape_;
  Session session_;
  bool allows_all_ = false;
  LuaDebugger* debugger_ = nullptr;
  Running* run_ = nullptr;
  LuaVm* loading_vm_ = nullptr;
  FunctionDeclarations* declarations_ = nullptr;
  int64_t load_deadline_ms_ = 0;
  std::vector<std::string_view> args_;
  std::vector<std::array<char, 48>> numbers_;
  Random48 random_;
};

}  // namespace backplane
