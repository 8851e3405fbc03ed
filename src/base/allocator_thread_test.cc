// SPDX-License-Identifier: BSD-3-Clause
// AllocatorThread: started by much unused memory, ended when there has been little for a while.
#include "base/allocator_thread.h"

#include <gtest/gtest.h>

#include <vector>

namespace backplane {
namespace {

constexpr size_t kMuch = AllocatorThread::kStartBytes;
constexpr size_t kSome = AllocatorThread::kStopBytes;
constexpr size_t kLittle = AllocatorThread::kStopBytes - 1;

class AllocatorThreadTest : public testing::Test {
 protected:
  AllocatorThreadTest() { calls().clear(); }
  static std::vector<bool>& calls() {
    static std::vector<bool> calls;
    return calls;
  }
  void Seconds(int count, size_t unused_bytes) {
    for (int i = 0; i < count; ++i) thread_.OnSecond(unused_bytes);
  }
  AllocatorThread thread_{[](bool on) { calls().push_back(on); }};
};

TEST_F(AllocatorThreadTest, RunsWhileThereIsMuch) {
  thread_.Allow(true);
  Seconds(100, kMuch - 1);
  EXPECT_TRUE(calls().empty());
  Seconds(3, kMuch);
  EXPECT_EQ(calls(), std::vector<bool>{true});
  Seconds(100, kSome);
  Seconds(AllocatorThread::kStopSeconds - 1, kLittle);
  Seconds(1, kSome);
  Seconds(AllocatorThread::kStopSeconds - 1, kLittle);
  EXPECT_EQ(calls(), std::vector<bool>{true});
  Seconds(1, kLittle);
  EXPECT_EQ(calls(), (std::vector<bool>{true, false}));
  Seconds(100, kLittle);
  EXPECT_EQ(calls().size(), 2u);
  Seconds(1, kMuch);
  EXPECT_EQ(calls(), (std::vector<bool>{true, false, true}));
}

TEST_F(AllocatorThreadTest, RunsOnlyWhenAllowed) {
  Seconds(3, kMuch);
  EXPECT_TRUE(calls().empty());
  thread_.Allow(true);
  EXPECT_TRUE(calls().empty());
  Seconds(1, kMuch);
  thread_.Allow(false);
  EXPECT_EQ(calls(), (std::vector<bool>{true, false}));
  Seconds(3, kMuch);
  thread_.Allow(false);
  EXPECT_EQ(calls().size(), 2u);
}

TEST(AllocatorInfoTest, Unused) {
  const AllocatorInfo info = {.active = 100, .resident = 150, .metadata = 20};
  EXPECT_EQ(info.unused(), 30u);
  EXPECT_EQ((AllocatorInfo{.active = 100, .resident = 110, .metadata = 20}).unused(), 0u);
}

}  // namespace
}  // namespace backplane
