// SPDX-License-Identifier: BSD-3-Clause
// RespEncoder: the bytes of every form in both protocols, as redis-server sends them.
#include "resp/resp_encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace backplane {
namespace {

std::string TakeAll(OutputBuffer& buffer) {
  std::string text;
  iovec vec[4];
  while (const int count = buffer.Gather(vec, 4)) {
    size_t size = 0;
    for (int i = 0; i < count; ++i) {
      text.append(static_cast<const char*>(vec[i].iov_base), vec[i].iov_len);
      size += vec[i].iov_len;
    }
    buffer.Consume(size);
  }
  return text;
}

// What `write(encoder)` produces in protocol `resp`.
template <class Write>
std::string Encode(int resp, Write write) {
  OutputBuffer buffer;
  RespEncoder encoder(&buffer);
  encoder.set_resp(resp);
  write(encoder);
  return TakeAll(buffer);
}

template <class Write>
void ExpectBoth(const std::string& resp2, const std::string& resp3, Write write) {
  EXPECT_EQ(Encode(2, write), resp2);
  EXPECT_EQ(Encode(3, write), resp3);
}

TEST(RespEncoderTest, Strings) {
  ExpectBoth("+OK\r\n", "+OK\r\n", [](RespEncoder& e) { e.Ok(); });
  ExpectBoth("+\r\n", "+\r\n", [](RespEncoder& e) { e.SimpleString(""); });
  ExpectBoth("$0\r\n\r\n", "$0\r\n\r\n", [](RespEncoder& e) { e.Bulk({}); });
  ExpectBoth("$2\r\n\r\n\r\n", "$2\r\n\r\n\r\n", [](RespEncoder& e) { e.Bulk("\r\n"); });
  ExpectBoth("$2\r\n-7\r\n", "$2\r\n-7\r\n", [](RespEncoder& e) { e.BulkInteger(-7); });
}

TEST(RespEncoderTest, BulksOfAllSizesAroundTheBounds) {
  for (size_t size : {1u, 9u, 10u, 99u, 100u, 999u, 4000u, 4041u, 4042u, 4043u, 4044u, 4045u, 4046u,
                      4096u, 8192u, 70000u}) {
    const std::string text(size, 'x');
    const std::string once = "$" + std::to_string(size) + "\r\n" + text + "\r\n";
    EXPECT_EQ(Encode(2,
                     [&](RespEncoder& e) {
                       e.Bulk(text);
                       e.Bulk(text);
                       e.SimpleString(text);
                     }),
              once + once + "+" + text + "\r\n");
  }
}

TEST(RespEncoderTest, Errors) {
  ExpectBoth("-ERR no  such\r\n", "-ERR no  such\r\n",
             [](RespEncoder& e) { e.Error("ERR no\r\nsuch"); });
  OutputBuffer buffer;
  RespEncoder encoder(&buffer);
  encoder.Ok();
  EXPECT_EQ(encoder.error_count(), 0u);
  encoder.Error("ERR a");
  encoder.RawProtocol("-ERR b\r\n");
  encoder.RawProtocol("+OK\r\n");
  EXPECT_EQ(encoder.error_count(), 2u);
  EXPECT_EQ(TakeAll(buffer), "+OK\r\n-ERR a\r\n-ERR b\r\n+OK\r\n");
}

TEST(RespEncoderTest, Integers) {
  const std::vector<int64_t> values = {0,
                                       1,
                                       9,
                                       10,
                                       99,
                                       100,
                                       12345,
                                       -1,
                                       -10,
                                       std::numeric_limits<int64_t>::max(),
                                       std::numeric_limits<int64_t>::min()};
  for (int64_t value : values) {
    const std::string text = ":" + std::to_string(value) + "\r\n";
    ExpectBoth(text, text, [&](RespEncoder& e) { e.Integer(value); });
  }
}

TEST(RespEncoderTest, NullsAndBools) {
  ExpectBoth("$-1\r\n*-1\r\n", "_\r\n_\r\n", [](RespEncoder& e) {
    e.Null();
    e.NullArray();
  });
  ExpectBoth(":1\r\n:0\r\n", "#t\r\n#f\r\n", [](RespEncoder& e) {
    e.Bool(true);
    e.Bool(false);
  });
}

TEST(RespEncoderTest, Doubles) {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<double, std::string>> rows = {
      {3.141, "3.141"}, {10, "10"},     {-0.5, "-0.5"}, {1e100, "1e+100"},
      {inf, "inf"},     {-inf, "-inf"}, {NAN, "nan"},   {0.1 + 0.2, "0.30000000000000004"},
      {-NAN, "nan"},    {0, "0"},       {1e-9, "1e-9"},
  };
  for (const auto& [value, text] : rows) {
    ExpectBoth("$" + std::to_string(text.size()) + "\r\n" + text + "\r\n", "," + text + "\r\n",
               [&](RespEncoder& e) { e.Double(value); });
  }
}

TEST(RespEncoderTest, BigNumbersAndVerbatim) {
  ExpectBoth("$3\r\n123\r\n", "(123\r\n", [](RespEncoder& e) { e.BigNumber("123"); });
  ExpectBoth("$4\r\ntext\r\n", "=8\r\ntxt:text\r\n",
             [](RespEncoder& e) { e.Verbatim("txt", "text"); });
  ExpectBoth("$0\r\n\r\n", "=4\r\nm  :\r\n", [](RespEncoder& e) { e.Verbatim("m", ""); });
  ExpectBoth("$1\r\na\r\n", "=5\r\nmar:a\r\n", [](RespEncoder& e) { e.Verbatim("markdown", "a"); });
}

TEST(RespEncoderTest, Aggregates) {
  ExpectBoth("*0\r\n*2\r\n*3\r\n*250\r\n", "*0\r\n%1\r\n~3\r\n>250\r\n", [](RespEncoder& e) {
    e.BeginArray(0);
    e.BeginMap(1);
    e.BeginSet(3);
    e.BeginPush(250);
  });
  EXPECT_EQ(Encode(3, [](RespEncoder& e) { e.Begin(AggregateKind::kAttribute, 1); }), "|1\r\n");
}

TEST(RespEncoderTest, DeferredAggregatesNestAndHoldBack) {
  const auto write = [](RespEncoder& e) {
    e.Ok();
    const auto map = e.BeginDeferred(AggregateKind::kMap);
    e.Bulk("key");
    const auto set = e.BeginDeferred(AggregateKind::kSet);
    for (int i = 0; i < 12; ++i) e.Integer(i);
    EXPECT_EQ(TakeAll(e.out()), "+OK\r\n");
    e.EndDeferred(set, 12);
    e.EndDeferred(map, 1);
  };
  std::string body;
  for (int i = 0; i < 12; ++i) body += ":" + std::to_string(i) + "\r\n";
  ExpectBoth("*2\r\n$3\r\nkey\r\n*12\r\n" + body, "%1\r\n$3\r\nkey\r\n~12\r\n" + body, write);
}

TEST(RespEncoderTest, NullSinkCountsErrorsOnly) {
  NullSink sink;
  sink.Bulk("x");
  sink.EndDeferred(sink.BeginDeferred(AggregateKind::kArray), 0);
  sink.Error("ERR");
  sink.RawProtocol("-ERR\r\n");
  EXPECT_EQ(sink.error_count(), 2u);
}

}  // namespace
}  // namespace backplane
