// SPDX-License-Identifier: BSD-3-Clause
// ValueSwap: a module's values from live to dormant and back, one or all of the keyspace. What it
// asks of a module is what a restart asks: rdb_save, free, aux_save before its code goes; aux_load
// and rdb_load after it came. Used by unload, load, upgrade, and the API's access to values. Engine
// thread.
//
// A value is changed in its entry's place, so tables, TTLs and access clocks do not notice, and
// nobody is notified: for the users of the key nothing happened.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "keyspace/database.h"
#include "modhost/type_registry.h"

namespace backplane {

class Module;
class ModuleHost;
class ModuleType;
class ModuleValue;

// What a revival has replaced, kept until nobody can want it back. Values by key: their entries may
// have moved, or be gone, when that happens.
class Originals {
 public:
  void AddValue(int db, std::string_view key, std::unique_ptr<DormantValue> value);
  void AddField(DormantAux field) { fields_.push_back(std::move(field)); }
  size_t values() const { return places_.size(); }
  // Calls f(db, key, value) for each value, and gives the fields away. Nothing is left.
  template <class F>
  std::vector<DormantAux> TakeAll(F&& f) {
    size_t at = 0;
    for (Place& place : places_) {
      f(place.db, std::string_view(keys_).substr(at, place.key_size), std::move(place.value));
      at += place.key_size;
    }
    places_.clear();
    keys_.clear();
    return std::move(fields_);
  }

 private:
  struct Place {
    std::unique_ptr<DormantValue> value;
    int db;
    uint32_t key_size;
  };
  std::vector<Place> places_;
  std::string keys_;  // one behind the other
  std::vector<DormantAux> fields_;
};

// Walks over the entries of all databases in pieces; what is there from begin to end is met at
// least once, whatever happens to other keys meanwhile.
class EntryWalk {
 public:
  // About so many entries make a piece: few where a slice of time must end after it, many where
  // fetches are to overlap.
  static constexpr size_t kSmallPiece = 64;
  static constexpr size_t kLargePiece = 2048;
  EntryWalk(Keyspace& keyspace, size_t piece) : keyspace_(&keyspace), piece_(piece) {}
  // The next piece, of one database. False at the end of everything.
  bool Next();
  // The last piece once more: its entries may have moved.
  void Again();
  Database& db() { return keyspace_->db(db_); }
  const std::vector<Entry*>& entries() const { return entries_; }
  // Before the i-th entry of a piece is used, in order: fetches what those behind it point to.
  void Prefetch(size_t i) const {
    if (i == 0) {
      for (size_t j = 0; j < 2 * kStep; ++j) PrefetchEntry(j);
      for (size_t j = 0; j < kStep; ++j) PrefetchValue(j);
    }
    // Three steps, each behind the one that makes its address known.
    PrefetchEntry(i + 3 * kStep);
    PrefetchValue(i + 2 * kStep);
    PrefetchData(i + kStep);
  }

 private:
  static constexpr size_t kStep = 6;
  void Fill();
  void PrefetchEntry(size_t i) const {
    if (i < entries_.size()) __builtin_prefetch(entries_[i]);
  }
  void PrefetchValue(size_t i) const {
    if (i >= entries_.size()) return;
    if (const void* value = entries_[i]->value_address()) __builtin_prefetch(value);
  }
  void PrefetchData(size_t i) const;

  Keyspace* keyspace_;
  size_t piece_;
  int db_ = 0;
  uint64_t cursor_ = 0;
  int next_db_ = 0;
  uint64_t next_cursor_ = 0;
  std::vector<Entry*> entries_;
};

class ValueSwap {
 public:
  explicit ValueSwap(ModuleHost* host) : host_(host) {}

  struct Report {
    uint64_t values = 0;
    uint64_t failed = 0;  // values and AUX fields
    std::string error;    // the first
  };

  // --- dormant to live ---
  // For another build of the module, what the last could not read is worth a try. Call it before
  // one of the following for a module that was just loaded.
  void ForgetErrors(const Module& module);
  // Every value and AUX field of the module's types, in the order of a start: AUX before, values,
  // AUX after. What cannot be read stays dormant.
  Report ReviveAll(Module& module);
  // Values only.
  Report ReviveValues(Module& module);
  // AUX fields only: values are revived when they are used (ReviveKey) and by a Sweep.
  Report ReviveFields(Module& module);
  // While one lives, `originals` gets what any revival replaces. They do not nest.
  class Keeping {
   public:
    Keeping(ValueSwap& swap, Originals& originals) : swap_(swap) { swap_.keeping_ = &originals; }
    ~Keeping() { swap_.keeping_ = nullptr; }
    Keeping(const Keeping&) = delete;
    Keeping& operator=(const Keeping&) = delete;

   private:
    ValueSwap& swap_;
  };
  // Puts the originals back where the key still holds a live value of the module, which frees it.
  // What its code has deleted since stays deleted.
  void TakeBack(Originals originals, const Module& module);
  // Frees what is not wanted any more, in the background.
  void Discard(Originals originals);
  // The value of one key, for who wants to use it; true when it is live afterwards. *entry is
  // updated when the module's code moved it (null: deleted it). `key` outlives the call.
  bool ReviveKey(Database& db, Entry** entry, std::string_view key);

  // --- live to dormant ---
  // Why the module's values cannot become dormant; empty when they can.
  std::string WhyNotFreezable(const Module& module) const;
  // Deletes every key with a value of the module's types; returns how many.
  uint64_t DropAll(const Module& module);
  // Call it before one of the following, in each turn of the loop: looks whether threads of the
  // module are at work, for which values that leave the keyspace are kept.
  void LookAtWork(Module& module);
  // What was found: a thread may write through a pointer that it has, so what is serialised now is
  // not the last of it.
  bool work_in_flight() const { return work_in_flight_; }
  // Every value of the module's types. AUX fields are captured by who calls, before.
  // REQUIRES: WhyNotFreezable says nothing.
  uint64_t FreezeAll(Module& module);
  // One; false when it is none of the module's live values.
  bool FreezeEntry(Database& db, Entry* entry, Module& module);
  // Serialises one in advance, anew if there is a copy; false as above.
  bool CopyEntry(Database& db, Entry* entry, const Module& module);
  // Frees the copy, if there is one.
  void ForgetCopy(Entry* entry, const Module& module);

 private:
  template <class F>
  uint64_t ForEachEntry(F&& f);
  ModuleValue* LiveValue(Entry* entry, const Module& module) const;
  // Null when the module's code took the value away meanwhile; *entry is updated when it moved it.
  std::unique_ptr<DormantValue> Serialise(ModuleValue& value, Database& db, Entry** entry,
                                          const Module& module);
  enum class Revived : uint8_t {
    kLive,
    kUnreadable,  // dormant still, with *error
    kChanged,     // the module's code changed the key; *entry is what it has now, or null
  };
  // REQUIRES: *entry holds a dormant value of `type`, which can load.
  Revived ReviveEntry(Database& db, Entry** entry, std::string_view key, ModuleType& type,
                      std::string* error);
  void ReviveFieldsOf(Module& module, int when, std::string* error);
  bool ReviveOne(Database& db, Entry* entry, const Module& module, Report* report);
  bool HasDormant(const Module& module) const;

  ModuleHost* host_;
  Originals* keeping_ = nullptr;
  bool work_in_flight_ = false;
  // Values that their module reads just now, which may use keys meanwhile.
  std::vector<const DormantValue*> reading_;
};

}  // namespace backplane
