// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleKey: an open key. Handles are pooled (KeyPool); a handle remembers the entry that it
// found and looks it up again when a command may have run, or another handle changed keys, since.
// Under the host lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "keyspace/database.h"
#include "modhost/context.h"
#include "value/list_value.h"
#include "value/stream_value.h"
#include "value/zset_value.h"

struct RedisModuleKey {
  // The entry as it is now; null for an empty key.
  backplane::Entry* entry() {
    if (seen_epoch != Epoch()) [[unlikely]]
      Refresh();
    return found;
  }
  bool writable() const { return (mode & 2) != 0; }
  bool readable() const { return (mode & 1) != 0; }
  bool iterating() const { return zset.active || stream.active; }
  // The database key; its hash is computed once, if at all.
  backplane::Key key() {
    if (!hashed) [[unlikely]]
      Hash();
    return backplane::Key(name, hash);
  }
  // The name as a module's string, made when asked for; lives as long as the handle.
  RedisModuleString* NameString();
  // After this handle put another entry in the place of the one it had.
  void SetEntry(backplane::Entry* entry);
  // A change of the value: for NOTE at close and for other handles.
  void Changed();

  RedisModuleCtx* ctx = nullptr;
  backplane::Module* module = nullptr;
  backplane::Database* db = nullptr;
  // A copy in `name_room`, or the bytes of `name_string`: a copy of some bytes costs less than two
  // atomic changes of a reference count.
  std::string_view name;
  RedisModuleString* name_string = nullptr;
  uint64_t hash = 0;
  bool hashed = false;
  backplane::Entry* found = nullptr;
  uint64_t seen_epoch = 0;
  int mode = 0;
  bool changed = false;
  static constexpr size_t kNameRoom = 64;
  char name_room[kNameRoom];
  // What RM_StringDMA points at for an integer that is only read: the value stays as it is.
  char number_text[backplane::kNumberTextMax];

  // Range iterator of a sorted set.
  struct ZsetRange {
    bool active = false;
    bool end = true;
    backplane::ZSetValue::Span span;
    uint64_t rank = 0;
    backplane::ZSetValue::Position at;
  };
  ZsetRange zset;

  // Iterator over a stream. The reader is made again, at the same place, when the value may be
  // another one since.
  struct StreamRange {
    bool active = false;
    bool reverse = false;
    bool at_entry = false;  // `current` is the entry whose fields are being read
    backplane::StreamId first;
    backplane::StreamId last;
    backplane::StreamId current;
    uint64_t fields_read = 0;
    std::optional<backplane::StreamReader> reader;
  };
  StreamRange stream;

 private:
  void Hash();
  uint64_t Epoch() const;
  void Refresh();
};

namespace backplane {

class KeyPool {
 public:
  KeyPool() = default;
  KeyPool(const KeyPool&) = delete;
  KeyPool& operator=(const KeyPool&) = delete;
  ~KeyPool() {
    for (RedisModuleKey* key : free_) delete key;
  }
  RedisModuleKey* Take() {
    if (free_.empty()) return new RedisModuleKey;
    RedisModuleKey* key = free_.back();
    free_.pop_back();
    return key;
  }
  void Give(RedisModuleKey* key) { free_.push_back(key); }

 private:
  std::vector<RedisModuleKey*> free_;
};

// Opens `name` (a reference is taken) in the context's database; null when a key opened for reading
// only is absent.
RedisModuleKey* OpenModuleKey(RedisModuleCtx* ctx, RedisModuleString* name, int mode);
// A handle on an entry at hand, for callbacks. No lookup, no statistics.
RedisModuleKey* OpenModuleKeyAt(RedisModuleCtx* ctx, Database& db, RedisModuleString* name,
                                Entry* entry, int mode);
// Signals a change, frees the handle. The context's list is not touched.
void CloseModuleKey(RedisModuleKey* key);
// REDISMODULE_KEYTYPE_*.
int ModuleKeyType(RedisModuleKey* key);
// Removes the value; the handle stays, empty.
void DeleteModuleKey(RedisModuleKey* key, bool lazy);

// What a module passes may be NULL: OpenKey answers that for a key that is not there.
inline Entry* EntryOf(RedisModuleKey* key) { return key == nullptr ? nullptr : key->entry(); }
inline bool CanWrite(const RedisModuleKey* key) { return key != nullptr && key->writable(); }
inline bool CanRead(const RedisModuleKey* key) { return key != nullptr && key->readable(); }

// The value of a key that must have this type or be empty: creates it when empty. Null: another
// type.
template <class T>
T* ValueForWrite(RedisModuleKey* key, TypeId type);
// Removes the key when its aggregate has become empty.
void DeleteIfEmptied(RedisModuleKey* key);

template <class T>
T* ValueForWrite(RedisModuleKey* key, TypeId type) {
  Entry* entry = key->entry();
  if (entry == nullptr) {
    entry = key->db->Add(key->key(), std::make_unique<T>());
    key->SetEntry(entry);
  }
  return entry->type() == type ? &entry->template As<T>() : nullptr;
}

}  // namespace backplane
