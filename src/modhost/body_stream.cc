// SPDX-License-Identifier: BSD-3-Clause
// BodyReader, BodyWriter: RDB lengths and strings over memory.
//
//   length = 00xxxxxx | 01xxxxxx byte | 10000000 be32 | 10000001 be64 | 11xxxxxx: encoding x
//   encoding = 0 int8, 1 int16, 2 int32 (little endian), 3 LZF: length packed, length plain, bytes
#include "modhost/body_stream.h"

#include <lzf.h>

#include <cstring>

#include "base/numbers.h"

namespace backplane {
namespace {

constexpr uint64_t kBulkMax = uint64_t{1} << 32;

std::unexpected<Error> Short() {
  return Fail(ErrorCode::kCorrupt, "a module value ends too early");
}

}  // namespace

Status BodyReader::ReadRaw(char* out, size_t size) {
  if (size > rest_.size()) return Short();
  std::memcpy(out, rest_.data(), size);
  rest_.remove_prefix(size);
  return {};
}

Result<uint64_t> BodyReader::ReadLengthOrEncoding(bool* encoded) {
  *encoded = false;
  unsigned char b[8];
  BP_RETURN_IF_ERROR(ReadRaw(reinterpret_cast<char*>(b), 1));
  const unsigned char first = b[0];
  switch (first >> 6) {
    case 0:
      return uint64_t{first};
    case 1:
      BP_RETURN_IF_ERROR(ReadRaw(reinterpret_cast<char*>(b), 1));
      return (uint64_t{first & 0x3fu} << 8) | b[0];
    case 2: {
      const size_t size = first == 0x80 ? 4 : 8;
      if (first != 0x80 && first != 0x81) {
        return Fail(ErrorCode::kCorrupt, "unknown length encoding");
      }
      BP_RETURN_IF_ERROR(ReadRaw(reinterpret_cast<char*>(b), size));
      uint64_t value = 0;
      for (size_t i = 0; i < size; ++i) value = value << 8 | b[i];
      return value;
    }
    default:
      *encoded = true;
      return uint64_t{first & 0x3fu};
  }
}

Result<uint64_t> BodyReader::ReadLength() {
  bool encoded;
  BP_ASSIGN_OR_RETURN(uint64_t value, ReadLengthOrEncoding(&encoded));
  if (encoded) return Fail(ErrorCode::kCorrupt, "a length was expected");
  return value;
}

Result<std::string> BodyReader::ReadEncodedString(uint64_t encoding) {
  if (encoding <= 2) {
    unsigned char b[4] = {};
    const size_t size = size_t{1} << encoding;
    BP_RETURN_IF_ERROR(ReadRaw(reinterpret_cast<char*>(b), size));
    uint32_t raw = b[0] | uint32_t{b[1]} << 8 | uint32_t{b[2]} << 16 | uint32_t{b[3]} << 24;
    int64_t value = size == 1   ? int64_t{static_cast<int8_t>(raw)}
                    : size == 2 ? int64_t{static_cast<int16_t>(raw)}
                                : int64_t{static_cast<int32_t>(raw)};
    return Int64ToString(value);
  }
  if (encoding != 3) return Fail(ErrorCode::kCorrupt, "unknown string encoding");
  BP_ASSIGN_OR_RETURN(uint64_t packed, ReadLength());
  BP_ASSIGN_OR_RETURN(uint64_t plain, ReadLength());
  // LZF packs at most some hundred to one; a larger claim is a lie that would cost memory.
  if (packed > rest_.size() || plain > kBulkMax || plain / 300 > packed) return Short();
  std::string text(plain, '\0');
  const auto size = lzf_decompress(rest_.data(), static_cast<unsigned>(packed), text.data(),
                                   static_cast<unsigned>(plain));
  if (size != plain) return Fail(ErrorCode::kCorrupt, "broken LZF string");
  rest_.remove_prefix(packed);
  return text;
}

Result<std::string> BodyReader::ReadString() {
  bool encoded;
  BP_ASSIGN_OR_RETURN(uint64_t size, ReadLengthOrEncoding(&encoded));
  if (encoded) return ReadEncodedString(size);
  if (size > rest_.size()) return Short();
  std::string text(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return text;
}

Result<double> BodyReader::ReadBinaryDouble() {
  double value;
  BP_RETURN_IF_ERROR(ReadRaw(reinterpret_cast<char*>(&value), sizeof(value)));
  return value;
}

Result<double> BodyReader::ReadTextDouble() {
  return Fail(ErrorCode::kUnsupported, "module values have no text doubles");
}

void BodyWriter::WriteLength(uint64_t length) {
  char b[9];
  size_t size = 0;
  if (length < 64) {
    b[size++] = static_cast<char>(length);
  } else if (length < 16384) {
    b[size++] = static_cast<char>(0x40 | (length >> 8));
    b[size++] = static_cast<char>(length);
  } else {
    const int bytes = length <= UINT32_MAX ? 4 : 8;
    b[size++] = static_cast<char>(bytes == 4 ? 0x80 : 0x81);
    for (int i = bytes; i-- > 0;) b[size++] = static_cast<char>(length >> (8 * i));
  }
  out_->append(b, size);
}

void BodyWriter::WriteString(std::string_view bytes) {
  WriteLength(bytes.size());
  out_->append(bytes);
}

void BodyWriter::WriteBinaryDouble(double value) {
  out_->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace backplane
