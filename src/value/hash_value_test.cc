// SPDX-License-Identifier: BSD-3-Clause
// HashValue against std::map in both encodings, its conversions, and its RDB forms.
#include "value/hash_value.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "value/rdb_test_support.h"

namespace backplane {
namespace {

using testing_support::ForEachDamage;
using testing_support::LoadFromString;
using testing_support::MemoryWriter;
using testing_support::SaveToString;
using Model = std::map<std::string, std::string>;

Model Contents(const HashValue& hash) {
  Model out;
  hash.ForEach([&](const Item& field, const Item& value) {
    EXPECT_TRUE(out.emplace(field.ToString(), value.ToString()).second);
  });
  return out;
}

std::string RandomText(Random& random, uint64_t range, bool long_ones) {
  switch (random.Below(long_ones ? 12 : 6)) {
    case 0:
      return std::to_string(static_cast<int64_t>(random.Below(range)) - 20);
    case 1:
      return std::string(random.Below(64), 'v');
    case 11:
      return std::string(random.Below(400), 'w');
    default:
      return "field:" + std::to_string(random.Below(range));
  }
}

void CheckAgainst(const HashValue& hash, const Model& model, Random& random,
                  const EncodingLimits& limits) {
  ASSERT_EQ(hash.length(), model.size());
  ASSERT_EQ(Contents(hash), model);
  ASSERT_EQ(Contents(static_cast<HashValue&>(*hash.Clone())), model);
  std::set<std::string> scanned;
  uint64_t cursor = 0;
  do {
    cursor = hash.Scan(cursor,
                       [&](const Item& field, const Item&) { scanned.insert(field.ToString()); });
  } while (cursor != 0);
  ASSERT_EQ(scanned.size(), model.size());
  if (model.empty()) return;
  Item field;
  Item value;
  hash.Sample(random, &field, &value);
  ASSERT_EQ(model.at(field.ToString()), value.ToString());
  for (const uint64_t wanted : {uint64_t{1}, uint64_t{5}, model.size(), model.size() + 5}) {
    Model drawn;
    hash.SampleDistinct(random, wanted, [&](const Item& f, const Item& v) {
      ASSERT_TRUE(drawn.emplace(f.ToString(), v.ToString()).second);
    });
    ASSERT_EQ(drawn.size(), std::min<uint64_t>(wanted, model.size()));
    for (const auto& [f, v] : drawn) ASSERT_EQ(model.at(f), v);
  }
  auto loaded = LoadFromString(hash.rdb_type(11), SaveToString(hash), limits);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  ASSERT_EQ(Contents(static_cast<HashValue&>(**loaded)), model);
  ASSERT_EQ((*loaded)->encoding_name() == "listpack", model.size() <= 512 && [&] {
    for (const auto& [f, v] : model) {
      if (hash.encoding_name() == "hashtable" && (f.size() > 64 || v.size() > 64)) return false;
    }
    return true;
  }());
}

TEST(HashValueTest, AgreesWithAMapOverRandomOperations) {
  const EncodingLimits limits;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    HashValue hash;
    Model model;
    const uint64_t range = seed <= 2 ? 300 : 3000;
    const bool long_ones = seed % 2 == 0;
    for (int step = 0; step < 6000; ++step) {
      const std::string field = RandomText(random, range, long_ones);
      Item item;
      const auto known = model.find(field);
      ASSERT_EQ(hash.Get(field, &item), known != model.end());
      if (known != model.end()) {
        ASSERT_EQ(item.ToString(), known->second);
      }
      if (random.Below(4) != 0) {
        const std::string value = RandomText(random, range, long_ones);
        ASSERT_EQ(hash.Set(field, value, limits), known == model.end());
        model[field] = value;
      } else {
        ASSERT_EQ(hash.Erase(field), model.erase(field) == 1);
      }
      if (step % 300 == 0) {
        ASSERT_NO_FATAL_FAILURE(CheckAgainst(hash, model, random, limits));
      }
    }
    EXPECT_EQ(hash.encoding_name(), seed == 1 ? "listpack" : "hashtable");
    EXPECT_GT(hash.MemoryUsage(5), model.size() * 10);
  }
}

TEST(HashValueTest, ConvertsAtTheLimits) {
  EncodingLimits limits;
  limits.hash_max_listpack_entries = 3;
  limits.hash_max_listpack_value = 5;
  HashValue by_count;
  for (const char* field : {"a", "b", "c", "a", "b"}) by_count.Set(field, "12345", limits);
  EXPECT_EQ(by_count.encoding_name(), "listpack");
  by_count.Set("d", "", limits);
  EXPECT_EQ(by_count.encoding_name(), "hashtable");
  HashValue by_field;
  by_field.Set("123456", "v", limits);
  EXPECT_EQ(by_field.encoding_name(), "hashtable");
  HashValue by_value;
  by_value.Set("f", "v", limits);
  EXPECT_FALSE(by_value.Set("f", "123456", limits));
  EXPECT_EQ(by_value.encoding_name(), "hashtable");
  HashValue announced;
  announced.PrepareToGrow(3, limits);
  EXPECT_EQ(announced.encoding_name(), "listpack");
  announced.PrepareToGrow(4, limits);
  EXPECT_EQ(announced.encoding_name(), "hashtable");
}

TEST(HashValueTest, ValuesOfEverySizeReplaceEachOther) {
  EncodingLimits limits;
  limits.hash_max_listpack_entries = 0;
  HashValue hash;
  hash.Set(std::string(200, 'f'), "", limits);
  Random random(5);
  for (int i = 0; i < 500; ++i) {
    const std::string value(random.Below(random.Below(2) == 0 ? 40 : 20000), 'v');
    ASSERT_FALSE(hash.Set(std::string(200, 'f'), value, limits));
    Item item;
    ASSERT_TRUE(hash.Get(std::string(200, 'f'), &item));
    ASSERT_EQ(item.bytes(), value);
  }
}

TEST(HashValueTest, LoadsTheOlderForms) {
  const std::string zipmap(
      "\x14\2\1a\1\2"
      "1xx\3key\5\0value\xff",
      21);
  const std::string ziplist(
      "\x1c\x1c\0\0\0\x14\0\0\0\4\0"  // 28 bytes, last entry at 20, 4 entries
      "\0\1a\3\xf2\2\3key\5\5value\xff",
      29);
  const std::string plain(
      "\2\1a\1"
      "1\3key\5value",
      15);
  const Model expected = {{"a", "1"}, {"key", "value"}};
  for (const auto& [type, body] :
       {std::pair<uint8_t, std::string>{9, zipmap}, {13, ziplist}, {4, plain}}) {
    auto loaded = LoadFromString(type, body);
    ASSERT_TRUE(loaded.has_value()) << int{type} << " " << loaded.error().message;
    EXPECT_EQ(Contents(static_cast<HashValue&>(**loaded)), expected);
    ForEachDamage(body, [&, t = type](const std::string& bytes) {
      auto damaged = LoadFromString(t, bytes);
      if (damaged) {
        EXPECT_GT(Contents(static_cast<HashValue&>(**damaged)).size(), 0u);
      }
    });
  }
}

TEST(HashValueTest, RefusesEmptyOddAndDuplicates) {
  const auto pack_of = [](std::initializer_list<const char*> texts) {
    Listpack pack;
    for (const char* text : texts) pack.Append(text);
    MemoryWriter writer;
    writer.WriteString(pack.Raw());
    return writer.bytes;
  };
  EXPECT_TRUE(LoadFromString(16, pack_of({"a", "a", "1", "1"})));
  EXPECT_FALSE(LoadFromString(16, pack_of({})));
  EXPECT_FALSE(LoadFromString(16, pack_of({"a"})));
  EXPECT_FALSE(LoadFromString(16, pack_of({"a", "1", "b", "2", "a", "3"})));
  EXPECT_FALSE(LoadFromString(16, pack_of({"7", "1", "7", "3"})));
  EXPECT_FALSE(LoadFromString(4, std::string("\2\1a\1"
                                             "1\1a\1"
                                             "2",
                                             9)));
  EXPECT_FALSE(LoadFromString(4, std::string(1, '\0')));
  // More pairs announced than bytes follow.
  EXPECT_FALSE(LoadFromString(4, "\x81\xff\xff\xff\xff\xff\xff\xff\xff\1a\1b"));
}

TEST(HashValueTest, DamagedBytesNeverCrash) {
  const EncodingLimits limits;
  EncodingLimits no_small = limits;
  no_small.hash_max_listpack_entries = 0;
  for (const EncodingLimits& shape : {limits, no_small}) {
    HashValue hash;
    for (int i = 0; i < 8; ++i) hash.Set("field" + std::to_string(i), std::to_string(i * i), shape);
    ForEachDamage(SaveToString(hash), [&](const std::string& bytes) {
      auto damaged = LoadFromString(hash.rdb_type(11), bytes, shape);
      if (damaged) {
        EXPECT_GT(Contents(static_cast<HashValue&>(**damaged)).size(), 0u);
      }
    });
  }
}

}  // namespace
}  // namespace backplane
