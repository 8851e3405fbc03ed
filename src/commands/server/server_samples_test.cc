// SPDX-License-Identifier: BSD-3-Clause
#include "commands/server/server_samples.h"

#include <gtest/gtest.h>

namespace backplane {
namespace {

TEST(RateMeterTest, ASteadyCounterHasItsRateOnceTheWindowIsFull) {
  RateMeter meter;
  for (int i = 0; i <= 16; ++i)
    meter.Sample(static_cast<uint64_t>(i) * 50, 1'000'000 + i * 100'000);
  EXPECT_EQ(meter.PerSecond(), 500u);
}

TEST(RateMeterTest, SamplesThatComeTooFastAreLeftOut) {
  RateMeter meter;
  for (int i = 0; i <= 160; ++i) meter.Sample(static_cast<uint64_t>(i) * 5, 1'000'000 + i * 10'000);
  EXPECT_NEAR(static_cast<double>(meter.PerSecond()), 500, 5);
}

TEST(RateMeterTest, ACounterSetBackCountsAsNothing) {
  RateMeter meter;
  meter.Sample(1'000'000, 1'000'000);
  meter.Sample(10, 1'100'000);
  EXPECT_EQ(meter.PerSecond(), 0u);
}

TEST(ServerSamplesTest, ThePeakNeverFalls) {
  ServerSamples samples;
  samples.SawMemory(100);
  samples.SawMemory(50);
  EXPECT_EQ(samples.peak_bytes(), 100u);
}

}  // namespace
}  // namespace backplane
