// SPDX-License-Identifier: BSD-3-Clause
// Both forms of a sorted set and the ways between them; contract in zset_value.h.
#include "value/zset_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "base/numbers.h"
#include "value/builtin_types.h"
#include "value/table_support.h"

namespace backplane {
namespace {

struct ScoreText {
  char bytes[kNumberTextMax];
};

// How a score stands in a listpack; `scratch` holds its text.
listpack::Encoded EncodeScore(double score, ScoreText& scratch) {
  // Within this range the conversion to an integer and back is defined, and exact if they agree.
  constexpr double kSafe = 4.0e18;
  if (score > -kSafe && score < kSafe) {
    const auto whole = static_cast<int64_t>(score);
    if (static_cast<double>(whole) == score) return listpack::Encoded(whole);
  }
  return listpack::Encoded(
      Item(std::string_view(scratch.bytes, DoubleToText(score, scratch.bytes))));
}

}  // namespace

ZSetValue::~ZSetValue() {
  if (is_large()) {
    large().table.Clear(ZSetEntry::Free);
    delete &large();
  } else {
    slot_.TakeListpack();
  }
}

const ValueType& ZSetValue::type() const { return ZSetValueType(); }

std::string_view ZSetValue::encoding_name() const {
  return is_large() ? kEncodingSkiplist : kEncodingListpack;
}

size_t ZSetValue::MemoryUsage(size_t samples) const {
  if (!is_large()) return sizeof(*this) + slot_.listpack().AllocatedBytes();
  return sizeof(*this) + TableMemory(large().table, samples) + large().tree.MemoryBytes();
}

size_t ZSetValue::FreeEffort() const { return is_large() ? large().table.size() + 1 : 1; }

std::unique_ptr<Value> ZSetValue::Clone() const {
  auto copy = std::make_unique<ZSetValue>();
  if (!is_large()) {
    copy->slot_.listpack() = slot_.listpack().Clone();
    return copy;
  }
  copy->ConvertToLarge(length());
  ForEach([&](const Item& member, double score) {
    InsertIntoLarge(copy->large(), member.bytes(), score, HashBytes(member.bytes()));
  });
  return copy;
}

double ZSetValue::ScoreOfText(std::string_view text) {
  double score;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), score);
  if (end.ec == std::errc() && end.ptr == text.data() + text.size()) return score;
  // Spellings that other writers may have left ("+inf", hexadecimal). Checked when it was loaded.
  return ParseDouble(text).value_or(0);
}

void ZSetValue::InsertIntoLarge(Large& large, std::string_view member, double score,
                                uint64_t hash) {
  ZSetEntry* entry = ZSetEntry::Make(member, score);
  large.table.Insert(entry, hash);
  large.tree.Insert(entry);
}

void ZSetValue::ConvertToLarge(uint64_t expected) {
  auto* grown = new Large();
  grown->table.Reserve(BoundedReserve(expected));
  ItemText scratch;
  ForEach([&](const Item& item, double score) {
    const std::string_view member = item.Text(scratch);
    InsertIntoLarge(*grown, member, score, HashBytes(member));
  });
  slot_.TakeListpack();
  slot_.SetLarge(grown);
}

void ZSetValue::ConvertToListpack() {
  Listpack pack;
  ScoreText scratch;
  ForEach([&](const Item& member, double score) {
    pack.Append(member.bytes());
    pack.InsertBefore(Listpack::kNone, EncodeScore(score, scratch));
  });
  large().table.Clear(ZSetEntry::Free);
  delete &large();
  slot_.SetListpack(std::move(pack));
}

size_t ZSetValue::LongestMember() const {
  size_t longest = 0;
  ForEach([&](const Item& member, double) { longest = std::max(longest, member.TextSize()); });
  return longest;
}

void ZSetValue::PrepareToGrow(uint64_t count, size_t longest, const EncodingLimits& limits) {
  if (!is_large() &&
      (count > limits.zset_max_listpack_entries || longest > limits.zset_max_listpack_value)) {
    ConvertToLarge(std::max(count, length()));
  }
}

void ZSetValue::ConvertToListpackIfSmall(const EncodingLimits& limits) {
  if (!is_large() || length() > limits.zset_max_listpack_entries) return;
  const size_t longest = LongestMember();
  if (longest > limits.zset_max_listpack_value ||
      (longest + kNumberTextMax) * (length() + 1) >= Listpack::kMaxBytes) {
    return;
  }
  ConvertToListpack();
}

void ZSetValue::InsertIntoListpack(std::string_view member, double score) {
  Listpack& pack = slot_.listpack();
  ItemText scratch;
  auto at = pack.First();
  while (at != Listpack::kNone) {
    const auto score_at = pack.Next(at);
    const double other = ScoreOf(pack.Get(score_at));
    if (other > score || (other == score && pack.Get(at).Text(scratch) > member)) break;
    at = pack.Next(score_at);
  }
  const bool at_end = at == Listpack::kNone;
  pack.InsertBefore(at, member);
  if (!at_end) at = pack.Next(at);
  ScoreText text;
  pack.InsertBefore(at, EncodeScore(score, text));
}

void ZSetValue::SetScoreInListpack(Listpack::Position at, std::string_view member, double score) {
  slot_.listpack().Erase(at, 2);
  InsertIntoListpack(member, score);
}

ZAddResult ZSetValue::Add(std::string_view member, double score, ZAddFlags flags,
                          const EncodingLimits& limits) {
  using Outcome = ZAddResult::Outcome;
  const uint64_t hash = is_large() ? HashBytes(member) : 0;
  ZSetEntry* entry = is_large() ? large().table.Find(member, hash) : nullptr;
  Listpack::Position at = Listpack::kNone;
  if (!is_large()) at = slot_.listpack().Find(slot_.listpack().First(), member, 1);
  if (entry == nullptr && at == Listpack::kNone) {
    if (flags.xx) return {Outcome::kBlocked, 0};
    if (is_large()) {
      InsertIntoLarge(large(), member, score, hash);
    } else if (length() + 1 > limits.zset_max_listpack_entries ||
               member.size() > limits.zset_max_listpack_value ||
               !slot_.listpack().Fits(member.size() + kNumberTextMax)) {
      ConvertToLarge(length() + 1);
      InsertIntoLarge(large(), member, score, HashBytes(member));
    } else {
      InsertIntoListpack(member, score);
    }
    return {Outcome::kAdded, score};
  }
  if (flags.nx) return {Outcome::kBlocked, 0};
  const double old = entry != nullptr ? entry->score() : ScoreBehind(slot_.listpack(), at);
  if (flags.incr) score += old;
  if (std::isnan(score)) return {Outcome::kNaN, 0};
  if ((flags.gt && score <= old) || (flags.lt && score >= old)) return {Outcome::kBlocked, 0};
  if (score == old) return {Outcome::kUnchanged, score};
  if (entry != nullptr) {
    large().tree.SetScore(entry, score);
  } else {
    SetScoreInListpack(at, member, score);
  }
  return {Outcome::kUpdated, score};
}

bool ZSetValue::Remove(std::string_view member) {
  if (is_large()) {
    ZSetEntry* entry = large().table.Erase(member);
    if (entry == nullptr) return false;
    large().tree.Erase(entry);
    ZSetEntry::Free(entry);
    return true;
  }
  Listpack& pack = slot_.listpack();
  const auto at = pack.Find(pack.First(), member, 1);
  if (at == Listpack::kNone) return false;
  pack.Erase(at, 2);
  return true;
}

void ZSetValue::EraseSpan(Span span) {
  BP_ASSERT(span.first + span.count <= length());
  if (span.count == 0) return;
  if (!is_large()) {
    Listpack& pack = slot_.listpack();
    pack.Erase(pack.Seek(static_cast<int64_t>(span.first * 2)),
               static_cast<uint32_t>(span.count * 2));
    return;
  }
  for (uint64_t i = 0; i < span.count; ++i) {
    const ScoreTree::Position p = large().tree.At(span.first);
    ZSetEntry* entry = large().table.Erase(p.entry().member());
    large().tree.Erase(entry);
    ZSetEntry::Free(entry);
  }
}

bool ZSetValue::Score(std::string_view member, double* score) const {
  if (is_large()) {
    const ZSetEntry* entry = large().table.Find(member);
    if (entry != nullptr) *score = entry->score();
    return entry != nullptr;
  }
  const Listpack& pack = slot_.listpack();
  const auto at = pack.Find(pack.First(), member, 1);
  if (at != Listpack::kNone) *score = ScoreBehind(pack, at);
  return at != Listpack::kNone;
}

std::optional<uint64_t> ZSetValue::Rank(std::string_view member, bool reverse,
                                        double* score) const {
  uint64_t rank = 0;
  if (is_large()) {
    const ZSetEntry* entry = large().table.Find(member);
    if (entry == nullptr) return std::nullopt;
    rank = large().tree.RankOf(entry);
    if (score != nullptr) *score = entry->score();
  } else {
    const Listpack& pack = slot_.listpack();
    const auto found = pack.Find(pack.First(), member, 1);
    if (found == Listpack::kNone) return std::nullopt;
    for (auto at = pack.First(); at != found; at = pack.Next(pack.Next(at))) ++rank;
    if (score != nullptr) *score = ScoreBehind(pack, found);
  }
  return reverse ? length() - 1 - rank : rank;
}

template <class Pred>
uint64_t ZSetValue::CountWhile(Pred&& before) const {
  if (is_large()) {
    return large().tree.CountWhile([&](double score, const ZSetEntry* entry) {
      return before(score, [&] { return Item(entry->member()); });
    });
  }
  const Listpack& pack = slot_.listpack();
  uint64_t count = 0;
  for (auto at = pack.First(); at != Listpack::kNone; ++count) {
    const auto score_at = pack.Next(at);
    if (!before(ScoreOf(pack.Get(score_at)), [&] { return pack.Get(at); })) break;
    at = pack.Next(score_at);
  }
  return count;
}

template <class Range, class Key>
ZSetValue::Span ZSetValue::SpanBetween(const Range& range, Key&& key) const {
  const uint64_t first =
      CountWhile([&](double score, auto&& member) { return range.IsBefore(key(score, member)); });
  const uint64_t end = CountWhile(
      [&](double score, auto&& member) { return range.IsNotBehind(key(score, member)); });
  return {first, end > first ? end - first : 0};
}

ZSetValue::Span ZSetValue::SpanOf(const ScoreRange& range) const {
  return SpanBetween(range, [](double score, auto&&) { return score; });
}

ZSetValue::Span ZSetValue::ListpackSpan(const LexRange& range, bool reverse, uint64_t skip) const {
  constexpr uint64_t kNone = UINT64_MAX;
  const Listpack& pack = slot_.listpack();
  ItemText scratch;
  uint64_t start = kNone;
  uint64_t rank = 0;
  bool before = true;
  bool within = false;
  for (auto at = pack.First(); at != Listpack::kNone; at = pack.Next(pack.Next(at)), ++rank) {
    const std::string_view member = pack.Get(at).Text(scratch);
    const bool not_behind = range.IsNotBehind(member);
    before = range.IsBefore(member);
    // Where scores are equal, no other is within the range then.
    if (rank == 0 && !not_behind) return {};
    if (reverse ? not_behind : !before && start == kNone) {
      start = rank;
      within = !before && not_behind;
    }
  }
  if (before || !within) return {};
  if (skip > (reverse ? start : rank - 1 - start)) return {};
  if (!reverse) {
    start += skip;
    Span span{start, 0};
    for (auto at = pack.Seek(static_cast<int64_t>(start * 2)); at != Listpack::kNone;
         at = pack.Next(pack.Next(at)), ++span.count) {
      if (!range.IsNotBehind(pack.Get(at).Text(scratch))) break;
    }
    return span;
  }
  start -= skip;
  uint64_t first = 0;
  auto at = pack.First();
  for (rank = 0; rank <= start; at = pack.Next(pack.Next(at)), ++rank) {
    if (range.IsBefore(pack.Get(at).Text(scratch))) first = rank + 1;
  }
  return {first, start + 1 - first};
}

ZSetValue::Span ZSetValue::SpanOf(const LexRange& range, bool reverse, uint64_t skip) const {
  if (!is_large()) return ListpackSpan(range, reverse, skip);
  ItemText scratch;
  const Span span =
      SpanBetween(range, [&](double, auto&& member) { return member().Text(scratch); });
  return span.Without(skip, reverse);
}

void ZSetValue::Sample(Random& random, Item* member, double* score) const {
  if (is_large()) {
    const ZSetEntry* entry = large().table.Sample(random);
    *member = Item(entry->member());
    *score = entry->score();
    return;
  }
  const Position p = At(random.Below(length()));
  *member = MemberAt(p);
  *score = ScoreAt(p);
}

ZSetValue::Position ZSetValue::At(uint64_t rank) const {
  Position p;
  if (is_large()) {
    p.tree_ = large().tree.At(rank);
  } else {
    p.pack_ = slot_.listpack().Seek(static_cast<int64_t>(rank * 2));
  }
  return p;
}

ZSetValue::Position ZSetValue::Next(Position p) const {
  if (p.tree_) {
    p.tree_.Next();
  } else {
    const Listpack& pack = slot_.listpack();
    p.pack_ = pack.Next(pack.Next(p.pack_));
  }
  return p;
}

ZSetValue::Position ZSetValue::Prev(Position p) const {
  if (p.tree_) {
    p.tree_.Prev();
  } else {
    const Listpack& pack = slot_.listpack();
    const auto score_before = pack.Prev(p.pack_);
    p.pack_ = score_before != Listpack::kNone ? pack.Prev(score_before) : Listpack::kNone;
  }
  return p;
}

}  // namespace backplane
