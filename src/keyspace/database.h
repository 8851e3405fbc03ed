// SPDX-License-Identifier: BSD-3-Clause
// Database: one numbered key space. Owns its entries; finds, creates, changes, expires and removes
// them. Commands and the module host are its users. Engine thread only.
//
// Entry pointers stay valid until the next call that may change that key or remove keys; calls that
// may move an entry return the new pointer. Lookups remove keys whose time is over (unless the
// keyspace says that expiry is not ours to decide) and tell the observer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bucket_table.h"
#include "keyspace/entry.h"
#include "keyspace/key.h"
#include "keyspace/observer.h"

namespace backplane {

class Keyspace;

struct EntryTraits {
  using Item = Entry;
  static std::string_view Key(const Entry& entry) { return entry.key(); }
};
using EntryTable = BucketTable<EntryTraits>;

// What happens to the TTL of a key that is overwritten.
enum class TtlPolicy : uint8_t { kDrop, kKeep };

class Database {
 public:
  Database(Keyspace* keyspace, int index) : keyspace_(keyspace), index_(index) {}
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  int index() const { return index_; }
  Keyspace& keyspace() { return *keyspace_; }
  size_t size() const { return table_.size(); }
  size_t expires_size() const { return expires_.size(); }
  // Mean TTL in ms of sampled keys with one, for INFO; 0 without any.
  int64_t average_ttl_ms() const;

  // --- lookups ---
  // For a command that only reads: counts hits and misses, touches the access time, reports key
  // misses. nullptr: absent or expired.
  Entry* FindForRead(const Key& key);
  // For a command that may write: no statistics; touches.
  Entry* FindForWrite(const Key& key);
  // Neither statistics nor access time: OBJECT, DEBUG, modules with NOTOUCH. Expired keys are still
  // removed.
  Entry* Peek(const Key& key);
  // Nothing at all happens: an expired key is not found, and stays.
  Entry* PeekWithoutEffects(const Key& key);
  bool Exists(const Key& key) { return Peek(key) != nullptr; }
  // The entry as it stands, its time over or not.
  Entry* LookUp(const Key& key) { return table_.Find(key.bytes, key.hash); }

  void PrefetchBucket(uint64_t hash) const { table_.PrefetchBucket(hash); }
  void PrefetchEntry(uint64_t hash) const { table_.PrefetchItem(hash); }
  // Third step of a batch: what the entry points to.
  void PrefetchValue(uint64_t hash) const {
    const Entry* e = table_.Candidate(hash);
    if (e == nullptr) return;
    if (const void* p = e->value_address()) __builtin_prefetch(p);
  }

  // --- writes; none of them notifies or counts dirty: commands do that once they know the event
  // (see CommandContext::Modified) --- Creates or overwrites whatever the key holds. Integers are
  // detected.
  Entry* SetString(const Key& key, std::string_view bytes, TtlPolicy ttl = TtlPolicy::kDrop);
  // The same for a key already looked up (nullptr: known absent), saving a probe.
  Entry* SetStringAt(Entry* existing, const Key& key, std::string_view bytes, TtlPolicy ttl);
  // The same, but a number stays text ("embstr" or "raw"): INCRBYFLOAT.
  Entry* SetText(const Key& key, std::string_view bytes, TtlPolicy ttl);
  Entry* SetInteger(const Key& key, int64_t value, TtlPolicy ttl);
  Entry* SetValue(const Key& key, std::unique_ptr<Value> value, TtlPolicy ttl = TtlPolicy::kDrop);
  // REQUIRES: key is absent. Faster than SetValue.
  Entry* Add(const Key& key, std::unique_ptr<Value> value);
  // Stores an integer in an int-encoded string in place. REQUIRES entry->is_integer().
  void UpdateInteger(Entry* entry, int64_t value);
  // Makes the string `size` bytes long in writable memory, old bytes kept, new ones zero, and "raw"
  // from now on. APPEND, SETRANGE and module DMA write through it. `growing`: reserve room for
  // more. *entry is updated. REQUIRES (*entry)->is_string(), nothing else holds *entry.
  char* ResizeString(Entry** entry, size_t size, bool growing);
  // Replaces the value object of an aggregate (an in-place conversion); the old one is freed.
  void ReplaceValue(Entry* entry, std::unique_ptr<Value> value) {
    ExchangeValue(entry, std::move(value)).reset();
  }
  // The same; the old one is the caller's.
  std::unique_ptr<Value> ExchangeValue(Entry* entry, std::unique_ptr<Value> value);

  // Removes; false when absent. Expired keys count as absent. `lazy`: big values are freed in the
  // background.
  bool Delete(const Key& key, bool lazy = false);
  // Removes an entry for want of memory; nobody is notified.
  void Evict(Entry* entry, bool lazy);
  // For commands that emptied an aggregate they hold.
  void DeleteEntry(Entry* entry, bool lazy = false);
  // Moves a key's whole content (value and TTL) under another key of any database; an existing
  // target must have been deleted.
  void MoveEntry(Entry* entry, Database& target_db, const Key& target);

  // Absolute ms. Returns the entry, which may have moved.
  Entry* SetExpire(Entry* entry, int64_t expire_ms);
  // Removes the TTL; no-op without one. Returns the entry, which may have moved.
  Entry* ClearExpire(Entry* entry);

  // Adds an entry read from an RDB. False (and the content is freed) when the key exists.
  bool Load(std::string_view key, const EntryBuilder::Content& content, int64_t expire_ms,
            uint32_t access);
  // Makes room in an empty database for so many keys, of which `expires` have a TTL, so that a load
  // does not grow the tables on its way. No-op when there are keys.
  void Reserve(size_t keys, size_t expires) {
    table_.Reserve(keys);
    expires_.Reserve(expires);
  }

  // --- iteration ---
  // One step; calls f(Entry*). Expired keys are handed out too: f decides. See BucketTable::Scan.
  template <class F>
  uint64_t Scan(uint64_t cursor, F&& f) {
    return table_.Scan(cursor, f);
  }
  template <class F>
  void ForEach(F&& f) const {
    table_.ForEach(f);
  }
  // A random key that is not expired; nullptr when none.
  Entry* RandomEntry();
  // A random entry (of those with a TTL), its time over or not; nullptr when there is none.
  Entry* SampleEntry(bool with_ttl);
  bool IsExpired(const Entry& entry) const;

  // Removes everything. `lazy`: the memory is given back in the background. Module values' unlink
  // hooks are not called (as for FLUSHALL).
  void Flush(bool lazy);
  // Exchanges contents with another database (indexes stay): SWAPDB.
  void SwapContents(Database& other);

  // One slice of active expiry: looks at TTL'd keys from an inner cursor on, until `budget_us` is
  // used or no more than `stale_percent` of them are expired.
  struct ExpirySlice {
    size_t seen = 0;     // keys looked at
    size_t removed = 0;  // of these, how many were over
  };
  ExpirySlice ActiveExpire(int64_t budget_us, int64_t stale_percent);

  size_t TableBytes() const { return table_.MemoryBytes(); }
  size_t ExpiresBytes() const { return expires_.MemoryBytes(); }

 private:
  friend class Keyspace;
  Entry* Locate(const Key& key);
  bool TellsOfRemoval(const Entry& entry) const;
  // Tells of the removal. The entry as it is behind that, which modules' code saw: null: it went.
  Entry* Removing(Entry* entry, const Key& key, KeyspaceObserver::RemovalReason reason);
  bool RemoveIfExpired(Entry* entry, const Key& key);
  // Puts `fresh` in the place of `old` (same key) in both tables and frees old's shell.
  void Swap(Entry* old, Entry* fresh);
  Entry* Overwrite(Entry* existing, const Key& key, EntryBuilder::Content content, TtlPolicy ttl);
  Entry* Insert(const Key& key, const EntryBuilder::Content& content, int64_t expire_ms);
  void RemoveHidden(const Key& key);
  void Remove(EntryTable::Position position, const Key& key, KeyspaceObserver::RemovalReason reason,
              bool lazy);
  void Released(const EntryBuilder::Content& content, bool lazy);

  Keyspace* keyspace_;
  int index_;
  EntryTable table_;
  EntryTable expires_;  // the same entries; owns nothing
  uint64_t expire_cursor_ = 0;
};

}  // namespace backplane
