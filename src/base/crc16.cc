// SPDX-License-Identifier: BSD-3-Clause
// CRC-16, a table entry per byte: keys are short.
#include "base/crc16.h"

#include <array>
#include <cstddef>

namespace backplane {
namespace {

constexpr std::array<uint16_t, 256> MakeTable() {
  std::array<uint16_t, 256> table{};
  for (size_t byte = 0; byte < 256; ++byte) {
    unsigned crc = static_cast<unsigned>(byte) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021u : 0u);
    table[byte] = static_cast<uint16_t>(crc);
  }
  return table;
}

constexpr std::array<uint16_t, 256> kTable = MakeTable();

}  // namespace

uint16_t Crc16(std::string_view bytes) {
  unsigned crc = 0;
  for (char c : bytes) {
    crc = ((crc << 8) & 0xffff) ^ kTable[(crc >> 8) ^ static_cast<unsigned char>(c)];
  }
  return static_cast<uint16_t>(crc);
}

std::string_view KeyHashTag(std::string_view key) {
  const size_t open = key.find('{');
  if (open == std::string_view::npos) return key;
  const size_t close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

uint16_t KeySlot(std::string_view key) {
  return static_cast<uint16_t>(Crc16(KeyHashTag(key)) % kSlotCount);
}

}  // namespace backplane
