// SPDX-License-Identifier: BSD-3-Clause
// API area: walking the keyspace and elements of one key.
#include <cerrno>
#include <vector>

#include "base/numbers.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/host.h"
#include "modhost/key.h"
#include "value/hash_value.h"
#include "value/set_value.h"

struct RedisModuleScanCursor {
  uint64_t cursor = 0;
  bool done = false;
};

namespace backplane {
namespace {

RedisModuleScanCursor* ScanCursorCreate() { return new RedisModuleScanCursor; }
void ScanCursorRestart(RedisModuleScanCursor* cursor) { *cursor = {}; }
void ScanCursorDestroy(RedisModuleScanCursor* cursor) { delete cursor; }

int Scan(RedisModuleCtx* ctx, RedisModuleScanCursor* cursor, RedisModuleScanCB fn, void* privdata) {
  if (cursor->done) {
    errno = ENOENT;
    return 0;
  }
  errno = 0;
  Database& db = ctx->db();
  // One bucket's entries, taken out of the table's hands: a callback may delete its key.
  Entry* entries[64];
  size_t count = 0;
  std::vector<Entry*> more;
  cursor->cursor = db.Scan(cursor->cursor, [&](Entry* entry) {
    if (db.IsExpired(*entry)) return;
    count < std::size(entries) ? static_cast<void>(entries[count++] = entry)
                               : more.push_back(entry);
  });
  StringPool& strings = ctx->host().strings();
  auto call = [&](Entry* entry) {
    RedisModuleString* name = strings.Take(entry->key());
    // The name outlives the entry, which the callback may delete.
    OwnBytes(name);
    RedisModuleKey* key = OpenModuleKeyAt(ctx, db, name, entry, REDISMODULE_READ);
    fn(ctx, name, key, privdata);
    CloseModuleKey(key);
    strings.Give(name);
  };
  for (size_t i = 0; i < count; ++i) call(entries[i]);
  for (Entry* entry : more) call(entry);
  cursor->done = cursor->cursor == 0;
  return cursor->done ? 0 : 1;
}

// Calls fn for one element; `value` null for a set.
class ElementCaller {
 public:
  ElementCaller(RedisModuleKey* key, RedisModuleScanKeyCB fn, void* privdata)
      : key_(key), fn_(fn), privdata_(privdata) {}
  void Take(const Item& field) { elements_.push_back({NewString(field), nullptr}); }
  void Take(const Item& field, const Item& value) {
    elements_.push_back({NewString(field), NewString(value)});
  }
  void Take(const Item& member, double score) {
    char text[kNumberTextMax];
    elements_.push_back({NewString(member), NewModuleString({text, DoubleToText(score, text)})});
  }
  void Call() {
    for (auto [field, value] : elements_) {
      fn_(key_, field, value, privdata_);
      ReleaseModuleString(field);
      if (value != nullptr) ReleaseModuleString(value);
    }
  }

 private:
  struct Element {
    RedisModuleString* field;
    RedisModuleString* value;
  };
  static RedisModuleString* NewString(const Item& item) {
    ItemText scratch;
    return NewModuleString(item.Text(scratch));
  }
  RedisModuleKey* key_;
  RedisModuleScanKeyCB fn_;
  void* privdata_;
  std::vector<Element> elements_;  // the callback may change the value
};

int ScanKey(RedisModuleKey* key, RedisModuleScanCursor* cursor, RedisModuleScanKeyCB fn,
            void* privdata) {
  Entry* entry = EntryOf(key);
  const bool known =
      entry != nullptr && (entry->type() == TypeId::kSet || entry->type() == TypeId::kHash ||
                           entry->type() == TypeId::kZSet);
  if (!known) {
    errno = EINVAL;
    return 0;
  }
  if (cursor->done) {
    errno = ENOENT;
    return 0;
  }
  ElementCaller caller(key, fn, privdata);
  if (entry->type() == TypeId::kSet) {
    cursor->cursor = entry->As<SetValue>().Scan(cursor->cursor,
                                                [&](const Item& member) { caller.Take(member); });
  } else if (entry->type() == TypeId::kHash) {
    cursor->cursor = entry->As<HashValue>().Scan(
        cursor->cursor, [&](const Item& field, const Item& value) { caller.Take(field, value); });
  } else {
    cursor->cursor = entry->As<ZSetValue>().Scan(
        cursor->cursor, [&](const Item& member, double score) { caller.Take(member, score); });
  }
  caller.Call();
  cursor->done = cursor->cursor == 0;
  errno = 0;
  return cursor->done ? 0 : 1;
}

}  // namespace

void RegisterScanApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(ScanCursorCreate),  BACKPLANE_API_ROW(ScanCursorRestart),
      BACKPLANE_API_ROW(ScanCursorDestroy), BACKPLANE_API_ROW(Scan),
      BACKPLANE_API_ROW(ScanKey),
  };
  table.Add(rows);
}

}  // namespace backplane
