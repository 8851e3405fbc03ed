// SPDX-License-Identifier: BSD-3-Clause
// Allocation for value encodings; contract in memory.h.
#include "value/memory.h"

#include <malloc.h>

#include <cstdio>
#include <cstdlib>

namespace backplane {
namespace {

[[noreturn]] void DieOutOfMemory(size_t size) {
  std::fprintf(stderr, "Out of memory allocating %zu bytes for a value\n", size);
  std::abort();
}

}  // namespace

void* AllocateBlock(size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) [[unlikely]] {
    DieOutOfMemory(size);
  }
  return block;
}

void* ReallocateBlock(void* block, size_t size) {
  void* moved = std::realloc(block, size);
  if (moved == nullptr) [[unlikely]] {
    DieOutOfMemory(size);
  }
  return moved;
}

void FreeBlock(void* block) { std::free(block); }

size_t UsableBlockSize(const void* block) { return malloc_usable_size(const_cast<void*>(block)); }

}  // namespace backplane
