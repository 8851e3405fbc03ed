// SPDX-License-Identifier: BSD-3-Clause
// Text and bytes of stream ids.
#include "value/stream_id.h"

#include <bit>
#include <charconv>
#include <cstring>

#include "base/ascii.h"
#include "base/numbers.h"

namespace backplane {
namespace {

void WriteBig(uint64_t value, char* out) {
  value = __builtin_bswap64(value);
  std::memcpy(out, &value, sizeof value);
}

uint64_t ReadBig(const char* in) {
  uint64_t value;
  std::memcpy(&value, in, sizeof value);
  return __builtin_bswap64(value);
}

static_assert(std::endian::native == std::endian::little);

// More spellings than ParseUint64 takes: zeros in front, blanks, a plus sign.
std::optional<uint64_t> ParsePart(std::string_view text) {
  while (!text.empty() && IsAsciiSpace(text.front())) text.remove_prefix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  uint64_t value;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

}  // namespace

size_t StreamId::WriteText(char* out) const {
  size_t size = Uint64ToText(ms, out);
  out[size++] = '-';
  return size + Uint64ToText(seq, out + size);
}

std::string StreamId::ToString() const {
  char text[2 * kNumberTextMax];
  return std::string(text, WriteText(text));
}

void StreamId::WriteBytes(char* out) const {
  WriteBig(ms, out);
  WriteBig(seq, out + sizeof ms);
}

StreamId StreamId::FromBytes(const char* in) {
  return {ReadBig(in), ReadBig(in + sizeof(uint64_t))};
}

std::optional<StreamId> StreamId::Next() const {
  if (seq != UINT64_MAX) return StreamId{ms, seq + 1};
  if (ms != UINT64_MAX) return StreamId{ms + 1, 0};
  return std::nullopt;
}

std::optional<StreamId> StreamId::Previous() const {
  if (seq != 0) return StreamId{ms, seq - 1};
  if (ms != 0) return StreamId{ms - 1, UINT64_MAX};
  return std::nullopt;
}

std::optional<StreamId> ParseStreamId(std::string_view text, uint64_t missing_seq,
                                      bool* seq_given) {
  const size_t dash = text.find('-');
  if (seq_given != nullptr) *seq_given = dash != std::string_view::npos;
  const auto ms = ParsePart(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == std::string_view::npos) return StreamId{*ms, missing_seq};
  const auto seq = ParsePart(text.substr(dash + 1));
  if (!seq) return std::nullopt;
  return StreamId{*ms, *seq};
}

}  // namespace backplane
