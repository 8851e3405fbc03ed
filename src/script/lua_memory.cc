// SPDX-License-Identifier: BSD-3-Clause
#include "script/lua_memory.h"

#include <cstdlib>
#include <cstring>

#include "base/assert.h"

namespace backplane {

LuaMemory::LuaMemory()
    : arena_(std::make_unique<char[]>(kArenaBytes)),
      begin_(reinterpret_cast<uintptr_t>(arena_.get())) {}

LuaMemory::~LuaMemory() = default;

void LuaMemory::Seal() {
  BP_ASSERT(!sealed_);
  sealed_ = true;
  read_only_bytes_ = kArenaBytes;
}

void* LuaMemory::NewSlab(size_t index) {
  const size_t size = (index + 1) * kStep;
  slabs_.push_back(std::make_unique_for_overwrite<char[]>(kSlabBytes));
  char* slab = slabs_.back().get();
  for (size_t at = size; at + size <= kSlabBytes; at += size) {
    auto* block = reinterpret_cast<FreeBlock*>(slab + at);
    block->next = free_[index];
    free_[index] = block;
  }
  return slab;
}

void* LuaMemory::New(size_t size) {
  if (!sealed_) [[unlikely]] {
    // Blocks start on even steps, as those of any allocator.
    const size_t rounded = (size + kStep - 1) & ~(kStep - 1);
    BP_ASSERT(arena_used_ + rounded <= kArenaBytes);
    void* block = arena_.get() + arena_used_;
    arena_used_ += rounded;
    return block;
  }
  if (size <= kSmallMax) {
    const size_t index = (size - 1) / kStep;
    FreeBlock* block = free_[index];
    if (block == nullptr) [[unlikely]]
      return NewSlab(index);
    free_[index] = block->next;
    return block;
  }
  void* block = std::malloc(size);
  BP_ASSERT(block != nullptr);
  return block;
}

void LuaMemory::Delete(void* block, size_t size) {
  if (InArena(block)) return;  // it goes with the arena
  if (size > kSmallMax) return std::free(block);
  auto* small = static_cast<FreeBlock*>(block);
  const size_t index = (size - 1) / kStep;
  small->next = free_[index];
  free_[index] = small;
}

void* LuaMemory::Allocate(void* self, void* block, size_t old_size, size_t new_size) {
  auto& memory = *static_cast<LuaMemory*>(self);
  if (new_size == 0) {
    if (block != nullptr && old_size > 0) memory.Delete(block, old_size);
    return nullptr;
  }
  if (block == nullptr || old_size == 0) return memory.New(new_size);
  if (old_size > kSmallMax && new_size > kSmallMax && !memory.InArena(block)) {
    void* moved = std::realloc(block, new_size);
    BP_ASSERT(moved != nullptr);
    return moved;
  }
  void* moved = memory.New(new_size);
  std::memcpy(moved, block, old_size < new_size ? old_size : new_size);
  memory.Delete(block, old_size);
  return moved;
}

}  // namespace backplane
