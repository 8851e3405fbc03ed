// SPDX-License-Identifier: BSD-3-Clause
// XINFO: what a stream, its groups and their consumers look like inside.
#include <algorithm>

#include "commands/collection.h"
#include "commands/help.h"
#include "commands/stream/stream_commands.h"

namespace backplane {
namespace {

// The stream argv[2]; nullptr after an error.
const StreamValue* InspectedStream(CommandContext& ctx) {
  bool failed;
  const auto* stream = FindValueForRead<StreamValue>(ctx, 2, TypeId::kStream, &failed);
  if (stream == nullptr && !failed) ctx.Error(errors::kNoSuchKey);
  return stream;
}

void ReplyCounter(ReplySink& reply, std::string_view name, uint64_t value) {
  reply.Bulk(name);
  reply.Integer(static_cast<int64_t>(value));
}

void ReplyId(ReplySink& reply, std::string_view name, StreamId id) {
  reply.Bulk(name);
  ReplyStreamId(reply, id);
}

void ReplyKnown(ReplySink& reply, std::string_view name, int64_t value) {
  reply.Bulk(name);
  value == StreamGroup::kUnknown ? reply.Null() : reply.Integer(value);
}

// The fields that the short and the full form begin with.
constexpr uint64_t kCommonFields = 7;
void ReplyCommonFields(ReplySink& reply, const StreamValue& stream) {
  ReplyCounter(reply, "length", stream.length());
  ReplyCounter(reply, "radix-tree-keys", stream.log().node_count());
  ReplyCounter(reply, "radix-tree-nodes", stream.log().RadixNodeCount());
  ReplyId(reply, "last-generated-id", stream.last_id());
  ReplyId(reply, "max-deleted-entry-id", stream.max_deleted_id());
  ReplyCounter(reply, "entries-added", stream.entries_added());
  ReplyId(reply, "recorded-first-entry-id", stream.first_id());
}

void ReplyEdge(ReplySink& reply, std::string_view name, const StreamValue& stream, bool last) {
  reply.Bulk(name);
  StreamReader reader(stream.log(), kStreamIdMin, kStreamIdMax, last);
  reader.Next() ? ReplyStreamEntry(reply, reader) : reply.Null();
}

void ReplyShort(ReplySink& reply, const StreamValue& stream) {
  reply.BeginMap(kCommonFields + 3);
  ReplyCommonFields(reply, stream);
  ReplyCounter(reply, "groups", stream.groups().size());
  ReplyEdge(reply, "first-entry", stream, false);
  ReplyEdge(reply, "last-entry", stream, true);
}

uint64_t Shown(uint64_t size, uint64_t count) { return count == 0 ? size : std::min(size, count); }

void ReplyGroupPending(ReplySink& reply, const StreamGroup& group, uint64_t count) {
  const auto& pending = group.pending();
  ReplyCounter(reply, "pel-count", pending.size());
  reply.Bulk("pending");
  uint64_t left = Shown(pending.size(), count);
  reply.BeginArray(left);
  for (auto p = pending.Begin(); left > 0; p = pending.Next(p), --left) {
    const auto& [id, entry] = pending.At(p);
    reply.BeginArray(4);
    ReplyStreamId(reply, id);
    reply.Bulk(entry.consumer->name());
    reply.Integer(entry.delivered_ms);
    reply.Integer(static_cast<int64_t>(entry.deliveries));
  }
}

void ReplyConsumerFull(ReplySink& reply, const StreamGroup& group, const StreamConsumer& consumer,
                       uint64_t count) {
  const auto& pending = consumer.pending();
  reply.BeginMap(5);
  reply.Bulk("name");
  reply.Bulk(consumer.name());
  reply.Bulk("seen-time");
  reply.Integer(consumer.seen_ms);
  reply.Bulk("active-time");
  reply.Integer(consumer.active_ms);
  ReplyCounter(reply, "pel-count", pending.size());
  reply.Bulk("pending");
  uint64_t left = Shown(pending.size(), count);
  reply.BeginArray(left);
  for (auto p = pending.Begin(); left > 0; p = pending.Next(p), --left) {
    const StreamId id = pending.At(p).id;
    const PendingEntry& entry = *group.pending().Find(id);
    reply.BeginArray(3);
    ReplyStreamId(reply, id);
    reply.Integer(entry.delivered_ms);
    reply.Integer(static_cast<int64_t>(entry.deliveries));
  }
}

void ReplyFull(ReplySink& reply, const StreamValue& stream, uint64_t count) {
  reply.BeginMap(kCommonFields + 2);
  ReplyCommonFields(reply, stream);
  reply.Bulk("entries");
  StreamReader reader(stream.log(), kStreamIdMin, kStreamIdMax);
  ReplyStreamEntries(reply, reader, count);
  reply.Bulk("groups");
  reply.BeginArray(stream.groups().size());
  for (const auto& [name, group] : stream.groups()) {
    reply.BeginMap(7);
    reply.Bulk("name");
    reply.Bulk(name);
    ReplyId(reply, "last-delivered-id", group->last_delivered);
    ReplyKnown(reply, "entries-read", group->entries_read);
    ReplyKnown(reply, "lag", stream.LagOf(*group));
    ReplyGroupPending(reply, *group, count);
    reply.Bulk("consumers");
    reply.BeginArray(group->consumers().size());
    for (const auto& [consumer_name, consumer] : group->consumers()) {
      ReplyConsumerFull(reply, *group, *consumer, count);
    }
  }
}

void XInfoStream(CommandContext& ctx) {
  // Entries of each kind that FULL shows unless COUNT says otherwise.
  constexpr uint64_t kShownByDefault = 10;
  const StreamValue* stream = InspectedStream(ctx);
  if (stream == nullptr) return;
  if (ctx.argc() == 3) return ReplyShort(ctx.reply(), *stream);
  const bool counted = ctx.argc() == 6 && ctx.ArgIs(4, "count");
  if (!ctx.ArgIs(3, "full") || (ctx.argc() != 4 && !counted)) {
    return ctx.Error(errors::SubcommandSyntax(ctx.arg(1), "XINFO"));
  }
  uint64_t count = kShownByDefault;
  if (counted) {
    const auto wanted = ctx.IntegerArg(5);
    if (!wanted) return;
    if (*wanted >= 0) count = static_cast<uint64_t>(*wanted);
  }
  ReplyFull(ctx.reply(), *stream, count);
}

void XInfoGroups(CommandContext& ctx) {
  const StreamValue* stream = InspectedStream(ctx);
  if (stream == nullptr) return;
  ReplySink& reply = ctx.reply();
  reply.BeginArray(stream->groups().size());
  for (const auto& [name, group] : stream->groups()) {
    reply.BeginMap(6);
    reply.Bulk("name");
    reply.Bulk(name);
    ReplyCounter(reply, "consumers", group->consumers().size());
    ReplyCounter(reply, "pending", group->pending().size());
    ReplyId(reply, "last-delivered-id", group->last_delivered);
    ReplyKnown(reply, "entries-read", group->entries_read);
    ReplyKnown(reply, "lag", stream->LagOf(*group));
  }
}

void XInfoConsumers(CommandContext& ctx) {
  const StreamValue* stream = InspectedStream(ctx);
  if (stream == nullptr) return;
  const StreamGroup* group = stream->FindGroup(ctx.arg(3));
  if (group == nullptr) {
    return ctx.Error("NOGROUP No such consumer group '" + errors::ShownArg(ctx.arg(3)) +
                     "' for key name '" + errors::ShownArg(ctx.arg(2)) + "'");
  }
  const int64_t now_ms = ctx.keyspace().now_ms();
  ReplySink& reply = ctx.reply();
  reply.BeginArray(group->consumers().size());
  for (const auto& [name, consumer] : group->consumers()) {
    reply.BeginMap(4);
    reply.Bulk("name");
    reply.Bulk(name);
    ReplyCounter(reply, "pending", consumer->pending().size());
    reply.Bulk("idle");
    reply.Integer(std::max<int64_t>(now_ms - consumer->seen_ms, 0));
    reply.Bulk("inactive");
    reply.Integer(consumer->active_ms < 0 ? -1
                                          : std::max<int64_t>(now_ms - consumer->active_ms, 0));
  }
}

void XInfoHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"CONSUMERS <key> <group>", "    The consumers of a group.", "GROUPS <key>",
                  "    The groups of a stream.", "STREAM <key> [FULL [COUNT <count>]]",
                  "    A stream: its counters and edges; FULL adds entries, groups and consumers, "
                  "up to <count> of each."});
}

constexpr CommandSpec kCommands[] = {
    {.name = "xinfo",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .summary = "Commands that look into a stream.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "That of the subcommand"},
    {.name = "xinfo|stream",
     .handler = XInfoStream,
     .arity = -3,
     .flags = kCmdReadonly,
     .keys = {2, 2, 1},
     .acl = kAclStream,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "A stream's counters and edges, or all that is in it.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(N) in the stream's nodes, and with FULL in what is shown",
     .arguments = "key [full-block(FULL [COUNT count:integer])]",
     .history = "6.0.0: `FULL`; 7.0.0: the fields `max-deleted-entry-id`, `entries-added`, "
                "`recorded-first-entry-id`, `entries-read` and `lag`; 7.2.0: the field "
                "`active-time`, and attempts count for `seen-time`"},
    {.name = "xinfo|groups",
     .handler = XInfoGroups,
     .arity = 3,
     .flags = kCmdReadonly,
     .keys = {2, 2, 1},
     .acl = kAclStream,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The consumer groups of a stream.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(N) in the groups",
     .arguments = "key",
     .history = "7.0.0: the fields `entries-read` and `lag`"},
    {.name = "xinfo|consumers",
     .handler = XInfoConsumers,
     .arity = 4,
     .flags = kCmdReadonly,
     .keys = {2, 2, 1},
     .acl = kAclStream,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The consumers of a group.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(N) in the consumers",
     .arguments = "key group",
     .history = "7.2.0: the field `inactive`",
     .tips = "nondeterministic_output"},
    {.name = "xinfo|help",
     .handler = XInfoHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .acl = kAclStream,
     .summary = "Lists the subcommands.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterStreamInfo(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
