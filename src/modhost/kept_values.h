// SPDX-License-Identifier: BSD-3-Clause
// KeptValues: live values that were made dormant while threads of their module were at work on
// behalf of clients. A thread lets the host lock go between its steps, and may hold a pointer to a
// value when it does; so such a value is freed when all work that had begun before has ended.
// Belongs to the Module, also when that is under quarantine. Engine thread, with the host lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "value/value.h"

namespace backplane {

class Module;

// Work of a module's threads: what the module has a handle of a waiting client for, and has not
// unblocked yet. Handles are numbered from 1 on, as they are made.
// The number of the oldest; 0 when there is none, or no thread that could do it.
uint64_t OldestWork(Module& module);

class KeptValues {
 public:
  // `newest_work`: the number of the module's last handle.
  void Add(uint64_t newest_work, std::unique_ptr<Value> value);
  bool empty() const { return batches_.empty(); }
  // Frees what was added when none of the work that is left had begun, until `end_us` (monotonic
  // microseconds): the module's callback may not run in the background. True when that came first.
  bool Release(uint64_t oldest_work, int64_t end_us);
  // No thread runs any more.
  void ReleaseAll() { batches_.clear(); }
  int64_t count() const;

 private:
  struct Batch {
    uint64_t newest_work;
    std::vector<std::unique_ptr<Value>> values;
  };
  std::vector<Batch> batches_;  // newest_work grows
};

}  // namespace backplane
