// SPDX-License-Identifier: BSD-3-Clause
// ModuleHost's part of INFO.
#include "base/ascii.h"
#include "modhost/host.h"
#include "modhost/info_writer.h"
#include "modhost/module_code.h"
#include "modhost/module_threads.h"

namespace backplane {
namespace {

std::string NamesOf(const std::vector<Module*>& modules) {
  std::string text = "[";
  for (const Module* module : modules) {
    if (text.size() > 1) text += '|';
    text += module->name();
  }
  return text + "]";
}

std::string OptionsOf(const Module& module) {
  struct Row {
    int bit;
    const char* name;
  };
  constexpr Row kRows[] = {
      {REDISMODULE_OPTIONS_HANDLE_IO_ERRORS, "handle-io-errors"},
      {REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD, "handle-repl-async-load"},
      {REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED, "no-implicit-signal-modified"},
  };
  std::string text = "[";
  for (const Row& row : kRows) {
    if (!module.HasOption(row.bit)) continue;
    if (text.size() > 1) text += '|';
    text += row.name;
  }
  return text + "]";
}

}  // namespace

// The cheap part of MODULE STATS.
std::string ModuleHost::UsageLine(const Module& module) const {
  const SlotUsage memory = module.memory();
  const ModuleUsage& usage = module.usage();
  const TickClock& clock = services_.engine.tick_clock();
  auto usec = [&](uint64_t ticks) { return std::to_string(clock.ToNanos(ticks) / 1000); };
  return "module_usage_" + module.name() + ":memory=" + std::to_string(memory.bytes) +
         ",blocks=" + std::to_string(memory.blocks) + ",calls=" + std::to_string(usage.calls) +
         ",usec=" + usec(usage.ticks) + ",callbacks=" + std::to_string(usage.callbacks) +
         ",callback_usec=" + usec(usage.callback_ticks) +
         ",lock_holds=" + std::to_string(usage.lock_holds) +
         ",lock_usec=" + usec(usage.lock_ticks) +
         ",threads=" + std::to_string(ModuleThreads::Count(module.slot())) + "\r\n";
}

std::string ModuleHost::ModulesInfo() const {
  std::string text;
  for (const auto& module : modules_) {
    text += "module:name=" + module->name() + ",ver=" + std::to_string(module->version()) +
            ",api=" + std::to_string(module->api_version()) +
            ",filters=" + std::to_string(module->filters) +
            ",usedby=" + NamesOf(module->used_by()) + ",using=" + NamesOf(module->uses()) +
            ",options=" + OptionsOf(*module) + "\r\n";
  }
  for (const auto& module : modules_) text += UsageLine(*module);
  for (const auto& module : modules_) {
    if (module->draining()) text += "module_draining:name=" + module->name() + "\r\n";
  }
  for (const auto& module : quarantined_) {
    text += "module_quarantined:name=" + module->name() +
            ",ver=" + std::to_string(module->version()) +
            ",threads=" + std::to_string(ModuleThreads::Count(module->slot())) + "\r\n";
  }
  return text;
}

std::string ModuleHost::ModuleSections(std::string_view wanted, bool for_crash_report) {
  std::string text;
  for (const InfoProvider& provider : info_providers_) {
    RedisModuleInfoCtx info;
    info.module = provider.module;
    info.wanted = wanted;
    {
      ModuleCallback mark(*provider.module, "info");
      provider.callback(&info, for_crash_report ? 1 : 0);
    }
    if (info.in_dict) info.out += "\r\n";
    if (!text.empty() && !info.out.empty()) text += "\r\n";
    text += info.out;
  }
  return text;
}

bool ModuleHost::HasInfoSection(std::string_view section) {
  for (const InfoProvider& provider : info_providers_) {
    const std::string& name = provider.module->name();
    if (EqualsIgnoreCase(section, name)) return true;
    if (section.size() > name.size() && section[name.size()] == '_' &&
        EqualsIgnoreCase(section.substr(0, name.size()), name)) {
      return true;
    }
  }
  return false;
}

}  // namespace backplane
