// SPDX-License-Identifier: BSD-3-Clause
// ByteSource: input bytes in order, handed out as views without copying where they lie together;
// counts the offset and keeps a CRC-64. MemorySource reads a block that the caller keeps alive,
// FileSource a file descriptor. Used by RdbReader. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace backplane {

class ByteSource {
 public:
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  // Sets *out to the next `size` bytes, valid until the next call. False at the end of the input
  // (then nothing is consumed) or after a read error: see error().
  bool Take(size_t size, std::string_view* out) {
    if (static_cast<size_t>(end_ - at_) < size && !Fill(size)) [[unlikely]]
      return false;
    *out = std::string_view(at_, size);
    at_ += size;
    return true;
  }

  // Bytes taken so far.
  uint64_t offset() const { return base_offset_ + static_cast<uint64_t>(at_ - begin_); }
  // Bytes that can still come; SIZE_MAX when unknown.
  virtual size_t remaining() const = 0;
  // Of the operating system; 0: none, the input just ended.
  virtual int error() const { return 0; }

  // The CRC-64 of all bytes taken; meaningless after set_checksum(false).
  uint64_t Checksum();
  // Whether to compute it at all.
  void set_checksum(bool on) { checksum_on_ = on; }

 protected:
  ByteSource() = default;
  // Makes at least `size` bytes lie at at_. False: the input has fewer, or could not be read.
  virtual bool Fill(size_t size) = 0;
  // Adds what was taken since the last call to the checksum. Fill calls it before it moves bytes.
  void Account();

  const char* begin_ = nullptr;  // of the block; base_offset_ is its place in the input
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  const char* accounted_ = nullptr;
  uint64_t base_offset_ = 0;

 private:
  uint64_t crc_ = 0;
  bool checksum_on_ = true;
};

class MemorySource final : public ByteSource {
 public:
  // `bytes` outlives the source.
  explicit MemorySource(std::string_view bytes) {
    begin_ = at_ = accounted_ = bytes.data();
    end_ = begin_ + bytes.size();
  }
  size_t remaining() const override { return static_cast<size_t>(end_ - at_); }

 private:
  bool Fill(size_t size) override { return false; }
};

// Reads a regular file from the descriptor's current position to the size that it has now.
class FileSource final : public ByteSource {
 public:
  static constexpr size_t kBlockBytes = size_t{1} << 18;

  // Called between blocks, with the offset reached: progress of a long load. False calls it off:
  // the input ends with the error ECANCELED.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual bool OnProgress(uint64_t offset) = 0;
    // Bytes between two calls at most, as far as no string is longer.
    virtual size_t block_bytes() const { return kBlockBytes; }
  };

  // Does not own `fd`. `watcher` may be null.
  explicit FileSource(int fd, Watcher* watcher = nullptr);
  size_t remaining() const override {
    return static_cast<size_t>(end_ - at_) + static_cast<size_t>(unread_);
  }
  uint64_t file_size() const { return file_size_; }
  int error() const override { return error_; }

 private:
  bool Fill(size_t size) override;
  bool ReadInto(char* out, size_t size);

  int fd_;
  Watcher* watcher_;
  size_t block_bytes_;
  uint64_t file_size_ = 0;
  uint64_t unread_ = 0;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  int error_ = 0;
};

}  // namespace backplane
