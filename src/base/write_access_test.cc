// SPDX-License-Identifier: BSD-3-Clause
// WriteAccess: after a fork, writes to restored pages fault no more; pages that were never touched
// stay out of memory.
#include "base/write_access.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "base/memory_info.h"

namespace backplane {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kPages = 8192;

struct Mapping {
  Mapping()
      : bytes(static_cast<char*>(mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}
  ~Mapping() { munmap(bytes, kPages * kPage); }
  void Write(char value) {
    for (size_t i = 0; i < kPages; ++i) bytes[i * kPage] = value;
  }
  char* bytes;
};

bool KernelCan() {
  Mapping mapping;
  return madvise(mapping.bytes, kPage, MADV_POPULATE_WRITE) == 0;
}

void ForkAndWait() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
}

int64_t Faults() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

void Restore() {
  WriteAccess access;
  while (!access.done()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(WriteAccess, WritesAfterAForkFaultNoMore) {
  if (!KernelCan()) GTEST_SKIP() << "the kernel has no MADV_POPULATE_WRITE";
  Mapping mapping;
  mapping.Write(1);
  ForkAndWait();
  int64_t before = Faults();
  mapping.Write(2);
  ASSERT_GT(Faults() - before, static_cast<int64_t>(kPages / 2)) << "the fork cost nothing";
  ForkAndWait();
  Restore();
  before = Faults();
  mapping.Write(3);
  EXPECT_LT(Faults() - before, static_cast<int64_t>(kPages / 100));
  EXPECT_EQ(mapping.bytes[(kPages - 1) * kPage], 3);
}

TEST(WriteAccess, WhatWasNeverTouchedStaysOut) {
  Mapping touched;
  touched.Write(1);
  Mapping untouched;
  ForkAndWait();
  const size_t before = ResidentBytes();
  Restore();
  EXPECT_LT(ResidentBytes(), before + kPages * kPage / 4);
}

TEST(WriteAccess, CanBeStopped) {
  Mapping mapping;
  mapping.Write(1);
  ForkAndWait();
  { WriteAccess access; }
  EXPECT_EQ(mapping.bytes[0], 1);
}

}  // namespace
}  // namespace backplane
