// SPDX-License-Identifier: BSD-3-Clause
// Recording and replaying of replies; see reply_tape.h for the layout.
#include "resp/reply_tape.h"

#include <bit>

#include "base/assert.h"
#include "resp/reply_parser.h"

namespace backplane {
namespace {

// What Clear() keeps of each block of memory.
constexpr size_t kKeptBytes = 64 * 1024;

constexpr ReplyTape::Tag TagOf(AggregateKind kind) {
  return static_cast<ReplyTape::Tag>(static_cast<int>(ReplyTape::Tag::kArray) +
                                     static_cast<int>(kind));
}
static_assert(TagOf(AggregateKind::kAttribute) == ReplyTape::Tag::kAttribute);

constexpr AggregateKind KindOf(ReplyTape::Tag tag) {
  return static_cast<AggregateKind>(static_cast<int>(tag) -
                                    static_cast<int>(ReplyTape::Tag::kArray));
}

constexpr bool HasPairs(ReplyTape::Tag tag) {
  return tag == ReplyTape::Tag::kMap || tag == ReplyTape::Tag::kAttribute;
}

}  // namespace

// A value (not an attribute) at the current place is whole. Leaf has counted it already.
void ReplyTape::CloseFinished() {
  while (!open_.empty()) {
    if (open_.back().remaining != 0) return;
    Node& node = nodes_[open_.back().index];
    node.end = static_cast<uint32_t>(node_count_);
    open_.pop_back();
    if (node.tag == Tag::kAttribute) {
      dangling_attribute_ = true;
      return;
    }
    if (!open_.empty()) --open_.back().remaining;
  }
  has_value_ = true;
}

// Ends the innermost aggregate with the elements that it has.
void ReplyTape::CloseInnermost() {
  const Node node = nodes_[open_.back().index];
  const bool pairs = HasPairs(node.tag);
  const uint64_t announced = node.length == kDeferredCount ? kDeferredCount : ChildCount(node);
  uint64_t added = announced - open_.back().remaining;
  const auto add_null = [&] {
    PushNode({Tag::kNull, static_cast<uint32_t>(node_count_ + 1), 0, 0});
    ++added;
  };
  if (dangling_attribute_) add_null();
  if (pairs && added % 2 != 0) add_null();
  dangling_attribute_ = false;
  nodes_[open_.back().index].length = pairs ? added / 2 : added;
  open_.back().remaining = 0;
  CloseFinished();
}

void ReplyTape::GrowNodes() {
  constexpr size_t kFirst = 16;
  nodes_.resize(nodes_.empty() ? kFirst : 2 * nodes_.size());
}

void ReplyTape::Text(Tag tag, std::string_view text) {
  const size_t offset = bytes_.size();
  bytes_.append(text);
  Leaf(tag, text.size(), offset);
}

void ReplyTape::SimpleString(std::string_view text) { Text(Tag::kSimpleString, text); }

void ReplyTape::Error(std::string_view text) {
  CountError(text);
  const size_t offset = bytes_.size();
  bytes_.append(text);
  for (size_t i = offset; i < bytes_.size(); ++i) {
    if (bytes_[i] == '\r' || bytes_[i] == '\n') bytes_[i] = ' ';
  }
  Leaf(Tag::kError, text.size(), offset);
}

void ReplyTape::Integer(int64_t value) { Leaf(Tag::kInteger, 0, static_cast<uint64_t>(value)); }
void ReplyTape::Bulk(std::string_view bytes) { Text(Tag::kBulk, bytes); }
void ReplyTape::Null() { Leaf(Tag::kNull, 0, 0); }
void ReplyTape::NullArray() { Leaf(Tag::kNullArray, 0, 0); }
void ReplyTape::Double(double value) { Leaf(Tag::kDouble, 0, std::bit_cast<uint64_t>(value)); }
void ReplyTape::Bool(bool value) { Leaf(Tag::kBool, 0, value ? 1 : 0); }
void ReplyTape::BigNumber(std::string_view digits) { Text(Tag::kBigNumber, digits); }

void ReplyTape::Verbatim(std::string_view format, std::string_view text) {
  const size_t offset = bytes_.size();
  format = format.substr(0, 3);
  bytes_.append(format).append(3 - format.size(), ' ').append(1, ':').append(text);
  Leaf(Tag::kVerbatim, text.size() + 4, offset);
}

void ReplyTape::Begin(AggregateKind kind, uint64_t count) {
  const uint32_t index = static_cast<uint32_t>(node_count_);
  const Node node = {TagOf(kind), index + 1, count, 0};
  if (count == 0 && kind != AggregateKind::kAttribute) return Leaf(node.tag, 0, 0);
  PushNode(node);
  dangling_attribute_ = count == 0;  // an empty attribute is whole at once
  if (count != 0) open_.push_back({index, ChildCount(node)});
}

ReplySink::Deferred ReplyTape::BeginDeferred(AggregateKind kind) {
  const uint32_t index = static_cast<uint32_t>(node_count_);
  PushNode({TagOf(kind), index + 1, kDeferredCount, 0});
  dangling_attribute_ = false;
  open_.push_back({index, kDeferredCount});
  return {.index = index, .kind = kind};
}

// `count` is not needed: the tape has counted itself.
void ReplyTape::EndDeferred(Deferred deferred, uint64_t) {
  BP_ASSERT(deferred.index < node_count_);
  // Aggregates inside it that their producer left short end with it. One that an outer end has
  // closed before it stays closed.
  while (!open_.empty() && open_.back().index >= deferred.index) CloseInnermost();
}

void ReplyTape::Finish() {
  while (!open_.empty()) CloseInnermost();
  if (!has_value_ || dangling_attribute_) Null();
}

void ReplyTape::RawProtocol(std::string_view bytes) {
  size_t size = 0;
  bool proper = !bytes.empty();
  for (std::string_view rest = bytes; proper && !rest.empty(); rest.remove_prefix(size)) {
    if (MeasureReply(rest, &size) != ReplyStatus::kWhole) proper = false;
  }
  if (!proper) return Error("ERR malformed reply");
  // The bytes may hold attributes whatever resp() says; a tape can keep them.
  const int version = resp();
  set_resp(3);
  for (; !bytes.empty(); bytes.remove_prefix(size)) ParseReply(bytes, *this, &size);
  set_resp(version);
}

void ReplyTape::Clear() {
  node_count_ = 0;
  open_.clear();
  bytes_.clear();
  has_value_ = false;
  dangling_attribute_ = false;
  if (nodes_.size() * sizeof(Node) > kKeptBytes) {
    nodes_.clear();
    nodes_.shrink_to_fit();
  }
  if (open_.capacity() * sizeof(Open) > kKeptBytes) open_.shrink_to_fit();
  if (bytes_.capacity() > kKeptBytes) bytes_.shrink_to_fit();
}

void ReplyTape::Replay(const Node& node, ReplySink& sink) const {
  switch (node.tag) {
    case Tag::kSimpleString:
      return sink.SimpleString(text(node));
    case Tag::kError:
      return sink.Error(text(node));
    case Tag::kInteger:
      return sink.Integer(static_cast<int64_t>(node.payload));
    case Tag::kBulk:
      return sink.Bulk(text(node));
    case Tag::kNull:
      return sink.Null();
    case Tag::kNullArray:
      return sink.NullArray();
    case Tag::kDouble:
      return sink.Double(std::bit_cast<double>(node.payload));
    case Tag::kBool:
      return sink.Bool(node.payload != 0);
    case Tag::kBigNumber:
      return sink.BigNumber(text(node));
    case Tag::kVerbatim:
      return sink.Verbatim(text(node).substr(0, 3), text(node).substr(4));
    case Tag::kArray:
    case Tag::kMap:
    case Tag::kSet:
    case Tag::kPush:
    case Tag::kAttribute:
      return sink.Begin(KindOf(node.tag), node.length);
  }
}

void ReplyTape::CopyTo(size_t index, ReplySink& sink) const {
  BP_ASSERT(complete() && index < node_count_);
  // Pre-order is the order of replies, so the subtree needs no walking, only reading.
  const size_t end = nodes_[ValueIndex(index)].end;
  while (index < end) {
    const Node& node = nodes_[index];
    if (node.tag == Tag::kAttribute && sink.resp() < 3) {
      index = node.end;
      continue;
    }
    Replay(node, sink);
    ++index;
  }
}

}  // namespace backplane
