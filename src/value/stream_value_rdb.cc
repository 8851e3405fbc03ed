// SPDX-License-Identifier: BSD-3-Clause
// Streams in RDB: types STREAM (15), STREAM_2 (19, RDB 10) and STREAM_3 (21, RDB 11). The body
// behind the type byte:
//   stream   = length(nodes) { string(node id, 16 bytes) string(listpack) } length(entries)
//   id(last)
//              [ id(first) id(highest deleted) length(entries added) ]               since type 19
//              length(groups) { group }
//   group    = string(name) id(last delivered) [ length(entries read) ]              since type 19
//              length { raw_id ms(8) length(deliveries) }                            pending
//              length(consumers) { string(name) ms(8, seen) [ ms(8, active) ]        since type 21
//              length { raw_id } }                                                   its pending
//   id       = length(ms) length(seq)        raw_id = 16 bytes, big endian        ms: little endian
// A node's listpack is in stream_log.h.
#include <cstring>

#include "value/load_support.h"
#include "value/stream_value.h"

namespace backplane {
namespace {

constexpr size_t kRawIdBytes = StreamId::kBytes;
// The least that a pending entry, a consumer and a group take.
constexpr size_t kPendingBytesMin = kRawIdBytes + 8 + 1;
constexpr size_t kConsumerBytesMin = 1 + 8 + 1;
constexpr size_t kGroupBytesMin = 5;
constexpr size_t kNodeBytesMin = 2;

void WriteId(ValueWriter& writer, StreamId id) {
  writer.WriteLength(id.ms);
  writer.WriteLength(id.seq);
}

void WriteRawId(ValueWriter& writer, StreamId id) {
  char bytes[kRawIdBytes];
  id.WriteBytes(bytes);
  writer.WriteRaw({bytes, sizeof bytes});
}

void WriteTime(ValueWriter& writer, int64_t ms) {
  char bytes[sizeof ms];
  std::memcpy(bytes, &ms, sizeof ms);
  writer.WriteRaw({bytes, sizeof bytes});
}

Result<StreamId> ReadId(ValueReader& reader) {
  StreamId id;
  BP_ASSIGN_OR_RETURN(id.ms, reader.ReadLength());
  BP_ASSIGN_OR_RETURN(id.seq, reader.ReadLength());
  return id;
}

Result<StreamId> ReadRawId(ValueReader& reader) {
  char bytes[kRawIdBytes];
  BP_RETURN_IF_ERROR(reader.ReadRaw(bytes, sizeof bytes));
  return StreamId::FromBytes(bytes);
}

Result<int64_t> ReadTime(ValueReader& reader) {
  int64_t ms;
  char bytes[sizeof ms];
  BP_RETURN_IF_ERROR(reader.ReadRaw(bytes, sizeof bytes));
  std::memcpy(&ms, bytes, sizeof ms);
  return ms;
}

void SaveConsumer(const StreamConsumer& consumer, uint8_t rdb_type, ValueWriter& writer) {
  writer.WriteString(consumer.name());
  WriteTime(writer, consumer.seen_ms);
  if (rdb_type == rdb::kStream3) WriteTime(writer, consumer.active_ms);
  const auto& pending = consumer.pending();
  writer.WriteLength(pending.size());
  for (auto p = pending.Begin(); pending.Valid(p); p = pending.Next(p)) {
    WriteRawId(writer, pending.At(p).id);
  }
}

void SaveGroup(const StreamGroup& group, uint8_t rdb_type, ValueWriter& writer) {
  WriteId(writer, group.last_delivered);
  if (rdb_type != rdb::kStream) writer.WriteLength(static_cast<uint64_t>(group.entries_read));
  const auto& pending = group.pending();
  writer.WriteLength(pending.size());
  for (auto p = pending.Begin(); pending.Valid(p); p = pending.Next(p)) {
    WriteRawId(writer, pending.At(p).id);
    WriteTime(writer, pending.At(p).value.delivered_ms);
    writer.WriteLength(pending.At(p).value.deliveries);
  }
  writer.WriteLength(group.consumers().size());
  for (const auto& [name, consumer] : group.consumers()) SaveConsumer(*consumer, rdb_type, writer);
}

}  // namespace

uint8_t StreamValue::rdb_type(int rdb_version) const {
  return rdb_version >= kRdbVersionStream3 ? rdb::kStream3 : rdb::kStream2;
}

void StreamValue::Save(ValueWriter& writer) const {
  const uint8_t type = rdb_type(writer.rdb_version());
  writer.WriteLength(log_.node_count());
  log_.ForEachNode([&](StreamId id, std::string_view bytes) {
    char key[kRawIdBytes];
    id.WriteBytes(key);
    writer.WriteString({key, sizeof key});
    writer.WriteString(bytes);
  });
  writer.WriteLength(log_.length());
  WriteId(writer, last_id_);
  WriteId(writer, first_id_);
  WriteId(writer, max_deleted_id_);
  writer.WriteLength(entries_added_);
  writer.WriteLength(groups_.size());
  for (const auto& [name, group] : groups_) {
    writer.WriteString(name);
    SaveGroup(*group, type, writer);
  }
}

Status StreamValue::LoadNodes(ValueReader& reader) {
  BP_ASSIGN_OR_RETURN(const uint64_t nodes, ReadCount(reader, kNodeBytesMin));
  for (uint64_t i = 0; i < nodes; ++i) {
    BP_ASSIGN_OR_RETURN(const std::string key, reader.ReadString());
    if (key.size() != kRawIdBytes) return Corrupt("a stream node's id is not 16 bytes");
    BP_ASSIGN_OR_RETURN(const std::string bytes, reader.ReadString());
    if (!log_.AppendNode(StreamId::FromBytes(key.data()), bytes)) {
      return Corrupt("malformed stream node");
    }
  }
  return {};
}

Status StreamValue::LoadCounters(uint8_t rdb_type, ValueReader& reader) {
  BP_ASSIGN_OR_RETURN(const uint64_t length, reader.ReadLength());
  if (length != log_.length()) return Corrupt("a stream's length is not that of its nodes");
  BP_ASSIGN_OR_RETURN(last_id_, ReadId(reader));
  StreamId newest;
  if (log_.LastId(&newest) && newest > last_id_) {
    return Corrupt("a stream has an entry above its last id");
  }
  // What the first entry is, the nodes say.
  log_.FirstId(&first_id_);
  if (rdb_type == rdb::kStream) {
    entries_added_ = length;
    return {};
  }
  BP_RETURN_IF_ERROR(ReadId(reader));  // the first entry's
  BP_ASSIGN_OR_RETURN(max_deleted_id_, ReadId(reader));
  BP_ASSIGN_OR_RETURN(entries_added_, reader.ReadLength());
  if (entries_added_ < length || entries_added_ > INT64_MAX) {
    return Corrupt("a stream's count of added entries cannot be");
  }
  return {};
}

Status StreamValue::LoadConsumer(uint8_t rdb_type, ValueReader& reader, StreamGroup* group) {
  BP_ASSIGN_OR_RETURN(const std::string name, reader.ReadString());
  BP_ASSIGN_OR_RETURN(const int64_t seen_ms, ReadTime(reader));
  bool created;
  StreamConsumer* consumer = group->AddConsumer(name, seen_ms, &created);
  if (!created) return Corrupt("two consumers of one name");
  if (rdb_type == rdb::kStream3) {
    BP_ASSIGN_OR_RETURN(consumer->active_ms, ReadTime(reader));
  } else {
    // The older forms do not tell seen from active.
    consumer->active_ms = seen_ms;
  }
  BP_ASSIGN_OR_RETURN(const uint64_t count, ReadCount(reader, kRawIdBytes));
  for (uint64_t i = 0; i < count; ++i) {
    BP_ASSIGN_OR_RETURN(const StreamId id, ReadRawId(reader));
    const PendingEntry* entry = group->FindPending(id);
    if (entry == nullptr || entry->consumer != nullptr) {
      return Corrupt("a consumer's pending entry is not its group's, or another's too");
    }
    group->Adopt(id, consumer);
  }
  return {};
}

Status StreamValue::LoadGroup(uint8_t rdb_type, ValueReader& reader) {
  BP_ASSIGN_OR_RETURN(const std::string name, reader.ReadString());
  BP_ASSIGN_OR_RETURN(const StreamId last_delivered, ReadId(reader));
  int64_t entries_read;
  if (rdb_type == rdb::kStream) {
    entries_read = EntriesAddedUpTo(last_delivered);
  } else {
    BP_ASSIGN_OR_RETURN(const uint64_t read, reader.ReadLength());
    entries_read = static_cast<int64_t>(read);
    if (entries_read < StreamGroup::kUnknown) return Corrupt("a group has read what cannot be");
  }
  StreamGroup* group = AddGroup(name, last_delivered, entries_read);
  if (group == nullptr) return Corrupt("two groups of one name");
  BP_ASSIGN_OR_RETURN(const uint64_t pending, ReadCount(reader, kPendingBytesMin));
  for (uint64_t i = 0; i < pending; ++i) {
    BP_ASSIGN_OR_RETURN(const StreamId id, ReadRawId(reader));
    PendingEntry entry;
    BP_ASSIGN_OR_RETURN(entry.delivered_ms, ReadTime(reader));
    BP_ASSIGN_OR_RETURN(entry.deliveries, reader.ReadLength());
    if (!group->AddOwnerless(id, entry)) return Corrupt("an entry is pending twice");
  }
  BP_ASSIGN_OR_RETURN(const uint64_t consumers, ReadCount(reader, kConsumerBytesMin));
  for (uint64_t i = 0; i < consumers; ++i) {
    BP_RETURN_IF_ERROR(LoadConsumer(rdb_type, reader, group));
  }
  if (group->HasOwnerless()) return Corrupt("a pending entry is no consumer's");
  return {};
}

Result<std::unique_ptr<Value>> StreamValue::Load(uint8_t rdb_type, ValueReader& reader) {
  auto stream = std::make_unique<StreamValue>();
  BP_RETURN_IF_ERROR(stream->LoadNodes(reader));
  BP_RETURN_IF_ERROR(stream->LoadCounters(rdb_type, reader));
  BP_ASSIGN_OR_RETURN(const uint64_t groups, ReadCount(reader, kGroupBytesMin));
  for (uint64_t i = 0; i < groups; ++i) {
    BP_RETURN_IF_ERROR(stream->LoadGroup(rdb_type, reader));
  }
  return stream;
}

}  // namespace backplane
