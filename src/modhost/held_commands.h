// SPDX-License-Identifier: BSD-3-Clause
// HeldCommands: commands of a module that is about to be upgraded. They wait while its threads
// finish what they have begun for clients, and run when the upgrade is over, in the order in which
// they came: by the new version, or by the old one if that stays. Owned by the ModuleHost. Engine
// thread.
#pragma once

#include <list>

#include "command/context.h"

namespace backplane {

class ModuleHost;

class HeldCommands {
 public:
  explicit HeldCommands(ModuleHost* host);
  ~HeldCommands();
  HeldCommands(const HeldCommands&) = delete;
  HeldCommands& operator=(const HeldCommands&) = delete;

  // The client of the command waits; false when it cannot, being in a transaction or no client.
  bool Hold(CommandContext& ctx);
  void RunAll();

 private:
  class Held;

  ModuleHost* host_;
  std::list<Held> held_;
};

}  // namespace backplane
