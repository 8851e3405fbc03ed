// SPDX-License-Identifier: BSD-3-Clause
// MONITOR. What it makes of a client is told by engine/monitors.h.
#include "command/context.h"
#include "commands/server/server_families.h"
#include "engine/call_records.h"
#include "engine/engine.h"

namespace backplane {
namespace {

void Monitor(CommandContext& ctx) {
  Session& session = ctx.session();
  if (session.link() == nullptr || session.executing_transaction) {
    return ctx.Error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  // Said again it is not even answered: the client may not know a reply from a line.
  if (session.monitor) return;
  ctx.engine().records().AddMonitor(session);
  ctx.reply().Ok();
}

constexpr CommandSpec kCommands[] = {
    {.name = "monitor",
     .handler = Monitor,
     .arity = 1,
     .flags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale,
     .summary = "Shows all commands as they run.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1), and for each command O(N) in monitors"},
};

}  // namespace

void RegisterMonitorCommand(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
