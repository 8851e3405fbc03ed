// SPDX-License-Identifier: BSD-3-Clause
// StreamGroup: a consumer group of a stream: how far it has read, and what was delivered to whom
// and is not acknowledged yet. A pending entry stands once in the group, with all that is known of
// it, and by its id in the consumer that it belongs to.
//
// Engine thread, or the one thread that owns the value.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "value/id_index.h"
#include "value/stream_log.h"

namespace backplane {

class StreamConsumer {
 public:
  explicit StreamConsumer(std::string_view name) : name_(name) {}
  const std::string& name() const { return name_; }

  // Unix times in milliseconds: of the last attempt to read or claim, and of the last that got
  // something (-1: none did).
  int64_t seen_ms = 0;
  int64_t active_ms = -1;

  const IdIndex<std::monostate>& pending() const { return pending_; }

 private:
  friend class StreamGroup;
  std::string name_;
  IdIndex<std::monostate> pending_;
};

struct PendingEntry {
  StreamConsumer* consumer = nullptr;
  int64_t delivered_ms = 0;  // Unix time of the last delivery
  uint64_t deliveries = 0;
};

class StreamGroup {
 public:
  // Entries-read counter of a group of which it is not known.
  static constexpr int64_t kUnknown = -1;
  using Consumers = std::map<std::string, std::unique_ptr<StreamConsumer>, std::less<>>;
  using Pending = IdIndex<PendingEntry>;

  StreamGroup(StreamId last_delivered_id, int64_t entries_read_count)
      : last_delivered(last_delivered_id), entries_read(entries_read_count) {}
  std::unique_ptr<StreamGroup> Clone() const;

  StreamId last_delivered;
  int64_t entries_read;          // logical position in the stream, or kUnknown
  StreamLog::Bookmark bookmark;  // at last_delivered, to read on without a search

  const Consumers& consumers() const { return consumers_; }
  StreamConsumer* FindConsumer(std::string_view name) const;
  // The consumer, made if it is not there (*created, if not null, tells).
  StreamConsumer* AddConsumer(std::string_view name, int64_t now_ms, bool* created = nullptr);
  // Removes it with what it has pending; returns how many entries that were.
  uint64_t RemoveConsumer(StreamConsumer* consumer);

  const Pending& pending() const { return pending_; }
  // An entry goes to `consumer`, from whomever has it. Returns it; good until the next change.
  PendingEntry* Assign(StreamId id, StreamConsumer* consumer);
  PendingEntry* FindPending(StreamId id) { return pending_.Find(id); }
  // It is pending no more; false if it was not.
  bool Acknowledge(StreamId id);

  // Loading: first all pending entries, which are nobody's (false: that id is there), then each is
  // given to its consumer. REQUIRES for Adopt: pending, and nobody's.
  bool AddOwnerless(StreamId id, const PendingEntry& entry);
  void Adopt(StreamId id, StreamConsumer* consumer);
  bool HasOwnerless() const;

  size_t MemoryBytes() const;

 private:
  Consumers consumers_;
  Pending pending_;
};

}  // namespace backplane
