// SPDX-License-Identifier: BSD-3-Clause
// A stream as commands: its entries, counters, groups, and what is pending in them.
#include <algorithm>
#include <limits>

#include "persist/aof_command_writer.h"
#include "value/stream_value.h"

namespace backplane {
namespace {

bool HasEntry(const StreamLog& log, StreamId id) { return StreamReader(log, id, id).Next(); }

bool CommandsCanSay(const StreamValue& stream) {
  for (const auto& [name, group] : stream.groups()) {
    const StreamGroup::Pending& pending = group->pending();
    for (auto p = pending.Begin(); pending.Valid(p); p = pending.Next(p)) {
      if (!HasEntry(stream.log(), pending.At(p).id)) return false;
    }
  }
  return true;
}

void Entries(std::string_view key, const StreamValue& stream, AofCommandWriter& out) {
  StreamReader reader(stream.log(), kStreamIdMin, kStreamIdMax);
  Item field;
  Item value;
  while (reader.Next()) {
    out.Begin(3 + 2 * reader.fields_left());
    out.Word("XADD");
    out.Word(key);
    out.Word(reader.id());
    while (reader.NextField(&field, &value)) {
      out.Word(field);
      out.Word(value);
    }
  }
  if (stream.length() > 0) return;
  // An entry that is trimmed at once makes an empty stream.
  constexpr StreamId kFirst{0, 1};
  const std::string_view words[] = {"XADD", key, "MAXLEN", "0"};
  out.Begin(7);
  for (const std::string_view word : words) out.Word(word);
  out.Word(stream.last_id() < kFirst ? kFirst : stream.last_id());
  out.Word("x");
  out.Word("y");
}

void Counters(std::string_view key, const StreamValue& stream, AofCommandWriter& out) {
  out.Begin(7);
  out.Word("XSETID");
  out.Word(key);
  out.Word(stream.last_id());
  out.Word("ENTRIESADDED");
  // XSETID takes no more.
  constexpr uint64_t kAddedMax = std::numeric_limits<int64_t>::max();
  out.Number(static_cast<int64_t>(std::min(stream.entries_added(), kAddedMax)));
  out.Word("MAXDELETEDID");
  out.Word(stream.max_deleted_id());
}

void PendingEntries(std::string_view key, std::string_view name, const StreamGroup& group,
                    AofCommandWriter& out) {
  const StreamGroup::Pending& pending = group.pending();
  for (auto p = pending.Begin(); pending.Valid(p); p = pending.Next(p)) {
    const PendingEntry& entry = pending.At(p).value;
    out.Begin(12);
    for (const std::string_view word :
         {std::string_view("XCLAIM"), key, name, std::string_view(entry.consumer->name()),
          std::string_view("0")}) {
      out.Word(word);
    }
    out.Word(pending.At(p).id);
    out.Word("TIME");
    out.Number(entry.delivered_ms);
    out.Word("RETRYCOUNT");
    out.Number(static_cast<int64_t>(entry.deliveries));
    out.Word("JUSTID");
    out.Word("FORCE");
  }
}

void Group(std::string_view key, std::string_view name, const StreamGroup& group,
           AofCommandWriter& out) {
  out.Begin(7);
  for (const std::string_view word :
       {std::string_view("XGROUP"), std::string_view("CREATE"), key, name}) {
    out.Word(word);
  }
  out.Word(group.last_delivered);
  out.Word("ENTRIESREAD");
  out.Number(std::max(group.entries_read, StreamGroup::kUnknown));
  for (const auto& [consumer_name, consumer] : group.consumers()) {
    const std::string_view words[] = {"XGROUP", "CREATECONSUMER", key, name, consumer_name};
    out.Words(words);
  }
  PendingEntries(key, name, group, out);
}

}  // namespace

bool WriteAofStream(std::string_view key, const StreamValue& stream, AofCommandWriter& out) {
  if (!CommandsCanSay(stream)) return false;
  Entries(key, stream, out);
  Counters(key, stream, out);
  for (const auto& [name, group] : stream.groups()) Group(key, name, *group, out);
  return true;
}

}  // namespace backplane
