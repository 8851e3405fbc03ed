// SPDX-License-Identifier: BSD-3-Clause
// Fuzzer of RDB loading: any bytes are a data set or an error; a data set can be used, saved in
// both versions and loaded again, with the same number of keys. The checksum is not verified, or
// nothing would get past it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "persist/snapshot_loader.h"
#include "persist/snapshot_writer.h"

namespace {

using backplane::Entry;
using backplane::Keyspace;

bool Load(std::string_view bytes, Keyspace& keyspace, backplane::SnapshotExtras& extras) {
  backplane::MemorySource source(bytes);
  return backplane::LoadSnapshot(
             source, keyspace,
             {.sanitize = true, .checksum = false, .drop_expired = false, .extras = &extras})
      .has_value();
}

void Use(Keyspace& keyspace) {
  for (int i = 0; i < keyspace.database_count(); ++i) {
    keyspace.db(i).ForEach([](const Entry* entry) {
      BP_ASSERT(entry->MemoryUsage(0) > 0);
      BP_ASSERT(!entry->encoding_name().empty());
      if (entry->is_string()) return;
      // A stream may be empty.
      BP_ASSERT(entry->value().length() > 0 || entry->type() == backplane::TypeId::kStream);
      BP_ASSERT(entry->value().Clone()->length() == entry->value().length());
    });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Keyspace keyspace(16);
  backplane::SnapshotExtras extras;
  if (!Load(bytes, keyspace, extras)) return 0;
  Use(keyspace);
  for (const int version : {10, 11}) {
    std::string saved;
    backplane::StringSink sink(&saved);
    BP_ASSERT(backplane::WriteSnapshot(keyspace, {.rdb_version = version, .extras = &extras}, sink)
                  .has_value());
    Keyspace again(16);
    backplane::SnapshotExtras extras_again;
    BP_ASSERT(Load(saved, again, extras_again));
    BP_ASSERT(again.KeyCount() == keyspace.KeyCount());
    BP_ASSERT(extras_again.functions.size() == extras.functions.size());
    BP_ASSERT(extras_again.module_aux.size() == extras.module_aux.size());
  }
  return 0;
}
