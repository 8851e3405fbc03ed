// SPDX-License-Identifier: BSD-3-Clause
// Range bounds as commands spell them; the odd spellings are what Redis 7.0 answers to.
#include "value/zset_range.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace backplane {
namespace {

TEST(ZSetRangeTest, ScoreBounds) {
  const struct {
    std::string text;
    double value;
    bool exclusive;
  } kGood[] = {{"1.5", 1.5, false},
               {"(1.5", 1.5, true},
               {"-inf", -INFINITY, false},
               {"(+inf", INFINITY, true},
               {"(infinity", INFINITY, true},
               {"", 0, false},
               {"(", 0, true},
               {" 1", 1, false},
               {"0x10", 16, false},
               {"1e400", INFINITY, false}};
  for (const auto& c : kGood) {
    ScoreBound bound;
    ASSERT_TRUE(ParseScoreBound(c.text, &bound)) << c.text;
    EXPECT_EQ(bound.value, c.value) << c.text;
    EXPECT_EQ(bound.exclusive, c.exclusive) << c.text;
  }
  ScoreBound bound;
  for (const char* text : {"nan", "(nan", "1 ", "((1", "one", "[1", "1,5"}) {
    EXPECT_FALSE(ParseScoreBound(text, &bound)) << text;
  }
}

TEST(ZSetRangeTest, ScoreRangesIncludeAndExclude) {
  const ScoreRange closed{{1, false}, {2, false}};
  const ScoreRange open{{1, true}, {2, true}};
  EXPECT_FALSE(closed.IsBefore(1));
  EXPECT_TRUE(open.IsBefore(1));
  EXPECT_TRUE(closed.IsNotBehind(2));
  EXPECT_FALSE(open.IsNotBehind(2));
}

TEST(ZSetRangeTest, LexBounds) {
  LexBound bound;
  using Kind = LexBound::Kind;
  ASSERT_TRUE(ParseLexBound("-", &bound));
  EXPECT_EQ(bound.kind, Kind::kLowest);
  ASSERT_TRUE(ParseLexBound("+", &bound));
  EXPECT_EQ(bound.kind, Kind::kHighest);
  ASSERT_TRUE(ParseLexBound("[abc", &bound));
  EXPECT_EQ(bound.kind, Kind::kInclusive);
  EXPECT_EQ(bound.value, "abc");
  ASSERT_TRUE(ParseLexBound("(", &bound));
  EXPECT_EQ(bound.kind, Kind::kExclusive);
  EXPECT_EQ(bound.value, "");
  for (const char* text : {"", "a", "-x", "++", " [a"}) {
    EXPECT_FALSE(ParseLexBound(text, &bound)) << text;
  }
}

}  // namespace
}  // namespace backplane
