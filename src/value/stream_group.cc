// SPDX-License-Identifier: BSD-3-Clause
// Consumers and pending entries; contract in stream_group.h.
#include "value/stream_group.h"

namespace backplane {

std::unique_ptr<StreamGroup> StreamGroup::Clone() const {
  // The bookmark is of another log.
  auto copy = std::make_unique<StreamGroup>(last_delivered, entries_read);
  for (const auto& [name, consumer] : consumers_) {
    StreamConsumer* twin = copy->AddConsumer(name, consumer->seen_ms);
    twin->active_ms = consumer->active_ms;
  }
  for (auto p = pending_.Begin(); pending_.Valid(p); p = pending_.Next(p)) {
    const auto& [id, entry] = pending_.At(p);
    PendingEntry* twin = copy->Assign(id, copy->FindConsumer(entry.consumer->name()));
    twin->delivered_ms = entry.delivered_ms;
    twin->deliveries = entry.deliveries;
  }
  return copy;
}

StreamConsumer* StreamGroup::FindConsumer(std::string_view name) const {
  const auto it = consumers_.find(name);
  return it != consumers_.end() ? it->second.get() : nullptr;
}

StreamConsumer* StreamGroup::AddConsumer(std::string_view name, int64_t now_ms, bool* created) {
  auto it = consumers_.lower_bound(name);
  const bool fresh = it == consumers_.end() || it->first != name;
  if (fresh) {
    it = consumers_.emplace_hint(it, std::string(name), std::make_unique<StreamConsumer>(name));
    it->second->seen_ms = now_ms;
  }
  if (created != nullptr) *created = fresh;
  return it->second.get();
}

uint64_t StreamGroup::RemoveConsumer(StreamConsumer* consumer) {
  const auto& held = consumer->pending_;
  const uint64_t count = held.size();
  for (auto p = held.Begin(); held.Valid(p); p = held.Next(p)) pending_.Erase(held.At(p).id);
  consumers_.erase(consumer->name());
  return count;
}

PendingEntry* StreamGroup::Assign(StreamId id, StreamConsumer* consumer) {
  PendingEntry* entry = pending_.Find(id);
  if (entry == nullptr) {
    entry = pending_.Insert(id, PendingEntry{consumer});
  } else if (entry->consumer == consumer) {
    return entry;
  } else {
    entry->consumer->pending_.Erase(id);
    entry->consumer = consumer;
  }
  consumer->pending_.Insert(id, {});
  return entry;
}

bool StreamGroup::Acknowledge(StreamId id) {
  const auto p = pending_.LowerBound(id);
  if (!pending_.Valid(p) || pending_.At(p).id != id) return false;
  pending_.At(p).value.consumer->pending_.Erase(id);
  pending_.Erase(p);
  return true;
}

bool StreamGroup::AddOwnerless(StreamId id, const PendingEntry& entry) {
  if (pending_.Find(id) != nullptr) return false;
  pending_.Insert(id, entry);
  return true;
}

void StreamGroup::Adopt(StreamId id, StreamConsumer* consumer) {
  pending_.Find(id)->consumer = consumer;
  consumer->pending_.Insert(id, {});
}

bool StreamGroup::HasOwnerless() const {
  for (auto p = pending_.Begin(); pending_.Valid(p); p = pending_.Next(p)) {
    if (pending_.At(p).value.consumer == nullptr) return true;
  }
  return false;
}

size_t StreamGroup::MemoryBytes() const {
  size_t bytes = sizeof(*this) + pending_.MemoryBytes();
  for (const auto& [name, consumer] : consumers_) {
    // The map's node, the consumer, its two copies of the name.
    bytes += sizeof(Consumers::value_type) + sizeof(StreamConsumer) + 2 * name.capacity() +
             consumer->pending().MemoryBytes();
  }
  return bytes;
}

}  // namespace backplane
