// SPDX-License-Identifier: BSD-3-Clause
// ListValue against std::deque in every encoding, its conversions, and its RDB forms.
#include "value/list_value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "base/random.h"
#include "value/rdb_test_support.h"

namespace backplane {
namespace {

using testing_support::ForEachDamage;
using testing_support::LoadFromString;
using testing_support::SaveToString;

std::vector<std::string> Contents(const ListValue& list) {
  std::vector<std::string> out;
  list.ForRange(0, list.length(), [&](const Item& item) { out.push_back(item.ToString()); });
  return out;
}

std::string RandomText(Random& random) {
  switch (random.Below(12)) {
    case 0:
      return std::string(random.Below(300), 'm');
    case 1:
      return std::to_string(static_cast<int64_t>(random.Next()));
    case 2:
      return random.Below(20) == 0 ? std::string(5000 + random.Below(5000), 'L') : "";
    default:
      return "e" + std::to_string(random.Below(30));
  }
}

class ListModel {
 public:
  ListModel(uint64_t seed, const EncodingLimits& limits) : random_(seed), limits_(limits) {}

  void Step() {
    const std::string text = RandomText(random_);
    const uint64_t size = model_.size();
    const uint64_t index = size > 0 ? random_.Below(size) : 0;
    const bool shrink = size > 600;
    switch (random_.Below(shrink ? 14 : 10)) {
      case 0:
      case 1:
      case 2:
        list_.Push(ListEnd::kTail, text, limits_);
        model_.push_back(text);
        break;
      case 3:
      case 4:
        list_.Push(ListEnd::kHead, text, limits_);
        model_.push_front(text);
        break;
      case 5:
        list_.InsertAt(index, text, limits_);
        model_.insert(At(index), text);
        break;
      case 6:
        InsertBeside(text);
        break;
      case 7:
        if (size == 0) break;
        ASSERT_TRUE(list_.Set(static_cast<int64_t>(index) - (random_.Below(2) ? 0 : Size()), text,
                              limits_));
        model_[index] = text;
        break;
      case 8:
        if (size == 0) break;
        Drop(random_.Below(2) == 0 ? ListEnd::kHead : ListEnd::kTail, 1 + random_.Below(3));
        break;
      case 9:
        RemoveEqual(text, static_cast<int64_t>(random_.Below(7)) - 3);
        break;
      default:
        EraseOrTrim(index);
    }
  }

  void Check() {
    const std::vector<std::string> expected(model_.begin(), model_.end());
    ASSERT_EQ(list_.length(), expected.size());
    ASSERT_EQ(Contents(list_), expected);
    std::vector<std::string> backwards;
    if (!expected.empty()) {
      list_.ForRangeBackwards(expected.size() - 1, expected.size(),
                              [&](const Item& item) { backwards.push_back(item.ToString()); });
    }
    ASSERT_TRUE(std::equal(backwards.rbegin(), backwards.rend(), expected.begin(), expected.end()));
    for (int i = 0; i < 3 && !expected.empty(); ++i) {
      const uint64_t index = random_.Below(expected.size());
      Item item;
      ASSERT_TRUE(list_.At(static_cast<int64_t>(index), &item));
      ASSERT_EQ(item.ToString(), expected[index]);
    }
    if (expected.empty()) return;
    auto loaded = LoadFromString(list_.rdb_type(11), SaveToString(list_), limits_);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
    ASSERT_EQ(Contents(static_cast<ListValue&>(**loaded)), expected);
    ASSERT_EQ(Contents(static_cast<ListValue&>(*list_.Clone())), expected);
    ASSERT_GT(list_.MemoryUsage(0), 0u);
  }

  std::string_view encoding() const { return list_.encoding_name(); }

 private:
  std::deque<std::string>::iterator At(uint64_t index) {
    return model_.begin() + static_cast<std::ptrdiff_t>(index);
  }
  int64_t Size() const { return static_cast<int64_t>(model_.size()); }

  void InsertBeside(const std::string& text) {
    const std::string pivot = "e" + std::to_string(random_.Below(30));
    const bool before = random_.Below(2) == 0;
    auto found = std::find(model_.begin(), model_.end(), pivot);
    ASSERT_EQ(list_.InsertBeside(pivot, before, text, limits_), found != model_.end());
    if (found != model_.end()) model_.insert(before ? found : found + 1, text);
  }

  void Drop(ListEnd end, uint64_t count) {
    count = std::min<uint64_t>(count, model_.size());
    const std::string expected = end == ListEnd::kHead ? model_.front() : model_.back();
    ASSERT_EQ(list_.Peek(end).ToString(), expected);
    list_.Drop(end, count, limits_);
    for (; count > 0; --count) end == ListEnd::kHead ? model_.pop_front() : model_.pop_back();
  }

  void RemoveEqual(const std::string& text, int64_t count) {
    uint64_t left = count == 0 ? model_.size() : static_cast<uint64_t>(std::abs(count));
    uint64_t removed = 0;
    if (count < 0) std::reverse(model_.begin(), model_.end());
    for (auto it = model_.begin(); it != model_.end() && left > 0;) {
      if (*it != text) {
        ++it;
        continue;
      }
      it = model_.erase(it);
      ++removed;
      --left;
    }
    if (count < 0) std::reverse(model_.begin(), model_.end());
    ASSERT_EQ(list_.RemoveEqual(text, count, limits_), removed);
  }

  void EraseOrTrim(uint64_t index) {
    const uint64_t count = std::min<uint64_t>(random_.Below(200), model_.size() - index);
    const auto end = At(index + count);
    if (random_.Below(10) != 0) {
      list_.EraseRange(index, count, limits_);
      model_.erase(At(index), end);
    } else {
      list_.Trim(index, count, limits_);
      model_ = std::deque<std::string>(At(index), end);
    }
  }

  Random random_;
  EncodingLimits limits_;
  ListValue list_;
  std::deque<std::string> model_;
};

TEST(ListValueTest, AgreesWithADequeInEveryShape) {
  struct Shape {
    int size;
    size_t packed_threshold;
  };
  for (const Shape shape : {Shape{-2, size_t{1} << 30}, Shape{-1, 100}, Shape{1, 50}, Shape{5, 4},
                            Shape{128, 1}, Shape{0, 1000}}) {
    SCOPED_TRACE(shape.size);
    EncodingLimits limits;
    limits.list_max_listpack_size = shape.size;
    limits.list_packed_threshold = shape.packed_threshold;
    bool saw_quicklist = false;
    bool saw_listpack = false;
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE(seed);
      ListModel model(seed, limits);
      for (int step = 0; step < 3000; ++step) {
        ASSERT_NO_FATAL_FAILURE(model.Step());
        saw_quicklist |= model.encoding() == "quicklist";
        saw_listpack |= model.encoding() == "listpack";
        if (step % 20 == 0) {
          ASSERT_NO_FATAL_FAILURE(model.Check());
        }
      }
    }
    EXPECT_TRUE(saw_quicklist && saw_listpack);
  }
}

TEST(ListValueTest, EncodingFollowsTheSizeClass) {
  const EncodingLimits limits;
  ListValue list;
  const std::string text(100, 'x');
  while (list.encoding_name() == "listpack") list.Push(ListEnd::kTail, text, limits);
  // 7 bytes of frame, 103 per element: the 80th is the first beyond 8192.
  EXPECT_EQ(list.length(), 80u);
  // Half of the limit lets it back, one node at a time.
  while (list.encoding_name() == "quicklist") list.Drop(ListEnd::kTail, 1, limits);
  EXPECT_EQ(list.length(), 39u);
}

TEST(ListValueTest, EncodingFollowsTheElementCount) {
  EncodingLimits limits;
  limits.list_max_listpack_size = 8;
  ListValue list;
  for (int i = 0; i < 8; ++i) list.Push(ListEnd::kHead, "v", limits);
  EXPECT_EQ(list.encoding_name(), "listpack");
  list.Push(ListEnd::kHead, "v", limits);
  EXPECT_EQ(list.encoding_name(), "quicklist");
  list.Drop(ListEnd::kHead, 4, limits);
  EXPECT_EQ(list.encoding_name(), "quicklist");
  list.Drop(ListEnd::kHead, 1, limits);
  EXPECT_EQ(list.encoding_name(), "listpack");
}

TEST(ListValueTest, SeveralElementsOfOneCommandDecideTogether) {
  EncodingLimits limits;
  limits.list_max_listpack_size = 4;
  ListValue list;
  list.PrepareToGrow(10, 4, limits);
  EXPECT_EQ(list.encoding_name(), "listpack");
  list.PrepareToGrow(10, 5, limits);
  EXPECT_EQ(list.encoding_name(), "quicklist");
}

TEST(ListValueTest, FindEqualCountsRanksAndComparisons) {
  const EncodingLimits limits;
  ListValue list;
  for (const char* text : {"a", "b", "c", "1", "2", "3", "c", "c"}) {
    list.Push(ListEnd::kTail, text, limits);
  }
  const auto find = [&](int64_t rank, uint64_t count, uint64_t max_compared) {
    std::vector<uint64_t> found;
    list.FindEqual("c", rank, max_compared, [&](uint64_t index) {
      found.push_back(index);
      return found.size() != count;
    });
    return found;
  };
  using Indexes = std::vector<uint64_t>;
  EXPECT_EQ(find(1, 1, 0), (Indexes{2}));
  EXPECT_EQ(find(2, 1, 0), (Indexes{6}));
  EXPECT_EQ(find(4, 1, 0), (Indexes{}));
  EXPECT_EQ(find(-1, 1, 0), (Indexes{7}));
  EXPECT_EQ(find(-2, 0, 0), (Indexes{6, 2}));
  EXPECT_EQ(find(1, 0, 0), (Indexes{2, 6, 7}));
  EXPECT_EQ(find(1, 0, 3), (Indexes{2}));
  EXPECT_EQ(find(1, 0, 2), (Indexes{}));
  EXPECT_EQ(find(INT64_MIN, 0, 0), (Indexes{}));
}

TEST(ListValueTest, LoadsTheOlderForms) {
  const std::string ziplist(
      "\x18\0\0\0\x14\0\0\0\x4\0"  // 24 bytes, last entry at 20, 4 entries
      "\0\x2hi"
      "\x4\xf6"         // 5
      "\x2\xc0\xe8\x3"  // 1000
      "\x4\x1"
      "a\xff",
      24);
  const std::vector<std::string> expected = {"hi", "5", "1000", "a"};
  const std::string as_string = "\x18" + ziplist;
  const std::string plain(
      "\4\2hi\1"
      "5\4"
      "1000\1"
      "a",
      13);
  for (const auto& [type, body] : {std::pair<uint8_t, std::string>{10, as_string},
                                   {14, std::string("\1") + as_string},
                                   {1, plain}}) {
    auto loaded = LoadFromString(type, body);
    ASSERT_TRUE(loaded.has_value()) << int{type} << loaded.error().message;
    EXPECT_EQ(Contents(static_cast<ListValue&>(**loaded)), expected);
    EXPECT_EQ((*loaded)->encoding_name(), "listpack");
    ForEachDamage(body, [&, t = type](const std::string& bytes) {
      auto damaged = LoadFromString(t, bytes);
      if (damaged) {
        ASSERT_GT(Contents(static_cast<ListValue&>(**damaged)).size(), 0u);
      }
    });
  }
}

TEST(ListValueTest, EmptyListsAndUnknownContainersAreErrors) {
  EXPECT_FALSE(LoadFromString(1, std::string(1, '\0')));
  EXPECT_FALSE(LoadFromString(14, std::string(1, '\0')));
  EXPECT_FALSE(LoadFromString(18, std::string(1, '\0')));
  EXPECT_FALSE(LoadFromString(18, std::string("\1\3\1a", 4)));
  EXPECT_FALSE(LoadFromString(18, std::string("\1\1\0", 3)));
  EXPECT_FALSE(LoadFromString(18, std::string("\1\2\7\7\0\0\0\0\0\xff", 10)));
  EXPECT_TRUE(LoadFromString(18, std::string("\1\1\1a", 4)));
}

TEST(ListValueTest, DamagedQuicklistsNeverCrash) {
  EncodingLimits limits;
  limits.list_max_listpack_size = 3;
  limits.list_packed_threshold = 20;
  ListValue list;
  for (const char* text : {"a", "12345", "this one stands in a plain node", "b", "c", "d", "e"}) {
    list.Push(ListEnd::kTail, text, limits);
  }
  ASSERT_EQ(list.encoding_name(), "quicklist");
  ForEachDamage(SaveToString(list), [&](const std::string& bytes) {
    auto damaged = LoadFromString(18, bytes, limits);
    if (damaged) {
      ASSERT_GT(Contents(static_cast<ListValue&>(**damaged)).size(), 0u);
    }
  });
}

}  // namespace
}  // namespace backplane
