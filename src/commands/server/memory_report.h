// SPDX-License-Identifier: BSD-3-Clause
// MemoryFacts: where the server's memory is, measured once for INFO memory, MEMORY STATS or MEMORY
// DOCTOR. Engine thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/memory_info.h"
#include "command/context.h"
#include "commands/server/server_commands.h"

namespace backplane {

// All in bytes.
struct MemoryFacts {
  AllocatorInfo allocator;
  size_t resident = 0;  // of the process
  size_t peak = 0;
  size_t startup = 0;
  size_t clients = 0;
  size_t client_count = 0;
  size_t scripts = 0;
  size_t functions = 0;
  size_t aof_buffer = 0;
  size_t overhead = 0;  // what is not the users' data, startup included
  size_t dataset = 0;   // the rest
  size_t net = 0;       // all but what the server began with
  size_t keys = 0;
};

// Costs some tens of microseconds. REQUIRES: clients, samples and scripting are there.
MemoryFacts MeasureMemory(CommandContext& ctx, ServerServices& services);

// MEMORY DOCTOR: what is remarkable about them, and advice.
std::string MemoryDoctor(const MemoryFacts& facts);

// `outer` / `inner`; 1 without an inner.
double Ratio(size_t outer, size_t inner);

}  // namespace backplane
