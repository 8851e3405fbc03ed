// SPDX-License-Identifier: BSD-3-Clause
// Lengths inside of table entries: 7 bits a byte, low bits first, high bit set on all but the last.
// One byte for nearly every field and member. In memory only, never in files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace backplane {

inline size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 128; value >>= 7) ++size;
  return size;
}

// Returns the byte behind what was written.
inline uint8_t* WriteVarint(uint8_t* at, uint64_t value) {
  for (; value >= 128; value >>= 7) *at++ = static_cast<uint8_t>(value | 128);
  *at++ = static_cast<uint8_t>(value);
  return at;
}

// Reads into `*value`; returns the byte behind.
inline const uint8_t* ReadVarint(const uint8_t* at, uint64_t* value) {
  uint64_t result = *at++;
  if (result >= 128) [[unlikely]] {
    result &= 127;
    for (int shift = 7;; shift += 7) {
      const uint64_t byte = *at++;
      result |= (byte & 127) << shift;
      if (byte < 128) break;
    }
  }
  *value = result;
  return at;
}

}  // namespace backplane
