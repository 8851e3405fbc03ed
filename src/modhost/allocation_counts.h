// SPDX-License-Identifier: BSD-3-Clause
// What each thread knows of the memory of slots: counts of what modules allocate, and the thread's
// caches of the slots' arenas. Each thread counts in a block of its own, so the hot path has no
// locked instruction: a plain load and store of a word that only this thread writes. Blocks of
// threads that have ended keep their counts and caches and serve later threads. Any thread; process
// state, as the functions that count are.
#pragma once

#include <array>
#include <atomic>
#include <climits>
#include <cstdint>
#include <vector>

#include "modhost/slots.h"

namespace backplane {

struct AllocationBlock {
  struct Counts {
    std::atomic<int64_t> bytes{0};
    std::atomic<int64_t> blocks{0};
  };
  static constexpr unsigned kNoCache = UINT_MAX;

  constexpr AllocationBlock() { caches.fill(kNoCache); }

  Counts slots[kModuleSlots];
  // The allocator's flags for allocations of a slot; 0: to be found out (slot_memory.h).
  std::atomic<int> flags[kModuleSlots] = {};
  // The allocator's numbers of the thread's caches; they outlive the modules of a slot.
  std::array<unsigned, kModuleSlots> caches;
  AllocationBlock* next = nullptr;       // of all
  AllocationBlock* next_free = nullptr;  // of those without a thread
};

// Null before the thread's first allocation and after its end.
extern constinit thread_local AllocationBlock* thread_allocations;

// The calling thread's, made if need be; null when the thread is ending.
AllocationBlock* AllocationsOfThread();
// All threads ask anew for their flags of the slot. No thread may be allocating there.
void ForgetSlotFlags(int slot);
// The caches of all threads for a slot.
std::vector<unsigned> CachesOfSlot(int slot);

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
