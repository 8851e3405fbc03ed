// SPDX-License-Identifier: BSD-3-Clause
// Units of commands, and who gets which.
#include "engine/propagation.h"

#include <gtest/gtest.h>

namespace backplane {
namespace {

class Seen final : public PropagationSink {
 public:
  explicit Seen(const PropagationStream* stream) : stream_(stream) {}
  void OnCommand(int db, std::span<const std::string_view> args) override {
    if (!text.empty()) text += ", ";
    text += std::to_string(db) + ":";
    for (const std::string_view arg : args) text += std::string(arg) + ".";
    mark = stream_->commands_sent();
  }
  std::string Take() { return std::exchange(text, {}); }
  std::string text;
  uint64_t mark = 0;

 private:
  const PropagationStream* stream_;
};

class PropagationTest : public testing::Test {
 protected:
  void Append(int db, std::initializer_list<std::string_view> args,
              uint8_t targets = kPropagateEverywhere) {
    // What they were made of is gone when the unit ends.
    std::vector<std::string> owned(args.begin(), args.end());
    const std::vector<std::string_view> views(owned.begin(), owned.end());
    stream_.Append(db, views, targets);
  }
  PropagationStream stream_;
  Seen file_{&stream_};
  Seen replicas_{&stream_};
};

TEST_F(PropagationTest, OneCommandIsAlone) {
  EXPECT_FALSE(stream_.wanted());
  stream_.AddSink(&file_, kPropagateToAof);
  EXPECT_TRUE(stream_.wanted());
  stream_.BeginUnit();
  Append(2, {"SET", "a", ""});
  EXPECT_TRUE(stream_.pending());
  EXPECT_EQ(file_.text, "");
  stream_.EndUnit();
  EXPECT_EQ(file_.Take(), "2:SET.a..");
  EXPECT_FALSE(stream_.pending());
  stream_.BeginUnit();
  stream_.EndUnit();
  EXPECT_EQ(file_.Take(), "");
  stream_.RemoveSink(&file_);
  EXPECT_FALSE(stream_.wanted());
}

TEST_F(PropagationTest, SeveralCommandsAreATransaction) {
  stream_.AddSink(&file_, kPropagateToAof);
  stream_.BeginUnit();
  Append(0, {"SET", "a", "1"});
  stream_.BeginUnit();
  Append(1, {"INCR", "a"});
  stream_.EndUnit();
  EXPECT_EQ(file_.text, "");
  stream_.EndUnit();
  EXPECT_EQ(file_.Take(), "-1:MULTI., 0:SET.a.1., 1:INCR.a., -1:EXEC.");
  EXPECT_EQ(stream_.commands_sent(), 2u);
  // The mark of a unit stands before its first command is sent.
  EXPECT_EQ(file_.mark, 2u);
}

TEST_F(PropagationTest, EachReaderGetsItsOwn) {
  stream_.AddSink(&file_, kPropagateToAof);
  stream_.AddSink(&replicas_, kPropagateToReplicas);
  stream_.BeginUnit();
  Append(0, {"A"});
  Append(0, {"B"}, kPropagateToAof);
  Append(0, {"C"}, kPropagateNowhere);
  stream_.EndUnit();
  EXPECT_EQ(file_.Take(), "-1:MULTI., 0:A., 0:B., -1:EXEC.");
  // What is left of a unit for a reader is one command: no transaction.
  EXPECT_EQ(replicas_.Take(), "0:A.");
}

TEST_F(PropagationTest, MutedItTakesNothing) {
  stream_.AddSink(&file_, kPropagateToAof);
  stream_.set_muted(true);
  EXPECT_FALSE(stream_.wanted());
  stream_.BeginUnit();
  Append(0, {"A"});
  EXPECT_FALSE(stream_.pending());
  stream_.EndUnit();
  stream_.set_muted(false);
  EXPECT_TRUE(stream_.wanted());
  EXPECT_EQ(file_.Take(), "");
}

TEST_F(PropagationTest, LargeUnitsGiveTheirMemoryBack) {
  stream_.AddSink(&file_, kPropagateToAof);
  for (int turn = 0; turn < 2; ++turn) {
    stream_.BeginUnit();
    for (int i = 0; i < 10'000; ++i) Append(0, {"SET", std::to_string(i), "value"});
    stream_.EndUnit();
    EXPECT_TRUE(file_.Take().ends_with("0:SET.9999.value., -1:EXEC."));
  }
}

}  // namespace
}  // namespace backplane
