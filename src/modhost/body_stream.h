// SPDX-License-Identifier: BSD-3-Clause
// BodyReader and BodyWriter: the RDB encodings over memory, for bodies of module values. Engine
// thread.
#pragma once

#include <string>
#include <string_view>

#include "value/serial.h"

namespace backplane {

// Reads from a view.
class BodyReader final : public ValueReader {
 public:
  explicit BodyReader(std::string_view bytes) : rest_(bytes) {}
  Result<uint64_t> ReadLength() override;
  Result<std::string> ReadString() override;
  Result<double> ReadBinaryDouble() override;
  Result<double> ReadTextDouble() override;
  Status ReadRaw(char* out, size_t size) override;
  bool sanitize() const override { return true; }
  size_t remaining() const override { return rest_.size(); }

 private:
  // `*encoded`: the two low bits name an encoding instead of a length.
  Result<uint64_t> ReadLengthOrEncoding(bool* encoded);
  Result<std::string> ReadEncodedString(uint64_t encoding);
  std::string_view rest_;
};

// Appends to a string.
class BodyWriter final : public ValueWriter {
 public:
  explicit BodyWriter(std::string* out) : out_(out) {}
  int rdb_version() const override { return 11; }
  void WriteLength(uint64_t length) override;
  void WriteString(std::string_view bytes) override;
  void WriteBinaryDouble(double value) override;
  void WriteRaw(std::string_view bytes) override { out_->append(bytes); }

 private:
  std::string* out_;
};

}  // namespace backplane
