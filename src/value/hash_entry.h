// SPDX-License-Identifier: BSD-3-Clause
// HashEntry: a field and its value in one allocation, an item of the large form of a hash.
//
//   entry = field-size:varint value-size:varint field value
//
// For the usual short ones two bytes of overhead; a value that keeps its size is overwritten in
// place. Engine thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bucket_table.h"
#include "value/varint.h"

namespace backplane {

class HashEntry {
 public:
  static HashEntry* Make(std::string_view field, std::string_view value);
  static void Free(HashEntry* entry);
  // Gives the entry another value; returns where the entry now is. `value` must not lie within it.
  static HashEntry* WithValue(HashEntry* entry, std::string_view value);

  HashEntry(const HashEntry&) = delete;
  HashEntry& operator=(const HashEntry&) = delete;

  std::string_view field() const {
    uint64_t field_size;
    uint64_t value_size;
    const uint8_t* at = ReadSizes(&field_size, &value_size);
    return {reinterpret_cast<const char*>(at), field_size};
  }
  std::string_view value() const {
    uint64_t field_size;
    uint64_t value_size;
    const uint8_t* at = ReadSizes(&field_size, &value_size);
    return {reinterpret_cast<const char*>(at) + field_size, value_size};
  }
  size_t AllocatedBytes() const;

 private:
  HashEntry() = default;
  const uint8_t* ReadSizes(uint64_t* field_size, uint64_t* value_size) const {
    const uint8_t* at = ReadVarint(reinterpret_cast<const uint8_t*>(this), field_size);
    return ReadVarint(at, value_size);
  }
};

struct HashEntryTraits {
  using Item = HashEntry;
  static std::string_view Key(const HashEntry& entry) { return entry.field(); }
};
using HashTable = BucketTable<HashEntryTraits>;

}  // namespace backplane
