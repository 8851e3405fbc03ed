// SPDX-License-Identifier: BSD-3-Clause
// SCRIPT and its subcommands.
#include "commands/help.h"
#include "commands/scripting/scripting_commands.h"

namespace backplane {

void ReplyKill(CommandContext& ctx, ScriptRunner::Kind kind) {
  using Outcome = ScriptRunner::KillOutcome;
  switch (ctx.owner<Scripting>().runner().Kill(kind)) {
    case Outcome::kKilled:
      return ctx.reply().Ok();
    case Outcome::kNotRunning:
      return ctx.Error("NOTBUSY No scripts in execution right now.");
    case Outcome::kWrongKind:
      return ctx.Error(ctx.engine().busy_reply());
    case Outcome::kUnkillable:
      return ctx.Error(
          "UNKILLABLE Sorry the script already executed write commands against the dataset. You "
          "can either wait the script termination or kill the server in a hard way using the "
          "SHUTDOWN NOSAVE command.");
  }
}

namespace {

void ScriptLoad(CommandContext& ctx) {
  if (RefusedWithinScript(ctx)) return;
  auto script = ctx.owner<Scripting>().scripts().Load(ctx.arg(2));
  if (!script) return ctx.Error(script.error().message);
  ctx.reply().Bulk((*script)->sha1);
}

void ScriptExists(CommandContext& ctx) {
  const EvalScripts& scripts = ctx.owner<Scripting>().scripts();
  ctx.reply().BeginArray(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    ctx.reply().Integer(scripts.Find(ctx.arg(i)) != nullptr ? 1 : 0);
  }
}

// A cache of scripts is no data set: both modes are done at once.
void ScriptFlush(CommandContext& ctx) {
  if (RefusedWithinScript(ctx)) return;
  const bool known =
      ctx.argc() == 2 || (ctx.argc() == 3 && (ctx.ArgIs(2, "sync") || ctx.ArgIs(2, "async")));
  if (!known) return ctx.Error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  ctx.owner<Scripting>().scripts().Flush();
  ctx.reply().Ok();
}

void ScriptKill(CommandContext& ctx) { ReplyKill(ctx, ScriptRunner::Kind::kScript); }

void ScriptDebug(CommandContext& ctx) {
  using Mode = Session::ScriptDebug;
  const Mode mode = ctx.ArgIs(2, "sync")  ? Mode::kSync
                    : ctx.ArgIs(2, "yes") ? Mode::kForked
                                          : Mode::kOff;
  if (mode == Mode::kOff && !ctx.ArgIs(2, "no")) {
    return ctx.Error("ERR Use SCRIPT DEBUG YES/SYNC/NO");
  }
  const char* refusal = ctx.owner<Scripting>().debug_sessions().Refusal(ctx);
  if (mode != Mode::kOff && refusal != nullptr) return ctx.Error(refusal);
  ctx.session().script_debug = mode;
  ctx.reply().Ok();
}

void ScriptHelp(CommandContext& ctx) {
  ReplyHelp(ctx,
            {"DEBUG (YES|SYNC|NO)",
             "    Whether this client's next EVAL is debugged; SYNC: not in a copy of the data.",
             "EXISTS <sha1> [<sha1> ...]", "    Which of the scripts are in the cache.",
             "FLUSH [ASYNC|SYNC]", "    Empties the cache of scripts.", "KILL",
             "    Ends the running script, unless it has written.", "LOAD <script>",
             "    Puts a script into the cache without running it."});
}

constexpr CommandSpec kCommands[] = {
    {.name = "script",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .summary = "Manages the cache of scripts.",
     .since = "2.6.0",
     .group = "scripting",
     .complexity = "That of the subcommand"},
    {.name = "script|load",
     .handler = ScriptLoad,
     .arity = 3,
     .flags = kCmdNoScript | kCmdStale,
     .acl = kAclScripting,
     .summary = "Puts a script into the cache and answers its SHA-1.",
     .since = "2.6.0",
     .group = "scripting",
     .complexity = "O(N) in the script's length",
     .arguments = "script",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "script|exists",
     .handler = ScriptExists,
     .arity = -3,
     .flags = kCmdNoScript,
     .acl = kAclScripting,
     .summary = "Which scripts are in the cache.",
     .since = "2.6.0",
     .group = "scripting",
     .complexity = "O(N) in the number of scripts",
     .arguments = "sha1...",
     .tips = "request_policy:all_shards response_policy:agg_logical_and"},
    {.name = "script|flush",
     .handler = ScriptFlush,
     .arity = -2,
     .flags = kCmdNoScript,
     .acl = kAclScripting,
     .summary = "Empties the cache of scripts.",
     .since = "2.6.0",
     .group = "scripting",
     .complexity = "O(N) in the number of scripts",
     .arguments = "[flush-type@6.2.0(ASYNC | SYNC)]",
     .history = "6.2.0: `ASYNC` and `SYNC`",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "script|kill",
     .handler = ScriptKill,
     .arity = 2,
     .flags = kCmdNoScript | kCmdAllowBusy,
     .acl = kAclScripting,
     .summary = "Ends the running script.",
     .since = "2.6.0",
     .group = "scripting",
     .complexity = "O(1)",
     .tips = "request_policy:all_shards response_policy:one_succeeded"},
    {.name = "script|debug",
     .handler = ScriptDebug,
     .arity = 3,
     .flags = kCmdNoScript,
     .acl = kAclScripting,
     .summary = "Switches the debugger for the scripts of this client.",
     .since = "3.2.0",
     .group = "scripting",
     .complexity = "O(1)",
     .arguments = "mode(YES | SYNC | NO)"},
    {.name = "script|help",
     .handler = ScriptHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .acl = kAclScripting,
     .summary = "Lists the subcommands.",
     .since = "5.0.0",
     .group = "scripting",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterScriptCommand(CommandRegistry& registry, Scripting& scripting) {
  registry.Add(kCommands, &scripting);
}

}  // namespace backplane
