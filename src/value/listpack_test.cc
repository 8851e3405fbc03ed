// SPDX-License-Identifier: BSD-3-Clause
// Listpack: the bytes are those other servers write, every operation agrees with a plain deque, and
// damaged bytes are turned away without being misread.
#include "value/listpack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "base/random.h"

namespace backplane {
namespace {

std::vector<std::string> Contents(const Listpack& pack) {
  std::vector<std::string> out;
  for (auto at = pack.First(); at != Listpack::kNone; at = pack.Next(at)) {
    out.push_back(pack.Get(at).ToString());
  }
  return out;
}

std::vector<std::string> Backwards(const Listpack& pack) {
  std::vector<std::string> out;
  for (auto at = pack.Last(); at != Listpack::kNone; at = pack.Prev(at)) {
    out.push_back(pack.Get(at).ToString());
  }
  return out;
}

std::string Hex(std::string_view bytes) {
  std::string out;
  for (unsigned char c : bytes) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", c);
    out += text;
  }
  return out;
}

std::string RandomText(Random& random) {
  switch (random.Below(8)) {
    case 0:
      return std::to_string(random.Below(128));
    case 1:
      return std::to_string(static_cast<int64_t>(random.Below(8192)) - 4096);
    case 2:
      return std::to_string(static_cast<int64_t>(random.Next() >> random.Below(64)));
    case 3:
      return std::to_string(-static_cast<int64_t>(random.Next() >> (1 + random.Below(63))));
    case 4:
      return std::string(random.Below(5000), 'x');
    case 5:
      return "0" + std::to_string(random.Below(100));
    case 6:
      return "";
    default:
      return "item:" + std::to_string(random.Below(1000));
  }
}

TEST(ListpackTest, BytesAreTheSharedFormat) {
  Listpack pack;
  EXPECT_EQ(Hex(pack.Raw()), "070000000000ff");
  pack.Append("hi");
  pack.Append("5");
  pack.Append("-1");
  pack.Append("1000");
  pack.Append("-40000");
  pack.Append("8000000");
  pack.Append("2000000000");
  pack.Append("-9223372036854775808");
  EXPECT_EQ(Hex(pack.Raw()),
            "2d0000000800"
            "82686903"
            "0501"
            "dfff02"
            "c3e802"
            "f2c063ff04"
            "f200127a04"
            "f30094357705"
            "f4000000000000008009"
            "ff");
  Listpack medium;
  medium.Append(std::string(64, 'a'));
  EXPECT_EQ(Hex(medium.Raw()).substr(0, 20), "4a0000000100e0406161");
  EXPECT_EQ(Hex(medium.Raw()).substr(140), "616142ff");
}

// Element sizes at the edges of the backlen widths, as a Redis 7.0 server dumps them.
TEST(ListpackTest, BacklenIsAsWideAsOtherWritersMakeIt) {
  const struct {
    size_t length;
    const char* backlen;
  } kCases[] = {{125, "7f"},           {126, "0180"},        {16377, "7ffe"},
                {16378, "00ffff"},     {16379, "018080"},    {2097145, "7ffffe"},
                {2097146, "00ffffff"}, {2097147, "01808080"}};
  for (const auto& c : kCases) {
    Listpack pack;
    pack.Append(std::string(c.length, 'x'));
    pack.Append("end");
    const std::string hex = Hex(pack.Raw());
    const size_t at = hex.rfind("7878") + 4;
    EXPECT_EQ(hex.substr(at, hex.size() - at - 12), c.backlen) << c.length;
    EXPECT_TRUE(ValidateListpack(pack.Raw()));
    EXPECT_EQ(pack.Get(pack.Prev(pack.Last())).bytes().size(), c.length);
  }
}

TEST(ListpackTest, OnlyCanonicalIntegersBecomeIntegers) {
  for (const char* text :
       {"0", "-1", "127", "128", "9223372036854775807", "-9223372036854775808"}) {
    Listpack pack;
    pack.Append(text);
    EXPECT_TRUE(pack.Get(pack.First()).is_number()) << text;
    EXPECT_EQ(pack.Get(pack.First()).ToString(), text);
    EXPECT_EQ(pack.Get(pack.First()).TextSize(), std::string_view(text).size());
  }
  for (const char* text :
       {"", "-", "-0", "00", "01", "+1", " 1", "1 ", "1.0", "1e3", "9223372036854775808",
        "-9223372036854775809", "18446744073709551616", "99999999999999999999"}) {
    Listpack pack;
    pack.Append(text);
    EXPECT_FALSE(pack.Get(pack.First()).is_number()) << text;
    EXPECT_EQ(pack.Get(pack.First()).ToString(), text);
  }
}

void ApplyRandomStep(Random& random, Listpack& pack, std::deque<std::string>& model) {
  const std::string text = RandomText(random);
  const size_t index = model.empty() ? 0 : random.Below(model.size());
  const auto offset = static_cast<std::ptrdiff_t>(index);
  const auto at = pack.Seek(static_cast<int64_t>(index));
  switch (random.Below(model.size() > 100 ? 10 : 7)) {
    case 0:
    case 1:
      pack.Append(text);
      model.push_back(text);
      break;
    case 2:
      pack.Prepend(text);
      model.push_front(text);
      break;
    case 3:
      pack.InsertBefore(at, text);
      model.insert(model.begin() + offset, text);
      break;
    case 4:
      if (model.empty()) break;
      pack.InsertAfter(at, text);
      model.insert(model.begin() + offset + 1, text);
      break;
    case 5:
      if (model.empty()) break;
      pack.Replace(at, text);
      model[index] = text;
      break;
    case 6: {
      Listpack rest = pack.SplitOff(at);
      ASSERT_TRUE(ValidateListpack(rest.Raw()));
      random.Below(2) == 0 ? pack.AppendAll(rest) : rest.PrependAll(pack);
      if (rest.bytes() > pack.bytes() || rest.Count() == model.size()) pack = std::move(rest);
      break;
    }
    default: {
      const uint64_t count = 1 + random.Below(20);
      const auto next = pack.Erase(at, static_cast<uint32_t>(count));
      const auto end =
          offset + static_cast<std::ptrdiff_t>(std::min<uint64_t>(count, model.size() - index));
      model.erase(model.begin() + offset, model.begin() + end);
      ASSERT_EQ(next, pack.Seek(static_cast<int64_t>(index)));
      break;
    }
  }
}

TEST(ListpackTest, AgreesWithADequeOverRandomOperations) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Listpack pack;
    std::deque<std::string> model;
    for (int step = 0; step < 1500; ++step) {
      ASSERT_NO_FATAL_FAILURE(ApplyRandomStep(random, pack, model));
      ASSERT_EQ(pack.Count(), model.size());
      ASSERT_TRUE(ValidateListpack(pack.Raw()));
      const std::vector<std::string> expected(model.begin(), model.end());
      ASSERT_EQ(Contents(pack), expected);
      ASSERT_EQ(Backwards(pack), std::vector<std::string>(expected.rbegin(), expected.rend()));
    }
  }
}

TEST(ListpackTest, FindSkipsAndComparesNumbersByValue) {
  Listpack pack;
  for (const char* text : {"a", "1", "b", "2", "1", "a", "200", "b"}) pack.Append(text);
  const auto text_at = [&](Listpack::Position at) { return pack.Get(at).ToString(); };
  EXPECT_EQ(pack.Find(pack.First(), "a"), pack.First());
  EXPECT_EQ(pack.Find(pack.Seek(1), "a"), pack.Seek(5));
  EXPECT_EQ(pack.Find(pack.First(), "1", 1), pack.Seek(4));
  EXPECT_EQ(pack.Find(pack.First(), "200", 1), pack.Seek(6));
  EXPECT_EQ(pack.Find(pack.First(), "2", 1), Listpack::kNone);
  EXPECT_EQ(pack.Find(pack.First(), "c"), Listpack::kNone);
  EXPECT_EQ(pack.Find(Listpack::kNone, "a"), Listpack::kNone);
  EXPECT_EQ(text_at(pack.Next(pack.Find(pack.First(), "b", 1))), "2");
}

TEST(ListpackTest, SeekTakesNegativeIndexes) {
  Listpack pack;
  for (int i = 0; i < 10; ++i) pack.Append(int64_t{i});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(pack.Get(pack.Seek(i)).number(), i);
    EXPECT_EQ(pack.Get(pack.Seek(i - 10)).number(), i);
  }
  EXPECT_EQ(pack.Seek(10), Listpack::kNone);
  EXPECT_EQ(pack.Seek(-11), Listpack::kNone);
}

TEST(ListpackTest, CountsBeyondSixteenBits) {
  Listpack pack;
  for (int64_t i = 0; i < 70000; ++i) pack.Append(i % 100);
  EXPECT_EQ(pack.Count(), 70000u);
  EXPECT_EQ(pack.Get(pack.Seek(69999)).number(), 69999 % 100);
  EXPECT_EQ(pack.Get(pack.Seek(-70000)).number(), 0);
  EXPECT_EQ(pack.Seek(70000), Listpack::kNone);
  uint32_t count = 0;
  EXPECT_TRUE(ValidateListpack(pack.Raw(), &count));
  EXPECT_EQ(count, 70000u);
  pack.Erase(pack.First(), 69000);
  EXPECT_EQ(pack.Count(), 1000u);
  EXPECT_TRUE(ValidateListpack(pack.Raw()));
}

// Every one-bit change of a valid listpack is refused, or accepted and then walked within bounds.
// The copy lives in an exact allocation so that ASan sees a single byte too far.
TEST(ListpackTest, DamagedBytesAreRefusedOrHarmless) {
  Listpack pack;
  for (const char* text : {"abc", "5", "-3000", "70000", "123456789012", ""}) pack.Append(text);
  pack.Append(std::string(100, 'y'));
  const std::string good(pack.Raw());
  int accepted = 0;
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::vector<char> bytes(good.begin(), good.end());
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const std::string_view view(bytes.data(), bytes.size());
    if (!ValidateListpack(view)) continue;
    ++accepted;
    const Listpack copy = Listpack::CopyOf(view);
    auto forward = Contents(copy);
    const auto backward = Backwards(copy);
    std::reverse(forward.begin(), forward.end());
    ASSERT_EQ(forward, backward);
  }
  EXPECT_GT(accepted, 0);
  for (size_t size = 0; size < good.size(); ++size) {
    const std::vector<char> bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(ValidateListpack({bytes.data(), bytes.size()}));
  }
}

TEST(ListpackTest, RandomBytesAreNeverReadOutOfBounds) {
  Random random(99);
  for (int round = 0; round < 200000; ++round) {
    std::vector<char> bytes(7 + random.Below(30));
    for (char& c : bytes) c = static_cast<char>(random.Next());
    const auto size = static_cast<uint32_t>(bytes.size());
    std::memcpy(bytes.data(), &size, 4);
    bytes[4] = bytes[5] = static_cast<char>(0xFF);
    bytes.back() = static_cast<char>(0xFF);
    const std::string_view view(bytes.data(), bytes.size());
    if (ValidateListpack(view)) {
      const Listpack copy = Listpack::CopyOf(view);
      ASSERT_EQ(Contents(copy).size(), copy.Count());
    }
  }
}

}  // namespace
}  // namespace backplane
