// SPDX-License-Identifier: BSD-3-Clause
// Streams: ids, the log against a plain model, readers while the log changes, groups, RDB, damage.
#include "value/stream_value.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "value/load_support.h"
#include "value/rdb_test_support.h"
#include "value/stream_node.h"

namespace backplane {
namespace {

using testing_support::ForEachDamage;
using testing_support::LoadFromString;
using testing_support::SaveToString;

using Words = std::vector<std::string>;
using Model = std::map<StreamId, Words>;

void Append(StreamValue* stream, StreamId id, const Words& words,
            const StreamNodeLimits& limits = {}) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  stream->Append(id, views, limits);
}

Words WordsOf(StreamReader& reader) {
  Words words;
  Item field;
  Item value;
  while (reader.NextField(&field, &value)) {
    words.push_back(field.ToString());
    words.push_back(value.ToString());
  }
  return words;
}

void ExpectRange(const StreamValue& stream, const Model& model, StreamId first, StreamId last) {
  auto it = model.lower_bound(first);
  StreamReader forward(stream.log(), first, last);
  std::vector<StreamId> ids;
  for (; it != model.end() && it->first <= last; ++it) {
    ASSERT_TRUE(forward.Next());
    ASSERT_EQ(forward.id(), it->first);
    ids.push_back(it->first);
    // Fields that nobody reads must not lead the walk astray.
    if (it->first.seq % 2 == 0) {
      ASSERT_EQ(WordsOf(forward), it->second);
    }
  }
  ASSERT_FALSE(forward.Next());
  StreamReader backward(stream.log(), first, last, /*reverse=*/true);
  for (size_t i = ids.size(); i-- > 0;) {
    ASSERT_TRUE(backward.Next());
    ASSERT_EQ(backward.id(), ids[i]);
    if (i % 2 == 0) {
      ASSERT_EQ(WordsOf(backward), model.at(ids[i]));
    }
  }
  ASSERT_FALSE(backward.Next());
}

Words RandomWords(std::mt19937_64& random) {
  static const Words kNames[] = {{"a"}, {"a", "b"}, {"name", "7", ""}, {}};
  Words words;
  for (const std::string& name : kNames[random() % 16 < 13 ? 1 : random() % 4]) {
    words.push_back(name);
    words.push_back(random() % 3 == 0 ? std::to_string(random() % 100000)
                                      : std::string(random() % 40, 'v'));
  }
  return words;
}

TEST(StreamIdTest, Text) {
  EXPECT_EQ((StreamId{1, 2}).ToString(), "1-2");
  EXPECT_EQ(kStreamIdMax.ToString().size(), StreamId::kTextMax);
  EXPECT_EQ(ParseStreamId("5", 9), (StreamId{5, 9}));
  EXPECT_EQ(ParseStreamId("5-0", 9), (StreamId{5, 0}));
  EXPECT_EQ(ParseStreamId("001-+02", 9), (StreamId{1, 2}));
  EXPECT_EQ(ParseStreamId(kStreamIdMax.ToString(), 0), kStreamIdMax);
  for (const char* text :
       {"", "-", "1-", "-1", "1-1-1", "x", "1 ", "18446744073709551616", "1-x"}) {
    EXPECT_FALSE(ParseStreamId(text, 0)) << text;
  }
}

TEST(StreamIdTest, Neighbours) {
  EXPECT_EQ((StreamId{1, UINT64_MAX}).Next(), (StreamId{2, 0}));
  EXPECT_EQ((StreamId{2, 0}).Previous(), (StreamId{1, UINT64_MAX}));
  EXPECT_FALSE(kStreamIdMax.Next());
  EXPECT_FALSE(kStreamIdMin.Previous());
  char bytes[StreamId::kBytes];
  (StreamId{0x0102030405060708, 9}).WriteBytes(bytes);
  EXPECT_EQ(std::string(bytes, 16), std::string("\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\11", 16));
  EXPECT_EQ(StreamId::FromBytes(bytes), (StreamId{0x0102030405060708, 9}));
}

TEST(StreamValueTest, AgreesWithAMap) {
  std::mt19937_64 random(7);
  for (const StreamNodeLimits limits : {StreamNodeLimits{4096, 100}, StreamNodeLimits{0, 3},
                                        StreamNodeLimits{200, 0}, StreamNodeLimits{0, 1000}}) {
    StreamValue stream;
    Model model;
    StreamId last;
    StreamId max_deleted;
    for (int step = 0; step < 6000; ++step) {
      const uint64_t act = random() % 100;
      if (act < 70) {
        last = random() % 3 == 0 ? StreamId{last.ms + 1 + random() % 5, random() % 3}
                                 : StreamId{last.ms, last.seq + 1 + random() % 2};
        model[last] = RandomWords(random);
        Append(&stream, last, model[last], limits);
      } else if (act < 96) {
        auto it = model.lower_bound({random() % (last.ms + 1), random() % 3});
        const StreamId id = it != model.end() ? it->first : StreamId{last.ms, last.seq + 9};
        const bool there = model.erase(id) == 1;
        if (there) max_deleted = std::max(max_deleted, id);
        ASSERT_EQ(stream.Erase(id), there);
      } else {
        StreamTrim trim;
        trim.by = act < 98 ? StreamTrim::By::kLength : StreamTrim::By::kMinId;
        trim.max_length = model.size() - std::min<size_t>(model.size(), random() % 30);
        trim.min_id = {random() % (last.ms + 1) / 2, random() % 4};
        const size_t before = model.size();
        while (!model.empty() &&
               (trim.by == StreamTrim::By::kLength ? model.size() > trim.max_length
                                                   : model.begin()->first < trim.min_id)) {
          model.erase(model.begin());
        }
        ASSERT_EQ(stream.Trim(trim), before - model.size());
      }
      ASSERT_EQ(stream.length(), model.size());
      ASSERT_EQ(stream.first_id(), model.empty() ? StreamId{} : model.begin()->first);
      ASSERT_EQ(stream.max_deleted_id(), max_deleted);
      if (step % 100 == 0) {
        ExpectRange(stream, model, kStreamIdMin, kStreamIdMax);
        for (int i = 0; i < 5; ++i) {
          ExpectRange(stream, model, {random() % (last.ms + 1), random() % 4},
                      {random() % (last.ms + 1), random() % 4});
        }
      }
    }
    auto copy = stream.Clone();
    ExpectRange(static_cast<StreamValue&>(*copy), model, kStreamIdMin, kStreamIdMax);
    auto loaded = LoadFromString(stream.rdb_type(11), SaveToString(stream));
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
    ExpectRange(static_cast<StreamValue&>(**loaded), model, kStreamIdMin, kStreamIdMax);
    EXPECT_EQ(SaveToString(**loaded), SaveToString(stream));
  }
}

TEST(StreamValueTest, ApproximateTrimsTakeWholeNodes) {
  StreamValue stream;
  for (uint64_t i = 1; i <= 95; ++i) Append(&stream, {i, 0}, {"a", "b"}, {0, 10});
  StreamTrim trim{StreamTrim::By::kLength, true, 33, {}, 0};
  EXPECT_EQ(stream.Trim(trim), 60u);
  EXPECT_EQ(stream.length(), 35u);
  trim.max_length = 0;
  trim.limit = 14;
  EXPECT_EQ(stream.Trim(trim), 10u);
  trim = {StreamTrim::By::kMinId, true, 0, {90, 0}, 0};
  EXPECT_EQ(stream.Trim(trim), 10u);
  EXPECT_EQ(stream.first_id(), (StreamId{81, 0}));
}

TEST(StreamValueTest, AReaderGoesOnWhileTheLogChanges) {
  StreamValue stream;
  for (uint64_t i = 1; i <= 50; ++i) Append(&stream, {i, 0}, {"a", std::to_string(i)}, {0, 7});
  for (const bool reverse : {false, true}) {
    auto copy = stream.Clone();
    auto& changing = static_cast<StreamValue&>(*copy);
    StreamReader reader(changing.log(), {5, 0}, {45, 0}, reverse);
    std::vector<uint64_t> seen;
    while (reader.Next()) {
      seen.push_back(reader.id().ms);
      // Deletes where it is and what comes next but one.
      changing.Erase(reader.id());
      changing.Erase({reverse ? reader.id().ms - 2 : reader.id().ms + 2, 0});
    }
    ASSERT_EQ(seen.size(), 21u) << reverse;
    EXPECT_EQ(seen[0], reverse ? 45u : 5u);
    EXPECT_EQ(seen[1], reverse ? 44u : 6u);
    EXPECT_EQ(seen[2], reverse ? 41u : 9u);
  }
}

TEST(StreamValueTest, ABookmarkIsOfUseUntilPlacesMove) {
  StreamValue stream;
  for (uint64_t i = 1; i <= 20; ++i) Append(&stream, {i, 0}, {"a", "b"}, {0, 8});
  StreamReader reader(stream.log(), {1, 0}, kStreamIdMax);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(reader.Next());
  const auto bookmark = reader.bookmark();
  Append(&stream, {21, 0}, {"c", "d"}, {0, 8});
  StreamReader on(stream.log(), bookmark, {11, 0}, kStreamIdMax);
  ASSERT_TRUE(on.Next());
  EXPECT_EQ(on.id(), (StreamId{11, 0}));
  stream.Erase({11, 0});
  stream.Erase({2, 0});
  StreamReader again(stream.log(), bookmark, {11, 0}, kStreamIdMax);
  ASSERT_TRUE(again.Next());
  EXPECT_EQ(again.id(), (StreamId{12, 0}));
  EXPECT_EQ(WordsOf(again), (Words{"a", "b"}));
}

TEST(StreamValueTest, RadixNodesAreCountedAsTheyWouldStand) {
  // What redis-server's XINFO says of streams with stream-node-max-entries 1 and these ids.
  const struct {
    std::vector<StreamId> ids;
    uint64_t nodes;
  } kCases[] = {{{}, 1},
                {{{1, 1}}, 2},
                {{{1, 1}, {1, 2}}, 4},
                {{{1, 1}, {2, 1}}, 6},
                {{{1, 1}, {256, 1}}, 6},
                {{{1, 1}, {1, 2}, {1, 3}, {2, 1}}, 9}};
  for (const auto& c : kCases) {
    StreamValue stream;
    for (const StreamId id : c.ids) Append(&stream, id, {"a", "b"}, {0, 1});
    EXPECT_EQ(stream.log().RadixNodeCount(), c.nodes) << c.ids.size();
  }
}

// A stream with deleted entries, two groups, pending entries of two consumers.
StreamValue Rich() {
  StreamValue stream;
  for (uint64_t i = 1; i <= 12; ++i) {
    Append(&stream, {i * 1000, i}, i % 5 == 0 ? Words{"other", "x"} : Words{"a", "1", "b", "two"},
           {0, 5});
  }
  stream.Erase({3000, 3});
  StreamGroup* group = stream.AddGroup("g", {8000, 8}, 7);
  StreamConsumer* alice = group->AddConsumer("alice", 111);
  StreamConsumer* bob = group->AddConsumer("bob", 222);
  alice->active_ms = 333;
  for (uint64_t i = 1; i <= 6; ++i) {
    PendingEntry* entry = group->Assign({i * 1000, i}, i % 2 == 0 ? alice : bob);
    entry->delivered_ms = static_cast<int64_t>(i);
    entry->deliveries = i;
  }
  stream.AddGroup("idle", {}, StreamGroup::kUnknown);
  return stream;
}

TEST(StreamGroupTest, EntriesChangeHands) {
  StreamGroup group({}, 0);
  StreamConsumer* alice = group.AddConsumer("alice", 1);
  StreamConsumer* bob = group.AddConsumer("bob", 1);
  for (uint64_t i = 1; i <= 5; ++i) group.Assign({i, 0}, alice)->deliveries = 1;
  EXPECT_EQ(group.Assign({2, 0}, bob)->deliveries, 1u);
  EXPECT_EQ(alice->pending().size(), 4u);
  EXPECT_EQ(bob->pending().size(), 1u);
  EXPECT_EQ(group.FindPending({2, 0})->consumer, bob);
  EXPECT_TRUE(group.Acknowledge({2, 0}));
  EXPECT_FALSE(group.Acknowledge({2, 0}));
  EXPECT_EQ(bob->pending().size(), 0u);
  EXPECT_EQ(group.RemoveConsumer(alice), 4u);
  EXPECT_TRUE(group.pending().empty());
  EXPECT_EQ(group.FindConsumer("alice"), nullptr);
}

TEST(StreamValueTest, EveryFormOfRdb) {
  const StreamValue stream = Rich();
  EXPECT_EQ(stream.rdb_type(10), rdb::kStream2);
  EXPECT_EQ(stream.rdb_type(11), rdb::kStream3);
  for (const int version : {10, 11}) {
    const std::string bytes = SaveToString(stream, version);
    auto loaded = LoadFromString(stream.rdb_type(version), bytes);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
    EXPECT_EQ(SaveToString(**loaded, version), bytes);
    const auto& copy = static_cast<const StreamValue&>(**loaded);
    const StreamGroup* group = copy.FindGroup("g");
    ASSERT_NE(group, nullptr);
    EXPECT_EQ(group->entries_read, 7);
    EXPECT_EQ(group->FindConsumer("alice")->pending().size(), 3u);
    EXPECT_EQ(group->pending().Find({5000, 5})->deliveries, 5u);
    EXPECT_EQ(group->FindConsumer("alice")->active_ms, version == 10 ? 111 : 333);
    EXPECT_EQ(group->FindConsumer("bob")->active_ms, version == 10 ? 222 : -1);
    EXPECT_EQ(copy.FindGroup("idle")->entries_read, StreamGroup::kUnknown);
    EXPECT_EQ(copy.max_deleted_id(), (StreamId{3000, 3}));
    EXPECT_EQ(copy.entries_added(), 12u);
  }
}

TEST(StreamValueTest, DamageIsAnErrorOrAnotherStream) {
  const StreamValue stream = Rich();
  for (const int version : {10, 11}) {
    const std::string good = SaveToString(stream, version);
    size_t refused = 0;
    ForEachDamage(good, [&](const std::string& bytes) {
      auto loaded = LoadFromString(stream.rdb_type(version), bytes);
      if (!loaded.has_value()) {
        ++refused;
        return;
      }
      // What was let in can be walked, changed and saved.
      auto& other = static_cast<StreamValue&>(**loaded);
      StreamReader forward(other.log(), kStreamIdMin, kStreamIdMax);
      while (forward.Next()) WordsOf(forward);
      StreamReader backward(other.log(), kStreamIdMin, kStreamIdMax, true);
      while (backward.Next()) WordsOf(backward);
      other.Trim({StreamTrim::By::kLength, false, 2, {}, 0});
      other.log().RadixNodeCount();
      if (const auto id = other.NextId(1)) Append(&other, *id, {"a", "1", "b", "2"});
      EXPECT_FALSE(SaveToString(other, version).empty());
    });
    EXPECT_GT(refused, good.size());
  }
}

TEST(StreamNodeTest, WhatIsNoNode) {
  auto pack = [](std::initializer_list<int64_t> numbers) {
    Listpack node;
    for (const int64_t number : numbers) node.Append(number);
    return node;
  };
  // One field "0", one live entry of one value.
  EXPECT_TRUE(stream_node::Validate(pack({1, 0, 1, 0, 0, 2, 0, 0, 9, 4})));
  EXPECT_TRUE(stream_node::Validate(pack({1, 1, 1, 0, 0, 2, 0, 0, 9, 4, 3, 0, 1, 9, 4})));
  EXPECT_TRUE(stream_node::Validate(pack({1, 0, 1, 0, 0, 0, 0, 0, 1, 8, 9, 6})));
  EXPECT_FALSE(stream_node::Validate(pack({})));
  EXPECT_FALSE(stream_node::Validate(pack({0, 0, 1, 0, 0})));                       // none live
  EXPECT_FALSE(stream_node::Validate(pack({2, 0, 1, 0, 0, 2, 0, 0, 9, 4})));        // miscounted
  EXPECT_FALSE(stream_node::Validate(pack({1, 1, 1, 0, 0, 2, 0, 0, 9, 4})));        // miscounted
  EXPECT_FALSE(stream_node::Validate(pack({1, 0, 1, 0, 1, 2, 0, 0, 9, 4})));        // no end
  EXPECT_FALSE(stream_node::Validate(pack({1, 0, 9, 0, 0, 2, 0, 0, 9, 4})));        // too few
  EXPECT_FALSE(stream_node::Validate(pack({1, 0, 1, 0, 0, 2, 0, 0, 9, 3})));        // way back
  EXPECT_FALSE(stream_node::Validate(pack({1, 0, 1, 0, 0, 4, 0, 0, 1, 8, 9, 6})));  // flags
  EXPECT_FALSE(stream_node::Validate(pack({1, 0, 1, 0, 0, 0, 0, 0, INT64_MAX, 9, 6})));  // fields
}

}  // namespace
}  // namespace backplane
