// SPDX-License-Identifier: BSD-3-Clause
#include "base/oom_score.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace backplane {
namespace {

using Mode = OomScore::Mode;

class OomScoreTest : public ::testing::Test {
 protected:
  OomScoreTest() : path_(::testing::TempDir() + "oom_score_" + std::to_string(getpid())) {}
  ~OomScoreTest() override { std::remove(path_.c_str()); }
  void Put(int value) { std::ofstream(path_) << value << "\n"; }
  int Stands() {
    int value = 0;
    std::ifstream(path_) >> value;
    return value;
  }
  std::string path_;
};

TEST_F(OomScoreTest, RelativeToWhatStoodThere) {
  Put(22);
  OomScore score(path_);
  ASSERT_TRUE(score.Apply(Mode::kOff, 5));
  EXPECT_EQ(Stands(), 22);
  ASSERT_TRUE(score.Apply(Mode::kRelative, 9));
  EXPECT_EQ(Stands(), 31);
  ASSERT_TRUE(score.Apply(Mode::kRelative, 10));
  EXPECT_EQ(Stands(), 32);
  ASSERT_TRUE(score.Apply(Mode::kAbsolute, 9));
  EXPECT_EQ(Stands(), 9);
  ASSERT_TRUE(score.Apply(Mode::kOff, 0));
  EXPECT_EQ(Stands(), 22);
  // What stands there when it is turned on again is the new base.
  Put(1);
  ASSERT_TRUE(score.Apply(Mode::kRelative, 1));
  EXPECT_EQ(Stands(), 2);
}

TEST_F(OomScoreTest, Clamped) {
  Put(500);
  OomScore score(path_);
  ASSERT_TRUE(score.Apply(Mode::kRelative, 2000));
  EXPECT_EQ(Stands(), 1000);
  ASSERT_TRUE(score.Apply(Mode::kAbsolute, -2000));
  EXPECT_EQ(Stands(), -1000);
}

TEST_F(OomScoreTest, WhatIsNotThere) {
  OomScore score(path_ + "/nothing");
  EXPECT_EQ(score.Apply(Mode::kRelative, 1).error().code, ErrorCode::kIo);
  EXPECT_TRUE(score.Apply(Mode::kOff, 1));
}

}  // namespace
}  // namespace backplane
