// SPDX-License-Identifier: BSD-3-Clause
#include "persist/rdb_writer.h"

#include <liblzf/lzf.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/numbers.h"
#include "persist/rdb_format.h"

namespace backplane {
namespace {

static_assert(std::endian::native == std::endian::little, "fixed-width numbers are copied as is");

// Compressing a string of this size would need as much scratch memory again, and LZF counts in 32
// bits.
constexpr size_t kCompressBytesMax = size_t{1} << 30;
// Scratch up to this size is kept for the next string.
constexpr size_t kScratchKeptMax = size_t{1} << 20;

template <class T>
std::string_view BytesOf(const T& value) {
  return std::string_view(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

void RdbWriter::WriteLength(uint64_t length) {
  char out[9];
  size_t size;
  if (length < 64) {
    out[0] = static_cast<char>(rdb::kLength6 | length);
    size = 1;
  } else if (length < 16384) {
    out[0] = static_cast<char>(rdb::kLength14 | length >> 8);
    out[1] = static_cast<char>(length);
    size = 2;
  } else {
    const bool wide = length > std::numeric_limits<uint32_t>::max();
    out[0] = static_cast<char>(wide ? rdb::kLength64 : rdb::kLength32);
    size = 1;
    for (int shift = wide ? 56 : 24; shift >= 0; shift -= 8) {
      out[size++] = static_cast<char>(length >> shift);
    }
  }
  sink_.Append(std::string_view(out, size));
}

bool RdbWriter::WriteAsInteger(int64_t value) {
  if (value >= std::numeric_limits<int8_t>::min() && value <= std::numeric_limits<int8_t>::max()) {
    WriteByte(rdb::kEncodedInt8);
    WriteByte(static_cast<uint8_t>(value));
  } else if (value >= std::numeric_limits<int16_t>::min() &&
             value <= std::numeric_limits<int16_t>::max()) {
    WriteByte(rdb::kEncodedInt16);
    WriteUint16(static_cast<uint16_t>(value));
  } else if (value >= std::numeric_limits<int32_t>::min() &&
             value <= std::numeric_limits<int32_t>::max()) {
    WriteByte(rdb::kEncodedInt32);
    const auto narrow = static_cast<int32_t>(value);
    sink_.Append(BytesOf(narrow));
  } else {
    return false;
  }
  return true;
}

void RdbWriter::WriteIntegerString(int64_t value) {
  if (WriteAsInteger(value)) return;
  char text[kNumberTextMax];
  const size_t size = Int64ToText(value, text);
  WriteLength(size);
  sink_.Append(std::string_view(text, size));
}

bool RdbWriter::WriteCompressed(std::string_view bytes) {
  // Four bytes less at least: the two lengths take more than one.
  const size_t room = bytes.size() - 4;
  if (scratch_size_ < room) {
    scratch_size_ = std::max<size_t>(room, 4096);
    scratch_.reset(new char[scratch_size_]);
  }
  const unsigned packed = lzf_compress(bytes.data(), static_cast<unsigned>(bytes.size()),
                                       scratch_.get(), static_cast<unsigned>(room));
  if (packed != 0) {
    WriteByte(rdb::kEncodedLzf);
    WriteLength(packed);
    WriteLength(bytes.size());
    sink_.Append(std::string_view(scratch_.get(), packed));
  }
  if (scratch_size_ > kScratchKeptMax) {
    scratch_.reset();
    scratch_size_ = 0;
  }
  return packed != 0;
}

void RdbWriter::WriteString(std::string_view bytes) {
  if (bytes.size() <= rdb::kIntegerTextMax) {
    const auto number = ParseInt64(bytes);
    if (number && WriteAsInteger(*number)) return;
  }
  if (compress_ && bytes.size() > rdb::kCompressAbove && bytes.size() <= kCompressBytesMax &&
      WriteCompressed(bytes)) {
    return;
  }
  WriteLength(bytes.size());
  sink_.Append(bytes);
}

void RdbWriter::WriteBinaryDouble(double value) { sink_.Append(BytesOf(value)); }
void RdbWriter::WriteUint16(uint16_t value) { sink_.Append(BytesOf(value)); }
void RdbWriter::WriteUint64(uint64_t value) { sink_.Append(BytesOf(value)); }

}  // namespace backplane
