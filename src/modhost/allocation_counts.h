// SPDX-License-Identifier: BSD-3-Clause
// Counting what modules allocate. Each thread counts in a block of its own, so the hot path has no
// locked instruction: a plain load and store of a word that only this thread writes. Blocks of
// threads that have ended keep their counts and serve later threads. Any thread; process state, as
// the functions that count are.
#pragma once

#include <atomic>
#include <cstdint>

#include "modhost/slots.h"

namespace backplane {

struct AllocationBlock {
  struct Counts {
    std::atomic<int64_t> bytes{0};
    std::atomic<int64_t> blocks{0};
  };
  Counts slots[kModuleSlots];
  AllocationBlock* next = nullptr;       // of all
  AllocationBlock* next_free = nullptr;  // of those without a thread
};

// Null before the thread's first allocation and after its end.
extern constinit thread_local AllocationBlock* thread_allocations;

void CountAllocationSlow(int slot, int64_t bytes, int64_t blocks);

inline void CountAllocation(int slot, int64_t bytes, int64_t blocks) {
  AllocationBlock* mine = thread_allocations;
  if (mine == nullptr) [[unlikely]]
    return CountAllocationSlow(slot, bytes, blocks);
  constexpr auto kRelaxed = std::memory_order_relaxed;
  AllocationBlock::Counts& counts = mine->slots[slot];
  counts.bytes.store(counts.bytes.load(kRelaxed) + bytes, kRelaxed);
  counts.blocks.store(counts.blocks.load(kRelaxed) + blocks, kRelaxed);
}

}  // namespace backplane
