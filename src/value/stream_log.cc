// SPDX-License-Identifier: BSD-3-Clause
// Writing, cutting and walking the nodes of a stream; layout in stream_log.h.
#include "value/stream_log.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "value/stream_node.h"

namespace backplane {

using stream_node::kDeleted;
using stream_node::kSameFields;

namespace {

uint64_t NumberAt(const Listpack& node, Listpack::Position at) {
  return static_cast<uint64_t>(node.Get(at).number());
}

// Are the names of `words` those of the node, in the same order?
bool HasFieldsOf(const Listpack& node, uint64_t field_count, Listpack::Position fields,
                 std::span<const std::string_view> words) {
  if (words.size() / 2 != field_count) return false;
  for (size_t i = 0; i < words.size(); i += 2) {
    if (!node.Get(fields).Equals(words[i])) return false;
    fields = node.Next(fields);
  }
  return true;
}

}  // namespace

StreamLog StreamLog::Clone() const {
  StreamLog copy;
  for (auto p = nodes_.Begin(); nodes_.Valid(p); p = nodes_.Next(p)) {
    copy.nodes_.Insert(nodes_.At(p).id, nodes_.At(p).value.Clone());
  }
  copy.length_ = length_;
  return copy;
}

StreamLog::NodeHead StreamLog::ReadHead(const Listpack& node) {
  NodeHead head;
  Listpack::Position at = node.First();
  head.live = NumberAt(node, at);
  head.deleted = NumberAt(node, at = node.Next(at));
  head.field_count = NumberAt(node, at = node.Next(at));
  head.fields = node.Next(at);
  return head;
}

Listpack::Position StreamLog::FirstEntry(const Listpack& node, const NodeHead& head) {
  Listpack::Position at = head.fields;
  for (uint64_t i = 0; i < head.field_count; ++i) at = node.Next(at);
  return node.Next(at);
}

void StreamLog::ChangeCounts(Listpack& node, int64_t live, int64_t deleted) {
  const uint32_t bytes = node.bytes();
  auto change = [&node](Listpack::Position at, int64_t by) {
    if (by != 0) node.Replace(at, listpack::Encoded(node.Get(at).number() + by));
  };
  change(node.First(), live);
  change(node.Next(node.First()), deleted);
  // A count that needs more room has moved all that stands behind it.
  if (node.bytes() != bytes) ++version_;
}

bool StreamLog::NodeIsFull(const Listpack& node, size_t added,
                           const StreamNodeLimits& limits) const {
  if (limits.max_bytes != 0 && node.bytes() + added >= limits.max_bytes) return true;
  if (!node.Fits(added)) return true;
  if (limits.max_entries == 0) return false;
  const NodeHead head = ReadHead(node);
  return head.live + head.deleted >= limits.max_entries;
}

void StreamLog::Append(StreamId id, std::span<const std::string_view> words,
                       const StreamNodeLimits& limits) {
  size_t added = 0;
  for (std::string_view word : words) added += word.size();
  Listpack* node = nullptr;
  StreamId node_id = id;
  if (!nodes_.empty()) {
    auto& slot = nodes_.At(nodes_.Last());
    if (!NodeIsFull(slot.value, added, limits)) {
      node = &slot.value;
      node_id = slot.id;
    }
  }
  const bool fresh = node == nullptr;
  if (fresh) {
    node = nodes_.Insert(id, Listpack());
    stream_node::WriteHead(node, words);
  }
  const NodeHead head = ReadHead(*node);
  const bool same = fresh || HasFieldsOf(*node, head.field_count, head.fields, words);
  if (!fresh) ChangeCounts(*node, 1, 0);
  node->Append(int64_t{same ? kSameFields : 0});
  node->Append(static_cast<int64_t>(id.ms - node_id.ms));
  node->Append(static_cast<int64_t>(id.seq - node_id.seq));
  const auto field_count = static_cast<int64_t>(words.size() / 2);
  if (!same) node->Append(field_count);
  for (size_t i = 0; i < words.size(); i += 2) {
    if (!same) node->Append(words[i]);
    node->Append(words[i + 1]);
  }
  node->Append(stream_node::ElementsOf(field_count, same));
  ++length_;
}

bool StreamLog::Erase(StreamId id) {
  StreamReader reader(*this, id, id);
  if (!reader.Next()) return false;
  const auto node = reader.node_;
  Listpack& pack = nodes_.At(node).value;
  --length_;
  ++version_;
  if (reader.head_.live == 1) {
    nodes_.Erase(node);
    return true;
  }
  const int64_t flags = pack.Get(reader.entry_).number();
  pack.Replace(reader.entry_, listpack::Encoded(flags | kDeleted));
  ChangeCounts(pack, -1, 1);
  return true;
}

uint64_t StreamLog::Trim(const StreamTrim& trim) {
  if (trim.by == StreamTrim::By::kNothing) return 0;
  uint64_t removed = 0;
  while (!nodes_.empty()) {
    if (trim.by == StreamTrim::By::kLength && length_ <= trim.max_length) break;
    auto& slot = nodes_.At(nodes_.Begin());
    const uint64_t live = ReadHead(slot.value).live;
    if (trim.limit != 0 && removed + live > trim.limit) break;
    const bool whole = trim.by == StreamTrim::By::kLength
                           ? length_ - live >= trim.max_length
                           : stream_node::LastEntryId(slot.value, slot.id) < trim.min_id;
    if (whole) {
      nodes_.Erase(nodes_.Begin());
      length_ -= live;
      removed += live;
      ++version_;
      continue;
    }
    if (!trim.approximate) removed += TrimWithin(slot, trim);
    break;
  }
  return removed;
}

uint64_t StreamLog::TrimWithin(IdIndex<Listpack>::Slot& slot, const StreamTrim& trim) {
  Listpack& node = slot.value;
  const NodeHead head = ReadHead(node);
  int64_t removed = 0;
  for (auto at = FirstEntry(node, head); at != Listpack::kNone;) {
    if (trim.by == StreamTrim::By::kLength &&
        length_ - static_cast<uint64_t>(removed) <= trim.max_length) {
      break;
    }
    const stream_node::EntryHead entry = stream_node::ReadEntry(node, at, slot.id);
    if (trim.by == StreamTrim::By::kMinId && entry.id >= trim.min_id) break;
    if ((entry.flags & kDeleted) == 0) {
      node.Replace(at, listpack::Encoded(int64_t{entry.flags | kDeleted}));
      ++removed;
    }
    at = stream_node::SkipEntry(node, entry, head.field_count);
  }
  length_ -= static_cast<uint64_t>(removed);
  ++version_;
  ChangeCounts(node, -removed, removed);
  return static_cast<uint64_t>(removed);
}

bool StreamLog::FirstId(StreamId* id) const {
  StreamReader reader(*this, kStreamIdMin, kStreamIdMax);
  if (!reader.Next()) return false;
  *id = reader.id();
  return true;
}

bool StreamLog::LastId(StreamId* id) const {
  StreamReader reader(*this, kStreamIdMin, kStreamIdMax, /*reverse=*/true);
  if (!reader.Next()) return false;
  *id = reader.id();
  return true;
}

bool StreamLog::AppendNode(StreamId id, std::string_view bytes) {
  if (!nodes_.empty() && nodes_.At(nodes_.Last()).id >= id) return false;
  if (!ValidateListpack(bytes)) return false;
  Listpack node = Listpack::CopyOf(bytes);
  if (!stream_node::Validate(node)) return false;
  length_ += ReadHead(node).live;
  nodes_.Insert(id, std::move(node));
  ++version_;
  return true;
}

// A radix tree over 16-byte keys: a node for each key's end, one for each depth at which keys part,
// and one for each stretch of bytes between these that is not the single byte of a branch's edge.
// Branches form a tree over the lengths of the prefixes that neighbours share; `open` has those
// that the next key may still lie below.
uint64_t StreamLog::RadixNodeCount() const {
  if (nodes_.empty()) return 1;
  uint64_t count = 0;
  auto place = [&count](int depth, int parent) { count += depth - parent > 1 ? 2 : 1; };
  constexpr int kAboveRoot = -1;
  constexpr int kDepthMax = StreamId::kBytes;
  std::vector<int> open;
  auto top = [&open] { return open.empty() ? kAboveRoot : open.back(); };
  auto part = [&](int shared) {
    while (top() > shared) {
      const int depth = open.back();
      open.pop_back();
      place(depth, std::max(top(), shared));
    }
    if (top() < shared) open.push_back(shared);
  };
  char keys[2][StreamId::kBytes];
  int shared_before = kAboveRoot;
  nodes_.At(nodes_.Begin()).id.WriteBytes(keys[0]);
  for (auto p = nodes_.Next(nodes_.Begin()); nodes_.Valid(p); p = nodes_.Next(p)) {
    nodes_.At(p).id.WriteBytes(keys[1]);
    int shared = 0;
    while (keys[0][shared] == keys[1][shared]) ++shared;
    place(kDepthMax, std::max(shared_before, shared));
    part(shared);
    shared_before = shared;
    std::memcpy(keys[0], keys[1], sizeof keys[0]);
  }
  place(kDepthMax, shared_before);
  part(kAboveRoot);
  return count;
}

size_t StreamLog::MemoryBytes(size_t samples) const {
  uint64_t measured = 0;
  size_t bytes = 0;
  for (auto p = nodes_.Begin(); nodes_.Valid(p) && (samples == 0 || measured < samples);
       p = nodes_.Next(p), ++measured) {
    bytes += nodes_.At(p).value.AllocatedBytes();
  }
  if (measured != 0) bytes = bytes * nodes_.size() / measured;
  return bytes + nodes_.MemoryBytes();
}

}  // namespace backplane
