// SPDX-License-Identifier: BSD-3-Clause
#include "base/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"

namespace backplane {
namespace {

TEST(LatencyHistogramTest, NothingRecordedIsZero) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.ValueAt(50), 0u);
}

TEST(LatencyHistogramTest, SmallValuesAreExact) {
  for (uint64_t value = 0; value < 64; ++value) {
    LatencyHistogram histogram;
    histogram.Record(value);
    EXPECT_EQ(histogram.ValueAt(0), value);
    EXPECT_EQ(histogram.ValueAt(100), value);
  }
}

// Each value lies in a slot whose upper end is no less, and at most a 32nd more.
TEST(LatencyHistogramTest, TheErrorIsAPartOfTheValue) {
  Random random(7);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t value = random.Next() >> (24 + random.Below(40));
    LatencyHistogram histogram;
    histogram.Record(value);
    const uint64_t found = histogram.ValueAt(50);
    ASSERT_GE(found, value);
    ASSERT_LE(found - value, value / 32) << value;
  }
}

TEST(LatencyHistogramTest, PercentilesAreThoseOfTheSortedValues) {
  Random random(11);
  LatencyHistogram histogram;
  std::vector<uint64_t> values;
  for (int i = 0; i < 10'000; ++i) {
    values.push_back(random.Below(1'000'000));
    histogram.Record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (double percent : {1.0, 50.0, 90.0, 99.0, 99.9}) {
    const auto rank = static_cast<size_t>(percent / 100 * 10'000) - 1;
    const uint64_t found = histogram.ValueAt(percent);
    EXPECT_GE(found, values[rank]);
    EXPECT_LE(found, values[rank] + values[rank] / 16 + 1) << percent;
  }
}

TEST(LatencyHistogramTest, ValuesBeyondTheRangeCountAsItsGreatest) {
  LatencyHistogram histogram;
  histogram.Record(UINT64_MAX);
  EXPECT_EQ(histogram.ValueAt(50), (uint64_t{1} << 40) - 1);
}

TEST(LatencyHistogramTest, SlotsComeInOrderAndAddUp) {
  LatencyHistogram histogram;
  for (uint64_t value : {5u, 5u, 1000u, 70'000u}) histogram.Record(value);
  uint64_t last = 0;
  uint64_t total = 0;
  histogram.ForEach([&](uint64_t end, uint64_t count) {
    EXPECT_GT(end, last);
    last = end;
    total += count;
  });
  EXPECT_EQ(total, histogram.count());
}

}  // namespace
}  // namespace backplane
