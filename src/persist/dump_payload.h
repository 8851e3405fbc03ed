// SPDX-License-Identifier: BSD-3-Clause
// DUMP payloads: one value as RDB bytes with version and checksum behind (grammar: rdb_format.h).
// DUMP, RESTORE and modules use them. Engine thread.
#pragma once

#include <string>
#include <string_view>

#include "persist/rdb_value.h"

namespace backplane {

// The payload of what the entry holds. `rdb_version`: 10 or 11.
std::string CreateDumpPayload(const Entry& entry, int rdb_version, bool compress);
// The same for a value without an entry.
std::string CreateDumpPayload(const Value& value, int rdb_version, bool compress);

// Puts version and checksum behind the bytes.
void AppendDumpFooter(std::string* payload, int rdb_version);

// Version and checksum are right. False is what RESTORE answers with "DUMP payload version or
// checksum are wrong".
bool DumpPayloadIsWhole(std::string_view payload);

// Reads a payload, validating nested encodings to the last byte. Short strings that had to be
// unpacked are put into *scratch; the content's `bytes` live as long as both. kUnsupported: version
// or checksum are wrong; kCorrupt: the data are.
Result<EntryBuilder::Content> ParseDumpPayload(std::string_view payload, const ValueOrigin& origin,
                                               std::string* scratch);

}  // namespace backplane
