// SPDX-License-Identifier: BSD-3-Clause
// The three forms of a set and the ways between them; contract in set_value.h.
#include "value/set_value.h"

#include <algorithm>
#include <optional>

#include "base/numbers.h"
#include "value/builtin_types.h"
#include "value/table_support.h"

namespace backplane {
namespace {

// However the limit is configured, an intset stays below a gigabyte.
size_t MaxIntsetEntries(const EncodingLimits& limits) {
  return std::min(limits.set_max_intset_entries, size_t{1} << 30);
}

// Text size of the longest member: one of the two ends.
size_t LongestText(const Intset& ints) {
  if (ints.Count() == 0) return 0;
  return std::max(Int64TextSize(ints.At(0)), Int64TextSize(ints.At(ints.Count() - 1)));
}

}  // namespace

SetValue::~SetValue() { DestroyForm(); }

void SetValue::DestroyForm() {
  switch (form()) {
    case Form::kLarge:
      table().Clear(SetEntry::Free);
      delete &table();
      return;
    case Form::kIntset:
      slot_.TakeIntset();
      return;
    case Form::kListpack:
      slot_.TakeListpack();
      return;
  }
}

std::unique_ptr<SetValue> SetValue::Create(std::string_view first, uint64_t count,
                                           const EncodingLimits& limits) {
  auto set = std::make_unique<SetValue>();
  if (count <= MaxIntsetEntries(limits) && ParseInt64(first).has_value()) return set;
  if (count <= limits.set_max_listpack_entries) {
    set->ConvertToListpack();
  } else {
    set->ConvertToTable(count);
  }
  return set;
}

void SetValue::PrepareToGrow(uint64_t count, const EncodingLimits& limits) {
  if ((form() == Form::kListpack && count > limits.set_max_listpack_entries) ||
      (form() == Form::kIntset && count > MaxIntsetEntries(limits))) {
    ConvertToTable(std::max(count, length()));
  }
}

const ValueType& SetValue::type() const { return SetValueType(); }

std::string_view SetValue::encoding_name() const {
  switch (form()) {
    case Form::kLarge:
      return kEncodingHashtable;
    case Form::kIntset:
      return kEncodingIntset;
    case Form::kListpack:
      break;
  }
  return kEncodingListpack;
}

uint64_t SetValue::length() const {
  switch (form()) {
    case Form::kLarge:
      return table().size();
    case Form::kIntset:
      return slot_.WithIntset([](const Intset& ints) { return ints.Count(); });
    case Form::kListpack:
      break;
  }
  return slot_.listpack().Count();
}

size_t SetValue::MemoryUsage(size_t samples) const {
  switch (form()) {
    case Form::kLarge:
      return sizeof(*this) + TableMemory(table(), samples);
    case Form::kIntset:
      return sizeof(*this) +
             slot_.WithIntset([](const Intset& ints) { return ints.AllocatedBytes(); });
    case Form::kListpack:
      break;
  }
  return sizeof(*this) + slot_.listpack().AllocatedBytes();
}

size_t SetValue::FreeEffort() const { return form() == Form::kLarge ? table().size() + 1 : 1; }

std::unique_ptr<Value> SetValue::Clone() const {
  auto copy = std::make_unique<SetValue>();
  switch (form()) {
    case Form::kLarge:
      copy->ConvertToTable(table().size());
      table().ForEach(
          [&](SetEntry* entry) { copy->table().Insert(SetEntry::Make(entry->member())); });
      break;
    case Form::kIntset:
      copy->slot_.TakeIntset();
      copy->slot_.SetIntset(slot_.WithIntset([](const Intset& ints) { return ints.Clone(); }));
      break;
    case Form::kListpack:
      copy->slot_.TakeIntset();
      copy->slot_.SetListpack(slot_.listpack().Clone());
      break;
  }
  return copy;
}

void SetValue::ConvertToTable(uint64_t expected) {
  auto* grown = new SetTable();
  grown->Reserve(BoundedReserve(expected));
  ItemText scratch;
  ForEach([&](const Item& member) { grown->Insert(SetEntry::Make(member.Text(scratch))); });
  DestroyForm();
  slot_.SetLarge(grown);
}

void SetValue::ConvertToListpack() {
  Listpack pack;
  ForEach([&](const Item& member) { pack.Append(member); });
  DestroyForm();
  slot_.SetListpack(std::move(pack));
}

void SetValue::ConvertToIntsetIfNumbers(const EncodingLimits& limits) {
  if (form() == Form::kIntset || length() > MaxIntsetEntries(limits)) return;
  Intset ints;
  bool numbers = true;
  ForEachWhile([&](const Item& member) {
    const std::optional<int64_t> number =
        member.is_number() ? member.number() : ParseInt64(member.bytes());
    numbers = number.has_value();
    if (numbers) ints.Add(*number);
    return numbers;
  });
  if (!numbers) return;
  DestroyForm();
  slot_.SetIntset(std::move(ints));
}

bool SetValue::AddToTable(std::string_view member) {
  const uint64_t hash = HashBytes(member);
  if (table().Find(member, hash) != nullptr) return false;
  table().Insert(SetEntry::Make(member), hash);
  return true;
}

bool SetValue::AddToListpack(std::string_view member, const EncodingLimits& limits) {
  Listpack& pack = slot_.listpack();
  if (pack.Find(pack.First(), member) != Listpack::kNone) return false;
  if (pack.Count() < limits.set_max_listpack_entries &&
      member.size() <= limits.set_max_listpack_value && pack.Fits(member.size())) {
    pack.Append(member);
    return true;
  }
  ConvertToTable(length() + 1);
  return AddToTable(member);
}

bool SetValue::AddToIntset(std::string_view member, const EncodingLimits& limits) {
  if (const auto number = ParseInt64(member)) {
    if (!slot_.WithIntset([&](Intset& ints) { return ints.Add(*number); })) return false;
    if (length() > MaxIntsetEntries(limits)) ConvertToTable(length());
    return true;
  }
  const uint64_t count = length();
  const size_t longest = std::max(
      member.size(), slot_.WithIntset([](const Intset& ints) { return LongestText(ints); }));
  if (count < limits.set_max_listpack_entries && longest <= limits.set_max_listpack_value &&
      longest * (count + 1) < Listpack::kMaxBytes / 2) {
    ConvertToListpack();
    slot_.listpack().Append(member);
    return true;
  }
  ConvertToTable(count + 1);
  return AddToTable(member);
}

bool SetValue::Add(std::string_view member, const EncodingLimits& limits) {
  switch (form()) {
    case Form::kLarge:
      return AddToTable(member);
    case Form::kIntset:
      return AddToIntset(member, limits);
    case Form::kListpack:
      break;
  }
  return AddToListpack(member, limits);
}

bool SetValue::Remove(std::string_view member) {
  switch (form()) {
    case Form::kLarge: {
      SetEntry* entry = table().Erase(member);
      if (entry == nullptr) return false;
      SetEntry::Free(entry);
      return true;
    }
    case Form::kIntset: {
      const auto number = ParseInt64(member);
      return number && slot_.WithIntset([&](Intset& ints) { return ints.Remove(*number); });
    }
    case Form::kListpack:
      break;
  }
  Listpack& pack = slot_.listpack();
  const auto at = pack.Find(pack.First(), member);
  if (at == Listpack::kNone) return false;
  pack.Erase(at);
  return true;
}

bool SetValue::Contains(std::string_view member) const {
  switch (form()) {
    case Form::kLarge:
      return table().Find(member) != nullptr;
    case Form::kIntset: {
      const auto number = ParseInt64(member);
      return number && slot_.WithIntset([&](const Intset& ints) { return ints.Contains(*number); });
    }
    case Form::kListpack:
      break;
  }
  const Listpack& pack = slot_.listpack();
  return pack.Find(pack.First(), member) != Listpack::kNone;
}

bool SetValue::Contains(const Item& member) const {
  if (member.is_number() && form() == Form::kIntset) {
    return slot_.WithIntset([&](const Intset& ints) { return ints.Contains(member.number()); });
  }
  ItemText scratch;
  return Contains(member.Text(scratch));
}

Item SetValue::Sample(Random& random) const {
  switch (form()) {
    case Form::kLarge:
      return Item(table().Sample(random)->member());
    case Form::kIntset:
      return slot_.WithIntset([&](const Intset& ints) {
        return Item(ints.At(static_cast<uint32_t>(random.Below(ints.Count()))));
      });
    case Form::kListpack:
      break;
  }
  const Listpack& pack = slot_.listpack();
  return pack.Get(pack.Seek(static_cast<int64_t>(random.Below(pack.Count()))));
}

}  // namespace backplane
