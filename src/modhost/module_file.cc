// SPDX-License-Identifier: BSD-3-Clause
// ModuleFile: the checks.
#include "modhost/module_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "base/ascii.h"

namespace backplane {
namespace {

std::unexpected<Error> Refused(const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument, why);
}

// With all links resolved; empty when it leads nowhere.
std::string RealPath(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return {};
  std::string result = resolved;
  std::free(resolved);
  return result;
}

// Where the open file lies, whatever its name leads to by now. Empty when it lies nowhere.
std::string PlaceOf(int fd, const std::string& path) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  struct stat info;
  // Without /proc the name must do.
  return RealPath(lstat(link.c_str(), &info) == 0 ? link : path);
}

// `path` without its last part; the root's is the root.
std::string FolderOf(const std::string& path) {
  return path.substr(0, std::max<size_t>(path.rfind('/'), 1));
}

// Who may write it besides its owner, root and us; null when nobody may.
const char* OtherWriters(const struct stat& info) {
  if ((info.st_mode & S_IWOTH) != 0) return "everybody may write it";
  if (info.st_uid != 0 && info.st_uid != geteuid()) return "another user owns it";
  const bool own_group = info.st_gid == 0 || info.st_gid == getegid();
  if ((info.st_mode & S_IWGRP) != 0 && !own_group) return "another group may write it";
  return nullptr;
}

// Whether somebody else could put another file in the place of one in the folder.
Status CheckFolder(const std::string& folder) {
  struct stat info;
  if (stat(folder.c_str(), &info) != 0) return Fail(ErrorCode::kIo, std::strerror(errno));
  const bool ours = info.st_uid == 0 || info.st_uid == geteuid();
  // In a folder like /tmp only the owner of a file can do that.
  if (ours && (info.st_mode & S_ISVTX) != 0) return {};
  const char* who = OtherWriters(info);
  if (who == nullptr) return {};
  return Refused("Its folder " + folder + " is not safe: " + who + ".");
}

Result<std::string> Sha256Of(int fd) {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                 &EVP_MD_CTX_free);
  if (digest == nullptr || EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) != 1) {
    return Fail(ErrorCode::kUnsupported, "SHA-256 is not available");
  }
  char buffer[1 << 16];
  off_t at = 0;
  for (;;) {
    const ssize_t got = pread(fd, buffer, sizeof(buffer), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(ErrorCode::kIo, std::string("read: ") + std::strerror(errno));
    if (got == 0) break;
    EVP_DigestUpdate(digest.get(), buffer, static_cast<size_t>(got));
    at += got;
  }
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(digest.get(), bytes, &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[bytes[i] >> 4];
    hex += kDigits[bytes[i] & 15];
  }
  return hex;
}

}  // namespace

Result<ModuleFile> ModuleFile::Open(const std::string& path, const ModuleFilePolicy& policy) {
  ModuleFile file;
  file.path_ = path;
  file.pinned_ = !policy.sha256.empty();
  // Not to hang on a FIFO.
  file.fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.fd_ < 0) return Fail(ErrorCode::kNotFound, std::strerror(errno));
  struct stat info;
  if (fstat(file.fd_, &info) != 0) return Fail(ErrorCode::kIo, std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return Refused("It is not a regular file.");
  file.device_ = info.st_dev;
  file.inode_ = info.st_ino;
  file.size_ = info.st_size;
  file.modified_ns_ = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec;
  BP_RETURN_IF_ERROR(file.CheckAccess());
  BP_RETURN_IF_ERROR(file.CheckPlace(policy.directories));
  BP_RETURN_IF_ERROR(file.CheckDigest(policy.sha256));
  return file;
}

ModuleFile::ModuleFile(ModuleFile&& other) noexcept { *this = std::move(other); }

ModuleFile& ModuleFile::operator=(ModuleFile&& other) noexcept {
  if (this == &other) return *this;
  if (fd_ >= 0) close(fd_);
  path_ = std::move(other.path_);
  fd_ = std::exchange(other.fd_, -1);
  pinned_ = other.pinned_;
  device_ = other.device_;
  inode_ = other.inode_;
  size_ = other.size_;
  modified_ns_ = other.modified_ns_;
  return *this;
}

ModuleFile::~ModuleFile() {
  if (fd_ >= 0) close(fd_);
}

Result<ModuleFile> ModuleFile::Duplicate() const {
  ModuleFile copy;
  copy.fd_ = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (copy.fd_ < 0) return Fail(ErrorCode::kIo, std::strerror(errno));
  copy.path_ = path_;
  copy.pinned_ = pinned_;
  copy.device_ = device_;
  copy.inode_ = inode_;
  copy.size_ = size_;
  copy.modified_ns_ = modified_ns_;
  return copy;
}

bool ModuleFile::SameFile(const ModuleFile& other) const {
  return device_ == other.device_ && inode_ == other.inode_ && size_ == other.size_ &&
         modified_ns_ == other.modified_ns_;
}

bool ModuleFile::PathIsCurrent() const {
  struct stat info;
  return stat(path_.c_str(), &info) == 0 && IsInode(info.st_dev, info.st_ino);
}

Status ModuleFile::CheckAccess() const {
  struct stat info;
  if (fstat(fd_, &info) != 0) return Fail(ErrorCode::kIo, std::strerror(errno));
  if ((info.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) {
    return Refused("It does not have execute permissions.");
  }
  if (const char* who = OtherWriters(info))
    return Refused(std::string("It is not safe: ") + who + ".");
  return {};
}

Status ModuleFile::CheckPlace(const std::vector<std::string>& directories) const {
  const std::string real = PlaceOf(fd_, path_);
  if (real.empty()) return Refused("It was removed while it was looked at.");
  const std::string folder = FolderOf(real);
  if (directories.empty()) return CheckFolder(folder);
  for (const std::string& directory : directories) {
    const std::string allowed = RealPath(directory);
    if (allowed.empty()) continue;
    if (!real.starts_with(allowed == "/" ? allowed : allowed + "/")) continue;
    // Up to the folder that the operator trusts, with that one.
    std::string each = folder;
    for (;; each = FolderOf(each)) {
      BP_RETURN_IF_ERROR(CheckFolder(each));
      if (each.size() <= allowed.size()) return {};
    }
  }
  return Refused("It is in none of the directories that module-directories allows.");
}

Status ModuleFile::CheckDigest(const std::string& sha256) const {
  if (sha256.empty()) return {};
  constexpr size_t kDigits = 64;
  const bool hex = std::all_of(sha256.begin(), sha256.end(), [](char c) {
    const char lower = AsciiLower(c);
    return (lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f');
  });
  if (sha256.size() != kDigits || !hex) {
    return Refused("sha256: must be followed by 64 hexadecimal digits.");
  }
  BP_ASSIGN_OR_RETURN(const std::string found, Sha256Of(fd_));
  if (found != ToLower(sha256)) return Refused("Its SHA-256 digest is " + found + ".");
  return {};
}

}  // namespace backplane
