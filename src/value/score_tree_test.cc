// SPDX-License-Identifier: BSD-3-Clause
// ScoreTree against a std::set ordered the same way.
#include "value/score_tree.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"

namespace backplane {
namespace {

struct ByScoreThenMember {
  bool operator()(const ZSetEntry* a, const ZSetEntry* b) const {
    if (a->score() != b->score()) return a->score() < b->score();
    return a->member() < b->member();
  }
};
using Model = std::set<ZSetEntry*, ByScoreThenMember>;

class ScoreTreeTest : public testing::Test {
 protected:
  ~ScoreTreeTest() override {
    for (ZSetEntry* entry : model_) ZSetEntry::Free(entry);
  }

  void Add(const std::string& member, double score) {
    ZSetEntry* entry = ZSetEntry::Make(member, score);
    ASSERT_TRUE(model_.insert(entry).second);
    tree_.Insert(entry);
  }
  void Remove(ZSetEntry* entry) {
    tree_.Erase(entry);
    model_.erase(entry);
    ZSetEntry::Free(entry);
  }
  ZSetEntry* Pick(Random& random) {
    return const_cast<ZSetEntry*>(&tree_.At(random.Below(tree_.size())).entry());
  }

  void Check() {
    ASSERT_EQ(tree_.size(), model_.size());
    uint64_t rank = 0;
    ScoreTree::Position at = model_.empty() ? ScoreTree::Position() : tree_.At(0);
    for (ZSetEntry* entry : model_) {
      ASSERT_TRUE(at);
      ASSERT_EQ(&at.entry(), entry);
      ASSERT_EQ(at.score(), entry->score());
      ASSERT_EQ(&tree_.At(rank).entry(), entry);
      ASSERT_EQ(tree_.RankOf(entry), rank);
      ++rank;
      at.Next();
    }
    ASSERT_FALSE(at);
    if (model_.empty()) return;
    at = tree_.At(tree_.size() - 1);
    for (auto it = model_.rbegin(); it != model_.rend(); ++it, at.Prev()) {
      ASSERT_EQ(&at.entry(), *it);
    }
    ASSERT_FALSE(at);
  }

  ScoreTree tree_;
  Model model_;
};

TEST_F(ScoreTreeTest, AgreesWithASetOverRandomOperations) {
  Random random(17);
  int next = 0;
  for (int phase = 0; phase < 6; ++phase) {
    // Few distinct scores force comparisons by member; phases alternate growth and shrinking.
    const uint64_t scores = phase < 2 ? 5 : 100000;
    for (int step = 0; step < 6000; ++step) {
      const double score = static_cast<double>(random.Below(scores));
      if (model_.empty() || random.Below(10) < (phase % 2 == 0 ? 7 : 2)) {
        ASSERT_NO_FATAL_FAILURE(Add("m" + std::to_string(next++), score));
      } else if (random.Below(3) == 0) {
        ZSetEntry* entry = Pick(random);
        model_.erase(entry);
        tree_.SetScore(entry, random.Below(2) == 0 ? score : entry->score() + 1);
        ASSERT_TRUE(model_.insert(entry).second);
      } else {
        Remove(Pick(random));
      }
      if (step % 997 == 0) {
        ASSERT_NO_FATAL_FAILURE(Check());
      }
    }
    ASSERT_NO_FATAL_FAILURE(Check());
  }
  while (!model_.empty()) Remove(*model_.begin());
  Check();
  ASSERT_NO_FATAL_FAILURE(Add("again", 1));
  Check();
}

TEST_F(ScoreTreeTest, OrderedInputPacksLeavesFull) {
  for (int i = 0; i < 20000; ++i) ASSERT_NO_FATAL_FAILURE(Add(std::to_string(i), i));
  Check();
  EXPECT_LT(static_cast<double>(tree_.MemoryBytes()) / 20000, 18.5);
  ScoreTree backwards;
  for (auto it = model_.rbegin(); it != model_.rend(); ++it) backwards.Insert(*it);
  EXPECT_LT(static_cast<double>(backwards.MemoryBytes()) / 20000, 20);
  EXPECT_EQ(backwards.RankOf(*model_.begin()), 0u);
}

TEST_F(ScoreTreeTest, ErasingFromTheFrontAndBackKeepsNodesFilled) {
  for (int i = 0; i < 5000; ++i) ASSERT_NO_FATAL_FAILURE(Add(std::to_string(i), i));
  for (int i = 0; i < 2400; ++i) {
    Remove(*model_.begin());
    Remove(*model_.rbegin());
  }
  Check();
  EXPECT_LT(tree_.MemoryBytes(), 200u * 60);
}

TEST_F(ScoreTreeTest, CountWhileSplitsTheOrder) {
  const double infinity = std::numeric_limits<double>::infinity();
  ASSERT_NO_FATAL_FAILURE(Add("low", -infinity));
  ASSERT_NO_FATAL_FAILURE(Add("high", infinity));
  for (int i = 0; i < 1000; ++i) ASSERT_NO_FATAL_FAILURE(Add(std::to_string(i), i / 10));
  for (const double bound : {-infinity, -1.0, 0.0, 50.0, 99.0, 100.0, infinity}) {
    uint64_t below = 0;
    uint64_t not_above = 0;
    for (const ZSetEntry* entry : model_) {
      below += entry->score() < bound ? 1 : 0;
      not_above += entry->score() <= bound ? 1 : 0;
    }
    EXPECT_EQ(tree_.CountWhile([&](double s, const ZSetEntry*) { return s < bound; }), below);
    EXPECT_EQ(tree_.CountWhile([&](double s, const ZSetEntry*) { return s <= bound; }), not_above);
  }
  EXPECT_EQ(ScoreTree().CountWhile([](double, const ZSetEntry*) { return true; }), 0u);
}

}  // namespace
}  // namespace backplane
