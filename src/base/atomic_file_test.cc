// SPDX-License-Identifier: BSD-3-Clause
#include "base/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

namespace backplane {
namespace {

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(AtomicFileTest, ReplacesAndKeepsWhoMayReadIt) {
  const std::string path = testing::TempDir() + "backplane_atomic_" + std::to_string(getpid());
  ASSERT_TRUE(WriteFileAtomically(path, "first").has_value());
  EXPECT_EQ(Contents(path), "first");
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  ASSERT_TRUE(WriteFileAtomically(path, "second").has_value());
  EXPECT_EQ(Contents(path), "second");
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  unlink(path.c_str());
}

TEST(AtomicFileTest, SaysWhyNot) {
  const auto status = WriteFileAtomically(testing::TempDir() + "no/such/folder/file", "text");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_EQ(status.error().message, "No such file or directory");
}

}  // namespace
}  // namespace backplane
