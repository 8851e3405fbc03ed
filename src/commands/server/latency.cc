// SPDX-License-Identifier: BSD-3-Clause
// LATENCY and its subcommands: events that held the server up, and histograms of commands.
#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "command/context.h"
#include "commands/help.h"
#include "commands/server/latency_reports.h"
#include "commands/server/server_families.h"
#include "engine/call_records.h"
#include "engine/engine.h"

namespace backplane {
namespace {

LatencyMonitor& MonitorOf(CommandContext& ctx) { return ctx.engine().records().latency(); }

int64_t NowSeconds() {
  constexpr int64_t kMsPerSecond = 1000;
  return WallMillis() / kMsPerSecond;
}

void LatencyLatest(CommandContext& ctx) {
  const auto& events = MonitorOf(ctx).events();
  ctx.reply().BeginArray(events.size());
  for (const auto& [name, series] : events) {
    ctx.reply().BeginArray(4);
    ctx.reply().Bulk(name);
    ctx.reply().Integer(series.latest().time_s);
    ctx.reply().Integer(series.latest().millis);
    ctx.reply().Integer(series.max_millis());
  }
}

void LatencyHistory(CommandContext& ctx) {
  const LatencySeries* series = MonitorOf(ctx).Find(ctx.arg(2));
  ctx.reply().BeginArray(series == nullptr ? 0 : series->size());
  for (size_t i = 0; series != nullptr && i < series->size(); ++i) {
    ctx.reply().BeginArray(2);
    ctx.reply().Integer(series->at(i).time_s);
    ctx.reply().Integer(series->at(i).millis);
  }
}

void LatencyReset(CommandContext& ctx) {
  LatencyMonitor& monitor = MonitorOf(ctx);
  int64_t forgotten = 0;
  if (ctx.argc() == 2) {
    forgotten = static_cast<int64_t>(monitor.events().size());
    monitor.ForgetAll();
  }
  for (size_t i = 2; i < ctx.argc(); ++i) forgotten += monitor.Forget(ctx.arg(i)) ? 1 : 0;
  ctx.reply().Integer(forgotten);
}

void LatencyGraphCommand(CommandContext& ctx) {
  const LatencySeries* series = MonitorOf(ctx).Find(ctx.arg(2));
  if (series == nullptr) {
    return ctx.Error("ERR No samples available for event '" + std::string(ctx.arg(2)) + "'");
  }
  ctx.reply().Verbatim("txt", LatencyGraph(ctx.arg(2), *series, NowSeconds()));
}

void LatencyDoctorCommand(CommandContext& ctx) {
  const LatencyDoctorFacts facts{NowSeconds(), ctx.engine().settings().slowlog_log_slower_than};
  ctx.reply().Verbatim("txt", LatencyDoctor(MonitorOf(ctx), facts));
}

// Cumulative counts of calls up to about each power of two of 1.024 us, where they grow.
std::vector<std::pair<int64_t, uint64_t>> Cumulative(const Command& command,
                                                     const TickClock& clock) {
  std::vector<std::pair<int64_t, uint64_t>> rows;
  constexpr int64_t kNanosPerMicro = 1000;
  constexpr int64_t kPerCent = 128;  // a bound lies a 128th above the power, as clients know it
  int64_t power = 1024;
  auto bound = [&] { return power + power / kPerCent; };
  uint64_t total = 0;
  command.stats.latency->ForEach([&](uint64_t ticks, uint64_t count) {
    const int64_t nanos = clock.ToNanos(ticks);
    while (bound() <= nanos) power *= 2;
    total += count;
    const int64_t micros = bound() / kNanosPerMicro;
    if (!rows.empty() && rows.back().first == micros) {
      rows.back().second = total;
    } else {
      rows.emplace_back(micros, total);
    }
  });
  return rows;
}

void ReplyHistogram(CommandContext& ctx, const Command& command) {
  const auto rows = Cumulative(command, ctx.engine().tick_clock());
  ReplySink& reply = ctx.reply();
  reply.Bulk(command.fullname);
  reply.BeginMap(2);
  reply.Bulk("calls");
  reply.Integer(static_cast<int64_t>(command.stats.latency->count()));
  reply.Bulk("histogram_usec");
  reply.BeginMap(rows.size());
  for (const auto& [micros, count] : rows) {
    reply.Integer(micros);
    reply.Integer(static_cast<int64_t>(count));
  }
}

// The command and its subcommands that have a histogram.
void Collect(const Command& command, std::vector<const Command*>* found) {
  if (command.stats.latency != nullptr) found->push_back(&command);
  for (const auto& [name, sub] : command.subcommands) Collect(*sub, found);
}

void LatencyHistogramCommand(CommandContext& ctx) {
  std::vector<const Command*> found;
  const CommandRegistry& registry = ctx.engine().commands();
  if (ctx.argc() == 2) {
    for (const Command* command : registry.All()) Collect(*command, &found);
  }
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const Command* command = registry.FindFullName(ctx.arg(i));
    if (command != nullptr) Collect(*command, &found);
  }
  ctx.reply().BeginMap(found.size());
  for (const Command* command : found) ReplyHistogram(ctx, *command);
}

void LatencyHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"DOCTOR", "    What was observed, in words, with advice.", "GRAPH <event>",
                  "    A chart of an event's samples, in text.", "HISTOGRAM [<command> ...]",
                  "    How many calls of each command took how long.", "HISTORY <event>",
                  "    An event's samples: time and milliseconds.", "LATEST",
                  "    The last sample, and the longest one, of each event.", "RESET [<event> ...]",
                  "    Forgets the samples of these events, or of all."});
}

constexpr uint64_t kFlags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale;
constexpr std::string_view kReportTips =
    "nondeterministic_output request_policy:all_nodes response_policy:special";

constexpr CommandSpec kCommands[] = {
    {.name = "latency",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .acl = kAclSlow,
     .summary = "A container for commands about latency.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "That of the subcommand"},
    {.name = "latency|doctor",
     .handler = LatencyDoctorCommand,
     .arity = 2,
     .flags = kFlags,
     .summary = "What held the server up, in words.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)",
     .tips = kReportTips},
    {.name = "latency|graph",
     .handler = LatencyGraphCommand,
     .arity = 3,
     .flags = kFlags,
     .summary = "A chart of an event's samples.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "event",
     .tips = kReportTips},
    {.name = "latency|histogram",
     .handler = LatencyHistogramCommand,
     .arity = -2,
     .flags = kFlags,
     .summary = "How many calls of each command took how long.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(N) in commands with calls",
     .arguments = "[command...]",
     .tips = kReportTips},
    {.name = "latency|history",
     .handler = LatencyHistory,
     .arity = 3,
     .flags = kFlags,
     .summary = "An event's samples.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "event",
     .tips = kReportTips},
    {.name = "latency|latest",
     .handler = LatencyLatest,
     .arity = 2,
     .flags = kFlags,
     .summary = "The last sample of each event.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)",
     .tips = kReportTips},
    {.name = "latency|reset",
     .handler = LatencyReset,
     .arity = -2,
     .flags = kFlags,
     .summary = "Forgets samples.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "[event...]",
     .tips = "request_policy:all_nodes response_policy:agg_sum"},
    {.name = "latency|help",
     .handler = LatencyHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .summary = "Shows the subcommands.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterLatencyCommand(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
