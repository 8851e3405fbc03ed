// SPDX-License-Identifier: BSD-3-Clause
// ZSetValue: what a sorted set key holds. A listpack of member, score, member, score... in order
// while it has few and short members ("listpack"); beyond, a table from member to entry and a
// ScoreTree over the entries ("skiplist"). It goes back only for results of set operations
// (ConvertToListpackIfSmall). Used by the sorted set and geo commands, SORT and the module host.
//
// Every range, by score or by member, is turned into a Span of ranks first; reading, counting and
// erasing then are the same for all of them.
//
// The listpack's score is an integer if it is one, else the text that ZSCORE answers; -0 becomes 0.
//
// Engine thread. Items and Positions borrow: they are good until the sorted set changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "value/encoding_slot.h"
#include "value/limits.h"
#include "value/sampling.h"
#include "value/score_tree.h"
#include "value/value.h"
#include "value/zset_range.h"

namespace backplane {

// Conditions of ZADD. REQUIRES: no contradiction (nx with xx, gt or lt; gt with lt).
struct ZAddFlags {
  bool nx = false;
  bool xx = false;
  bool gt = false;
  bool lt = false;
  bool incr = false;  // the score is an increment
};

struct ZAddResult {
  enum class Outcome : uint8_t {
    kAdded,
    kUpdated,
    kUnchanged,  // had that score already
    kBlocked,    // a condition did not hold
    kNaN,        // the sum is not a number; nothing was changed
  };
  Outcome outcome;
  double score;  // the member's score after kAdded, kUpdated and kUnchanged
};

class ZSetValue final : public Value {
 public:
  // `count` ranks from `first` on, in ascending order.
  struct Span {
    uint64_t first = 0;
    uint64_t count = 0;

    // Without its lowest ranks, or the highest if `reverse`.
    Span Without(uint64_t skip, bool reverse) const {
      if (skip >= count) return {};
      return {reverse ? first : first + skip, count - skip};
    }
  };

  ZSetValue() { slot_.SetListpack(Listpack()); }
  ~ZSetValue() override;

  const ValueType& type() const override;
  std::string_view encoding_name() const override;
  uint64_t length() const override {
    return is_large() ? large().table.size() : slot_.listpack().Count() / 2;
  }
  size_t MemoryUsage(size_t samples) const override;
  size_t FreeEffort() const override;
  std::unique_ptr<Value> Clone() const override;
  uint8_t rdb_type(int rdb_version) const override;
  void Save(ValueWriter& writer) const override;
  // RDB types 3, 5, 12 and 17.
  static Result<std::unique_ptr<Value>> Load(uint8_t rdb_type, ValueReader& reader,
                                             const EncodingLimits& limits);

  // A command that adds `count` members, the longest of `longest` bytes, says so first.
  void PrepareToGrow(uint64_t count, size_t longest, const EncodingLimits& limits);
  void ConvertToListpackIfSmall(const EncodingLimits& limits);

  // REQUIRES: score is not NaN. `member` must not be borrowed from this value.
  ZAddResult Add(std::string_view member, double score, ZAddFlags flags,
                 const EncodingLimits& limits);
  bool Remove(std::string_view member);
  // Removes the members of those ranks. REQUIRES: within length().
  void EraseSpan(Span span);

  bool Score(std::string_view member, double* score) const;
  // From the lowest, or from the highest if `reverse`. nullopt if there is no such member.
  std::optional<uint64_t> Rank(std::string_view member, bool reverse,
                               double* score = nullptr) const;
  Span SpanOf(const ScoreRange& range) const;
  // Meaningful if all scores are equal. If they are not, a listpack is read as Redis reads it: from
  // the first member within the range, or from the last if `reverse`, past `skip` others, to the
  // next one beyond the range.
  Span SpanOf(const LexRange& range, bool reverse = false, uint64_t skip = 0) const;

  // For batches: the first step fetches what the second reads, the second what Add, Remove and
  // Score read. `hash` is HashBytes(member). Nothing to fetch in a listpack.
  void PrefetchBucket(uint64_t hash) const {
    if (is_large()) large().table.PrefetchBucket(hash);
  }
  void PrefetchEntry(uint64_t hash) const {
    if (is_large()) large().table.PrefetchItem(hash);
  }

  // Calls f(Item member, double score) for the ranks of `span`, descending if `reverse`. REQUIRES:
  // within length(); f does not change this value.
  template <class F>
  void ForSpan(Span span, bool reverse, F&& f) const;
  template <class F>
  void ForEach(F&& f) const {
    ForSpan({0, length()}, false, f);
  }
  // One step of a full iteration: calls f(member, score), returns the next cursor, 0 at the end. A
  // listpack is one step.
  template <class F>
  uint64_t Scan(uint64_t cursor, F&& f) const;
  // One member, uniformly drawn. REQUIRES: not empty.
  void Sample(Random& random, Item* member, double* score) const;
  // Calls f(member, score) for `count` distinct members, or all if there are fewer.
  template <class F>
  void SampleDistinct(Random& random, uint64_t count, F&& f) const;

  // Walking, for callers that keep their place (modules' iteration).
  class Position {
   public:
    Position() = default;
    explicit operator bool() const { return tree_ || pack_ != Listpack::kNone; }

   private:
    friend class ZSetValue;
    ScoreTree::Position tree_;
    Listpack::Position pack_ = Listpack::kNone;  // of the member
  };
  // REQUIRES: rank < length(). Next and Prev give a false Position behind the ends.
  Position At(uint64_t rank) const;
  Position Next(Position p) const;
  Position Prev(Position p) const;
  Item MemberAt(const Position& p) const {
    return p.tree_ ? Item(p.tree_.entry().member()) : slot_.listpack().Get(p.pack_);
  }
  double ScoreAt(const Position& p) const {
    return p.tree_ ? p.tree_.score() : ScoreBehind(slot_.listpack(), p.pack_);
  }

 private:
  struct Large {
    // First, so that its address is the allocation's (TableMemory).
    BucketTable<ZSetEntryTraits> table;
    ScoreTree tree;
  };

  bool is_large() const { return slot_.form() == EncodingSlot::Form::kLarge; }
  Large& large() const { return *slot_.large<Large>(); }

  // The score stored behind the member at `at`.
  static double ScoreBehind(const Listpack& pack, Listpack::Position at) {
    return ScoreOf(pack.Get(pack.Next(at)));
  }
  static double ScoreOf(const Item& item) {
    return item.is_number() ? static_cast<double>(item.number()) : ScoreOfText(item.bytes());
  }
  static double ScoreOfText(std::string_view text);
  static bool PackIsSound(const Listpack& pack, bool* ordered);
  // Puts a member that is absent in its place.
  void InsertIntoListpack(std::string_view member, double score);
  static void InsertIntoLarge(Large& large, std::string_view member, double score, uint64_t hash);
  void SetScoreInListpack(Listpack::Position at, std::string_view member, double score);
  void ConvertToLarge(uint64_t expected);
  void ConvertToListpack();
  size_t LongestMember() const;
  // How many members lead the order for which before(score, member) holds. `member` is a function
  // that fetches the Item: most conditions look at the score alone and save the cache miss.
  template <class Pred>
  uint64_t CountWhile(Pred&& before) const;
  template <class Range, class Key>
  Span SpanBetween(const Range& range, Key&& key) const;
  Span ListpackSpan(const LexRange& range, bool reverse, uint64_t skip) const;

  static Status LoadMembers(uint8_t rdb_type, ZSetValue& zset, ValueReader& reader);
  static Status LoadPack(uint8_t rdb_type, ZSetValue& zset, ValueReader& reader);

  EncodingSlot slot_;
};

template <class F>
void ZSetValue::ForSpan(Span span, bool reverse, F&& f) const {
  if (span.count == 0) return;
  uint64_t left = span.count;
  const uint64_t start = reverse ? span.first + span.count - 1 : span.first;
  if (!is_large()) {
    const Listpack& pack = slot_.listpack();
    auto at = pack.Seek(static_cast<int64_t>(start * 2));
    for (; left > 0; --left) {
      const auto score_at = pack.Next(at);
      f(pack.Get(at), ScoreOf(pack.Get(score_at)));
      if (left > 1) at = reverse ? pack.Prev(pack.Prev(at)) : pack.Next(score_at);
    }
    return;
  }
  ScoreTree::Position p = large().tree.At(start);
  for (; left > 0; --left) {
    p.PrefetchNeighbour(reverse);
    f(Item(p.entry().member()), p.score());
    reverse ? p.Prev() : p.Next();
  }
}

template <class F>
uint64_t ZSetValue::Scan(uint64_t cursor, F&& f) const {
  if (is_large()) {
    return large().table.Scan(cursor,
                              [&](ZSetEntry* entry) { f(Item(entry->member()), entry->score()); });
  }
  ForEach(f);
  return 0;
}

template <class F>
void ZSetValue::SampleDistinct(Random& random, uint64_t count, F&& f) const {
  if (is_large()) {
    SampleDistinctEntries(large().table, random, count,
                          [&](const ZSetEntry& e) { f(Item(e.member()), e.score()); });
    return;
  }
  SelectionSampler sampler(random, length(), count);
  ForEach([&](const Item& member, double score) {
    if (!sampler.done() && sampler.Take()) f(member, score);
  });
}

}  // namespace backplane
