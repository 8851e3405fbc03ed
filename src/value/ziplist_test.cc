// SPDX-License-Identifier: BSD-3-Clause
// The readers of the old compact forms: every encoding read, every damage refused or harmless.
#include "value/ziplist.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"

namespace backplane {
namespace {

// Builds a ziplist from bare entries (encoding and data), adding the bookkeeping.
class ZiplistBuilder {
 public:
  void Add(const std::string& encoded, bool wide_prevlen = false) {
    last_ = 10 + entries_.size();
    const auto before = static_cast<uint32_t>(previous_);
    std::string entry;
    if (previous_ < 254 && !wide_prevlen) {
      entry.push_back(static_cast<char>(before));
    } else {
      entry.push_back(static_cast<char>(0xFE));
      entry.append(reinterpret_cast<const char*>(&before), 4);
    }
    entry += encoded;
    previous_ = entry.size();
    entries_ += entry;
    ++count_;
  }
  std::string Bytes() const {
    std::string out(10, '\0');
    const auto size = static_cast<uint32_t>(11 + entries_.size());
    const auto tail = static_cast<uint32_t>(last_);
    std::memcpy(out.data(), &size, 4);
    std::memcpy(out.data() + 4, &tail, 4);
    std::memcpy(out.data() + 8, &count_, 2);
    return out + entries_ + "\xff";
  }

 private:
  std::string entries_;
  size_t last_ = 10;
  size_t previous_ = 0;
  uint16_t count_ = 0;
};

std::vector<std::string> Read(std::string_view bytes) {
  std::vector<std::string> out;
  auto reader = ZiplistReader::Open(bytes);
  EXPECT_TRUE(reader.has_value());
  Item item;
  while (reader && reader->Next(&item)) out.push_back(item.ToString());
  if (reader) {
    EXPECT_EQ(out.size(), reader->count());
  }
  return out;
}

std::string EveryEncoding() {
  ZiplistBuilder builder;
  builder.Add(std::string("\x2hi"));
  builder.Add(std::string("\x41\x2c") + std::string(300, 'm'));
  builder.Add(std::string("\x80\0\0\x3\xe8", 5) + std::string(1000, 'l'));
  builder.Add(std::string("\xc0\xe8\x3", 3));
  builder.Add(std::string("\xd0\xff\xff\xff\xff", 5), true);
  builder.Add(std::string("\xe0\0\0\0\0\0\0\0\x80", 9));
  builder.Add(std::string("\xf0\0\0\x80", 4));
  builder.Add(std::string("\xfe\x80", 2));
  builder.Add("\xf1");
  builder.Add("\xfd");
  builder.Add(std::string("\0", 1));
  return builder.Bytes();
}

TEST(ZiplistTest, ReadsEveryEncoding) {
  EXPECT_EQ(
      Read(EveryEncoding()),
      (std::vector<std::string>{"hi", std::string(300, 'm'), std::string(1000, 'l'), "1000", "-1",
                                "-9223372036854775808", "-8388608", "-128", "0", "12", ""}));
  EXPECT_TRUE(Read(ZiplistBuilder().Bytes()).empty());
}

TEST(ZiplistTest, DamageIsRefusedOrHarmless) {
  ZiplistBuilder builder;
  builder.Add(std::string("\x2hi"));
  builder.Add(std::string("\xc0\xe8\x3", 3));
  builder.Add("\xf5", true);
  builder.Add(std::string("\x41\x2c") + std::string(300, 'm'));
  builder.Add("\xf5");
  const std::string good = builder.Bytes();
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::vector<char> bytes(good.begin(), good.end());
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const std::string_view view(bytes.data(), bytes.size());
    if (ZiplistReader::Open(view)) Read(view);
  }
  for (size_t size = 0; size < good.size(); ++size) {
    const std::vector<char> bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(ZiplistReader::Open({bytes.data(), bytes.size()}).has_value());
  }
}

// Lengths of 254 and more take five bytes, as a Redis 7.0 server reads them.
TEST(ZipmapTest, ReadsShortAndLongLengths) {
  const std::string bytes = std::string(
                                "\x2\x1"
                                "a\xfd\0",
                                5) +
                            std::string(253, 'v') +
                            std::string(
                                "\x1"
                                "b\xfe\x2c\x1\0\0\x2",
                                8) +
                            std::string(300, 'w') + "xx\xff";
  auto reader = ZipmapReader::Open(bytes);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(reader->count(), 2u);
  std::string_view field;
  std::string_view value;
  ASSERT_TRUE(reader->Next(&field, &value));
  EXPECT_EQ(field, "a");
  EXPECT_EQ(value, std::string(253, 'v'));
  ASSERT_TRUE(reader->Next(&field, &value));
  EXPECT_EQ(field, "b");
  EXPECT_EQ(value, std::string(300, 'w'));
  EXPECT_FALSE(reader->Next(&field, &value));
}

TEST(ZipmapTest, ACountOf254MeansUnknown) {
  EXPECT_TRUE(ZipmapReader::Open(std::string("\xfe\1a\1\0b\xff", 7)));
  EXPECT_TRUE(ZipmapReader::Open(std::string("\1\1a\1\0b\xff", 7)));
  EXPECT_FALSE(ZipmapReader::Open(std::string("\2\1a\1\0b\xff", 7)));
  EXPECT_FALSE(ZipmapReader::Open(std::string("\xff\1a\1\0b\xff", 7)));
}

TEST(ZipmapTest, RandomBytesAreNeverReadOutOfBounds) {
  Random random(3);
  int accepted = 0;
  for (int round = 0; round < 100000; ++round) {
    std::vector<char> bytes(2 + random.Below(24));
    for (char& c : bytes) c = static_cast<char>(random.Below(6));
    bytes.front() = static_cast<char>(0xFE);
    bytes.back() = static_cast<char>(0xFF);
    auto reader = ZipmapReader::Open({bytes.data(), bytes.size()});
    if (!reader) continue;
    ++accepted;
    uint32_t pairs = 0;
    std::string_view field;
    std::string_view value;
    while (reader->Next(&field, &value)) ++pairs;
    ASSERT_EQ(pairs, reader->count());
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace backplane
