// SPDX-License-Identifier: BSD-3-Clause
// StreamValue: what a stream key holds: the log of entries, counters that outlive them, and the
// consumer groups. A stream may be empty and still be there. Used by the X commands and the module
// host.
//
// Engine thread. What readers hand out is good until the stream changes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "value/stream_group.h"
#include "value/stream_log.h"
#include "value/value.h"

namespace backplane {

class StreamValue final : public Value {
 public:
  using Groups = std::map<std::string, std::unique_ptr<StreamGroup>, std::less<>>;

  const ValueType& type() const override;
  std::string_view encoding_name() const override;
  uint64_t length() const override { return log_.length(); }
  size_t MemoryUsage(size_t samples) const override;
  size_t FreeEffort() const override;
  std::unique_ptr<Value> Clone() const override;
  uint8_t rdb_type(int rdb_version) const override;
  void Save(ValueWriter& writer) const override;
  // RDB types 15, 19 and 21.
  static Result<std::unique_ptr<Value>> Load(uint8_t rdb_type, ValueReader& reader);

  // --- entries ---
  const StreamLog& log() const { return log_; }
  // `words`: field, value, field, value ... REQUIRES: id > last_id().
  void Append(StreamId id, std::span<const std::string_view> words, const StreamNodeLimits& limits);
  bool Erase(StreamId id);
  uint64_t Trim(const StreamTrim& trim);

  // The id for an entry of now: ms of the clock, or the last id's successor. nullopt: none is left.
  std::optional<StreamId> NextId(uint64_t now_ms) const;

  // --- counters ---
  StreamId last_id() const { return last_id_; }
  // Of the oldest live entry; 0-0 without any.
  StreamId first_id() const { return first_id_; }
  StreamId max_deleted_id() const { return max_deleted_id_; }
  uint64_t entries_added() const { return entries_added_; }
  void set_last_id(StreamId id) { last_id_ = id; }
  void set_entries_added(uint64_t count) { entries_added_ = count; }
  void set_max_deleted_id(StreamId id) { max_deleted_id_ = id; }

  // Was an entry deleted, other than by trimming, from `from` on? As far as is known.
  bool HasTombstonesFrom(StreamId from) const;
  // How many entries were added up to `id`; kUnknown if that cannot be said.
  int64_t EntriesAddedUpTo(StreamId id) const;
  // How many entries the group has not read; kUnknown if that cannot be said.
  int64_t LagOf(const StreamGroup& group) const;

  // --- groups ---
  const Groups& groups() const { return groups_; }
  StreamGroup* FindGroup(std::string_view name) const;
  // nullptr if there is one of that name.
  StreamGroup* AddGroup(std::string_view name, StreamId last_delivered, int64_t entries_read);
  bool RemoveGroup(std::string_view name);

 private:
  Status LoadNodes(ValueReader& reader);
  Status LoadCounters(uint8_t rdb_type, ValueReader& reader);
  Status LoadGroup(uint8_t rdb_type, ValueReader& reader);
  static Status LoadConsumer(uint8_t rdb_type, ValueReader& reader, StreamGroup* group);

  StreamLog log_;
  StreamId last_id_;
  StreamId first_id_;
  StreamId max_deleted_id_;
  uint64_t entries_added_ = 0;
  Groups groups_;
};

}  // namespace backplane
