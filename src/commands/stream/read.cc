// SPDX-License-Identifier: BSD-3-Clause
// XREAD and XREADGROUP: what is new in several streams, for a client that keeps its own place, or
// for one consumer of a group; both can wait for it.
#include <algorithm>
#include <limits>

#include "base/ascii.h"
#include "client/session.h"
#include "commands/blocking.h"
#include "commands/collection.h"
#include "commands/stream/stream_commands.h"

namespace backplane {
namespace {

// "[GROUP group consumer] [COUNT n] [BLOCK ms] [NOACK] STREAMS key... id...".
struct ReadRequest {
  uint64_t count = 0;  // 0: all
  std::optional<int64_t> block_ms;
  size_t group_arg = 0;  // 0: XREAD
  bool no_ack = false;
  size_t first_key = 0;
  size_t stream_count = 0;

  size_t id_arg(size_t stream) const { return first_key + stream_count + stream; }
};

// Reads one option at argv[*i], leaving *i at its last argument; false after an error.
bool ReadOption(CommandContext& ctx, size_t* i, bool of_group, ReadRequest* request) {
  const size_t left = ctx.argc() - *i - 1;
  if (left >= 1 && ctx.ArgIs(*i, "block")) {
    if (ctx.session().kind() == Session::Kind::kScript) {
      ctx.Error("ERR " + ctx.command().fullname +
                " command is not allowed with BLOCK option from scripts");
      return false;
    }
    const auto ms = ctx.IntegerArg(++*i, "ERR timeout is not an integer or out of range");
    if (!ms) return false;
    if (*ms < 0) {
      ctx.Error("ERR timeout is negative");
      return false;
    }
    if (*ms > INT64_MAX - ctx.keyspace().now_ms()) {
      ctx.Error("ERR timeout is out of range");
      return false;
    }
    request->block_ms = ms;
  } else if (left >= 1 && ctx.ArgIs(*i, "count")) {
    const auto count = ctx.IntegerArg(++*i);
    if (!count) return false;
    request->count = *count > 0 ? static_cast<uint64_t>(*count) : 0;
  } else if (left >= 2 && ctx.ArgIs(*i, "group")) {
    if (!of_group) {
      ctx.Error("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
      return false;
    }
    request->group_arg = *i + 1;
    *i += 2;
  } else if (ctx.ArgIs(*i, "noack")) {
    if (!of_group) {
      ctx.Error("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
      return false;
    }
    request->no_ack = true;
  } else {
    ctx.Error(errors::kSyntax);
    return false;
  }
  return true;
}

std::optional<ReadRequest> ParseRead(CommandContext& ctx, bool of_group) {
  ReadRequest request;
  auto error = [&](std::string_view text) -> std::optional<ReadRequest> {
    ctx.Error(text);
    return std::nullopt;
  };
  for (size_t i = 1; i < ctx.argc(); ++i) {
    const size_t left = ctx.argc() - i - 1;
    if (left >= 1 && ctx.ArgIs(i, "streams")) {
      if (left % 2 != 0) {
        return error("ERR Unbalanced '" + ToLower(ctx.command().fullname) +
                     "' list of streams: for each stream key an ID or '" + (of_group ? ">" : "$") +
                     "' must be specified.");
      }
      request.first_key = i + 1;
      request.stream_count = left / 2;
      break;
    }
    if (!ReadOption(ctx, &i, of_group, &request)) return std::nullopt;
  }
  if (request.first_key == 0) return error(errors::kSyntax);
  if (of_group && request.group_arg == 0) {
    return error("ERR Missing GROUP option for XREADGROUP");
  }
  return request;
}

// One of the streams that are asked for.
struct Source {
  size_t key_arg;
  Entry* entry;        // null: no such key
  StreamGroup* group;  // XREADGROUP
  bool only_new;       // XREADGROUP's ">": above the group's position
  StreamId after;      // otherwise: entries above are wanted
};

constexpr std::string_view kDollarInGroup =
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of "
    "this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would "
    "just return an empty result set.";
constexpr std::string_view kNewOutsideGroup =
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
    "<consumer> option.";

std::optional<Source> FindSource(CommandContext& ctx, const ReadRequest& request, size_t index) {
  Source source{request.first_key + index, nullptr, nullptr, false, {}};
  const Key key = ctx.key(source.key_arg);
  bool failed;
  source.entry = request.group_arg != 0 ? ctx.FindForWrite(key, TypeId::kStream, &failed)
                                        : ctx.FindForRead(key, TypeId::kStream, &failed);
  if (failed) return std::nullopt;
  auto* stream = source.entry != nullptr ? &source.entry->As<StreamValue>() : nullptr;
  auto error = [&](std::string_view text) -> std::optional<Source> {
    ctx.Error(text);
    return std::nullopt;
  };
  if (request.group_arg != 0) {
    const std::string_view name = ctx.arg(request.group_arg);
    source.group = stream != nullptr ? stream->FindGroup(name) : nullptr;
    if (source.group == nullptr) {
      return error("NOGROUP No such key '" + errors::ShownArg(key.bytes) + "' or consumer group '" +
                   errors::ShownArg(name) + "' in XREADGROUP with GROUP option");
    }
  }
  const size_t id_arg = request.id_arg(index);
  if (ctx.arg(id_arg) == "$") {
    if (request.group_arg != 0) return error(kDollarInGroup);
    if (stream != nullptr) source.after = stream->last_id();
    return source;
  }
  if (ctx.arg(id_arg) == ">") {
    if (request.group_arg == 0) return error(kNewOutsideGroup);
    source.only_new = true;
    return source;
  }
  const auto id = StreamIdArg(ctx, id_arg, 0);
  if (!id) return std::nullopt;
  source.after = *id;
  return source;
}

// Begins the reply with the first stream that has something, and each stream's part.
class ReadReply {
 public:
  explicit ReadReply(ReplySink& reply) : reply_(reply) {}
  void BeginStream(std::string_view key) {
    // A map in RESP3; an array of pairs, not a flat one, in RESP2.
    const bool map = reply_.resp() != 2;
    if (streams_++ == 0) {
      all_ = reply_.BeginDeferred(map ? AggregateKind::kMap : AggregateKind::kArray);
    }
    if (!map) reply_.BeginArray(2);
    reply_.Bulk(key);
  }
  bool any() const { return streams_ != 0; }
  void End() { reply_.EndDeferred(all_, streams_); }

 private:
  ReplySink& reply_;
  ReplySink::Deferred all_;
  uint64_t streams_ = 0;
};

// The entries that the consumer has pending, above `after`; one that was deleted has no content.
void ServeHistory(CommandContext& ctx, const Source& source, StreamConsumer& consumer,
                  uint64_t count) {
  ReplySink& reply = ctx.reply();
  const auto& stream = source.entry->As<StreamValue>();
  const auto& pending = consumer.pending();
  const ReplySink::Deferred array = reply.BeginDeferred(AggregateKind::kArray);
  uint64_t found = 0;
  for (auto p = pending.UpperBound(source.after); pending.Valid(p) && (count == 0 || found < count);
       p = pending.Next(p), ++found) {
    const StreamId id = pending.At(p).id;
    StreamReader reader(stream.log(), id, id);
    if (!reader.Next()) {
      reply.BeginArray(2);
      ReplyStreamId(reply, id);
      reply.NullArray();
      continue;
    }
    ReplyStreamEntry(reply, reader);
    PendingEntry* entry = source.group->FindPending(id);
    entry->delivered_ms = ctx.keyspace().now_ms();
    ++entry->deliveries;
  }
  reply.EndDeferred(array, found);
}

// Counts the entry as read by the group, which is known as long as there are no gaps.
void AdvanceGroup(const StreamValue& stream, StreamGroup& group, StreamId id) {
  group.last_delivered = id;
  if (group.entries_read != StreamGroup::kUnknown && !stream.HasTombstonesFrom(id)) {
    // Clients set it to what they like; XGROUP takes nothing below zero back.
    if (group.entries_read < std::numeric_limits<int64_t>::max()) ++group.entries_read;
  } else if (stream.entries_added() != 0) {
    group.entries_read = std::max(stream.EntriesAddedUpTo(id), StreamGroup::kUnknown);
  }
}

// Delivers new entries to the consumer. `reader` is at the first of them.
void Deliver(CommandContext& ctx, const Source& source, StreamReader& reader,
             StreamConsumer& consumer, const ReadRequest& request) {
  const auto& stream = source.entry->As<StreamValue>();
  StreamGroup& group = *source.group;
  const std::string_view key = ctx.arg(source.key_arg);
  const std::string_view group_name = ctx.arg(request.group_arg);
  const bool propagates = PropagationWanted(ctx);
  const int64_t now_ms = ctx.keyspace().now_ms();
  const ReplySink::Deferred array = ctx.reply().BeginDeferred(AggregateKind::kArray);
  uint64_t found = 0;
  do {
    const StreamId id = reader.id();
    AdvanceGroup(stream, group, id);
    ReplyStreamEntry(ctx.reply(), reader);
    ++found;
    if (request.no_ack) continue;
    PendingEntry* entry = group.Assign(id, &consumer);
    entry->delivered_ms = now_ms;
    entry->deliveries = 1;
    if (propagates) PropagateClaim(ctx, key, group_name, group, id, *entry);
  } while ((request.count == 0 || found < request.count) && reader.Next());
  group.bookmark = reader.bookmark();
  ctx.reply().EndDeferred(array, found);
  consumer.active_ms = now_ms;
  if (propagates) PropagateGroupPosition(ctx, key, group_name, group);
}

void ServeGroup(CommandContext& ctx, const ReadRequest& request, const Source& source,
                ReadReply* out) {
  const std::string_view key = ctx.arg(source.key_arg);
  StreamConsumer* consumer = ConsumerOf(ctx, *source.group, key, ctx.arg(request.group_arg),
                                        ctx.arg(request.group_arg + 1));
  consumer->seen_ms = ctx.keyspace().now_ms();
  if (!source.only_new) {
    out->BeginStream(key);
    ServeHistory(ctx, source, *consumer, request.count);
    return ctx.Dirty();
  }
  const auto& stream = source.entry->As<StreamValue>();
  // Asked now: the same stream may be asked for twice.
  const auto first = source.group->last_delivered.Next();
  if (stream.length() == 0 || !first) return;
  StreamReader reader(stream.log(), source.group->bookmark, *first, kStreamIdMax);
  if (!reader.Next()) return;
  out->BeginStream(key);
  Deliver(ctx, source, reader, *consumer, request);
  ctx.Dirty();
}

void ServeAfter(CommandContext& ctx, const ReadRequest& request, const Source& source,
                ReadReply* out) {
  const auto first = source.after.Next();
  if (source.entry == nullptr || !first) return;
  const auto& stream = source.entry->As<StreamValue>();
  if (stream.last_id() <= source.after) return;
  StreamReader reader(stream.log(), *first, kStreamIdMax);
  if (!reader.Next()) return;
  out->BeginStream(ctx.arg(source.key_arg));
  const ReplySink::Deferred array = ctx.reply().BeginDeferred(AggregateKind::kArray);
  uint64_t found = 0;
  do {
    ReplyStreamEntry(ctx.reply(), reader);
    ++found;
  } while ((request.count == 0 || found < request.count) && reader.Next());
  ctx.reply().EndDeferred(array, found);
}

// The command waits. It runs again as it was, but for "$", which means the last entry of now.
void WaitForEntries(CommandContext& ctx, const ReadRequest& request,
                    const std::vector<Source>& sources) {
  BlockedCommands::Wait wait{
      .type = TypeId::kStream,
      .timeout_ms = *request.block_ms,
      .reply = BlockedCommands::TimeoutReply::kNullArray,
      // Without its group a reader would wait for ever.
      .wakes_on_loss = request.group_arg != 0,
  };
  wait.args.assign(ctx.args().begin(), ctx.args().end());
  for (size_t i = 0; i < sources.size(); ++i) {
    wait.keys.emplace_back(ctx.arg(sources[i].key_arg));
    if (ctx.arg(request.id_arg(i)) == "$") {
      wait.args[request.id_arg(i)] = sources[i].after.ToString();
    }
  }
  BlockCommand(ctx, std::move(wait));
}

void Read(CommandContext& ctx, bool of_group) {
  const auto request = ParseRead(ctx, of_group);
  if (!request) return;
  std::vector<Source> sources;
  for (size_t i = 0; i < request->stream_count; ++i) {
    const auto source = FindSource(ctx, *request, i);
    if (!source) return;
    sources.push_back(*source);
  }
  ReadReply out(ctx.reply());
  for (const Source& source : sources) {
    of_group ? ServeGroup(ctx, *request, source, &out) : ServeAfter(ctx, *request, source, &out);
  }
  // What was delivered is told in its own words, or not at all.
  if (of_group && ctx.propagated().empty()) ctx.PreventPropagation();
  if (out.any()) return out.End();
  if (!request->block_ms) return ctx.reply().NullArray();
  WaitForEntries(ctx, *request, sources);
}

void XRead(CommandContext& ctx) { Read(ctx, false); }
void XReadGroup(CommandContext& ctx) { Read(ctx, true); }

constexpr CommandSpec kCommands[] = {
    {.name = "xread",
     .handler = XRead,
     .arity = -4,
     .flags = kCmdReadonly | kCmdBlocking | kCmdMovableKeys,
     .acl = kAclStream,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Entries above given ids of several streams; can wait for one.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(N) in the entries returned",
     .keynum = {.keyword = "streams", .keyword_from = 1},
     .arguments =
         "[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS streams(key... id...)"},
    {.name = "xreadgroup",
     .handler = XReadGroup,
     .arity = -7,
     .flags = kCmdWrite | kCmdBlocking | kCmdMovableKeys,
     .acl = kAclStream,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "New entries of several streams for one consumer of a group, or what it has "
                "pending; can wait for new ones.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(N) in the entries returned",
     .keynum = {.keyword = "streams", .keyword_from = 4},
     .arguments = "GROUP group-block(group consumer) [COUNT count:integer] [BLOCK "
                  "milliseconds:integer] [NOACK] STREAMS streams(key... id...)"},
};

}  // namespace

void RegisterStreamRead(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
