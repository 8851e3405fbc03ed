// SPDX-License-Identifier: BSD-3-Clause
// Stream commands: what is told, counted and propagated; what differs from 7.0. Replies as such are
// compared with a real server in tests/compat.
#include <gtest/gtest.h>

#include "commands/testing/command_fixture.h"
#include "value/stream_value.h"

namespace backplane {
namespace {

using Strings = std::vector<std::string>;

class StreamCommandsTest : public ::testing::Test {
 protected:
  // Runs a line, forgets what it did.
  std::string Quiet(std::string_view line) {
    std::string reply = f.RunLine(line);
    f.ForgetEffects();
    return reply;
  }
  CommandFixture f;
};

TEST_F(StreamCommandsTest, AddTellsCountsAndPropagatesItsId) {
  EXPECT_EQ(f.RunLine("XADD s * a b"), "$15\r\n1700000000000-0\r\n");
  EXPECT_EQ(f.RunLine("XADD s * a b"), "$15\r\n1700000000000-1\r\n");
  EXPECT_EQ(f.TakeEvents(), (Strings{"t xadd s", "t xadd s"}));
  EXPECT_EQ(f.TakeModified(), (Strings{"s", "s"}));
  EXPECT_EQ(f.TakeDirty(), 2u);
  EXPECT_EQ(f.TakePropagated(),
            (Strings{"XADD s 1700000000000-0 a b", "XADD s 1700000000000-1 a b"}));
  EXPECT_EQ(f.RunLine("XADD s NOMKSTREAM 1700000000000-* c d"), "$15\r\n1700000000000-2\r\n");
  EXPECT_EQ(f.TakePropagated(), (Strings{"XADD s NOMKSTREAM 1700000000000-2 c d"}));
  EXPECT_EQ(Quiet("XADD none NOMKSTREAM * a b"), "$-1\r\n");
  EXPECT_FALSE(f.Exists("none"));
  EXPECT_EQ(f.Encoding("s"), "stream");
}

TEST_F(StreamCommandsTest, ApproximateTrimsArePropagatedAsWhatTheyCameTo) {
  f.limits().stream_node_max_entries = 2;
  for (int i = 1; i <= 5; ++i) Quiet("XADD s " + std::to_string(i) + "-1 a b");
  EXPECT_EQ(f.RunLine("XADD s MAXLEN ~ 3 LIMIT 100 6-1 a b"), "$3\r\n6-1\r\n");
  EXPECT_EQ(f.TakeEvents(), (Strings{"t xadd s", "t xtrim s"}));
  EXPECT_EQ(f.TakePropagated(), (Strings{"XADD s MAXLEN = 4 6-1 a b"}));
  EXPECT_EQ(f.RunLine("XTRIM s MINID ~ 6"), ":2\r\n");
  EXPECT_EQ(f.TakeEvents(), (Strings{"t xtrim s"}));
  EXPECT_EQ(f.TakeDirty(), 3u);
  EXPECT_EQ(f.TakePropagated(), (Strings{"XTRIM s MINID = 5-1"}));
  EXPECT_EQ(f.RunLine("XTRIM s MAXLEN 1"), ":1\r\n");
  EXPECT_EQ(f.TakePropagated(), (Strings{"XTRIM s MAXLEN 1"}));
  EXPECT_EQ(f.RunLine("XTRIM s MAXLEN 1"), ":0\r\n");
  EXPECT_TRUE(f.TakePropagated().empty());
}

TEST_F(StreamCommandsTest, AnEmptyStreamStays) {
  Quiet("XADD s 1-1 a b");
  EXPECT_EQ(f.RunLine("XDEL s 1-1"), ":1\r\n");
  EXPECT_EQ(f.TakeEvents(), (Strings{"t xdel s"}));
  EXPECT_TRUE(f.Exists("s"));
  EXPECT_EQ(f.RunLine("XLEN s"), ":0\r\n");
}

TEST_F(StreamCommandsTest, ATrimThatLeavesNothingIsPropagatedSo) {
  f.RunLine("XADD s 1-1 a b");
  f.TakePropagated();
  f.RunLine("XTRIM s MINID ~ 5");
  EXPECT_EQ(f.TakePropagated(),
            Strings{"XTRIM s MINID = 18446744073709551615-18446744073709551615"});
  EXPECT_EQ(f.RunLine("XLEN s"), ":0\r\n");
}

TEST_F(StreamCommandsTest, CountersOfGroupsStayWhatXgroupTakes) {
  f.RunLine("XADD s 1-1 a b");
  f.RunLine("XGROUP CREATE s g 0 ENTRIESREAD 9223372036854775807");
  f.TakePropagated();
  f.RunLine("XREADGROUP GROUP g c NOACK STREAMS s >");
  const Strings told = f.TakePropagated();
  EXPECT_NE(
      std::find(told.begin(), told.end(), "XGROUP SETID s g 1-1 ENTRIESREAD 9223372036854775807"),
      told.end());
}

TEST_F(StreamCommandsTest, GroupsArePropagatedAsEffects) {
  Quiet("XADD s 1-1 a b");
  Quiet("XADD s 2-1 a b");
  Quiet("XGROUP CREATE s g 0");
  f.RunLine("XREADGROUP GROUP g alice COUNT 1 STREAMS s >");
  EXPECT_EQ(f.TakeEvents(), (Strings{"t xgroup-createconsumer s"}));
  EXPECT_TRUE(f.TakeModified().empty());
  EXPECT_EQ(f.TakeDirty(), 2u);
  EXPECT_EQ(
      f.TakePropagated(),
      (Strings{"MULTI", "XGROUP CREATECONSUMER s g alice",
               "XCLAIM s g alice 0 1-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1",
               "XGROUP SETID s g 1-1 ENTRIESREAD 1", "EXEC"}));
  f.RunLine("XREADGROUP GROUP g alice NOACK STREAMS s >");
  EXPECT_EQ(f.TakePropagated(), (Strings{"XGROUP SETID s g 2-1 ENTRIESREAD 2"}));
  f.RunLine("XREADGROUP GROUP g alice STREAMS s 0");
  EXPECT_TRUE(f.TakePropagated().empty());
  f.RunLine("XCLAIM s g bob 0 1-1 JUSTID");
  EXPECT_EQ(f.TakePropagated(),
            (Strings{"MULTI", "XGROUP CREATECONSUMER s g bob",
                     "XCLAIM s g bob 0 1-1 TIME 1700000000000 RETRYCOUNT 2 FORCE JUSTID LASTID 2-1",
                     "EXEC"}));
  Quiet("XDEL s 1-1");
  EXPECT_EQ(f.RunLine("XAUTOCLAIM s g bob 0 0"), "*3\r\n$3\r\n0-0\r\n*0\r\n*1\r\n$3\r\n1-1\r\n");
  EXPECT_EQ(f.TakePropagated(), (Strings{"XACK s g 1-1"}));
  f.RunLine("XACK s g 9-9");
  EXPECT_TRUE(f.TakePropagated().empty());
}

TEST_F(StreamCommandsTest, ConsumersThatFindNothingAreMadeAllTheSame) {
  Quiet("XGROUP CREATE s g $ MKSTREAM");
  EXPECT_EQ(f.RunLine("XREADGROUP GROUP g alice STREAMS s >"), "*-1\r\n");
  EXPECT_EQ(f.TakePropagated(), (Strings{"XGROUP CREATECONSUMER s g alice"}));
  EXPECT_EQ(f.RunLine("XCLAIM s g bob 0 9-9"), "*0\r\n");
  EXPECT_EQ(f.RunLine("XAUTOCLAIM s g carol 0 0"), "*3\r\n$3\r\n0-0\r\n*0\r\n*0\r\n");
  EXPECT_EQ(f.RunLine("XGROUP CREATECONSUMER s g bob"), ":0\r\n");
  EXPECT_EQ(f.RunLine("XGROUP CREATECONSUMER s g dave"), ":1\r\n");
}

TEST_F(StreamCommandsTest, SeenIsNotActive) {
  Quiet("XADD s 1-1 a b");
  Quiet("XGROUP CREATE s g 0");
  Quiet("XGROUP CREATECONSUMER s g alice");
  f.Advance(50);
  EXPECT_EQ(f.RunLine("XINFO CONSUMERS s g"),
            "*1\r\n*8\r\n$4\r\nname\r\n$5\r\nalice\r\n$7\r\npending\r\n:0\r\n$4\r\nidle\r\n:50\r\n"
            "$8\r\ninactive\r\n:-1\r\n");
  Quiet("XREADGROUP GROUP g alice STREAMS s >");
  f.Advance(10);
  Quiet("XREADGROUP GROUP g alice STREAMS s >");
  f.Advance(5);
  EXPECT_EQ(f.RunLine("XINFO CONSUMERS s g"),
            "*1\r\n*8\r\n$4\r\nname\r\n$5\r\nalice\r\n$7\r\npending\r\n:1\r\n$4\r\nidle\r\n:5\r\n"
            "$8\r\ninactive\r\n:15\r\n");
  EXPECT_EQ(f.RunLine("XPENDING s g IDLE 15 - + 9"),
            "*1\r\n*4\r\n$3\r\n1-1\r\n$5\r\nalice\r\n:15\r\n:1\r\n");
  EXPECT_EQ(f.RunLine("XPENDING s g IDLE 16 - + 9"), "*0\r\n");
  EXPECT_NE(f.RunLine("XINFO STREAM s FULL").find("$11\r\nactive-time\r\n:1700000000050\r\n"),
            std::string::npos);
}

TEST_F(StreamCommandsTest, MinIdleKeepsWhatIsFresh) {
  Quiet("XADD s 1-1 a b");
  Quiet("XADD s 2-1 a b");
  Quiet("XGROUP CREATE s g 0");
  Quiet("XREADGROUP GROUP g alice COUNT 1 STREAMS s >");
  f.Advance(100);
  Quiet("XREADGROUP GROUP g alice COUNT 1 STREAMS s >");
  EXPECT_EQ(f.RunLine("XCLAIM s g bob 100 1-1 2-1 JUSTID"), "*1\r\n$3\r\n1-1\r\n");
  EXPECT_EQ(f.RunLine("XAUTOCLAIM s g bob 100 0 JUSTID"), "*3\r\n$3\r\n0-0\r\n*0\r\n*0\r\n");
  f.Advance(100);
  EXPECT_EQ(f.RunLine("XAUTOCLAIM s g bob 100 0 COUNT 1 JUSTID"),
            "*3\r\n$3\r\n2-1\r\n*1\r\n$3\r\n1-1\r\n*0\r\n");
}

TEST_F(StreamCommandsTest, Resp3HasMaps) {
  Quiet("XADD s 1-1 a b");
  Quiet("XADD t 2-1 c d");
  f.SetProtocol(3);
  EXPECT_EQ(f.RunLine("XREAD STREAMS s t 0 0"),
            "%2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"
            "$1\r\nt\r\n*1\r\n*2\r\n$3\r\n2-1\r\n*2\r\n$1\r\nc\r\n$1\r\nd\r\n");
  EXPECT_EQ(f.RunLine("XREAD STREAMS s $"), "_\r\n");
  EXPECT_TRUE(f.RunLine("XINFO STREAM s").starts_with("%10\r\n"));
}

TEST_F(StreamCommandsTest, TheSequenceOfAMillisecondEnds) {
  Quiet("XADD s 5-18446744073709551615 a b");
  EXPECT_EQ(
      f.RunLine("XADD s 5-* a b"),
      "-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n");
  EXPECT_EQ(f.RunLine("XADD s 6-* a b"), "$3\r\n6-0\r\n");
}

TEST_F(StreamCommandsTest, SetIdAndGroupEvents) {
  Quiet("XADD s 1-1 a b");
  f.RunLine("XSETID s 9-9 ENTRIESADDED 5 MAXDELETEDID 8-8");
  f.RunLine("XGROUP CREATE s g $");
  f.RunLine("XGROUP SETID s g 0 ENTRIESREAD 1");
  f.RunLine("XGROUP CREATECONSUMER s g c");
  f.RunLine("XGROUP DELCONSUMER s g c");
  f.RunLine("XGROUP DESTROY s g");
  EXPECT_EQ(f.TakeEvents(),
            (Strings{"t xsetid s", "t xgroup-create s", "t xgroup-setid s",
                     "t xgroup-createconsumer s", "t xgroup-delconsumer s", "t xgroup-destroy s"}));
  EXPECT_EQ(f.TakeDirty(), 6u);
  // None of it changes what a watcher can have read.
  EXPECT_TRUE(f.TakeModified().empty());
  EXPECT_EQ(f.RunLine("XSETID s 8-7"),
            "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id\r\n");
  Quiet("XGROUP CREATE new g $ MKSTREAM");
  EXPECT_EQ(f.RunLine("XLEN new"), ":0\r\n");
}

}  // namespace
}  // namespace backplane
