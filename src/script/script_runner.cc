// SPDX-License-Identifier: BSD-3-Clause
// ScriptRunner: calling commands, and the life of a run.
#include "script/script_runner.h"

#include <cmath>
#include <cstdio>

#include "base/clock.h"
#include "base/numbers.h"
#include "base/random.h"
#include "engine/memory_limit.h"
#include "script/lua_debugger.h"
#include "script/lua_libraries.h"
#include "script/replies.h"

namespace backplane {
namespace {

constexpr int64_t kLoadMilliseconds = 500;

uint32_t RandomSeed() {
  uint32_t seed;
  EntropyBytes(&seed, sizeof(seed));
  return seed;
}

// The text of the field of the table on top; empty when there is none. Valid as long as the table.
std::string_view TextField(lua_State* lua, const char* name) {
  lua_pushstring(lua, name);
  lua_rawget(lua, -2);
  size_t size = 0;
  const char* text = lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &size) : "";
  lua_pop(lua, 1);
  return {text, size};
}

bool BoolField(lua_State* lua, const char* name) {
  lua_pushstring(lua, name);
  lua_rawget(lua, -2);
  const bool value = lua_toboolean(lua, -1) != 0;
  lua_pop(lua, 1);
  return value;
}

}  // namespace

ScriptRunner::ScriptRunner(Engine* engine)
    : engine_(*engine),
      session_(0, Session::Kind::kScript, &tape_, nullptr),
      random_(RandomSeed()) {}

// --- running ---

void ScriptRunner::Run(CommandContext& ctx, LuaVm& vm, const Facts& facts, int argc) {
  lua_State* lua = vm.state();
  Running run{&ctx, &vm, facts, Ticks()};
  run_ = &run;
  engine_.set_script_runs(true);
  session_.db_index = ctx.session().db_index;
  session_.user = ctx.session().user;
  // What its commands did is propagated by them.
  ctx.PreventPropagation();
  if (debugger_ != nullptr) [[unlikely]]
    vm.SetDebugged(true);
  const int outcome = lua_pcall(lua, argc, 1, LuaVm::kErrorHandler);
  if (debugger_ != nullptr) [[unlikely]]
    vm.SetDebugged(false);
  if (outcome == 0) [[likely]] {
    Reply(lua, ctx);
  } else {
    ReplyError(lua, ctx);
  }
  if (run.killed) vm.SetEager(lua, false);
  if (run.busy) LeaveBusy();
  run_ = nullptr;
  engine_.set_script_runs(false);
  vm.CollectSome();
}

void ScriptRunner::Reply(lua_State* lua, CommandContext& ctx) {
  const bool counted = lua_type(lua, -1) == LUA_TTABLE && BoolField(lua, kErrorIsCounted);
  const uint64_t errors = ctx.reply().error_count();
  WriteReply(lua, ctx.reply(), run_->resp);
  if (!counted || ctx.reply().error_count() == errors) [[likely]]
    return;
  ++ctx.command().stats.failed;
  engine_.ErrorWasCounted(ctx.reply());
}

void ScriptRunner::ReplyError(lua_State* lua, CommandContext& ctx) {
  std::string text;
  bool counted = false;
  if (lua_type(lua, -1) == LUA_TTABLE) {
    const std::string_view error = TextField(lua, "err");
    text = error.substr(0, error.find('\0'));
    text += " script: ";
    text += run_->facts.name;
    const std::string_view source = TextField(lua, "source");
    if (!source.empty()) {
      text += ", on ";
      text += source;
      text += ':';
      text += TextField(lua, "line");
    }
    text += '.';
    counted = BoolField(lua, kErrorIsCounted);
  } else {
    // The handler itself failed: there was no room left on the stack.
    size_t size = 0;
    const char* message = lua_tolstring(lua, -1, &size);
    text = "ERR Error running script: ";
    text.append(message != nullptr ? message : "unknown error", message != nullptr ? size : 13);
  }
  lua_pop(lua, 1);
  for (char& c : text) {
    if (c == '\r' || c == '\n') c = ' ';
  }
  ctx.reply().Error(text);
  if (!counted) return;
  ++ctx.command().stats.failed;
  engine_.ErrorWasCounted(ctx.reply());
}

bool ScriptRunner::RunLoad(LuaVm& vm, FunctionDeclarations* declarations) {
  loading_vm_ = &vm;
  declarations_ = declarations;
  load_deadline_ms_ = MonotonicNanos() / 1'000'000 + kLoadMilliseconds;
  const int outcome = lua_pcall(vm.state(), 0, 0, LuaVm::kErrorHandler);
  loading_vm_ = nullptr;
  declarations_ = nullptr;
  vm.SetEager(vm.state(), false);
  return outcome == 0;
}

std::string ScriptRunner::TakeErrorText(LuaVm& vm) {
  lua_State* lua = vm.state();
  std::string text;
  if (lua_type(lua, -1) == LUA_TTABLE) {
    text = TextField(lua, "err");
  } else if (lua_isstring(lua, -1) != 0) {
    text = lua_tostring(lua, -1);
  }
  lua_pop(lua, 1);
  return text;
}

bool ScriptRunner::Declare(lua_State* lua, int name, int callback, int description,
                           uint32_t flags) {
  FunctionDeclaration declared;
  declared.name = lua_tostring(lua, name);
  for (const FunctionDeclaration& other : *declarations_) {
    if (other.name == declared.name) return false;
  }
  declared.has_description = !lua_isnil(lua, description);
  if (declared.has_description) {
    size_t size;
    const char* text = lua_tolstring(lua, description, &size);
    declared.description.assign(text, size);
  }
  declared.flags = flags;
  lua_pushvalue(lua, callback);
  declared.ref = loading_vm_->KeepFrom(lua);
  declarations_->push_back(std::move(declared));
  return true;
}

int64_t ScriptRunner::milliseconds() const {
  return engine_.tick_clock().ToNanos(Ticks() - run_->started) / 1'000'000;
}

int64_t ScriptRunner::TimeMicros() {
  if (run_->time_micros == 0) run_->time_micros = WallMicros();
  return run_->time_micros;
}

ScriptRunner::KillOutcome ScriptRunner::Kill(Kind kind) {
  if (run_ == nullptr) return KillOutcome::kNotRunning;
  if (run_->wrote) return KillOutcome::kUnkillable;
  if (run_->facts.kind != kind) return KillOutcome::kWrongKind;
  run_->killed = true;
  return KillOutcome::kKilled;
}

// --- the count hook ---

namespace {

// The state's runner is with its libraries; a hook has no other way to it.
ScriptRunner* RunnerOf(lua_State* lua) {
  lua_getfield(lua, LUA_REGISTRYINDEX, kRunnerName);
  auto* runner = static_cast<ScriptRunner*>(lua_touserdata(lua, -1));
  lua_pop(lua, 1);
  return runner;
}

}  // namespace

void ScriptRunner::OnInstructions(lua_State* lua, lua_Debug*) { RunnerOf(lua)->Look(lua); }

void ScriptRunner::OnDebuggedLine(lua_State* lua, lua_Debug* where) {
  ScriptRunner* runner = RunnerOf(lua);
  // A coroutine that has outlived the run in which it was made still has the hook.
  if (runner->debugger_ == nullptr || runner->run_ == nullptr) {
    if (where->event == LUA_HOOKCOUNT) runner->Look(lua);
    return;
  }
  const char* end = runner->debugger_->OnHook(lua, where);
  if (end == nullptr) return;
  runner->run_->killed = true;
  runner->run_->end = end;
  runner->End(lua, runner->run_->vm, end);
}

// Raises an error when the script is to end.
void ScriptRunner::Look(lua_State* lua) {
  const char* end = nullptr;
  LuaVm* vm = loading_vm_;
  if (vm != nullptr) {
    if (MonotonicNanos() / 1'000'000 >= load_deadline_ms_) end = "ERR FUNCTION LOAD timeout";
  } else if (run_ != nullptr) {
    vm = run_->vm;
    const int64_t threshold = engine_.settings().busy_reply_threshold;
    if (!run_->busy && threshold > 0 && busy_server_ != nullptr && milliseconds() >= threshold) {
      EnterBusy();
    }
    if (run_->busy) {
      busy_server_->ServeClients();
      if (busy_server_->stopping()) run_->killed = true;
    }
    if (run_->killed) end = run_->end;
  }
  if (end != nullptr) End(lua, vm, end);
}

// Raises the error, again and again: pcall would go on with the script otherwise.
void ScriptRunner::End(lua_State* lua, LuaVm* vm, const char* error) {
  vm->SetEager(lua, true);
  RaiseError(lua, error);
}

void ScriptRunner::EnterBusy() {
  run_->busy = true;
  const bool function = run_->facts.kind == Kind::kFunction;
  engine_.set_busy_reply(std::string("BUSY Redis is busy running a script. You can only call ") +
                         (function ? "FUNCTION" : "SCRIPT") + " KILL or SHUTDOWN NOSAVE.");
  engine_.logger().Warning("Slow script detected: still in execution after " +
                           std::to_string(milliseconds()) +
                           " milliseconds. You can try killing the script using the " +
                           (function ? "FUNCTION" : "SCRIPT") +
                           " KILL command. Script name is: " + std::string(run_->facts.name) + ".");
  busy_server_->BeginBusy(run_->ctx->session());
}

void ScriptRunner::LeaveBusy() {
  engine_.set_busy_reply({});
  busy_server_->EndBusy(run_->ctx->session());
}

// --- commands ---

const char* ScriptRunner::CollectArgs(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count == 0) return "ERR Please specify at least one argument for this redis lib call";
  args_.clear();
  numbers_.clear();
  // Views into them must stay good.
  numbers_.reserve(static_cast<size_t>(count));
  for (int i = 1; i <= count; ++i) {
    const int type = lua_type(lua, i);
    if (type == LUA_TSTRING) [[likely]] {
      size_t size;
      const char* text = lua_tolstring(lua, i, &size);
      args_.emplace_back(text, size);
      continue;
    }
    if (type != LUA_TNUMBER) {
      return "ERR Lua redis lib command arguments must be strings or integers";
    }
    const double number = lua_tonumber(lua, i);
    auto& text = numbers_.emplace_back();
    // Beyond this a double does not hold every integer, and exponents say so.
    constexpr double kExact = 1e17;
    size_t size;
    if (std::fabs(number) < kExact && std::trunc(number) == number && !std::signbit(number)) {
      size = Int64ToText(static_cast<int64_t>(number), text.data());
    } else {
      size = static_cast<size_t>(std::snprintf(text.data(), text.size(), "%.17g", number));
    }
    args_.emplace_back(text.data(), size);
  }
  return nullptr;
}

// As it was when the script began; what it has begun to write it may end.
bool ScriptRunner::LacksMemory() const {
  const MemoryLimit* limit = engine_.memory_limit();
  return limit != nullptr && limit->exhausted() && !run_->wrote &&
         !run_->ctx->session().scripts_ignore_memory && (run_->facts.flags & kScriptAllowOom) == 0;
}

// By the permissions of the user that runs the script.
bool ScriptRunner::IsForbidden(const Command& command, std::string* refusal) {
  if (session_.user == nullptr || session_.user->unrestricted()) [[likely]]
    return false;
  const std::string why = engine_.PermissionRefusal(session_, command, args_, AclLog::Context::kLua,
                                                    run_->ctx->session());
  if (why.empty()) return false;
  constexpr std::string_view kCode = "NOPERM ";
  *refusal = "ERR ACL failure in script: " + why.substr(kCode.size());
  return true;
}

const Command* ScriptRunner::FindAllowed(std::string* refusal) {
  if (args_.empty()) [[unlikely]] {
    // A filter has taken all words away.
    *refusal = "ERR Unknown Redis command called from script";
    return nullptr;
  }
  const Command* command = engine_.Resolve(session_, args_, refusal);
  if (command == nullptr) [[unlikely]] {
    const Command* known = engine_.commands().Find(args_[0]);
    if (known != nullptr && known->has_subcommands() && args_.size() > 1) {
      known = known->Subcommand(args_[1]);
    }
    *refusal = known == nullptr ? "ERR Unknown Redis command called from script"
                                : "ERR Wrong number of args calling Redis command from script";
    return nullptr;
  }
  if (command->Is(kCmdNoScript) && !allows_all_) [[unlikely]] {
    *refusal = "ERR This Redis command is not allowed from script";
  } else if (IsForbidden(*command, refusal)) [[unlikely]] {
    // The refusal says why.
  } else if (run_->facts.read_only && command->Is(kCmdWrite | kCmdMayReplicate)) [[unlikely]] {
    *refusal = "ERR Write commands are not allowed from read-only scripts.";
  } else if (command->Is(kCmdWrite)) {
    if (engine_.writes_refused()) [[unlikely]] {
      *refusal = engine_.WriteRefusal();
    } else if (command->Is(kCmdDenyOom) && LacksMemory()) [[unlikely]] {
      *refusal = MemoryLimit::kRefusal;
    } else {
      run_->wrote = true;
      return command;
    }
  } else {
    return command;
  }
  ++command->stats.rejected;
  return nullptr;
}

bool ScriptRunner::CallCommand(lua_State* lua) {
  if (run_ == nullptr) {
    PushError(lua, "ERR redis.call/pcall can only be called inside a script invocation", false);
    return false;
  }
  if (const char* error = CollectArgs(lua); error != nullptr) [[unlikely]] {
    PushError(lua, error, false);
    return false;
  }
  if (engine_.has_interceptors()) [[unlikely]]
    engine_.Intercept(session_, &args_);
  tape_.Clear();
  tape_.set_resp(run_->resp);
  if (debugger_ != nullptr) [[unlikely]]
    debugger_->OnCall(args_);
  {
    std::string refusal;
    if (const Command* command = FindAllowed(&refusal); command != nullptr) [[likely]] {
      engine_.Call(session_, *command, args_, tape_, run_->targets);
      if (!tape_.complete()) [[unlikely]]
        tape_.Finish();
      if (debugger_ != nullptr) [[unlikely]]
        debugger_->OnReply(tape_, run_->resp);
    } else {
      if (debugger_ != nullptr) [[unlikely]]
        debugger_->OnRefusal(refusal);
      tape_.Error(refusal);
      engine_.CountErrorReply(tape_);
    }
  }
  const bool ok = tape_.node(tape_.ValueIndex(0)).tag != ReplyTape::Tag::kError;
  // The arguments may have filled the stack.
  lua_settop(lua, 0);
  PushReply(lua, tape_, run_->resp);
  return ok;
}

const char* ScriptRunner::CheckCommand(lua_State* lua, bool* allowed) {
  if (const char* error = CollectArgs(lua); error != nullptr) return error;
  const Command* command = engine_.commands().Find(args_[0]);
  if (command != nullptr && command->has_subcommands() && args_.size() > 1) {
    command = command->Subcommand(args_[1]);
  }
  if (command == nullptr) return "ERR Invalid command passed to redis.acl_check_cmd()";
  const User* user = session_.user.get();
  *allowed = user == nullptr || user->Check(engine_.commands(), *command, args_).allowed();
  return nullptr;
}

bool ScriptRunner::SetReplication(int64_t flags) {
  if ((flags & ~kReplicateAll) != 0) return false;
  if (run_ != nullptr) run_->targets = static_cast<uint8_t>(flags);
  return true;
}

}  // namespace backplane
