// SPDX-License-Identifier: BSD-3-Clause
// EVAL, EVALSHA, EVAL_RO, EVALSHA_RO.
#include "commands/scripting/scripting_commands.h"
#include "engine/call_records.h"
#include "engine/memory_limit.h"

namespace backplane {

std::optional<size_t> KeyCountArg(CommandContext& ctx, std::string_view not_integer) {
  const auto count = ctx.IntegerArg(2, not_integer);
  if (!count) return std::nullopt;
  if (*count > static_cast<int64_t>(ctx.argc() - 3)) {
    ctx.Error("ERR Number of keys can't be greater than number of args");
    return std::nullopt;
  }
  if (*count < 0) {
    ctx.Error("ERR Number of keys can't be negative");
    return std::nullopt;
  }
  return static_cast<size_t>(*count);
}

bool RefusedAsWhole(CommandContext& ctx, uint32_t script_flags) {
  if ((script_flags & kScriptNoWrites) != 0) return false;
  if (ctx.command().Is(kCmdReadonly)) {
    ctx.Error("ERR Can not execute a script with write flag using *_ro command.");
    return true;
  }
  if (ctx.engine().writes_refused()) {
    ctx.Error(ctx.engine().WriteRefusal());
    return true;
  }
  const MemoryLimit* limit = ctx.engine().memory_limit();
  if (limit != nullptr && limit->exhausted() && (script_flags & kScriptAllowOom) == 0 &&
      !ctx.session().scripts_ignore_memory) {
    ctx.Error(MemoryLimit::kRefusal);
    return true;
  }
  return false;
}

bool RefusedWithinScript(CommandContext& ctx) {
  if (!ctx.owner<Scripting>().runner().running()) [[likely]]
    return false;
  ctx.Error("ERR This Redis command is not allowed from script");
  return true;
}

namespace {

void RunScript(CommandContext& ctx, const EvalScripts::Script& script, size_t keys) {
  if (script.has_shebang && RefusedAsWhole(ctx, script.flags)) return;
  ctx.owner<Scripting>().scripts().Run(ctx, script, ctx.args().data() + 3, keys, ctx.argc() - 3);
}

void Eval(CommandContext& ctx) {
  ctx.engine().records().monitors().Feed(ctx);  // before what the script calls
  if (RefusedWithinScript(ctx)) return;
  const auto keys = KeyCountArg(ctx, errors::kNotInteger);
  if (!keys) return;
  auto script = ctx.owner<Scripting>().scripts().Load(ctx.arg(1));
  DebugSessions& debug = ctx.owner<Scripting>().debug_sessions();
  if (debug.Wanted(ctx)) [[unlikely]] {
    if (!script) return DebugSessions::ReplyFailure(ctx, script.error().message);
    return debug.Run(ctx, ctx.arg(1),
                     [&](CommandContext& debugged) { RunScript(debugged, **script, *keys); });
  }
  if (!script) return ctx.Error(script.error().message);
  RunScript(ctx, **script, *keys);
}

void EvalSha(CommandContext& ctx) {
  ctx.engine().records().monitors().Feed(ctx);
  if (RefusedWithinScript(ctx)) return;
  constexpr std::string_view kNoScript = "NOSCRIPT No matching script. Please use EVAL.";
  constexpr size_t kSha1Size = 40;
  if (ctx.arg(1).size() != kSha1Size) return ctx.Error(kNoScript);
  const auto keys = KeyCountArg(ctx, errors::kNotInteger);
  if (!keys) return;
  // The debugger shows the text of what runs, which need not be that of this server's cache.
  if (ctx.session().script_debug != Session::ScriptDebug::kOff) [[unlikely]] {
    return ctx.Error("ERR Please use EVAL instead of EVALSHA for debugging");
  }
  const EvalScripts::Script* script = ctx.owner<Scripting>().scripts().Find(ctx.arg(1));
  if (script == nullptr) return ctx.Error(kNoScript);
  RunScript(ctx, *script, *keys);
}

constexpr uint64_t kFlags = kCmdNoScript | kCmdStale | kCmdSkipMonitor | kCmdNoMandatoryKeys;

constexpr CommandSpec kCommands[] = {
    {.name = "eval",
     .handler = Eval,
     .arity = -3,
     .flags = kFlags | kCmdMayReplicate,
     .acl = kAclScripting,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Runs a Lua script.",
     .since = "2.6.0",
     .group = "scripting",
     .complexity = "That of the script",
     .keynum = {.numkeys_index = 2},
     .arguments = "script numkeys:integer [key...] [arg...]",
     .key_notes = "scripts may do anything to their keys"},
    {.name = "evalsha",
     .handler = EvalSha,
     .arity = -3,
     .flags = kFlags | kCmdMayReplicate,
     .acl = kAclScripting,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Runs a loaded Lua script, named by its SHA-1.",
     .since = "2.6.0",
     .group = "scripting",
     .complexity = "That of the script",
     .keynum = {.numkeys_index = 2},
     .arguments = "sha1 numkeys:integer [key...] [arg...]"},
    {.name = "eval_ro",
     .handler = Eval,
     .arity = -3,
     .flags = kFlags | kCmdReadonly,
     .acl = kAclScripting,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Runs a Lua script that may only read.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "That of the script",
     .keynum = {.numkeys_index = 2},
     .arguments = "script numkeys:integer [key...] [arg...]",
     .key_notes = "scripts may read anything of their keys"},
    {.name = "evalsha_ro",
     .handler = EvalSha,
     .arity = -3,
     .flags = kFlags | kCmdReadonly,
     .acl = kAclScripting,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Runs a loaded Lua script that may only read, named by its SHA-1.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "That of the script",
     .keynum = {.numkeys_index = 2},
     .arguments = "sha1 numkeys:integer [key...] [arg...]"},
};

// A script that says that it does not write changes nothing, whatever it is called by.
uint64_t FlagsOfScript(const Command& command, Args args) {
  auto& scripts = static_cast<Scripting*>(command.owner)->scripts();
  const EvalScripts::Script* script = nullptr;
  if (command.name == "evalsha") {
    script = scripts.Find(args[1]);
  } else if (args[1].starts_with("#!")) {
    // It is about to run: that it is compiled now makes no difference.
    script = scripts.Load(args[1]).value_or(nullptr);
  }
  const bool writes = script == nullptr || (script->flags & kScriptNoWrites) == 0;
  return writes ? command.flags : command.flags & ~kCmdMayReplicate;
}

}  // namespace

void RegisterEvalCommands(CommandRegistry& registry, Scripting& scripting) {
  registry.Add(kCommands, &scripting);
  for (std::string_view name : {"eval", "evalsha"}) registry.Find(name)->call_flags = FlagsOfScript;
}

void RegisterScriptingCommands(CommandRegistry& registry, Scripting& scripting) {
  RegisterEvalCommands(registry, scripting);
  RegisterScriptCommand(registry, scripting);
  RegisterFunctionCommands(registry, scripting);
}

}  // namespace backplane
