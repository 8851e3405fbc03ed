// SPDX-License-Identifier: BSD-3-Clause
#include "persist/aof_reader.h"

namespace backplane {
namespace {

// "$0\r\n\r\n": less than this no word takes.
constexpr uint64_t kWordBytesMin = 6;
// What one large command has taken is given back.
constexpr size_t kBytesKept = size_t{1} << 20;

}  // namespace

AofReader::Outcome AofReader::Next(std::vector<std::string_view>* args) {
  args->clear();
  for (;;) {
    begin_ = source_.offset();
    if (source_.remaining() == 0) return Outcome::kEnd;
    char mark;
    if (auto outcome = ReadByte(&mark); outcome != Outcome::kCommand) return outcome;
    if (mark == '*') return ReadCommand(args);
    if (mark != '#') return Outcome::kBad;
    if (auto outcome = SkipNote(); outcome != Outcome::kCommand) return outcome;
  }
}

AofReader::Outcome AofReader::ReadByte(char* byte) {
  std::string_view taken;
  if (!source_.Take(1, &taken)) return Ended();
  *byte = taken[0];
  return Outcome::kCommand;
}

AofReader::Outcome AofReader::SkipNote() {
  char byte;
  do {
    if (auto outcome = ReadByte(&byte); outcome != Outcome::kCommand) return outcome;
  } while (byte != '\n');
  return Outcome::kCommand;
}

AofReader::Outcome AofReader::ReadLineEnd() {
  std::string_view taken;
  if (!source_.Take(2, &taken)) {
    // One byte may be left, and be wrong: that is known already.
    if (source_.Take(1, &taken) && taken[0] != '\r') return Outcome::kBad;
    return Ended();
  }
  return taken == "\r\n" ? Outcome::kCommand : Outcome::kBad;
}

AofReader::Outcome AofReader::ReadNumber(uint64_t* number) {
  constexpr int kDigitsMax = 18;
  uint64_t value = 0;
  int digits = 0;
  for (;; ++digits) {
    char byte;
    if (auto outcome = ReadByte(&byte); outcome != Outcome::kCommand) return outcome;
    if (byte == '\r') break;
    if (byte < '0' || byte > '9' || digits == kDigitsMax || (digits > 0 && value == 0)) {
      return Outcome::kBad;
    }
    value = value * 10 + static_cast<uint64_t>(byte - '0');
  }
  if (digits == 0) return Outcome::kBad;
  char feed;
  if (auto outcome = ReadByte(&feed); outcome != Outcome::kCommand) return outcome;
  *number = value;
  return feed == '\n' ? Outcome::kCommand : Outcome::kBad;
}

AofReader::Outcome AofReader::ReadCommand(std::vector<std::string_view>* args) {
  uint64_t count;
  if (auto outcome = ReadNumber(&count); outcome != Outcome::kCommand) return outcome;
  if (count == 0) return Outcome::kBad;
  if (count > source_.remaining() / kWordBytesMin) return Ended();
  if (bytes_.capacity() > kBytesKept) std::string().swap(bytes_);
  bytes_.clear();
  ends_.clear();
  for (; count > 0; --count) {
    char mark;
    if (auto outcome = ReadByte(&mark); outcome != Outcome::kCommand) return outcome;
    if (mark != '$') return Outcome::kBad;
    uint64_t size;
    if (auto outcome = ReadNumber(&size); outcome != Outcome::kCommand) return outcome;
    if (size > source_.remaining()) return Ended();
    std::string_view word;
    if (!source_.Take(static_cast<size_t>(size), &word)) return Ended();
    bytes_.append(word);
    ends_.push_back(bytes_.size());
    if (auto outcome = ReadLineEnd(); outcome != Outcome::kCommand) return outcome;
  }
  size_t begin = 0;
  for (const size_t end : ends_) {
    args->emplace_back(bytes_.data() + begin, end - begin);
    begin = end;
  }
  return Outcome::kCommand;
}

}  // namespace backplane
