// SPDX-License-Identifier: BSD-3-Clause
// ListChain: the large form of a list, a doubly linked chain of nodes ("quicklist"). A node is a
// listpack of bounded size, or one element that is too large to be moved about inside of one
// ("plain"). Used by ListValue only, and so are its threads.
//
// Invariants: no node is empty; length() is the sum of the nodes' counts; a packed node exceeds the
// limit it was built under only if it holds a single element or came from a file.
#pragma once

#include <cstdint>
#include <string_view>

#include "value/limits.h"
#include "value/listpack.h"

namespace backplane {

// What list-max-listpack-size means for one node.
struct ListNodeLimit {
  size_t bytes;
  uint64_t count;
  bool by_count;      // a positive setting: `bytes` is only a safety bound
  size_t plain_from;  // elements of this many bytes stand alone

  explicit ListNodeLimit(const EncodingLimits& limits);
  bool Exceeded(size_t new_bytes, uint64_t new_count) const {
    return new_bytes > bytes || new_count > count;
  }
  bool IsLarge(std::string_view text) const { return text.size() >= plain_from; }
};

struct ListNode {
  // 48 bytes with the allocator's rounding, next to 4 to 64 KiB of elements.
  ListNode* prev = nullptr;
  ListNode* next = nullptr;
  Listpack pack;          // empty-handed in a plain node
  char* plain = nullptr;  // a plain node's element
  size_t plain_size = 0;
  uint32_t count = 0;  // elements; 1 in a plain node

  bool is_plain() const { return plain != nullptr; }
  explicit ListNode(Listpack elements);
  explicit ListNode(std::string_view element);
  ~ListNode();
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
};

class ListChain {
 public:
  // An element: its node, and its place in the node's listpack (any in a plain node). Good until
  // the chain changes, but for what the changing operation says.
  struct Position {
    ListNode* node = nullptr;
    Listpack::Position at = Listpack::kNone;
    explicit operator bool() const { return node != nullptr; }
    bool operator==(const Position&) const = default;
  };

  ListChain() = default;
  ~ListChain();
  ListChain(const ListChain&) = delete;
  ListChain& operator=(const ListChain&) = delete;

  uint64_t length() const { return length_; }
  uint64_t node_count() const { return node_count_; }
  const ListNode* head() const { return head_; }
  const ListNode* tail() const { return tail_; }

  // REQUIRES for Seek: index < length(). The others return a false Position at the end.
  Position Seek(uint64_t index) const;
  Position First() const { return FirstOf(head_); }
  Position Last() const { return LastOf(tail_); }
  Position Next(Position p) const;
  Position Prev(Position p) const;
  Item Get(Position p) const {
    return p.node->is_plain() ? Item(std::string_view(p.node->plain, p.node->plain_size))
                              : p.node->pack.Get(p.at);
  }

  // Calls f(Item) for `count` elements from `index` on. REQUIRES: index + count <= length().
  template <class F>
  void ForRange(uint64_t index, uint64_t count, F&& f) const;

  void PushFront(std::string_view text, const ListNodeLimit& limit);
  void PushBack(std::string_view text, const ListNodeLimit& limit);
  void InsertBefore(Position p, std::string_view text, const ListNodeLimit& limit);
  void InsertAfter(Position p, std::string_view text, const ListNodeLimit& limit);
  void Replace(Position p, std::string_view text, const ListNodeLimit& limit);
  // Returns the element behind the erased one. Positions before it stay good.
  Position Erase(Position p);
  // REQUIRES: index + count <= length().
  void EraseRange(uint64_t index, uint64_t count);

  // Whole nodes at the end, for loading and conversion. REQUIRES: not empty.
  void AppendNode(Listpack elements);
  void AppendPlain(std::string_view element);
  // Takes the elements out of a chain of one packed node, and leaves it empty.
  Listpack TakeOnlyNode();

 private:
  static Position FirstOf(ListNode* node);
  static Position LastOf(ListNode* node);
  static bool HasRoom(const ListNode* node, uint32_t element_size, const ListNodeLimit& limit);
  // Links `node` in before `next` (null: at the end).
  void Link(ListNode* node, ListNode* next);
  void Unlink(ListNode* node);
  // Makes `p` the first element of its node; returns the node that now ends before it, or null.
  ListNode* SplitBefore(Position p);
  // Joins `left` and the node behind it if both are packed and fit in one.
  void TryMerge(ListNode* left, const ListNodeLimit& limit);
  static ListNode* NewNode(std::string_view text, const ListNodeLimit& limit);

  ListNode* head_ = nullptr;
  ListNode* tail_ = nullptr;
  uint64_t length_ = 0;
  uint64_t node_count_ = 0;
};

template <class F>
void ListChain::ForRange(uint64_t index, uint64_t count, F&& f) const {
  if (count == 0) return;
  Position p = Seek(index);
  for (ListNode* node = p.node; count > 0; node = node->next) {
    if (node->is_plain()) {
      f(Item(std::string_view(node->plain, node->plain_size)));
      --count;
      continue;
    }
    for (auto at = node == p.node ? p.at : node->pack.First(); at != Listpack::kNone && count > 0;
         at = node->pack.Next(at), --count) {
      f(node->pack.Get(at));
    }
  }
}

}  // namespace backplane
