// SPDX-License-Identifier: BSD-3-Clause
// The memory of modules. Each slot has an arena of the allocator in an address range of its own, so
// any pointer tells in no time which module's block it is, whoever frees it and by which function;
// counts are exact for that, and what a module leaves behind can be taken back in one step.
//
//   slot_space                                                     2^44 bytes, reserved, not used
//   | slot 0: 2^38 bytes | slot 1 | ... | slot 63 |
//
// Without jemalloc (builds with a sanitizer), or where the system does not grant the address space,
// slots have no arena: blocks come from malloc, are counted by who calls, and are never taken back.
//
// Allocation functions: any thread. OpenSlotMemory and CloseSlotMemory: under the host lock.
// Process state, as the functions that allocate are.
#pragma once

#ifdef BACKPLANE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "modhost/allocation_counts.h"

namespace backplane {

inline constexpr int kSlotSpaceBits = 38;
inline constexpr uintptr_t kSlotSpace = uintptr_t{1} << kSlotSpaceBits;
// No address of a process lies within kModuleSlots * kSlotSpace behind it.
inline constexpr uintptr_t kNoSlotSpace = uintptr_t{0xffff} << 48;
extern constinit std::atomic<uintptr_t> slot_space;

// The slot whose block it is; -1 for a block that is not a module's, null too.
inline int SlotOfBlock(const void* block) {
  const uintptr_t offset =
      reinterpret_cast<uintptr_t>(block) - slot_space.load(std::memory_order_relaxed);
  return offset < kModuleSlots * kSlotSpace ? static_cast<int>(offset >> kSlotSpaceBits) : -1;
}

// A module is about to live in the slot: its counts begin at zero.
void OpenSlotMemory(int slot);
// The module is gone. With `take_back` all blocks of the slot are freed, when it has an arena and
// no module before left blocks there that had to stay; the work itself is whatever
// `TakeBackSlotMemory` does later, on any thread. Returns whether it is to be called; until it has
// run, the slot takes no module.
[[nodiscard]] bool CloseSlotMemory(int slot, bool take_back);
void TakeBackSlotMemory(int slot);
// Whether the slot may take a module, as far as its memory goes.
bool SlotMemoryReady(int slot);
// Whether blocks of earlier modules stayed there. Then nothing can be taken back any more.
bool SlotMemoryHasRemains(int slot);

// The allocator family of a module. Null when there is no memory; a size of 0 counts as 1. Blocks
// of others are taken too: what belongs to no module (the server made it, or malloc) goes back to
// where it came from and is not counted.
void* SlotCalloc(int slot, size_t count, size_t size);
void* SlotRealloc(int slot, void* old, size_t bytes);
void* SlotMalloc(int slot, size_t bytes);
void SlotFree(int slot, void* block);

// For functions that know nothing of slots: the block lies in the range of `owner`.
void FreeBlockOfSlot(int owner, void* block);
void* ReallocBlockOfSlot(int owner, void* old, size_t bytes);

#ifdef BACKPLANE_JEMALLOC

// Sizes that the allocator gives to small requests, by eight bytes each; filled by the first
// OpenSlotMemory. Asking the allocator every time costs a sixth of an allocation.
inline constexpr size_t kSmallSize = 2048;
extern constinit uint16_t small_sizes[kSmallSize / 8 + 1];

inline int64_t SizeOfRequest(size_t bytes) {
  const size_t size = bytes <= kSmallSize ? small_sizes[(bytes + 7) / 8] : nallocx(bytes, 0);
  return static_cast<int64_t>(size);
}

// The flags with which this thread allocates for the slot: its arena, and the thread's cache.
int FindSlotFlags(int slot);

inline int SlotFlags(int slot) {
  AllocationBlock* mine = thread_allocations;
  const int flags = mine != nullptr ? mine->flags[slot].load(std::memory_order_relaxed) : 0;
  return flags != 0 ? flags : FindSlotFlags(slot);
}

[[gnu::always_inline]] inline void* SlotMalloc(int slot, size_t bytes) {
  if (bytes == 0) bytes = 1;
  void* block = mallocx(bytes, SlotFlags(slot));
  if (block != nullptr) CountAllocation(slot, SizeOfRequest(bytes), 1);
  return block;
}

void FreeAnyBlock(int slot, void* block);

[[gnu::always_inline]] inline void SlotFree(int slot, void* block) {
  if (SlotOfBlock(block) != slot) [[unlikely]]
    return FreeAnyBlock(slot, block);
  // (Not sallocx: to the compiler that reads a block that nobody has written.)
  const size_t size = malloc_usable_size(block);
  CountAllocation(slot, -static_cast<int64_t>(size), -1);
  sdallocx(block, size, SlotFlags(slot));
}

#endif

}  // namespace backplane
