// SPDX-License-Identifier: BSD-3-Clause
// ValidateListpack: the one place that looks at listpack bytes nobody vouches for (RDB files, DUMP
// payloads).
#include "value/listpack.h"

namespace backplane {
namespace {

// Size of head and payload of the element at bytes[at], or 0 if it is malformed or reaches behind
// `limit`.
uint64_t CheckedBodySize(const uint8_t* bytes, uint64_t at, uint64_t limit) {
  const uint8_t head = bytes[at];
  const uint64_t left = limit - at;
  uint64_t size;
  if (head >= 0xE0 && head < 0xF0) {
    if (left < 2) return 0;
    size = listpack::BodySize(bytes + at);
  } else if (head == 0xF0) {
    if (left < 5) return 0;
    size = 5 + uint64_t{listpack::LoadLittle<uint32_t>(bytes + at + 1)};
  } else if (head > 0xF4) {
    return 0;
  } else {
    size = listpack::BodySize(bytes + at);
  }
  return size <= left ? size : 0;
}

}  // namespace

bool ValidateListpack(std::string_view bytes, uint32_t* count) {
  if (bytes.size() < Listpack::kHeaderSize + 1 || bytes.size() > Listpack::kMaxBytes) return false;
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (listpack::LoadLittle<uint32_t>(data) != bytes.size()) return false;
  const uint64_t end = bytes.size() - 1;
  if (data[end] != listpack::kEnd) return false;
  uint32_t found = 0;
  for (uint64_t at = Listpack::kHeaderSize; at < end; ++found) {
    const uint64_t body = CheckedBodySize(data, at, end);
    if (body == 0) return false;
    const uint32_t width = listpack::BacklenSize(static_cast<uint32_t>(body));
    if (at + body + width > end) return false;
    uint8_t expected[5];
    listpack::WriteBacklen(expected, static_cast<uint32_t>(body));
    if (std::memcmp(expected, data + at + body, width) != 0) return false;
    at += body + width;
  }
  const uint32_t stored = listpack::LoadLittle<uint16_t>(data + 4);
  if (stored != 65535 && stored != found) return false;
  if (count != nullptr) *count = found;
  return true;
}

}  // namespace backplane
