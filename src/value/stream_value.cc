// SPDX-License-Identifier: BSD-3-Clause
// Counters and groups of a stream; contract in stream_value.h.
#include "value/stream_value.h"

#include "value/builtin_types.h"

namespace backplane {

const ValueType& StreamValue::type() const { return StreamValueType(); }
std::string_view StreamValue::encoding_name() const { return kEncodingStream; }

size_t StreamValue::MemoryUsage(size_t samples) const {
  size_t bytes = sizeof(*this) + log_.MemoryBytes(samples);
  for (const auto& [name, group] : groups_) {
    bytes += sizeof(Groups::value_type) + name.capacity() + group->MemoryBytes();
  }
  return bytes;
}

size_t StreamValue::FreeEffort() const {
  size_t effort = log_.node_count() + 1;
  constexpr size_t kPendingInARun = 64;
  for (const auto& [name, group] : groups_) {
    effort += 1 + group->consumers().size() + 2 * (group->pending().size() / kPendingInARun);
  }
  return effort;
}

std::unique_ptr<Value> StreamValue::Clone() const {
  auto copy = std::make_unique<StreamValue>();
  copy->log_ = log_.Clone();
  copy->last_id_ = last_id_;
  copy->first_id_ = first_id_;
  copy->max_deleted_id_ = max_deleted_id_;
  copy->entries_added_ = entries_added_;
  for (const auto& [name, group] : groups_) copy->groups_.emplace(name, group->Clone());
  return copy;
}

void StreamValue::Append(StreamId id, std::span<const std::string_view> words,
                         const StreamNodeLimits& limits) {
  log_.Append(id, words, limits);
  ++entries_added_;
  last_id_ = id;
  if (log_.length() == 1) first_id_ = id;
}

bool StreamValue::Erase(StreamId id) {
  if (!log_.Erase(id)) return false;
  max_deleted_id_ = std::max(max_deleted_id_, id);
  if (id == first_id_ && !log_.FirstId(&first_id_)) first_id_ = {};
  return true;
}

uint64_t StreamValue::Trim(const StreamTrim& trim) {
  const uint64_t removed = log_.Trim(trim);
  if (removed != 0 && !log_.FirstId(&first_id_)) first_id_ = {};
  return removed;
}

std::optional<StreamId> StreamValue::NextId(uint64_t now_ms) const {
  if (now_ms > last_id_.ms) return StreamId{now_ms, 0};
  return last_id_.Next();
}

bool StreamValue::HasTombstonesFrom(StreamId from) const {
  if (log_.length() == 0 || max_deleted_id_ == StreamId{}) return false;
  // What was deleted before the oldest entry is a gap no more.
  if (first_id_ > max_deleted_id_) return false;
  return from <= max_deleted_id_;
}

int64_t StreamValue::EntriesAddedUpTo(StreamId id) const {
  if (entries_added_ == 0) return 0;
  const auto added = static_cast<int64_t>(entries_added_);
  const auto length = static_cast<int64_t>(log_.length());
  if (length == 0 && id < last_id_) return added;
  if (id == last_id_) return added;
  if (id > last_id_) return StreamGroup::kUnknown;
  // With gaps in the middle, only what lies in front of all entries can be counted.
  if (max_deleted_id_ == StreamId{} || max_deleted_id_ < first_id_) {
    if (id < first_id_) return added - length;
    if (id == first_id_) return added - length + 1;
  }
  return StreamGroup::kUnknown;
}

int64_t StreamValue::LagOf(const StreamGroup& group) const {
  if (entries_added_ == 0) return 0;
  const auto added = static_cast<int64_t>(entries_added_);
  if (group.entries_read != StreamGroup::kUnknown && !HasTombstonesFrom(group.last_delivered)) {
    return added - group.entries_read;
  }
  const int64_t read = EntriesAddedUpTo(group.last_delivered);
  return read == StreamGroup::kUnknown ? StreamGroup::kUnknown : added - read;
}

StreamGroup* StreamValue::FindGroup(std::string_view name) const {
  const auto it = groups_.find(name);
  return it != groups_.end() ? it->second.get() : nullptr;
}

StreamGroup* StreamValue::AddGroup(std::string_view name, StreamId last_delivered,
                                   int64_t entries_read) {
  const auto [it, added] = groups_.try_emplace(std::string(name));
  if (!added) return nullptr;
  it->second = std::make_unique<StreamGroup>(last_delivered, entries_read);
  return it->second.get();
}

bool StreamValue::RemoveGroup(std::string_view name) {
  const auto it = groups_.find(name);
  if (it == groups_.end()) return false;
  groups_.erase(it);
  return true;
}

}  // namespace backplane
