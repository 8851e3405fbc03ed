// SPDX-License-Identifier: BSD-3-Clause
// Sets in RDB. The bodies behind the type byte:
//   SET (2)            length, string*
//   SET_INTSET (11)    string: an intset
//   SET_LISTPACK (20)  string: a listpack, since RDB version 11
// Version 10 has no form for a small set of strings, so 2 is written for it.
#include "value/load_support.h"
#include "value/set_value.h"

namespace backplane {

uint8_t SetValue::rdb_type(int rdb_version) const {
  switch (form()) {
    case Form::kIntset:
      return rdb::kSetIntset;
    case Form::kListpack:
      return rdb_version >= kRdbVersionSetListpack ? rdb::kSetListpack : rdb::kSet;
    case Form::kLarge:
      break;
  }
  return rdb::kSet;
}

void SetValue::Save(ValueWriter& writer) const {
  switch (rdb_type(writer.rdb_version())) {
    case rdb::kSetIntset:
      slot_.WithIntset([&](const Intset& ints) { writer.WriteString(ints.Raw()); });
      return;
    case rdb::kSetListpack:
      writer.WriteString(slot_.listpack().Raw());
      return;
    default:
      writer.WriteLength(length());
      ItemText scratch;
      ForEach([&](const Item& member) { writer.WriteString(member.Text(scratch)); });
  }
}

Status SetValue::LoadMembers(SetValue& set, ValueReader& reader, const EncodingLimits& limits) {
  BP_ASSIGN_OR_RETURN(const uint64_t count, ReadCount(reader, 1));
  if (count > std::max(limits.set_max_intset_entries, limits.set_max_listpack_entries)) {
    set.ConvertToTable(count);
  }
  for (uint64_t i = 0; i < count; ++i) {
    BP_ASSIGN_OR_RETURN(const std::string member, reader.ReadString());
    if (!set.Add(member, limits)) return Corrupt("duplicate set member");
  }
  return {};
}

Result<std::unique_ptr<Value>> SetValue::Load(uint8_t rdb_type, ValueReader& reader,
                                              const EncodingLimits& limits) {
  auto set = std::make_unique<SetValue>();
  if (rdb_type == rdb::kSet) {
    BP_RETURN_IF_ERROR(LoadMembers(*set, reader, limits));
  } else {
    BP_ASSIGN_OR_RETURN(const std::string bytes, reader.ReadString());
    set->slot_.TakeIntset();
    if (rdb_type == rdb::kSetIntset) {
      set->slot_.SetIntset(ValidateIntset(bytes) ? Intset::CopyOf(bytes) : Intset());
      if (set->length() == 0) return Corrupt("malformed or empty intset");
      if (set->length() > limits.set_max_intset_entries) set->ConvertToTable(set->length());
    } else {
      set->slot_.SetListpack(Listpack());
      BP_ASSIGN_OR_RETURN(Listpack pack, ListpackFromBytes(bytes));
      if (!ElementsAreDistinct(pack, 1)) return Corrupt("duplicate set member");
      set->slot_.listpack() = std::move(pack);
      if (set->length() > limits.set_max_listpack_entries) set->ConvertToTable(set->length());
    }
  }
  if (set->length() == 0) return Corrupt("empty set");
  return set;
}

}  // namespace backplane
