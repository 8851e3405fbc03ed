// SPDX-License-Identifier: BSD-3-Clause
// Reply parsing: each form, every truncation of it, malformed bytes, limits.
#include "resp/reply_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "resp/resp_encoder.h"

namespace backplane {
namespace {

// Parses one value and writes it again as RESP3 (or RESP2); "?" when it is not whole.
std::string Again(std::string_view bytes, int resp = 3) {
  OutputBuffer buffer;
  RespEncoder encoder(&buffer);
  encoder.set_resp(resp);
  size_t size = 0;
  if (ParseReply(bytes, encoder, &size) != ReplyStatus::kWhole || size != bytes.size()) return "?";
  std::string text;
  iovec vec[64];
  const int count = buffer.Gather(vec, 64);
  for (int i = 0; i < count; ++i) {
    text.append(static_cast<const char*>(vec[i].iov_base), vec[i].iov_len);
  }
  return text;
}

const std::vector<std::string> kValues = {
    "+OK\r\n",
    "+\r\n",
    "-ERR no\r\n",
    ":0\r\n",
    ":-9223372036854775808\r\n",
    "$0\r\n\r\n",
    "$4\r\n\r\n\r\n\r\n",
    "_\r\n",
    "#t\r\n",
    "#f\r\n",
    ",3.14\r\n",
    ",inf\r\n",
    ",-inf\r\n",
    ",nan\r\n",
    "(-12345678901234567890123456789\r\n",
    "=8\r\ntxt:text\r\n",
    "=4\r\nmkd:\r\n",
    "*0\r\n",
    "%0\r\n",
    "*2\r\n:1\r\n$1\r\na\r\n",
    "%1\r\n+a\r\n~2\r\n:1\r\n:2\r\n",
    ">3\r\n+message\r\n+c\r\n*1\r\n*0\r\n",
    "|1\r\n+ttl\r\n:3\r\n$1\r\nv\r\n",
    "|1\r\n+a\r\n|1\r\n+b\r\n+c\r\n+d\r\n|0\r\n*1\r\n|1\r\n+e\r\n+f\r\n:1\r\n",
};

TEST(ReplyParserTest, EachFormComesBackAsItWas) {
  for (const std::string& value : kValues) EXPECT_EQ(Again(value), value);
}

TEST(ReplyParserTest, FormsWithAnotherSpelling) {
  EXPECT_EQ(Again("$-1\r\n"), "_\r\n");
  EXPECT_EQ(Again("$-1\r\n", 2), "$-1\r\n");
  EXPECT_EQ(Again("*-1\r\n", 2), "*-1\r\n");
  EXPECT_EQ(Again("_\r\n", 2), "$-1\r\n");
  EXPECT_EQ(Again("!5\r\nERR a\r\n"), "-ERR a\r\n");
  EXPECT_EQ(Again(",-nan\r\n"), ",nan\r\n");
  EXPECT_EQ(Again("%1\r\n+a\r\n:1\r\n", 2), "*2\r\n+a\r\n:1\r\n");
}

TEST(ReplyParserTest, AttributesAreLeftOutOfResp2) {
  EXPECT_EQ(Again("|1\r\n+ttl\r\n:3\r\n$1\r\nv\r\n", 2), "$1\r\nv\r\n");
  EXPECT_EQ(
      Again("*2\r\n|2\r\n+a\r\n*2\r\n:1\r\n:2\r\n+b\r\n|1\r\n+c\r\n+d\r\n:3\r\n:4\r\n:5\r\n", 2),
      "*2\r\n:4\r\n:5\r\n");
}

TEST(ReplyParserTest, EveryTruncationIsIncomplete) {
  for (const std::string& value : kValues) {
    for (size_t size = 0; size < value.size(); ++size) {
      size_t unused = 99;
      ASSERT_EQ(MeasureReply(std::string_view(value).substr(0, size), &unused),
                ReplyStatus::kIncomplete)
          << testing::PrintToString(value) << " at " << size;
      ASSERT_EQ(unused, 99u);
    }
    size_t size = 0;
    EXPECT_EQ(MeasureReply(value + "+next\r\n", &size), ReplyStatus::kWhole);
    EXPECT_EQ(size, value.size());
  }
}

TEST(ReplyParserTest, RefusesMalformedBytes) {
  for (const char* bytes : {"x\r\n",           "\r\n",          "$x\r\n",
                            "$-2\r\n",         "$01\r\na\r\n",  "$1\r\naXX",
                            "$1\r\na\rX",      "*-2\r\n",       "%-1\r\n",
                            "~-1\r\n",         ":x\r\n",        ":\r\n",
                            ":1\rX",           "#x\r\n",        "#\r\n",
                            "_x\r\n",          ",x\r\n",        ",\r\n",
                            "(x\r\n",          "(\r\n",         "=3\r\nabc\r\n",
                            "=5\r\nabcde\r\n", "+a\rb\r\n",     "$?\r\n",
                            "*?\r\n",          "*2\r\n:1\r\n?", "$9223372036854775807\r\n"}) {
    size_t size = 0;
    EXPECT_EQ(MeasureReply(bytes, &size), ReplyStatus::kMalformed) << testing::PrintToString(bytes);
  }
  size_t size = 0;
  EXPECT_EQ(MeasureReply(":" + std::string(600, '1'), &size), ReplyStatus::kMalformed);
}

TEST(ReplyParserTest, LimitsTheDepthButNotTheCounts) {
  std::string deep;
  for (int i = 0; i < kReplyDepthMax; ++i) deep += "*1\r\n";
  EXPECT_EQ(Again(deep + ":1\r\n"), deep + ":1\r\n");
  size_t size = 0;
  EXPECT_EQ(MeasureReply(deep + "*1\r\n", &size), ReplyStatus::kTooDeep);
  EXPECT_EQ(MeasureReply("*2305843009213693951\r\n:1\r\n", &size), ReplyStatus::kIncomplete);
}

TEST(ReplyParserTest, DamagedBytesAreNeverReadBeyondTheirEnd) {
  constexpr uint64_t kSeed = 99;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  constexpr std::string_view kBytes = "+-:$*_#,(=!%~>|\r\n0123456789tf";
  int whole = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = kValues[random.Below(kValues.size())];
    for (uint64_t n = 1 + random.Below(2); n > 0; --n) {
      bytes[random.Below(bytes.size())] = kBytes[random.Below(kBytes.size())];
    }
    const std::vector<char> exact(bytes.begin(), bytes.end());  // its end is guarded by ASan
    size_t size = 0;
    if (MeasureReply({exact.data(), exact.size()}, &size) != ReplyStatus::kWhole) continue;
    ++whole;
    ASSERT_LE(size, bytes.size());
    ASSERT_NE(Again(std::string_view(exact.data(), size)), "?");
  }
  EXPECT_GT(whole, 100);
}

}  // namespace
}  // namespace backplane
