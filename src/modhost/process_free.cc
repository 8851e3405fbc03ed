// SPDX-License-Identifier: BSD-3-Clause
// free, realloc and operator delete of the whole process, in front of the allocator's: a module's
// block that it, or a library of its, gives to one of them goes back to the module's arena. Without
// this it would end in the thread's common cache and be handed out to anybody, so that the arena
// could never be taken back. All else goes on to the allocator. Any thread, from the first
// instruction of the process on.
#ifdef BACKPLANE_JEMALLOC

#include <dlfcn.h>

#include <atomic>
#include <cstddef>
#include <new>

#include "modhost/slot_memory.h"

namespace backplane {
namespace {

using FreeFunction = void (*)(void*);
using ReallocFunction = void* (*)(void*, size_t);

// Null until the constructors of this program run; dallocx and rallocx, a little slower, do then.
constinit std::atomic<FreeFunction> next_free = nullptr;
constinit std::atomic<ReallocFunction> next_realloc = nullptr;

[[gnu::constructor]] void FindNext() {
  next_free.store(reinterpret_cast<FreeFunction>(dlsym(RTLD_NEXT, "free")),
                  std::memory_order_relaxed);
  next_realloc.store(reinterpret_cast<ReallocFunction>(dlsym(RTLD_NEXT, "realloc")),
                     std::memory_order_relaxed);
}

inline void Free(void* block) {
  if (const int owner = SlotOfBlock(block); owner >= 0) [[unlikely]]
    return FreeBlockOfSlot(owner, block);
  if (FreeFunction function = next_free.load(std::memory_order_relaxed)) [[likely]]
    return function(block);
  if (block != nullptr) dallocx(block, 0);
}

inline void FreeSized(void* block, size_t size) {
  if (block == nullptr) return;
  if (const int owner = SlotOfBlock(block); owner >= 0) [[unlikely]]
    return FreeBlockOfSlot(owner, block);
  sdallocx(block, size, 0);
}

inline void FreeAligned(void* block, size_t size, std::align_val_t alignment) {
  if (block == nullptr) return;
  if (const int owner = SlotOfBlock(block); owner >= 0) [[unlikely]]
    return FreeBlockOfSlot(owner, block);
  sdallocx(block, size, static_cast<int>(MALLOCX_ALIGN(static_cast<size_t>(alignment))));
}

}  // namespace
}  // namespace backplane

// The functions themselves cannot stand in a namespace.
extern "C" void free(void* block) noexcept { backplane::Free(block); }

extern "C" void* realloc(void* old, size_t bytes) noexcept {
  using namespace backplane;  // NOLINT
  if (const int owner = SlotOfBlock(old); owner >= 0) [[unlikely]] {
    if (bytes != 0) return ReallocBlockOfSlot(owner, old, bytes);
    FreeBlockOfSlot(owner, old);
    return nullptr;
  }
  if (ReallocFunction function = next_realloc.load(std::memory_order_relaxed)) [[likely]]
    return function(old, bytes);
  if (old == nullptr) return mallocx(bytes == 0 ? 1 : bytes, 0);
  if (bytes != 0) return rallocx(old, bytes, 0);
  dallocx(old, 0);
  return nullptr;
}

void operator delete(void* block) noexcept { backplane::Free(block); }
void operator delete[](void* block) noexcept { backplane::Free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { backplane::Free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { backplane::Free(block); }
void operator delete(void* block, size_t size) noexcept { backplane::FreeSized(block, size); }
void operator delete[](void* block, size_t size) noexcept { backplane::FreeSized(block, size); }
void operator delete(void* block, std::align_val_t) noexcept { backplane::Free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { backplane::Free(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  backplane::Free(block);
}
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  backplane::Free(block);
}
void operator delete(void* block, size_t size, std::align_val_t alignment) noexcept {
  backplane::FreeAligned(block, size, alignment);
}
void operator delete[](void* block, size_t size, std::align_val_t alignment) noexcept {
  backplane::FreeAligned(block, size, alignment);
}

#endif
