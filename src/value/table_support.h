// SPDX-License-Identifier: BSD-3-Clause
// What the table forms of hash, set and sorted set share. Engine thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "value/memory.h"

namespace backplane {

// Room is made beforehand for as many items as a caller announces, but an announcement (of a file,
// of a command's arguments) is no proof: beyond this a table grows as the items come.
inline size_t BoundedReserve(uint64_t expected) {
  constexpr uint64_t kMaxReserve = uint64_t{1} << 20;
  return static_cast<size_t>(std::min(expected, kMaxReserve));
}

// Bytes of a heap-allocated table and its items, `samples` of which are measured (0: all). Items
// have AllocatedBytes().
template <class Table>
size_t TableMemory(const Table& table, size_t samples) {
  size_t measured = 0;
  size_t bytes = 0;
  // Buckets are visited in the order of the scan, so a sample costs what it measures.
  uint64_t cursor = 0;
  do {
    cursor = table.Scan(cursor, [&](auto* item) {
      bytes += item->AllocatedBytes();
      ++measured;
    });
  } while (cursor != 0 && (samples == 0 || measured < samples));
  if (measured != 0) {
    bytes = static_cast<size_t>(static_cast<double>(bytes) / static_cast<double>(measured) *
                                static_cast<double>(table.size()));
  }
  return bytes + UsableBlockSize(&table) + table.MemoryBytes();
}

}  // namespace backplane
