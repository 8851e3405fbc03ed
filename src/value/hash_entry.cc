// SPDX-License-Identifier: BSD-3-Clause
// Making and changing hash entries; layout and contract in hash_entry.h.
#include "value/hash_entry.h"

#include <cstring>

#include "value/memory.h"

namespace backplane {
namespace {

size_t EntrySize(size_t field_size, size_t value_size) {
  return VarintSize(field_size) + VarintSize(value_size) + field_size + value_size;
}

uint8_t* PutBytes(uint8_t* at, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

}  // namespace

HashEntry* HashEntry::Make(std::string_view field, std::string_view value) {
  void* block = AllocateBlock(GoodBlockSize(EntrySize(field.size(), value.size())));
  uint8_t* at = WriteVarint(static_cast<uint8_t*>(block), field.size());
  at = WriteVarint(at, value.size());
  PutBytes(PutBytes(at, field), value);
  return static_cast<HashEntry*>(block);
}

void HashEntry::Free(HashEntry* entry) { FreeBlock(entry); }

HashEntry* HashEntry::WithValue(HashEntry* entry, std::string_view value) {
  uint64_t field_size;
  uint64_t old_size;
  const uint8_t* field_bytes = entry->ReadSizes(&field_size, &old_size);
  if (VarintSize(value.size()) != VarintSize(old_size)) {
    HashEntry* changed = Make(entry->field(), value);
    Free(entry);
    return changed;
  }
  const auto field_at = static_cast<size_t>(field_bytes - reinterpret_cast<uint8_t*>(entry));
  if (value.size() != old_size) {
    entry = static_cast<HashEntry*>(
        ResizeBlock(entry, EntrySize(field_size, old_size), EntrySize(field_size, value.size())));
    WriteVarint(reinterpret_cast<uint8_t*>(entry) + VarintSize(field_size), value.size());
  }
  PutBytes(reinterpret_cast<uint8_t*>(entry) + field_at + field_size, value);
  return entry;
}

size_t HashEntry::AllocatedBytes() const { return UsableBlockSize(this); }

}  // namespace backplane
