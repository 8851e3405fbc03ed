// SPDX-License-Identifier: BSD-3-Clause
// OpaqueValue: a stream read from an RDB or a DUMP payload, kept as the bytes of its body and
// written back unchanged, so that a file with streams loses nothing although no command reads them
// yet. CaptureStreamBody finds where such a body ends (grammar: rdb_format.h). Engine thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "persist/rdb_reader.h"
#include "value/value.h"

namespace backplane {

class OpaqueValue final : public Value {
 public:
  // `rdb_type`: one of the stream types; `body` as CaptureStreamBody returned it.
  OpaqueValue(uint8_t rdb_type, std::string body) : rdb_type_(rdb_type), body_(std::move(body)) {}

  std::string_view body() const { return body_; }

  const ValueType& type() const override;
  std::string_view encoding_name() const override { return "stream"; }
  uint64_t length() const override { return 1; }
  size_t MemoryUsage(size_t) const override { return sizeof(*this) + body_.capacity(); }
  size_t FreeEffort() const override { return 1; }
  std::unique_ptr<Value> Clone() const override {
    return std::make_unique<OpaqueValue>(rdb_type_, body_);
  }
  // The type it was read with, whatever the version asked for: the bytes are those of that type.
  uint8_t rdb_type(int) const override { return rdb_type_; }
  void Save(ValueWriter& writer) const override { writer.WriteRaw(body_); }

 private:
  uint8_t rdb_type_;
  std::string body_;
};

// Reads the body of a stream of this type byte and returns its bytes unchanged. kCorrupt: it ends
// too early, or a count or size in it cannot be.
Result<std::string> CaptureStreamBody(uint8_t rdb_type, RdbReader& reader);

}  // namespace backplane
