// SPDX-License-Identifier: BSD-3-Clause
// FCALL, FCALL_RO, FUNCTION and its subcommands.
#include "base/glob.h"
#include "commands/help.h"
#include "commands/scripting/scripting_commands.h"
#include "engine/call_records.h"

namespace backplane {
namespace {

FunctionLibraries& LibrariesOf(CommandContext& ctx) { return ctx.owner<Scripting>().libraries(); }

void Fcall(CommandContext& ctx) {
  ctx.engine().records().monitors().Feed(ctx);  // before what the function calls
  if (RefusedWithinScript(ctx)) return;
  const FunctionDeclaration* function = LibrariesOf(ctx).Find(ctx.arg(1));
  if (function == nullptr) return ctx.Error("ERR Function not found");
  const auto keys = KeyCountArg(ctx, "ERR Bad number of keys provided");
  if (!keys || RefusedAsWhole(ctx, function->flags)) return;
  LibrariesOf(ctx).Call(ctx, *function, ctx.args().data() + 3, *keys, ctx.argc() - 3);
}

void FunctionLoad(CommandContext& ctx) {
  if (RefusedWithinScript(ctx)) return;
  bool replace = false;
  for (size_t i = 2; i + 1 < ctx.argc(); ++i) {
    if (!ctx.ArgIs(i, "replace")) {
      return ctx.Error("ERR Unknown option given: " + std::string(ctx.arg(i)));
    }
    replace = true;
  }
  auto name = LibrariesOf(ctx).Load(ctx.arg(ctx.argc() - 1), replace);
  if (!name) return ctx.Error(name.error().message);
  ctx.Dirty();
  ctx.reply().Bulk(*name);
}

void FunctionDelete(CommandContext& ctx) {
  if (RefusedWithinScript(ctx)) return;
  if (!LibrariesOf(ctx).Delete(ctx.arg(2))) return ctx.Error("ERR Library not found");
  ctx.Dirty();
  ctx.reply().Ok();
}

void TooManyArguments(CommandContext& ctx) {
  ctx.Error("ERR unknown subcommand or wrong number of arguments for '" + std::string(ctx.arg(1)) +
            "'. Try FUNCTION HELP.");
}

// Libraries are no data set: both modes are done at once.
void FunctionFlush(CommandContext& ctx) {
  if (RefusedWithinScript(ctx)) return;
  if (ctx.argc() > 3) return TooManyArguments(ctx);
  if (ctx.argc() == 3 && !ctx.ArgIs(2, "sync") && !ctx.ArgIs(2, "async")) {
    return ctx.Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  }
  LibrariesOf(ctx).Flush();
  ctx.Dirty();
  ctx.reply().Ok();
}

void ReplyFunction(ReplySink& reply, const FunctionDeclaration& function) {
  reply.BeginMap(3);
  reply.Bulk("name");
  reply.Bulk(function.name);
  reply.Bulk("description");
  if (function.has_description) {
    reply.Bulk(function.description);
  } else {
    reply.Null();
  }
  reply.Bulk("flags");
  uint64_t count = 0;
  for (const ScriptFlagName& known : kScriptFlagNames) {
    count += (function.flags & known.flag) != 0 ? 1 : 0;
  }
  reply.BeginSet(count);
  for (const ScriptFlagName& known : kScriptFlagNames) {
    if ((function.flags & known.flag) != 0) reply.SimpleString(known.name);
  }
}

void ReplyLibrary(ReplySink& reply, const FunctionLibraries::Library& library, bool with_code) {
  reply.BeginMap(with_code ? 4 : 3);
  reply.Bulk("library_name");
  reply.Bulk(library.name);
  reply.Bulk("engine");
  reply.Bulk("LUA");
  reply.Bulk("functions");
  reply.BeginArray(library.functions.size());
  for (const FunctionDeclaration& function : library.functions) ReplyFunction(reply, function);
  if (!with_code) return;
  reply.Bulk("library_code");
  reply.Bulk(library.code);
}

void FunctionList(CommandContext& ctx) {
  bool with_code = false;
  std::optional<std::string_view> pattern;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (!with_code && ctx.ArgIs(i, "withcode")) {
      with_code = true;
    } else if (!pattern && ctx.ArgIs(i, "libraryname")) {
      if (++i == ctx.argc()) return ctx.Error("ERR library name argument was not given");
      pattern = ctx.arg(i);
    } else {
      return ctx.Error("ERR Unknown argument " + std::string(ctx.arg(i)));
    }
  }
  std::vector<const FunctionLibraries::Library*> shown;
  for (const auto& [name, library] : LibrariesOf(ctx).all()) {
    if (!pattern || GlobMatch(*pattern, name, true)) shown.push_back(library.get());
  }
  ctx.reply().BeginArray(shown.size());
  for (const auto* library : shown) ReplyLibrary(ctx.reply(), *library, with_code);
}

void FunctionStats(CommandContext& ctx) {
  const ScriptRunner& runner = ctx.owner<Scripting>().runner();
  ReplySink& reply = ctx.reply();
  if (runner.running() && runner.facts().kind == ScriptRunner::Kind::kScript) {
    return ctx.Error(ctx.engine().busy_reply());
  }
  reply.BeginMap(2);
  reply.Bulk("running_script");
  if (runner.running()) {
    reply.BeginMap(3);
    reply.Bulk("name");
    reply.Bulk(runner.facts().name);
    reply.Bulk("command");
    reply.BeginArray(runner.command().size());
    for (const std::string_view arg : runner.command()) reply.Bulk(arg);
    reply.Bulk("duration_ms");
    reply.Integer(runner.milliseconds());
  } else {
    reply.Null();
  }
  reply.Bulk("engines");
  reply.BeginMap(1);
  reply.Bulk("LUA");
  reply.BeginMap(2);
  reply.Bulk("libraries_count");
  reply.Integer(static_cast<int64_t>(LibrariesOf(ctx).all().size()));
  reply.Bulk("functions_count");
  reply.Integer(static_cast<int64_t>(LibrariesOf(ctx).function_count()));
}

void FunctionKill(CommandContext& ctx) { ReplyKill(ctx, ScriptRunner::Kind::kFunction); }

void FunctionDump(CommandContext& ctx) {
  const Settings& settings = ctx.engine().settings();
  ctx.reply().Bulk(LibrariesOf(ctx).Dump(static_cast<int>(settings.rdb_version), true));
}

void FunctionRestore(CommandContext& ctx) {
  using Mode = FunctionLibraries::RestoreMode;
  if (RefusedWithinScript(ctx)) return;
  if (ctx.argc() > 4) return TooManyArguments(ctx);
  Mode mode = Mode::kAppend;
  if (ctx.argc() == 4) {
    if (ctx.ArgIs(3, "replace")) {
      mode = Mode::kReplace;
    } else if (ctx.ArgIs(3, "flush")) {
      mode = Mode::kFlush;
    } else if (!ctx.ArgIs(3, "append")) {
      return ctx.Error(
          "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
    }
  }
  if (auto status = LibrariesOf(ctx).Restore(ctx.arg(2), mode); !status) {
    return ctx.Error(status.error().message);
  }
  ctx.Dirty();
  ctx.reply().Ok();
}

void FunctionHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"DELETE <library-name>", "    Deletes a library and its functions.", "DUMP",
                  "    All libraries as bytes for RESTORE.", "FLUSH [ASYNC|SYNC]",
                  "    Deletes all libraries.", "KILL",
                  "    Ends the running function, unless it has written.",
                  "LIST [LIBRARYNAME <pattern>] [WITHCODE]", "    Libraries and their functions.",
                  "LOAD [REPLACE] <function-code>", "    Makes a library of the code.",
                  "RESTORE <payload> [FLUSH|APPEND|REPLACE]",
                  "    Makes the libraries of a DUMP. APPEND, the default, refuses names that",
                  "    exist, REPLACE replaces them, FLUSH deletes all others.", "STATS",
                  "    The running function, and how many libraries and functions there are."});
}

uint64_t FlagsOfFunction(const Command& command, Args args) {
  const auto& libraries = static_cast<Scripting*>(command.owner)->libraries();
  const FunctionDeclaration* function = libraries.Find(args[1]);
  const bool writes = function == nullptr || (function->flags & kScriptNoWrites) == 0;
  return writes ? command.flags : command.flags & ~kCmdMayReplicate;
}

constexpr uint64_t kCallFlags = kCmdNoScript | kCmdStale | kCmdSkipMonitor | kCmdNoMandatoryKeys;

constexpr CommandSpec kCallCommands[] = {
    {.name = "fcall",
     .handler = Fcall,
     .arity = -3,
     .flags = kCallFlags | kCmdMayReplicate,
     .acl = kAclScripting,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Calls a function.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "That of the function",
     .keynum = {.numkeys_index = 2},
     .arguments = "function numkeys:integer [key...] [arg...]",
     .key_notes = "functions may do anything to their keys"},
    {.name = "fcall_ro",
     .handler = Fcall,
     .arity = -3,
     .flags = kCallFlags | kCmdReadonly,
     .acl = kAclScripting,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Calls a function that may only read.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "That of the function",
     .keynum = {.numkeys_index = 2},
     .arguments = "function numkeys:integer [key...] [arg...]",
     .key_notes = "functions may read anything of their keys"},
};

constexpr CommandSpec kFunctionCommands[] = {
    {.name = "function",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .summary = "Manages libraries of functions.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "That of the subcommand"},
    {.name = "function|load",
     .handler = FunctionLoad,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdNoScript,
     .acl = kAclScripting,
     .summary = "Makes a library of the code.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(1), besides what the code does",
     .arguments = "[REPLACE] function-code",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "function|delete",
     .handler = FunctionDelete,
     .arity = 3,
     .flags = kCmdWrite | kCmdNoScript,
     .acl = kAclScripting,
     .summary = "Deletes a library and its functions.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(1)",
     .arguments = "library-name",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "function|flush",
     .handler = FunctionFlush,
     .arity = -2,
     .flags = kCmdWrite | kCmdNoScript,
     .acl = kAclScripting,
     .summary = "Deletes all libraries.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(N) in the number of functions",
     .arguments = "[flush-type(ASYNC | SYNC)]",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "function|list",
     .handler = FunctionList,
     .arity = -2,
     .flags = kCmdNoScript,
     .acl = kAclScripting,
     .summary = "Lists libraries and their functions.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(N) in the number of functions",
     .arguments = "[LIBRARYNAME library-name-pattern] [WITHCODE]",
     .tips = "nondeterministic_output_order"},
    {.name = "function|stats",
     .handler = FunctionStats,
     .arity = 2,
     .flags = kCmdNoScript | kCmdAllowBusy,
     .acl = kAclScripting,
     .summary = "Tells what runs, and how many functions there are.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(1)",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    {.name = "function|kill",
     .handler = FunctionKill,
     .arity = 2,
     .flags = kCmdNoScript | kCmdAllowBusy,
     .acl = kAclScripting,
     .summary = "Ends the running function.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(1)",
     .tips = "request_policy:all_shards response_policy:one_succeeded"},
    {.name = "function|dump",
     .handler = FunctionDump,
     .arity = 2,
     .flags = kCmdNoScript,
     .acl = kAclScripting,
     .summary = "All libraries as bytes.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(N) in the length of the code"},
    {.name = "function|restore",
     .handler = FunctionRestore,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdNoScript,
     .acl = kAclScripting,
     .summary = "Makes the libraries of a dump.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(N) in the length of the code",
     .arguments = "serialized-value [policy(FLUSH | APPEND | REPLACE)]",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "function|help",
     .handler = FunctionHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .acl = kAclScripting,
     .summary = "Lists the subcommands.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterFunctionCommands(CommandRegistry& registry, Scripting& scripting) {
  registry.Add(kCallCommands, &scripting);
  registry.Find("fcall")->call_flags = FlagsOfFunction;
  registry.Add(kFunctionCommands, &scripting);
}

}  // namespace backplane
