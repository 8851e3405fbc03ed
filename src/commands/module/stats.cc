// SPDX-License-Identifier: BSD-3-Clause
// MODULE STATS.
#include "command/context.h"
#include "commands/module/module_commands.h"
#include "modhost/host.h"
#include "modhost/mapped_module.h"
#include "modhost/module_stats.h"

namespace backplane {
namespace {

void Text(ReplySink& reply, std::string_view name, std::string_view text) {
  reply.Bulk(name);
  reply.Bulk(text);
}

template <class T>
void Number(ReplySink& reply, std::string_view name, T number) {
  reply.Bulk(name);
  reply.Integer(static_cast<int64_t>(number));
}

void ReplyCommands(ReplySink& reply, const ModuleStats& stats) {
  reply.Bulk("commands");
  reply.BeginMap(stats.commands.size());
  for (const ModuleStats::CommandRow& row : stats.commands) {
    reply.Bulk(row.name);
    reply.BeginMap(2);
    Number(reply, "calls", row.calls);
    Number(reply, "usec", row.usec);
  }
}

void ReplyTypes(ReplySink& reply, const ModuleStats& stats) {
  reply.Bulk("types");
  reply.BeginMap(stats.types.size());
  for (const ModuleStats::TypeRow& row : stats.types) {
    reply.Bulk(row.name);
    reply.BeginMap(6);
    Number(reply, "encver", row.encver);
    Number(reply, "keys", row.keys);
    Number(reply, "bytes", row.bytes);
    Number(reply, "bytes-exact", row.exact ? 1 : 0);
    Number(reply, "dormant-keys", row.dormant_keys);
    Number(reply, "dormant-bytes", row.dormant_bytes);
  }
}

void ReplyStats(ReplySink& reply, const Module& module, bool quarantined,
                const ModuleStats& stats) {
  reply.BeginMap(20);
  Text(reply, "name", module.name());
  Number(reply, "version", module.version());
  Number(reply, "api-version", module.api_version());
  Text(reply, "path", module.path());
  Text(reply, "state", quarantined ? "quarantined" : "loaded");
  Number(reply, "memory-bytes", stats.memory_bytes);
  Number(reply, "memory-blocks", stats.memory_blocks);
  Number(reply, "command-calls", stats.calls);
  Number(reply, "command-usec", stats.command_usec);
  Number(reply, "callbacks", stats.callbacks);
  Number(reply, "callback-usec", stats.callback_usec);
  Number(reply, "lock-holds", stats.lock_holds);
  Number(reply, "lock-usec", stats.lock_usec);
  Number(reply, "threads", stats.threads);
  Number(reply, "functions", stats.functions);
  reply.Bulk("missing-functions");
  reply.BeginArray(stats.missing_functions.size());
  for (const std::string& name : stats.missing_functions) reply.Bulk(name);
  reply.Bulk("registrations");
  reply.BeginMap(stats.registrations.size());
  for (const auto& [kind, count] : stats.registrations) Number(reply, kind, count);
  ReplyCommands(reply, stats);
  ReplyTypes(reply, stats);
  Number(reply, "blocked-clients", module.blocked_clients);
}

void ModuleStatsCommand(CommandContext& ctx) {
  if (ctx.argc() > 3) return ctx.Error(errors::WrongArity("module|stats"));
  ModuleHost& host = ctx.owner<ModuleHost>();
  auto gather = [&](const Module& module) {
    ModuleStats stats = StatsOf(host, module);
    MeasureTypes(host, module, &stats);
    return stats;
  };
  if (ctx.argc() == 3) {
    const Module* module = host.FindModule(ctx.arg(2));
    if (module == nullptr) return ctx.Error("ERR no such module with that name");
    return ReplyStats(ctx.reply(), *module, false, gather(*module));
  }
  ctx.reply().BeginArray(host.modules().size() + host.quarantined().size());
  for (const auto& module : host.modules()) {
    ReplyStats(ctx.reply(), *module, false, gather(*module));
  }
  for (const auto& module : host.quarantined()) {
    ReplyStats(ctx.reply(), *module, true, gather(*module));
  }
}

constexpr CommandSpec kCommands[] = {
    {.name = "module|stats",
     .handler = ModuleStatsCommand,
     .arity = -2,
     .flags = kCmdAdmin | kCmdNoScript | kCmdNoAsyncLoading,
     .summary = "What modules take and do.",
     .since = "7.2.0",
     .group = "server",
     .complexity = "O(N) in what the modules registered; values are sampled",
     .arguments = "[name]"},
};

}  // namespace

void RegisterModuleStats(CommandRegistry& registry, ModuleHost& host) {
  registry.Add(kCommands, &host);
}

}  // namespace backplane
