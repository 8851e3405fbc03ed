// SPDX-License-Identifier: BSD-3-Clause
// Glob matching: the odd forms as redis-server answers them (KEYS), and random patterns against a
// recursive matcher.
#include "base/glob.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/random.h"

namespace backplane {
namespace {

struct Row {
  std::string_view pattern, text;
  bool matches;
};

TEST(GlobTest, PlainForms) {
  for (const Row& row : {
           Row{"hello", "hello", true},     Row{"hello", "hell", false},
           Row{"hell", "hello", false},     Row{"h?llo", "hxllo", true},
           Row{"h?llo", "hllo", false},     Row{"h*llo", "hllo", true},
           Row{"h*llo", "heeeello", true},  Row{"*llo*", "hello", true},
           Row{"h[ae]llo", "hallo", true},  Row{"h[ae]llo", "hillo", false},
           Row{"h[^e]llo", "hbllo", true},  Row{"h[^e]llo", "hello", false},
           Row{"h[a-c]llo", "hbllo", true}, Row{"h[a-c]llo", "hdllo", false},
           Row{"\\*", "*", true},           Row{"\\*", "x", false},
           Row{"a\\?c", "a?c", true},       Row{"a\\?c", "abc", false},
           Row{"[\\]]", "]", true},         Row{"*", "x", true},
           Row{"x**", "x", true},           Row{"Hello", "hello", false},
       }) {
    EXPECT_EQ(GlobMatch(row.pattern, row.text), row.matches) << row.pattern << " on " << row.text;
  }
}

TEST(GlobTest, OddForms) {
  for (const Row& row : {
           Row{"", "", true},        Row{"*", "", false},        Row{"**", "", false},
           Row{"", "a", false},      Row{"[z-a]", "m", true},    Row{"[a-", "a", true},
           Row{"[a-", "-", true},    Row{"[a-", "b", false},     Row{"[abc", "b", true},
           Row{"[^abc", "b", false}, Row{"[^abc", "x", true},    Row{"[", "[", false},
           Row{"[", "a", false},     Row{"[^", "a", true},       Row{"[]", "a", false},
           Row{"[]", "]", false},    Row{"[^]", "a", true},      Row{"\\", "\\", true},
           Row{"[\\", "\\", true},   Row{"[a-]", "]", true},     Row{"[a-]", "a", true},
           Row{"[a-]", "-", false},  Row{"[a-\\]]", "]", false}, Row{"[a-\\]]", "a]", true},
           Row{"[-a]", "-", true},   Row{"]", "]", true},        Row{"a^", "a^", true},
       }) {
    EXPECT_EQ(GlobMatch(row.pattern, row.text), row.matches) << row.pattern << " on " << row.text;
  }
}

TEST(GlobTest, IgnoresCaseWhenAsked) {
  EXPECT_TRUE(GlobMatch("MaxMem*", "maxmemory", true));
  EXPECT_TRUE(GlobMatch("[A-C]\\X", "bx", true));
  EXPECT_FALSE(GlobMatch("[A-C]x", "dx", true));
  EXPECT_FALSE(GlobMatch("MaxMem*", "maxmemory"));
}

TEST(GlobTest, BytesAbove127AreBytes) {
  EXPECT_TRUE(GlobMatch("[\x80-\xff]", "\xc3"));
  EXPECT_FALSE(GlobMatch("[a-z]", "\xc3"));
  EXPECT_TRUE(GlobMatch("?", "\xff"));
  EXPECT_TRUE(GlobMatch(std::string_view("a\0?", 3), std::string_view("a\0b", 3)));
}

TEST(GlobTest, ManyStarsStayCheap) {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "a*";
  EXPECT_FALSE(GlobMatch(pattern + "b", std::string(5000, 'a')));
  EXPECT_TRUE(GlobMatch(pattern, std::string(5000, 'a')));
}

TEST(GlobTest, KnowsLiterals) {
  EXPECT_TRUE(IsGlobLiteral("plain-^]"));
  for (const char* pattern : {"a*", "?", "[a]", "\\a"}) EXPECT_FALSE(IsGlobLiteral(pattern));
}

// Tries every share of every star; elements are compared by GlobMatch itself on one byte.
bool Recursive(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (size_t i = 0; i <= text.size(); ++i) {
      if (Recursive(pattern.substr(1), text.substr(i))) return true;
    }
    return false;
  }
  if (text.empty()) return false;
  size_t element = 1;
  if (pattern[0] == '\\' && pattern.size() > 1) element = 2;
  if (pattern[0] == '[') element = pattern.find(']') + 1;
  return GlobMatch(pattern.substr(0, element), text.substr(0, 1)) &&
         Recursive(pattern.substr(element), text.substr(1));
}

TEST(GlobTest, StarsAgreeWithARecursiveMatcher) {
  constexpr uint64_t kSeed = 31;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  constexpr std::string_view kElements[] = {"a", "b", "*", "*", "?", "[ab]", "[^a]", "\\a"};
  int matches = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern;
    for (uint64_t n = random.Below(7); n > 0; --n) pattern += kElements[random.Below(8)];
    std::string text(1 + random.Below(8), 'a');
    for (char& c : text) c = static_cast<char>('a' + random.Below(3));
    const bool expected = Recursive(pattern, text);
    ASSERT_EQ(GlobMatch(pattern, text), expected) << pattern << " on " << text;
    matches += expected;
  }
  EXPECT_GT(matches, 1000);
}

}  // namespace
}  // namespace backplane
