// SPDX-License-Identifier: BSD-3-Clause
// One element of a listpack: how its bytes are read and written. This file owns the element layout;
// listpack.h owns the frame around the elements.
//
//   element  = head payload backlen
//   head     = 0vvvvvvv                      integer 0..127, no payload
//            | 10llllll                      string of l bytes (0..63)
//            | 110vvvvv vvvvvvvv             integer -4096..4095, two's complement in 13 bits, high
//            bits first | 1110llll llllllll             string of l bytes (0..4095), high bits
//            first | 0xF0 u32                      string of l bytes | 0xF1 i16 | 0xF2 i24 | 0xF3
//            i32 | 0xF4 i64
//   backlen  = size of head and payload, 7 bits a byte, highest first; every byte but the first has
//   its high bit set, so
//              it is read from its end backwards
// Multi-byte numbers after 0xF0..0xF4 are little-endian. 0xFF is no head: it ends the listpack.
//
// The backlen of 16383, 2097151 and 268435455 takes one byte more than its value needs. All writers
// of the format do that, and readers skip forward by computing the width, so it is part of the
// format.
//
// Nothing here checks bounds: untrusted bytes go through ValidateListpack first.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/numbers.h"
#include "value/item.h"

namespace backplane::listpack {

inline constexpr uint8_t kEnd = 0xFF;

inline uint32_t BacklenSize(uint32_t size) {
  if (size <= 127) return 1;
  if (size < 16383) return 2;
  if (size < 2097151) return 3;
  if (size < 268435455) return 4;
  return 5;
}

// Writes the backlen of an element of `size` bytes; returns the byte behind it.
inline uint8_t* WriteBacklen(uint8_t* at, uint32_t size) {
  const uint32_t width = BacklenSize(size);
  for (uint32_t i = width; i-- > 0; size >>= 7) {
    at[i] = static_cast<uint8_t>((size & 127) | (i == 0 ? 0 : 128));
  }
  return at + width;
}

// The byte before an element (or before the end) is the last of a backlen. Returns head and payload
// size, and the backlen's own width in `*width`; 0 if it is longer than any backlen.
inline uint32_t ReadBacklen(const uint8_t* last, uint32_t* width) {
  uint64_t size = 0;
  for (uint32_t i = 0; i < 5; ++i) {
    size |= static_cast<uint64_t>(last[-static_cast<int>(i)] & 127) << (7 * i);
    if ((last[-static_cast<int>(i)] & 128) == 0) {
      *width = i + 1;
      return static_cast<uint32_t>(size);
    }
  }
  *width = 0;
  return 0;
}

template <typename T>
inline T LoadLittle(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);  // The hosts we build for are little-endian.
  return value;
}

inline int64_t LoadInt24(const uint8_t* at) {
  const uint32_t raw = uint32_t{at[0]} | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16;
  return static_cast<int32_t>(raw << 8) >> 8;
}

// Size of head and payload of the element at `at`. REQUIRES: a valid element, not the end.
inline uint32_t BodySize(const uint8_t* at) {
  const uint8_t head = *at;
  if (head < 0x80) return 1;
  if (head < 0xC0) return 1 + (head & 0x3F);
  if (head < 0xE0) return 2;
  if (head < 0xF0) return 2 + ((head & 0x0Fu) << 8 | at[1]);
  switch (head) {
    case 0xF0:
      return 5 + LoadLittle<uint32_t>(at + 1);
    case 0xF1:
      return 3;
    case 0xF2:
      return 4;
    case 0xF3:
      return 5;
    default:
      return 9;
  }
}

inline uint32_t ElementSize(const uint8_t* at) {
  const uint32_t body = BodySize(at);
  return body + BacklenSize(body);
}

inline Item StringItem(const uint8_t* at, uint32_t size) {
  return Item(std::string_view(reinterpret_cast<const char*>(at), size));
}

// REQUIRES: a valid element, not the end.
inline Item ReadItem(const uint8_t* at) {
  const uint8_t head = *at;
  if (head < 0x80) return Item(int64_t{head});
  if (head < 0xC0) return StringItem(at + 1, head & 0x3F);
  if (head < 0xE0) {
    const uint32_t raw = (head & 0x1Fu) << 8 | at[1];
    return Item(int64_t{static_cast<int32_t>(raw << 19) >> 19});
  }
  if (head < 0xF0) return StringItem(at + 2, (head & 0x0Fu) << 8 | at[1]);
  switch (head) {
    case 0xF0:
      return StringItem(at + 5, LoadLittle<uint32_t>(at + 1));
    case 0xF1:
      return Item(int64_t{LoadLittle<int16_t>(at + 1)});
    case 0xF2:
      return Item(LoadInt24(at + 1));
    case 0xF3:
      return Item(int64_t{LoadLittle<int32_t>(at + 1)});
    default:
      return Item(LoadLittle<int64_t>(at + 1));
  }
}

// An element ready to be written: knows its size before it has a place.
class Encoded {
 public:
  explicit Encoded(std::string_view bytes) {
    if (MayBeNumber(bytes)) {
      if (const auto number = ParseInt64(bytes)) {
        SetNumber(*number);
        return;
      }
    }
    SetBytes(bytes);
  }
  explicit Encoded(int64_t number) { SetNumber(number); }
  explicit Encoded(const Item& item) {
    if (item.is_number()) {
      SetNumber(item.number());
    } else {
      SetBytes(item.bytes());  // Already known not to be an integer, or kept as it was.
    }
  }

  bool is_number() const { return payload_.data() == nullptr; }
  int64_t number() const { return number_; }
  std::string_view payload() const { return payload_; }

  uint32_t body_size() const { return head_size_ + static_cast<uint32_t>(payload_.size()); }
  uint32_t size() const { return body_size() + BacklenSize(body_size()); }

  // Writes size() bytes.
  void WriteTo(uint8_t* at) const {
    std::memcpy(at, head_, head_size_);
    at += head_size_;
    if (!payload_.empty()) {
      std::memcpy(at, payload_.data(), payload_.size());
      at += payload_.size();
    }
    WriteBacklen(at, body_size());
  }

 private:
  // Turns most strings away without a call.
  static bool MayBeNumber(std::string_view bytes) {
    return !bytes.empty() && bytes.size() <= 20 && bytes.back() >= '0' && bytes.back() <= '9' &&
           bytes.front() <= '9';
  }

  void SetBytes(std::string_view bytes) {
    payload_ = bytes.data() != nullptr ? bytes : std::string_view("");
    const auto size = static_cast<uint32_t>(bytes.size());
    if (size < 64) {
      head_[0] = static_cast<uint8_t>(0x80 | size);
      head_size_ = 1;
    } else if (size < 4096) {
      head_[0] = static_cast<uint8_t>(0xE0 | size >> 8);
      head_[1] = static_cast<uint8_t>(size);
      head_size_ = 2;
    } else {
      head_[0] = 0xF0;
      std::memcpy(head_ + 1, &size, 4);
      head_size_ = 5;
    }
  }

  void SetNumber(int64_t number) {
    number_ = number;
    if (number >= 0 && number <= 127) {
      head_[0] = static_cast<uint8_t>(number);
      head_size_ = 1;
    } else if (number >= -4096 && number <= 4095) {
      const auto raw = static_cast<uint32_t>(number) & 0x1FFF;
      head_[0] = static_cast<uint8_t>(0xC0 | raw >> 8);
      head_[1] = static_cast<uint8_t>(raw);
      head_size_ = 2;
    } else if (number >= INT16_MIN && number <= INT16_MAX) {
      SetWide(0xF1, 2);
    } else if (number >= -(1 << 23) && number < (1 << 23)) {
      SetWide(0xF2, 3);
    } else if (number >= INT32_MIN && number <= INT32_MAX) {
      SetWide(0xF3, 4);
    } else {
      SetWide(0xF4, 8);
    }
  }

  void SetWide(uint8_t head, uint32_t width) {
    head_[0] = head;
    std::memcpy(head_ + 1, &number_, width);
    head_size_ = 1 + width;
  }

  uint8_t head_[9];
  uint32_t head_size_;
  std::string_view payload_;  // Null data for a number.
  int64_t number_ = 0;
};

}  // namespace backplane::listpack
