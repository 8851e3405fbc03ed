// SPDX-License-Identifier: BSD-3-Clause
// Ziplist: the compact sequence that listpack replaced. Only RDB files of older servers hold it, so
// it is only read, once, and what comes out goes into a listpack.
//
//   ziplist = total-bytes:u32 tail-offset:u32 count:u16 entry* 0xFF
//   count   = number of entries, or 65535: not known
//   entry   = prevlen encoding data
//   prevlen = u8 (0..253) | 0xFE u32            size of the entry before, 0 for the first
//   encoding and data
//           = 00llllll                          string of l bytes
//           | 01llllll llllllll                 string of l bytes, high bits first
//           | 10...... u32 (big-endian)         string of l bytes
//           | 0xC0 i16 | 0xD0 i32 | 0xE0 i64 | 0xF0 i24 | 0xFE i8
//           | 1111vvvv (v from 1 to 13)         integer v - 1
// Numbers are little-endian unless said otherwise.
//
// Callable from any thread; the reader borrows the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "value/item.h"

namespace backplane {

class ZiplistReader {
 public:
  // Checks every entry, so that Next needs no bounds. nullopt if the bytes are no ziplist.
  static std::optional<ZiplistReader> Open(std::string_view bytes);

  // Number of entries, counted.
  uint32_t count() const { return count_; }
  // The next entry, front to back; false at the end.
  bool Next(Item* item);

 private:
  ZiplistReader() = default;

  const uint8_t* at_ = nullptr;
  uint32_t count_ = 0;
};

// Zipmap: what hashes were before ziplists (RDB type 9).
//
//   zipmap = count:u8 (field value)* 0xFF             count of 254: not known
//   field  = length bytes
//   value  = length free:u8 bytes (free unused bytes)
//   length = u8 (0..253) | 0xFE u32 (little-endian)
class ZipmapReader {
 public:
  // Checks every pair. nullopt if the bytes are no zipmap.
  static std::optional<ZipmapReader> Open(std::string_view bytes);

  // Number of pairs, counted.
  uint32_t count() const { return count_; }
  // The next pair; false at the end.
  bool Next(std::string_view* field, std::string_view* value);

 private:
  ZipmapReader() = default;

  const uint8_t* at_ = nullptr;
  uint32_t count_ = 0;
};

}  // namespace backplane
