// SPDX-License-Identifier: BSD-3-Clause
// FUNCTION DUMP payloads: the code of libraries as RDB fields, with version and checksum behind
// (grammar: rdb_format.h).
//
//   payload = { FUNCTION2 string } version(2) crc64(8)
//
// Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace backplane {

// `rdb_version`: 10 or 11.
std::string CreateLibraryPayload(const std::vector<std::string_view>& codes, int rdb_version,
                                 bool compress);
// The pieces of code in it. kUnsupported: version or checksum are wrong; kWrongType: it holds
// something else; kCorrupt: its strings are damaged.
Result<std::vector<std::string>> ParseLibraryPayload(std::string_view payload);

}  // namespace backplane
