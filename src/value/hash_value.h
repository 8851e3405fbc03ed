// SPDX-License-Identifier: BSD-3-Clause
// HashValue: what a hash key holds. A listpack of field, value, field, value... while it has few
// and short ones ("listpack"), a table of HashEntry beyond ("hashtable"); it never goes back. Used
// by the hash commands, SORT and the module host.
//
// Engine thread. Items borrow: they are good until the hash changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "value/encoding_slot.h"
#include "value/hash_entry.h"
#include "value/limits.h"
#include "value/sampling.h"
#include "value/value.h"

namespace backplane {

class HashValue final : public Value {
 public:
  HashValue() { slot_.SetListpack(Listpack()); }
  ~HashValue() override;

  const ValueType& type() const override;
  std::string_view encoding_name() const override;
  uint64_t length() const override {
    return is_table() ? table().size() : slot_.listpack().Count() / 2;
  }
  size_t MemoryUsage(size_t samples) const override;
  size_t FreeEffort() const override;
  std::unique_ptr<Value> Clone() const override;
  uint8_t rdb_type(int rdb_version) const override;
  void Save(ValueWriter& writer) const override;
  // RDB types 4, 9, 13 and 16.
  static Result<std::unique_ptr<Value>> Load(uint8_t rdb_type, ValueReader& reader,
                                             const EncodingLimits& limits);

  // A command that sets `pairs` fields at once says so first.
  void PrepareToGrow(uint64_t pairs, const EncodingLimits& limits);

  // False if there is no such field. `value` may be null.
  bool Get(std::string_view field, Item* value) const;
  bool Contains(std::string_view field) const { return Get(field, nullptr); }
  // True if the field is new. `value` must not be borrowed from this hash.
  bool Set(std::string_view field, std::string_view value, const EncodingLimits& limits);
  // Sets only a field that is absent; false if it was there.
  bool SetIfAbsent(std::string_view field, std::string_view value, const EncodingLimits& limits) {
    return !Contains(field) && Set(field, value, limits);
  }
  bool Erase(std::string_view field);

  // For batches: the first step fetches what the second reads, the second what Get and Set read.
  // `hash` is HashBytes(field). Nothing to fetch in a listpack.
  void PrefetchBucket(uint64_t hash) const {
    if (is_table()) table().PrefetchBucket(hash);
  }
  void PrefetchEntry(uint64_t hash) const {
    if (is_table()) table().PrefetchItem(hash);
  }

  // Calls f(Item field, Item value) for every pair; f must not change the hash.
  template <class F>
  void ForEach(F&& f) const;
  // One step of a full iteration: calls f(field, value), returns the next cursor, 0 at the end. A
  // listpack is one step. f may erase the field that it was given from a table.
  template <class F>
  uint64_t Scan(uint64_t cursor, F&& f) const;
  // One pair, uniformly drawn. REQUIRES: not empty.
  void Sample(Random& random, Item* field, Item* value) const;
  // Calls f(field, value) for `count` distinct pairs, or all if there are fewer.
  template <class F>
  void SampleDistinct(Random& random, uint64_t count, F&& f) const;

 private:
  bool is_table() const { return slot_.form() == EncodingSlot::Form::kLarge; }
  HashTable& table() const { return *slot_.large<HashTable>(); }
  bool SetInTable(std::string_view field, std::string_view value);
  // `expected`: pairs to make room for.
  void ConvertToTable(uint64_t expected);

  static Status LoadPairs(HashValue& hash, ValueReader& reader, const EncodingLimits& limits);

  EncodingSlot slot_;
};

template <class F>
void HashValue::ForEach(F&& f) const {
  if (is_table()) {
    table().ForEach([&](HashEntry* entry) { f(Item(entry->field()), Item(entry->value())); });
    return;
  }
  const Listpack& pack = slot_.listpack();
  for (auto at = pack.First(); at != Listpack::kNone;) {
    const Item field = pack.Get(at);
    at = pack.Next(at);
    const Item value = pack.Get(at);
    at = pack.Next(at);
    f(field, value);
  }
}

template <class F>
uint64_t HashValue::Scan(uint64_t cursor, F&& f) const {
  if (is_table()) {
    return table().Scan(cursor,
                        [&](HashEntry* entry) { f(Item(entry->field()), Item(entry->value())); });
  }
  ForEach(f);
  return 0;
}

template <class F>
void HashValue::SampleDistinct(Random& random, uint64_t count, F&& f) const {
  if (is_table()) {
    SampleDistinctEntries(table(), random, count, [&](const HashEntry& entry) {
      f(Item(entry.field()), Item(entry.value()));
    });
    return;
  }
  SelectionSampler sampler(random, length(), count);
  ForEach([&](const Item& field, const Item& value) {
    if (!sampler.done() && sampler.Take()) f(field, value);
  });
}

}  // namespace backplane
