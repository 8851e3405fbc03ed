// SPDX-License-Identifier: BSD-3-Clause
// SetValue: what a set key holds. A sorted array while all members are integers ("intset"), a
// listpack while they are few and short ("listpack"), a table of SetEntry beyond ("hashtable"). It
// only goes forward in this order, but for results of set operations (ConvertToIntsetIfNumbers).
// Used by the set commands, SORT and the module host.
//
// Engine thread. Items borrow: they are good until the set changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "value/encoding_slot.h"
#include "value/limits.h"
#include "value/sampling.h"
#include "value/set_entry.h"
#include "value/value.h"

namespace backplane {

class SetValue final : public Value {
 public:
  // An empty intset: becomes what its first members ask for.
  SetValue() { slot_.SetIntset(Intset()); }
  ~SetValue() override;

  // An empty set of the encoding that fits a command that creates it with `count` members, the
  // first of which is `first`.
  static std::unique_ptr<SetValue> Create(std::string_view first, uint64_t count,
                                          const EncodingLimits& limits);
  // A command that adds `count` members to an existing set says so first.
  void PrepareToGrow(uint64_t count, const EncodingLimits& limits);

  const ValueType& type() const override;
  std::string_view encoding_name() const override;
  uint64_t length() const override;
  size_t MemoryUsage(size_t samples) const override;
  size_t FreeEffort() const override;
  std::unique_ptr<Value> Clone() const override;
  uint8_t rdb_type(int rdb_version) const override;
  void Save(ValueWriter& writer) const override;
  // RDB types 2, 11 and 20.
  static Result<std::unique_ptr<Value>> Load(uint8_t rdb_type, ValueReader& reader,
                                             const EncodingLimits& limits);

  // False if it was there already. `member` must not be borrowed from this set.
  bool Add(std::string_view member, const EncodingLimits& limits);
  bool Add(const Item& member, const EncodingLimits& limits) {
    ItemText scratch;
    return Add(member.Text(scratch), limits);
  }
  // False if it was not there.
  bool Remove(std::string_view member);
  bool Contains(std::string_view member) const;
  bool Contains(const Item& member) const;

  // For batches: the first step fetches what the second reads, the second what Add, Remove and
  // Contains read. `hash` is HashBytes(member). Nothing to fetch in the small forms.
  void PrefetchBucket(uint64_t hash) const {
    if (form() == Form::kLarge) table().PrefetchBucket(hash);
  }
  void PrefetchEntry(uint64_t hash) const {
    if (form() == Form::kLarge) table().PrefetchItem(hash);
  }

  // To an intset if all members are integers and no more than it may hold.
  void ConvertToIntsetIfNumbers(const EncodingLimits& limits);

  // Calls f(Item) for every member; f must not change the set. An intset goes in ascending order.
  template <class F>
  void ForEach(F&& f) const;
  // The same until f returns false.
  template <class F>
  void ForEachWhile(F&& f) const;
  // One step of a full iteration: calls f(Item), returns the next cursor, 0 at the end. The small
  // forms are one step. f may erase the member that it was given from a table.
  template <class F>
  uint64_t Scan(uint64_t cursor, F&& f) const;
  // A member, uniformly drawn. REQUIRES: not empty.
  Item Sample(Random& random) const;
  // Calls f(Item) for `count` distinct members, or all if there are fewer.
  template <class F>
  void SampleDistinct(Random& random, uint64_t count, F&& f) const;

 private:
  using Form = EncodingSlot::Form;

  Form form() const { return slot_.form(); }
  SetTable& table() const { return *slot_.large<SetTable>(); }
  bool AddToTable(std::string_view member);
  bool AddToListpack(std::string_view member, const EncodingLimits& limits);
  bool AddToIntset(std::string_view member, const EncodingLimits& limits);
  void ConvertToTable(uint64_t expected);
  void ConvertToListpack();
  void DestroyForm();

  static Status LoadMembers(SetValue& set, ValueReader& reader, const EncodingLimits& limits);

  EncodingSlot slot_;
};

template <class F>
void SetValue::ForEachWhile(F&& f) const {
  switch (form()) {
    case Form::kLarge: {
      bool go_on = true;
      uint64_t cursor = 0;
      do {
        cursor = table().Scan(cursor,
                              [&](SetEntry* entry) { go_on = go_on && f(Item(entry->member())); });
      } while (cursor != 0 && go_on);
      return;
    }
    case Form::kIntset:
      slot_.WithIntset([&](const Intset& ints) {
        for (uint32_t i = 0; i < ints.Count(); ++i) {
          if (!f(Item(ints.At(i)))) return;
        }
      });
      return;
    case Form::kListpack: {
      const Listpack& pack = slot_.listpack();
      for (auto at = pack.First(); at != Listpack::kNone; at = pack.Next(at)) {
        if (!f(pack.Get(at))) return;
      }
      return;
    }
  }
}

template <class F>
void SetValue::ForEach(F&& f) const {
  if (form() == Form::kLarge) {
    table().ForEach([&](SetEntry* entry) { f(Item(entry->member())); });
    return;
  }
  ForEachWhile([&](const Item& member) {
    f(member);
    return true;
  });
}

template <class F>
uint64_t SetValue::Scan(uint64_t cursor, F&& f) const {
  if (form() == Form::kLarge) {
    return table().Scan(cursor, [&](SetEntry* entry) { f(Item(entry->member())); });
  }
  ForEach(f);
  return 0;
}

template <class F>
void SetValue::SampleDistinct(Random& random, uint64_t count, F&& f) const {
  if (form() == Form::kLarge) {
    SampleDistinctEntries(table(), random, count,
                          [&](const SetEntry& entry) { f(Item(entry.member())); });
    return;
  }
  SelectionSampler sampler(random, length(), count);
  ForEachWhile([&](const Item& member) {
    if (sampler.done()) return false;
    if (sampler.Take()) f(member);
    return true;
  });
}

}  // namespace backplane
