// SPDX-License-Identifier: BSD-3-Clause
// CRC-64 as RDB files and DUMP payloads end with it ("Jones": reflected, polynomial
// 0xad93d23594c935a9, start 0, no final xor). Used by persist/. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane {

// Continues `crc` (0 at the start) over `bytes`. Crc64(0, "123456789") is 0xe9c6d914c4b8d9ca.
uint64_t Crc64(uint64_t crc, std::string_view bytes);

}  // namespace backplane
