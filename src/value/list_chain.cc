// SPDX-License-Identifier: BSD-3-Clause
// The node chain of a large list: splits, joins, seeks; invariants in list_chain.h.
#include "value/list_chain.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "value/memory.h"

namespace backplane {
namespace {

// A node counted by elements still is not moved about beyond this size.
constexpr size_t kSafetyBytes = 8192;

}  // namespace

ListNodeLimit::ListNodeLimit(const EncodingLimits& limits) {
  const int size = limits.list_max_listpack_size;
  by_count = size >= 0;
  if (by_count) {
    bytes = kSafetyBytes;
    count = static_cast<uint64_t>(std::max(size, 1));
  } else {
    bytes = size_t{4096} << (std::min(-size, 5) - 1);
    count = UINT64_MAX;
  }
  plain_from = std::max<size_t>(1, std::min(limits.list_packed_threshold, bytes + 1));
}

ListNode::ListNode(Listpack elements) : pack(std::move(elements)), count(pack.Count()) {}

ListNode::ListNode(std::string_view element)
    : pack(Listpack::Adopt(nullptr)),
      plain(static_cast<char*>(AllocateBlock(std::max<size_t>(1, element.size())))),
      plain_size(element.size()),
      count(1) {
  if (!element.empty()) std::memcpy(plain, element.data(), element.size());
}

ListNode::~ListNode() { FreeBlock(plain); }

ListChain::~ListChain() {
  for (ListNode* node = head_; node != nullptr;) {
    ListNode* next = node->next;
    delete node;
    node = next;
  }
}

ListChain::Position ListChain::FirstOf(ListNode* node) {
  if (node == nullptr || node->is_plain()) return {node, Listpack::kNone};
  return {node, node->pack.First()};
}

ListChain::Position ListChain::LastOf(ListNode* node) {
  if (node == nullptr || node->is_plain()) return {node, Listpack::kNone};
  return {node, node->pack.Last()};
}

ListChain::Position ListChain::Next(Position p) const {
  if (!p.node->is_plain()) {
    p.at = p.node->pack.Next(p.at);
    if (p.at != Listpack::kNone) return p;
  }
  return FirstOf(p.node->next);
}

ListChain::Position ListChain::Prev(Position p) const {
  if (!p.node->is_plain()) {
    p.at = p.node->pack.Prev(p.at);
    if (p.at != Listpack::kNone) return p;
  }
  return LastOf(p.node->prev);
}

ListChain::Position ListChain::Seek(uint64_t index) const {
  BP_ASSERT(index < length_);
  ListNode* node;
  if (index < length_ / 2) {
    for (node = head_; index >= node->count; node = node->next) index -= node->count;
  } else {
    uint64_t behind = length_ - 1 - index;
    for (node = tail_; behind >= node->count; node = node->prev) behind -= node->count;
    index = node->count - 1 - behind;
  }
  if (node->is_plain()) return {node, Listpack::kNone};
  return {node, node->pack.Seek(static_cast<int64_t>(index))};
}

void ListChain::Link(ListNode* node, ListNode* next) {
  ListNode* prev = next != nullptr ? next->prev : tail_;
  node->prev = prev;
  node->next = next;
  (prev != nullptr ? prev->next : head_) = node;
  (next != nullptr ? next->prev : tail_) = node;
  ++node_count_;
  length_ += node->count;
}

void ListChain::Unlink(ListNode* node) {
  (node->prev != nullptr ? node->prev->next : head_) = node->next;
  (node->next != nullptr ? node->next->prev : tail_) = node->prev;
  --node_count_;
  length_ -= node->count;
  delete node;
}

bool ListChain::HasRoom(const ListNode* node, uint32_t element_size, const ListNodeLimit& limit) {
  return node != nullptr && !node->is_plain() &&
         !limit.Exceeded(node->pack.bytes() + element_size, uint64_t{node->count} + 1);
}

ListNode* ListChain::NewNode(std::string_view text, const ListNodeLimit& limit) {
  if (limit.IsLarge(text)) return new ListNode(text);
  Listpack pack;
  pack.Append(text);
  return new ListNode(std::move(pack));
}

void ListChain::PushFront(std::string_view text, const ListNodeLimit& limit) {
  const listpack::Encoded element(text);
  if (limit.IsLarge(text) || !HasRoom(head_, element.size(), limit)) {
    Link(NewNode(text, limit), head_);
    return;
  }
  head_->pack.InsertBefore(Listpack::kHeaderSize, element);
  ++head_->count;
  ++length_;
}

void ListChain::PushBack(std::string_view text, const ListNodeLimit& limit) {
  const listpack::Encoded element(text);
  if (limit.IsLarge(text) || !HasRoom(tail_, element.size(), limit)) {
    Link(NewNode(text, limit), nullptr);
    return;
  }
  tail_->pack.InsertBefore(Listpack::kNone, element);
  ++tail_->count;
  ++length_;
}

ListNode* ListChain::SplitBefore(Position p) {
  ListNode* node = p.node;
  if (node->is_plain() || p.at == node->pack.First()) return node->prev;
  // The front part goes to a node of its own, so that `node` keeps the element asked for.
  Listpack back = node->pack.SplitOff(p.at);
  auto* front = new ListNode(std::exchange(node->pack, std::move(back)));
  node->count -= front->count;
  length_ -= front->count;
  Link(front, node);
  return front;
}

void ListChain::TryMerge(ListNode* left, const ListNodeLimit& limit) {
  if (left == nullptr || left->is_plain()) return;
  ListNode* right = left->next;
  if (right == nullptr || right->is_plain()) return;
  if (limit.Exceeded(size_t{left->pack.bytes()} + right->pack.bytes(),
                     uint64_t{left->count} + right->count)) {
    return;
  }
  left->pack.AppendAll(right->pack);
  left->count += right->count;
  length_ += right->count;
  Unlink(right);
}

void ListChain::InsertBefore(Position p, std::string_view text, const ListNodeLimit& limit) {
  const listpack::Encoded element(text);
  ListNode* node = p.node;
  if (!limit.IsLarge(text)) {
    if (HasRoom(node, element.size(), limit)) {
      node->pack.InsertBefore(p.at, element);
      ++node->count;
      ++length_;
      return;
    }
    const bool at_front = node->is_plain() || p.at == node->pack.First();
    if (at_front && HasRoom(node->prev, element.size(), limit)) {
      node->prev->pack.InsertBefore(Listpack::kNone, element);
      ++node->prev->count;
      ++length_;
      return;
    }
  }
  ListNode* before = SplitBefore(p);
  ListNode* added = NewNode(text, limit);
  Link(added, node);
  // A split in the middle leaves two halves; the new element joins the one that has room.
  TryMerge(before, limit);
  TryMerge(node->prev, limit);
}

void ListChain::InsertAfter(Position p, std::string_view text, const ListNodeLimit& limit) {
  const listpack::Encoded element(text);
  if (!limit.IsLarge(text) && HasRoom(p.node, element.size(), limit)) {
    p.node->pack.InsertBefore(p.node->pack.Next(p.at), element);
    ++p.node->count;
    ++length_;
    return;
  }
  const Position next = Next(p);
  if (next) {
    InsertBefore(next, text, limit);
  } else {
    PushBack(text, limit);
  }
}

void ListChain::Replace(Position p, std::string_view text, const ListNodeLimit& limit) {
  ListNode* node = p.node;
  if (!node->is_plain() && !limit.IsLarge(text)) {
    const listpack::Encoded element(text);
    const size_t old_size =
        listpack::ElementSize(reinterpret_cast<const uint8_t*>(node->pack.Raw().data()) + p.at);
    if (node->count == 1 || element.size() <= old_size ||
        !limit.Exceeded(node->pack.bytes() - old_size + element.size(), node->count)) {
      node->pack.Replace(p.at, element);
      return;
    }
  }
  if (node->count == 1) {
    Link(NewNode(text, limit), node);
    Unlink(node);
    return;
  }
  const Position next = Erase(p);
  if (next) {
    InsertBefore(next, text, limit);
  } else {
    PushBack(text, limit);
  }
}

ListChain::Position ListChain::Erase(Position p) {
  ListNode* node = p.node;
  if (node->count == 1) {
    ListNode* next = node->next;
    Unlink(node);
    return FirstOf(next);
  }
  p.at = node->pack.Erase(p.at);
  --node->count;
  --length_;
  return p.at != Listpack::kNone ? p : FirstOf(node->next);
}

void ListChain::EraseRange(uint64_t index, uint64_t count) {
  if (count == 0) return;
  Position p = Seek(index);
  while (count > 0) {
    ListNode* node = p.node;
    const bool from_start = node->is_plain() || p.at == node->pack.First();
    if (from_start && node->count <= count) {
      ListNode* next = node->next;
      count -= node->count;
      Unlink(node);
      p = FirstOf(next);
      continue;
    }
    const uint32_t before = node->count;
    node->pack.Erase(p.at, static_cast<uint32_t>(std::min<uint64_t>(count, UINT32_MAX)));
    node->count = node->pack.Count();
    length_ -= before - node->count;
    count -= before - node->count;
    p = FirstOf(node->next);
  }
}

void ListChain::AppendNode(Listpack elements) { Link(new ListNode(std::move(elements)), nullptr); }

void ListChain::AppendPlain(std::string_view element) { Link(new ListNode(element), nullptr); }

Listpack ListChain::TakeOnlyNode() {
  BP_ASSERT(node_count_ == 1 && !head_->is_plain());
  Listpack pack = std::exchange(head_->pack, Listpack::Adopt(nullptr));
  Unlink(head_);
  return pack;
}

}  // namespace backplane
