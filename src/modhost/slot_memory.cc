// SPDX-License-Identifier: BSD-3-Clause
// The memory of modules: arenas of slots, their address ranges, blocks of others.
#include "modhost/slot_memory.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string>

#include "base/memory_info.h"

namespace backplane {

constinit std::atomic<uintptr_t> slot_space = kNoSlotSpace;
#ifdef BACKPLANE_JEMALLOC
constinit uint16_t small_sizes[kSmallSize / 8 + 1] = {};
#endif

namespace {

int64_t SizeOf(void* block) { return static_cast<int64_t>(UsableSize(block)); }

}  // namespace

#ifdef BACKPLANE_JEMALLOC

namespace {

enum class SlotState : uint8_t {
  kEmpty,     // no arena
  kOpen,      // has an arena, whether a module lives there or not
  kClosing,   // what lies there is being taken back
  kNoMemory,  // no arena was to be had: blocks come from malloc
};

// Starts with the functions that the allocator calls, which get a pointer to them.
struct SlotSpace {
  extent_hooks_t hooks = {};
  std::atomic<uintptr_t> next{0};  // up to here the range is used
  unsigned arena = 0;
  bool remains = false;
  std::atomic<SlotState> state{SlotState::kEmpty};
};
constinit SlotSpace spaces[kModuleSlots];
// Flags of allocations in the slot's arena without a cache; 0 without an arena.
constinit std::atomic<int> slot_flags[kModuleSlots];
// How a thread allocates for a slot that has no arena: as malloc does. (Zero means "not known
// yet".)
constexpr int kPlainFlags = MALLOCX_LG_ALIGN(3);

uintptr_t BeginOf(const SlotSpace& space) {
  return slot_space.load(std::memory_order_relaxed) +
         static_cast<uintptr_t>(&space - spaces) * kSlotSpace;
}

// --- what the allocator asks of a range. It keeps the pages that it got and uses them again, so
// the range is only ever extended. ---

void* AllocateExtent(extent_hooks_t* hooks, void* at, size_t size, size_t alignment, bool* zero,
                     bool* commit, unsigned) {
  auto& space = *reinterpret_cast<SlotSpace*>(hooks);
  const uintptr_t end = BeginOf(space) + kSlotSpace;
  uintptr_t next = space.next.load(std::memory_order_relaxed);
  uintptr_t begin;
  do {
    begin = (next + alignment - 1) & ~(alignment - 1);
    if (at != nullptr && begin != reinterpret_cast<uintptr_t>(at)) return nullptr;
    if (begin > end || size > end - begin) return nullptr;
  } while (!space.next.compare_exchange_weak(next, begin + size, std::memory_order_relaxed));
  void* pages = mmap(reinterpret_cast<void*>(begin), size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  *zero = true;
  *commit = true;
  return pages;
}

bool PurgeExtent(extent_hooks_t*, void* begin, size_t, size_t offset, size_t length, unsigned) {
  return madvise(static_cast<char*>(begin) + offset, length, MADV_DONTNEED) != 0;
}

bool SplitExtent(extent_hooks_t*, void*, size_t, size_t, size_t, bool, unsigned) { return false; }
bool MergeExtents(extent_hooks_t*, void*, size_t, void*, size_t, bool, unsigned) { return false; }

constexpr extent_hooks_t kHooks = {
    .alloc = AllocateExtent,
    .dalloc = nullptr,
    .destroy = nullptr,
    .commit = nullptr,
    .decommit = nullptr,
    .purge_lazy = nullptr,
    .purge_forced = PurgeExtent,
    .split = SplitExtent,
    .merge = MergeExtents,
};

// The space of all slots, at the first module.
bool ReserveSpace() {
  static const bool kReserved = [] {
    void* space = mmap(nullptr, kModuleSlots * kSlotSpace, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) return false;
    slot_space.store(reinterpret_cast<uintptr_t>(space), std::memory_order_relaxed);
    return true;
  }();
  return kReserved;
}

void FillSmallSizes() {
  for (size_t i = 1; i <= kSmallSize / 8; ++i) {
    small_sizes[i] = static_cast<uint16_t>(nallocx(i * 8, 0));
  }
}

bool CreateArena(SlotSpace& space) {
  if (!ReserveSpace()) return false;
  space.hooks = kHooks;
  space.next.store(BeginOf(space), std::memory_order_relaxed);
  extent_hooks_t* hooks = &space.hooks;
  size_t size = sizeof(space.arena);
  return mallctl("arenas.create", &space.arena, &size, &hooks, sizeof(hooks)) == 0;
}

}  // namespace

void OpenSlotMemory(int slot) {
  ResetSlotUsage(slot);
  if (small_sizes[1] == 0) FillSmallSizes();
  SlotSpace& space = spaces[slot];
  if (space.state.load(std::memory_order_acquire) != SlotState::kEmpty) return;
  const bool created = CreateArena(space);
  slot_flags[slot].store(created ? static_cast<int>(MALLOCX_ARENA(space.arena)) : 0,
                         std::memory_order_relaxed);
  ForgetSlotFlags(slot);
  space.state.store(created ? SlotState::kOpen : SlotState::kNoMemory, std::memory_order_release);
}

bool CloseSlotMemory(int slot, bool take_back) {
  SlotSpace& space = spaces[slot];
  if (space.state.load(std::memory_order_relaxed) != SlotState::kOpen) return false;
  if (!take_back || space.remains) {
    space.remains = space.remains || SlotUsageOf(slot).blocks != 0;
    return false;
  }
  space.state.store(SlotState::kClosing, std::memory_order_relaxed);
  slot_flags[slot].store(0, std::memory_order_relaxed);
  ForgetSlotFlags(slot);
  return true;
}

void TakeBackSlotMemory(int slot) {
  SlotSpace& space = spaces[slot];
  for (unsigned cache : CachesOfSlot(slot)) {
    mallctl("tcache.flush", nullptr, nullptr, &cache, sizeof(cache));
  }
  const std::string destroy = "arena." + std::to_string(space.arena) + ".destroy";
  mallctl(destroy.c_str(), nullptr, nullptr, nullptr, 0);
  const uintptr_t begin = BeginOf(space);
  const size_t used = space.next.load(std::memory_order_relaxed) - begin;
  if (used != 0) {
    // First without the lock of the address space that page faults of other threads wait for.
    madvise(reinterpret_cast<void*>(begin), used, MADV_DONTNEED);
    mmap(reinterpret_cast<void*>(begin), used, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  }
  space.state.store(SlotState::kEmpty, std::memory_order_release);
}

bool SlotMemoryReady(int slot) {
  return spaces[slot].state.load(std::memory_order_acquire) != SlotState::kClosing;
}

bool SlotMemoryHasRemains(int slot) { return spaces[slot].remains; }

int FindSlotFlags(int slot) {
  const int arena = slot_flags[slot].load(std::memory_order_relaxed);
  if (arena == 0) return kPlainFlags;
  AllocationBlock* mine = AllocationsOfThread();
  // A thread that is ending has no cache any more.
  if (mine == nullptr) return arena | static_cast<int>(MALLOCX_TCACHE_NONE);
  unsigned& cache = mine->caches[static_cast<size_t>(slot)];
  if (cache == AllocationBlock::kNoCache) {
    unsigned created = 0;
    size_t size = sizeof(created);
    if (mallctl("tcache.create", &created, &size, nullptr, 0) != 0) {
      return arena | static_cast<int>(MALLOCX_TCACHE_NONE);
    }
    cache = created;
  }
  const int flags = arena | static_cast<int>(MALLOCX_TCACHE(cache));
  mine->flags[slot].store(flags, std::memory_order_relaxed);
  return flags;
}

void FreeBlockOfSlot(int owner, void* block) {
  CountAllocation(owner, -SizeOf(block), -1);
  // Past the caches: this thread's is for what the owner's own functions free.
  dallocx(block, MALLOCX_TCACHE_NONE);
}

void* ReallocBlockOfSlot(int owner, void* old, size_t bytes) {
  const int64_t before = SizeOf(old);
  const int arena = slot_flags[owner].load(std::memory_order_relaxed);
  void* block = rallocx(old, bytes == 0 ? 1 : bytes, arena | static_cast<int>(MALLOCX_TCACHE_NONE));
  if (block != nullptr) CountAllocation(owner, SizeOf(block) - before, 0);
  return block;
}

void FreeAnyBlock(int slot, void* block) {
  if (block == nullptr) return;
  if (const int owner = SlotOfBlock(block); owner >= 0) return FreeBlockOfSlot(owner, block);
  // Of a slot without an arena all blocks look like this one.
  if (slot_flags[slot].load(std::memory_order_relaxed) == 0) {
    CountAllocation(slot, -SizeOf(block), -1);
  }
  std::free(block);
}

void* SlotCalloc(int slot, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
  if (bytes == 0) bytes = 1;
  void* block = mallocx(bytes, SlotFlags(slot) | MALLOCX_ZERO);
  if (block != nullptr) CountAllocation(slot, SizeOfRequest(bytes), 1);
  return block;
}

void* SlotRealloc(int slot, void* old, size_t bytes) {
  if (old == nullptr) return SlotMalloc(slot, bytes);
  const int64_t before = SizeOf(old);
  const int owner = SlotOfBlock(old);
  if (owner == slot) {
    void* block = rallocx(old, bytes == 0 ? 1 : bytes, SlotFlags(slot));
    if (block != nullptr) CountAllocation(slot, SizeOf(block) - before, 0);
    return block;
  }
  if (owner >= 0) return ReallocBlockOfSlot(owner, old, bytes);
  if (slot_flags[slot].load(std::memory_order_relaxed) == 0) {
    void* block = std::realloc(old, bytes == 0 ? 1 : bytes);
    if (block != nullptr) CountAllocation(slot, SizeOf(block) - before, 0);
    return block;
  }
  // It becomes the module's.
  void* block = SlotMalloc(slot, bytes);
  if (block == nullptr) return nullptr;
  std::memcpy(block, old, std::min(bytes, static_cast<size_t>(before)));
  std::free(old);
  return block;
}

#else

void OpenSlotMemory(int slot) { ResetSlotUsage(slot); }
bool CloseSlotMemory(int, bool) { return false; }
void TakeBackSlotMemory(int) {}
bool SlotMemoryReady(int) { return true; }
bool SlotMemoryHasRemains(int) { return false; }

void* SlotMalloc(int slot, size_t bytes) {
  void* block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block != nullptr) CountAllocation(slot, SizeOf(block), 1);
  return block;
}

void* SlotCalloc(int slot, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
  void* block = std::calloc(1, bytes == 0 ? 1 : bytes);
  if (block != nullptr) CountAllocation(slot, SizeOf(block), 1);
  return block;
}

void* SlotRealloc(int slot, void* old, size_t bytes) {
  if (old == nullptr) return SlotMalloc(slot, bytes);
  const int64_t before = SizeOf(old);
  void* block = std::realloc(old, bytes == 0 ? 1 : bytes);
  if (block != nullptr) CountAllocation(slot, SizeOf(block) - before, 0);
  return block;
}

void SlotFree(int slot, void* block) {
  if (block == nullptr) return;
  CountAllocation(slot, -SizeOf(block), -1);
  std::free(block);
}

#endif

}  // namespace backplane
