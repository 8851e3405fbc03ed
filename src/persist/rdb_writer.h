// SPDX-License-Identifier: BSD-3-Clause
// RdbWriter: lengths, strings and numbers as RDB has them, into a ByteSink. Values save themselves
// through it; snapshots, DUMP payloads and the module host (values in memory) make one. Errors
// latch in the sink. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "persist/byte_sink.h"
#include "value/serial.h"

namespace backplane {

class RdbWriter final : public ValueWriter {
 public:
  // `sink` outlives the writer. `rdb_version`: 10 or 11. `compress`: LZF for strings that it makes
  // smaller.
  RdbWriter(ByteSink& sink, int rdb_version, bool compress)
      : sink_(sink), rdb_version_(rdb_version), compress_(compress) {}

  int rdb_version() const override { return rdb_version_; }
  void WriteLength(uint64_t length) override;
  void WriteString(std::string_view bytes) override;
  void WriteBinaryDouble(double value) override;
  void WriteRaw(std::string_view bytes) override { sink_.Append(bytes); }

  void WriteByte(uint8_t byte) {
    const char c = static_cast<char>(byte);
    sink_.Append(std::string_view(&c, 1));
  }
  // As a string: in its integer form when it fits in 32 bits, else as digits.
  void WriteIntegerString(int64_t value);
  // Fixed width, little endian.
  void WriteUint16(uint16_t value);
  void WriteUint64(uint64_t value);

  ByteSink& sink() { return sink_; }

 private:
  // False when the value needs more than 32 bits.
  bool WriteAsInteger(int64_t value);
  // False when LZF does not make it smaller.
  bool WriteCompressed(std::string_view bytes);

  ByteSink& sink_;
  int rdb_version_;
  bool compress_;
  std::unique_ptr<char[]> scratch_;  // what LZF writes to, kept from string to string
  size_t scratch_size_ = 0;
};

}  // namespace backplane
