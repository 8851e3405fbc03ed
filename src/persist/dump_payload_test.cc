// SPDX-License-Identifier: BSD-3-Clause
// DUMP payloads: every value there and back in both versions, payloads of redis-server 7.0, and
// damaged ones.
#include "persist/dump_payload.h"

#include <gtest/gtest.h>

#include "base/crc64.h"
#include "persist/persist_test_support.h"

namespace backplane {
namespace {

using namespace testing_support;  // NOLINT: a test

std::string WithFooter(std::string body, int version = 10) {
  body.push_back(static_cast<char>(version));
  body.push_back('\0');
  const uint64_t crc = Crc64(0, body);
  return body.append(reinterpret_cast<const char*>(&crc), 8);
}

std::string FromHex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

class DumpPayloadTest : public testing::Test {
 protected:
  DumpPayloadTest() : keyspace_(2), target_(1) {}

  // What RESTORE of an exact copy makes, as text; "error" otherwise.
  std::string Restored(std::string_view payload) {
    const auto exact = std::make_unique<char[]>(payload.size());
    std::copy(payload.begin(), payload.end(), exact.get());
    std::string scratch;
    const auto content =
        ParseDumpPayload({exact.get(), payload.size()}, {"key", 0, target_, nullptr}, &scratch);
    if (!content) return "error";
    target_.db(0).Delete("key");
    EXPECT_TRUE(target_.db(0).Load("key", *content, -1, 0));
    return Describe(*target_.db(0).Peek("key"));
  }

  Keyspace keyspace_;
  Keyspace target_;
};

TEST_F(DumpPayloadTest, EveryValueComesBack) {
  Fill(keyspace_);
  for (const int version : {10, 11}) {
    for (const bool compress : {true, false}) {
      int count = 0;
      keyspace_.db(0).ForEach([&](const Entry* entry) {
        const std::string payload = CreateDumpPayload(*entry, version, compress);
        EXPECT_EQ(Restored(payload), Describe(*entry)) << entry->key();
        if (!entry->is_string()) {
          EXPECT_EQ(CreateDumpPayload(entry->value(), version, compress), payload);
        }
        ++count;
      });
      EXPECT_GT(count, 5000);
    }
  }
}

TEST_F(DumpPayloadTest, VersionTenHasNoListpackSets) {
  Fill(keyspace_, false);
  const Entry* set = keyspace_.db(0).Peek("set:text");
  EXPECT_EQ(CreateDumpPayload(*set, 10, true)[0], 2);
  EXPECT_EQ(CreateDumpPayload(*set, 11, true)[0], 20);
}

TEST_F(DumpPayloadTest, TheFooterIsJudgedFirst) {
  const std::string good = WithFooter(std::string("\0\3abc", 5));
  EXPECT_EQ(Restored(good), "string/embstr abc");
  EXPECT_EQ(Restored(WithFooter(std::string("\0\3abc", 5), 1)), "string/embstr abc");
  std::string scratch;
  const ValueOrigin origin{"key", 0, target_, nullptr};
  for (const std::string& bad :
       {std::string(), std::string("junk"), good.substr(2), good.substr(0, good.size() - 1),
        good + "x", WithFooter(std::string("\0\3abc", 5), 12)}) {
    EXPECT_FALSE(DumpPayloadIsWhole(bad));
    EXPECT_EQ(ParseDumpPayload(bad, origin, &scratch).error().code, ErrorCode::kUnsupported);
  }
  for (const std::string& body :
       {std::string(), std::string("\0\5abc", 5), std::string("\0\3abcX", 6),
        std::string("\x63\0", 2), std::string("\x0f\0", 2), std::string("\4\0", 2),
        std::string("\1\0", 2), std::string("\6\0\0\0", 4)}) {
    const std::string bad = WithFooter(body);
    EXPECT_TRUE(DumpPayloadIsWhole(bad));
    EXPECT_EQ(ParseDumpPayload(bad, origin, &scratch).error().code, ErrorCode::kCorrupt);
  }
}

TEST_F(DumpPayloadTest, ValuesOfOldForms) {
  // A ziplist: header, "a", 1000 (int16), end.
  const std::string ziplist(
      "\x12\0\0\0\x0d\0\0\0\x02\0\0\x01"
      "a\x03\xc0\xe8\x03\xff",
      18);
  const auto string_of = [](const std::string& bytes) {
    return std::string(1, static_cast<char>(bytes.size())) + bytes;
  };
  EXPECT_EQ(Restored(WithFooter("\x0a" + string_of(ziplist), 6)), "list/listpack 1:a4:1000");
  EXPECT_EQ(Restored(WithFooter("\x0e\x01" + string_of(ziplist), 7)), "list/listpack 1:a4:1000");
  EXPECT_EQ(Restored(WithFooter("\x0d" + string_of(ziplist), 6)), "hash/listpack 6:a=1000");
  EXPECT_EQ(Restored(WithFooter("\x0c" + string_of(ziplist), 6)), "zset/listpack 6:1000 a");
  // A zipmap of one pair, and the intset {1, 2}.
  EXPECT_EQ(Restored(WithFooter("\x09" + string_of(std::string("\1\1f\2\0vv\xff", 8)), 2)),
            "hash/listpack 4:f=vv");
  EXPECT_EQ(
      Restored(WithFooter("\x0b" + string_of(std::string("\2\0\0\0\2\0\0\0\1\0\2\0", 12)), 6)),
      "set/intset 1:11:2");
  // Plain elements; scores as text, infinities as length bytes.
  EXPECT_EQ(Restored(WithFooter("\x01\x02\x01"
                                "a\xc0\x05",
                                1)),
            "list/listpack 1:a1:5");
  EXPECT_EQ(Restored(WithFooter("\x03\x03\x01"
                                "a\x03"
                                "1.5\x01"
                                "b\xff\x01"
                                "c\xfe",
                                1)),
            "zset/listpack 6:-inf b5:1.5 a5:inf c");
  EXPECT_EQ(Restored(WithFooter(std::string("\x04\x01\x01"
                                            "f\x00",
                                            5),
                                1)),
            "hash/listpack 2:f=");
}

// DUMP of a stream by redis-server 7.0: two nodes, a deleted entry, two groups, pending entries of
// two consumers, a consumer without any.
constexpr std::string_view kRedisStream =
    "13021000000000000000010000000000000001c3404840a11aa10000001800020101010201856669656c6406856f74"
    "68657206002011000020010582763003"
    "9e78e01400031f0501032041402b0031e01a2b00022001402b0032e0192b0101ff1000000000000000040000000000"
    "000001c33c407519750000001200020100010201856669656c6406856f7468657206"
    "40110000200105827633039e78e01400011f05203d0001602b0034e0192b0101ff0405010101020105020267310401"
    "81ffffffffffffffff"
    "0300000000000000010000000000000001c105ba07a2010000010000000000000003000000000000000"
    "1c105ba07a20100000100000000000000040000000000000001c105ba07a2010000010205616c696365c105ba07a2"
    "01000002000000000000000100000000000000010000000000000003000000000000000103626f62c105ba07a20100"
    "000100000000000000040000000000000001026732030181ffffffffffffffff0001056361726f6cc105ba07a20100"
    "00000a00d878ab8b2493dd48";

TEST_F(DumpPayloadTest, StreamsAreKeptByteForByte) {
  const std::string payload = FromHex(kRedisStream);
  ASSERT_TRUE(DumpPayloadIsWhole(payload));
  EXPECT_TRUE(Restored(payload).starts_with("stream/stream "));
  EXPECT_EQ(CreateDumpPayload(*target_.db(0).Peek("key"), 10, true), payload);
  EXPECT_EQ(CreateDumpPayload(*target_.db(0).Peek("key")->value().Clone(), 10, true), payload);
  // An empty one, and its forms of before and after.
  EXPECT_NE(Restored(FromHex("13000001010000010101000a00cda16212d34bf396")), "error");
  EXPECT_NE(Restored(WithFooter(std::string("\x0f\0\0\1\1\0", 6), 9)), "error");
  const std::string group("\1\1g\3\1\5\0\1\5alice12345678abcdefgh\0", 31);
  EXPECT_NE(Restored(WithFooter(std::string("\x15\0\0\1\1\0\0\1\1\1", 10) + group, 11)), "error");
  EXPECT_EQ(Restored(WithFooter(std::string("\x13\0\0\1\1\0\0\1\1\1", 10) + group, 11)), "error");
}

TEST_F(DumpPayloadTest, DamageIsAnErrorOrAnotherValue) {
  Fill(keyspace_, false);
  std::vector<std::string> bodies = {FromHex(kRedisStream)};
  keyspace_.db(0).ForEach([&](const Entry* entry) {
    for (const int version : {10, 11}) {
      bodies.push_back(CreateDumpPayload(*entry, version, true));
    }
  });
  size_t refused = 0;
  for (std::string& body : bodies) {
    body.resize(body.size() - 10);
    for (size_t bit = 0; bit < body.size() * 8; ++bit) {
      std::string damaged = body;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      refused += Restored(WithFooter(damaged)) == "error" ? 1 : 0;
    }
    for (size_t size = 0; size < body.size(); ++size) {
      EXPECT_EQ(Restored(WithFooter(body.substr(0, size))), "error");
    }
  }
  EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace backplane
