// SPDX-License-Identifier: BSD-3-Clause
// MemoryMeter: how much memory the program has allocated, cheap enough to be asked before every
// command. The allocator's own figure takes microseconds (memory_info.h); this is that figure as of
// the last Calibrate, and what the thread that asks has allocated and freed since, which are two
// reads. What other threads do shows at the next Calibrate. One object, used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace backplane {

class MemoryMeter {
 public:
  MemoryMeter() { Calibrate(); }
  // Takes the allocator's figure anew.
  void Calibrate();
  // Bytes.
  size_t Read() const;

 private:
  size_t base_ = 0;
  uint64_t balance_at_base_ = 0;
};

}  // namespace backplane
