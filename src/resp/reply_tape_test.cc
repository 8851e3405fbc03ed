// SPDX-License-Identifier: BSD-3-Clause
// ReplyTape: structure, deferred aggregates, producers that do not keep their word, and random
// trees against the bytes that RespEncoder makes of them.
#include "resp/reply_tape.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

#include "base/random.h"
#include "resp/reply_parser.h"
#include "resp/resp_encoder.h"

namespace backplane {
namespace {

using Tag = ReplyTape::Tag;

std::string TakeAll(OutputBuffer& buffer) {
  std::string text;
  iovec vec[64];
  while (const int count = buffer.Gather(vec, 64)) {
    size_t size = 0;
    for (int i = 0; i < count; ++i) {
      text.append(static_cast<const char*>(vec[i].iov_base), vec[i].iov_len);
      size += vec[i].iov_len;
    }
    buffer.Consume(size);
  }
  return text;
}

std::string Copied(const ReplyTape& tape, size_t index = 0, int resp = 3) {
  OutputBuffer buffer;
  RespEncoder encoder(&buffer);
  encoder.set_resp(resp);
  tape.CopyTo(index, encoder);
  return TakeAll(buffer);
}

TEST(ReplyTapeTest, KeepsLeaves) {
  ReplyTape tape;
  EXPECT_TRUE(tape.empty());
  EXPECT_FALSE(tape.complete());
  tape.Bulk("hello");
  ASSERT_TRUE(tape.complete());
  EXPECT_EQ(tape.node(0).tag, Tag::kBulk);
  EXPECT_EQ(tape.text(tape.node(0)), "hello");
  tape.Clear();
  tape.Integer(-5);
  EXPECT_EQ(static_cast<int64_t>(tape.node(0).payload), -5);
  tape.Clear();
  tape.Double(2.5);
  EXPECT_EQ(std::bit_cast<double>(tape.node(0).payload), 2.5);
  tape.Clear();
  tape.Verbatim("m", "text");
  EXPECT_EQ(tape.text(tape.node(0)), "m  :text");
  tape.Clear();
  tape.Error("ERR a\r\nb");
  EXPECT_EQ(tape.text(tape.node(0)), "ERR a  b");
  EXPECT_EQ(tape.error_count(), 1u);
}

TEST(ReplyTapeTest, SubtreesKnowTheirEnd) {
  ReplyTape tape;
  tape.BeginArray(3);
  tape.Integer(1);
  tape.BeginMap(1);
  EXPECT_FALSE(tape.complete());
  tape.Bulk("key");
  tape.BeginSet(0);
  tape.Bulk("last");
  ASSERT_TRUE(tape.complete());
  ASSERT_EQ(tape.node_count(), 6u);
  EXPECT_EQ(tape.node(0).end, 6u);
  EXPECT_EQ(tape.node(1).end, 2u);
  EXPECT_EQ(tape.node(2).end, 5u);
  EXPECT_EQ(ReplyTape::ChildCount(tape.node(2)), 2u);
  EXPECT_EQ(tape.node(4).end, 5u);
  EXPECT_EQ(Copied(tape, 2), "%1\r\n$3\r\nkey\r\n~0\r\n");
}

TEST(ReplyTapeTest, DeferredAggregatesCountThemselves) {
  ReplyTape tape;
  const auto map = tape.BeginDeferred(AggregateKind::kMap);
  tape.Bulk("a");
  const auto array = tape.BeginDeferred(AggregateKind::kArray);
  tape.Integer(1);
  tape.Integer(2);
  tape.EndDeferred(array, 77);  // not true
  EXPECT_FALSE(tape.complete());
  tape.EndDeferred(map, 1);
  ASSERT_TRUE(tape.complete());
  EXPECT_EQ(Copied(tape), "%1\r\n$1\r\na\r\n*2\r\n:1\r\n:2\r\n");
}

TEST(ReplyTapeTest, ProducersThatBreakTheirWordStillMakeATree) {
  ReplyTape tape;
  tape.BeginArray(5);
  const auto map = tape.BeginDeferred(AggregateKind::kMap);
  tape.Bulk("key without value");
  tape.BeginArray(9);
  tape.Integer(1);
  tape.EndDeferred(map, 1);
  const auto dangling = tape.BeginDeferred(AggregateKind::kMap);
  tape.Bulk("k");
  tape.EndDeferred(dangling, 1);
  tape.Begin(AggregateKind::kAttribute, 2);
  tape.Bulk("k");
  EXPECT_FALSE(tape.complete());
  tape.Finish();
  ASSERT_TRUE(tape.complete());
  EXPECT_EQ(Copied(tape),
            "*3\r\n%1\r\n$17\r\nkey without value\r\n*1\r\n:1\r\n%1\r\n$1\r\nk\r\n_\r\n"
            "|1\r\n$1\r\nk\r\n_\r\n_\r\n");
  EXPECT_EQ(tape.node(0).end, tape.node_count());
  tape.Clear();
  tape.Finish();
  EXPECT_EQ(Copied(tape), "_\r\n");
  tape.Clear();
  tape.BeginSet(2);
  tape.BeginMap(2);
  tape.Integer(1);
  tape.Finish();
  EXPECT_EQ(Copied(tape), "~1\r\n%1\r\n:1\r\n_\r\n");
}

TEST(ReplyTapeTest, AttributesStandBeforeTheirValue) {
  ReplyTape tape;
  tape.Begin(AggregateKind::kAttribute, 1);
  tape.Bulk("ttl");
  tape.Integer(3);
  EXPECT_FALSE(tape.complete());
  tape.BeginArray(1);
  tape.Begin(AggregateKind::kAttribute, 0);
  tape.Integer(7);
  ASSERT_TRUE(tape.complete());
  const size_t reply = tape.ValueIndex(0);
  EXPECT_EQ(tape.node(reply).tag, Tag::kArray);
  EXPECT_EQ(tape.node(tape.ValueIndex(reply + 1)).tag, Tag::kInteger);
  EXPECT_EQ(Copied(tape), "|1\r\n$3\r\nttl\r\n:3\r\n*1\r\n|0\r\n:7\r\n");
  EXPECT_EQ(Copied(tape, 0, 2), "*1\r\n:7\r\n");
}

TEST(ReplyTapeTest, RawProtocolBecomesStructure) {
  ReplyTape tape;
  tape.BeginArray(2);
  tape.RawProtocol("*2\r\n$1\r\na\r\n_\r\n");
  tape.RawProtocol("|1\r\n+k\r\n+v\r\n,1.5\r\n");
  ASSERT_TRUE(tape.complete());
  EXPECT_EQ(tape.resp(), 2);
  EXPECT_EQ(Copied(tape), "*2\r\n*2\r\n$1\r\na\r\n_\r\n|1\r\n+k\r\n+v\r\n,1.5\r\n");
  for (const char* bytes : {"", "*2\r\n:1\r\n", ":1\r\nx", ":1\r\n$5\r\nab"}) {
    ReplyTape broken;
    broken.RawProtocol(bytes);
    ASSERT_TRUE(broken.complete());
    EXPECT_EQ(broken.node_count(), 1u);
    EXPECT_EQ(broken.node(0).tag, Tag::kError);
    EXPECT_EQ(broken.error_count(), 1u);
  }
}

TEST(ReplyTapeTest, ClearKeepsSmallMemoryOnly) {
  ReplyTape tape;
  for (int i = 0; i < 10; ++i) tape.Bulk("something longer than a short string");
  const size_t memory = tape.memory();
  tape.Clear();
  EXPECT_EQ(tape.memory(), memory);
  EXPECT_TRUE(tape.empty());
  tape.Bulk(std::string(1'000'000, 'x'));
  for (int i = 0; i < 100'000; ++i) tape.Integer(i);
  tape.Clear();
  EXPECT_LT(tape.memory(), 3u * 64 * 1024);
}

// Sends a random value to both sinks; aggregates are deferred or not, as it comes.
void SendRandom(Random& random, int depth, ReplySink& a, ReplySink& b) {
  const auto both = [&](auto send) {
    send(a);
    send(b);
  };
  const int64_t number = static_cast<int64_t>(random.Next()) >> random.Below(64);
  const std::string text(random.Below(50), static_cast<char>('a' + random.Below(26)));
  switch (random.Below(depth > 0 ? 14 : 10)) {
    case 0:
      return both([&](ReplySink& s) { s.SimpleString(text); });
    case 1:
      return both([&](ReplySink& s) { s.Error("ERR " + text); });
    case 2:
      return both([&](ReplySink& s) { s.Integer(number); });
    case 3:
      return both([&](ReplySink& s) { s.Bulk(text); });
    case 4:
      return both([&](ReplySink& s) { s.Null(); });
    case 5:
      return both([&](ReplySink& s) { s.NullArray(); });
    case 6:
      return both([&](ReplySink& s) { s.Double(static_cast<double>(number) / 8); });
    case 7:
      return both([&](ReplySink& s) { s.Bool(number > 0); });
    case 8:
      return both([&](ReplySink& s) { s.BigNumber(std::to_string(number)); });
    case 9:
      return both([&](ReplySink& s) { s.Verbatim("txt", text); });
    default:
      break;
  }
  const auto kind = static_cast<AggregateKind>(random.Below(5));
  const uint64_t count = random.Below(4);
  const bool pairs = kind == AggregateKind::kMap || kind == AggregateKind::kAttribute;
  const bool deferred = random.Below(2) == 0;
  ReplySink::Deferred open_a;
  ReplySink::Deferred open_b;
  if (deferred) {
    open_a = a.BeginDeferred(kind);
    open_b = b.BeginDeferred(kind);
  } else {
    both([&](ReplySink& s) { s.Begin(kind, count); });
  }
  for (uint64_t i = 0; i < count * (pairs ? 2 : 1); ++i) SendRandom(random, depth - 1, a, b);
  if (deferred) {
    a.EndDeferred(open_a, count);
    b.EndDeferred(open_b, count);
  }
  if (kind == AggregateKind::kAttribute) SendRandom(random, depth - 1, a, b);
}

TEST(ReplyTapeTest, RandomTreesAgreeWithTheEncoder) {
  constexpr uint64_t kSeed = 4711;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  ReplyTape tape;
  for (int round = 0; round < 3000; ++round) {
    OutputBuffer buffer;
    RespEncoder encoder(&buffer);
    encoder.set_resp(3);
    tape.Clear();
    SendRandom(random, 4, tape, encoder);
    const std::string bytes = TakeAll(buffer);
    ASSERT_TRUE(tape.complete());
    ASSERT_EQ(Copied(tape), bytes);
    ReplyTape parsed;
    parsed.RawProtocol(bytes);
    ASSERT_TRUE(parsed.complete());
    ASSERT_EQ(Copied(parsed), bytes);
    ASSERT_EQ(parsed.node_count(), tape.node_count());
    for (size_t i = 0; i < tape.node_count(); ++i) ASSERT_EQ(parsed.node(i).end, tape.node(i).end);
    // The same without attributes, by way of the tape and by way of the parser.
    OutputBuffer plain;
    RespEncoder resp2(&plain);
    size_t size = 0;
    ASSERT_EQ(ParseReply(bytes, resp2, &size), ReplyStatus::kWhole);
    ASSERT_EQ(Copied(parsed, 0, 2), TakeAll(plain));
  }
}

}  // namespace
}  // namespace backplane
