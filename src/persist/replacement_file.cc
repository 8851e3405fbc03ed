// SPDX-License-Identifier: BSD-3-Clause
#include "persist/replacement_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace backplane {
namespace {

std::unexpected<Error> IoError(const std::string& what, const std::string& path) {
  return Fail(ErrorCode::kIo, what + " " + path + ": " + std::strerror(errno));
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Status SyncFolderOf(const std::string& path) {
  const std::string folder = FolderOf(path);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return IoError("open folder", folder);
  // Some file systems cannot sync a folder and say EINVAL; they are no worse than without.
  const bool failed = fsync(fd) != 0 && errno != EINVAL;
  const int error = errno;
  close(fd);
  errno = error;
  if (failed) return IoError("fsync folder", folder);
  return {};
}

Result<ReplacementFile> ReplacementFile::Create(std::string path, std::string temp_path) {
  unlink(temp_path.c_str());
  // O_EXCL: a link that somebody put there is not followed.
  const int fd = open(temp_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return IoError("create", temp_path);
  return ReplacementFile(std::move(path), std::move(temp_path), fd);
}

ReplacementFile::ReplacementFile(ReplacementFile&& other) noexcept
    : path_(std::move(other.path_)),
      temp_path_(std::move(other.temp_path_)),
      fd_(std::exchange(other.fd_, -1)),
      renamed_(std::exchange(other.renamed_, true)) {}

ReplacementFile::~ReplacementFile() {
  if (fd_ >= 0) close(fd_);
  if (!renamed_) unlink(temp_path_.c_str());
}

Status ReplacementFile::Commit() {
  if (fsync(fd_) != 0) return IoError("fsync", temp_path_);
  const int closed = close(std::exchange(fd_, -1));
  if (closed != 0 && errno != EINTR) return IoError("close", temp_path_);
  if (std::rename(temp_path_.c_str(), path_.c_str()) != 0) {
    return IoError("rename " + temp_path_ + " to", path_);
  }
  renamed_ = true;
  return SyncFolderOf(path_);
}

}  // namespace backplane
