// SPDX-License-Identifier: BSD-3-Clause
// WriteSnapshot: the whole data set as an RDB (grammar: rdb_format.h). Persistence is the user, in
// the server's process or in a forked child. Engine thread, or the child's only one.
#pragma once

#include <cstdint>

#include "keyspace/keyspace.h"
#include "persist/byte_sink.h"
#include "persist/library_store.h"
#include "persist/snapshot.h"
#include "value/dormant_value.h"

namespace backplane {

// Told every now and then how far a save is.
class SaveWatcher {
 public:
  virtual ~SaveWatcher() = default;
  virtual void OnKeysSaved(uint64_t keys) = 0;
};

struct SnapshotSaveOptions {
  int rdb_version = 11;  // 10 or 11
  bool compress = true;
  bool checksum = true;
  ModuleValues* modules = nullptr;          // for AUX fields; null: those of `extras`
  const SnapshotExtras* extras = nullptr;   // null: none
  const LibraryStore* libraries = nullptr;  // null: none
  SaveWatcher* watcher = nullptr;
  int64_t key_delay_us = 0;  // as DelayForKey takes it
  bool aof_base = false;     // it begins an append-only file: said in an AUX field
};

// Writes everything and flushes the sink. kIo when the sink failed; it then holds a part.
Status WriteSnapshot(Keyspace& keyspace, const SnapshotSaveOptions& options, ByteSink& sink);

}  // namespace backplane
