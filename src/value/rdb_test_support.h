// SPDX-License-Identifier: BSD-3-Clause
// For tests of value/: a ValueWriter into memory and a ValueReader out of it, with RDB's length and
// string encodings (no compression), and helpers that damage what was written.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/numbers.h"
#include "value/limits.h"
#include "value/value.h"

namespace backplane::testing_support {

class MemoryWriter final : public ValueWriter {
 public:
  explicit MemoryWriter(int version = 11) : version_(version) {}
  std::string bytes;

  int rdb_version() const override { return version_; }
  void WriteLength(uint64_t length) override {
    if (length < 64) {
      bytes.push_back(static_cast<char>(length));
    } else if (length < 16384) {
      bytes.push_back(static_cast<char>(0x40 | length >> 8));
      bytes.push_back(static_cast<char>(length));
    } else {
      bytes.push_back(static_cast<char>(0x81));
      for (int shift = 56; shift >= 0; shift -= 8) {
        bytes.push_back(static_cast<char>(length >> shift));
      }
    }
  }
  void WriteString(std::string_view text) override {
    WriteLength(text.size());
    bytes.append(text);
  }
  void WriteBinaryDouble(double value) override {
    char raw[8] = {};
    std::memcpy(raw, &value, 8);
    bytes.append(raw, 8);
  }
  void WriteRaw(std::string_view raw) override { bytes.append(raw); }

 private:
  int version_;
};

// Copies into an exact allocation, so that ASan sees the first byte too far.
class MemoryReader final : public ValueReader {
 public:
  explicit MemoryReader(std::string_view bytes)
      : bytes_(new char[bytes.size()]), size_(bytes.size()) {
    if (!bytes.empty()) std::memcpy(bytes_.get(), bytes.data(), bytes.size());
  }

  Result<uint64_t> ReadLength() override {
    BP_ASSIGN_OR_RETURN(const uint64_t first, ReadNumber(1));
    switch (first >> 6) {
      case 0:
        return first;
      case 1: {
        BP_ASSIGN_OR_RETURN(const uint64_t low, ReadNumber(1));
        return (first & 0x3F) << 8 | low;
      }
      default:
        if (first == 0x80) return ReadNumber(4);
        if (first == 0x81) return ReadNumber(8);
        return Fail(ErrorCode::kCorrupt, "bad length");
    }
  }
  Result<std::string> ReadString() override {
    BP_ASSIGN_OR_RETURN(const uint64_t length, ReadLength());
    if (length > remaining()) return Fail(ErrorCode::kCorrupt, "cut off");
    std::string text(bytes_.get() + at_, length);
    at_ += length;
    return text;
  }
  Result<double> ReadBinaryDouble() override {
    char raw[8] = {};
    BP_RETURN_IF_ERROR(ReadRaw(raw, 8));
    double value;
    std::memcpy(&value, raw, 8);
    return value;
  }
  Result<double> ReadTextDouble() override {
    BP_ASSIGN_OR_RETURN(const uint64_t size, ReadNumber(1));
    std::string text(size, ' ');
    BP_RETURN_IF_ERROR(ReadRaw(text.data(), size));
    const auto value = ParseDouble(text);
    if (!value) return Fail(ErrorCode::kCorrupt, "bad double");
    return *value;
  }
  Status ReadRaw(char* out, size_t size) override {
    if (size > remaining()) return Fail(ErrorCode::kCorrupt, "cut off");
    std::memcpy(out, bytes_.get() + at_, size);
    at_ += size;
    return {};
  }
  bool sanitize() const override { return true; }
  size_t remaining() const override { return size_ - at_; }

 private:
  Result<uint64_t> ReadNumber(int width) {
    uint64_t value = 0;
    for (int i = 0; i < width; ++i) {
      if (remaining() == 0) return Fail(ErrorCode::kCorrupt, "cut off");
      value = value << 8 | static_cast<unsigned char>(bytes_[at_++]);
    }
    return value;
  }

  std::unique_ptr<char[]> bytes_;
  size_t size_;
  size_t at_ = 0;
};

inline std::string SaveToString(const Value& value, int version = 11) {
  MemoryWriter writer(version);
  value.Save(writer);
  return writer.bytes;
}

inline Result<std::unique_ptr<Value>> LoadFromString(uint8_t rdb_type, std::string_view bytes,
                                                     const EncodingLimits& limits = {}) {
  MemoryReader reader(bytes);
  return LoadBuiltinValue(rdb_type, reader, limits);
}

// Every one-bit change and every cut of `good` is handed to f(bytes).
template <class F>
void ForEachDamage(const std::string& good, F&& f) {
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    f(bytes);
  }
  for (size_t size = 0; size < good.size(); ++size) f(good.substr(0, size));
}

}  // namespace backplane::testing_support
