// SPDX-License-Identifier: BSD-3-Clause
// RdbReader: lengths, strings and numbers as RDB has them, out of a ByteSource. Values load
// themselves through it; snapshots, DUMP payloads and the module host (values in memory) make one.
// Its errors are kCorrupt (kIo when the file cannot be read) and name the offset. A length that
// promises more than the input can hold is an error before anything is allocated for it. One thread
// at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "persist/byte_source.h"
#include "value/serial.h"

namespace backplane {

class RdbReader final : public CapturingReader {
 public:
  // `source` outlives the reader.
  explicit RdbReader(ByteSource& source, bool sanitize = true)
      : source_(source), sanitize_(sanitize) {}

  Result<uint64_t> ReadLength() override;
  Result<std::string> ReadString() override;
  Result<double> ReadBinaryDouble() override;
  Result<double> ReadTextDouble() override;
  Status ReadRaw(char* out, size_t size) override;
  bool sanitize() const override { return sanitize_; }
  size_t remaining() const override { return source_.remaining(); }

  void StartCapture(std::string* out) override { capture_ = out; }
  void StopCapture() override { capture_ = nullptr; }

  Result<uint8_t> ReadByte();
  // Fixed width, little endian.
  Result<uint32_t> ReadUint32();
  Result<uint64_t> ReadUint64();
  // A string without a copy: the bytes stand in the source, or in the reader's scratch memory when
  // they had to be made. Valid until the next read.
  Result<std::string_view> ReadStringView();
  // Passes over one.
  Status SkipString();
  Status SkipRaw(uint64_t size);

  uint64_t offset() const { return source_.offset(); }
  // Whether an error has come from here, with its offset, rather than from who judged the bytes.
  bool failed() const { return failed_; }
  ByteSource& source() { return source_; }

 private:
  // A length, or the first byte of an encoded string.
  struct Head {
    bool encoded;
    uint64_t value;
  };
  Result<Head> ReadHead();
  Result<std::string_view> ReadEncoded(uint8_t first);
  Result<std::string_view> ReadCompressed();
  // The next bytes, valid until the next call; captured if asked.
  Result<std::string_view> Take(uint64_t size);
  std::unexpected<Error> Broken(const char* what);
  std::unexpected<Error> Ended();

  ByteSource& source_;
  bool sanitize_;
  bool failed_ = false;
  std::string* capture_ = nullptr;
  std::unique_ptr<char[]> scratch_;
  size_t scratch_size_ = 0;
};

}  // namespace backplane
