// SPDX-License-Identifier: BSD-3-Clause
// What a key holds, to and from RDB: strings, aggregates, module values, streams. Shared by
// snapshots and DUMP payloads. Engine thread, or the one thread of a forked child (saving).
#pragma once

#include <cstdint>
#include <string_view>

#include "keyspace/entry.h"
#include "keyspace/keyspace.h"
#include "persist/rdb_reader.h"
#include "persist/rdb_writer.h"
#include "value/dormant_value.h"

namespace backplane {

// The type byte for what the entry holds, in the given RDB version.
uint8_t RdbTypeOf(const Entry& entry, int rdb_version);
// The body that goes with it.
void SaveEntryValue(const Entry& entry, RdbWriter& writer);

// Where a value that is being read belongs, and who makes what of it.
struct ValueOrigin {
  std::string_view key;
  int db = 0;
  Keyspace& keyspace;               // whose encoding limits and dormant types count
  ModuleValues* modules = nullptr;  // null: module values stay dormant
};

// Reads the body of a value whose type byte has been read. The content's `bytes` (a short string)
// stand where ReadStringView left them: they die with the next read. Everything else in it is owned
// by the caller, to be given to an entry or freed. Errors: kCorrupt, kUnsupported (a type that we
// cannot read), each with the offset.
Result<EntryBuilder::Content> LoadEntryValue(uint8_t rdb_type, RdbReader& reader,
                                             const ValueOrigin& origin);

}  // namespace backplane
