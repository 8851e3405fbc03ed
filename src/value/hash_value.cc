// SPDX-License-Identifier: BSD-3-Clause
// Both forms of a hash and the way from one to the other; contract in hash_value.h.
#include "value/hash_value.h"

#include "value/builtin_types.h"
#include "value/table_support.h"

namespace backplane {

HashValue::~HashValue() {
  if (is_table()) {
    table().Clear(HashEntry::Free);
    delete &table();
  } else {
    slot_.TakeListpack();
  }
}

const ValueType& HashValue::type() const { return HashValueType(); }

std::string_view HashValue::encoding_name() const {
  return is_table() ? kEncodingHashtable : kEncodingListpack;
}

size_t HashValue::MemoryUsage(size_t samples) const {
  if (!is_table()) return sizeof(*this) + slot_.listpack().AllocatedBytes();
  return sizeof(*this) + TableMemory(table(), samples);
}

size_t HashValue::FreeEffort() const { return is_table() ? table().size() + 1 : 1; }

std::unique_ptr<Value> HashValue::Clone() const {
  auto copy = std::make_unique<HashValue>();
  if (!is_table()) {
    copy->slot_.listpack() = slot_.listpack().Clone();
    return copy;
  }
  copy->ConvertToTable(table().size());
  table().ForEach([&](HashEntry* entry) {
    copy->table().Insert(HashEntry::Make(entry->field(), entry->value()));
  });
  return copy;
}

void HashValue::ConvertToTable(uint64_t expected) {
  auto* grown = new HashTable();
  grown->Reserve(BoundedReserve(expected));
  ItemText field_text;
  ItemText value_text;
  ForEach([&](const Item& field, const Item& value) {
    grown->Insert(HashEntry::Make(field.Text(field_text), value.Text(value_text)));
  });
  slot_.TakeListpack();
  slot_.SetLarge(grown);
}

void HashValue::PrepareToGrow(uint64_t pairs, const EncodingLimits& limits) {
  if (!is_table() && pairs > limits.hash_max_listpack_entries) ConvertToTable(pairs);
}

bool HashValue::Get(std::string_view field, Item* value) const {
  if (is_table()) {
    const HashEntry* entry = table().Find(field);
    if (entry != nullptr && value != nullptr) *value = Item(entry->value());
    return entry != nullptr;
  }
  const Listpack& pack = slot_.listpack();
  const auto at = pack.Find(pack.First(), field, 1);
  if (at != Listpack::kNone && value != nullptr) *value = pack.Get(pack.Next(at));
  return at != Listpack::kNone;
}

bool HashValue::SetInTable(std::string_view field, std::string_view value) {
  const uint64_t hash = HashBytes(field);
  const auto position = table().Locate(field, hash);
  if (!position) {
    table().Insert(HashEntry::Make(field, value), hash);
    return true;
  }
  HashEntry* entry = position.item();
  HashEntry* changed = HashEntry::WithValue(entry, value);
  if (changed != entry) table().Replace(position, changed);
  return false;
}

bool HashValue::Set(std::string_view field, std::string_view value, const EncodingLimits& limits) {
  if (is_table()) return SetInTable(field, value);
  Listpack& pack = slot_.listpack();
  if (field.size() > limits.hash_max_listpack_value ||
      value.size() > limits.hash_max_listpack_value || !pack.Fits(field.size() + value.size())) {
    ConvertToTable(length() + 1);
    return SetInTable(field, value);
  }
  const auto at = pack.Find(pack.First(), field, 1);
  if (at != Listpack::kNone) {
    pack.Replace(pack.Next(at), value);
    return false;
  }
  pack.Append(field);
  pack.Append(value);
  if (length() > limits.hash_max_listpack_entries) ConvertToTable(length());
  return true;
}

bool HashValue::Erase(std::string_view field) {
  if (is_table()) {
    HashEntry* entry = table().Erase(field);
    if (entry == nullptr) return false;
    HashEntry::Free(entry);
    return true;
  }
  Listpack& pack = slot_.listpack();
  const auto at = pack.Find(pack.First(), field, 1);
  if (at == Listpack::kNone) return false;
  pack.Erase(at, 2);
  return true;
}

void HashValue::Sample(Random& random, Item* field, Item* value) const {
  if (is_table()) {
    const HashEntry* entry = table().Sample(random);
    *field = Item(entry->field());
    *value = Item(entry->value());
    return;
  }
  const Listpack& pack = slot_.listpack();
  const auto at = pack.Seek(static_cast<int64_t>(random.Below(length()) * 2));
  *field = pack.Get(at);
  *value = pack.Get(pack.Next(at));
}

}  // namespace backplane
