// SPDX-License-Identifier: BSD-3-Clause
// Raw memory blocks of the value encodings: malloc with growth classes.
//
// The compact encodings (listpack, intset) own one block and must stay one pointer wide, so they
// keep no capacity. Instead the capacity is a function of the size: a block that holds n bytes is
// always at least GoodBlockSize(n) bytes long. The classes are four per doubling, the same spacing
// as jemalloc's, so the slack costs nothing that the allocator would not round up anyway, and an
// append reallocates once per class only.
//
// Running out of memory ends the process: no value operation can go on without its bytes. Callable
// from any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace backplane {

// Never null. The caller frees with FreeBlock.
void* AllocateBlock(size_t size);
void* ReallocateBlock(void* block, size_t size);
void FreeBlock(void* block);

// Bytes that the allocator set aside for `block`; 0 for null.
size_t UsableBlockSize(const void* block);

// The capacity of a block that holds `size` bytes: >= size, monotonic in size.
inline size_t GoodBlockSize(size_t size) {
  if (size <= 16) return 16;
  if (size <= 128) return (size + 15) & ~size_t{15};
  const size_t step = size_t{1} << (std::bit_width(size - 1) - 3);
  return (size + step - 1) & ~(step - 1);
}

// Makes `block`, which holds `old_size` bytes, able to hold `new_size`; returns where it now is.
// Growing keeps the block within a class; shrinking gives memory back only once per halving, so
// that a queue that breathes does not reallocate.
inline void* ResizeBlock(void* block, size_t old_size, size_t new_size) {
  const size_t wanted = GoodBlockSize(new_size);
  if (new_size > old_size ? wanted == GoodBlockSize(old_size)
                          : std::bit_width(new_size) == std::bit_width(old_size)) {
    return block;
  }
  return ReallocateBlock(block, wanted);
}

}  // namespace backplane
