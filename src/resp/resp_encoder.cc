// SPDX-License-Identifier: BSD-3-Clause
// RESP2 and RESP3 encoding; see resp_encoder.h for the forms.
#include "resp/resp_encoder.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/numbers.h"

namespace backplane {
namespace {

// Room for a tag, a number and CRLF.
constexpr size_t kHeaderMax = kNumberTextMax + 3;
// Text up to this size is written with its header in one reservation.
constexpr size_t kInlineMax = OutputBuffer::kReserveMax - kHeaderMax - 2;

char* WriteCrlf(char* p) {
  std::memcpy(p, "\r\n", 2);
  return p + 2;
}

// Writes tag, count, CRLF; returns the end. Nearly all counts and lengths have one or two digits.
char* WriteHeader(char* p, char tag, uint64_t count) {
  *p++ = tag;
  if (count < 10) {
    *p++ = static_cast<char>('0' + count);
  } else if (count < 100) {
    *p++ = static_cast<char>('0' + count / 10);
    *p++ = static_cast<char>('0' + count % 10);
  } else {
    p += Uint64ToText(count, p);
  }
  return WriteCrlf(p);
}

char* WriteBytes(char* p, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(p, bytes.data(), bytes.size());
  return p + bytes.size();
}

// Tag and count of an aggregate's header line.
struct AggregateHeader {
  char tag;
  uint64_t count;
};
AggregateHeader HeaderOf(AggregateKind kind, uint64_t count, int resp) {
  const bool pairs = kind == AggregateKind::kMap || kind == AggregateKind::kAttribute;
  if (resp < 3) return {'*', pairs ? count * 2 : count};
  constexpr char kTags[] = {'*', '%', '~', '>', '|'};
  return {kTags[static_cast<size_t>(kind)], count};
}

}  // namespace

void RespEncoder::Header(char tag, uint64_t count) {
  char* const start = out_->Reserve(kHeaderMax);
  out_->Commit(static_cast<size_t>(WriteHeader(start, tag, count) - start));
}

void RespEncoder::Line(char tag, std::string_view text) {
  if (text.size() <= kInlineMax) [[likely]] {
    char* const start = out_->Reserve(text.size() + 3);
    *start = tag;
    WriteCrlf(WriteBytes(start + 1, text));
    out_->Commit(text.size() + 3);
  } else {
    out_->Append({&tag, 1});
    out_->Append(text);
    out_->Append("\r\n");
  }
}

void RespEncoder::SimpleString(std::string_view text) { Line('+', text); }

void RespEncoder::Error(std::string_view text) {
  CountError(text);
  if (text.find_first_of("\r\n") == std::string_view::npos) return Line('-', text);
  std::string clean(text);  // rare enough for an allocation
  std::ranges::replace(clean, '\r', ' ');
  std::ranges::replace(clean, '\n', ' ');
  Line('-', clean);
}

void RespEncoder::Integer(int64_t value) {
  if (value >= 0) return Header(':', static_cast<uint64_t>(value));
  char* const start = out_->Reserve(kHeaderMax);
  *start = ':';
  char* p = start + 1;
  p += Int64ToText(value, p);
  out_->Commit(static_cast<size_t>(WriteCrlf(p) - start));
}

void RespEncoder::Bulk(std::string_view bytes) {
  if (bytes.size() <= kInlineMax) [[likely]] {
    char* const start = out_->Reserve(kHeaderMax + bytes.size() + 2);
    char* const end = WriteCrlf(WriteBytes(WriteHeader(start, '$', bytes.size()), bytes));
    out_->Commit(static_cast<size_t>(end - start));
  } else {
    Header('$', bytes.size());
    out_->Append(bytes);
    out_->Append("\r\n");
  }
}

void RespEncoder::Null() { out_->Append(resp() < 3 ? "$-1\r\n" : "_\r\n"); }

void RespEncoder::NullArray() { out_->Append(resp() < 3 ? "*-1\r\n" : "_\r\n"); }

void RespEncoder::Double(double value) {
  char text[kNumberTextMax];
  const std::string_view digits(text, DoubleToText(value, text));
  return resp() < 3 ? Bulk(digits) : Line(',', digits);
}

void RespEncoder::Bool(bool value) {
  if (resp() < 3) {
    out_->Append(value ? ":1\r\n" : ":0\r\n");
  } else {
    out_->Append(value ? "#t\r\n" : "#f\r\n");
  }
}

void RespEncoder::BigNumber(std::string_view digits) {
  return resp() < 3 ? Bulk(digits) : Line('(', digits);
}

void RespEncoder::Verbatim(std::string_view format, std::string_view text) {
  if (resp() < 3) return Bulk(text);
  char prefix[4] = {' ', ' ', ' ', ':'};
  WriteBytes(prefix, format.substr(0, 3));
  Header('=', text.size() + sizeof(prefix));
  out_->Append({prefix, sizeof(prefix)});
  out_->Append(text);
  out_->Append("\r\n");
}

void RespEncoder::Begin(AggregateKind kind, uint64_t count) {
  const AggregateHeader header = HeaderOf(kind, count, resp());
  Header(header.tag, header.count);
}

ReplySink::Deferred RespEncoder::BeginDeferred(AggregateKind kind) {
  return {.handle = out_->OpenHole().handle(), .kind = kind};
}

void RespEncoder::EndDeferred(Deferred deferred, uint64_t count) {
  char text[kHeaderMax];
  const AggregateHeader header = HeaderOf(deferred.kind, count, resp());
  char* const end = WriteHeader(text, header.tag, header.count);
  out_->FillHole(OutputBuffer::Hole(deferred.handle), {text, static_cast<size_t>(end - text)});
}

void RespEncoder::RawProtocol(std::string_view bytes) {
  if (bytes.starts_with('-')) CountError(bytes.substr(1, bytes.find('\r') - 1));
  out_->Append(bytes);
}

}  // namespace backplane
