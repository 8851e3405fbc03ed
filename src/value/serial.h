// SPDX-License-Identifier: BSD-3-Clause
// What a value needs to write itself to, and read itself from, an RDB stream. persist/ implements
// both over a file, a buffer or a socket; values only see these interfaces. Engine thread, or the
// one thread of a forked child.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace backplane {

// Errors latch: after the first failed write every later one is ignored; the owner of the stream
// asks once at the end.
class ValueWriter {
 public:
  virtual ~ValueWriter() = default;
  // The RDB version being written (11 by default, 10 for Redis 7.0): decides which encodings may
  // appear.
  virtual int rdb_version() const = 0;
  virtual void WriteLength(uint64_t length) = 0;         // RDB length encoding
  virtual void WriteString(std::string_view bytes) = 0;  // RDB string: length-prefixed,
                                                         // integer-encoded or LZF when smaller
  virtual void WriteBinaryDouble(double value) = 0;      // 8 bytes, little endian
  virtual void WriteRaw(std::string_view bytes) = 0;     // as is
};

class ValueReader {
 public:
  virtual ~ValueReader() = default;
  virtual Result<uint64_t> ReadLength() = 0;
  virtual Result<std::string> ReadString() = 0;
  virtual Result<double> ReadBinaryDouble() = 0;
  virtual Result<double>
  ReadTextDouble() = 0;  // RDB type 3 (old sorted sets): length byte and decimal text
  virtual Status ReadRaw(char* out, size_t size) = 0;
  // Deep validation of nested encodings (listpack entries and so on) wanted; cheap header checks
  // are always done.
  virtual bool sanitize() const = 0;
  // Bytes that can still come, an upper bound for sizes announced by the input; SIZE_MAX when
  // unknown.
  virtual size_t remaining() const = 0;
};

// A reader that can keep the bytes it reads, as they stood in the input: dormant values are written
// back unchanged.
class CapturingReader : public ValueReader {
 public:
  // From now on every byte read is appended to *out, until StopCapture.
  virtual void StartCapture(std::string* out) = 0;
  virtual void StopCapture() = 0;
};

}  // namespace backplane
