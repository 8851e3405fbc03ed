// SPDX-License-Identifier: BSD-3-Clause
// Database against a plain model: values of all storages, TTLs, moves, expiry, scans.
#include "keyspace/database.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "base/numbers.h"
#include "keyspace/keyspace.h"
#include "value/list_value.h"

namespace backplane {
namespace {

std::string Text(const Entry* entry) {
  char scratch[kNumberTextMax];
  return std::string(entry->string(scratch));
}

class RecordingObserver final : public KeyspaceObserver {
 public:
  void KeyModified(Database&, std::string_view key) override { modified.emplace_back(key); }
  void KeyEvent(Database&, uint32_t, std::string_view event, std::string_view key) override {
    events.push_back(std::string(event) + ":" + std::string(key));
  }
  void KeyExpired(Database&, std::string_view key) override { expired.emplace_back(key); }
  void KeyRemoving(Database&, const Entry& entry, RemovalReason) override {
    removing.emplace_back(entry.key());
    if (on_removing) on_removing();
  }
  std::function<void()> on_removing;
  std::vector<std::string> modified, events, expired, removing;
};

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() : keyspace_(4), db_(keyspace_.db(0)) {
    keyspace_.set_now_ms(1'000'000);
    keyspace_.set_observer(&observer_);
  }
  ~DatabaseTest() override { keyspace_.set_observer(nullptr); }
  std::unique_ptr<Value> List(int elements) {
    auto list = std::make_unique<ListValue>();
    for (int i = 0; i < elements; ++i)
      list->Push(ListEnd::kTail, "element-" + std::to_string(i), keyspace_.limits());
    return list;
  }
  RecordingObserver observer_;
  Keyspace keyspace_;
  Database& db_;
};

TEST_F(DatabaseTest, StoresStringsInTheFormsThatUsersKnow) {
  EXPECT_EQ(db_.SetString("i", "123")->encoding_name(), "int");
  EXPECT_EQ(db_.SetString("e", std::string(44, 'x'))->encoding_name(), "embstr");
  EXPECT_EQ(db_.SetString("r", std::string(45, 'x'))->encoding_name(), "raw");
  EXPECT_EQ(db_.SetString("b", std::string(100000, 'x'))->encoding_name(), "raw");
  EXPECT_EQ(db_.SetString("z", "0123")->encoding_name(), "embstr");
  EXPECT_EQ(Text(db_.Peek("i")), "123");
  EXPECT_EQ(db_.Peek("i")->string_size(), 3u);
  EXPECT_EQ(db_.Peek("b")->string_size(), 100000u);
}

TEST_F(DatabaseTest, LongKeysAreWhole) {
  for (size_t size : {size_t{65534}, size_t{65535}, size_t{65536}, size_t{200000}}) {
    std::string key(size, 'k');
    db_.SetString(key, "v");
    ASSERT_NE(db_.Peek(key), nullptr) << size;
    EXPECT_EQ(db_.Peek(key)->key(), key);
  }
  EXPECT_EQ(db_.size(), 4u);
}

struct Model {
  std::string value;
  int64_t expire_ms = -1;
};

TEST_F(DatabaseTest, AgreesWithAModel) {
  Random random(20261123);
  std::map<std::string, Model> model;
  const size_t sizes[] = {0, 1, 5, 15, 16, 31, 44, 45, 100, 200, 255, 256, 300, 5000};
  for (int i = 0; i < 60000; ++i) {
    std::string key = "key:" + std::to_string(random.Below(300));
    auto it = model.find(key);
    switch (random.Below(9)) {
      case 0:
      case 1:
      case 2: {
        std::string value = random.Below(4) == 0
                                ? std::to_string(static_cast<int64_t>(random.Next()))
                                : std::string(sizes[random.Below(std::size(sizes))], 'v');
        bool keep = random.Below(2) == 0;
        db_.SetString(key, value, keep ? TtlPolicy::kKeep : TtlPolicy::kDrop);
        Model& m = model[key];
        m.value = value;
        if (!keep) m.expire_ms = -1;
        break;
      }
      case 3:
        ASSERT_EQ(db_.Delete(key), it != model.end());
        model.erase(key);
        break;
      case 4:
        if (it == model.end()) break;
        it->second.expire_ms = 2'000'000 + static_cast<int64_t>(random.Below(1000));
        db_.SetExpire(db_.Peek(key), it->second.expire_ms);
        break;
      case 5:
        if (it == model.end()) break;
        it->second.expire_ms = -1;
        db_.ClearExpire(db_.Peek(key));
        break;
      case 6: {
        if (it == model.end()) break;
        Entry* entry = db_.Peek(key);
        size_t size = sizes[random.Below(std::size(sizes))];
        char* bytes = db_.ResizeString(&entry, size, random.Below(2) == 0);
        it->second.value.resize(size, '\0');
        if (size > 0) bytes[size - 1] = it->second.value[size - 1] = 'Z';
        break;
      }
      case 7: {
        std::string to = "key:" + std::to_string(random.Below(300));
        if (it == model.end() || to == key) break;
        db_.Delete(to);
        db_.MoveEntry(db_.Peek(key), db_, to);
        model[to] = it->second;
        model.erase(key);
        break;
      }
      default: {
        Entry* entry = db_.Peek(key);
        ASSERT_EQ(entry != nullptr, it != model.end());
        if (entry == nullptr) break;
        ASSERT_EQ(Text(entry), it->second.value);
        ASSERT_EQ(entry->expire_ms(), it->second.expire_ms);
        ASSERT_EQ(entry->key(), key);
      }
    }
    ASSERT_EQ(db_.size(), model.size());
  }
  EXPECT_EQ(static_cast<ptrdiff_t>(db_.expires_size()),
            std::count_if(model.begin(), model.end(),
                          [](const auto& pair) { return pair.second.expire_ms >= 0; }));
}

TEST_F(DatabaseTest, OverwritingReleasesTheOldValueWhateverItWas) {
  db_.SetString("k", std::string(1000, 'x'));
  db_.SetValue("k", List(500));
  EXPECT_EQ(db_.Peek("k")->type_name(), "list");
  db_.SetInteger("k", 5, TtlPolicy::kDrop);
  db_.SetValue("k", List(3));
  db_.SetString("k", "short");
  EXPECT_EQ(Text(db_.Peek("k")), "short");
}

TEST_F(DatabaseTest, AnExpiredKeyIsGoneAtTheFirstLook) {
  keyspace_.set_notify_mask(kNotifyExpired);
  db_.SetExpire(db_.SetString("k", "v"), 1'000'500);
  EXPECT_NE(db_.FindForRead("k"), nullptr);
  keyspace_.set_now_ms(1'000'500);
  EXPECT_EQ(db_.FindForRead("k"), nullptr);
  EXPECT_EQ(db_.size(), 0u);
  EXPECT_EQ(db_.expires_size(), 0u);
  EXPECT_EQ(observer_.expired, std::vector<std::string>{"k"});
  EXPECT_EQ(observer_.events, std::vector<std::string>{"expired:k"});
  EXPECT_EQ(keyspace_.stats().expired, 1u);
}

TEST_F(DatabaseTest, WhileExpiryIsNotOursKeysAreHiddenNotRemoved) {
  db_.SetExpire(db_.SetString("k", "v"), 1'000'500);
  keyspace_.set_now_ms(1'000'500);
  keyspace_.set_expires_keys(false);
  EXPECT_EQ(db_.FindForRead("k"), nullptr);
  EXPECT_EQ(db_.size(), 1u);
}

TEST_F(DatabaseTest, ActiveExpiryRemovesWhatNobodyLooksAt) {
  for (int i = 0; i < 5000; ++i) {
    db_.SetExpire(db_.SetString("gone:" + std::to_string(i), "v"), 1'000'100);
    db_.SetExpire(db_.SetString("stays:" + std::to_string(i), "v"), 9'000'000);
  }
  keyspace_.set_now_ms(1'000'200);
  size_t removed = 0, seen = 0;
  for (int i = 0; i < 1000 && db_.size() > 5000; ++i) {
    const Database::ExpirySlice slice = db_.ActiveExpire(1000, 10);
    removed += slice.removed;
    seen += slice.seen;
  }
  EXPECT_EQ(removed, 5000u);
  EXPECT_GE(seen, 5000u);
  EXPECT_EQ(db_.size(), 5000u);
  EXPECT_EQ(db_.expires_size(), 5000u);
}

TEST_F(DatabaseTest, ActiveExpiryIsSatisfiedWithFewStaleKeys) {
  constexpr int64_t kLong = 1'000'000'000;
  // One key of twenty is over.
  for (int i = 0; i < 20'000; ++i) {
    db_.SetExpire(db_.SetString("k:" + std::to_string(i), "v"),
                  i % 20 == 0 ? 1'000'100 : 9'000'000);
  }
  keyspace_.set_now_ms(1'000'200);
  const Database::ExpirySlice some = db_.ActiveExpire(kLong, 10);
  EXPECT_GT(some.removed, 0u);
  EXPECT_LT(some.removed, 500u);
  EXPECT_GT(some.seen, 10 * some.removed);
  // Up to the end of the table, for as long as more than one of a hundred is.
  EXPECT_GT(db_.ActiveExpire(kLong, 1).removed, 2 * some.removed);
}

TEST_F(DatabaseTest, HitsAndMissesAreCountedByReadsOnly) {
  db_.SetString("k", "v");
  db_.FindForRead("k");
  db_.FindForRead("none");
  db_.FindForWrite("none");
  db_.Peek("none");
  EXPECT_EQ(keyspace_.stats().hits, 1u);
  EXPECT_EQ(keyspace_.stats().misses, 1u);
}

TEST_F(DatabaseTest, FlushAndSwapKeepTheirDatabasesApart) {
  db_.SetExpire(db_.SetString("a", "0"), 5'000'000);
  keyspace_.db(1).SetString("b", "1");
  keyspace_.SwapDatabases(0, 1);
  EXPECT_EQ(db_.Peek("a"), nullptr);
  EXPECT_NE(db_.Peek("b"), nullptr);
  EXPECT_EQ(keyspace_.db(1).expires_size(), 1u);
  keyspace_.db(1).Flush(true);
  keyspace_.lazy_free().Drain();
  EXPECT_EQ(keyspace_.KeyCount(), 1u);
}

TEST_F(DatabaseTest, LazyDeletionFreesInTheBackground) {
  db_.SetValue("big", List(100000));
  EXPECT_TRUE(db_.Delete("big", true));
  keyspace_.lazy_free().Drain();
  EXPECT_EQ(keyspace_.lazy_free().pending_objects(), 0u);
  EXPECT_EQ(keyspace_.lazy_free().freed_objects(), 1u);
}

TEST_F(DatabaseTest, RemovalIsReportedBeforeItHappensWhenAsked) {
  keyspace_.set_reports_removals(true);
  db_.SetString("k", "v");
  db_.Delete("k");
  EXPECT_EQ(observer_.removing, std::vector<std::string>{"k"});
}

TEST_F(DatabaseTest, WhoIsToldOfARemovalMayChangeTheKey) {
  keyspace_.set_reports_removals(true);
  for (const bool with_ttl : {false, true}) {
    for (const char* next :
         {"", "long enough to have a block of its own, which the first had not"}) {
      int told = 0;
      observer_.on_removing = [&] {
        if (told++ > 0) return;
        if (*next == 0) {
          db_.Delete("k");
        } else {
          db_.SetString("k", next);
        }
      };
      auto fresh = [&] {
        told = 1;
        Entry* entry = db_.SetString("k", "7");
        if (with_ttl) entry = db_.SetExpire(entry, 1'000'100);
        told = 0;
        return entry;
      };
      fresh();
      EXPECT_TRUE(db_.Delete("k"));
      EXPECT_EQ(db_.size(), 0u);
      db_.Evict(fresh(), false);
      EXPECT_EQ(db_.size(), 0u);
      db_.DeleteEntry(fresh());
      EXPECT_EQ(db_.size(), 0u);
      fresh();
      EXPECT_EQ(Text(db_.SetString("k", "written over")), "written over");
      EXPECT_EQ(db_.size(), 1u);
      EXPECT_EQ(Text(db_.Peek("k")), "written over");
      if (with_ttl) {
        fresh();
        keyspace_.set_now_ms(1'000'200);
        EXPECT_EQ(db_.Peek("k"), nullptr);
        keyspace_.set_now_ms(1'000'000);
      }
      db_.Delete("k");
      EXPECT_EQ(db_.size(), 0u);
      EXPECT_EQ(db_.expires_size(), 0u);
    }
  }
}

TEST_F(DatabaseTest, LoadRefusesADuplicate) {
  EXPECT_TRUE(db_.Load("k", EntryBuilder::ForString("v"), -1, 0));
  EXPECT_FALSE(db_.Load("k", EntryBuilder::ForString(std::string(1000, 'x')), -1, 0));
  EXPECT_EQ(Text(db_.Peek("k")), "v");
}

TEST_F(DatabaseTest, RandomEntrySkipsExpiredKeys) {
  db_.SetExpire(db_.SetString("gone", "v"), 1'000'100);
  db_.SetString("here", "v");
  keyspace_.set_now_ms(1'000'200);
  for (int i = 0; i < 50; ++i) {
    Entry* entry = db_.RandomEntry();
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->key(), "here");
  }
}

TEST(EntryBuilderTest, AllocationSizesAreTheAllocatorsClasses) {
  EXPECT_EQ(EntryBuilder::AllocationSize(1), 16u);
  EXPECT_EQ(EntryBuilder::AllocationSize(56), 64u);
  EXPECT_EQ(EntryBuilder::AllocationSize(128), 128u);
  EXPECT_EQ(EntryBuilder::AllocationSize(129), 160u);
  EXPECT_EQ(EntryBuilder::AllocationSize(257), 320u);
  EXPECT_EQ(EntryBuilder::AllocationSize(1025), 1280u);
}

}  // namespace
}  // namespace backplane
