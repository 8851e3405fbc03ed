// SPDX-License-Identifier: BSD-3-Clause
// Reading an append-only file: whole, cut at every byte, and damaged.
#include "persist/aof_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "persist/aof_format.h"

namespace backplane {
namespace {

using Outcome = AofReader::Outcome;
using Words = std::vector<std::string>;

struct Read {
  std::vector<Words> commands;
  Outcome last = Outcome::kEnd;
  uint64_t begin = 0;
};

Read ReadAll(std::string_view text) {
  // A copy of exactly this size, so that ASan sees the first byte too far.
  const auto exact = std::make_unique<char[]>(text.size());
  std::copy(text.begin(), text.end(), exact.get());
  MemorySource source({exact.get(), text.size()});
  AofReader reader(source);
  Read read;
  std::vector<std::string_view> args;
  while ((read.last = reader.Next(&args)) == Outcome::kCommand) {
    EXPECT_FALSE(args.empty());
    read.commands.emplace_back(args.begin(), args.end());
  }
  read.begin = reader.begin();
  return read;
}

std::string Encode(const std::vector<Words>& commands) {
  std::string text;
  for (const Words& words : commands) {
    const std::vector<std::string_view> views(words.begin(), words.end());
    AppendAofCommand(views, &text);
  }
  return text;
}

const std::vector<Words> kCommands = {
    {"SELECT", "0"}, {"SET", "key", std::string("a\0\r\n*1", 6)}, {"SET", "", ""},
    {"MULTI"},       {"SADD", "s", std::string(300, 'x')},        {"EXEC"}};

TEST(AofReaderTest, ReadsWhatIsWritten) {
  std::string text = Encode(kCommands);
  std::string stamp;
  AppendAofTimestamp(1628217470, &stamp);
  EXPECT_EQ(stamp, "#TS:1628217470\r\n");
  for (const std::string& whole : {text, stamp + text, text + stamp, stamp + stamp + text}) {
    const Read read = ReadAll(whole);
    EXPECT_EQ(read.last, Outcome::kEnd);
    EXPECT_EQ(read.commands, kCommands);
    EXPECT_EQ(read.begin, whole.size());
  }
  EXPECT_EQ(ReadAll("").last, Outcome::kEnd);
}

TEST(AofReaderTest, CutAtEveryByte) {
  std::vector<size_t> ends = {0};
  std::string text;
  for (const Words& words : kCommands) {
    text += Encode({words});
    ends.push_back(text.size());
  }
  for (size_t size = 0; size < text.size(); ++size) {
    const Read read = ReadAll(std::string_view(text).substr(0, size));
    const auto after = std::upper_bound(ends.begin(), ends.end(), size);
    const bool whole = *(after - 1) == size;
    EXPECT_EQ(read.last, whole ? Outcome::kEnd : Outcome::kTruncated) << size;
    EXPECT_EQ(read.begin, *(after - 1)) << size;
    EXPECT_EQ(read.commands.size(), static_cast<size_t>(after - ends.begin() - 1)) << size;
  }
}

TEST(AofReaderTest, EveryFlippedBitIsReadOrRefused) {
  const std::string text = Encode(kCommands);
  for (size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const Read read = ReadAll(damaged);
      EXPECT_NE(read.last, Outcome::kIoError);
      EXPECT_LE(read.begin, text.size());
      EXPECT_NE(read.commands, kCommands);
    }
  }
}

TEST(AofReaderTest, RefusesWhatContradictsTheFormat) {
  for (const char* bad :
       {"!", "SET a b\r\n", "*0\r\n", "*-1\r\n", "*+1\r\n$1\r\na\r\n", "*01\r\n$1\r\na\r\n",
        "*1\n$1\r\na\r\n", "*1\r\n:1\r\na\r\n", "*1\r\n$-1\r\na\r\n", "*1\r\n$1\r\naXX", "*\r\n",
        "*1\r\r$1\r\na\r\n", "*1\r\n$1\r\naX", "*1\r\n$\r\n\r\n\r\n", "*1\r\n$1x\r\na\r\n",
        "*1111111111111111111\r\n"}) {
    EXPECT_EQ(ReadAll(bad).last, Outcome::kBad) << bad;
  }
}

TEST(AofReaderTest, LengthsBeyondTheFileAreAnEarlyEnd) {
  for (const char* cut : {"*1\r\n$999999999999999999\r\n", "*999999999999999999\r\n$1\r\na\r\n",
                          "*2\r\n$1\r\na\r\n", "#TS:12"}) {
    EXPECT_EQ(ReadAll(cut).last, Outcome::kTruncated) << cut;
  }
}

}  // namespace
}  // namespace backplane
