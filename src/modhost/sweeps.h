// SPDX-License-Identifier: BSD-3-Clause
// Sweeps: what is done to all values of a module while the server serves: reviving them after a
// lazy upgrade or load, serialising them or making them dormant before an upgrade. A slice of it
// runs in each turn of the loop, so no client waits longer than for a slice. Owned by the
// ModuleHost. Engine thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "modhost/value_swap.h"

namespace backplane {

class Sweeps {
 public:
  enum class Kind {
    kRevive,  // dormant values become live; ends when there are none left
    kCopy,    // live values get a copy for the upgrade to come
    kFreeze,  // live values become dormant, over and over until few are used again in the meantime
    kForgetCopies,  // copies of live values are freed
  };

  explicit Sweeps(ModuleHost* host) : host_(host) {}

  // One at a time for each module; an earlier one is forgotten. `done` is called at its end, from
  // RunSlice, and may start or stop sweeps.
  void Start(Module& module, Kind kind, std::function<void()> done = {});
  // Its `done` is not called.
  void Stop(const Module& module);
  bool running() const { return !sweeps_.empty(); }
  // Works for a slice.
  void RunSlice();

  // A value became live while its module's values are made dormant.
  void NoteLive(int db, std::string_view key) { live_.emplace_back(db, key); }
  // Makes what was noted dormant, all of it now.
  void FreezeNoted(Module& module);

 private:
  struct Sweep {
    Module* module;
    Kind kind;
    std::function<void()> done;
    EntryWalk walk;
    uint64_t values = 0;
    int rounds = 0;
    bool walked = false;
  };
  using LiveKeys = std::vector<std::pair<int, std::string>>;

  // Each false: the sweep is at its end.
  bool Step(Sweep& sweep);
  bool StepNoted(Sweep& sweep);
  bool WalkEnded(Sweep& sweep);
  bool Touch(Sweep& sweep, Entry* entry);
  void FreezeKey(Module& module, int db, const std::string& key);

  ModuleHost* host_;
  std::vector<std::unique_ptr<Sweep>> sweeps_;
  LiveKeys live_;
};

}  // namespace backplane
