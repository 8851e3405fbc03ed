// SPDX-License-Identifier: BSD-3-Clause
// Hashes in RDB. The bodies behind the type byte:
//   HASH (4)            length, (string field, string value)*
//   HASH_ZIPMAP (9)     string: a zipmap
//   HASH_ZIPLIST (13)   string: a ziplist of field, value, ...
//   HASH_LISTPACK (16)  string: a listpack of field, value, ...
// Written are 16 (since version 10) and 4.
#include "value/hash_value.h"
#include "value/load_support.h"

namespace backplane {
namespace {

Result<Listpack> ReadPairs(uint8_t rdb_type, ValueReader& reader) {
  BP_ASSIGN_OR_RETURN(const std::string bytes, reader.ReadString());
  if (rdb_type == rdb::kHashZipmap) return ListpackFromZipmap(bytes);
  return rdb_type == rdb::kHashZiplist ? ListpackFromZiplist(bytes) : ListpackFromBytes(bytes);
}

size_t LongestElement(const Listpack& pack) {
  size_t longest = 0;
  for (auto at = pack.First(); at != Listpack::kNone; at = pack.Next(at)) {
    longest = std::max(longest, pack.Get(at).TextSize());
  }
  return longest;
}

}  // namespace

uint8_t HashValue::rdb_type(int /*rdb_version*/) const {
  return is_table() ? rdb::kHash : rdb::kHashListpack;
}

void HashValue::Save(ValueWriter& writer) const {
  if (!is_table()) return writer.WriteString(slot_.listpack().Raw());
  writer.WriteLength(table().size());
  table().ForEach([&](HashEntry* entry) {
    writer.WriteString(entry->field());
    writer.WriteString(entry->value());
  });
}

Status HashValue::LoadPairs(HashValue& hash, ValueReader& reader, const EncodingLimits& limits) {
  BP_ASSIGN_OR_RETURN(const uint64_t count, ReadCount(reader, 2));
  hash.PrepareToGrow(count, limits);
  for (uint64_t i = 0; i < count; ++i) {
    BP_ASSIGN_OR_RETURN(const std::string field, reader.ReadString());
    BP_ASSIGN_OR_RETURN(const std::string value, reader.ReadString());
    if (!hash.Set(field, value, limits)) return Corrupt("duplicate hash field");
  }
  return {};
}

Result<std::unique_ptr<Value>> HashValue::Load(uint8_t rdb_type, ValueReader& reader,
                                               const EncodingLimits& limits) {
  auto hash = std::make_unique<HashValue>();
  if (rdb_type == rdb::kHash) {
    BP_RETURN_IF_ERROR(LoadPairs(*hash, reader, limits));
  } else {
    BP_ASSIGN_OR_RETURN(Listpack pack, ReadPairs(rdb_type, reader));
    if (pack.Count() % 2 != 0) return Corrupt("hash field without a value");
    if (!ElementsAreDistinct(pack, 2)) return Corrupt("duplicate hash field");
    const bool too_long =
        rdb_type == rdb::kHashZipmap && LongestElement(pack) > limits.hash_max_listpack_value;
    hash->slot_.listpack() = std::move(pack);
    if (too_long || hash->length() > limits.hash_max_listpack_entries) {
      hash->ConvertToTable(hash->length());
    }
  }
  if (hash->length() == 0) return Corrupt("empty hash");
  return hash;
}

}  // namespace backplane
