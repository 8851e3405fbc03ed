// SPDX-License-Identifier: BSD-3-Clause
// AofFiles: the folder of the append-only file: its manifest in memory and on the disk, and where
// the files lie. The manifest on the disk is always that in memory: Commit changes both or neither.
// Owned by AppendOnly. Engine thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "config/settings.h"
#include "persist/aof_manifest.h"
#include "persist/aof_sync_thread.h"

namespace backplane {

class AofFiles {
 public:
  // All outlive it.
  AofFiles(const Settings& settings, Logger& logger, AofSyncThread& sync)
      : settings_(settings), logger_(logger), sync_(sync) {}

  // Reads the manifest; none: the set is empty. Once: later calls change nothing.
  Status Read();
  // Takes a file of the old form, which lies beside the folder, into it. No-op where there is none,
  // or a set already.
  Status TakeOldFile();
  const AofManifest& manifest() const { return manifest_; }
  Status Commit(AofManifest next);
  // Forgets the files of the past and removes them, unless an option keeps them.
  void RemoveHistory();

  const std::string& prefix() const { return settings_.appendfilename; }
  std::string Path(const std::string& name) const { return settings_.appenddirname + "/" + name; }
  // Where incr commands go until the first base is there.
  std::string TempIncrName() const { return "temp-" + prefix() + ".incr"; }
  Status MakeFolder();
  // Opens for appending; `fresh`: made, or emptied. kIo.
  Result<int> OpenForAppending(const std::string& name, bool fresh);
  // kIo when it is not there.
  Result<uint64_t> SizeOf(const std::string& name) const;

 private:
  std::string ManifestPath() const { return Path(prefix() + ".manifest"); }
  bool IsOldFileMissing() const;

  const Settings& settings_;
  Logger& logger_;
  AofSyncThread& sync_;
  AofManifest manifest_;
  bool read_ = false;
};

}  // namespace backplane
