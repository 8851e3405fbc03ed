// SPDX-License-Identifier: BSD-3-Clause
// Marks, errors and the order of jobs.
#include "persist/aof_sync_thread.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>

namespace backplane {
namespace {

class AofSyncThreadTest : public testing::Test {
 protected:
  AofSyncThreadTest() { fd_ = mkstemp(path_); }
  ~AofSyncThreadTest() override {
    close(fd_);
    unlink(path_);
  }
  char path_[32] = "/tmp/backplane-sync-XXXXXX";
  int fd_;
};

TEST_F(AofSyncThreadTest, MarksRise) {
  std::atomic<int> told = 0;
  AofSyncThread thread;
  thread.set_on_synced([&] { ++told; });
  EXPECT_EQ(thread.synced_mark(), 0u);
  thread.Sync(fd_, 7);
  thread.Sync(fd_, 9);
  thread.Drain();
  EXPECT_EQ(thread.synced_mark(), 9u);
  EXPECT_EQ(thread.pending_syncs(), 0);
  EXPECT_EQ(told, 2);
  // A file of the past does not take back what is known.
  thread.SyncAndClose(dup(fd_), 3);
  thread.Drain();
  EXPECT_EQ(thread.synced_mark(), 9u);
}

TEST_F(AofSyncThreadTest, AFailureIsKnownAndItsMarkIsNot) {
  AofSyncThread thread;
  const int closed = dup(fd_);
  close(closed);
  thread.Sync(closed, 5);
  thread.Drain();
  EXPECT_EQ(thread.error(), EBADF);
  EXPECT_EQ(thread.synced_mark(), 0u);
  thread.ClearError();
  EXPECT_EQ(thread.error(), 0);
  thread.Sync(closed, 5);
  thread.Sync(fd_, 6);
  thread.Drain();
  EXPECT_EQ(thread.error(), 0);
  EXPECT_EQ(thread.synced_mark(), 6u);
}

TEST_F(AofSyncThreadTest, ItsEndDoesWhatIsLeft) {
  const std::string other = std::string(path_) + ".old";
  ASSERT_EQ(link(path_, other.c_str()), 0);
  const int copy = dup(fd_);
  {
    AofSyncThread thread;
    for (int i = 0; i < 20; ++i) thread.Sync(fd_, static_cast<uint64_t>(i));
    thread.Unlink(other);
    thread.SyncAndClose(copy, 21);
  }
  EXPECT_NE(access(other.c_str(), F_OK), 0);
  EXPECT_EQ(fcntl(copy, F_GETFD), -1);
}

TEST_F(AofSyncThreadTest, WithoutJobsThereIsNothingToWaitFor) {
  AofSyncThread thread;
  thread.Drain();
  EXPECT_EQ(thread.pending_syncs(), 0);
}

TEST_F(AofSyncThreadTest, WhatCannotBeForcedPasses) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(SyncAofFile(ends[1]), 0);
  EXPECT_EQ(SyncAofFile(fd_), 0);
  close(ends[0]);
  close(ends[1]);
  EXPECT_EQ(SyncAofFile(ends[0]), EBADF);
}

}  // namespace
}  // namespace backplane
