// SPDX-License-Identifier: BSD-3-Clause
// Every change of a listpack is one Splice and a write; layout and contract in listpack.h.
#include "value/listpack.h"

#include <cstring>

#include "base/assert.h"
#include "value/memory.h"

namespace backplane {
namespace {

constexpr uint32_t kEmptySize = Listpack::kHeaderSize + 1;

// memmove to a lower address. In pieces, because the C library copies long ones with an instruction
// that is four times slower when source and target are a few bytes apart, as they are here.
void MoveDown(uint8_t* to, const uint8_t* from, size_t size) {
  constexpr size_t kPiece = 1024;
  for (; size > kPiece; size -= kPiece, to += kPiece, from += kPiece) {
    std::memmove(to, from, kPiece);
  }
  std::memmove(to, from, size);
}

void StoreSize(uint8_t* block, uint32_t size) { std::memcpy(block, &size, sizeof size); }

void StoreCount(uint8_t* block, uint32_t count) {
  const auto stored = static_cast<uint16_t>(count < 65535 ? count : 65535);
  std::memcpy(block + 4, &stored, sizeof stored);
}

}  // namespace

Listpack::Listpack(size_t capacity_hint)
    : block_(static_cast<uint8_t*>(
          AllocateBlock(GoodBlockSize(capacity_hint > kEmptySize ? capacity_hint : kEmptySize)))) {
  StoreSize(block_, kEmptySize);
  StoreCount(block_, 0);
  block_[kHeaderSize] = listpack::kEnd;
}

Listpack::~Listpack() { FreeBlock(block_); }

Listpack Listpack::CopyOf(std::string_view bytes) {
  auto* block = static_cast<uint8_t*>(AllocateBlock(GoodBlockSize(bytes.size())));
  std::memcpy(block, bytes.data(), bytes.size());
  return Adopt(block);
}

size_t Listpack::AllocatedBytes() const { return UsableBlockSize(block_); }

uint32_t Listpack::CountByWalking() const {
  uint32_t count = 0;
  for (Position at = First(); at != kNone; at = Next(at)) ++count;
  return count;
}

void Listpack::AddToCount(int64_t change) {
  const uint32_t stored = StoredCount();
  if (stored != kCountUnknown) {
    StoreCount(block_, static_cast<uint32_t>(stored + change));
  } else if (change < 0) {
    // Known again once few enough are left; a walk per erase would be quadratic, so only when the
    // bytes allow it.
    if (bytes() < kCountUnknown * 2) StoreCount(block_, CountByWalking());
  }
}

Listpack::Position Listpack::Seek(int64_t index) const {
  const uint32_t stored = StoredCount();
  bool forward = index >= 0;
  if (stored != kCountUnknown) {
    const auto count = static_cast<int64_t>(stored);
    if (index < 0) index += count;
    if (index < 0 || index >= count) return kNone;
    forward = index < count / 2 + 1;
    if (!forward) index -= count;
  }
  Position at;
  if (forward) {
    for (at = First(); at != kNone && index > 0; --index) at = Next(at);
  } else {
    for (at = Last(); at != kNone && index < -1; ++index) at = Prev(at);
  }
  return at;
}

Listpack::Position Listpack::Find(Position from, std::string_view text, uint32_t skip) const {
  if (from == kNone) return kNone;
  const listpack::Encoded wanted(text);
  const uint8_t* at = block_ + from;
  uint32_t until_next = 0;
  if (wanted.is_number()) {
    // A file may hold an integer in a wider form than ours, or as text, so the value is compared.
    for (; *at != listpack::kEnd; at += listpack::ElementSize(at)) {
      if (until_next-- != 0) continue;
      until_next = skip;
      const Item item = listpack::ReadItem(at);
      if (item.is_number() ? item.number() == wanted.number() : item.bytes() == text) {
        return static_cast<Position>(at - block_);
      }
    }
    return kNone;
  }
  for (; *at != listpack::kEnd; at += listpack::ElementSize(at)) {
    if (until_next-- != 0) continue;
    until_next = skip;
    const Item item = listpack::ReadItem(at);
    if (!item.is_number() && item.bytes().size() == text.size() &&
        std::memcmp(item.bytes().data(), wanted.payload().data(), text.size()) == 0) {
      return static_cast<Position>(at - block_);
    }
  }
  return kNone;
}

void Listpack::Splice(Position at, uint32_t drop, uint32_t insert) {
  const uint32_t old_size = bytes();
  const uint64_t new_size = uint64_t{old_size} - drop + insert;
  BP_ASSERT(new_size <= UINT32_MAX);
  const uint32_t tail = old_size - at - drop;
  if (insert < drop) {
    MoveDown(block_ + at + insert, block_ + at + drop, tail);
    block_ = static_cast<uint8_t*>(ResizeBlock(block_, old_size, new_size));
  } else {
    block_ = static_cast<uint8_t*>(ResizeBlock(block_, old_size, new_size));
    std::memmove(block_ + at + insert, block_ + at + drop, tail);
  }
  StoreSize(block_, static_cast<uint32_t>(new_size));
}

void Listpack::InsertAt(Position at, const listpack::Encoded& element) {
  Splice(at, 0, element.size());
  element.WriteTo(block_ + at);
  AddToCount(1);
}

void Listpack::InsertAll(Position at, const Listpack& other) {
  const uint32_t size = other.bytes() - kEmptySize;
  Splice(at, 0, size);
  std::memcpy(block_ + at, other.block_ + kHeaderSize, size);
  const uint32_t count = StoredCount();
  const uint32_t added = other.StoredCount();
  StoreCount(block_,
             count == kCountUnknown || added == kCountUnknown ? kCountUnknown : count + added);
}

void Listpack::Replace(Position at, const listpack::Encoded& element) {
  Splice(at, listpack::ElementSize(block_ + at), element.size());
  element.WriteTo(block_ + at);
}

Listpack::Position Listpack::Erase(Position at, uint32_t count) {
  uint32_t end = at;
  int64_t erased = 0;
  while (erased < count && block_[end] != listpack::kEnd) {
    end += listpack::ElementSize(block_ + end);
    ++erased;
  }
  Splice(at, end - at, 0);
  AddToCount(-erased);
  return AtOrNone(at);
}

Listpack Listpack::SplitOff(Position at) {
  if (at == kNone) return Listpack();
  const uint32_t size = bytes() - 1 - at;
  Listpack rest(size + kEmptySize);
  std::memcpy(rest.block_ + kHeaderSize, block_ + at, size + 1);
  StoreSize(rest.block_, size + kEmptySize);
  const uint32_t moved = rest.CountByWalking();
  StoreCount(rest.block_, moved);
  Splice(at, size, 0);
  AddToCount(-static_cast<int64_t>(moved));
  return rest;
}

void Listpack::Clear() { *this = Listpack(); }

}  // namespace backplane
