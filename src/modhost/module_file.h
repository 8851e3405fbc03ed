// SPDX-License-Identifier: BSD-3-Clause
// ModuleFile: the file of a module, opened and checked, before any of its code is mapped. It stays
// open: what was checked is what is mapped later, whatever happens to the path, and an upgrade can
// go back to it. Engine thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace backplane {

// What is asked of a module's file.
struct ModuleFilePolicy {
  // It must lie below one of them, and others may change no folder from there to the file; empty:
  // anywhere, in a folder that others may not change.
  std::vector<std::string> directories;
  std::string sha256;  // its digest, hexadecimal; empty: any
};

class ModuleFile {
 public:
  // The error is a sentence about the file, without its path: it does not exist or is no regular
  // file, may not be executed, may be changed or replaced by others, lies elsewhere, has another
  // digest.
  static Result<ModuleFile> Open(const std::string& path, const ModuleFilePolicy& policy);
  ModuleFile(ModuleFile&& other) noexcept;
  ModuleFile& operator=(ModuleFile&& other) noexcept;
  ~ModuleFile();

  // Another handle on the same open file.
  Result<ModuleFile> Duplicate() const;

  const std::string& path() const { return path_; }  // as given
  int fd() const { return fd_; }
  // A digest was asked for: only what was hashed may be mapped.
  bool pinned() const { return pinned_; }
  // The same file, and it was not changed in between.
  bool SameFile(const ModuleFile& other) const;
  // Whether the path leads to this file still.
  bool PathIsCurrent() const;
  bool IsInode(dev_t device, ino_t inode) const { return device == device_ && inode == inode_; }

 private:
  ModuleFile() = default;
  Status CheckAccess() const;
  Status CheckPlace(const std::vector<std::string>& directories) const;
  Status CheckDigest(const std::string& sha256) const;

  std::string path_;
  int fd_ = -1;
  bool pinned_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  int64_t size_ = 0;
  int64_t modified_ns_ = 0;
};

}  // namespace backplane
