// SPDX-License-Identifier: BSD-3-Clause
// Which calls within another are timed.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

// inner.calls KIND COMMAND ARGUMENT...: calls it 64 times, as a module (m) or a script (s) does.
void InnerCalls(CommandContext& ctx) {
  const auto kind = ctx.ArgIs(1, "m") ? Session::Kind::kModule : Session::Kind::kScript;
  NullSink sink;
  Session session(0, kind, &sink, nullptr);
  const CommandContext::Args args = ctx.args().subspan(2);
  const Command* command = ctx.engine().commands().Find(args[0]);
  constexpr int kCalls = 64;
  for (int i = 0; i < kCalls; ++i) ctx.engine().Call(session, *command, args, sink);
  ctx.reply().Ok();
}

constexpr CommandSpec kInnerCalls[] = {{.name = "inner.calls", .handler = InnerCalls, .arity = -3}};

class CallTimingTest : public CommandTest {
 protected:
  CallTimingTest() {
    fixture_.engine().commands().Add(kInnerCalls, nullptr);
    fixture_.engine().set_times_all(false);
  }
  // In how many of 20 tries the calls were counted in groups with the same time. Some may be by
  // chance; that of 64 all are is out of the question.
  int TriesInGroups(std::string_view kind, std::string_view call) {
    const std::string name(call.substr(0, call.find(' ')));
    CommandStats& stats = fixture_.engine().commands().Find(name)->stats;
    int in_groups = 0;
    for (int tries = 0; tries < 20; ++tries) {
      stats = {};
      Do("inner.calls " + std::string(kind) + " " + std::string(call));
      EXPECT_EQ(stats.calls, 64u);
      EXPECT_EQ(stats.latency->count(), 64u);
      EXPECT_GT(stats.ticks, 0u);
      bool all = true;
      stats.latency->ForEach(
          [&](uint64_t, uint64_t count) { all &= count % Engine::kTimedOneIn == 0; });
      in_groups += all ? 1 : 0;
    }
    return in_groups;
  }
};

TEST_F(CallTimingTest, OneInEightOfShortReadsOfModules) {
  EXPECT_GT(TriesInGroups("m", "get k"), 0);
  EXPECT_GT(TriesInGroups("m", "hget h f"), 0);
}

TEST_F(CallTimingTest, OthersEachByThemselves) {
  EXPECT_LT(TriesInGroups("s", "get k"), 20);
  EXPECT_LT(TriesInGroups("m", "set k v"), 20);
  EXPECT_LT(TriesInGroups("m", "keys *"), 20);
  EXPECT_LT(TriesInGroups("m", "exists a b c d e f g h"), 20);
  fixture_.engine().set_times_all(true);
  EXPECT_LT(TriesInGroups("m", "get k"), 20);
}

TEST_F(CallTimingTest, ALongOneStandsForNoOther) {
  constexpr uint64_t kLong = 1'000'000'000;
  CommandStats& stats = fixture_.engine().commands().Find("get")->stats;
  stats.calls = 1;
  stats.last_ticks = kLong;
  Do("inner.calls m get k");
  EXPECT_EQ(stats.calls, 65u);
  EXPECT_LT(stats.ticks, kLong);
}

}  // namespace
}  // namespace backplane
