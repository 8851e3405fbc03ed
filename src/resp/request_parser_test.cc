// SPDX-License-Identifier: BSD-3-Clause
// RequestParser: each row of the tables is what redis-server 7.0 does with the same bytes, whole
// and in every split; random requests against the bytes they were made from.
#include "resp/request_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace backplane {
namespace {

using namespace std::string_literals;       // NOLINT: literals only
using namespace std::string_view_literals;  // NOLINT: literals only
using Args = std::vector<std::string>;

// What a connection makes of a stream: its requests, then the error text or "" (more is awaited).
struct Conversation {
  std::vector<Args> requests;
  std::string error;
  friend bool operator==(const Conversation&, const Conversation&) = default;
};

void PrintTo(const Conversation& talk, std::ostream* out) {
  for (const Args& request : talk.requests) *out << testing::PrintToString(request) << ' ';
  *out << "error: " << talk.error;
}

class Peer {
 public:
  explicit Peer(bool authenticated = true, RequestLimits limits = {})
      : authenticated_(authenticated), limits_(limits) {}

  void Receive(std::string_view bytes) {
    buffer_.append(bytes);
    while (talk_.error.empty()) {
      // An allocation of exactly this size each time: a read beyond it is seen by ASan, and views
      // into an older one are dead.
      std::vector<char> exact(buffer_.begin(), buffer_.end());
      std::vector<std::string_view> args;
      size_t consumed = 0;
      const auto outcome =
          parser_.Parse({exact.data(), exact.size()}, authenticated_, limits_, &args, &consumed);
      if (outcome == RequestParser::Outcome::kNeedMore) {
        ASSERT_TRUE(args.empty());
        ASSERT_TRUE(parser_.needed() == 0 || parser_.needed() > buffer_.size());
        return;
      }
      if (outcome == RequestParser::Outcome::kError) {
        talk_.error = parser_.error();
        ASSERT_FALSE(talk_.error.empty());
        return;
      }
      ASSERT_TRUE(consumed > 0 && consumed <= buffer_.size());
      talk_.requests.emplace_back(args.begin(), args.end());
      buffer_.erase(0, consumed);
    }
  }
  const Conversation& talk() const { return talk_; }
  RequestParser& parser() { return parser_; }

 private:
  bool authenticated_;
  RequestLimits limits_;
  RequestParser parser_;
  std::string buffer_;
  Conversation talk_;
};

struct Row {
  std::string bytes;
  Conversation expected;
};

void CheckRow(const Row& row, bool authenticated = true, RequestLimits limits = {}) {
  SCOPED_TRACE(testing::PrintToString(row.bytes));
  Peer whole(authenticated, limits);
  whole.Receive(row.bytes);
  EXPECT_EQ(whole.talk(), row.expected);
  Peer bytewise(authenticated, limits);
  for (char c : row.bytes) bytewise.Receive({&c, 1});
  EXPECT_EQ(bytewise.talk(), row.expected);
  for (size_t split = 1; split < row.bytes.size(); ++split) {
    Peer peer(authenticated, limits);
    peer.Receive(std::string_view(row.bytes).substr(0, split));
    peer.Receive(std::string_view(row.bytes).substr(split));
    ASSERT_EQ(peer.talk(), row.expected) << "split at " << split;
  }
}

const std::string kPing = "*1\r\n$4\r\nPING\r\n";

TEST(RequestParserTest, ReadsMultibulkRequests) {
  CheckRow({kPing, {{{"PING"}}, ""}});
  CheckRow({"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$0\r\n\r\n" + kPing,
            {{{"SET", "key:000000000042", ""}, {"PING"}}, ""}});
  CheckRow({"*1\r\n$5\r\n\r\n\0*$\r\n"s, {{{"\r\n\0*$"s}}, ""}});
  const std::string big(123456, 'x');
  Peer peer;
  peer.Receive("*2\r\n$4\r\nECHO\r\n$123456\r\n" + big + "\r\n");
  EXPECT_EQ(peer.talk(), (Conversation{{{"ECHO", big}}, ""}));
}

TEST(RequestParserTest, CountsOfZeroOrLessAreEmptyRequests) {
  for (const char* count : {"0", "-1", "-5", "-9223372036854775808"}) {
    CheckRow({"*" + std::string(count) + "\r\n" + kPing, {{{}, {"PING"}}, ""}});
  }
}

TEST(RequestParserTest, RefusesBadCounts) {
  for (const char* count : {"", "+1", "01", " 1", "1 ", "x", "-0", "-", "1x", "2147483648",
                            "9223372036854775808", "-9223372036854775809"}) {
    CheckRow({"*" + std::string(count) + "\r\n", {{}, "invalid multibulk length"}});
  }
  CheckRow({"*2147483647\r\n", {{}, ""}});
}

TEST(RequestParserTest, RefusesBadBulkLengths) {
  for (const char* length :
       {"", "-1", "+4", "04", "x", "-0", " 4", "4 ", "536870913", "99999999999999999999"}) {
    CheckRow({"*1\r\n$" + std::string(length) + "\r\nPING\r\n", {{}, "invalid bulk length"}});
  }
  CheckRow({"*1\r\n$536870912\r\n", {{}, ""}});
}

TEST(RequestParserTest, RefusesWhatIsNotABulk) {
  CheckRow({"*1\r\nx\r\n", {{}, "expected '$', got 'x'"}});
  CheckRow({"*1\r\n:1\r\n", {{}, "expected '$', got ':'"}});
  CheckRow({"*1\r\n\r\n", {{}, "expected '$', got '\r'"}});
  CheckRow({kPing + "*2\r\n$4\r\nECHO\r\n*1\r\n", {{{"PING"}}, "expected '$', got '*'"}});
  CheckRow({"*1\r\nx", {{}, ""}});  // judged only when the line has ended
}

TEST(RequestParserTest, SkipsLineEndsWithoutReadingThem) {
  CheckRow({"*1\r\n$4\r\nPINGxx" + kPing, {{{"PING"}, {"PING"}}, ""}});
  CheckRow({"*1\rx$4\r?PING\r\n", {{{"PING"}}, ""}});
  CheckRow({"*1\r\r\n\r\n", {{}, "expected '$', got '\n'"}});
  CheckRow({"*1\n$4\nPING\n", {{}, ""}});
}

TEST(RequestParserTest, ReadsInlineRequests) {
  CheckRow({"PING\n", {{{"PING"}}, ""}});
  CheckRow({"  set\tkey  \"a b\"  \r\n" + kPing, {{{"set", "key", "a b"}, {"PING"}}, ""}});
  CheckRow({"\r\n\n \r\r\n" + kPing, {{{}, {}, {}, {"PING"}}, ""}});
  CheckRow({"ECHO a\rb\r\r\n", {{{"ECHO", "a", "b"}}, ""}});
  CheckRow({"\"\"\r\nPING ''\r\n", {{{""}, {"PING", ""}}, ""}});
  CheckRow({"a \"b\\x41\\n\" 'c\\n\\'' d\"e f\"\n", {{{"a", "bA\n", "c\\n'", "de f"}}, ""}});
  CheckRow({"$4\r\n", {{{"$4"}}, ""}});
}

TEST(RequestParserTest, RefusesUnbalancedQuotes) {
  for (const char* line : {"ECHO \"a", "ECHO \"a\"b", "ECHO 'a'b", "ECHO 'a\\", "'"}) {
    CheckRow({std::string(line) + "\r\n" + kPing, {{}, "unbalanced quotes in request"}});
  }
}

TEST(RequestParserTest, ANulHidesTheEndOfItsLine) {
  RequestLimits limits;
  limits.inline_bytes_max = 40;
  CheckRow({"ECHO a\0b\r\n"s + kPing, {{}, ""}}, true, limits);
  CheckRow({"*1\0\r\n"s + kPing, {{}, ""}}, true, limits);
  CheckRow({"*1\r\n$4\0\r\nPING\r\n"s, {{}, ""}}, true, limits);
  const std::string tail(40, '\n');
  CheckRow({"\0"s + tail, {{}, "too big inline request"}}, true, limits);
  CheckRow({"*\0"s + tail, {{}, "too big mbulk count string"}}, true, limits);
  CheckRow({"*1\r\n$\0"s + tail, {{}, "too big bulk count string"}}, true, limits);
}

TEST(RequestParserTest, LimitsTheLengthOfLines) {
  RequestLimits limits;
  limits.inline_bytes_max = 10;
  CheckRow({"0123456789", {{}, ""}}, true, limits);
  CheckRow({"0123456789\n", {{{"0123456789"}}, ""}}, true, limits);
  CheckRow({"0123456789a\n", {{}, "too big inline request"}}, true, limits);
  CheckRow({"*111111111", {{}, ""}}, true, limits);
  CheckRow({"*1111111111", {{}, "too big mbulk count string"}}, true, limits);
  CheckRow({"*1\r\n$111111111", {{}, ""}}, true, limits);
  CheckRow({"*1\r\n$1111111111", {{}, "too big bulk count string"}}, true, limits);
  CheckRow({"*1\r\nxxxxxxxxxxx", {{}, "too big bulk count string"}}, true, limits);
}

TEST(RequestParserTest, LimitsTheUnauthenticated) {
  const std::string bulk16384 = "*1\r\n$16384\r\n" + std::string(16384, 'a') + "\r\n";
  Peer peer(false);
  peer.Receive(bulk16384);
  EXPECT_EQ(peer.talk(), (Conversation{{{std::string(16384, 'a')}}, ""}));
  CheckRow({"*10\r\n", {{}, ""}}, false);
  CheckRow({"*11\r\n", {{}, "unauthenticated multibulk length"}}, false);
  CheckRow({"*2147483648\r\n", {{}, "invalid multibulk length"}}, false);
  CheckRow({"*1\r\n$16384\r\n", {{}, ""}}, false);
  CheckRow({"*1\r\n$16385\r\n", {{}, "unauthenticated bulk length"}}, false);
  CheckRow({"*1\r\n$536870913\r\n", {{}, "invalid bulk length"}}, false);
  RequestLimits off;
  off.unauthenticated_args_max = 0;
  off.unauthenticated_bulk_bytes_max = 0;
  CheckRow({"*11\r\n$16385\r\n", {{}, ""}}, false, off);
}

TEST(RequestParserTest, HonoursConfiguredLimits) {
  RequestLimits limits;
  limits.args_max = 2;
  limits.bulk_bytes_max = 3;
  CheckRow({"*2\r\n$3\r\nabc\r\n$0\r\n\r\n", {{{"abc", ""}}, ""}}, true, limits);
  CheckRow({"*3\r\n", {{}, "invalid multibulk length"}}, true, limits);
  CheckRow({"*1\r\n$4\r\nabcd\r\n", {{}, "invalid bulk length"}}, true, limits);
}

TEST(RequestParserTest, SaysHowMuchALargeBulkNeeds) {
  Peer peer;
  peer.Receive("*2\r\n$4\r\nECHO\r\n$100000\r\nab");
  const size_t needed = 4 + 10 + 9 + 100000 + 2;
  EXPECT_EQ(peer.parser().needed(), needed);
  peer.Receive(std::string(99998, 'c') + "\r");
  EXPECT_TRUE(peer.talk().requests.empty());
  peer.Receive("\n");
  ASSERT_EQ(peer.talk().requests.size(), 1u);
  EXPECT_EQ(peer.talk().requests[0][1].size(), 100000u);
  EXPECT_EQ(peer.parser().needed(), 0u);
}

TEST(RequestParserTest, AppendsToTheArgsAndPointsIntoTheData) {
  RequestParser parser;
  std::vector<std::string_view> args = {"before"};
  size_t consumed = 0;
  const std::string cut = "*2\r\n$4\r\nECHO\r\n$1\r\n";
  EXPECT_EQ(parser.Parse(cut, true, {}, &args, &consumed), RequestParser::Outcome::kNeedMore);
  EXPECT_EQ(args.size(), 1u);
  const std::string whole = cut + "x\r\n";
  EXPECT_EQ(parser.Parse(whole, true, {}, &args, &consumed), RequestParser::Outcome::kCommand);
  EXPECT_EQ(consumed, whole.size());
  ASSERT_EQ(args, (std::vector<std::string_view>{"before", "ECHO", "x"}));
  EXPECT_EQ(args[2].data(), whole.data() + whole.size() - 3);
  EXPECT_FALSE(parser.holds_args());
}

TEST(RequestParserTest, TellsWhenItHoldsArgs) {
  RequestParser parser;
  std::vector<std::string_view> args;
  size_t consumed = 0;
  parser.Parse("ECHO plain\n", true, {}, &args, &consumed);
  EXPECT_FALSE(parser.holds_args());
  parser.Parse("ECHO 'quoted'\n", true, {}, &args, &consumed);
  EXPECT_TRUE(parser.holds_args());
  parser.Parse(kPing, true, {}, &args, &consumed);
  EXPECT_FALSE(parser.holds_args());
}

TEST(RequestParserTest, ResetStartsOver) {
  RequestParser parser;
  std::vector<std::string_view> args;
  size_t consumed = 0;
  parser.Parse("*2\r\n$4\r\nECHO\r\n$1000\r\n", true, {}, &args, &consumed);
  parser.Reset();
  EXPECT_EQ(parser.needed(), 0u);
  EXPECT_EQ(parser.Parse(kPing, true, {}, &args, &consumed), RequestParser::Outcome::kCommand);
  EXPECT_EQ(args, (std::vector<std::string_view>{"PING"}));
}

std::string RandomText(Random& random, size_t size_max) {
  constexpr std::string_view kAlphabet = "ab\r\n\0*$\"' 0"sv;
  std::string text(random.Below(size_max + 1), '\0');
  for (char& c : text) c = kAlphabet[random.Below(kAlphabet.size())];
  return text;
}

TEST(RequestParserTest, RandomPipelinesInRandomPiecesComeOutAsMade) {
  constexpr uint64_t kSeed = 20261123;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    Conversation expected;
    for (uint64_t n = random.Below(8); n > 0; --n) {
      Args request(random.Below(6));
      bytes += "*" + std::to_string(request.size()) + "\r\n";
      for (std::string& arg : request) {
        arg = RandomText(random, random.Below(10) == 0 ? 2000 : 20);
        bytes += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
      }
      expected.requests.push_back(std::move(request));
    }
    Peer peer;
    for (size_t at = 0; at < bytes.size();) {
      const size_t piece = 1 + random.Below(random.Below(3) == 0 ? 5 : 700);
      peer.Receive(std::string_view(bytes).substr(at, piece));
      at += piece;
    }
    ASSERT_EQ(peer.talk(), expected) << "round " << round;
  }
}

}  // namespace
}  // namespace backplane
