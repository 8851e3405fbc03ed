// SPDX-License-Identifier: BSD-3-Clause
#include "base/open_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace backplane {
namespace {

class OpenFilesTest : public ::testing::Test {
 protected:
  OpenFilesTest() { getrlimit(RLIMIT_NOFILE, &old_); }
  ~OpenFilesTest() override { setrlimit(RLIMIT_NOFILE, &old_); }
  rlimit old_{};
};

TEST_F(OpenFilesTest, RaisesUpToTheHardLimit) {
  const rlimit low{64, old_.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(OpenFilesLimit(), 64);
  int error = -1;
  EXPECT_EQ(RaiseOpenFilesLimit(100, &error), 100);
  EXPECT_EQ(error, 0);
  EXPECT_EQ(OpenFilesLimit(), 100);
}

TEST_F(OpenFilesTest, NeverLowers) {
  const int64_t before = OpenFilesLimit();
  int error = -1;
  EXPECT_EQ(RaiseOpenFilesLimit(1, &error), before);
  EXPECT_EQ(error, 0);
  EXPECT_EQ(OpenFilesLimit(), before);
}

TEST_F(OpenFilesTest, GoesAsFarAsTheSystemAllows) {
  int error = 0;
  const int64_t limit =
      RaiseOpenFilesLimit(INT64_MAX / 2, &error);  // beyond the kernel's fs.nr_open
  EXPECT_NE(error, 0);
  EXPECT_EQ(limit, static_cast<int64_t>(old_.rlim_max));
}

}  // namespace
}  // namespace backplane
