// SPDX-License-Identifier: BSD-3-Clause
// SetEntry: a member in one allocation (size:varint bytes), an item of the large form of a set.
// Engine thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bucket_table.h"
#include "value/memory.h"
#include "value/varint.h"

namespace backplane {

class SetEntry {
 public:
  static SetEntry* Make(std::string_view member) {
    void* block = AllocateBlock(VarintSize(member.size()) + member.size());
    uint8_t* at = WriteVarint(static_cast<uint8_t*>(block), member.size());
    if (!member.empty()) std::memcpy(at, member.data(), member.size());
    return static_cast<SetEntry*>(block);
  }
  static void Free(SetEntry* entry) { FreeBlock(entry); }

  SetEntry(const SetEntry&) = delete;
  SetEntry& operator=(const SetEntry&) = delete;

  std::string_view member() const {
    uint64_t size;
    const uint8_t* at = ReadVarint(reinterpret_cast<const uint8_t*>(this), &size);
    return {reinterpret_cast<const char*>(at), size};
  }
  size_t AllocatedBytes() const { return UsableBlockSize(this); }

 private:
  SetEntry() = default;
};

struct SetEntryTraits {
  using Item = SetEntry;
  static std::string_view Key(const SetEntry& entry) { return entry.member(); }
};
using SetTable = BucketTable<SetEntryTraits>;

}  // namespace backplane
