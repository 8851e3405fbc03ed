// SPDX-License-Identifier: BSD-3-Clause
// ZSetEntry: a member and its score in one allocation (score:f64 size:varint bytes), an item of
// both the table and the tree of a large sorted set. Its address never changes. Engine thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bucket_table.h"
#include "value/memory.h"
#include "value/varint.h"

namespace backplane {

class ZSetEntry {
 public:
  static ZSetEntry* Make(std::string_view member, double score) {
    void* block = AllocateBlock(sizeof(double) + VarintSize(member.size()) + member.size());
    auto* entry = static_cast<ZSetEntry*>(block);
    entry->score_ = score;
    uint8_t* at = WriteVarint(static_cast<uint8_t*>(block) + sizeof(double), member.size());
    if (!member.empty()) std::memcpy(at, member.data(), member.size());
    return entry;
  }
  static void Free(ZSetEntry* entry) { FreeBlock(entry); }

  ZSetEntry(const ZSetEntry&) = delete;
  ZSetEntry& operator=(const ZSetEntry&) = delete;

  double score() const { return score_; }
  // Only the tree changes it: the order hangs on it.
  void set_score(double score) { score_ = score; }
  std::string_view member() const {
    uint64_t size;
    const uint8_t* at = ReadVarint(reinterpret_cast<const uint8_t*>(this) + sizeof(double), &size);
    return {reinterpret_cast<const char*>(at), size};
  }
  size_t AllocatedBytes() const { return UsableBlockSize(this); }

 private:
  ZSetEntry() = default;

  double score_;
};

struct ZSetEntryTraits {
  using Item = ZSetEntry;
  static std::string_view Key(const ZSetEntry& entry) { return entry.member(); }
};

}  // namespace backplane
