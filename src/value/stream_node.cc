// SPDX-License-Identifier: BSD-3-Clause
// The elements of a stream's node.
#include "value/stream_node.h"

#include <optional>

namespace backplane::stream_node {
namespace {

// Steps through elements that nobody has vouched for.
class Walker {
 public:
  explicit Walker(const Listpack& node) : node_(node), at_(node.First()) {}
  bool done() const { return at_ == Listpack::kNone; }
  // The next element as a number; nullopt at the end or if it is none.
  std::optional<int64_t> Number() {
    if (done()) return std::nullopt;
    const Item item = node_.Get(at_);
    at_ = node_.Next(at_);
    if (!item.is_number()) return std::nullopt;
    return item.number();
  }
  bool Skip(uint64_t count) {
    for (; count > 0 && !done(); --count) at_ = node_.Next(at_);
    return count == 0;
  }

 private:
  const Listpack& node_;
  Listpack::Position at_;
};

}  // namespace

void WriteHead(Listpack* node, std::span<const std::string_view> words) {
  node->Append(int64_t{1});
  node->Append(int64_t{0});
  node->Append(static_cast<int64_t>(words.size() / 2));
  for (size_t i = 0; i < words.size(); i += 2) node->Append(words[i]);
  node->Append(int64_t{0});
}

EntryHead ReadEntry(const Listpack& node, Listpack::Position at, StreamId node_id) {
  EntryHead entry;
  entry.flags = node.Get(at).number();
  at = node.Next(at);
  entry.id.ms = node_id.ms + static_cast<uint64_t>(node.Get(at).number());
  at = node.Next(at);
  entry.id.seq = node_id.seq + static_cast<uint64_t>(node.Get(at).number());
  entry.body = node.Next(at);
  entry.own_fields = 0;
  if ((entry.flags & kSameFields) == 0) {
    entry.own_fields = static_cast<uint64_t>(node.Get(entry.body).number());
    entry.body = node.Next(entry.body);
  }
  return entry;
}

Listpack::Position SkipEntry(const Listpack& node, const EntryHead& entry,
                             uint64_t node_field_count) {
  Listpack::Position at = entry.body;
  const bool same = (entry.flags & kSameFields) != 0;
  for (uint64_t left = same ? node_field_count : entry.own_fields * 2; left > 0; --left) {
    at = node.Next(at);
  }
  return node.Next(at);
}

Listpack::Position EntryBefore(const Listpack& node, Listpack::Position at) {
  at = at == Listpack::kNone ? node.Last() : node.Prev(at);
  // The element in front of the first entry is the 0 that ends the node's head.
  int64_t back = node.Get(at).number();
  if (back == 0) return Listpack::kNone;
  for (; back > 0; --back) at = node.Prev(at);
  return at;
}

StreamId LastEntryId(const Listpack& node, StreamId node_id) {
  const Listpack::Position at = EntryBefore(node, Listpack::kNone);
  return at == Listpack::kNone ? node_id : ReadEntry(node, at, node_id).id;
}

bool Validate(const Listpack& node) {
  Walker walker(node);
  const auto live = walker.Number();
  const auto deleted = walker.Number();
  const auto field_count = walker.Number();
  if (!live || !deleted || !field_count || *live <= 0 || *deleted < 0 || *field_count < 0) {
    return false;
  }
  if (!walker.Skip(static_cast<uint64_t>(*field_count)) || walker.Number() != 0) return false;
  int64_t found_live = 0;
  int64_t found_deleted = 0;
  while (!walker.done()) {
    const auto flags = walker.Number();
    if (!flags || (*flags & ~(kDeleted | kSameFields)) != 0) return false;
    if (!walker.Number() || !walker.Number()) return false;
    const bool same = (*flags & kSameFields) != 0;
    const auto own = same ? field_count : walker.Number();
    // A count of elements fits a listpack's 32 bits.
    if (!own || *own < 0 || *own > UINT32_MAX) return false;
    if (!walker.Skip(static_cast<uint64_t>(same ? *own : *own * 2))) return false;
    if (walker.Number() != ElementsOf(*own, same)) return false;
    ++((*flags & kDeleted) != 0 ? found_deleted : found_live);
  }
  return found_live == *live && found_deleted == *deleted;
}

}  // namespace backplane::stream_node
