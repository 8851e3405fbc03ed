// SPDX-License-Identifier: BSD-3-Clause
// Splitting of quoted words, and that quoting gives back any bytes.
#include "base/quoting.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace backplane {
namespace {

using Words = std::vector<std::string>;

Words Split(std::string_view line) {
  auto words = SplitArgs(line);
  return words ? *words : Words{"<" + words.error().message + ">"};
}

TEST(QuotingTest, SplitsBareWords) {
  EXPECT_EQ(Split(""), Words{});
  EXPECT_EQ(Split(" \t\r\n\v\f "), Words{});
  EXPECT_EQ(Split("save 900  1\r\n"), (Words{"save", "900", "1"}));
  EXPECT_EQ(Split("\va\vb\fc"), (Words{"a\vb\fc"}));  // not blanks inside a word
  EXPECT_EQ(Split("\\x41 a\\"), (Words{"\\x41", "a\\"}));
  EXPECT_EQ(Split("\xff\x80"), (Words{"\xff\x80"}));
}

TEST(QuotingTest, DoubleQuotesHaveEscapes) {
  EXPECT_EQ(Split("\"a b\" \"\""), (Words{"a b", ""}));
  EXPECT_EQ(Split(R"("\n\r\t\b\a\"\\\q")"), (Words{"\n\r\t\b\a\"\\q"}));
  EXPECT_EQ(Split(R"("\x41\xAf\xaF\XAF")"), (Words{"A\xaf\xafXAF"}));
  EXPECT_EQ(Split(R"("\x4" "\xzz" "\x4g")"), (Words{"x4", "xzz", "x4g"}));
  EXPECT_EQ(Split("\"\\x00\""), (Words{std::string(1, '\0')}));
  EXPECT_EQ(Split("\"it's\"\v'x'"), (Words{"it's", "x"}));
}

TEST(QuotingTest, SingleQuotesHaveOneEscape) {
  EXPECT_EQ(Split(R"('a\'b' 'a\nb' '"')"), (Words{"a'b", "a\\nb", "\""}));
}

TEST(QuotingTest, QuotesMayBeginInsideAWord) {
  EXPECT_EQ(Split("a\"b c\" d'e f'"), (Words{"ab c", "de f"}));
}

TEST(QuotingTest, RefusesUnbalancedQuotes) {
  for (const char* line : {"\"", "'", "\"a", "'a", "\"a\"b", "'a'b", "'a''b'", "\"a\\", "\"a\\\"",
                           "'a\\'", "'\\\\'", "\"\\x", "ok \"a"}) {
    EXPECT_EQ(Split(line), Words{"<unbalanced quotes>"}) << line;
  }
}

TEST(QuotingTest, QuotesBytes) {
  EXPECT_EQ(QuoteArg(""), "\"\"");
  EXPECT_EQ(QuoteArg("plain ~"), "\"plain ~\"");
  EXPECT_EQ(QuoteArg("\\\"\n\r\t\a\b"), R"("\\\"\n\r\t\a\b")");
  EXPECT_EQ(QuoteArg(std::string_view("\0\x1f\x7f\xff", 4)), R"("\x00\x1f\x7f\xff")");
  std::string out = "key ";
  AppendQuoted("v", &out);
  EXPECT_EQ(out, "key \"v\"");
}

TEST(QuotingTest, AnyBytesComeBack) {
  constexpr uint64_t kSeed = 5;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  for (int round = 0; round < 500; ++round) {
    Words words(random.Below(5));
    std::string line;
    for (std::string& word : words) {
      for (uint64_t n = random.Below(30); n > 0; --n) word += static_cast<char>(random.Next());
      line += ' ';
      AppendQuoted(word, &line);
    }
    ASSERT_EQ(Split(line), words) << line;
  }
}

TEST(QuotingTest, ReaderLeavesBareWordsInPlace) {
  const std::string line = "get 'a b' key";
  WordReader reader(line);
  std::string_view word;
  std::string unquoted;
  EXPECT_EQ(reader.Next(&word, &unquoted), WordReader::Word::kPlain);
  EXPECT_EQ(word.data(), line.data());
  EXPECT_EQ(reader.Next(&word, &unquoted), WordReader::Word::kQuoted);
  EXPECT_EQ(reader.Next(&word, &unquoted), WordReader::Word::kPlain);
  EXPECT_EQ(word, "key");
  EXPECT_EQ(reader.Next(&word, &unquoted), WordReader::Word::kNone);
  EXPECT_EQ(unquoted, "a b");
}

}  // namespace
}  // namespace backplane
