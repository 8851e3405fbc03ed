// SPDX-License-Identifier: BSD-3-Clause
// ListValue: what a list key holds. One listpack while it is small ("listpack"), a ListChain beyond
// list-max-listpack-size ("quicklist"); it goes back when a chain shrinks to one node of half the
// limit. Used by the list commands, SORT and the module host.
//
// Engine thread. Items and Positions borrow: they are good until the list changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "value/encoding_slot.h"
#include "value/limits.h"
#include "value/list_chain.h"
#include "value/value.h"

namespace backplane {

enum class ListEnd { kHead, kTail };

class ListValue final : public Value {
 public:
  // An element. In the small form `node` is null and `at` alone says where.
  using Position = ListChain::Position;

  ListValue() { slot_.SetListpack(Listpack()); }
  ~ListValue() override;

  const ValueType& type() const override;
  std::string_view encoding_name() const override;
  uint64_t length() const override {
    return is_chain() ? chain().length() : slot_.listpack().Count();
  }
  size_t MemoryUsage(size_t samples) const override;
  size_t FreeEffort() const override;
  std::unique_ptr<Value> Clone() const override;
  uint8_t rdb_type(int rdb_version) const override;
  void Save(ValueWriter& writer) const override;
  // RDB types 1, 10, 14 and 18.
  static Result<std::unique_ptr<Value>> Load(uint8_t rdb_type, ValueReader& reader,
                                             const EncodingLimits& limits);

  // A command that adds several elements says so first: the encoding is decided for all of them
  // together. `bytes` is the sum of their sizes.
  void PrepareToGrow(size_t bytes, uint64_t count, const EncodingLimits& limits);
  void Push(ListEnd end, std::string_view text, const EncodingLimits& limits);

  // The element of that index, negative from the end; false if there is none.
  bool At(int64_t index, Item* item) const;
  // REQUIRES: not empty. POP is Peek, reply, Drop.
  Item Peek(ListEnd end) const;
  // Removes `count` elements from an end. REQUIRES: count <= length().
  void Drop(ListEnd end, uint64_t count, const EncodingLimits& limits);
  // REQUIRES: index + count <= length().
  void EraseRange(uint64_t index, uint64_t count, const EncodingLimits& limits);
  // Keeps `count` elements from `index` on. REQUIRES: index + count <= length().
  void Trim(uint64_t index, uint64_t count, const EncodingLimits& limits);
  // Index negative from the end. False if there is no such element.
  bool Set(int64_t index, std::string_view text, const EncodingLimits& limits);
  // Inserts so that the new element has this index. REQUIRES: index <= length().
  void InsertAt(uint64_t index, std::string_view text, const EncodingLimits& limits);
  // Inserts beside the first element that equals `pivot`; false if none does.
  bool InsertBeside(std::string_view pivot, bool before, std::string_view text,
                    const EncodingLimits& limits);
  // Removes elements equal to `text`: the first `count`, the last -count, all if 0. Returns how
  // many.
  uint64_t RemoveEqual(std::string_view text, int64_t count, const EncodingLimits& limits);

  // Calls f(Item) for `count` elements from `index` on, front to back.
  // REQUIRES: index + count <= length().
  template <class F>
  void ForRange(uint64_t index, uint64_t count, F&& f) const {
    if (is_chain()) return chain().ForRange(index, count, f);
    if (count == 0) return;
    const Listpack& pack = slot_.listpack();
    for (auto at = pack.Seek(static_cast<int64_t>(index)); at != Listpack::kNone && count > 0;
         at = pack.Next(at), --count) {
      f(pack.Get(at));
    }
  }
  // The same from `index` backwards. REQUIRES: index < length(), count <= index + 1.
  template <class F>
  void ForRangeBackwards(uint64_t index, uint64_t count, F&& f) const {
    Position p = count > 0 ? Seek(index) : Position();
    for (; count > 0; --count, p = Prev(p)) f(Get(p));
  }

  // LPOS: calls f(index) for elements equal to `text`, the rank-th match (from 1; negative: from
  // the tail) being the first reported, until f returns false or `max_compared` elements were
  // looked at (0: no bound). REQUIRES: rank != 0.
  template <class F>
  void FindEqual(std::string_view text, int64_t rank, uint64_t max_compared, F&& f) const;

  // Walking, for callers that keep their place (modules' iteration).
  // REQUIRES for Seek: index < length().
  Position Seek(uint64_t index) const;
  bool Valid(Position p) const { return p.node != nullptr || p.at != Listpack::kNone; }
  Position Next(Position p) const {
    return is_chain() ? chain().Next(p) : Position{nullptr, slot_.listpack().Next(p.at)};
  }
  Position Prev(Position p) const {
    return is_chain() ? chain().Prev(p) : Position{nullptr, slot_.listpack().Prev(p.at)};
  }
  Item Get(Position p) const { return is_chain() ? chain().Get(p) : slot_.listpack().Get(p.at); }

 private:
  bool is_chain() const { return slot_.form() == EncodingSlot::Form::kLarge; }
  ListChain& chain() { return *slot_.large<ListChain>(); }
  const ListChain& chain() const { return *slot_.large<ListChain>(); }
  Position FirstPosition() const;
  Position LastPosition() const;
  Position Erase(Position p);
  void InsertBefore(Position p, std::string_view text, const EncodingLimits& limits);
  void ConvertToChain();
  // Back to the small form if the chain is one node within the limit (half of it if `shrinking`).
  void ConvertToListpackIfSmall(const EncodingLimits& limits, bool shrinking);

  static Status LoadElements(ListValue& list, ValueReader& reader, const EncodingLimits& limits);
  static Status LoadNodes(uint8_t rdb_type, ListValue& list, ValueReader& reader);

  EncodingSlot slot_;
};

template <class F>
void ListValue::FindEqual(std::string_view text, int64_t rank, uint64_t max_compared, F&& f) const {
  const uint64_t size = length();
  if (size == 0) return;
  const bool forward = rank > 0;
  // Negating INT64_MIN as unsigned is its magnitude.
  uint64_t to_skip = (forward ? static_cast<uint64_t>(rank) : 0 - static_cast<uint64_t>(rank)) - 1;
  const ItemMatcher matcher(text);
  Position p = forward ? FirstPosition() : LastPosition();
  for (uint64_t seen = 0; Valid(p) && (max_compared == 0 || seen < max_compared); ++seen) {
    if (matcher.Matches(Get(p))) {
      if (to_skip > 0) {
        --to_skip;
      } else if (!f(forward ? seen : size - 1 - seen)) {
        return;
      }
    }
    p = forward ? Next(p) : Prev(p);
  }
}

}  // namespace backplane
