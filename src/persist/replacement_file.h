// SPDX-License-Identifier: BSD-3-Clause
// ReplacementFile: a file that takes the place of another at once or not at all. It is written
// under a temporary name in the same folder; Commit puts its bytes on the disk, then the name, then
// the folder's entry, so a crash at any moment leaves the old file or the new one, whole. Without
// Commit the temporary file is removed. One thread at a time.
#pragma once

#include <string>

#include "base/result.h"

namespace backplane {

// Forces the entries of the folder that `path` lies in to the disk: names that were made, changed
// or removed there. kIo.
Status SyncFolderOf(const std::string& path);

class ReplacementFile {
 public:
  // Creates the temporary file `temp_path`, which must lie in the folder of `path`; one left over
  // under that name is removed. kIo: the message names the file and the reason.
  static Result<ReplacementFile> Create(std::string path, std::string temp_path);

  ReplacementFile(ReplacementFile&& other) noexcept;
  ReplacementFile& operator=(ReplacementFile&&) = delete;
  ~ReplacementFile();

  int fd() const { return fd_; }
  // kIo: nothing has replaced the old file, unless only the folder's entry could not be forced out.
  Status Commit();

 private:
  ReplacementFile(std::string path, std::string temp_path, int fd)
      : path_(std::move(path)), temp_path_(std::move(temp_path)), fd_(fd) {}

  std::string path_;
  std::string temp_path_;
  int fd_;
  bool renamed_ = false;
};

}  // namespace backplane
