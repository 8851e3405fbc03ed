// SPDX-License-Identifier: BSD-3-Clause
// DEBUG: what tests need. Protected by enable-debug-command.
#include <unistd.h>

#include <csignal>

#include "base/ascii.h"
#include "base/numbers.h"
#include "command/context.h"
#include "commands/help.h"
#include "commands/persist/persist_commands.h"
#include "commands/server/server_families.h"
#include "engine/engine.h"

namespace backplane {
namespace {

void DebugReloadCommand(CommandContext& ctx) {
  DebugReload(ctx, *ctx.owner<ServerServices>().persistence);
}

void DebugLog(CommandContext& ctx) {
  ctx.engine().logger().Warning("DEBUG LOG: " + std::string(ctx.arg(2)));
  ctx.reply().Ok();
}

void DebugSleep(CommandContext& ctx) {
  auto seconds = ctx.DoubleArg(2);
  if (!seconds) return;
  constexpr double kMicros = 1e6;
  usleep(static_cast<useconds_t>(*seconds * kMicros));
  ctx.reply().Ok();
}

void DebugSetActiveExpire(CommandContext& ctx) {
  auto on = ctx.IntegerArg(2);
  if (!on) return;
  ctx.engine().set_active_expire(*on != 0);
  ctx.reply().Ok();
}

void DebugObject(CommandContext& ctx) {
  Entry* entry = ctx.db().Peek(ctx.arg(2));
  if (entry == nullptr) return ctx.Error(errors::kNoSuchKey);
  std::string text =
      "Value at:0x0 refcount:1 encoding:" + std::string(entry->encoding_name()) +
      " serializedlength:" + Int64ToString(static_cast<int64_t>(entry->MemoryUsage(0))) +
      " lru:" + Int64ToString(entry->access()) + " lru_seconds_idle:0";
  ctx.reply().SimpleString(text);
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
  bool is_array = ctx.ArgIs(2, "array");
  bool is_set = ctx.ArgIs(2, "set");
  if (is_array || is_set) {
    reply.Begin(is_array ? AggregateKind::kArray : AggregateKind::kSet, 3);
    for (int i = 0; i < 3; ++i) reply.Integer(i);
    return;
  }
  if (ctx.ArgIs(2, "map")) {
    reply.BeginMap(3);
    for (int i = 0; i < 3; ++i) {
      reply.Integer(i);
      reply.Bool(i == 1);
    }
    return;
  }
  ctx.Error(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|null|array|set|map|bignum|true|false|verbatim");
}

void DebugHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"OBJECT <key>", "    How a key's value is held.", "PROTOCOL <type>",
                  "    Replies with a value of that protocol type.", "RELOAD [option ...]",
                  "    Saves and loads the data set; options MERGE, NOFLUSH, NOSAVE.",
                  "SET-ACTIVE-EXPIRE <0|1>",
                  "    Switches the removal of expired keys in the background.", "SLEEP <seconds>",
                  "    Stops the server for that time."});
}

constexpr uint64_t kFlags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale | kCmdProtected;

constexpr CommandSpec kCommands[] = {
    {.name = "debug",
     .handler = nullptr,
     .arity = -2,
     .flags = kFlags,
     .summary = "A container for debugging commands.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "Depends on subcommand."},
    {.name = "debug|reload",
     .handler = DebugReloadCommand,
     .arity = -2,
     .flags = kFlags,
     .summary = "Saves the data set and loads it again.",
     .group = "server",
     .arguments = "[MERGE] [NOFLUSH] [NOSAVE]"},
    {.name = "debug|log",
     .handler = DebugLog,
     .arity = 3,
     .flags = kFlags,
     .summary = "Writes a line to the log.",
     .group = "server",
     .arguments = "message"},
    {.name = "debug|sleep",
     .handler = DebugSleep,
     .arity = 3,
     .flags = kFlags,
     .summary = "Stops the server for a time.",
     .group = "server",
     .arguments = "seconds"},
    {.name = "debug|set-active-expire",
     .handler = DebugSetActiveExpire,
     .arity = 3,
     .flags = kFlags,
     .summary = "Switches the removal of expired keys in the background.",
     .group = "server",
     .arguments = "0 | 1"},
    {.name = "debug|object",
     .handler = DebugObject,
     .arity = 3,
     .flags = kFlags,
     .summary = "How a key's value is held.",
     .group = "server",
     .arguments = "key"},
    {.name = "debug|protocol",
     .handler = DebugProtocol,
     .arity = 3,
     .flags = kFlags,
     .summary = "Replies with a value of a protocol type.",
     .group = "server",
     .arguments = "type"},
    {.name = "debug|help",
     .handler = DebugHelp,
     .arity = 2,
     .flags = kFlags,
     .summary = "Shows the subcommands.",
     .group = "server"},
};

}  // namespace

void RegisterDebugCommand(CommandRegistry& registry, ServerServices& services) {
  registry.Add(kCommands, &services);
}

}  // namespace backplane
