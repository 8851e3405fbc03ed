// SPDX-License-Identifier: BSD-3-Clause
// ModuleStats: what a module takes and does, as MODULE STATS and INFO show it. Engine thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace backplane {

class Module;
class ModuleHost;

struct ModuleStats {
  struct CommandRow {
    std::string name;
    uint64_t calls = 0;
    int64_t usec = 0;
  };
  struct TypeRow {
    std::string name;
    int encver = 0;
    int64_t keys = 0;
    // By the type's mem_usage, over some values, for all.
    int64_t bytes = 0;
    bool exact = true;  // all were asked
    int64_t dormant_keys = 0;
    int64_t dormant_bytes = 0;
  };

  int64_t memory_bytes = 0;  // through Alloc and its kin
  int64_t memory_blocks = 0;
  uint64_t calls = 0;
  int64_t command_usec = 0;
  uint64_t callbacks = 0;
  int64_t callback_usec = 0;
  uint64_t lock_holds = 0;
  int64_t lock_usec = 0;
  int threads = 0;
  uint64_t functions = 0;  // of the API, asked for and given
  std::vector<std::string> missing_functions;
  std::map<std::string, int64_t> registrations;  // by kind
  std::vector<CommandRow> commands;
  std::vector<TypeRow> types;
};

// Everything but bytes of live values, which is what costs time; MeasureTypes adds these by looking
// at up to kMeasuredValues values of each type, found among the first kWalkedKeys keys.
ModuleStats StatsOf(ModuleHost& host, const Module& module);
void MeasureTypes(ModuleHost& host, const Module& module, ModuleStats* stats);

}  // namespace backplane
