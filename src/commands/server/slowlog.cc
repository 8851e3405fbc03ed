// SPDX-License-Identifier: BSD-3-Clause
// SLOWLOG and its subcommands.
#include <algorithm>

#include "command/context.h"
#include "commands/help.h"
#include "commands/server/server_families.h"
#include "engine/call_records.h"
#include "engine/engine.h"

namespace backplane {
namespace {

SlowLog& LogOf(CommandContext& ctx) { return ctx.engine().records().slow_log(); }

void SlowLogGet(CommandContext& ctx) {
  constexpr std::string_view kBadCount = "ERR count should be greater than or equal to -1";
  constexpr int64_t kByDefault = 10;
  if (ctx.argc() > 3) return ctx.Error(errors::SubcommandSyntax(ctx.arg(1), "SLOWLOG"));
  int64_t wanted = kByDefault;
  if (ctx.argc() == 3) {
    const auto count = ctx.IntegerArgIn(2, -1, INT64_MAX, kBadCount);
    if (!count) return;
    wanted = *count;
  }
  const auto& entries = LogOf(ctx).entries();
  const size_t shown =
      wanted < 0 ? entries.size() : std::min(entries.size(), static_cast<size_t>(wanted));
  ReplySink& reply = ctx.reply();
  reply.BeginArray(shown);
  for (size_t i = 0; i < shown; ++i) {
    const SlowLog::Entry& entry = entries[i];
    reply.BeginArray(6);
    reply.Integer(static_cast<int64_t>(entry.id));
    reply.Integer(entry.time_s);
    reply.Integer(entry.micros);
    reply.BeginArray(entry.args.size());
    for (const std::string& arg : entry.args) reply.Bulk(arg);
    reply.Bulk(entry.peer);
    reply.Bulk(entry.client_name);
  }
}

void SlowLogLen(CommandContext& ctx) {
  ctx.reply().Integer(static_cast<int64_t>(LogOf(ctx).entries().size()));
}

void SlowLogReset(CommandContext& ctx) {
  LogOf(ctx).Reset();
  ctx.reply().Ok();
}

void SlowLogHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"GET [<count>]",
                  "    The newest entries (10; -1: all): id, time, microseconds, arguments,",
                  "    address and name of the client.", "LEN", "    How many entries there are.",
                  "RESET", "    Removes all entries."});
}

constexpr uint64_t kFlags = kCmdAdmin | kCmdLoading | kCmdStale;

constexpr CommandSpec kCommands[] = {
    {.name = "slowlog",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .acl = kAclSlow,
     .summary = "A container for commands about the slow log.",
     .since = "2.2.12",
     .group = "server",
     .complexity = "That of the subcommand"},
    {.name = "slowlog|get",
     .handler = SlowLogGet,
     .arity = -2,
     .flags = kFlags,
     .summary = "The newest entries of the slow log.",
     .since = "2.2.12",
     .group = "server",
     .complexity = "O(N) in entries returned",
     .arguments = "[count:integer]",
     .history = "4.0.0: address and name of the client",
     .tips = "request_policy:all_nodes nondeterministic_output"},
    {.name = "slowlog|len",
     .handler = SlowLogLen,
     .arity = 2,
     .flags = kFlags,
     .summary = "How many entries the slow log has.",
     .since = "2.2.12",
     .group = "server",
     .complexity = "O(1)",
     .tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"},
    {.name = "slowlog|reset",
     .handler = SlowLogReset,
     .arity = 2,
     .flags = kFlags,
     .summary = "Empties the slow log.",
     .since = "2.2.12",
     .group = "server",
     .complexity = "O(N) in entries",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "slowlog|help",
     .handler = SlowLogHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .summary = "Shows the subcommands.",
     .since = "6.2.0",
     .group = "server",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterSlowLogCommand(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
