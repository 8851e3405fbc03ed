// SPDX-License-Identifier: BSD-3-Clause
// Reply parsing in two steps: ReadToken takes one leaf or one aggregate header apart, the loops
// around it count what is still to come. Measuring comes first, so that a sink never gets part of a
// value.
#include "resp/reply_parser.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/numbers.h"

namespace backplane {
namespace {

// Longest line that is not a text: more digits than any number has.
constexpr size_t kNumberLineMax = 512;

// One leaf, or the header of an aggregate.
struct Token {
  char tag;               // the type byte; '_' for each kind of null but "*-1", which is 'N'
  size_t size;            // bytes of the whole token
  std::string_view text;  // line or body
  int64_t number;         // integer, or elements (pairs for '%' and '|')
  double real;
};

bool IsAggregate(char tag) {
  return tag == '*' || tag == '%' || tag == '~' || tag == '>' || tag == '|';
}

std::optional<double> ParseRespDouble(std::string_view text) {
  if (text == "nan" || text == "-nan") return std::numeric_limits<double>::quiet_NaN();
  if (text.empty() || text.size() >= kNumberTextMax * 4) return std::nullopt;
  return ParseDouble(text);
}

bool IsBigNumber(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The body of '$', '=' and '!': `token->number` bytes behind a header of `header` bytes.
ReplyStatus ReadBody(std::string_view bytes, size_t header, Token* token) {
  const size_t length = static_cast<size_t>(token->number);
  const std::string_view rest = bytes.substr(header);
  if (token->tag == '=' && length < 4) return ReplyStatus::kMalformed;
  if (token->tag == '=' && rest.size() > 3 && rest[3] != ':') return ReplyStatus::kMalformed;
  if (rest.size() > length && rest[length] != '\r') return ReplyStatus::kMalformed;
  if (rest.size() < length + 2) return ReplyStatus::kIncomplete;
  if (rest[length + 1] != '\n') return ReplyStatus::kMalformed;
  token->text = rest.substr(0, length);
  token->size = header + length + 2;
  return ReplyStatus::kWhole;
}

// A line that announces a length or a count.
ReplyStatus ReadCounted(std::string_view bytes, std::string_view line, Token* token) {
  const std::optional<int64_t> number = ParseInt64(line);
  // Half the range, so that neither a size nor twice a count overflows.
  if (!number || *number < -1 || *number > std::numeric_limits<int64_t>::max() / 4) {
    return ReplyStatus::kMalformed;
  }
  if (*number < 0) {
    if (token->tag != '$' && token->tag != '*') return ReplyStatus::kMalformed;
    token->tag = token->tag == '*' ? 'N' : '_';
    return ReplyStatus::kWhole;
  }
  token->number = *number;
  return IsAggregate(token->tag) ? ReplyStatus::kWhole : ReadBody(bytes, token->size, token);
}

// A line that is the whole value.
bool ReadLine(std::string_view line, Token* token) {
  token->text = line;
  switch (token->tag) {
    case '+':
    case '-':
      return true;
    case '_':
      return line.empty();
    case '#':
      token->number = line == "t" ? 1 : 0;
      return line == "t" || line == "f";
    case '(':
      return IsBigNumber(line);
    case ',': {
      const std::optional<double> real = ParseRespDouble(line);
      token->real = real.value_or(0);
      return real.has_value();
    }
    case ':': {
      const std::optional<int64_t> number = ParseInt64(line);
      token->number = number.value_or(0);
      return number.has_value();
    }
    default:
      return false;
  }
}

ReplyStatus ReadToken(std::string_view bytes, Token* token) {
  if (bytes.empty()) return ReplyStatus::kIncomplete;
  const char tag = bytes[0];
  constexpr std::string_view kLines = "+-:_#,(";
  constexpr std::string_view kCounted = "$=!*%~>|";
  const bool counted = kCounted.find(tag) != std::string_view::npos;
  if (!counted && kLines.find(tag) == std::string_view::npos) return ReplyStatus::kMalformed;
  const bool text = tag == '+' || tag == '-' || tag == '(';
  const size_t end = (text ? bytes : bytes.substr(0, kNumberLineMax)).find('\r');
  if (end == std::string_view::npos) {
    return text || bytes.size() < kNumberLineMax ? ReplyStatus::kIncomplete
                                                 : ReplyStatus::kMalformed;
  }
  if (end + 1 == bytes.size()) return ReplyStatus::kIncomplete;
  if (bytes[end + 1] != '\n') return ReplyStatus::kMalformed;
  const std::string_view line = bytes.substr(1, end - 1);
  *token = {.tag = tag, .size = end + 2, .text = {}, .number = 0, .real = 0};
  if (counted) return ReadCounted(bytes, line, token);
  return ReadLine(line, token) ? ReplyStatus::kWhole : ReplyStatus::kMalformed;
}

// Which values are still to come, innermost last.
class Nesting {
 public:
  // Takes note of a token. False: too deep.
  bool Enter(const Token& token) {
    const bool attribute = token.tag == '|';
    if (IsAggregate(token.tag) && token.number > 0) {
      if (depth_ == kReplyDepthMax) return false;
      const bool pairs = token.tag == '%' || attribute;
      open_[depth_++] = {token.number * (pairs ? 2 : 1), attribute};
    } else if (!attribute) {
      Finish();
    }
    return true;
  }
  // The reply is whole.
  bool done() const { return done_; }

 private:
  struct Open {
    int64_t remaining;
    bool attribute;
  };

  // A value has ended; so has each aggregate that it was the last element of. An attribute that
  // ends does not end a value: its own is still to come.
  void Finish() {
    while (depth_ > 0) {
      Open& open = open_[depth_ - 1];
      if (--open.remaining > 0) return;
      --depth_;
      if (open.attribute) return;
    }
    done_ = true;
  }

  Open open_[kReplyDepthMax];
  int depth_ = 0;
  bool done_ = false;
};

void Replay(const Token& token, ReplySink& sink) {
  const uint64_t count = static_cast<uint64_t>(token.number);
  switch (token.tag) {
    case '+':
      return sink.SimpleString(token.text);
    case '-':
    case '!':
      return sink.Error(token.text);
    case ':':
      return sink.Integer(token.number);
    case '$':
      return sink.Bulk(token.text);
    case '_':
      return sink.Null();
    case 'N':
      return sink.NullArray();
    case '#':
      return sink.Bool(token.number != 0);
    case ',':
      return sink.Double(token.real);
    case '(':
      return sink.BigNumber(token.text);
    case '=':
      return sink.Verbatim(token.text.substr(0, 3), token.text.substr(4));
    case '*':
      return sink.BeginArray(count);
    case '%':
      return sink.BeginMap(count);
    case '~':
      return sink.BeginSet(count);
    case '>':
      return sink.BeginPush(count);
    default:
      return sink.Begin(AggregateKind::kAttribute, count);
  }
}

// The size of the attribute whose header is `token`; it has been measured before.
size_t AttributeSize(std::string_view bytes, const Token& attribute) {
  size_t size = attribute.size;
  for (int64_t left = attribute.number * 2; left > 0; --left) {
    size_t element = 0;
    MeasureReply(bytes.substr(size), &element);
    size += element;
  }
  return size;
}

}  // namespace

ReplyStatus MeasureReply(std::string_view bytes, size_t* size) {
  Nesting nesting;
  size_t position = 0;
  while (!nesting.done()) {
    Token token;
    const ReplyStatus status = ReadToken(bytes.substr(position), &token);
    if (status != ReplyStatus::kWhole) return status;
    if (!nesting.Enter(token)) return ReplyStatus::kTooDeep;
    position += token.size;
  }
  *size = position;
  return ReplyStatus::kWhole;
}

ReplyStatus ParseReply(std::string_view bytes, ReplySink& sink, size_t* size) {
  const ReplyStatus status = MeasureReply(bytes, size);
  if (status != ReplyStatus::kWhole) return status;
  bytes = bytes.substr(0, *size);
  while (!bytes.empty()) {
    Token token;
    ReadToken(bytes, &token);
    if (token.tag == '|' && sink.resp() < 3) {
      bytes.remove_prefix(AttributeSize(bytes, token));
      continue;
    }
    Replay(token, sink);
    bytes.remove_prefix(token.size);
  }
  return ReplyStatus::kWhole;
}

}  // namespace backplane
