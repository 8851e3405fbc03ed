// SPDX-License-Identifier: BSD-3-Clause
// Keyspace: all databases and what they share: the clock of the current command, counters, the
// observer, the set of watched keys, the lazy-free thread. Built once by the server (or by a unit
// test). Engine thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/random.h"
#include "keyspace/database.h"
#include "keyspace/frequency.h"
#include "keyspace/lazy_free.h"
#include "keyspace/notify.h"
#include "keyspace/observer.h"
#include "keyspace/watch.h"
#include "value/dormant_value.h"
#include "value/limits.h"

namespace backplane {

class Keyspace {
 public:
  struct Stats {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t expired = 0;
    uint64_t expired_by_lookup = 0;
    uint64_t evicted = 0;
  };

  // `limits` outlives the keyspace; without it, the keyspace has its own with the defaults.
  explicit Keyspace(int databases, EncodingLimits* limits = nullptr);
  Keyspace(const Keyspace&) = delete;
  Keyspace& operator=(const Keyspace&) = delete;

  int database_count() const { return static_cast<int>(databases_.size()); }
  // REQUIRES: 0 <= index < database_count().
  Database& db(int index) { return *databases_[static_cast<size_t>(index)]; }

  // The time that expiry is judged by. The engine sets it before each batch of commands; it stands
  // still within a command, script, transaction.
  int64_t now_ms() const { return now_ms_; }
  void set_now_ms(int64_t now) {
    now_ms_ = now;
    access_clock_ = static_cast<uint32_t>(now / 1000) & Entry::kAccessMask;
  }
  // Seconds modulo 2^24: what Entry::access is set to, unless use is counted.
  uint32_t access_clock() const { return access_clock_; }

  // Whether entries hold how often they are used (an LFU policy) instead of when they were, and
  // whether snapshots keep the one or the other.
  bool counts_use() const { return counts_use_; }
  bool saves_access() const { return saves_access_; }
  void SetAccessRules(bool counts_use, bool saves_access, const FrequencyRules& rules) {
    counts_use_ = counts_use;
    saves_access_ = saves_access;
    frequency_rules_ = rules;
    set_touches(true);
  }
  // Notes that the entry is used.
  void Touch(Entry* entry) {
    if (touch_ == Touching::kClock) [[likely]] {
      entry->set_access(access_clock_);
    } else if (touch_ == Touching::kFrequency) {
      entry->set_access(AccessAfterUse(entry->access()));
    }
  }
  // What Entry::access is for a key that is new, or that was idle so long or used so often.
  uint32_t FreshAccess() const {
    return counts_use_ ? PackFrequency(minutes(), kFrequencyInitial) : access_clock_;
  }
  uint32_t AccessOf(std::optional<uint64_t> idle_seconds, std::optional<uint8_t> frequency) const;
  uint32_t AccessAfterUse(uint32_t access) {
    return counts_use_ ? FrequencyAfterUse(access, minutes(), frequency_rules_, random_)
                       : access_clock_;
  }
  // REQUIRES: not counts_use().
  uint64_t IdleSecondsOf(const Entry& entry) const {
    return (access_clock_ - entry.access()) & Entry::kAccessMask;
  }
  // 0 to 255, as it is now. REQUIRES: counts_use().
  uint32_t FrequencyOf(const Entry& entry) const {
    return FrequencyAt(entry.access(), minutes(), frequency_rules_);
  }

  // False while loading, and on a replica: expired keys are hidden, not removed.
  bool expires_keys() const { return expires_keys_; }
  void set_expires_keys(bool value) { expires_keys_ = value; }
  // True while a file of commands is replayed: no time is over then, since what has expired stands
  // in the file as a DEL of its own.
  bool ignores_expiry() const { return ignores_expiry_; }
  void set_ignores_expiry(bool value) { ignores_expiry_ = value; }
  // Whether a key whose time ends then has no time left.
  bool IsOver(int64_t expire_ms) const { return expire_ms <= now_ms_ && !ignores_expiry_; }
  // False while a command of a CLIENT NO-TOUCH session runs.
  void set_touches(bool value) {
    touch_ = !value ? Touching::kNone : counts_use_ ? Touching::kFrequency : Touching::kClock;
  }

  // Changes since the last save, counted by commands.
  uint64_t dirty() const { return dirty_; }
  void AddDirty(uint64_t n) { dirty_ += n; }
  void SetDirty(uint64_t n) { dirty_ = n; }

  KeyspaceObserver* observer() { return observer_; }
  void set_observer(KeyspaceObserver* observer) { observer_ = observer; }
  // Classes of events that anybody (config or modules) wants; the rest is not even reported to the
  // observer.
  uint32_t notify_mask() const { return notify_mask_; }
  void set_notify_mask(uint32_t mask) { notify_mask_ = mask; }

  // Whether the observer wants KeyRemoving for every key; for module values it is always told.
  bool reports_removals() const { return reports_removals_; }
  void set_reports_removals(bool value) { reports_removals_ = value; }

  // A key changed: watchers are marked, the observer is told. Does not count dirty.
  void KeyModified(Database& db, std::string_view key) {
    if (!watches_.empty()) [[unlikely]]
      watches_.Touch(db.index(), key);
    if (observer_ != nullptr) observer_->KeyModified(db, key);
  }
  void Notify(Database& db, uint32_t notify_class, std::string_view event, std::string_view key) {
    if ((notify_mask_ & notify_class) != 0 && observer_ != nullptr) [[unlikely]] {
      observer_->KeyEvent(db, notify_class, event, key);
    }
  }

  WatchTable& watches() { return watches_; }
  LazyFree& lazy_free() { return lazy_free_; }
  Stats& stats() { return stats_; }
  Random& random() { return random_; }
  EncodingLimits& limits() { return *limits_; }
  DormantTypes& dormant_types() { return dormant_types_; }

  // All databases at once: FLUSHALL.
  void FlushAll(bool lazy);
  // SWAPDB: watchers of keys that differ are touched.
  void SwapDatabases(int a, int b);
  uint64_t KeyCount() const;

 private:
  enum class Touching : uint8_t { kClock, kFrequency, kNone };
  // The low bits count.
  uint32_t minutes() const { return static_cast<uint32_t>(now_ms_ / 60000); }

  // Before what holds values, which point to it: databases and the lazy-free thread.
  DormantTypes dormant_types_;
  std::vector<std::unique_ptr<Database>> databases_;
  int64_t now_ms_ = 0;
  uint32_t access_clock_ = 0;
  uint32_t notify_mask_ = 0;
  bool expires_keys_ = true;
  bool ignores_expiry_ = false;
  Touching touch_ = Touching::kClock;
  bool counts_use_ = false;
  bool saves_access_ = false;
  FrequencyRules frequency_rules_;
  bool reports_removals_ = false;
  uint64_t dirty_ = 0;
  KeyspaceObserver* observer_ = nullptr;
  WatchTable watches_;
  LazyFree lazy_free_;
  Stats stats_;
  Random random_;
  EncodingLimits default_limits_;
  EncodingLimits* limits_;
};

}  // namespace backplane
