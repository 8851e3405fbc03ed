// SPDX-License-Identifier: BSD-3-Clause
// Request parsing in two ways. ReadWholeRequest: one straight pass over a request that is all
// there and well-formed, which is nearly every request; it keeps no state and gives up at the first
// thing out of the ordinary. ParseMultibulk: everything else, resumable, and the only one that
// reports errors.
#include "resp/request_parser.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/numbers.h"
#include "base/quoting.h"

namespace backplane {
namespace {

// A partial request with more bulks than this gives its offsets' memory back when it is done.
constexpr size_t kSpansKept = 1024;

// Reads "<digits> CR <any byte>" at `p`. Returns the position behind it; nullptr when it is not all
// there, or anything but a canonical number below 10^10.
inline const char* ReadLength(const char* p, const char* end, uint64_t* length) {
  if (end - p < 3) return nullptr;  // a digit, CR, LF
  uint64_t value = static_cast<unsigned char>(*p) - uint64_t{'0'};
  if (value > 9) return nullptr;
  const char* const digits_end = p + std::min<ptrdiff_t>(10, end - p - 2);
  const bool leading_zero = value == 0;
  for (++p; p < digits_end; ++p) {
    const unsigned digit = static_cast<unsigned char>(*p) - unsigned{'0'};
    if (digit > 9) break;
    if (leading_zero) return nullptr;
    value = value * 10 + digit;
  }
  if (*p != '\r') return nullptr;  // p <= end - 2
  *length = value;
  return p + 2;
}

uint64_t ArgsMax(bool authenticated, const RequestLimits& limits) {
  const uint32_t tight = limits.unauthenticated_args_max;
  return authenticated || tight == 0 ? limits.args_max : std::min(limits.args_max, tight);
}

uint64_t BulkBytesMax(bool authenticated, const RequestLimits& limits) {
  const uint64_t tight = limits.unauthenticated_bulk_bytes_max;
  return authenticated || tight == 0 ? limits.bulk_bytes_max
                                     : std::min(limits.bulk_bytes_max, tight);
}

// Appends the args of the multibulk request at the front of `data` and returns its size; 0 (and
// *args as it was) when the request is not whole, not well-formed or above a limit.
size_t ReadWholeRequest(std::string_view data, bool authenticated, const RequestLimits& limits,
                        std::vector<std::string_view>* args) {
  const char* p = data.data() + 1;
  const char* const end = data.data() + data.size();
  uint64_t count = 0;
  p = ReadLength(p, end, &count);
  if (p == nullptr || count > ArgsMax(authenticated, limits)) return 0;
  const uint64_t bulk_max = BulkBytesMax(authenticated, limits);
  const size_t args_before = args->size();
  for (; count > 0; --count) {
    uint64_t size = 0;
    if (p == end || *p != '$') break;
    const char* bytes = ReadLength(p + 1, end, &size);
    if (bytes == nullptr || size > bulk_max) break;
    if (static_cast<uint64_t>(end - bytes) < size + 2) break;
    args->emplace_back(bytes, size);
    p = bytes + size + 2;
  }
  if (count > 0) {
    args->resize(args_before);
    return 0;
  }
  return static_cast<size_t>(p - data.data());
}

}  // namespace

RequestParser::Outcome RequestParser::Parse(std::string_view data, bool authenticated,
                                            const RequestLimits& limits,
                                            std::vector<std::string_view>* args, size_t* consumed) {
  if (data.empty() || data.size() < needed_) return Outcome::kNeedMore;
  holds_args_ = false;
  if (data[0] != '*') return ParseInline(data, limits, args, consumed);
  if (scanned_ == 0) [[likely]] {  // no part of it has been looked at
    const size_t size = ReadWholeRequest(data, authenticated, limits, args);
    if (size != 0) [[likely]] {
      *consumed = size;
      return Outcome::kCommand;
    }
  }
  return ParseMultibulk(data, authenticated, limits, args, consumed);
}

size_t RequestParser::argument_bytes() const {
  size_t bytes = 0;
  for (const Span& span : spans_) bytes += span.size;
  return bytes;
}

void RequestParser::Reset() {
  ForgetRequest();
  spans_.shrink_to_fit();
  inline_storage_ = std::string();
  holds_args_ = false;
  error_.clear();
}

void RequestParser::ForgetRequest() {
  spans_.clear();
  if (spans_.capacity() > kSpansKept) spans_.shrink_to_fit();
  args_left_ = -1;
  bulk_size_ = -1;
  position_ = 0;
  scanned_ = 0;
  needed_ = 0;
}

RequestParser::Outcome RequestParser::FailWith(std::string text) {
  ForgetRequest();
  error_ = std::move(text);
  return Outcome::kError;
}

// Looks for the terminator of the line at position_. kWhole: *end is its offset, at most line_max
// bytes into the line. kTooLong depends on the line alone, not on the pieces in which it came.
RequestParser::Line RequestParser::FindLineEnd(std::string_view data, char terminator,
                                               size_t line_max, size_t* end) {
  const size_t available = data.size() - position_;
  const size_t stop = available > line_max ? position_ + line_max + 1 : data.size();
  const size_t start = std::max(position_, scanned_);
  if (start < stop) {
    const char* const from = data.data() + start;
    const void* hit = std::memchr(from, terminator, stop - start);
    const char* const hit_end = hit == nullptr ? data.data() + stop : static_cast<const char*>(hit);
    const void* nul = std::memchr(from, '\0', static_cast<size_t>(hit_end - from));
    if (nul != nullptr) {
      // The search never passes the NUL: the next one starts at it and stops at once.
      scanned_ = static_cast<size_t>(static_cast<const char*>(nul) - data.data());
    } else {
      scanned_ = static_cast<size_t>(hit_end - data.data());
      if (hit != nullptr) {
        *end = scanned_;
        return Line::kWhole;
      }
    }
  }
  return available > line_max ? Line::kTooLong : Line::kPartial;
}

RequestParser::Outcome RequestParser::ParseInline(std::string_view data,
                                                  const RequestLimits& limits,
                                                  std::vector<std::string_view>* args,
                                                  size_t* consumed) {
  size_t end = 0;
  switch (FindLineEnd(data, '\n', limits.inline_bytes_max, &end)) {
    case Line::kPartial:
      return Outcome::kNeedMore;
    case Line::kTooLong:
      return FailWith("too big inline request");
    case Line::kWhole:
      break;
  }
  std::string_view line = data.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  inline_storage_.clear();
  // Unquoted text is no longer than the line, so the views into the storage stay valid.
  if (line.find_first_of("\"'") != std::string_view::npos) inline_storage_.reserve(line.size());
  WordReader reader(line);
  for (;;) {
    std::string_view word;
    const size_t stored = inline_storage_.size();
    switch (reader.Next(&word, &inline_storage_)) {
      case WordReader::Word::kNone:
        *consumed = end + 1;
        ForgetRequest();
        return Outcome::kCommand;
      case WordReader::Word::kPlain:
        args->push_back(word);
        break;
      case WordReader::Word::kQuoted:
        args->push_back(std::string_view(inline_storage_).substr(stored));
        holds_args_ = true;
        break;
      case WordReader::Word::kUnbalanced:
        return FailWith("unbalanced quotes in request");
    }
  }
}

// Reads the "*count" line into args_left_. kCommand: go on.
RequestParser::Outcome RequestParser::ReadCount(std::string_view data, bool authenticated,
                                                const RequestLimits& limits) {
  size_t end = 0;
  const Line line = FindLineEnd(data, '\r', limits.inline_bytes_max, &end);
  if (line == Line::kTooLong) return FailWith("too big mbulk count string");
  if (line == Line::kPartial || end + 2 > data.size()) return Outcome::kNeedMore;
  const std::optional<int64_t> count = ParseInt64(data.substr(1, end - 1));
  if (!count || *count > int64_t{limits.args_max}) return FailWith("invalid multibulk length");
  if (*count > static_cast<int64_t>(ArgsMax(authenticated, limits))) {
    return FailWith("unauthenticated multibulk length");
  }
  args_left_ = std::max<int64_t>(*count, 0);
  position_ = end + 2;
  return Outcome::kCommand;
}

// Reads the "$length" line at position_ into bulk_size_. kCommand: go on.
RequestParser::Outcome RequestParser::ReadBulkSize(std::string_view data, bool authenticated,
                                                   const RequestLimits& limits) {
  size_t end = 0;
  const Line line = FindLineEnd(data, '\r', limits.inline_bytes_max, &end);
  if (line == Line::kTooLong) return FailWith("too big bulk count string");
  if (line == Line::kPartial || end + 2 > data.size()) return Outcome::kNeedMore;
  if (data[position_] != '$') {
    return FailWith(std::string("expected '$', got '") + data[position_] + "'");
  }
  const std::optional<int64_t> size = ParseInt64(data.substr(position_ + 1, end - position_ - 1));
  if (!size || *size < 0 || static_cast<uint64_t>(*size) > limits.bulk_bytes_max) {
    return FailWith("invalid bulk length");
  }
  if (static_cast<uint64_t>(*size) > BulkBytesMax(authenticated, limits)) {
    return FailWith("unauthenticated bulk length");
  }
  bulk_size_ = *size;
  position_ = end + 2;
  return Outcome::kCommand;
}

RequestParser::Outcome RequestParser::ParseMultibulk(std::string_view data, bool authenticated,
                                                     const RequestLimits& limits,
                                                     std::vector<std::string_view>* args,
                                                     size_t* consumed) {
  needed_ = 0;
  if (args_left_ < 0) {
    const Outcome outcome = ReadCount(data, authenticated, limits);
    if (outcome != Outcome::kCommand) return outcome;
  }
  while (args_left_ > 0) {
    if (bulk_size_ < 0) {
      const Outcome outcome = ReadBulkSize(data, authenticated, limits);
      if (outcome != Outcome::kCommand) return outcome;
    }
    const size_t size = static_cast<size_t>(bulk_size_);
    const size_t next = position_ + size + 2;
    if (data.size() < next) {
      needed_ = next;
      return Outcome::kNeedMore;
    }
    spans_.push_back({position_, size});
    position_ = next;
    bulk_size_ = -1;
    --args_left_;
  }
  args->reserve(args->size() + spans_.size());
  for (const Span& span : spans_) args->push_back(data.substr(span.offset, span.size));
  *consumed = position_;
  ForgetRequest();
  return Outcome::kCommand;
}

}  // namespace backplane
