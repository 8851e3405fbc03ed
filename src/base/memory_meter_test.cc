// SPDX-License-Identifier: BSD-3-Clause
// The meter sees what its own thread does at once, and what others do after Calibrate.
#include "base/memory_meter.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace backplane {
namespace {

constexpr size_t kSize = size_t{8} << 20;
// What the test's own bookkeeping takes and gives back.
constexpr size_t kSlack = size_t{64} << 10;

// Written to, or the compiler leaves it out.
std::unique_ptr<char[]> Block() {
  std::unique_ptr<char[]> block(new char[kSize]);
  std::memset(block.get(), 1, kSize);
  return block;
}

TEST(MemoryMeterTest, OwnAllocationsShowAtOnce) {
  const MemoryMeter meter;
  const size_t before = meter.Read();
  EXPECT_GT(before, 0u);
  auto block = Block();
  const size_t during = meter.Read();
  EXPECT_GE(during + kSlack, before + kSize);
  EXPECT_LT(during, before + 2 * kSize);
  block.reset();
  EXPECT_LT(meter.Read(), before + kSize / 2);
}

TEST(MemoryMeterTest, OthersShowAfterCalibrate) {
  MemoryMeter meter;
  const size_t before = meter.Read();
  std::unique_ptr<char[]> block;
  std::thread([&block] { block = Block(); }).join();
  meter.Calibrate();
  EXPECT_GE(meter.Read() + kSlack, before + kSize);
  std::thread([&block] { block.reset(); }).join();
  meter.Calibrate();
  EXPECT_LT(meter.Read(), before + kSize / 2);
}

TEST(MemoryMeterTest, ManySmallOnes) {
  const MemoryMeter meter;
  const size_t before = meter.Read();
  std::vector<std::unique_ptr<char[]>> blocks;
  for (int i = 0; i < 1000; ++i) {
    blocks.emplace_back(new char[100]);
    blocks.back()[0] = 1;
  }
  const size_t during = meter.Read();
  EXPECT_GE(during, before + 90 * 1000);
  blocks.clear();
  EXPECT_LT(meter.Read(), during - 50 * 1000);
}

}  // namespace
}  // namespace backplane
