// SPDX-License-Identifier: BSD-3-Clause
// ByteSink: output bytes in order, with a CRC-64 of all of them. The first error latches: what
// comes after is dropped, and status() tells. StringSink appends to a string, MemorySink keeps the
// bytes in a buffer of its own, FileSink writes a file descriptor through a buffer. Used by
// RdbWriter. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace backplane {

class ByteSink {
 public:
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;

  void Append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (static_cast<size_t>(end_ - at_) < bytes.size()) [[unlikely]]
      return Overflow(bytes);
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

  // The CRC-64 of everything appended; 0 after set_checksum(false).
  uint64_t Checksum();
  // REQUIRES: nothing has been appended.
  void set_checksum(bool on) { checksum_on_ = on; }

  // Hands everything buffered on. The first error since construction, kIo.
  Status Flush();
  bool failed() const { return !status_.has_value(); }
  // Bytes appended so far.
  uint64_t size() const { return written_ + static_cast<uint64_t>(at_ - begin_); }

 protected:
  ByteSink() = default;
  void SetBuffer(char* buffer, size_t size) {
    begin_ = at_ = accounted_ = buffer;
    end_ = buffer + size;
  }
  // Takes bytes out for good.
  virtual Status WriteOut(std::string_view bytes) = 0;
  // What stands in the buffer.
  std::string_view Buffered() const { return {begin_, static_cast<size_t>(at_ - begin_)}; }
  // Forgets the bytes of the buffer and how many there have been.
  void Rewind() {
    at_ = accounted_ = begin_;
    written_ = 0;
  }

 private:
  void Overflow(std::string_view bytes);
  void Emit(std::string_view bytes);
  void Account();
  void EmptyBuffer();

  char* begin_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
  char* accounted_ = nullptr;
  uint64_t written_ = 0;
  uint64_t crc_ = 0;
  bool checksum_on_ = true;
  Status status_;
};

// Every Append is in the string when it returns.
class StringSink final : public ByteSink {
 public:
  // Appends to *out, which outlives the sink.
  explicit StringSink(std::string* out) : out_(out) { set_checksum(false); }

 private:
  Status WriteOut(std::string_view bytes) override {
    out_->append(bytes);
    return {};
  }
  std::string* out_;
};

// For many small pieces of output, one after the other: Clear() keeps the memory.
class MemorySink final : public ByteSink {
 public:
  MemorySink();
  // Everything appended since Clear(); valid until the next Append or Clear.
  std::string_view bytes();
  void Clear();

 private:
  Status WriteOut(std::string_view bytes) override {
    long_.append(bytes);
    return {};
  }
  std::unique_ptr<char[]> buffer_;
  std::string long_;  // what did not fit into the buffer
};

class FileSink final : public ByteSink {
 public:
  // Does not own `fd`.
  explicit FileSink(int fd);
  // Whether the kernel is asked, every few megabytes, to begin putting the file on the disk.
  void set_incremental(bool on) { incremental_ = on; }

 private:
  Status WriteOut(std::string_view bytes) override;

  int fd_;
  std::unique_ptr<char[]> buffer_;
  uint64_t since_writeback_ = 0;
  bool incremental_ = true;
};

}  // namespace backplane
