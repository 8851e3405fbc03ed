// SPDX-License-Identifier: BSD-3-Clause
// ZSetValue against a plain ordered model in both encodings, its conversions, and its RDB forms.
#include "value/zset_value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "value/rdb_test_support.h"

namespace backplane {
namespace {

using testing_support::ForEachDamage;
using testing_support::LoadFromString;
using testing_support::MemoryWriter;
using testing_support::SaveToString;
using Outcome = ZAddResult::Outcome;
using Pairs = std::vector<std::pair<double, std::string>>;  // ascending

Pairs Contents(const ZSetValue& zset) {
  Pairs out;
  zset.ForEach([&](const Item& m, double score) { out.emplace_back(score, m.ToString()); });
  return out;
}

EncodingLimits LargeOnly() {
  EncodingLimits limits;
  limits.zset_max_listpack_entries = 0;
  return limits;
}

class ZSetModel {
 public:
  ZSetModel(uint64_t seed, const EncodingLimits& limits, uint64_t members, uint64_t scores)
      : random_(seed), limits_(limits), members_(members), scores_(scores) {}

  void Step() {
    const std::string member = RandomMember();
    switch (random_.Below(8)) {
      case 0:
        ASSERT_EQ(zset_.Remove(member), scores_by_member_.erase(member) == 1);
        break;
      case 1:
        if (random_.Below(20) == 0) EraseSpan();
        break;
      default:
        Add(member);
    }
  }

  void Check() {
    const Pairs expected = Ordered();
    ASSERT_EQ(zset_.length(), expected.size());
    ASSERT_EQ(Contents(zset_), expected);
    ASSERT_EQ(Contents(static_cast<ZSetValue&>(*zset_.Clone())), expected);
    std::set<std::string> scanned;
    uint64_t cursor = 0;
    do {
      cursor = zset_.Scan(cursor, [&](const Item& m, double) { scanned.insert(m.ToString()); });
    } while (cursor != 0);
    ASSERT_EQ(scanned.size(), expected.size());
    for (uint64_t rank = 0; rank < expected.size(); ++rank) {
      double score = 0;
      ASSERT_EQ(zset_.Rank(expected[rank].second, false, &score), rank);
      ASSERT_EQ(score, expected[rank].first);
      ASSERT_EQ(zset_.Rank(expected[rank].second, true), expected.size() - 1 - rank);
    }
    ASSERT_NO_FATAL_FAILURE(CheckRanges(expected));
    ASSERT_NO_FATAL_FAILURE(CheckWalking(expected));
    if (expected.empty()) return;
    ASSERT_NO_FATAL_FAILURE(CheckSampling());
    auto loaded = LoadFromString(zset_.rdb_type(11), SaveToString(zset_), limits_);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
    ASSERT_EQ(Contents(static_cast<ZSetValue&>(**loaded)), expected);
  }

  std::string_view encoding() const { return zset_.encoding_name(); }

 private:
  std::string RandomMember() {
    const uint64_t number = random_.Below(members_);
    return number % 3 == 0 ? std::to_string(number) : "m:" + std::to_string(number);
  }
  double RandomScore() {
    switch (random_.Below(12)) {
      case 0:
        return INFINITY;
      case 1:
        return -INFINITY;
      case 2:
        return static_cast<double>(random_.Below(1000)) / 7 - 50;
      case 3:
        return std::ldexp(1.0, static_cast<int>(random_.Below(200)) - 100);
      default:
        return static_cast<double>(random_.Below(scores_));
    }
  }
  Pairs Ordered() const {
    Pairs out;
    for (const auto& [member, score] : scores_by_member_) out.emplace_back(score, member);
    std::sort(out.begin(), out.end());
    return out;
  }

  void Add(const std::string& member) {
    ZAddFlags flags;
    flags.incr = random_.Below(4) == 0;
    switch (random_.Below(8)) {
      case 0:
        flags.nx = true;
        break;
      case 1:
        flags.xx = true;
        break;
      case 2:
        flags.gt = true;
        break;
      case 3:
        flags.lt = flags.xx = true;
        break;
      default:
        break;
    }
    const double given = RandomScore();
    const ZAddResult result = zset_.Add(member, given, flags, limits_);
    const auto known = scores_by_member_.find(member);
    if (known == scores_by_member_.end()) {
      ASSERT_EQ(result.outcome, flags.xx ? Outcome::kBlocked : Outcome::kAdded);
      if (!flags.xx) scores_by_member_[member] = given;
      return;
    }
    const double wanted = flags.incr ? known->second + given : given;
    if (flags.nx) {
      ASSERT_EQ(result.outcome, Outcome::kBlocked);
    } else if (std::isnan(wanted)) {
      ASSERT_EQ(result.outcome, Outcome::kNaN);
    } else if ((flags.gt && wanted <= known->second) || (flags.lt && wanted >= known->second)) {
      ASSERT_EQ(result.outcome, Outcome::kBlocked);
    } else {
      ASSERT_EQ(result.outcome, wanted == known->second ? Outcome::kUnchanged : Outcome::kUpdated);
      ASSERT_EQ(result.score, wanted);
      known->second = wanted;
    }
  }

  void EraseSpan() {
    const Pairs before = Ordered();
    if (before.empty()) return;
    const uint64_t first = random_.Below(before.size());
    const uint64_t count = random_.Below(std::min<uint64_t>(before.size() - first, 40) + 1);
    zset_.EraseSpan({first, count});
    for (uint64_t i = first; i < first + count; ++i) scores_by_member_.erase(before[i].second);
  }

  void CheckRanges(const Pairs& expected) {
    for (int i = 0; i < 10; ++i) {
      const ScoreRange range{{RandomScore(), random_.Below(2) == 0},
                             {RandomScore(), random_.Below(2) == 0}};
      const auto span = zset_.SpanOf(range);
      Pairs inside;
      for (const auto& pair : expected) {
        if (!range.IsBefore(pair.first) && range.IsNotBehind(pair.first)) inside.push_back(pair);
      }
      ASSERT_EQ(span.count, inside.size());
      for (const bool reverse : {false, true}) {
        Pairs seen;
        zset_.ForSpan(span, reverse,
                      [&](const Item& m, double score) { seen.emplace_back(score, m.ToString()); });
        if (reverse) std::reverse(seen.begin(), seen.end());
        ASSERT_EQ(seen, inside);
      }
    }
  }

  void CheckWalking(const Pairs& expected) {
    if (expected.empty()) return;
    auto p = zset_.At(0);
    for (const auto& [score, member] : expected) {
      ASSERT_TRUE(p);
      ASSERT_EQ(zset_.MemberAt(p).ToString(), member);
      ASSERT_EQ(zset_.ScoreAt(p), score);
      p = zset_.Next(p);
    }
    ASSERT_FALSE(p);
    p = zset_.At(expected.size() - 1);
    for (auto it = expected.rbegin(); it != expected.rend(); ++it, p = zset_.Prev(p)) {
      ASSERT_EQ(zset_.MemberAt(p).ToString(), it->second);
    }
    ASSERT_FALSE(p);
  }

  void CheckSampling() {
    Item member;
    double score;
    zset_.Sample(random_, &member, &score);
    ASSERT_EQ(scores_by_member_.at(member.ToString()), score);
    std::set<std::string> drawn;
    zset_.SampleDistinct(random_, 7, [&](const Item& m, double s) {
      ASSERT_EQ(scores_by_member_.at(m.ToString()), s);
      drawn.insert(m.ToString());
    });
    ASSERT_EQ(drawn.size(), std::min<size_t>(7, scores_by_member_.size()));
  }

  Random random_;
  EncodingLimits limits_;
  uint64_t members_;
  uint64_t scores_;
  ZSetValue zset_;
  std::map<std::string, double> scores_by_member_;
};

TEST(ZSetValueTest, AgreesWithAModelOverRandomOperations) {
  struct Shape {
    EncodingLimits limits;
    uint64_t members;
    uint64_t scores;
    const char* final_encoding;
  };
  for (const Shape& shape :
       {Shape{EncodingLimits(), 60, 10, "listpack"}, Shape{EncodingLimits(), 2000, 50, "skiplist"},
        Shape{LargeOnly(), 2000, 100000, "skiplist"}, Shape{LargeOnly(), 30, 3, "skiplist"}}) {
    SCOPED_TRACE(shape.members);
    ZSetModel model(shape.members, shape.limits, shape.members, shape.scores);
    for (int step = 0; step < 6000; ++step) {
      ASSERT_NO_FATAL_FAILURE(model.Step());
      if (step % 200 == 0) {
        ASSERT_NO_FATAL_FAILURE(model.Check());
      }
    }
    EXPECT_EQ(model.encoding(), shape.final_encoding);
  }
}

TEST(ZSetValueTest, LexRanges) {
  for (const EncodingLimits& limits : {EncodingLimits(), LargeOnly()}) {
    ZSetValue zset;
    for (const char* member : {"", "a", "aa", "b", "c", "10"}) zset.Add(member, 0, {}, limits);
    const auto range = [&](const char* min, const char* max) {
      LexRange parsed;
      EXPECT_TRUE(ParseLexBound(min, &parsed.min) && ParseLexBound(max, &parsed.max));
      std::string out;
      zset.ForSpan(zset.SpanOf(parsed), false,
                   [&](const Item& m, double) { out += m.ToString() + ","; });
      return out;
    };
    EXPECT_EQ(range("-", "+"), ",10,a,aa,b,c,");
    EXPECT_EQ(range("[a", "(c"), "a,aa,b,");
    EXPECT_EQ(range("(a", "[c"), "aa,b,c,");
    EXPECT_EQ(range("(", "[1"), "");
    EXPECT_EQ(range("[", "[10"), ",10,");
    EXPECT_EQ(range("+", "-"), "");
    EXPECT_EQ(range("-", "-"), "");
    EXPECT_EQ(range("[b", "[a"), "");
  }
}

// As redis-server 7.0 answers ZRANGE BYLEX, with REV and without.
TEST(ZSetValueTest, LexRangesOfAListpackWithUnequalScores) {
  ZSetValue zset;
  int score = 0;
  for (const char* member : {"17", "29", "", "cbb", "d", "16"}) zset.Add(member, score++, {}, {});
  const auto range = [&](const char* min, const char* max, bool reverse) {
    LexRange parsed;
    EXPECT_TRUE(ParseLexBound(min, &parsed.min) && ParseLexBound(max, &parsed.max));
    std::string out;
    zset.ForSpan(zset.SpanOf(parsed, reverse), reverse,
                 [&](const Item& m, double) { out += m.ToString() + ","; });
    return out;
  };
  EXPECT_EQ(range("-", "[acb", false), "17,29,,");
  EXPECT_EQ(range("-", "[acb", true), "16,d,cbb,,29,17,");
  EXPECT_EQ(range("[16", "[3", false), "17,29,,");
  EXPECT_EQ(range("[16", "[3", true), "16,d,cbb,");
  EXPECT_EQ(range("[18", "[3", false), "");
  EXPECT_EQ(range("[18", "+", true), "");
  EXPECT_EQ(range("-", "[16", false), "");
  EXPECT_EQ(range("-", "(17", true), "");
}

TEST(ZSetValueTest, ConvertsAtTheLimits) {
  EncodingLimits limits;
  limits.zset_max_listpack_entries = 3;
  limits.zset_max_listpack_value = 5;
  ZSetValue by_count;
  for (const char* member : {"a", "b", "12345", "a"}) by_count.Add(member, 1, {}, limits);
  EXPECT_EQ(by_count.encoding_name(), "listpack");
  by_count.Add("d", 1, {}, limits);
  EXPECT_EQ(by_count.encoding_name(), "skiplist");
  by_count.Remove("d");
  EXPECT_EQ(by_count.encoding_name(), "skiplist");
  by_count.ConvertToListpackIfSmall(limits);
  EXPECT_EQ(by_count.encoding_name(), "listpack");
  EXPECT_EQ(Contents(by_count), (Pairs{{1, "12345"}, {1, "a"}, {1, "b"}}));
  by_count.Add("123456", 1, {}, limits);
  EXPECT_EQ(by_count.encoding_name(), "skiplist");
  by_count.ConvertToListpackIfSmall(limits);
  EXPECT_EQ(by_count.encoding_name(), "skiplist");
  ZSetValue announced;
  announced.PrepareToGrow(3, 5, limits);
  EXPECT_EQ(announced.encoding_name(), "listpack");
  announced.PrepareToGrow(1, 6, limits);
  EXPECT_EQ(announced.encoding_name(), "skiplist");
}

TEST(ZSetValueTest, ListpackBytesAreTheSharedFormat) {
  const EncodingLimits limits;
  ZSetValue zset;
  zset.Add("b", 1.5, {}, limits);
  zset.Add("a", -0.0, {}, limits);
  zset.Add("c", INFINITY, {}, limits);
  EXPECT_EQ(SaveToString(zset), std::string("\x1c"
                                            "\x1c\0\0\0\6\0"
                                            "\x81"
                                            "a\2\0\1"
                                            "\x81"
                                            "b\2\x83"
                                            "1.5\4"
                                            "\x81"
                                            "c\2\x83"
                                            "inf\4"
                                            "\xff",
                                            29));
}

TEST(ZSetValueTest, LoadsTheOlderForms) {
  const std::string ziplist(
      "\x18\x18\0\0\0\x15\0\0\0\4\0"  // 24 bytes, last entry at 21, 4 entries
      "\0\1a\3\3"
      "1.5\5\1b\3\xf3\xff",
      25);
  const std::string text_doubles(
      "\2\1b\1"
      "2\1a\3"
      "1.5",
      11);
  const Pairs expected = {{1.5, "a"}, {2, "b"}};
  for (const auto& [type, body] :
       {std::pair<uint8_t, std::string>{12, ziplist}, {3, text_doubles}}) {
    auto loaded = LoadFromString(type, body);
    ASSERT_TRUE(loaded.has_value()) << int{type} << " " << loaded.error().message;
    EXPECT_EQ(Contents(static_cast<ZSetValue&>(**loaded)), expected);
    EXPECT_EQ((*loaded)->encoding_name(), "listpack");
    ForEachDamage(body, [&, t = type](const std::string& bytes) {
      auto damaged = LoadFromString(t, bytes);
      if (damaged) {
        EXPECT_GT(Contents(static_cast<ZSetValue&>(**damaged)).size(), 0u);
      }
    });
  }
}

TEST(ZSetValueTest, RefusesWhatIsNoSortedSetAndSortsTheRest) {
  const auto load_pack = [](std::initializer_list<const char*> texts) {
    Listpack pack;
    for (const char* text : texts) pack.Append(text);
    MemoryWriter writer;
    writer.WriteString(pack.Raw());
    return LoadFromString(17, writer.bytes);
  };
  EXPECT_FALSE(load_pack({}));
  EXPECT_FALSE(load_pack({"a"}));
  EXPECT_FALSE(load_pack({"a", "nan"}));
  EXPECT_FALSE(load_pack({"a", "x"}));
  EXPECT_FALSE(load_pack({"a", "1", "b", "2", "a", "3"}));
  auto unordered = load_pack({"z", "5", "b", "-inf", "7", "0x10", "a", "5"});
  ASSERT_TRUE(unordered.has_value());
  EXPECT_EQ(Contents(static_cast<ZSetValue&>(**unordered)),
            (Pairs{{-INFINITY, "b"}, {5, "a"}, {5, "z"}, {16, "7"}}));
  MemoryWriter not_a_number;
  not_a_number.WriteLength(1);
  not_a_number.WriteString("a");
  not_a_number.WriteBinaryDouble(NAN);
  EXPECT_FALSE(LoadFromString(5, not_a_number.bytes));
  MemoryWriter twice;
  twice.WriteLength(2);
  for (int i = 0; i < 2; ++i) {
    twice.WriteString("a");
    twice.WriteBinaryDouble(i);
  }
  EXPECT_FALSE(LoadFromString(5, twice.bytes));
  EXPECT_FALSE(LoadFromString(5, std::string(1, '\0')));
}

TEST(ZSetValueTest, DamagedBytesNeverCrash) {
  for (const EncodingLimits& limits : {EncodingLimits(), LargeOnly()}) {
    ZSetValue zset;
    for (int i = 0; i < 8; ++i) zset.Add("m" + std::to_string(i), i * 1.25, {}, limits);
    ForEachDamage(SaveToString(zset), [&](const std::string& bytes) {
      auto damaged = LoadFromString(zset.rdb_type(11), bytes, limits);
      if (!damaged) return;
      auto& loaded = static_cast<ZSetValue&>(**damaged);
      const Pairs contents = Contents(loaded);
      EXPECT_GT(contents.size(), 0u);
      EXPECT_TRUE(std::is_sorted(contents.begin(), contents.end()));
    });
  }
}

}  // namespace
}  // namespace backplane
