// SPDX-License-Identifier: BSD-3-Clause
// Keyspace: construction and what concerns all databases.
#include "keyspace/keyspace.h"

#include <algorithm>

#include "base/clock.h"

namespace backplane {

Keyspace::Keyspace(int databases, EncodingLimits* limits)
    : random_(static_cast<uint64_t>(WallMicros())),
      limits_(limits != nullptr ? limits : &default_limits_) {
  databases_.reserve(static_cast<size_t>(databases));
  for (int i = 0; i < databases; ++i) databases_.push_back(std::make_unique<Database>(this, i));
  set_now_ms(WallMillis());
}

void Keyspace::FlushAll(bool lazy) {
  for (auto& db : databases_) db->Flush(lazy);
}

void Keyspace::SwapDatabases(int a, int b) {
  if (a == b) return;
  auto touch = [&](int from, int to) {
    watches_.TouchIf(from, [&](std::string_view key) {
      // A key whose time is over is not there, on whichever side.
      auto there = [&](Database& side) {
        const Entry* entry = side.table_.Find(key);
        return entry != nullptr && !side.IsExpired(*entry);
      };
      return there(db(from)) || there(db(to));
    });
  };
  touch(a, b);
  touch(b, a);
  db(a).SwapContents(db(b));
  for (int index : {a, b}) {
    watches_.NoteStale(index, [&](std::string_view key) {
      const Entry* entry = db(index).table_.Find(key);
      return entry != nullptr && db(index).IsExpired(*entry);
    });
  }
}

uint64_t Keyspace::KeyCount() const {
  uint64_t count = 0;
  for (const auto& db : databases_) count += db->size();
  return count;
}

uint32_t Keyspace::AccessOf(std::optional<uint64_t> idle_seconds,
                            std::optional<uint8_t> frequency) const {
  if (counts_use_) return frequency ? PackFrequency(minutes(), *frequency) : FreshAccess();
  const uint64_t idle = std::min<uint64_t>(idle_seconds.value_or(0), Entry::kAccessMask);
  return (access_clock_ - static_cast<uint32_t>(idle)) & Entry::kAccessMask;
}

}  // namespace backplane
