// SPDX-License-Identifier: BSD-3-Clause
// RespEncoder: writes replies as RESP2 or RESP3 bytes straight into a client's OutputBuffer.
// Commands reach it through ReplySink; resp() chooses the protocol for each value. Engine thread,
// or whoever owns the buffer.
//
//              RESP2                 RESP3
//   simple     +text                 the same        error  -text    integer  :n
//   bulk       $length bytes         the same
//   null       $-1, *-1              _
//   double     a bulk of the text    ,text           the text as DoubleToText has it
//   bool       :1 :0                 #t #f
//   big number a bulk                (digits
//   verbatim   a bulk of the text    =length fmt:text
//   aggregate  *values               *elements %pairs ~elements >elements |pairs
//
// Every line and every body ends in CRLF.
#pragma once

#include "resp/output_buffer.h"
#include "resp/reply_sink.h"

namespace backplane {

class RespEncoder final : public ReplySink {
 public:
  // `out` outlives the encoder.
  explicit RespEncoder(OutputBuffer* out) : out_(out) {}

  void SimpleString(std::string_view text) override;
  void Error(std::string_view text) override;
  void Integer(int64_t value) override;
  void Bulk(std::string_view bytes) override;
  void Null() override;
  void NullArray() override;
  void Double(double value) override;
  void Bool(bool value) override;
  void BigNumber(std::string_view digits) override;
  void Verbatim(std::string_view format, std::string_view text) override;
  // REQUIRES for kAttribute: RESP3.
  void Begin(AggregateKind kind, uint64_t count) override;
  Deferred BeginDeferred(AggregateKind kind) override;
  void EndDeferred(Deferred deferred, uint64_t count) override;
  // Copied as they are; an error at their front counts as one.
  void RawProtocol(std::string_view bytes) override;

  OutputBuffer& out() { return *out_; }

 private:
  void Line(char tag, std::string_view text);
  void Header(char tag, uint64_t count);
  OutputBuffer* out_;
};

}  // namespace backplane
