// SPDX-License-Identifier: BSD-3-Clause
// Listpack: a sequence of short strings and integers in one block of memory. The small form of
// lists, hashes, sets and sorted sets, and what RDB files and DUMP payloads hold of them, so the
// bytes are a public format:
//
//   listpack = total-bytes:u32 count:u16 element* 0xFF        (numbers little-endian; total-bytes
//   includes all of it) count    = number of elements, or 65535: not known, count them element  =
//   see listpack_entry.h
//
// A Listpack is one pointer wide and owns its block. An element is addressed by its Position, the
// offset of its first byte, which stays good until something before it changes. An append costs no
// more than writing the element; the block grows by classes (memory.h). An element stored as an
// integer comes back as one: Item.
//
// Who may call: the engine thread, or the one thread that owns the value (loading, lazy free).
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "value/item.h"
#include "value/listpack_entry.h"

namespace backplane {

// Is `bytes` a listpack whose every element is within bounds, with the right count? `*count`, if
// not null, gets the number of elements. No assumption is made about the bytes.
bool ValidateListpack(std::string_view bytes, uint32_t* count = nullptr);

class Listpack {
 public:
  using Position = uint32_t;
  static constexpr Position kNone = 0;
  static constexpr uint32_t kHeaderSize = 6;
  // Callers keep a listpack below this (Fits) and move to another encoding beyond.
  static constexpr size_t kMaxBytes = size_t{1} << 30;

  // An empty listpack with room for `capacity_hint` bytes.
  explicit Listpack(size_t capacity_hint = 0);
  Listpack(Listpack&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Listpack& operator=(Listpack&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Listpack();

  // A copy of `bytes`. REQUIRES: ValidateListpack(bytes).
  static Listpack CopyOf(std::string_view bytes);
  Listpack Clone() const { return CopyOf(Raw()); }

  // Ownership by hand, for holders that keep a bare pointer (list nodes). Release leaves this
  // object empty-handed: it may only be destroyed or assigned to afterwards.
  uint8_t* Release() { return std::exchange(block_, nullptr); }
  static Listpack Adopt(uint8_t* block) { return Listpack(block, AdoptTag{}); }

  uint32_t bytes() const { return listpack::LoadLittle<uint32_t>(block_); }
  bool empty() const { return block_[kHeaderSize] == listpack::kEnd; }
  // O(1) below 65535 elements, O(n) from there on.
  uint32_t Count() const {
    const uint32_t count = StoredCount();
    return count != kCountUnknown ? count : CountByWalking();
  }
  std::string_view Raw() const { return {reinterpret_cast<const char*>(block_), bytes()}; }
  size_t AllocatedBytes() const;
  // May `add` more bytes of elements come in? The margin covers heads and backlens.
  bool Fits(size_t add) const { return bytes() + add < kMaxBytes; }

  // Walking. First, Last, Next and Prev return kNone at the end.
  Position First() const { return AtOrNone(kHeaderSize); }
  Position Last() const { return empty() ? kNone : BeforeOffset(bytes() - 1); }
  Position Next(Position at) const { return AtOrNone(at + listpack::ElementSize(block_ + at)); }
  Position Prev(Position at) const { return at == kHeaderSize ? kNone : BeforeOffset(at); }
  // The element of that index, negative from the end (-1 is the last), or kNone. Walks from the
  // nearer end.
  Position Seek(int64_t index) const;
  Item Get(Position at) const { return listpack::ReadItem(block_ + at); }

  // First element equal to `text`, from `from` on (kNone: nothing), looking at every (skip+1)th
  // element.
  Position Find(Position from, std::string_view text, uint32_t skip = 0) const;

  // Changes. A text that is an integer's canonical form is stored as that integer. `text` must not
  // lie within this block.
  void Append(std::string_view text) { InsertAt(bytes() - 1, listpack::Encoded(text)); }
  void Append(int64_t number) { InsertAt(bytes() - 1, listpack::Encoded(number)); }
  void Append(const Item& item) { InsertAt(bytes() - 1, listpack::Encoded(item)); }
  void Prepend(std::string_view text) { InsertAt(kHeaderSize, listpack::Encoded(text)); }
  // Before `at`; kNone: at the end. The new element is at the old position (the end: at Last()).
  void InsertBefore(Position at, const listpack::Encoded& element) {
    InsertAt(at == kNone ? bytes() - 1 : at, element);
  }
  void InsertBefore(Position at, std::string_view text) {
    InsertBefore(at, listpack::Encoded(text));
  }
  void InsertAfter(Position at, std::string_view text) {
    InsertAt(at + listpack::ElementSize(block_ + at), listpack::Encoded(text));
  }
  // The element keeps its position.
  void Replace(Position at, const listpack::Encoded& element);
  void Replace(Position at, std::string_view text) { Replace(at, listpack::Encoded(text)); }
  // Removes up to `count` elements from `at` on; returns the position of the one behind them, or
  // kNone.
  Position Erase(Position at, uint32_t count = 1);
  // All elements of `other` behind (before) the own ones.
  void AppendAll(const Listpack& other) { InsertAll(bytes() - 1, other); }
  void PrependAll(const Listpack& other) { InsertAll(kHeaderSize, other); }
  // Cuts the elements from `at` on off into a listpack of their own.
  Listpack SplitOff(Position at);
  void Clear();

 private:
  static constexpr uint32_t kCountUnknown = 65535;
  struct AdoptTag {};
  Listpack(uint8_t* block, AdoptTag) : block_(block) {}

  Position AtOrNone(Position at) const { return block_[at] == listpack::kEnd ? kNone : at; }
  Position BeforeOffset(uint32_t offset) const {
    uint32_t width;
    const uint32_t body = listpack::ReadBacklen(block_ + offset - 1, &width);
    return offset - width - body;
  }
  uint32_t StoredCount() const { return listpack::LoadLittle<uint16_t>(block_ + 4); }
  uint32_t CountByWalking() const;
  void AddToCount(int64_t change);
  // Makes the `drop` bytes at `at` be `insert` bytes, contents undefined.
  void Splice(Position at, uint32_t drop, uint32_t insert);
  void InsertAt(Position at, const listpack::Encoded& element);
  void InsertAll(Position at, const Listpack& other);

  uint8_t* block_;  // Null only when moved from.
};

}  // namespace backplane
