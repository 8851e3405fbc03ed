// SPDX-License-Identifier: BSD-3-Clause
// The memory of slots as threads know it: the blocks of threads, the sums.
#include "modhost/allocation_counts.h"

#include <pthread.h>

#include <mutex>

namespace backplane {

constinit thread_local AllocationBlock* thread_allocations = nullptr;

namespace {

constinit std::mutex mutex;
constinit AllocationBlock* all = nullptr;
constinit AllocationBlock* unused = nullptr;
constinit SlotUsage baseline[kModuleSlots];
// What a thread frees while it is ending, after its block went: written with locked instructions.
constinit AllocationBlock late;

// Gives the block back when the thread ends.
struct ThreadEnd {
  bool over = false;
  ~ThreadEnd() {
    over = true;
    std::lock_guard guard(mutex);
    AllocationBlock* block = thread_allocations;
    thread_allocations = nullptr;
    if (block == nullptr) return;
    block->next_free = unused;
    unused = block;
  }
};
thread_local ThreadEnd thread_end;

void Attach() {
  std::lock_guard guard(mutex);
  AllocationBlock* block = unused;
  if (block != nullptr) {
    unused = block->next_free;
  } else {
    // Never freed: at most as many as there were threads at a time.
    block = new AllocationBlock;
    block->next = all;
    all = block;
  }
  thread_allocations = block;
}

SlotUsage SumOf(int slot) {
  SlotUsage sum;
  auto add = [&](const AllocationBlock& block) {
    sum.bytes += block.slots[slot].bytes.load(std::memory_order_relaxed);
    sum.blocks += block.slots[slot].blocks.load(std::memory_order_relaxed);
  };
  add(late);
  for (AllocationBlock* block = all; block != nullptr; block = block->next) add(*block);
  return sum;
}

// A child that is forked while another thread holds the mutex could never take it.
void HoldOverForks() {
  [[maybe_unused]] static const int kRegistered =
      pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, [] { mutex.unlock(); });
}

}  // namespace

AllocationBlock* AllocationsOfThread() {
  if (thread_allocations == nullptr && !thread_end.over) Attach();
  return thread_allocations;
}

void ForgetSlotFlags(int slot) {
  std::lock_guard guard(mutex);
  for (AllocationBlock* block = all; block != nullptr; block = block->next) {
    block->flags[slot].store(0, std::memory_order_relaxed);
  }
}

std::vector<unsigned> CachesOfSlot(int slot) {
  std::lock_guard guard(mutex);
  std::vector<unsigned> caches;
  for (AllocationBlock* block = all; block != nullptr; block = block->next) {
    if (block->caches[static_cast<size_t>(slot)] != AllocationBlock::kNoCache) {
      caches.push_back(block->caches[static_cast<size_t>(slot)]);
    }
  }
  return caches;
}

void CountAllocationSlow(int slot, int64_t bytes, int64_t blocks) {
  if (AllocationsOfThread() != nullptr) {
    CountAllocation(slot, bytes, blocks);
    return;
  }
  late.slots[slot].bytes.fetch_add(bytes, std::memory_order_relaxed);
  late.slots[slot].blocks.fetch_add(blocks, std::memory_order_relaxed);
}

SlotUsage SlotUsageOf(int slot) {
  std::lock_guard guard(mutex);
  SlotUsage sum = SumOf(slot);
  return {sum.bytes - baseline[slot].bytes, sum.blocks - baseline[slot].blocks};
}

void ResetSlotUsage(int slot) {
  HoldOverForks();
  std::lock_guard guard(mutex);
  baseline[slot] = SumOf(slot);
}

}  // namespace backplane
