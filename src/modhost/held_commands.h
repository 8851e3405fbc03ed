// SPDX-License-Identifier: BSD-3-Clause
// HeldCommands: commands of a module that is about to go or to be upgraded, whose clients wait
// until that is over, and then run in the order in which they came: by the new version, or by the
// old one if that stays. Those that come while threads of the module finish what they have begun;
// and those that waited for keys before. Owned by the ModuleHost. Engine thread.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "client/session.h"
#include "command/context.h"

namespace backplane {

class ModuleHost;

// A client that waits, with the command that it waits with.
struct WaitingCommand {
  Session* session;
  uint64_t client_id;
  std::vector<std::string> args;
  int64_t deadline_ms = 0;  // of the loop's clock; 0: none
  // CLIENT REPLY SKIP is about this command.
  bool skips_reply = false;
};

class HeldCommands {
 public:
  explicit HeldCommands(ModuleHost* host);
  ~HeldCommands();
  HeldCommands(const HeldCommands&) = delete;
  HeldCommands& operator=(const HeldCommands&) = delete;

  // The client of the command waits; false when it cannot, being in a transaction or no client.
  bool Hold(CommandContext& ctx);
  // Takes over a client that waits already: its time until `deadline_ms` counts.
  void Adopt(WaitingCommand command);
  void RunAll();
  // The clients get the error instead.
  void EndAll(std::string_view error);

 private:
  class Held;

  ModuleHost* host_;
  std::list<Held> held_;
};

}  // namespace backplane
