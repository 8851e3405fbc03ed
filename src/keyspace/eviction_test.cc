// SPDX-License-Identifier: BSD-3-Clause
// How use is counted, and which keys are chosen to go.
#include "keyspace/eviction.h"

#include <gtest/gtest.h>

#include <string>

#include "keyspace/frequency.h"
#include "keyspace/keyspace.h"

namespace backplane {
namespace {

TEST(FrequencyTest, DecaysByTheMinute) {
  const FrequencyRules rules{10, 2};
  const uint32_t access = PackFrequency(100, 9);
  EXPECT_EQ(FrequencyAt(access, 100, rules), 9u);
  EXPECT_EQ(FrequencyAt(access, 101, rules), 9u);
  EXPECT_EQ(FrequencyAt(access, 104, rules), 7u);
  EXPECT_EQ(FrequencyAt(access, 1000, rules), 0u);
  // The clock's 16 bits wrap.
  EXPECT_EQ(FrequencyAt(PackFrequency(65535, 9), 65537, rules), 8u);
  EXPECT_EQ(FrequencyAt(access, 9999, {10, 0}), 9u);
}

TEST(FrequencyTest, GrowsEverMoreSlowly) {
  Random random(3);
  const FrequencyRules rules{10, 1};
  uint32_t access = PackFrequency(7, kFrequencyInitial);
  access = FrequencyAfterUse(access, 7, rules, random);
  EXPECT_EQ(access & 255, kFrequencyInitial + 1);
  for (int i = 0; i < 1000; ++i) access = FrequencyAfterUse(access, 7, rules, random);
  const uint32_t after_1000 = access & 255;
  EXPECT_GT(after_1000, 12u);
  EXPECT_LT(after_1000, 30u);
  for (int i = 0; i < 100000; ++i) access = FrequencyAfterUse(access, 7, rules, random);
  EXPECT_GT(access & 255, 100u);
  EXPECT_LT(access & 255, 200u);
  for (int i = 0; i < 4000000; ++i) access = FrequencyAfterUse(access, 7, rules, random);
  EXPECT_EQ(access & 255, kFrequencyMax);
  EXPECT_EQ(access >> 8, 7u);
  // Without the factor every use counts.
  access = PackFrequency(7, 0);
  for (int i = 0; i < 100; ++i) access = FrequencyAfterUse(access, 7, {0, 1}, random);
  EXPECT_EQ(access & 255, 100u);
}

class EvictionTest : public ::testing::Test {
 protected:
  EvictionTest() : keyspace_(3), chooser_(&keyspace_) { keyspace_.set_now_ms(kStart); }
  // Evicts `count` keys; returns how many of them satisfy `wanted`.
  template <class F>
  int Evict(EvictionPolicy policy, int count, F&& wanted) {
    int hits = 0;
    for (int i = 0; i < count; ++i) {
      const auto victim = chooser_.Choose(policy, 5);
      if (!victim) return -1;
      hits += wanted(std::string(victim->entry->key())) ? 1 : 0;
      victim->db->Evict(victim->entry, false);
    }
    return hits;
  }
  void Set(int db, const std::string& key, int64_t ttl_ms = 0) {
    Entry* entry = keyspace_.db(db).SetString(key, "value");
    if (ttl_ms != 0) keyspace_.db(db).SetExpire(entry, keyspace_.now_ms() + ttl_ms);
  }
  static constexpr int64_t kStart = 1'700'000'000'000;
  Keyspace keyspace_;
  EvictionChooser chooser_;
};

TEST_F(EvictionTest, NothingToTake) {
  for (const auto policy : {EvictionPolicy::kAllKeysLru, EvictionPolicy::kAllKeysRandom,
                            EvictionPolicy::kVolatileTtl, EvictionPolicy::kVolatileLfu}) {
    EXPECT_FALSE(chooser_.Choose(policy, 5));
  }
  Set(0, "lasting");
  for (const auto policy : {EvictionPolicy::kVolatileLru, EvictionPolicy::kVolatileLfu,
                            EvictionPolicy::kVolatileRandom, EvictionPolicy::kVolatileTtl}) {
    EXPECT_FALSE(chooser_.Choose(policy, 5));
  }
  EXPECT_TRUE(chooser_.Choose(EvictionPolicy::kAllKeysLru, 5));
}

TEST_F(EvictionTest, TheLeastRecentlyUsedGo) {
  // Keys of increasing age in two databases; the older half is "old".
  for (int i = 0; i < 2000; ++i) {
    keyspace_.set_now_ms(kStart + i * 1000);
    Set(i % 2, "k" + std::to_string(i));
  }
  auto is_old = [](const std::string& key) { return std::stoi(key.substr(1)) < 1000; };
  // An exact order would give 500 of 500; five samples at random without a pool some 480.
  EXPECT_GT(Evict(EvictionPolicy::kAllKeysLru, 500, is_old), 480);
}

TEST_F(EvictionTest, AUsedKeyStays) {
  for (int i = 0; i < 100; ++i) Set(0, "k" + std::to_string(i));
  keyspace_.set_now_ms(kStart + 3600 * 1000);
  keyspace_.db(0).FindForRead(Key("k7"));
  keyspace_.db(0).FindForWrite(Key("k8"));
  Set(0, "k9");
  auto is_used = [](const std::string& key) { return key == "k7" || key == "k8" || key == "k9"; };
  // With forty left and five drawn each time, one of the three is hardly ever the worst.
  EXPECT_LE(Evict(EvictionPolicy::kAllKeysLru, 60, is_used), 1);
}

TEST_F(EvictionTest, TheLeastFrequentlyUsedGo) {
  keyspace_.SetAccessRules(true, true, {});
  for (int i = 0; i < 200; ++i) Set(0, "k" + std::to_string(i));
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 20; ++i) keyspace_.db(0).FindForRead(Key("k" + std::to_string(i)));
  }
  auto is_hot = [](const std::string& key) { return std::stoi(key.substr(1)) < 20; };
  EXPECT_LE(Evict(EvictionPolicy::kAllKeysLfu, 100, is_hot), 2);
  Set(0, "k3");
  for (int i = 0; i < 50; ++i) keyspace_.db(0).FindForRead(Key("k3"));
  EXPECT_GT(keyspace_.FrequencyOf(*keyspace_.db(0).LookUp(Key("k3"))), kFrequencyInitial);
  // CLIENT NO-TOUCH
  const uint32_t before = keyspace_.db(0).LookUp(Key("k3"))->access();
  keyspace_.set_touches(false);
  for (int i = 0; i < 100; ++i) keyspace_.db(0).FindForRead(Key("k3"));
  EXPECT_EQ(keyspace_.db(0).LookUp(Key("k3"))->access(), before);
  keyspace_.set_touches(true);
  for (int i = 0; i < 1000; ++i) keyspace_.db(0).FindForRead(Key("k3"));
  EXPECT_NE(keyspace_.db(0).LookUp(Key("k3"))->access(), before);
}

TEST_F(EvictionTest, TheShortestLivedGo) {
  for (int i = 0; i < 500; ++i) {
    Set(i % 3, "ttl" + std::to_string(i), 1000 + i * 1000);
    Set(i % 3, "lasting" + std::to_string(i));
  }
  auto is_soon = [](const std::string& key) {
    return key.starts_with("ttl") && std::stoi(key.substr(3)) < 250;
  };
  EXPECT_GT(Evict(EvictionPolicy::kVolatileTtl, 100, is_soon), 95);
}

TEST_F(EvictionTest, RandomTakesFromAllDatabasesAndKeepsToItsKind) {
  for (int i = 0; i < 300; ++i) {
    Set(i % 3, "ttl" + std::to_string(i), 100000);
    Set(i % 3, "lasting" + std::to_string(i));
  }
  auto has_ttl = [](const std::string& key) { return key.starts_with("ttl"); };
  EXPECT_EQ(Evict(EvictionPolicy::kVolatileRandom, 150, has_ttl), 150);
  for (int db = 0; db < 3; ++db) EXPECT_EQ(keyspace_.db(db).expires_size(), 50u);
  const int ttl = Evict(EvictionPolicy::kAllKeysRandom, 300, has_ttl);
  EXPECT_GT(ttl, 60);
  EXPECT_LT(ttl, 140);
}

TEST_F(EvictionTest, WhatIdleAndFrequencyBecome) {
  EXPECT_EQ(keyspace_.AccessOf(50, std::nullopt), keyspace_.access_clock() - 50);
  EXPECT_EQ(keyspace_.AccessOf(std::nullopt, 200), keyspace_.access_clock());
  keyspace_.SetAccessRules(true, true, {});
  EXPECT_EQ(keyspace_.AccessOf(std::nullopt, 200) & 255, 200u);
  EXPECT_EQ(keyspace_.AccessOf(50, std::nullopt), keyspace_.FreshAccess());
}

}  // namespace
}  // namespace backplane
