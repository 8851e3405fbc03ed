// SPDX-License-Identifier: BSD-3-Clause
// MODULE: loading, unloading and listing modules. Engine thread.
#pragma once

#include "command/registry.h"
#include "commands/connection/connection_commands.h"
#include "commands/server/server_commands.h"

namespace backplane {

class ModuleHost;

// `host` outlives the registry.
void RegisterModuleCommands(CommandRegistry& registry, ModuleHost& host);
// Called by it.
void RegisterModuleStats(CommandRegistry& registry, ModuleHost& host);

// HELLO's "modules", INFO's "Modules" section and the sections that modules write.
class ModuleReports final : public ModuleLister, public InfoSection, public ModuleInfoSource {
 public:
  explicit ModuleReports(ModuleHost* host) : host_(host) {}
  void ReplyModules(ReplySink& reply) override;
  std::string_view name() const override { return "Modules"; }
  void Append(std::string* out) override;
  std::string ModuleSections(std::string_view wanted) override;
  bool HasSection(std::string_view name) override;

 private:
  ModuleHost* host_;
};

}  // namespace backplane
