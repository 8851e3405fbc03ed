// SPDX-License-Identifier: BSD-3-Clause
// What the families of lists, sets, hashes and sorted sets share: opening a key's value, replying
// with elements, what follows a removal, counts of random draws, scans. Engine thread.
//
// Order in every handler that writes: change the value, reply from it, delete the key if it is
// empty, and notify last, because who is notified may change any key: no entry is touched after
// that.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "client/session.h"
#include "command/context.h"
#include "commands/key/key_commands.h"
#include "value/item.h"

namespace backplane {

// An element as a bulk string.
inline void ReplyItem(ReplySink& reply, const Item& item) {
  item.is_number() ? reply.BulkInteger(item.number()) : reply.Bulk(item.bytes());
}

// The value that a command adds to: the key's, or a new one that Commit puts into the database. So
// a command can fill it before anybody hears of the new key.
template <class V>
class Destination {
 public:
  // Looks the key up. False after replying WRONGTYPE.
  bool Open(CommandContext& ctx, const Key& key, TypeId type) {
    bool failed;
    Entry* entry = ctx.FindForWrite(key, type, &failed);
    if (entry != nullptr) value_ = &entry->template As<V>();
    return !failed;
  }
  bool exists() const { return value_ != nullptr; }
  void Create(std::unique_ptr<V> fresh) {
    fresh_ = std::move(fresh);
    value_ = fresh_.get();
  }
  V& operator*() const { return *value_; }
  V* operator->() const { return value_; }
  // The value must not be touched afterwards.
  void Commit(CommandContext& ctx, const Key& key) {
    if (fresh_ != nullptr) ctx.db().Add(key, std::move(fresh_));
  }

 private:
  V* value_ = nullptr;
  std::unique_ptr<V> fresh_;
};

// The value at argv[arg] for a command that reads (writes), typed. nullptr if there is none, or
// after replying WRONGTYPE: then *failed.
template <class V>
V* FindValueForRead(CommandContext& ctx, size_t arg, TypeId type, bool* failed) {
  Entry* entry = ctx.FindForRead(ctx.key(arg), type, failed);
  return entry != nullptr ? &entry->As<V>() : nullptr;
}

// After elements were taken out of the value in `entry`: drops the key if nothing is left, tells
// `event`, then "del", counts `dirty` changes. `entry` must not be touched afterwards.
template <class V>
void ElementsRemoved(CommandContext& ctx, const Key& key, Entry* entry, uint32_t notify_class,
                     std::string_view event, uint64_t dirty) {
  const bool emptied = entry->As<V>().length() == 0;
  if (emptied) ctx.db().DeleteEntry(entry);
  ctx.Modified(key.bytes, notify_class, event, dirty);
  if (emptied) ctx.Notify(kNotifyGeneric, "del", key.bytes);
}

// The end of the ...STORE commands: a result goes to `destination` and is told as `event`; an empty
// one (nullptr too) deletes what is there. Replies with the number of elements.
void StoreResult(CommandContext& ctx, const Key& destination, std::unique_ptr<Value> result,
                 uint32_t notify_class, std::string_view event);

// Does somebody read what is propagated? Commands that rewrite themselves ask before they build
// the rewritten form.
bool PropagationWanted(CommandContext& ctx);

// Calls f(i) for i = first, first + step...: the positions of a command's element arguments;
// argv[i + offset] is what the value looks up. With several elements and a value that is not in the
// cache anyway, the cache misses of a group are taken side by side. f may change the value.
template <class V, class F>
void ForEachElementArg(CommandContext& ctx, const V& value, size_t first, size_t step,
                       size_t offset, F&& f) {
  constexpr size_t kGroup = 16;
  // What has fewer elements than this fits the first cache levels.
  constexpr uint64_t kCached = 128;
  const size_t argc = ctx.argc();
  if (argc - first <= step || value.length() <= kCached) {
    for (size_t i = first; i < argc; i += step) f(i);
    return;
  }
  uint64_t hashes[kGroup];
  for (size_t begin = first; begin < argc; begin += kGroup * step) {
    const size_t end = std::min(argc, begin + kGroup * step);
    size_t count = 0;
    for (size_t i = begin; i < end; i += step, ++count) {
      hashes[count] = HashBytes(ctx.arg(i + offset));
      value.PrefetchBucket(hashes[count]);
    }
    for (size_t k = 0; k < count; ++k) value.PrefetchEntry(hashes[k]);
    for (size_t i = begin; i < end; i += step) f(i);
  }
}

// argv[i] as a count from 0 on; nullopt after replying "value is out of range, must be positive".
inline std::optional<int64_t> PositiveArg(CommandContext& ctx, size_t i) {
  return ctx.IntegerArgIn(i, 0, INT64_MAX, errors::kMustBePositive);
}

// argv[i] as an integer that has a negation; nullopt after replying the error.
std::optional<int64_t> NegatableArg(CommandContext& ctx, size_t i);

// The hard limit on the output of the client that a command replies to. Whoever has more waiting is
// closed when the command ends, so that the rest of a long reply is work for nothing.
class OutputGuard {
 public:
  explicit OutputGuard(CommandContext& ctx);
  // There is such a limit. Not for scripts, modules and clients that are not told the replies.
  bool limited() const { return hard_bytes_ != 0; }
  // The client will be closed: the reply may end anywhere.
  bool Exceeded() const { return limited() && link_->output_bytes() >= hard_bytes_; }

 private:
  const ClientLink* link_ = nullptr;
  uint64_t hard_bytes_ = 0;
};

// Calls f() `count` times, or until the output limit is passed: draws with repetition.
template <class F>
void RepeatWithinOutputLimit(CommandContext& ctx, uint64_t count, F&& f) {
  const OutputGuard guard(ctx);
  for (uint64_t i = 0; i < count && !guard.Exceeded(); ++i) f();
}

// How many elements SRANDMEMBER, HRANDFIELD and ZRANDMEMBER are to draw.
struct RandomCount {
  uint64_t count = 0;
  bool repeats = false;  // the same element may come several times
  bool pairs = false;    // with values or scores
};
// Reads "count [word]" at argv[2]; an empty word: none is allowed. nullopt after replying an error.
std::optional<RandomCount> ParseRandomCount(CommandContext& ctx, std::string_view word);

// Begins the array for `count` pairs; then each pair begins with BeginPair. RESP3 nests, RESP2 is
// flat.
inline void BeginPairs(ReplySink& reply, uint64_t count) {
  reply.BeginArray(reply.resp() == 2 ? count * 2 : count);
}
inline void BeginPair(ReplySink& reply) {
  if (reply.resp() != 2) reply.BeginArray(2);
}

// What SSCAN, HSCAN and ZSCAN found; Items borrow from the value, which the scan leaves alone.
struct ScannedElement {
  Item element;
  Item value;        // HSCAN
  double score = 0;  // ZSCAN
};
enum class ScanShape : uint8_t { kElements, kElementsAndValues, kElementsAndScores };
void ReplyScanned(CommandContext& ctx, uint64_t cursor, ScanShape shape,
                  const std::vector<ScannedElement>& found);
// The cursor of a scan; nullopt after replying "invalid cursor".
std::optional<uint64_t> CursorArg(CommandContext& ctx, size_t arg);

// SSCAN, HSCAN, ZSCAN: `key cursor [MATCH pattern] [COUNT count]`. step(value, cursor, found)
// makes one step of the scan, appends to *found and returns the next cursor.
template <class V, class Step>
void ScanValue(CommandContext& ctx, TypeId type, ScanShape shape, Step&& step) {
  // The options are looked at only if there is something to scan.
  if (!CursorArg(ctx, 2)) return;
  bool failed;
  const V* value = FindValueForRead<V>(ctx, 1, type, &failed);
  if (failed) return;
  if (value == nullptr) return ReplyScanned(ctx, 0, shape, {});
  const auto options = ParseScan(ctx, 2, false);
  if (!options) return;
  std::vector<ScannedElement> found;
  uint64_t cursor = options->cursor;
  // Sparse tables: many empty steps are one call, but not without bound.
  int64_t steps = options->count <= INT64_MAX / 10 ? options->count * 10 : INT64_MAX;
  do {
    cursor = step(*value, cursor, &found);
  } while (cursor != 0 && --steps > 0 && found.size() < static_cast<uint64_t>(options->count));
  if (options->has_pattern) {
    std::erase_if(found, [&](const ScannedElement& e) {
      ItemText scratch;
      return !options->Matches(e.element.Text(scratch));
    });
  }
  ReplyScanned(ctx, cursor, shape, found);
}

}  // namespace backplane
