// SPDX-License-Identifier: BSD-3-Clause
#include "persist/aof_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "persist/byte_sink.h"
#include "persist/replacement_file.h"

namespace backplane {
namespace {

std::unexpected<Error> IoError(const std::string& text) {
  return Fail(ErrorCode::kIo, text + std::strerror(errno));
}

bool IsFile(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// A manifest has a line for each file; nobody has so many.
constexpr size_t kManifestBytesMax = size_t{1} << 24;

Result<std::string> ReadWhole(int fd) {
  std::string text;
  char block[4096];
  for (;;) {
    const ssize_t got = read(fd, block, sizeof(block));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return IoError("");
    if (got == 0) return text;
    text.append(block, static_cast<size_t>(got));
    if (text.size() > kManifestBytesMax) return Fail(ErrorCode::kCorrupt, "it is too large");
  }
}

}  // namespace

Status AofFiles::Read() {
  if (read_) return {};
  const std::string path = ManifestPath();
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno != ENOENT) return IoError("Can't open the AOF manifest file " + path + ": ");
    read_ = true;
    return {};
  }
  auto text = ReadWhole(fd);
  close(fd);
  if (!text) return Prefix(text.error(), "Can't read the AOF manifest file " + path);
  auto manifest = AofManifest::Parse(*text);
  if (!manifest) return Prefix(manifest.error(), path);
  manifest_ = std::move(*manifest);
  read_ = true;
  return {};
}

// An interrupted TakeOldFile has written the manifest, and not moved the file.
bool AofFiles::IsOldFileMissing() const {
  return manifest_.base && manifest_.base->name == prefix() && manifest_.incrs.empty() &&
         !IsFile(Path(prefix()));
}

Status AofFiles::TakeOldFile() {
  if (!manifest_.empty() && !IsOldFileMissing()) return {};
  if (!IsFile(prefix())) return {};
  BP_RETURN_IF_ERROR(MakeFolder());
  if (manifest_.empty()) {
    AofManifest next;
    next.base_seq = 1;
    next.base = AofManifest::File{prefix(), 1};
    BP_RETURN_IF_ERROR(Commit(std::move(next)));
  }
  if (std::rename(prefix().c_str(), Path(prefix()).c_str()) != 0) {
    return IoError("Error trying to move the old AOF file " + prefix() + " into dir " +
                   settings_.appenddirname + ": ");
  }
  BP_RETURN_IF_ERROR(SyncFolderOf(Path(prefix())));
  BP_RETURN_IF_ERROR(SyncFolderOf(prefix()));
  logger_.Notice("Successfully migrated an old-style AOF file (" + prefix() +
                 ") into the AOF directory (" + settings_.appenddirname + ").");
  return {};
}

Status AofFiles::Commit(AofManifest next) {
  const std::string path = ManifestPath();
  const std::string text = next.Text();
  // Quotes can make a line of a name that nobody could read again.
  if (auto again = AofManifest::Parse(text); !again) {
    return Prefix(again.error(), "The AOF manifest cannot be written");
  }
  BP_ASSIGN_OR_RETURN(ReplacementFile file,
                      ReplacementFile::Create(path, Path("temp-" + prefix() + ".manifest")));
  FileSink sink(file.fd());
  sink.Append(text);
  BP_RETURN_IF_ERROR(sink.Flush());
  BP_RETURN_IF_ERROR(file.Commit());
  manifest_ = std::move(next);
  return {};
}

void AofFiles::RemoveHistory() {
  if (settings_.aof_disable_auto_gc || manifest_.history.empty()) return;
  AofManifest next = manifest_;
  next.history.clear();
  const auto history = manifest_.history;
  if (auto status = Commit(std::move(next)); !status) {
    logger_.Warning("The AOF manifest keeps its history: " + status.error().message);
    return;
  }
  for (const AofManifest::File& file : history) {
    logger_.Notice("Removing the history file " + file.name + " in the background");
    sync_.Unlink(Path(file.name));
  }
}

Status AofFiles::MakeFolder() {
  const std::string& folder = settings_.appenddirname;
  if (mkdir(folder.c_str(), 0755) == 0) return SyncFolderOf(folder);
  const int error = errno;
  struct stat info;
  if (error == EEXIST && stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  errno = error == EEXIST ? ENOTDIR : error;
  return IoError("Can't open or create append-only dir " + folder + ": ");
}

Result<int> AofFiles::OpenForAppending(const std::string& name, bool fresh) {
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | (fresh ? O_TRUNC : 0);
  const int fd = open(Path(name).c_str(), flags, 0644);
  if (fd < 0) return IoError("Can't open the append-only file " + name + ": ");
  return fd;
}

Result<uint64_t> AofFiles::SizeOf(const std::string& name) const {
  struct stat info;
  if (stat(Path(name).c_str(), &info) != 0) {
    return IoError("Unable to obtain the AOF file " + name + " length. stat: ");
  }
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace backplane
