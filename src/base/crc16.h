// SPDX-License-Identifier: BSD-3-Clause
// CRC-16 and the cluster's key slots made of it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane {

inline constexpr uint16_t kSlotCount = 16384;

// XMODEM (CCITT polynomial 0x1021, start 0, not reflected). Crc16("123456789") is 0x31c3.
uint16_t Crc16(std::string_view bytes);

// The part of a key that chooses its slot: what stands between the first "{" and the first "}"
// behind it when that is not empty, else the whole key.
std::string_view KeyHashTag(std::string_view key);

// 0 .. kSlotCount - 1.
uint16_t KeySlot(std::string_view key);

}  // namespace backplane
