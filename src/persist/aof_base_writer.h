// SPDX-License-Identifier: BSD-3-Clause
// WriteAofBase: the whole data set as commands (grammar: aof_format.h), for a base file without
// RDB. Values of modules are written by their types' aof_rewrite; those without, dormant ones, and
// streams that commands cannot make again, as RESTORE of their DUMP payload. What modules keep
// beside keys (AUX fields) has no command and is not in it. AppendOnly is the user, in a forked
// child or at start. Engine thread, or the child's only one.
#pragma once

#include <cstdint>

#include "keyspace/keyspace.h"
#include "persist/byte_sink.h"
#include "persist/library_store.h"
#include "persist/snapshot_writer.h"
#include "value/dormant_value.h"

namespace backplane {

struct AofBaseOptions {
  int rdb_version = 11;  // of payloads
  bool compress = true;  // payloads
  bool timestamp = false;
  ModuleValues* modules = nullptr;
  const LibraryStore* libraries = nullptr;
  SaveWatcher* watcher = nullptr;
  int64_t key_delay_us = 0;  // as DelayForKey takes it
};

// Writes everything and flushes the sink. kIo when the sink failed; it then holds a part.
Status WriteAofBase(Keyspace& keyspace, const AofBaseOptions& options, ByteSink& sink);

}  // namespace backplane
