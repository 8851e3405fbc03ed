// SPDX-License-Identifier: BSD-3-Clause
// DEBUG: what tests need. Protected by enable-debug-command. To clients it is one command whose
// second word is an argument, so the subcommands are a table here and no rows of the registry.
#include <unistd.h>

#include "base/ascii.h"
#include "base/memory_info.h"
#include "base/numbers.h"
#include "command/context.h"
#include "commands/help.h"
#include "commands/persist/persist_commands.h"
#include "commands/server/debug_commands.h"
#include "commands/server/server_families.h"
#include "engine/engine.h"
#include "persist/append_only.h"
#include "persist/persistence.h"
#include "script/scripting.h"

namespace backplane {
namespace {

void DebugReloadCommand(CommandContext& ctx) {
  DebugReload(ctx, *ctx.owner<ServerServices>().persistence);
}

void DebugLoadAofCommand(CommandContext& ctx) {
  DebugLoadAof(ctx, *ctx.owner<ServerServices>().append_only);
}

void DebugAofFlushSleep(CommandContext& ctx) {
  const auto micros = ctx.IntegerArg(2);
  if (!micros) return;
  ctx.owner<ServerServices>().append_only->set_flush_sleep_us(*micros);
  ctx.reply().Ok();
}

void DebugLog(CommandContext& ctx) {
  ctx.engine().logger().Warning("DEBUG LOG: " + std::string(ctx.arg(2)));
  ctx.reply().Ok();
}

void DebugSleep(CommandContext& ctx) {
  auto seconds = ctx.DoubleArg(2);
  if (!seconds) return;
  constexpr double kMicros = 1e6;
  constexpr double kSecondsMax = 3600;
  if (!(*seconds >= 0 && *seconds <= kSecondsMax)) return ctx.Error(errors::kNotFloat);
  usleep(static_cast<useconds_t>(*seconds * kMicros));
  ctx.reply().Ok();
}

void DebugSetActiveExpire(CommandContext& ctx) {
  auto on = ctx.IntegerArg(2);
  if (!on) return;
  ctx.engine().set_active_expire(*on != 0);
  ctx.reply().Ok();
}

void DebugSetDisableDenyScripts(CommandContext& ctx) {
  auto on = ctx.IntegerArg(2);
  if (!on) return;
  ctx.owner<ServerServices>().scripting->runner().set_allows_all(*on != 0);
  ctx.reply().Ok();
}

void DebugPauseCron(CommandContext& ctx) {
  auto on = ctx.IntegerArg(2);
  if (!on) return;
  ctx.owner<ServerServices>().control->PauseCron(*on != 0);
  ctx.reply().Ok();
}

void DebugRewriteAll(CommandContext& ctx) { RewriteConfig(ctx, RewriteWhat::kAll); }

void DebugMallctl(CommandContext& ctx) {
  const auto number = AllocatorNumber(std::string(ctx.arg(2)));
  if (!number) return ctx.Error("ERR the allocator has no number of that name");
  ctx.reply().Integer(*number);
}

void DebugMallctlText(CommandContext& ctx) {
  const std::string name(ctx.arg(2));
  if (name == "thread.tcache.flush" && (ctx.argc() == 3 || ctx.ArgIs(3, "void"))) {
    if (FlushThreadCache()) return ctx.reply().Ok();
  } else if (const auto text = AllocatorText(name); text && ctx.argc() == 3) {
    return ctx.reply().Bulk(*text);
  }
  ctx.Error("ERR the allocator has no text of that name, or it cannot be set");
}

void DebugError(CommandContext& ctx) {
  // A reply of one line: what would end it does not get in.
  std::string text(ctx.arg(2));
  for (char& c : text) c = c == '\r' || c == '\n' ? ' ' : c;
  ctx.Error(text);
}

// Knobs of data structures that this server does not have: tests set them on their way to something
// else.
void DebugIgnored(CommandContext& ctx) { ctx.reply().Ok(); }

void ReplyMapOrSet(ReplySink& reply, bool is_map) {
  if (is_map) {
    reply.BeginMap(3);
  } else {
    reply.BeginSet(3);
  }
  for (int i = 0; i < 3; ++i) {
    reply.Integer(i);
    if (is_map) reply.Bool(i == 1);
  }
}

void DebugProtocol(CommandContext& ctx) {
  ReplySink& reply = ctx.reply();
  if (ctx.ArgIs(2, "string")) return reply.Bulk("Hello World");
  if (ctx.ArgIs(2, "integer")) return reply.Integer(12345);
  if (ctx.ArgIs(2, "double")) return reply.Double(3.141);
  if (ctx.ArgIs(2, "null")) return reply.Null();
  if (ctx.ArgIs(2, "bignum")) return reply.BigNumber("1234567999999999999999999999999999999");
  if (ctx.ArgIs(2, "true")) return reply.Bool(true);
  if (ctx.ArgIs(2, "false")) return reply.Bool(false);
  if (ctx.ArgIs(2, "verbatim")) return reply.Verbatim("txt", "This is a verbatim\nstring");
  if (ctx.ArgIs(2, "array")) {
    reply.BeginArray(3);
    for (int i = 0; i < 3; ++i) reply.Integer(i);
    return;
  }
  if (ctx.ArgIs(2, "set")) return ReplyMapOrSet(reply, false);
  if (ctx.ArgIs(2, "map")) return ReplyMapOrSet(reply, true);
  if (ctx.ArgIs(2, "attrib")) {
    // RESP2 has no attributes: only what they would be about.
    if (reply.resp() >= 3) {
      reply.Begin(AggregateKind::kAttribute, 1);
      reply.Bulk("key-popularity");
      reply.BeginArray(2);
      reply.Bulk("key:123");
      reply.Integer(90);
    }
    return reply.Bulk("Some real reply following the attribute");
  }
  if (ctx.ArgIs(2, "push")) {
    if (reply.resp() < 3) return ctx.Error("ERR RESP2 is not supported by this command");
    reply.BeginPush(2);
    reply.Bulk("server-cpu-usage");
    return reply.Integer(42);
  }
  ctx.Error(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|null|array|set|map|attrib|push|verbatim|true|false");
}

void DebugHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"AOF-FLUSH-SLEEP <microsec>",
                  "    Sleeps so long before the AOF is written.",
                  "CHANGE-REPL-ID",
                  "    Accepted, without effect.",
                  "CONFIG-REWRITE-FORCE-ALL",
                  "    CONFIG REWRITE with a line for every option.",
                  "DIGEST",
                  "    A digest of all keys and values.",
                  "DIGEST-VALUE <key> [<key> ...]",
                  "    Digests of these values.",
                  "ERROR <text>",
                  "    Replies with that error.",
                  "HTSTATS <dbid>",
                  "    The sizes of a database's tables.",
                  "HTSTATS-KEY <key>",
                  "    The size of a value's table.",
                  "LOADAOF",
                  "    Writes the AOF, and loads it in the place of the data.",
                  "LOG <message>",
                  "    Writes a line to the log.",
                  "MALLCTL <name>",
                  "    A number that the allocator (jemalloc) has.",
                  "MALLCTL-STR <name> [VOID]",
                  "    A text that the allocator has; thread.tcache.flush VOID flushes that.",
                  "OBJECT <key>",
                  "    How a key's value is held.",
                  "PAUSE-CRON <0|1>",
                  "    Stops periodic work.",
                  "POPULATE <count> [<prefix>] [<size>]",
                  "    Makes string keys that are not there yet.",
                  "PROTOCOL <type>",
                  "    Replies with a value of that protocol type.",
                  "QUICKLIST-PACKED-THRESHOLD <size>",
                  "    Accepted, without effect.",
                  "RELOAD [option ...]",
                  "    Saves and loads the data set; options MERGE, NOFLUSH, NOSAVE.",
                  "REPLYBUFFER RESIZING <0|1>",
                  "    Accepted, without effect.",
                  "SET-ACTIVE-EXPIRE <0|1>",
                  "    Switches the removal of expired keys in the background.",
                  "SET-DISABLE-DENY-SCRIPTS <0|1>",
                  "    Lets scripts call what they otherwise may not.",
                  "SLEEP <seconds>",
                  "    Stops the server for that time.",
                  "STRINGMATCH-LEN <length> <pattern>",
                  "    Matches a long text with a pattern."});
}

struct Subcommand {
  std::string_view name;
  size_t argc_min;
  size_t argc_max;
  void (*run)(CommandContext& ctx);
  bool changes_data = false;  // so not while others are loaded
};
constexpr Subcommand kSubcommands[] = {
    {"help", 2, 2, DebugHelp},
    {"aof-flush-sleep", 3, 3, DebugAofFlushSleep},
    {"change-repl-id", 2, 2, DebugIgnored},
    {"config-rewrite-force-all", 2, 2, DebugRewriteAll},
    {"dict-resizing", 3, 3, DebugIgnored},
    {"digest", 2, 2, DebugDigest},
    {"digest-value", 2, SIZE_MAX, DebugDigestValue},
    {"error", 3, 3, DebugError},
    {"htstats", 3, 4, DebugHtStats},
    {"htstats-key", 3, 4, DebugHtStatsKey},
    {"loadaof", 2, 2, DebugLoadAofCommand, true},
    {"log", 3, 3, DebugLog},
    {"mallctl", 3, 3, DebugMallctl},
    {"mallctl-str", 3, 4, DebugMallctlText},
    {"object", 3, 4, DebugObject},
    {"pause-cron", 3, 3, DebugPauseCron},
    {"populate", 3, 5, DebugPopulate, true},
    {"protocol", 3, 3, DebugProtocol},
    {"quicklist-packed-threshold", 3, 3, DebugIgnored},
    {"reload", 2, SIZE_MAX, DebugReloadCommand, true},
    {"replybuffer", 4, 4, DebugIgnored},
    {"set-active-expire", 3, 3, DebugSetActiveExpire},
    {"set-disable-deny-scripts", 3, 3, DebugSetDisableDenyScripts},
    {"sleep", 3, 3, DebugSleep},
    {"stringmatch-len", 4, 4, DebugStringMatchLength},
};

void Debug(CommandContext& ctx) {
  for (const Subcommand& sub : kSubcommands) {
    if (ctx.ArgIs(1, sub.name) && ctx.argc() >= sub.argc_min && ctx.argc() <= sub.argc_max) {
      if (sub.changes_data && ctx.engine().loading()) return ctx.Error(errors::kLoading);
      return sub.run(ctx);
    }
  }
  ctx.Error(errors::SubcommandSyntax(ctx.arg(1), "DEBUG"));
}

constexpr CommandSpec kCommands[] = {
    {.name = "debug",
     .handler = Debug,
     .arity = -2,
     .flags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale | kCmdProtected,
     .summary = "Tools for those who develop the server.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "That of the subcommand",
     .system = true},
};

}  // namespace

void RegisterDebugCommand(CommandRegistry& registry, ServerServices& services) {
  registry.Add(kCommands, &services);
}

}  // namespace backplane
