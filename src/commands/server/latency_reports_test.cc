// SPDX-License-Identifier: BSD-3-Clause
#include "commands/server/latency_reports.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace backplane {
namespace {

TEST(LatencyGraphTest, ColumnsRiseWithTheSamples) {
  LatencySeries series;
  series.Add(100, 10);
  series.Add(101, 20);
  series.Add(160, 30);
  const std::string line(80, '-');
  EXPECT_EQ(LatencyGraph("command", series, 165),
            "command - high 30 ms, low 10 ms (all time high 30 ms)\n" + line +
                "\n"
                "  #\n"
                "  |\n"
                " #|\n"
                "_||\n"
                "\n"
                "115\n"
                "mms\n");
}

TEST(LatencyGraphTest, OneSampleAndManyFit) {
  LatencySeries series;
  series.Add(0, 5);
  EXPECT_NE(LatencyGraph("fork", series, 200'000).find("\n_\n\n2\nd\n"), std::string::npos);
  for (int64_t second = 1; second < 200; ++second) series.Add(second, second);
  const std::string text = LatencyGraph("fork", series, 200);
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    EXPECT_LE(end - begin, 80u);
  }
}

TEST(LatencyDoctorTest, SaysWhetherItIsOff) {
  int64_t threshold = 0;
  LatencyMonitor monitor(&threshold);
  EXPECT_NE(LatencyDoctor(monitor, {}).find("monitoring is off"), std::string::npos);
  threshold = 5;
  EXPECT_NE(LatencyDoctor(monitor, {}).find("No event took as long"), std::string::npos);
}

TEST(LatencyDoctorTest, AdviceGoesWithTheEvents) {
  int64_t threshold = 5;
  LatencyMonitor monitor(&threshold);
  const LatencyDoctorFacts facts{WallMillis() / 1000, -1};
  auto says = [&](std::string_view word) {
    return LatencyDoctor(monitor, facts).find(word) != std::string::npos;
  };
  monitor.Note("fork", 20'000);
  EXPECT_TRUE(says("1. fork: 1 latency spikes (average 20ms, mean deviation 0ms"));
  EXPECT_TRUE(says("fork() took long"));
  EXPECT_FALSE(says("slow log"));
  monitor.Note("command", 20'000);
  EXPECT_TRUE(says("2. fork"));
  EXPECT_TRUE(says("The slow log is off"));
  monitor.Note("expire-cycle", 20'000);
  EXPECT_TRUE(says("Removing expired keys took long"));
  monitor.Note("eviction-del", 20'000);
  EXPECT_TRUE(says("Evicting keys took long"));
  monitor.Note("rdb-unlink-temp-file", 20'000);
  EXPECT_TRUE(says("the disk is busy"));
}

TEST(LatencyDoctorTest, ACoarseSlowLogIsNamed) {
  int64_t threshold = 5;
  LatencyMonitor monitor(&threshold);
  monitor.Note("fast-command", 20'000);
  EXPECT_NE(LatencyDoctor(monitor, {0, 10'000}).find("misses commands"), std::string::npos);
  EXPECT_EQ(LatencyDoctor(monitor, {0, 5'000}).find("misses commands"), std::string::npos);
}

}  // namespace
}  // namespace backplane
