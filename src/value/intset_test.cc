// SPDX-License-Identifier: BSD-3-Clause
// Intset against std::set, and its validator against damage.
#include "value/intset.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/random.h"

namespace backplane {
namespace {

TEST(IntsetTest, BytesAreTheSharedFormat) {
  Intset ints;
  ints.Add(5);
  ints.Add(-1);
  EXPECT_EQ(ints.Raw(), std::string("\2\0\0\0\2\0\0\0\xff\xff\5\0", 12));
  ints.Add(70000);
  EXPECT_EQ(ints.Raw(), std::string("\4\0\0\0\3\0\0\0\xff\xff\xff\xff\5\0\0\0\x70\x11\1\0", 20));
}

TEST(IntsetTest, AgreesWithASetOverRandomOperations) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Intset ints;
    std::set<int64_t> model;
    const uint64_t shift = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 54 : 40;
    for (int step = 0; step < 5000; ++step) {
      const int64_t number = static_cast<int64_t>(random.Next()) >> shift;
      if (random.Below(3) != 0) {
        ASSERT_EQ(ints.Add(number), model.insert(number).second);
      } else {
        const int64_t victim = model.empty() || random.Below(2) == 0
                                   ? number
                                   : ints.At(static_cast<uint32_t>(random.Below(ints.Count())));
        ASSERT_EQ(ints.Contains(victim), model.contains(victim));
        ASSERT_EQ(ints.Remove(victim), model.erase(victim) == 1);
      }
      ASSERT_EQ(ints.Count(), model.size());
    }
    ASSERT_TRUE(ValidateIntset(ints.Raw()));
    uint32_t index = 0;
    for (int64_t number : model) ASSERT_EQ(ints.At(index++), number);
  }
}

TEST(IntsetTest, KeepsTheExtremes) {
  Intset ints;
  for (int64_t number : {INT64_MAX, INT64_MIN, int64_t{INT32_MAX}, int64_t{INT16_MIN}}) {
    EXPECT_TRUE(ints.Add(number));
    EXPECT_FALSE(ints.Add(number));
    EXPECT_TRUE(ints.Contains(number));
  }
  EXPECT_EQ(ints.At(0), INT64_MIN);
  EXPECT_EQ(ints.At(3), INT64_MAX);
}

TEST(IntsetTest, DamagedBytesAreRefusedOrSorted) {
  Intset ints;
  for (int64_t number : {1, 3, 5, 700, 9000}) ints.Add(number);
  const std::string good(ints.Raw());
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::vector<char> bytes(good.begin(), good.end());
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    if (!ValidateIntset({bytes.data(), bytes.size()})) continue;
    const Intset copy = Intset::CopyOf({bytes.data(), bytes.size()});
    for (uint32_t i = 1; i < copy.Count(); ++i) ASSERT_LT(copy.At(i - 1), copy.At(i));
  }
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ValidateIntset(std::string_view(good).substr(0, size)));
  }
}

}  // namespace
}  // namespace backplane
