// SPDX-License-Identifier: BSD-3-Clause
// Database: operations on all of its keys, and the slices of active expiry.
#include <algorithm>

#include "base/clock.h"
#include "keyspace/database.h"
#include "keyspace/keyspace.h"

namespace backplane {
namespace {

void FreeTable(EntryTable& table) {
  table.Clear([](Entry* entry) { EntryBuilder::Free(entry); });
}

class TableGarbage final : public Garbage {
 public:
  explicit TableGarbage(EntryTable&& table) : table_(std::move(table)), objects_(table_.size()) {}
  ~TableGarbage() override { FreeTable(table_); }
  size_t objects() const override { return objects_; }

 private:
  EntryTable table_;
  size_t objects_;
};

}  // namespace

Database::~Database() {
  expires_.Clear([](Entry*) {});
  FreeTable(table_);
}

void Database::Flush(bool lazy) {
  EntryTable doomed;
  doomed.Swap(table_);
  EntryTable index;
  index.Swap(expires_);
  expire_cursor_ = 0;
  if (lazy && doomed.size() > 0) {
    keyspace_->lazy_free().Push(std::make_unique<TableGarbage>(std::move(doomed)));
  } else {
    FreeTable(doomed);
  }
}

void Database::SwapContents(Database& other) {
  table_.Swap(other.table_);
  expires_.Swap(other.expires_);
  std::swap(expire_cursor_, other.expire_cursor_);
}

Database::ExpirySlice Database::ActiveExpire(int64_t budget_us, int64_t stale_percent) {
  ExpirySlice slice;
  if (expires_.empty()) return slice;
  constexpr int kBucketsPerCheck = 16;
  const int64_t deadline = MonotonicMicros() + budget_us;
  std::vector<std::string> doomed;
  for (;;) {
    size_t seen = 0;
    doomed.clear();
    for (int i = 0; i < kBucketsPerCheck; ++i) {
      expire_cursor_ = expires_.Scan(expire_cursor_, [&](Entry* entry) {
        ++seen;
        if (IsExpired(*entry)) doomed.emplace_back(entry->key());
      });
      if (expire_cursor_ == 0) break;
    }
    for (const std::string& name : doomed) {
      Key key(name);
      // An observer of an earlier removal may have changed this key.
      Entry* entry = table_.Find(key.bytes, key.hash);
      if (entry != nullptr && RemoveIfExpired(entry, key)) --keyspace_->stats().expired_by_lookup;
    }
    slice.seen += seen;
    slice.removed += doomed.size();
    const bool worthwhile = doomed.size() * 100 > seen * static_cast<size_t>(stale_percent);
    if (expires_.empty() || expire_cursor_ == 0 || !worthwhile || MonotonicMicros() >= deadline) {
      return slice;
    }
  }
}

int64_t Database::average_ttl_ms() const {
  constexpr int kSamples = 16;
  if (expires_.empty()) return 0;
  int64_t sum = 0;
  for (int i = 0; i < kSamples; ++i) {
    const Entry* entry = expires_.Sample(keyspace_->random());
    sum += std::max<int64_t>(0, entry->expire_ms() - keyspace_->now_ms());
  }
  return sum / kSamples;
}

}  // namespace backplane
