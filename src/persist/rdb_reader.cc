// SPDX-License-Identifier: BSD-3-Clause
#include "persist/rdb_reader.h"

#include <liblzf/lzf.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "base/numbers.h"
#include "persist/rdb_format.h"

namespace backplane {
namespace {

static_assert(std::endian::native == std::endian::little, "fixed-width numbers are copied as is");

constexpr size_t kScratchMin = 4096;
constexpr size_t kScratchKeptMax = size_t{1} << 20;

template <class T>
T FromBytes(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace

std::unexpected<Error> RdbReader::Broken(const char* what) {
  failed_ = true;
  return Fail(ErrorCode::kCorrupt,
              std::string(what) + " at offset " + std::to_string(source_.offset()));
}

std::unexpected<Error> RdbReader::Ended() {
  if (source_.error() == 0) return Broken("unexpected end of the input");
  failed_ = true;
  return Fail(ErrorCode::kIo, std::string("read at offset ") + std::to_string(source_.offset()) +
                                  ": " + std::strerror(source_.error()));
}

Result<std::string_view> RdbReader::Take(uint64_t size) {
  std::string_view bytes;
  if (!source_.Take(size, &bytes)) [[unlikely]]
    return Ended();
  if (capture_ != nullptr) [[unlikely]]
    capture_->append(bytes);
  return bytes;
}

Result<uint8_t> RdbReader::ReadByte() {
  BP_ASSIGN_OR_RETURN(const std::string_view bytes, Take(1));
  return static_cast<uint8_t>(bytes[0]);
}

Result<uint32_t> RdbReader::ReadUint32() {
  BP_ASSIGN_OR_RETURN(const std::string_view bytes, Take(4));
  return FromBytes<uint32_t>(bytes);
}

Result<uint64_t> RdbReader::ReadUint64() {
  BP_ASSIGN_OR_RETURN(const std::string_view bytes, Take(8));
  return FromBytes<uint64_t>(bytes);
}

Result<RdbReader::Head> RdbReader::ReadHead() {
  BP_ASSIGN_OR_RETURN(const uint8_t first, ReadByte());
  switch (first & 0xC0) {
    case rdb::kLength6:
      return Head{false, first};
    case rdb::kLength14: {
      BP_ASSIGN_OR_RETURN(const uint8_t low, ReadByte());
      return Head{false, static_cast<uint64_t>(first & 0x3F) << 8 | low};
    }
    case rdb::kEncoded:
      return Head{true, first};
    default:
      break;
  }
  if (first != rdb::kLength32 && first != rdb::kLength64) return Broken("unknown length encoding");
  BP_ASSIGN_OR_RETURN(const std::string_view bytes, Take(first == rdb::kLength32 ? 4 : 8));
  return Head{false, BigEndian(bytes)};
}

Result<uint64_t> RdbReader::ReadLength() {
  BP_ASSIGN_OR_RETURN(const Head head, ReadHead());
  if (head.encoded) return Broken("an encoded string where a length is due");
  return head.value;
}

Result<std::string_view> RdbReader::ReadStringView() {
  BP_ASSIGN_OR_RETURN(const Head head, ReadHead());
  if (head.encoded) [[unlikely]]
    return ReadEncoded(static_cast<uint8_t>(head.value));
  return Take(head.value);
}

Result<std::string_view> RdbReader::ReadEncoded(uint8_t first) {
  int64_t number;
  switch (first) {
    case rdb::kEncodedInt8: {
      BP_ASSIGN_OR_RETURN(const std::string_view bytes, Take(1));
      number = FromBytes<int8_t>(bytes);
      break;
    }
    case rdb::kEncodedInt16: {
      BP_ASSIGN_OR_RETURN(const std::string_view bytes, Take(2));
      number = FromBytes<int16_t>(bytes);
      break;
    }
    case rdb::kEncodedInt32: {
      BP_ASSIGN_OR_RETURN(const std::string_view bytes, Take(4));
      number = FromBytes<int32_t>(bytes);
      break;
    }
    case rdb::kEncodedLzf:
      return ReadCompressed();
    default:
      return Broken("unknown string encoding");
  }
  if (scratch_size_ < kNumberTextMax) {
    scratch_.reset(new char[kScratchMin]);
    scratch_size_ = kScratchMin;
  }
  return std::string_view(scratch_.get(), Int64ToText(number, scratch_.get()));
}

Result<std::string_view> RdbReader::ReadCompressed() {
  BP_ASSIGN_OR_RETURN(const uint64_t packed_size, ReadLength());
  BP_ASSIGN_OR_RETURN(const uint64_t size, ReadLength());
  if (packed_size > remaining()) return Broken("a compressed string longer than the input");
  if (size == 0 || size > std::numeric_limits<uint32_t>::max() ||
      packed_size > std::numeric_limits<uint32_t>::max() ||
      size > packed_size * rdb::kLzfRatioMax) {
    return Broken("impossible size of a compressed string");
  }
  BP_ASSIGN_OR_RETURN(const std::string_view packed, Take(packed_size));
  if (scratch_size_ < size || (scratch_size_ > kScratchKeptMax && size < kScratchKeptMax)) {
    scratch_size_ = std::max<size_t>(size, kScratchMin);
    scratch_.reset(new (std::nothrow) char[scratch_size_]);
    if (scratch_ == nullptr) {
      scratch_size_ = 0;
      return Broken("no memory for a compressed string");
    }
  }
  const unsigned plain = lzf_decompress(packed.data(), static_cast<unsigned>(packed_size),
                                        scratch_.get(), static_cast<unsigned>(size));
  if (plain != size) return Broken("malformed compressed string");
  return std::string_view(scratch_.get(), size);
}

Result<std::string> RdbReader::ReadString() {
  BP_ASSIGN_OR_RETURN(const std::string_view bytes, ReadStringView());
  return std::string(bytes);
}

Status RdbReader::SkipString() {
  BP_ASSIGN_OR_RETURN(const Head head, ReadHead());
  if (!head.encoded) return SkipRaw(head.value);
  if (head.value != rdb::kEncodedLzf) {
    if (auto bytes = ReadEncoded(static_cast<uint8_t>(head.value)); !bytes) {
      return std::unexpected(std::move(bytes).error());
    }
    return {};
  }
  BP_ASSIGN_OR_RETURN(const uint64_t packed_size, ReadLength());
  BP_RETURN_IF_ERROR(ReadLength());
  return SkipRaw(packed_size);
}

Status RdbReader::SkipRaw(uint64_t size) {
  constexpr uint64_t kStep = 1 << 16;
  if (size > remaining()) return Broken("a string longer than the input");
  while (size > 0) {
    const uint64_t step = std::min(size, kStep);
    BP_RETURN_IF_ERROR(Take(step));
    size -= step;
  }
  return {};
}

Result<double> RdbReader::ReadBinaryDouble() {
  BP_ASSIGN_OR_RETURN(const std::string_view bytes, Take(8));
  return FromBytes<double>(bytes);
}

Result<double> RdbReader::ReadTextDouble() {
  BP_ASSIGN_OR_RETURN(const uint8_t size, ReadByte());
  switch (size) {
    case rdb::kTextNan:
      return std::numeric_limits<double>::quiet_NaN();
    case rdb::kTextInfinity:
      return std::numeric_limits<double>::infinity();
    case rdb::kTextMinusInfinity:
      return -std::numeric_limits<double>::infinity();
    default:
      break;
  }
  BP_ASSIGN_OR_RETURN(const std::string_view text, Take(size));
  const auto value = ParseDouble(text);
  if (!value) return Broken("malformed number");
  return *value;
}

Status RdbReader::ReadRaw(char* out, size_t size) {
  BP_ASSIGN_OR_RETURN(const std::string_view bytes, Take(size));
  if (size > 0) std::memcpy(out, bytes.data(), size);
  return {};
}

}  // namespace backplane
