// SPDX-License-Identifier: BSD-3-Clause
#include "engine/latency_monitor.h"

#include <gtest/gtest.h>

namespace backplane {
namespace {

TEST(LatencySeriesTest, OfOneSecondTheLongestCounts) {
  LatencySeries series;
  series.Add(10, 5);
  series.Add(10, 9);
  series.Add(10, 7);
  series.Add(11, 3);
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series.at(0).millis, 9);
  EXPECT_EQ(series.latest().time_s, 11);
  EXPECT_EQ(series.latest().millis, 3);
  EXPECT_EQ(series.max_millis(), 9);
}

TEST(LatencySeriesTest, TheOldestGoAndTheMaximumStays) {
  LatencySeries series;
  series.Add(0, 1000);
  for (int64_t second = 1; second <= 200; ++second) series.Add(second, second);
  ASSERT_EQ(series.size(), LatencySeries::kMax);
  EXPECT_EQ(series.at(0).time_s, 41);
  EXPECT_EQ(series.latest().time_s, 200);
  EXPECT_EQ(series.max_millis(), 1000);
}

TEST(LatencyMonitorTest, OnlyEventsOfTheThresholdAreKept) {
  int64_t threshold = 0;
  LatencyMonitor monitor(&threshold);
  monitor.Note("fork", 1'000'000);
  EXPECT_TRUE(monitor.events().empty()) << "it is off";
  threshold = 10;
  monitor.Note("fork", 9'999);
  EXPECT_TRUE(monitor.events().empty());
  monitor.Note("fork", 10'000);
  ASSERT_NE(monitor.Find("fork"), nullptr);
  EXPECT_EQ(monitor.Find("fork")->latest().millis, 10);
  EXPECT_TRUE(monitor.Forget("fork"));
  EXPECT_FALSE(monitor.Forget("fork"));
}

TEST(LatencyMonitorTest, NamesDoNotGrowWithoutBound) {
  int64_t threshold = 1;
  LatencyMonitor monitor(&threshold);
  for (int i = 0; i < 1000; ++i) monitor.Note("event-" + std::to_string(i), 5'000);
  EXPECT_EQ(monitor.events().size(), LatencyMonitor::kEventsMax);
  monitor.Note("event-0", 7'000);
  EXPECT_EQ(monitor.Find("event-0")->max_millis(), 7);
}

}  // namespace
}  // namespace backplane
