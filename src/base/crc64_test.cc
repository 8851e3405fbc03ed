// SPDX-License-Identifier: BSD-3-Clause
// Both CRCs against their published check values and against bit-by-bit computation; key slots as
// CLUSTER KEYSLOT answers them.
#include "base/crc64.h"

#include <gtest/gtest.h>

#include <string>

#include "base/crc16.h"
#include "base/random.h"

namespace backplane {
namespace {

uint64_t SlowCrc64(std::string_view bytes) {
  uint64_t crc = 0;
  for (unsigned char byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool feedback = ((crc >> 63) & 1) != ((static_cast<unsigned>(byte) >> bit) & 1);
      crc = (crc << 1) ^ (feedback ? 0xad93d23594c935a9 : 0);
    }
  }
  uint64_t reflected = 0;
  for (int bit = 0; bit < 64; ++bit) reflected |= ((crc >> bit) & 1) << (63 - bit);
  return reflected;
}

std::string RandomBytes(Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  return bytes;
}

TEST(Crc64Test, CheckValues) {
  EXPECT_EQ(Crc64(0, ""), 0u);
  EXPECT_EQ(Crc64(0, "123456789"), 0xe9c6d914c4b8d9caull);
}

TEST(Crc64Test, AgreesWithTheDefinitionWholeAndInPieces) {
  Random random(64);
  for (size_t size = 0; size < 200; ++size) {
    const std::string bytes = RandomBytes(random, size);
    const uint64_t expected = SlowCrc64(bytes);
    ASSERT_EQ(Crc64(0, bytes), expected);
    const size_t cut = random.Below(size + 1);
    ASSERT_EQ(Crc64(Crc64(0, std::string_view(bytes).substr(0, cut)),
                    std::string_view(bytes).substr(cut)),
              expected);
  }
}

TEST(Crc16Test, CheckValues) {
  EXPECT_EQ(Crc16(""), 0);
  EXPECT_EQ(Crc16("123456789"), 0x31c3);
}

TEST(Crc16Test, KeySlots) {
  EXPECT_EQ(KeySlot("foo"), 12182);
  EXPECT_EQ(KeySlot("somekey"), 11058);
  EXPECT_EQ(KeySlot("foo{hash_tag}"), 2515);
  EXPECT_EQ(KeySlot(""), 0);
}

TEST(Crc16Test, HashTags) {
  EXPECT_EQ(KeyHashTag("{user1000}.following"), "user1000");
  EXPECT_EQ(KeyHashTag("foo{}{bar}"), "foo{}{bar}");
  EXPECT_EQ(KeyHashTag("foo{{bar}}zap"), "{bar");
  EXPECT_EQ(KeyHashTag("foo{bar}{zap}"), "bar");
  EXPECT_EQ(KeyHashTag("}x{y"), "}x{y");
  EXPECT_EQ(KeyHashTag("plain"), "plain");
}

}  // namespace
}  // namespace backplane
