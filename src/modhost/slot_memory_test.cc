// SPDX-License-Identifier: BSD-3-Clause
// Memory of slots: whose block is whose, blocks that go other ways than they came, taking back,
// random use by several threads against a plain model.
#include "modhost/slot_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "base/memory_info.h"

namespace backplane {
namespace {

// Slots that no module of the other tests gets to.
constexpr int kSlot = kModuleSlots - 1;
constexpr int kOther = kModuleSlots - 2;

class SlotMemoryTest : public testing::Test {
 protected:
  SlotMemoryTest() {
    OpenSlotMemory(kSlot);
    OpenSlotMemory(kOther);
  }
  ~SlotMemoryTest() override {
    for (int slot : {kSlot, kOther}) {
      if (CloseSlotMemory(slot, true)) TakeBackSlotMemory(slot);
    }
  }
  static void ExpectEmpty(int slot) {
    EXPECT_EQ(SlotUsageOf(slot).blocks, 0);
    EXPECT_EQ(SlotUsageOf(slot).bytes, 0);
  }
};

TEST_F(SlotMemoryTest, CountsBlocks) {
  void* block = SlotMalloc(kSlot, 100);
  EXPECT_EQ(SlotUsageOf(kSlot).blocks, 1);
  EXPECT_EQ(SlotUsageOf(kSlot).bytes, static_cast<int64_t>(UsableSize(block)));
  block = SlotRealloc(kSlot, block, 5000);
  EXPECT_EQ(SlotUsageOf(kSlot).bytes, static_cast<int64_t>(UsableSize(block)));
  SlotFree(kSlot, block);
  ExpectEmpty(kSlot);
  SlotFree(kSlot, nullptr);
  ExpectEmpty(kSlot);
}

TEST_F(SlotMemoryTest, SizesOfNothingAndTooMuch) {
  void* none = SlotMalloc(kSlot, 0);
  ASSERT_NE(none, nullptr);
  void* zeroed = SlotCalloc(kSlot, 0, 8);
  ASSERT_NE(zeroed, nullptr);
  none = SlotRealloc(kSlot, none, 0);
  ASSERT_NE(none, nullptr);
  SlotFree(kSlot, none);
  SlotFree(kSlot, zeroed);
  volatile size_t huge = SIZE_MAX / 2;  // which the compiler need not know
  EXPECT_EQ(SlotCalloc(kSlot, huge, 4), nullptr);
#ifdef BACKPLANE_JEMALLOC
  EXPECT_EQ(SlotMalloc(kSlot, kSlotSpace + 1), nullptr);
  EXPECT_EQ(SlotMalloc(kSlot, huge), nullptr);
#endif
  ExpectEmpty(kSlot);
}

TEST_F(SlotMemoryTest, ZeroedIsZero) {
  for (int round = 0; round < 20; ++round) {
    auto* bytes = static_cast<char*>(SlotCalloc(kSlot, 100, 30));
    for (int i = 0; i < 3000; ++i) ASSERT_EQ(bytes[i], 0);
    std::memset(bytes, 0xff, 3000);
    SlotFree(kSlot, bytes);
  }
}

#ifdef BACKPLANE_JEMALLOC

TEST_F(SlotMemoryTest, APointerTellsWhoseItIs) {
  void* block = SlotMalloc(kSlot, 100);
  void* large = SlotMalloc(kOther, 100 << 20);
  void* plain = std::malloc(100);
  EXPECT_EQ(SlotOfBlock(block), kSlot);
  EXPECT_EQ(SlotOfBlock(large), kOther);
  EXPECT_EQ(SlotOfBlock(plain), -1);
  EXPECT_EQ(SlotOfBlock(&block), -1);
  EXPECT_EQ(SlotOfBlock(nullptr), -1);
  SlotFree(kSlot, block);
  SlotFree(kOther, large);
  std::free(plain);
}

TEST_F(SlotMemoryTest, BlocksThatGoAnotherWay) {
  // By the process's own functions.
  std::free(SlotMalloc(kSlot, 10));
  ExpectEmpty(kSlot);
  ::operator delete(SlotMalloc(kSlot, 10));
  ::operator delete[](SlotMalloc(kSlot, 10));
  ::operator delete (SlotMalloc(kSlot, 64), size_t{64});
  ::operator delete[](SlotMalloc(kSlot, 64), size_t{64});
  ::operator delete (SlotMalloc(kSlot, 64), std::align_val_t{16});
  ::operator delete (SlotMalloc(kSlot, 64), size_t{64}, std::align_val_t{16});
  ExpectEmpty(kSlot);
  auto* text = static_cast<char*>(std::realloc(SlotMalloc(kSlot, 10), 100000));
  EXPECT_EQ(SlotOfBlock(text), kSlot);
  EXPECT_EQ(SlotUsageOf(kSlot).bytes, static_cast<int64_t>(UsableSize(text)));
  EXPECT_EQ(std::realloc(text, 0), nullptr);
  ExpectEmpty(kSlot);
  // The C library's own calls take the same way.
  char* line = static_cast<char*>(SlotMalloc(kSlot, 1));
  size_t capacity = 1;
  char input[] = "a line that is longer than that";
  FILE* file = fmemopen(input, sizeof(input) - 1, "r");
  EXPECT_EQ(getline(&line, &capacity, file), static_cast<ssize_t>(sizeof(input) - 1));
  std::fclose(file);
  EXPECT_STREQ(line, input);
  EXPECT_EQ(SlotOfBlock(line), kSlot);
  EXPECT_EQ(SlotUsageOf(kSlot).blocks, 1);
  SlotFree(kSlot, line);
  ExpectEmpty(kSlot);
  // By another module.
  SlotFree(kOther, SlotMalloc(kSlot, 10));
  void* grown = SlotRealloc(kOther, SlotMalloc(kSlot, 10), 1000);
  EXPECT_EQ(SlotOfBlock(grown), kSlot);
  EXPECT_EQ(SlotUsageOf(kSlot).bytes, static_cast<int64_t>(UsableSize(grown)));
  SlotFree(kOther, grown);
  ExpectEmpty(kSlot);
  ExpectEmpty(kOther);
}

TEST_F(SlotMemoryTest, BlocksOfTheServer) {
  SlotFree(kSlot, std::malloc(10));
  ExpectEmpty(kSlot);
  auto* text = static_cast<char*>(SlotRealloc(kSlot, strdup("of the server"), 100));
  EXPECT_STREQ(text, "of the server");
  EXPECT_EQ(SlotOfBlock(text), kSlot);
  EXPECT_EQ(SlotUsageOf(kSlot).blocks, 1);
  SlotFree(kSlot, text);
  ExpectEmpty(kSlot);
}

TEST_F(SlotMemoryTest, WhatIsLeftIsTakenBack) {
  const size_t before = ResidentBytes();
  std::thread([] {
    for (int i = 0; i < 1000; ++i) std::memset(SlotMalloc(kSlot, 50000), 1, 50000);
  }).join();
  for (int i = 0; i < 100000; ++i) std::memset(SlotMalloc(kSlot, 300), 1, 300);
  EXPECT_GT(ResidentBytes(), before + (70 << 20));
  ASSERT_TRUE(CloseSlotMemory(kSlot, true));
  EXPECT_FALSE(SlotMemoryReady(kSlot));
  TakeBackSlotMemory(kSlot);
  EXPECT_TRUE(SlotMemoryReady(kSlot));
  EXPECT_LT(ResidentBytes(), before + (10 << 20));
  // The slot goes on, on this thread and others, whose caches served the arena before.
  OpenSlotMemory(kSlot);
  ExpectEmpty(kSlot);
  auto use = [] {
    for (int i = 0; i < 1000; ++i) {
      void* block = SlotMalloc(kSlot, 300);
      ASSERT_EQ(SlotOfBlock(block), kSlot);
      std::memset(block, 2, 300);
      SlotFree(kSlot, block);
    }
  };
  use();
  std::thread(use).join();
  ExpectEmpty(kSlot);
}

TEST_F(SlotMemoryTest, WhatHadToStayKeepsTheArena) {
  constexpr int kThird = kModuleSlots - 3;  // which this test spoils
  OpenSlotMemory(kThird);
  auto* kept = static_cast<char*>(SlotMalloc(kThird, 1000));
  std::strcpy(kept, "still in use");
  EXPECT_FALSE(CloseSlotMemory(kThird, false));
  EXPECT_TRUE(SlotMemoryHasRemains(kThird));
  EXPECT_TRUE(SlotMemoryReady(kThird));
  OpenSlotMemory(kThird);
  ExpectEmpty(kThird);
  void* more = SlotMalloc(kThird, 10);
  EXPECT_EQ(SlotUsageOf(kThird).blocks, 1);
  EXPECT_FALSE(CloseSlotMemory(kThird, true));
  EXPECT_STREQ(kept, "still in use");
  SlotFree(kThird, kept);
  SlotFree(kThird, more);
}

TEST_F(SlotMemoryTest, ClosedWithoutBlocksItIsNotSpoiled) {
  SlotFree(kSlot, SlotMalloc(kSlot, 10));
  EXPECT_FALSE(CloseSlotMemory(kSlot, false));
  EXPECT_FALSE(SlotMemoryHasRemains(kSlot));
}

#endif

// Two threads, two slots, blocks that are handed over: contents hold, nothing is left in the end.
TEST_F(SlotMemoryTest, RandomUse) {
  struct Block {
    int slot;
    unsigned char* bytes;
    size_t size;
    unsigned char fill;
  };
  auto check = [](const Block& block) {
    for (size_t i = 0; i < block.size; ++i) ASSERT_EQ(block.bytes[i], block.fill);
  };
  std::vector<Block> handed[2];
  auto run = [&](unsigned seed, std::vector<Block>* blocks) {
    std::mt19937 random(seed);
    for (int step = 0; step < 20000; ++step) {
      const size_t size = random() % 8 == 0 ? random() % 100000 : random() % 600;
      const auto fill = static_cast<unsigned char>(random());
      const size_t at = blocks->empty() ? 0 : random() % blocks->size();
      switch (blocks->empty() ? 0 : random() % 4) {
        case 0:
        case 1: {
          const int slot = random() % 2 == 0 ? kSlot : kOther;
          auto* bytes = static_cast<unsigned char*>(SlotMalloc(slot, size));
          std::memset(bytes, fill, size);
          blocks->push_back({slot, bytes, size, fill});
          break;
        }
        case 2: {
          Block& block = (*blocks)[at];
          const size_t kept = std::min(size, block.size);
          block.bytes = static_cast<unsigned char*>(SlotRealloc(block.slot, block.bytes, size));
          block.size = kept;
          check(block);
          block.size = size;
          std::memset(block.bytes, block.fill, size);
          break;
        }
        default:
          check((*blocks)[at]);
          SlotFree((*blocks)[at].slot, (*blocks)[at].bytes);
          std::swap((*blocks)[at], blocks->back());
          blocks->pop_back();
      }
    }
  };
  std::thread other(run, 1u, &handed[1]);
  run(2, &handed[0]);
  other.join();
  for (auto& blocks : handed) {
    for (const Block& block : blocks) {
      check(block);
      SlotFree(block.slot, block.bytes);
    }
  }
  ExpectEmpty(kSlot);
  ExpectEmpty(kOther);
}

}  // namespace
}  // namespace backplane
