// SPDX-License-Identifier: BSD-3-Clause
// LoadSnapshot: an RDB of any version from 1 to 11 into the keyspace (grammar: rdb_format.h).
// Persistence is the user. Engine thread.
#pragma once

#include <cstdint>

#include "base/log.h"
#include "keyspace/keyspace.h"
#include "persist/byte_source.h"
#include "persist/library_store.h"
#include "persist/snapshot.h"
#include "value/dormant_value.h"

namespace backplane {

struct SnapshotLoadOptions {
  bool sanitize = false;                  // deep validation of nested encodings
  bool checksum = true;                   // verify it, if the file has one
  bool drop_expired = true;               // as a primary does; a replica keeps them
  bool replace_duplicates = false;        // otherwise a key that exists is an error
  const int64_t* key_delay_us = nullptr;  // as DelayForKey takes it; may change meanwhile
  LibraryStore* libraries = nullptr;      // takes libraries of functions; null: `extras` does
  ModuleValues* modules = nullptr;        // null: module values stay dormant
  SnapshotExtras* extras = nullptr;       // takes what cannot be used; null: it is dropped
  Logger* logger = nullptr;               // null: silent
};

struct SnapshotLoadReport {
  int rdb_version = 0;
  uint64_t keys_loaded = 0;
  uint64_t keys_expired = 0;
  uint64_t keys_dormant = 0;  // of the loaded ones: module values without their module
};

// Adds the file's keys to the keyspace. On an error (kCorrupt, kUnsupported, kIo; the message names
// the offset) the keys before it have been added: the caller empties the keyspace or exits.
Result<SnapshotLoadReport> LoadSnapshot(ByteSource& source, Keyspace& keyspace,
                                        const SnapshotLoadOptions& options);

}  // namespace backplane
