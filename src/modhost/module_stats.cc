// SPDX-License-Identifier: BSD-3-Clause
// ModuleStats: gathering.
#include "modhost/module_stats.h"

#include <algorithm>

#include "modhost/host.h"
#include "modhost/module_command.h"
#include "modhost/module_threads.h"
#include "modhost/module_type.h"

namespace backplane {
namespace {

constexpr size_t kMeasuredValues = 1000;
constexpr size_t kWalkedKeys = 100000;

ModuleStats::TypeRow RowOf(ModuleHost& host, ModuleType& type) {
  ModuleStats::TypeRow row;
  row.name = type.name();
  row.encver = type.encver();
  row.keys = type.value_count().load(std::memory_order_acquire);
  for (const auto& [id, dormant] : host.keyspace().dormant_types().all()) {
    if (dormant->name() != type.name()) continue;
    row.dormant_keys += dormant->values();
    row.dormant_bytes += dormant->bytes();
  }
  return row;
}

}  // namespace

ModuleStats StatsOf(ModuleHost& host, const Module& module) {
  ModuleStats stats;
  const TickClock& clock = host.engine().tick_clock();
  auto usec = [&](uint64_t ticks) { return clock.ToNanos(ticks) / 1000; };
  const SlotUsage memory = module.memory();
  stats.memory_bytes = memory.bytes;
  stats.memory_blocks = memory.blocks;
  const ModuleUsage& usage = module.usage();
  stats.calls = usage.calls;
  stats.command_usec = usec(usage.ticks);
  stats.callbacks = usage.callbacks;
  stats.callback_usec = usec(usage.callback_ticks);
  stats.lock_holds = usage.lock_holds;
  stats.lock_usec = usec(usage.lock_ticks);
  stats.threads = ModuleThreads::Count(module.slot());
  stats.functions = module.found_functions;
  stats.missing_functions = module.missing_functions();
  module.ForEachRegistration([&](Registration& registration) {
    ++stats.registrations[registration.kind()];
    if (auto* command = dynamic_cast<ModuleCommand*>(&registration)) {
      const CommandStats& counted = command->command().stats;
      stats.commands.push_back({command->command().fullname, counted.calls, usec(counted.ticks)});
    } else if (auto* type = dynamic_cast<ModuleType*>(&registration)) {
      stats.types.push_back(RowOf(host, *type));
    }
  });
  // As they were registered.
  std::reverse(stats.commands.begin(), stats.commands.end());
  std::reverse(stats.types.begin(), stats.types.end());
  return stats;
}

void MeasureTypes(ModuleHost& host, const Module& module, ModuleStats* stats) {
  std::map<std::string_view, size_t> measured;
  size_t walked = 0;
  auto enough = [&] {
    return std::all_of(stats->types.begin(), stats->types.end(), [&](const auto& row) {
      const size_t count = measured[row.name];
      return count >= kMeasuredValues || static_cast<int64_t>(count) >= row.keys;
    });
  };
  EntryWalk walk(host.keyspace(), EntryWalk::kSmallPiece);
  while (walked < kWalkedKeys && !enough() && walk.Next()) {
    for (Entry* entry : walk.entries()) {
      ++walked;
      if (entry->type() != TypeId::kModule) continue;
      const ModuleValue* value = AsModuleValue(entry->value());
      if (value == nullptr || value->module_type().module() != &module) continue;
      for (ModuleStats::TypeRow& row : stats->types) {
        if (row.name != value->module_type().name()) continue;
        if (measured[row.name] >= kMeasuredValues) continue;
        row.bytes += static_cast<int64_t>(value->MemoryUsage(0));
        ++measured[row.name];
      }
    }
  }
  for (ModuleStats::TypeRow& row : stats->types) {
    const auto count = static_cast<int64_t>(measured[row.name]);
    row.exact = count >= row.keys;
    if (!row.exact && count > 0) {
      row.bytes = static_cast<int64_t>(static_cast<double>(row.bytes) / static_cast<double>(count) *
                                       static_cast<double>(row.keys));
    }
  }
}

}  // namespace backplane
