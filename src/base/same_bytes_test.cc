// SPDX-License-Identifier: BSD-3-Clause
#include "base/same_bytes.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace backplane {
namespace {

TEST(SameBytesTest, EachByteOfEachSizeCounts) {
  for (size_t size = 0; size < 100; ++size) {
    std::string a;
    for (size_t i = 0; i < size; ++i) a.push_back(static_cast<char>(i * 7));
    const std::string same = a;
    EXPECT_TRUE(SameBytes(a, same)) << size;
    EXPECT_FALSE(SameBytes(a, same + "x")) << size;
    for (size_t i = 0; i < size; ++i) {
      std::string other = a;
      other[i] = static_cast<char>(other[i] ^ 0x80);
      EXPECT_FALSE(SameBytes(a, other)) << size << " at " << i;
    }
  }
}

TEST(SameBytesTest, ReadsNothingBeyondTheTexts) {
  // In blocks of exactly that size, so that a sanitizer sees it.
  for (size_t size = 1; size < 70; ++size) {
    const auto a = std::make_unique<char[]>(size);
    const auto b = std::make_unique<char[]>(size);
    EXPECT_TRUE(SameBytes({a.get(), size}, {b.get(), size}));
  }
}

}  // namespace
}  // namespace backplane
