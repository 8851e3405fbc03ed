// SPDX-License-Identifier: BSD-3-Clause
// Checking and walking ziplists and zipmaps; layouts and contract in ziplist.h.
#include "value/ziplist.h"

#include <cstring>

namespace backplane {
namespace {

constexpr uint8_t kEnd = 0xFF;
constexpr uint8_t kBigLength = 0xFE;
constexpr uint32_t kZiplistHeader = 10;
constexpr uint32_t kMaxLengthBytes = 5;  // of a zipmap length

template <typename T>
T Load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

uint32_t LoadBig32(const uint8_t* at) { return __builtin_bswap32(Load<uint32_t>(at)); }

// A decoded ziplist entry. `size` is the whole entry, 0 if malformed.
struct Entry {
  uint64_t size = 0;
  uint32_t previous_size = 0;
  Item item;
};

// Integer encodings: how many bytes follow the encoding byte, or -1 if it is none.
int IntegerWidth(uint8_t encoding) {
  switch (encoding) {
    case 0xC0:
      return 2;
    case 0xD0:
      return 4;
    case 0xE0:
      return 8;
    case 0xF0:
      return 3;
    case 0xFE:
      return 1;
    default:
      return encoding >= 0xF1 && encoding <= 0xFD ? 0 : -1;
  }
}

int64_t LoadInteger(uint8_t encoding, const uint8_t* at, int width) {
  if (width == 0) return (encoding & 0x0F) - 1;
  uint64_t raw = 0;
  std::memcpy(&raw, at, static_cast<size_t>(width));
  const int shift = 64 - 8 * width;
  return static_cast<int64_t>(raw << shift) >> shift;
}

// Reads the entry at `at`; `left` bytes belong to entries.
Entry ReadEntry(const uint8_t* at, uint64_t left) {
  Entry entry;
  uint64_t head = 1;
  if (left < 2) return entry;
  entry.previous_size = at[0];
  if (at[0] == kBigLength) {
    if (left < 6) return entry;
    entry.previous_size = Load<uint32_t>(at + 1);
    head = 5;
  } else if (at[0] == kEnd) {
    return entry;
  }
  const uint8_t encoding = at[head++];
  uint64_t length = 0;
  if (encoding < 0xC0) {
    const uint64_t wide = encoding < 0x40 ? 0 : encoding < 0x80 ? 1 : 4;
    if (left < head + wide) return entry;
    length = wide == 0   ? encoding
             : wide == 1 ? (encoding & 0x3Fu) << 8 | at[head]
                         : LoadBig32(at + head);
    head += wide;
    if (left < head + length) return entry;
    entry.item = Item(std::string_view(reinterpret_cast<const char*>(at + head), length));
  } else {
    const int width = IntegerWidth(encoding);
    if (width < 0 || left < head + static_cast<uint64_t>(width)) return entry;
    length = static_cast<uint64_t>(width);
    entry.item = Item(LoadInteger(encoding, at + head, width));
  }
  entry.size = head + length;
  return entry;
}

// Reads a zipmap length at *at, moves behind it; false if it is cut off or the end mark.
bool ReadZipmapLength(const uint8_t** at, const uint8_t* end, uint32_t* length) {
  if (*at >= end || **at == kEnd) return false;
  *length = *(*at)++;
  if (*length != kBigLength) return true;
  if (end - *at < 4) return false;
  *length = Load<uint32_t>(*at);
  *at += 4;
  return true;
}

}  // namespace

std::optional<ZiplistReader> ZiplistReader::Open(std::string_view bytes) {
  if (bytes.size() < kZiplistHeader + 1 || bytes.size() > UINT32_MAX) return std::nullopt;
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint64_t end = bytes.size() - 1;
  if (Load<uint32_t>(data) != bytes.size() || data[end] != kEnd) return std::nullopt;
  uint64_t at = kZiplistHeader;
  uint64_t last = at;
  uint64_t previous_size = 0;
  uint32_t count = 0;
  for (; at < end; ++count) {
    const Entry entry = ReadEntry(data + at, end - at);
    if (entry.size == 0 || entry.previous_size != previous_size) return std::nullopt;
    previous_size = entry.size;
    last = at;
    at += entry.size;
  }
  const uint32_t stored = Load<uint16_t>(data + 8);
  if (Load<uint32_t>(data + 4) != last || (stored != 65535 && stored != count)) {
    return std::nullopt;
  }
  ZiplistReader reader;
  reader.at_ = data + kZiplistHeader;
  reader.count_ = count;
  return reader;
}

bool ZiplistReader::Next(Item* item) {
  if (*at_ == kEnd) return false;
  const Entry entry = ReadEntry(at_, UINT64_MAX);
  at_ += entry.size;
  *item = entry.item;
  return true;
}

std::optional<ZipmapReader> ZipmapReader::Open(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint8_t* at = data + 1;
  const uint8_t* const end = data + bytes.size() - 1;
  if (*end != kEnd) return std::nullopt;
  uint32_t count = 0;
  for (; at < end; ++count) {
    uint32_t length;
    if (!ReadZipmapLength(&at, end, &length) || end - at < int64_t{length}) return std::nullopt;
    at += length;
    if (!ReadZipmapLength(&at, end, &length) || at >= end) return std::nullopt;
    const int64_t occupied = int64_t{length} + *at++;
    if (end - at < occupied) return std::nullopt;
    at += occupied;
  }
  if (data[0] != kBigLength && data[0] != count) return std::nullopt;
  ZipmapReader reader;
  reader.at_ = data + 1;
  reader.count_ = count;
  return reader;
}

bool ZipmapReader::Next(std::string_view* field, std::string_view* value) {
  if (*at_ == kEnd) return false;
  uint32_t length = 0;
  ReadZipmapLength(&at_, at_ + kMaxLengthBytes, &length);
  *field = {reinterpret_cast<const char*>(at_), length};
  at_ += length;
  ReadZipmapLength(&at_, at_ + kMaxLengthBytes, &length);
  const uint8_t unused = *at_++;
  *value = {reinterpret_cast<const char*>(at_), length};
  at_ += length + unused;
  return true;
}

}  // namespace backplane
