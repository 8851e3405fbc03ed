// SPDX-License-Identifier: BSD-3-Clause
// Transaction: commands queued between MULTI and EXEC. Part of a session. Engine thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

class Command;

struct QueuedCommand {
  const Command* command;
  uint64_t generation;  // of the registry, when the command was found there
  std::vector<std::string> args;
};

struct Transaction {
  std::vector<QueuedCommand> queue;
  bool failed = false;       // a command was refused while queueing: EXEC answers EXECABORT
  uint64_t flags_union = 0;  // of all queued commands
  size_t argument_bytes = 0;
  size_t memory() const {
    return sizeof(*this) + queue.capacity() * sizeof(QueuedCommand) + argument_bytes;
  }
};

}  // namespace backplane
