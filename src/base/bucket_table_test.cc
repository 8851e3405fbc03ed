// SPDX-License-Identifier: BSD-3-Clause
// BucketTable against std::unordered_map, through growth, shrinking, scans during change.
#include "base/bucket_table.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

namespace backplane {
namespace {

struct Node {
  std::string key;
};
struct NodeTraits {
  using Item = Node;
  static std::string_view Key(const Node& node) { return node.key; }
};
using Table = BucketTable<NodeTraits>;

class BucketTableTest : public testing::Test {
 protected:
  ~BucketTableTest() override {
    table_.Clear([](Node* n) { delete n; });
  }
  void Add(const std::string& key) { table_.Insert(new Node{key}); }
  void Remove(const std::string& key) {
    Node* n = table_.Erase(key);
    ASSERT_NE(n, nullptr);
    delete n;
  }
  Table table_;
};

TEST_F(BucketTableTest, AgreesWithAModelOverRandomOperations) {
  Random random(42);
  std::set<std::string> model;
  for (int phase = 0; phase < 6; ++phase) {
    bool growing = phase % 2 == 0;
    for (int i = 0; i < 30000; ++i) {
      std::string key = "key:" + std::to_string(random.Below(50000));
      bool present = model.contains(key);
      ASSERT_EQ(table_.Find(key) != nullptr, present) << key;
      if (!present && random.Below(10) < (growing ? 9 : 2)) {
        Add(key);
        model.insert(key);
      } else if (present && random.Below(10) < (growing ? 2 : 9)) {
        Remove(key);
        model.erase(key);
      }
    }
    ASSERT_EQ(table_.size(), model.size());
    std::set<std::string> seen;
    table_.ForEach([&](Node* n) { seen.insert(n->key); });
    ASSERT_EQ(seen, model);
  }
  while (!model.empty()) {
    Remove(*model.begin());
    model.erase(model.begin());
  }
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_LE(table_.bucket_count(), 2u);
}

TEST_F(BucketTableTest, ScanReturnsWhatStaysThroughGrowthAndShrinking) {
  for (int start : {10, 1000, 40000}) {
    for (bool grow : {true, false}) {
      for (int i = 0; i < start; ++i) Add("stay:" + std::to_string(i));
      if (!grow) {
        for (int i = 0; i < start * 8; ++i) Add("go:" + std::to_string(i));
      }
      std::set<std::string> seen;
      uint64_t cursor = 0;
      int added = 0;
      int removed = 0;
      do {
        cursor = table_.Scan(cursor, [&](Node* n) { seen.insert(n->key); });
        for (int i = 0; i < 20; ++i) {
          if (grow && added < start * 8) Add("new:" + std::to_string(added++));
          if (!grow && removed < start * 8) Remove("go:" + std::to_string(removed++));
        }
      } while (cursor != 0);
      for (int i = 0; i < start; ++i) {
        ASSERT_TRUE(seen.contains("stay:" + std::to_string(i))) << start << " " << grow << " " << i;
      }
      table_.Clear([](Node* n) { delete n; });
    }
  }
}

TEST_F(BucketTableTest, ScanCallbackMayEraseItsItem) {
  for (int i = 0; i < 20000; ++i) Add(std::to_string(i));
  uint64_t cursor = 0;
  do {
    cursor = table_.Scan(cursor, [&](Node* n) {
      std::string key = n->key;
      Remove(key);
    });
  } while (cursor != 0);
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(BucketTableTest, SampleIsCloseToUniform) {
  for (int i = 0; i < 100; ++i) Add(std::to_string(i));
  Random random(7);
  std::map<std::string, int> hits;
  for (int i = 0; i < 100000; ++i) ++hits[table_.Sample(random)->key];
  EXPECT_EQ(hits.size(), 100u);
  for (const auto& [key, count] : hits) {
    EXPECT_GT(count, 800) << key;
    EXPECT_LT(count, 1200) << key;
  }
}

TEST_F(BucketTableTest, ReserveAvoidsSplits) {
  table_.Reserve(5000);
  size_t buckets = table_.bucket_count();
  for (int i = 0; i < 5000; ++i) Add(std::to_string(i));
  EXPECT_EQ(table_.bucket_count(), buckets);
}

TEST_F(BucketTableTest, MemoryPerItemStaysLow) {
  for (int i = 0; i < 200000; ++i) Add(std::to_string(i));
  EXPECT_LT(table_.MemoryBytes() / 200000.0, 18.0);
}

}  // namespace
}  // namespace backplane
