// SPDX-License-Identifier: BSD-3-Clause
// FileSource: blocks of a file, larger ones for a string that is larger.
#include "persist/byte_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/crc64.h"

namespace backplane {

void ByteSource::Account() {
  if (checksum_on_ && at_ != accounted_) {
    crc_ = Crc64(crc_, std::string_view(accounted_, static_cast<size_t>(at_ - accounted_)));
  }
  accounted_ = at_;
}

uint64_t ByteSource::Checksum() {
  Account();
  return crc_;
}

FileSource::FileSource(int fd, Watcher* watcher)
    : fd_(fd), watcher_(watcher), block_bytes_(watcher ? watcher->block_bytes() : kBlockBytes) {
  struct stat info;
  if (fstat(fd, &info) != 0) {
    error_ = errno;
    return;
  }
  if (!S_ISREG(info.st_mode)) {
    error_ = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    return;
  }
  const off_t at = lseek(fd, 0, SEEK_CUR);
  file_size_ = static_cast<uint64_t>(info.st_size);
  unread_ = file_size_ - std::min(file_size_, static_cast<uint64_t>(std::max(at, off_t{0})));
}

bool FileSource::ReadInto(char* out, size_t size) {
  while (size > 0) {
    const ssize_t got = read(fd_, out, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      // Zero: the file has become shorter while we read it.
      error_ = got < 0 ? errno : 0;
      unread_ = 0;
      return false;
    }
    out += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool FileSource::Fill(size_t size) {
  Account();
  const auto kept = static_cast<size_t>(end_ - at_);
  if (size > kept + unread_) return false;
  base_offset_ += static_cast<uint64_t>(at_ - begin_);
  if (watcher_ != nullptr && !watcher_->OnProgress(base_offset_)) {
    error_ = ECANCELED;
    begin_ = at_;
    unread_ = 0;
    return false;
  }
  // A block made for one long string is not kept for the short ones after it.
  const size_t wanted = std::max(size, block_bytes_);
  if (capacity_ < wanted || capacity_ > 4 * wanted) {
    std::unique_ptr<char[]> block(new (std::nothrow) char[wanted]);
    if (block == nullptr) {
      error_ = ENOMEM;
      return false;
    }
    if (kept > 0) std::memcpy(block.get(), at_, kept);
    buffer_ = std::move(block);
    capacity_ = wanted;
  } else if (kept > 0) {
    std::memmove(buffer_.get(), at_, kept);
  }
  const auto fresh = static_cast<size_t>(std::min<uint64_t>(capacity_ - kept, unread_));
  begin_ = at_ = accounted_ = buffer_.get();
  end_ = begin_ + kept;
  if (!ReadInto(buffer_.get() + kept, fresh)) return false;
  unread_ -= fresh;
  end_ += fresh;
  return true;
}

}  // namespace backplane
