// SPDX-License-Identifier: BSD-3-Clause
// Splitting and quoting of words; see quoting.h for the grammar.
#include "base/quoting.h"

#include "base/ascii.h"

namespace backplane {
namespace {

// What ends a bare word. Vertical tab and form feed do not, although they are blanks between words.
constexpr bool EndsBareWord(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The value of a hex digit, or -1.
constexpr int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = AsciiLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

constexpr char Unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

}  // namespace

WordReader::Word WordReader::Next(std::string_view* plain, std::string* unquoted) {
  while (position_ < line_.size() && IsAsciiSpace(line_[position_])) ++position_;
  if (position_ == line_.size()) return Word::kNone;
  const size_t start = position_;
  for (; position_ < line_.size() && !EndsBareWord(line_[position_]); ++position_) {
    const char c = line_[position_];
    if (c == '"' || c == '\'') {
      unquoted->append(line_.substr(start, position_ - start));
      ++position_;
      const bool closed = c == '"' ? ReadDouble(unquoted) : ReadSingle(unquoted);
      return closed ? Word::kQuoted : Word::kUnbalanced;
    }
  }
  *plain = line_.substr(start, position_ - start);
  return Word::kPlain;
}

bool WordReader::ReadDouble(std::string* out) {
  while (position_ < line_.size()) {
    const char c = line_[position_++];
    if (c == '"') return AtWordEnd();
    if (c != '\\' || position_ == line_.size()) {
      out->push_back(c);
      continue;
    }
    if (line_[position_] == 'x' && position_ + 2 < line_.size()) {
      const int high = HexValue(line_[position_ + 1]);
      const int low = HexValue(line_[position_ + 2]);
      if (high >= 0 && low >= 0) {
        out->push_back(static_cast<char>(high * 16 + low));
        position_ += 3;
        continue;
      }
    }
    out->push_back(Unescape(line_[position_++]));
  }
  return false;
}

bool WordReader::ReadSingle(std::string* out) {
  while (position_ < line_.size()) {
    const char c = line_[position_++];
    if (c == '\'') return AtWordEnd();
    if (c == '\\' && position_ < line_.size() && line_[position_] == '\'') {
      out->push_back('\'');
      ++position_;
      continue;
    }
    out->push_back(c);
  }
  return false;
}

bool WordReader::AtWordEnd() const {
  return position_ == line_.size() || IsAsciiSpace(line_[position_]);
}

Result<std::vector<std::string>> SplitArgs(std::string_view line) {
  std::vector<std::string> words;
  WordReader reader(line);
  for (;;) {
    std::string_view plain;
    std::string unquoted;
    switch (reader.Next(&plain, &unquoted)) {
      case WordReader::Word::kNone:
        return words;
      case WordReader::Word::kPlain:
        words.emplace_back(plain);
        break;
      case WordReader::Word::kQuoted:
        words.push_back(std::move(unquoted));
        break;
      case WordReader::Word::kUnbalanced:
        return Fail(ErrorCode::kInvalidArgument, "unbalanced quotes");
    }
  }
}

void AppendQuoted(std::string_view text, std::string* out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kSpecial = "\n\r\t\a\b\\\"";
  constexpr std::string_view kSpecialName = "nrtab\\\"";
  out->reserve(out->size() + text.size() + 2);
  out->push_back('"');
  for (char c : text) {
    const size_t special = kSpecial.find(c);
    if (special != std::string_view::npos) {
      out->push_back('\\');
      out->push_back(kSpecialName[special]);
    } else if (c >= 0x20 && c < 0x7f) {
      out->push_back(c);
    } else {
      const unsigned byte = static_cast<unsigned char>(c);
      out->append("\\x");
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 15]);
    }
  }
  out->push_back('"');
}

std::string QuoteArg(std::string_view text) {
  std::string out;
  AppendQuoted(text, &out);
  return out;
}

}  // namespace backplane
