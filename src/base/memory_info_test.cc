// SPDX-License-Identifier: BSD-3-Clause
// Allocator and process figures: plausible, and moving with what the program does. Sanitizers
// answer for their own allocator, so figures are judged in builds without them only.
#include "base/memory_info.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace backplane {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kOwnAllocator = false;
#else
constexpr bool kOwnAllocator = true;
#endif

TEST(MemoryInfoTest, UsableSizeCoversTheRequest) {
  EXPECT_EQ(UsableSize(nullptr), 0u);
  for (size_t size : {1u, 24u, 100u, 5000u, 1'000'000u}) {
    void* block = std::malloc(size);
    EXPECT_GE(UsableSize(block), size);
    EXPECT_LT(UsableSize(block), size * 2 + 64);
    std::free(block);
  }
}

TEST(MemoryInfoTest, AllocatedGrowsAndResidentFollows) {
  if (!kOwnAllocator) GTEST_SKIP() << "a sanitizer's allocator";
  constexpr size_t kSize = 32 * 1024 * 1024;
  const AllocatorInfo before = ReadAllocatorInfo();
  const size_t resident_before = ResidentBytes();
  void* block = std::malloc(kSize);
  std::memset(block, 1, kSize);
  const AllocatorInfo during = ReadAllocatorInfo();
  EXPECT_GE(during.allocated, before.allocated + kSize);
  EXPECT_GE(during.active, during.allocated);
  EXPECT_GE(during.mapped, during.active);
  EXPECT_GE(ResidentBytes(), resident_before + kSize / 2);
  std::free(block);
  PurgeAllocator();
  EXPECT_LT(ReadAllocatorInfo().allocated, during.allocated);
  EXPECT_LT(ResidentBytes(), resident_before + kSize / 2);
}

// What a thread has freed may wait in its cache to be handed out again; it is free all the same.
TEST(MemoryInfoTest, CachedBlocksAreNotAllocated) {
  if (!kOwnAllocator) GTEST_SKIP() << "a sanitizer's allocator";
  constexpr int kBlocks = 200;
  void* blocks[kBlocks];
  const size_t before = AllocatedBytes();
  for (size_t size : {64u, 200u, 500u, 1000u}) {
    for (void*& block : blocks) std::memset(block = std::malloc(size), 1, size);
    EXPECT_GE(AllocatedBytes(), before + kBlocks * size);
    for (void* block : blocks) std::free(block);
  }
  EXPECT_LT(AllocatedBytes(), before + 4096);
}

TEST(MemoryInfoTest, TextsOfTheAllocator) {
  if (!std::string_view(AllocatorName()).starts_with("jemalloc")) {
    EXPECT_FALSE(AllocatorText("version").has_value());
    EXPECT_FALSE(FlushThreadCache());
    return;
  }
  EXPECT_TRUE(AllocatorText("version").value_or("").starts_with("5."));
  EXPECT_FALSE(AllocatorText("opt.narenas").has_value());
  EXPECT_TRUE(FlushThreadCache());
}

TEST(MemoryInfoTest, ResidentBytesIsWithinReason) {
  EXPECT_GT(ResidentBytes(), 500u * 1024);
  EXPECT_LT(ResidentBytes(), size_t{1} << 40);
}

TEST(MemoryInfoTest, NamesTheAllocator) {
  const std::string name = AllocatorName();
  EXPECT_TRUE(name == "libc" || name.starts_with("jemalloc-5.")) << name;
}

}  // namespace
}  // namespace backplane
