// SPDX-License-Identifier: BSD-3-Clause
// IdIndex against std::map: order, bounds, walking both ways, use as a queue.
#include "value/id_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace backplane {
namespace {

using Index = IdIndex<std::string>;
using Model = std::map<StreamId, std::string>;

void ExpectEqual(const Index& index, const Model& model) {
  ASSERT_EQ(index.size(), model.size());
  auto p = index.Begin();
  for (const auto& [id, text] : model) {
    ASSERT_TRUE(index.Valid(p));
    ASSERT_EQ(index.At(p).id, id);
    ASSERT_EQ(index.At(p).value, text);
    p = index.Next(p);
  }
  ASSERT_FALSE(index.Valid(p));
  if (model.empty()) return;
  p = index.Last();
  for (auto it = model.rbegin(); it != model.rend(); ++it) {
    ASSERT_EQ(index.At(p).id, it->first);
    ASSERT_EQ(index.Back(&p), std::next(it) != model.rend());
  }
}

void ExpectBounds(const Index& index, const Model& model, StreamId id) {
  const auto lower = model.lower_bound(id);
  const auto upper = model.upper_bound(id);
  const auto p = index.LowerBound(id);
  const auto q = index.UpperBound(id);
  ASSERT_EQ(index.Valid(p), lower != model.end());
  ASSERT_EQ(index.Valid(q), upper != model.end());
  if (index.Valid(p)) {
    ASSERT_EQ(index.At(p).id, lower->first);
  }
  if (index.Valid(q)) {
    ASSERT_EQ(index.At(q).id, upper->first);
  }
  const auto it = model.find(id);
  const std::string* found = index.Find(id);
  ASSERT_EQ(found != nullptr, it != model.end());
  if (found != nullptr) {
    ASSERT_EQ(*found, it->second);
  }
}

TEST(IdIndexTest, AgreesWithAMap) {
  std::mt19937_64 random(5);
  for (const uint64_t range : {8u, 200u, 5000u}) {
    Index index;
    Model model;
    for (int step = 0; step < 20000; ++step) {
      const StreamId id{random() % range, random() % 2};
      // Phases of growth and of shrinking, down to nothing.
      if (random() % 16 < (step / 2000 % 2 == 0 ? 10u : 5u)) {
        if (!model.contains(id)) {
          const std::string text = std::to_string(step);
          model[id] = text;
          ASSERT_EQ(*index.Insert(id, text), text);
        }
      } else {
        ASSERT_EQ(index.Erase(id), model.erase(id) == 1);
      }
      ExpectBounds(index, model, {random() % range, random() % 3});
      if (step % 500 == 0) ExpectEqual(index, model);
    }
    ExpectEqual(index, model);
  }
}

TEST(IdIndexTest, AQueueGivesItsMemoryBack) {
  Index index;
  uint64_t first = 0;
  for (uint64_t i = 0; i < 100000; ++i) {
    index.Insert({i, 0}, "x");
    if (index.size() > 1000) {
      ASSERT_TRUE(index.Erase(StreamId{first++, 0}));
    }
  }
  EXPECT_EQ(index.At(index.Begin()).id, (StreamId{first, 0}));
  EXPECT_LT(index.MemoryBytes(), 1000 * sizeof(Index::Slot) * 2);
}

TEST(IdIndexTest, EraseReturnsTheNextPlace) {
  for (const int step : {1, 2, 3, 64}) {
    Index index;
    Model model;
    for (uint64_t i = 0; i < 500; ++i) {
      index.Insert({i, 0}, "x");
      model[{i, 0}] = "x";
    }
    int at = 0;
    for (auto p = index.Begin(); index.Valid(p); ++at) {
      if (at % step != 0) {
        p = index.Next(p);
        continue;
      }
      const StreamId id = index.At(p).id;
      p = index.Erase(p);
      const auto next = model.erase(model.find(id));
      ASSERT_EQ(index.Valid(p), next != model.end());
      if (next != model.end()) {
        ASSERT_EQ(index.At(p).id, next->first);
      }
    }
    ExpectEqual(index, model);
  }
}

}  // namespace
}  // namespace backplane
