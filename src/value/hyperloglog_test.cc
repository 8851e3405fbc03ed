// SPDX-License-Identifier: BSD-3-Clause
// HyperLogLog: both forms against a plain array of registers, the estimate's error, broken input.
#include "value/hyperloglog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

namespace backplane::hyperloglog {
namespace {

Registers RegistersOf(std::string_view bytes) {
  Registers registers = {};
  EXPECT_TRUE(MergeInto(bytes, &registers));
  return registers;
}

TEST(HyperLogLog, AFreshOneIsEmpty) {
  const std::string bytes = New();
  EXPECT_EQ(bytes, std::string("HYLL\x01", 5) + std::string(11, '\0') + "\x7f\xff");
  EXPECT_TRUE(IsValid(bytes));
  EXPECT_TRUE(IsSparse(bytes));
  EXPECT_EQ(Estimate(RegistersOf(bytes)), 0u);
  EXPECT_EQ(CachedCount(bytes), 0u);
}

TEST(HyperLogLog, FormsAgreeWithAnArray) {
  std::mt19937_64 random(1);
  for (const size_t sparse_max : {0, 30, 300, 3000, 100000}) {
    Registers model = {};
    std::string sparse = New();
    std::string dense = *ToDense(sparse);
    for (int step = 0; step < 4000; ++step) {
      // Few registers, so that runs meet; ranks up to beyond what the sparse form holds.
      const Place place = {static_cast<uint32_t>(random() % 64 * 7 + random() % 3),
                           static_cast<uint8_t>(1 + random() % (step > 3900 ? 51 : 4))};
      const bool news = model[place.index] < place.rank;
      model[place.index] = std::max(model[place.index], place.rank);
      if (IsSparse(sparse)) {
        ASSERT_EQ(*SparseRegister(sparse, place.index) < place.rank, news);
        ASSERT_EQ(AddToSparse(&sparse, place, sparse_max), news ? Added::kYes : Added::kNo);
      } else {
        ASSERT_EQ(AddToDense(sparse.data(), place), news ? Added::kYes : Added::kNo);
      }
      ASSERT_EQ(AddToDense(dense.data(), place), news ? Added::kYes : Added::kNo);
      ASSERT_TRUE(IsValid(sparse));
      ASSERT_TRUE(!IsSparse(sparse) || sparse.size() <= std::max<size_t>(sparse_max, 18));
      if (step % 50 != 0) continue;
      ASSERT_EQ(RegistersOf(sparse), model);
      ASSERT_EQ(RegistersOf(dense), model);
    }
    EXPECT_EQ(*ToDense(sparse), dense);
  }
}

TEST(HyperLogLog, DenseRegistersAtTheEnds) {
  std::string dense = *ToDense(New());
  Registers model = {};
  for (const uint32_t index : {0u, 1u, 2u, 3u, 16380u, 16381u, 16382u, 16383u}) {
    model[index] = static_cast<uint8_t>(51 - index % 7);
    ASSERT_EQ(DenseRegister(dense, index), 0);
    ASSERT_EQ(AddToDense(dense.data(), {index, model[index]}), Added::kYes);
  }
  for (uint32_t index = 0; index < kRegisters; ++index) {
    ASSERT_EQ(DenseRegister(dense, index), model[index]) << index;
  }
  EXPECT_EQ(RegistersOf(dense), model);
}

// MurmurHash64A as its description has it, a byte at a time.
uint64_t PlainMurmur(std::string_view bytes) {
  constexpr uint64_t kMul = 0xc6a4a7935bd1e995;
  uint64_t hash = 0xadc83b19 ^ bytes.size() * kMul;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t word = 0;
    for (size_t i = 0; i < 8; ++i) word |= uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    word *= kMul;
    word ^= word >> 47;
    hash = (hash ^ word * kMul) * kMul;
  }
  if (!bytes.empty()) {
    for (size_t i = 0; i < bytes.size(); ++i)
      hash ^= uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    hash *= kMul;
  }
  hash = (hash ^ hash >> 47) * kMul;
  return hash ^ hash >> 47;
}

TEST(HyperLogLog, PlacesOfElementsOfAllLengths) {
  std::mt19937_64 random(2);
  for (size_t length = 0; length < 48; ++length) {
    std::string element;
    for (size_t i = 0; i < length; ++i) element += static_cast<char>(random());
    const uint64_t hash = PlainMurmur(element);
    const Place place = PlaceOf(element);
    EXPECT_EQ(place.index, hash % kRegisters) << length;
    EXPECT_EQ(place.rank, std::countr_zero(hash >> 14 | uint64_t{1} << 50) + 1) << length;
  }
}

TEST(HyperLogLog, NeighboursBecomeOneRun) {
  std::string bytes = New();
  for (uint32_t i : {10u, 12u, 11u, 13u}) {
    ASSERT_EQ(AddToSparse(&bytes, {i, 2}, 3000), Added::kYes);
  }
  EXPECT_EQ(*DescribeSparse(bytes), "z:10 v:2,4 Z:16370");
  ASSERT_EQ(AddToSparse(&bytes, {14, 2}, 3000), Added::kYes);
  EXPECT_EQ(*DescribeSparse(bytes), "z:10 v:2,4 v:2,1 Z:16369");
  ASSERT_EQ(AddToSparse(&bytes, {12, 5}, 3000), Added::kYes);
  EXPECT_EQ(*DescribeSparse(bytes), "z:10 v:2,2 v:5,1 v:2,2 Z:16369");
}

TEST(HyperLogLog, EstimatesWithinItsError) {
  std::string bytes = *ToDense(New());
  uint64_t added = 0;
  for (const uint64_t upto : {10u, 100u, 1000u, 10000u, 100000u, 1000000u}) {
    while (added < upto) AddToDense(bytes.data(), PlaceOf(std::to_string(added++)));
    const auto estimate = static_cast<double>(Estimate(RegistersOf(bytes)));
    // Four standard errors.
    EXPECT_NEAR(estimate, static_cast<double>(upto), 1 + static_cast<double>(upto) * 0.0325);
  }
}

TEST(HyperLogLog, TheCountIsKept) {
  std::string bytes = New();
  InvalidateCount(bytes.data());
  EXPECT_EQ(CachedCount(bytes), std::nullopt);
  SetCachedCount(bytes.data(), 0x123456789a);
  EXPECT_EQ(CachedCount(bytes), 0x123456789au);
}

TEST(HyperLogLog, BrokenInputIsSeen) {
  EXPECT_FALSE(IsValid(""));
  EXPECT_FALSE(IsValid("HYLL"));
  EXPECT_FALSE(IsValid(std::string("HYLX\x01", 5) + std::string(11, '\0')));
  EXPECT_FALSE(IsValid(std::string("HYLL\x02", 5) + std::string(11, '\0')));
  std::string dense = *ToDense(New());
  dense.pop_back();
  EXPECT_FALSE(IsValid(dense));
  // Every sparse string that is cut or has a byte changed is read within its bounds.
  std::string good = New();
  std::mt19937 random(5);
  for (int i = 0; i < 200; ++i) {
    AddToSparse(&good, {static_cast<uint32_t>(random() % kRegisters), 3}, 3000);
  }
  for (size_t size = kHeaderBytes; size < good.size(); ++size) {
    const std::string cut = good.substr(0, size);
    Registers registers = {};
    EXPECT_FALSE(MergeInto(cut, &registers));
    EXPECT_EQ(ToDense(cut), std::nullopt);
    EXPECT_EQ(DescribeSparse(cut), std::nullopt);
    std::string copy = cut;
    EXPECT_NE(AddToSparse(&copy, {kRegisters - 1, 30}, 3000), Added::kNo);
  }
  for (size_t i = kHeaderBytes; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = good;
      flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
      Registers registers = {};
      MergeInto(flipped, &registers);
      AddToSparse(&flipped, {static_cast<uint32_t>(random() % kRegisters), 4}, 3000);
      SparseRegister(flipped, kRegisters - 1);
    }
  }
}

}  // namespace
}  // namespace backplane::hyperloglog
