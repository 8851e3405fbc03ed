// SPDX-License-Identifier: BSD-3-Clause
// What a load or an upgrade is asked to do. Made by commands and at start; used by ModuleJobs,
// Trial and the host.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace backplane {

// Pairs of an option's full name and its value.
using ModuleConfigs = std::vector<std::pair<std::string, std::string>>;

// When the dormant values of a module that was loaded become live: all before the next command, or
// each when it is used, and in the background.
enum class Revival { kEager, kLazy };

struct LoadRequest {
  std::string path;
  std::vector<std::string> args;
  ModuleConfigs configs;
  std::string sha256;  // the digest that the file must have, hexadecimal; empty: any
};

// `args` as they stand behind the path in `loadmodule`: "sha256:<digest>" may come first.
LoadRequest MakeLoadRequest(const std::string& path, std::vector<std::string> args);

struct UpgradeRequest {
  std::string name;  // of the module that is replaced
  LoadRequest load;
  bool keep_args = true;  // those of the loaded module instead of load.args
  bool dry_run = false;   // ends after the rehearsal
  bool lazy = false;      // Revival::kLazy, whatever the option says
  bool precopy = false;   // values are serialised before the pause
  bool force = false;     // an inconclusive rehearsal does not stop it
};

// What an upgrade has done.
struct UpgradeOutcome {
  int old_version = 0;
  int new_version = 0;
  std::string old_path;
  uint64_t values = 0;       // that the old version handed over
  int64_t pause_us = 0;      // in which no command ran
  bool rolled_back = false;  // the old version is back, with all values
};

}  // namespace backplane
