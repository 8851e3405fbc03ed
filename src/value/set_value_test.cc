// SPDX-License-Identifier: BSD-3-Clause
// SetValue against std::set in its three encodings, its conversions, and its RDB forms.
#include "value/set_value.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "value/rdb_test_support.h"

namespace backplane {
namespace {

using testing_support::ForEachDamage;
using testing_support::LoadFromString;
using testing_support::MemoryWriter;
using testing_support::SaveToString;
using Model = std::set<std::string>;

Model Contents(const SetValue& set) {
  Model out;
  set.ForEach([&](const Item& member) { EXPECT_TRUE(out.insert(member.ToString()).second); });
  return out;
}

void CheckAgainst(const SetValue& set, const Model& model, Random& random) {
  ASSERT_EQ(set.length(), model.size());
  ASSERT_EQ(Contents(set), model);
  ASSERT_EQ(Contents(static_cast<SetValue&>(*set.Clone())), model);
  ASSERT_EQ(set.Clone()->encoding_name(), set.encoding_name());
  Model scanned;
  uint64_t cursor = 0;
  do {
    cursor = set.Scan(cursor, [&](const Item& member) { scanned.insert(member.ToString()); });
  } while (cursor != 0);
  ASSERT_EQ(scanned, model);
  if (model.empty()) return;
  ASSERT_TRUE(model.contains(set.Sample(random).ToString()));
  for (const uint64_t wanted : {uint64_t{1}, uint64_t{4}, model.size() / 2, model.size() + 1}) {
    Model drawn;
    set.SampleDistinct(random, wanted, [&](const Item& member) {
      ASSERT_TRUE(drawn.insert(member.ToString()).second);
    });
    ASSERT_EQ(drawn.size(), std::min<uint64_t>(wanted, model.size()));
  }
  for (const int version : {10, 11}) {
    auto loaded = LoadFromString(set.rdb_type(version), SaveToString(set, version));
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
    ASSERT_EQ(Contents(static_cast<SetValue&>(**loaded)), model);
  }
}

TEST(SetValueTest, AgreesWithASetOverRandomOperations) {
  const EncodingLimits limits;
  struct Shape {
    uint64_t numbers;  // range of integer members
    uint64_t strings;  // range of string members, 0: none
    const char* final_encoding;
  };
  for (const Shape& shape : {Shape{500, 0, "intset"}, Shape{5000, 0, "hashtable"},
                             Shape{20, 20, "listpack"}, Shape{3000, 3000, "hashtable"}}) {
    SCOPED_TRACE(shape.final_encoding);
    Random random(shape.numbers);
    SetValue set;
    Model model;
    for (int step = 0; step < 5000; ++step) {
      const bool number = shape.strings == 0 || random.Below(2) == 0;
      const std::string member = number ? std::to_string(random.Below(shape.numbers))
                                        : "m" + std::to_string(random.Below(shape.strings));
      ASSERT_EQ(set.Contains(member), model.contains(member));
      if (random.Below(3) != 0) {
        ASSERT_EQ(set.Add(member, limits), model.insert(member).second);
      } else {
        ASSERT_EQ(set.Remove(member), model.erase(member) == 1);
      }
      if (step % 250 == 0) {
        ASSERT_NO_FATAL_FAILURE(CheckAgainst(set, model, random));
      }
    }
    EXPECT_EQ(set.encoding_name(), shape.final_encoding);
    EXPECT_GT(set.MemoryUsage(0), model.size());
    set.ForEach([&](const Item& member) { ASSERT_TRUE(set.Contains(member)); });
  }
}

void AddRange(SetValue& set, int count, const EncodingLimits& limits, int first = 0) {
  for (int i = first; i < first + count; ++i) set.Add(std::to_string(i), limits);
}

TEST(SetValueTest, ConvertsAsSevenTwoDoes) {
  const EncodingLimits limits;
  SetValue small;
  AddRange(small, 3, limits);
  EXPECT_EQ(small.encoding_name(), "intset");
  small.Add("a", limits);
  EXPECT_EQ(small.encoding_name(), "listpack");
  SetValue middle;
  AddRange(middle, 130, limits);
  middle.Add("a", limits);
  EXPECT_EQ(middle.encoding_name(), "hashtable");
  SetValue large;
  AddRange(large, 512, limits);
  EXPECT_EQ(large.encoding_name(), "intset");
  large.Add("512", limits);
  EXPECT_EQ(large.encoding_name(), "hashtable");
  SetValue full;
  full.Add("a", limits);
  AddRange(full, 127, limits);
  EXPECT_EQ(full.encoding_name(), "listpack");
  EXPECT_FALSE(full.Add("a", limits));
  EXPECT_EQ(full.encoding_name(), "listpack");
  full.Add("b", limits);
  EXPECT_EQ(full.encoding_name(), "hashtable");
  SetValue wide;
  wide.Add(std::string(64, 'x'), limits);
  EXPECT_EQ(wide.encoding_name(), "listpack");
  wide.Add(std::string(65, 'x'), limits);
  EXPECT_EQ(wide.encoding_name(), "hashtable");
  EncodingLimits short_values;
  short_values.set_max_listpack_value = 3;
  SetValue long_number;
  long_number.Add("-1234", short_values);
  long_number.Add("a", short_values);
  EXPECT_EQ(long_number.encoding_name(), "hashtable");
}

TEST(SetValueTest, AnnouncedSizeChoosesTheEncoding) {
  const EncodingLimits limits;
  EXPECT_EQ(SetValue::Create("1", 512, limits)->encoding_name(), "intset");
  EXPECT_EQ(SetValue::Create("1", 513, limits)->encoding_name(), "hashtable");
  EXPECT_EQ(SetValue::Create("a", 128, limits)->encoding_name(), "listpack");
  EXPECT_EQ(SetValue::Create("a", 129, limits)->encoding_name(), "hashtable");
  auto set = SetValue::Create("1", 1, limits);
  set->PrepareToGrow(512, limits);
  EXPECT_EQ(set->encoding_name(), "intset");
  set->PrepareToGrow(513, limits);
  EXPECT_EQ(set->encoding_name(), "hashtable");
}

TEST(SetValueTest, ResultsOfNumbersBecomeIntsets) {
  const EncodingLimits limits;
  auto set = SetValue::Create("a", 1, limits);
  AddRange(*set, 20, limits);
  EXPECT_EQ(set->encoding_name(), "listpack");
  set->ConvertToIntsetIfNumbers(limits);
  EXPECT_EQ(set->encoding_name(), "intset");
  EXPECT_EQ(set->length(), 20u);
  set->Add("x", limits);
  set->ConvertToIntsetIfNumbers(limits);
  EXPECT_EQ(set->encoding_name(), "listpack");
  auto table = SetValue::Create("a", 1000, limits);
  AddRange(*table, 600, limits);
  table->ConvertToIntsetIfNumbers(limits);
  EXPECT_EQ(table->encoding_name(), "hashtable");
  for (int i = 500; i < 600; ++i) table->Remove(std::to_string(i));
  table->ConvertToIntsetIfNumbers(limits);
  EXPECT_EQ(table->encoding_name(), "intset");
}

TEST(SetValueTest, SamplesAreSpreadOverAllMembers) {
  const EncodingLimits limits;
  Random random(11);
  for (const char* extra : {"20", "x",
                            "a member that is too long for a listpack, so that a table "
                            "has to hold it"}) {
    SetValue set;
    AddRange(set, 20, limits);
    set.Add(extra, limits);
    std::map<std::string, int> hits;
    for (int i = 0; i < 21000; ++i) ++hits[set.Sample(random).ToString()];
    ASSERT_EQ(hits.size(), 21u);
    for (const auto& [member, count] : hits) EXPECT_NEAR(count, 1000, 200) << member;
    hits.clear();
    for (int i = 0; i < 3000; ++i) {
      set.SampleDistinct(random, 7, [&](const Item& member) { ++hits[member.ToString()]; });
    }
    ASSERT_EQ(hits.size(), 21u);
    for (const auto& [member, count] : hits) EXPECT_NEAR(count, 1000, 200) << member;
  }
}

TEST(SetValueTest, OldVersionsGetPlainStrings) {
  const EncodingLimits limits;
  SetValue set;
  set.Add("a", limits);
  set.Add("1", limits);
  EXPECT_EQ(set.rdb_type(11), 20);
  EXPECT_EQ(set.rdb_type(10), 2);
  EXPECT_EQ(SaveToString(set, 10), std::string("\2\1a\1"
                                               "1",
                                               5));
}

TEST(SetValueTest, RefusesEmptyAndDuplicates) {
  EXPECT_FALSE(LoadFromString(2, std::string(1, '\0')));
  EXPECT_FALSE(LoadFromString(2, std::string("\2\1a\1a", 5)));
  EXPECT_FALSE(LoadFromString(2, std::string("\2\1"
                                             "1\1"
                                             "1",
                                             5)));
  EXPECT_FALSE(LoadFromString(11, std::string("\x8\2\0\0\0\0\0\0\0", 9)));
  EXPECT_FALSE(LoadFromString(11, std::string("\xc\2\0\0\0\2\0\0\0\5\0\5\0", 13)));
  EXPECT_TRUE(LoadFromString(11, std::string("\xc\2\0\0\0\2\0\0\0\5\0\6\0", 13)));
  Listpack pack;
  MemoryWriter empty;
  empty.WriteString(pack.Raw());
  EXPECT_FALSE(LoadFromString(20, empty.bytes));
  for (const char* text : {"a", "b", "a"}) pack.Append(text);
  MemoryWriter twice;
  twice.WriteString(pack.Raw());
  EXPECT_FALSE(LoadFromString(20, twice.bytes));
}

TEST(SetValueTest, DamagedBytesNeverCrash) {
  const EncodingLimits limits;
  for (const char* extra : {"8", "x",
                            "a member that is too long for a listpack, so that a table "
                            "has to hold it"}) {
    SetValue set;
    AddRange(set, 8, limits);
    set.Add(extra, limits);
    ForEachDamage(SaveToString(set), [&](const std::string& bytes) {
      auto damaged = LoadFromString(set.rdb_type(11), bytes);
      if (damaged) {
        EXPECT_GT(Contents(static_cast<SetValue&>(**damaged)).size(), 0u);
      }
    });
  }
}

}  // namespace
}  // namespace backplane
