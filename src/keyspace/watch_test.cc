// SPDX-License-Identifier: BSD-3-Clause
// WATCH bookkeeping and the letters of notify-keyspace-events.
#include "keyspace/watch.h"

#include <gtest/gtest.h>

#include "keyspace/notify.h"

namespace backplane {
namespace {

TEST(WatchTableTest, TouchMarksWatchersOfThatKeyAndDatabaseOnly) {
  WatchTable table;
  Watcher a, b, c;
  table.Watch(a, 0, "k", false);
  table.Watch(b, 1, "k", false);
  table.Watch(c, 0, "other", false);
  table.Touch(0, "k");
  EXPECT_TRUE(a.touched());
  EXPECT_FALSE(b.touched());
  EXPECT_FALSE(c.touched());
}

TEST(WatchTableTest, UnwatchForgetsKeysAndMark) {
  WatchTable table;
  Watcher a;
  table.Watch(a, 0, "k", false);
  table.Watch(a, 0, "k", false);
  EXPECT_EQ(a.keys().size(), 1u);
  table.Touch(0, "k");
  table.Unwatch(a);
  EXPECT_FALSE(a.touched());
  EXPECT_TRUE(table.empty());
}

TEST(WatchTableTest, ADyingWatcherLeavesTheTable) {
  WatchTable table;
  {
    Watcher a;
    table.Watch(a, 0, "k", false);
  }
  EXPECT_TRUE(table.empty());
  table.Touch(0, "k");
}

TEST(WatchTableTest, TheRemovalOfAnAlreadyExpiredKeyIsNoChange) {
  WatchTable table;
  Watcher a;
  table.Watch(a, 0, "k", true);
  table.Touch(0, "k");
  EXPECT_FALSE(a.touched());
  table.Touch(0, "k");
  EXPECT_TRUE(a.touched());
}

TEST(NotifyFlagsTest, LettersRoundTripWithAFolded) {
  EXPECT_EQ(NotifyFlagsText(*ParseNotifyFlags("KEA")), "AKE");
  EXPECT_EQ(NotifyFlagsText(*ParseNotifyFlags("g$lshzxetdKE")), "AKE");
  EXPECT_EQ(NotifyFlagsText(*ParseNotifyFlags("Ex")), "xE");
  EXPECT_EQ(NotifyFlagsText(0), "");
  EXPECT_FALSE(ParseNotifyFlags("Q").has_value());
}

}  // namespace
}  // namespace backplane
