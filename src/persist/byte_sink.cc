// SPDX-License-Identifier: BSD-3-Clause
// Buffering, and the file behind it.
#include "persist/byte_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/crc64.h"

namespace backplane {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 17;
// Of a MemorySink; a longer piece of up to kPieceKeptMax leaves its memory to the next.
constexpr size_t kPieceBytes = 4096;
constexpr size_t kPieceKeptMax = size_t{1} << 20;
// So much may be written before the kernel is asked to begin putting it on the disk: the fsync at
// the end then has little left to do.
constexpr uint64_t kWritebackBytes = uint64_t{32} << 20;

}  // namespace

void ByteSink::Account() {
  if (checksum_on_ && at_ != accounted_) {
    crc_ = Crc64(crc_, std::string_view(accounted_, static_cast<size_t>(at_ - accounted_)));
  }
  accounted_ = at_;
}

uint64_t ByteSink::Checksum() {
  if (!checksum_on_) return 0;
  Account();
  return crc_;
}

void ByteSink::Emit(std::string_view bytes) {
  if (!failed()) status_ = WriteOut(bytes);
  written_ += bytes.size();
}

void ByteSink::EmptyBuffer() {
  Account();
  if (at_ != begin_) {
    const std::string_view bytes(begin_, static_cast<size_t>(at_ - begin_));
    at_ = accounted_ = begin_;
    Emit(bytes);
  }
}

void ByteSink::Overflow(std::string_view bytes) {
  EmptyBuffer();
  if (static_cast<size_t>(end_ - at_) >= bytes.size()) {
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
    return;
  }
  if (checksum_on_) crc_ = Crc64(crc_, bytes);
  Emit(bytes);
}

Status ByteSink::Flush() {
  EmptyBuffer();
  return status_;
}

MemorySink::MemorySink() : buffer_(new char[kPieceBytes]) {
  set_checksum(false);
  SetBuffer(buffer_.get(), kPieceBytes);
}

std::string_view MemorySink::bytes() {
  if (long_.empty()) return Buffered();
  static_cast<void>(Flush());
  return long_;
}

void MemorySink::Clear() {
  Rewind();
  if (long_.capacity() > kPieceKeptMax) long_ = std::string();
  long_.clear();
}

FileSink::FileSink(int fd) : fd_(fd), buffer_(new char[kBufferBytes]) {
  SetBuffer(buffer_.get(), kBufferBytes);
}

Status FileSink::WriteOut(std::string_view bytes) {
  since_writeback_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Fail(ErrorCode::kIo, std::string("write: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  if (incremental_ && since_writeback_ >= kWritebackBytes) {
    since_writeback_ = 0;
    // A hint: a file system that cannot do it loses nothing.
    sync_file_range(fd_, 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  return {};
}

}  // namespace backplane
