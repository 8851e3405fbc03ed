// SPDX-License-Identifier: BSD-3-Clause
// Intset: a sorted array of distinct integers in one block, as narrow as the widest of them asks.
// The small form of sets of integers, and RDB type 11, so the bytes are a public format (all
// numbers little-endian):
//
//   intset = width:u32 count:u32 (number of `width` bytes, two's complement, ascending)*     width
//   is 2, 4 or 8
//
// One pointer wide, owns its block. Membership is a binary search; an insert moves the tail.
// Threads as in listpack.h.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace backplane {

// Is `bytes` an intset: known width, right length, strictly ascending? No assumption is made about
// the bytes.
bool ValidateIntset(std::string_view bytes);

class Intset {
 public:
  static constexpr uint32_t kHeaderSize = 8;

  Intset();
  Intset(Intset&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Intset& operator=(Intset&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Intset();

  // A copy of `bytes`. REQUIRES: ValidateIntset(bytes).
  static Intset CopyOf(std::string_view bytes);
  Intset Clone() const { return CopyOf(Raw()); }
  uint8_t* Release() { return std::exchange(block_, nullptr); }
  static Intset Adopt(uint8_t* block) { return Intset(block); }

  uint32_t Count() const { return Field(4); }
  uint32_t width() const { return Field(0); }
  size_t bytes() const { return kHeaderSize + size_t{width()} * Count(); }
  std::string_view Raw() const { return {reinterpret_cast<const char*>(block_), bytes()}; }
  size_t AllocatedBytes() const;

  // REQUIRES: index < Count(). Ascending with the index.
  int64_t At(uint32_t index) const { return Load(index, width()); }
  bool Contains(int64_t number) const;
  // False if it was there already.
  bool Add(int64_t number);
  // False if it was not there.
  bool Remove(int64_t number);
  // REQUIRES: index + count <= Count().
  void RemoveAt(uint32_t index, uint32_t count = 1);

 private:
  explicit Intset(uint8_t* block) : block_(block) {}

  uint32_t Field(uint32_t offset) const {
    uint32_t value;
    std::memcpy(&value, block_ + offset, sizeof value);
    return value;
  }
  int64_t Load(uint32_t index, uint32_t width) const {
    const uint8_t* at = block_ + kHeaderSize + size_t{index} * width;
    if (width == 2) return LoadAs<int16_t>(at);
    if (width == 4) return LoadAs<int32_t>(at);
    return LoadAs<int64_t>(at);
  }
  template <typename T>
  static int64_t LoadAs(const uint8_t* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  void Store(uint32_t index, uint32_t width, int64_t number) {
    std::memcpy(block_ + kHeaderSize + size_t{index} * width, &number, width);
  }
  void StoreHeader(uint32_t width, uint32_t count);
  // Index of the first element >= number.
  uint32_t LowerBound(int64_t number) const;
  void Widen(uint32_t width);

  uint8_t* block_;  // Null only when moved from.
};

}  // namespace backplane
