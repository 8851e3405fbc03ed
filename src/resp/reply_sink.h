// SPDX-License-Identifier: BSD-3-Clause
// ReplySink: where a command puts its reply. Commands speak in RESP3's terms; the sink decides what
// they become: RespEncoder writes RESP2 or RESP3 bytes for a client, ReplyTape keeps structure for
// RM_Call, NullSink drops. Engine thread, or the owner of the sink.
//
// A reply is one value. An aggregate announces its element count, then that many values follow (for
// a map: twice as many). When the count is not known, BeginDeferred/EndDeferred.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace backplane {

enum class AggregateKind : uint8_t { kArray, kMap, kSet, kPush, kAttribute };

class ReplySink {
 public:
  // Names an open deferred aggregate; meaningful to the sink that made it.
  struct Deferred {
    void* handle = nullptr;
    uint64_t index = 0;
    AggregateKind kind = AggregateKind::kArray;
  };

  virtual ~ReplySink() = default;

  // 2 or 3: commands whose shape differs between the protocols ask.
  int resp() const { return resp_; }
  void set_resp(int version) { resp_ = version; }
  // Error replies so far; the engine compares before and after a command.
  uint64_t error_count() const { return error_count_; }
  // The first word of the last error reply: "WRONGTYPE".
  const std::string& last_error_code() const { return last_error_code_; }

  virtual void SimpleString(std::string_view text) = 0;
  // `text` without the leading '-': "ERR no such key". CR and LF in it become spaces.
  virtual void Error(std::string_view text) = 0;
  virtual void Integer(int64_t value) = 0;
  virtual void Bulk(std::string_view bytes) = 0;
  virtual void Null() = 0;                              // RESP2: "$-1"
  virtual void NullArray() = 0;                         // RESP2: "*-1"; RESP3: null
  virtual void Double(double value) = 0;                // RESP2: bulk
  virtual void Bool(bool value) = 0;                    // RESP2: 1 or 0
  virtual void BigNumber(std::string_view digits) = 0;  // RESP2: bulk
  // `format` is three characters, "txt" or "mkd" (cut, or filled with blanks, to three). RESP2:
  // bulk.
  virtual void Verbatim(std::string_view format, std::string_view text) = 0;
  // RESP2: a map is a flat array of 2n, set, push are arrays, an attribute is left out by callers.
  virtual void Begin(AggregateKind kind, uint64_t count) = 0;
  virtual Deferred BeginDeferred(AggregateKind kind) = 0;
  virtual void EndDeferred(Deferred deferred, uint64_t count) = 0;
  // RESP bytes made elsewhere (a cached or proxied reply) that form whole values. Counts as an
  // error when the first value is one.
  virtual void RawProtocol(std::string_view bytes) = 0;

  void Ok() { SimpleString("OK"); }
  void BeginArray(uint64_t count) { Begin(AggregateKind::kArray, count); }
  void BeginMap(uint64_t pairs) { Begin(AggregateKind::kMap, pairs); }
  void BeginSet(uint64_t count) { Begin(AggregateKind::kSet, count); }
  void BeginPush(uint64_t count) { Begin(AggregateKind::kPush, count); }
  // The decimal digits as a bulk.
  void BulkInteger(int64_t value);

 protected:
  // `text` without the leading '-'.
  void CountError(std::string_view text) {
    ++error_count_;
    last_error_code_ = text.substr(0, text.find(' '));
    if (last_error_code_.size() > kErrorCodeMax) last_error_code_.resize(kErrorCodeMax);
  }

 private:
  int resp_ = 2;
  static constexpr size_t kErrorCodeMax = 64;
  uint64_t error_count_ = 0;
  std::string last_error_code_;
};

// Swallows everything: CLIENT REPLY OFF, commands replayed from a file.
class NullSink : public ReplySink {
 public:
  void SimpleString(std::string_view) override {}
  void Error(std::string_view text) override { CountError(text); }
  void Integer(int64_t) override {}
  void Bulk(std::string_view) override {}
  void Null() override {}
  void NullArray() override {}
  void Double(double) override {}
  void Bool(bool) override {}
  void BigNumber(std::string_view) override {}
  void Verbatim(std::string_view, std::string_view) override {}
  void Begin(AggregateKind, uint64_t) override {}
  Deferred BeginDeferred(AggregateKind) override { return {}; }
  void EndDeferred(Deferred, uint64_t) override {}
  void RawProtocol(std::string_view bytes) override {
    if (bytes.starts_with('-')) CountError(bytes.substr(1, bytes.find('\r') - 1));
  }
};

}  // namespace backplane
