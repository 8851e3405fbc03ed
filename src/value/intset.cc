// SPDX-License-Identifier: BSD-3-Clause
// Search, insert and widening of an intset; layout and contract in intset.h.
#include "value/intset.h"

#include "base/assert.h"
#include "value/memory.h"

namespace backplane {
namespace {

uint32_t WidthOf(int64_t number) {
  if (number >= INT16_MIN && number <= INT16_MAX) return 2;
  return number >= INT32_MIN && number <= INT32_MAX ? 4 : 8;
}

}  // namespace

bool ValidateIntset(std::string_view bytes) {
  if (bytes.size() < Intset::kHeaderSize) return false;
  uint32_t width;
  uint32_t count;
  std::memcpy(&width, bytes.data(), 4);
  std::memcpy(&count, bytes.data() + 4, 4);
  if (width != 2 && width != 4 && width != 8) return false;
  if (bytes.size() != Intset::kHeaderSize + uint64_t{count} * width) return false;
  const auto at = [&](uint32_t index) {
    uint64_t raw = 0;
    std::memcpy(&raw, bytes.data() + Intset::kHeaderSize + size_t{index} * width, width);
    const uint32_t shift = 64 - 8 * width;
    return static_cast<int64_t>(raw << shift) >> shift;
  };
  for (uint32_t i = 1; i < count; ++i) {
    if (at(i - 1) >= at(i)) return false;
  }
  return true;
}

Intset::Intset() : block_(static_cast<uint8_t*>(AllocateBlock(GoodBlockSize(kHeaderSize)))) {
  StoreHeader(2, 0);
}

Intset::~Intset() { FreeBlock(block_); }

Intset Intset::CopyOf(std::string_view bytes) {
  auto* block = static_cast<uint8_t*>(AllocateBlock(GoodBlockSize(bytes.size())));
  std::memcpy(block, bytes.data(), bytes.size());
  return Adopt(block);
}

size_t Intset::AllocatedBytes() const { return UsableBlockSize(block_); }

void Intset::StoreHeader(uint32_t width, uint32_t count) {
  std::memcpy(block_, &width, 4);
  std::memcpy(block_ + 4, &count, 4);
}

uint32_t Intset::LowerBound(int64_t number) const {
  const uint32_t count = Count();
  const uint32_t wide = width();
  // Ascending insertion is the common way to fill one.
  if (count > 0 && Load(count - 1, wide) < number) return count;
  uint32_t low = 0;
  uint32_t high = count;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (Load(middle, wide) < number) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool Intset::Contains(int64_t number) const {
  const uint32_t index = LowerBound(number);
  return index < Count() && At(index) == number;
}

void Intset::Widen(uint32_t wide) {
  const uint32_t count = Count();
  const uint32_t narrow = width();
  const size_t old_size = bytes();
  block_ = static_cast<uint8_t*>(ResizeBlock(block_, old_size, kHeaderSize + size_t{wide} * count));
  for (uint32_t i = count; i-- > 0;) Store(i, wide, Load(i, narrow));
  StoreHeader(wide, count);
}

bool Intset::Add(int64_t number) {
  if (WidthOf(number) > width()) Widen(WidthOf(number));
  const uint32_t index = LowerBound(number);
  const uint32_t count = Count();
  if (index < count && At(index) == number) return false;
  BP_ASSERT(count < UINT32_MAX);
  const uint32_t wide = width();
  const size_t old_size = bytes();
  block_ = static_cast<uint8_t*>(ResizeBlock(block_, old_size, old_size + wide));
  uint8_t* at = block_ + kHeaderSize + size_t{index} * wide;
  std::memmove(at + wide, at, size_t{count - index} * wide);
  Store(index, wide, number);
  StoreHeader(wide, count + 1);
  return true;
}

bool Intset::Remove(int64_t number) {
  const uint32_t index = LowerBound(number);
  if (index >= Count() || At(index) != number) return false;
  RemoveAt(index);
  return true;
}

void Intset::RemoveAt(uint32_t index, uint32_t removed) {
  const uint32_t count = Count();
  const uint32_t wide = width();
  BP_ASSERT(uint64_t{index} + removed <= count);
  const size_t old_size = bytes();
  uint8_t* at = block_ + kHeaderSize + size_t{index} * wide;
  std::memmove(at, at + size_t{removed} * wide, size_t{count - index - removed} * wide);
  block_ = static_cast<uint8_t*>(ResizeBlock(block_, old_size, old_size - size_t{removed} * wide));
  StoreHeader(wide, count - removed);
}

}  // namespace backplane
