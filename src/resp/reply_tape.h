// SPDX-License-Identifier: BSD-3-Clause
// ReplyTape: a reply kept as structure, for RM_Call and scripts. No protocol bytes are made or
// parsed: a flat list of nodes in pre-order over one block of bytes, read in place. Clear() keeps
// the memory, so a pooled tape answers a call without allocating. One thread at a time.
//
//   node = tag, length (bytes of text | elements of an aggregate), payload (offset of text in the
//   block | the integer | the double's bits),
//          end (index of the first node after this value's subtree)
//
// An attribute stands right before the value it belongs to and is not counted as an element of the
// aggregate around it. A deferred aggregate has as many elements as were really added, whatever its
// producer says at the end; a key without a value gets a null. So a tape that is complete is always
// a proper tree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "resp/reply_sink.h"

namespace backplane {

class ReplyTape final : public ReplySink {
 public:
  enum class Tag : uint8_t {
    kSimpleString,
    kError,
    kInteger,
    kBulk,
    kNull,
    kNullArray,
    kDouble,
    kBool,
    kBigNumber,
    kVerbatim,  // leaves
    kArray,
    kMap,
    kSet,
    kPush,
    kAttribute,  // aggregates
  };
  struct Node {
    Tag tag;
    uint32_t end;      // index after the subtree
    uint64_t length;   // text bytes, or elements (pairs for a map)
    uint64_t payload;  // text offset, integer, or double bits
  };

  ReplyTape() = default;

  void SimpleString(std::string_view text) override;
  void Error(std::string_view text) override;
  void Integer(int64_t value) override;
  void Bulk(std::string_view bytes) override;
  void Null() override;
  void NullArray() override;
  void Double(double value) override;
  void Bool(bool value) override;
  void BigNumber(std::string_view digits) override;
  void Verbatim(std::string_view format,
                std::string_view text) override;  // text is stored with "fmt:" in front
  void Begin(AggregateKind kind, uint64_t count) override;
  Deferred BeginDeferred(AggregateKind kind) override;
  void EndDeferred(Deferred deferred, uint64_t count) override;
  // Parses the bytes and appends the values they hold; bytes that are not whole, valid RESP become
  // one error node.
  void RawProtocol(std::string_view bytes) override;

  // Forgets the reply, keeps the memory (memory beyond 64 KiB is returned).
  void Clear();
  bool empty() const { return node_count_ == 0; }
  // True when a whole reply stands at index 0: every announced element was added.
  bool complete() const { return has_value_ && open_.empty(); }
  // Makes the tape complete after a producer (a module) that announced more than it added: open
  // aggregates end with the elements they have. A tape without a value gets a null.
  void Finish();
  // The nodes may be read once the reply is complete. ValueIndex skips attributes: ValueIndex(0) is
  // the reply itself, ValueIndex of a child's index the child.
  size_t ValueIndex(size_t index) const {
    while (nodes_[index].tag == Tag::kAttribute) index = nodes_[index].end;
    return index;
  }
  const Node& node(size_t index) const { return nodes_[index]; }
  size_t node_count() const { return node_count_; }
  std::string_view text(const Node& node) const {
    return std::string_view(bytes_.data() + node.payload, node.length);
  }
  static bool IsAggregate(Tag tag) { return tag >= Tag::kArray; }
  // Values directly inside an aggregate: elements, or 2 x pairs.
  static uint64_t ChildCount(const Node& node) {
    return node.tag == Tag::kMap || node.tag == Tag::kAttribute ? node.length * 2 : node.length;
  }

  // Replays the value at `index` into another sink, in the terms of that sink's protocol. When an
  // attribute stands there, the value behind it follows; RESP2 sinks get no attributes.
  // REQUIRES: complete().
  void CopyTo(size_t index, ReplySink& sink) const;
  // Bytes of memory held.
  size_t memory() const {
    return nodes_.capacity() * sizeof(Node) + open_.capacity() * sizeof(Open) + bytes_.capacity();
  }

 private:
  struct Open {
    uint32_t index;      // the aggregate's node
    uint64_t remaining;  // values still to come; kDeferredCount for deferred ones
  };
  static constexpr uint64_t kDeferredCount = UINT64_MAX;

  void Leaf(Tag tag, uint64_t length, uint64_t payload) {
    PushNode({tag, static_cast<uint32_t>(node_count_ + 1), length, payload});
    dangling_attribute_ = false;
    if (open_.empty() || --open_.back().remaining == 0) CloseFinished();
  }
  void PushNode(const Node& node) {
    if (node_count_ == nodes_.size()) [[unlikely]]
      GrowNodes();
    nodes_[node_count_++] = node;
  }
  void GrowNodes();
  void Text(Tag tag, std::string_view text);
  void CloseFinished();
  void CloseInnermost();
  void Replay(const Node& node, ReplySink& sink) const;

  // The first node_count_ are the reply, the rest is room: a vector's push_back is too large to be
  // inlined, and this is done for every element of every reply.
  std::vector<Node> nodes_;
  size_t node_count_ = 0;
  std::vector<Open> open_;
  std::string bytes_;
  bool has_value_ = false;           // a value, not only an attribute, stands at the top
  bool dangling_attribute_ = false;  // the value that the last attribute belongs to is missing
};

}  // namespace backplane
