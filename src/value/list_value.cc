// SPDX-License-Identifier: BSD-3-Clause
// Both forms of a list and the ways between them; contract in list_value.h.
#include "value/list_value.h"

#include "base/assert.h"
#include "value/builtin_types.h"
#include "value/memory.h"

namespace backplane {

ListValue::~ListValue() {
  if (is_chain()) {
    delete &chain();
  } else {
    slot_.TakeListpack();
  }
}

const ValueType& ListValue::type() const { return ListValueType(); }

std::string_view ListValue::encoding_name() const {
  return is_chain() ? kEncodingQuicklist : kEncodingListpack;
}

size_t ListValue::MemoryUsage(size_t samples) const {
  size_t bytes = sizeof(*this);
  if (!is_chain()) return bytes + slot_.listpack().AllocatedBytes();
  bytes += UsableBlockSize(&chain());
  size_t measured = 0;
  size_t measured_bytes = 0;
  for (const ListNode* node = chain().head();
       node != nullptr && (samples == 0 || measured < samples); node = node->next, ++measured) {
    measured_bytes += UsableBlockSize(node);
    measured_bytes += node->is_plain() ? UsableBlockSize(node->plain) : node->pack.AllocatedBytes();
  }
  if (measured == 0) return bytes;
  return bytes +
         static_cast<size_t>(static_cast<double>(measured_bytes) / static_cast<double>(measured) *
                             static_cast<double>(chain().node_count()));
}

size_t ListValue::FreeEffort() const {
  return is_chain() ? static_cast<size_t>(chain().node_count()) : 1;
}

std::unique_ptr<Value> ListValue::Clone() const {
  auto copy = std::make_unique<ListValue>();
  if (!is_chain()) {
    copy->slot_.listpack() = slot_.listpack().Clone();
    return copy;
  }
  copy->ConvertToChain();
  for (const ListNode* node = chain().head(); node != nullptr; node = node->next) {
    if (node->is_plain()) {
      copy->chain().AppendPlain({node->plain, node->plain_size});
    } else {
      copy->chain().AppendNode(node->pack.Clone());
    }
  }
  return copy;
}

void ListValue::ConvertToChain() {
  auto* grown = new ListChain();
  Listpack pack = slot_.TakeListpack();
  if (!pack.empty()) grown->AppendNode(std::move(pack));
  slot_.SetLarge(grown);
}

void ListValue::ConvertToListpackIfSmall(const EncodingLimits& limits, bool shrinking) {
  if (!is_chain() || chain().node_count() > 1) return;
  const ListNodeLimit limit(limits);
  const ListNode* node = chain().head();
  if (node != nullptr) {
    if (node->is_plain()) return;
    const uint32_t divisor = shrinking ? 2 : 1;
    if (limit.by_count ? node->count > limit.count / divisor
                       : node->pack.bytes() > limit.bytes / divisor) {
      return;
    }
  }
  ListChain* old = &chain();
  slot_.SetListpack(node != nullptr ? old->TakeOnlyNode() : Listpack());
  delete old;
}

void ListValue::PrepareToGrow(size_t bytes, uint64_t count, const EncodingLimits& limits) {
  if (is_chain()) return;
  const Listpack& pack = slot_.listpack();
  if (ListNodeLimit(limits).Exceeded(pack.bytes() + bytes, pack.Count() + count)) {
    ConvertToChain();
  }
}

void ListValue::Push(ListEnd end, std::string_view text, const EncodingLimits& limits) {
  PrepareToGrow(text.size(), 1, limits);
  if (is_chain()) {
    const ListNodeLimit limit(limits);
    return end == ListEnd::kHead ? chain().PushFront(text, limit) : chain().PushBack(text, limit);
  }
  return end == ListEnd::kHead ? slot_.listpack().Prepend(text) : slot_.listpack().Append(text);
}

ListValue::Position ListValue::FirstPosition() const {
  return is_chain() ? chain().First() : Position{nullptr, slot_.listpack().First()};
}

ListValue::Position ListValue::LastPosition() const {
  return is_chain() ? chain().Last() : Position{nullptr, slot_.listpack().Last()};
}

ListValue::Position ListValue::Seek(uint64_t index) const {
  return is_chain() ? chain().Seek(index)
                    : Position{nullptr, slot_.listpack().Seek(static_cast<int64_t>(index))};
}

bool ListValue::At(int64_t index, Item* item) const {
  const auto size = static_cast<int64_t>(length());
  if (index < 0) index += size;
  if (index < 0 || index >= size) return false;
  *item = Get(Seek(static_cast<uint64_t>(index)));
  return true;
}

Item ListValue::Peek(ListEnd end) const {
  return Get(end == ListEnd::kHead ? FirstPosition() : LastPosition());
}

void ListValue::Drop(ListEnd end, uint64_t count, const EncodingLimits& limits) {
  EraseRange(end == ListEnd::kHead ? 0 : length() - count, count, limits);
}

void ListValue::EraseRange(uint64_t index, uint64_t count, const EncodingLimits& limits) {
  BP_ASSERT(index + count <= length());
  if (count == 0) return;
  if (is_chain()) {
    chain().EraseRange(index, count);
    ConvertToListpackIfSmall(limits, /*shrinking=*/true);
    return;
  }
  Listpack& pack = slot_.listpack();
  pack.Erase(pack.Seek(static_cast<int64_t>(index)), static_cast<uint32_t>(count));
}

void ListValue::Trim(uint64_t index, uint64_t count, const EncodingLimits& limits) {
  const uint64_t size = length();
  BP_ASSERT(index + count <= size);
  EraseRange(index + count, size - index - count, limits);
  EraseRange(0, index, limits);
}

bool ListValue::Set(int64_t index, std::string_view text, const EncodingLimits& limits) {
  const auto size = static_cast<int64_t>(length());
  if (index < 0) index += size;
  if (index < 0 || index >= size) return false;
  PrepareToGrow(text.size(), 1, limits);
  const Position p = Seek(static_cast<uint64_t>(index));
  if (is_chain()) {
    chain().Replace(p, text, ListNodeLimit(limits));
    ConvertToListpackIfSmall(limits, /*shrinking=*/true);
  } else {
    slot_.listpack().Replace(p.at, text);
  }
  return true;
}

void ListValue::InsertBefore(Position p, std::string_view text, const EncodingLimits& limits) {
  if (is_chain()) {
    chain().InsertBefore(p, text, ListNodeLimit(limits));
  } else {
    slot_.listpack().InsertBefore(p.at, text);
  }
}

void ListValue::InsertAt(uint64_t index, std::string_view text, const EncodingLimits& limits) {
  BP_ASSERT(index <= length());
  if (index == length()) return Push(ListEnd::kTail, text, limits);
  if (index == 0) return Push(ListEnd::kHead, text, limits);
  PrepareToGrow(text.size(), 1, limits);
  InsertBefore(Seek(index), text, limits);
}

bool ListValue::InsertBeside(std::string_view pivot, bool before, std::string_view text,
                             const EncodingLimits& limits) {
  // The encoding is decided before the pivot is looked for, found or not.
  PrepareToGrow(text.size(), 1, limits);
  const ItemMatcher matcher(pivot);
  Position p = FirstPosition();
  while (Valid(p) && !matcher.Matches(Get(p))) p = Next(p);
  if (!Valid(p)) return false;
  if (before) {
    InsertBefore(p, text, limits);
  } else if (is_chain()) {
    chain().InsertAfter(p, text, ListNodeLimit(limits));
  } else {
    slot_.listpack().InsertAfter(p.at, text);
  }
  return true;
}

ListValue::Position ListValue::Erase(Position p) {
  return is_chain() ? chain().Erase(p) : Position{nullptr, slot_.listpack().Erase(p.at)};
}

uint64_t ListValue::RemoveEqual(std::string_view text, int64_t count,
                                const EncodingLimits& limits) {
  uint64_t left = count == 0  ? UINT64_MAX
                  : count > 0 ? static_cast<uint64_t>(count)
                              : 0 - static_cast<uint64_t>(count);
  uint64_t removed = 0;
  const ItemMatcher matcher(text);
  if (count >= 0) {
    for (Position p = FirstPosition(); Valid(p) && left > 0;) {
      if (!matcher.Matches(Get(p))) {
        p = Next(p);
        continue;
      }
      p = Erase(p);
      ++removed;
      --left;
    }
  } else {
    for (Position p = LastPosition(); Valid(p) && left > 0;) {
      const Position before = Prev(p);
      if (matcher.Matches(Get(p))) {
        Erase(p);
        ++removed;
        --left;
      }
      p = before;
    }
  }
  if (removed > 0) ConvertToListpackIfSmall(limits, /*shrinking=*/true);
  return removed;
}

}  // namespace backplane
