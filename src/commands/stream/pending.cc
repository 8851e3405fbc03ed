// SPDX-License-Identifier: BSD-3-Clause
// XPENDING: what a group has delivered and nobody acknowledged.
#include <algorithm>

#include "commands/collection.h"
#include "commands/stream/stream_commands.h"

namespace backplane {
namespace {

void ReplySummary(ReplySink& reply, const StreamGroup& group) {
  const auto& pending = group.pending();
  reply.BeginArray(4);
  reply.Integer(static_cast<int64_t>(pending.size()));
  if (pending.empty()) {
    reply.Null();
    reply.Null();
    return reply.NullArray();
  }
  ReplyStreamId(reply, pending.At(pending.Begin()).id);
  ReplyStreamId(reply, pending.At(pending.Last()).id);
  const ReplySink::Deferred array = reply.BeginDeferred(AggregateKind::kArray);
  uint64_t shown = 0;
  for (const auto& [name, consumer] : group.consumers()) {
    if (consumer->pending().empty()) continue;
    ++shown;
    reply.BeginArray(2);
    reply.Bulk(name);
    reply.BulkInteger(static_cast<int64_t>(consumer->pending().size()));
  }
  reply.EndDeferred(array, shown);
}

// "[IDLE min-idle] start end count [consumer]" behind the group.
struct DetailRequest {
  int64_t min_idle_ms = 0;
  StreamRange range;
  uint64_t count = 0;
  size_t consumer_arg = 0;  // 0: all
};

std::optional<DetailRequest> ParseDetail(CommandContext& ctx) {
  constexpr size_t kWithRange = 6;
  DetailRequest request;
  auto syntax_error = [&]() -> std::optional<DetailRequest> {
    ctx.Error(errors::kSyntax);
    return std::nullopt;
  };
  size_t start = 3;
  if (ctx.argc() < kWithRange || ctx.argc() > kWithRange + 3) return syntax_error();
  if (ctx.ArgIs(start, "idle")) {
    const auto idle = ctx.IntegerArg(start + 1);
    if (!idle) return std::nullopt;
    request.min_idle_ms = *idle;
    start += 2;
  }
  if (ctx.argc() < start + 3) return syntax_error();
  const auto count = ctx.IntegerArg(start + 2);
  if (!count) return std::nullopt;
  request.count = *count > 0 ? static_cast<uint64_t>(*count) : 0;
  const auto range = StreamRangeArgs(ctx, start, start + 1);
  if (!range) return std::nullopt;
  request.range = *range;
  if (ctx.argc() > start + 3) request.consumer_arg = start + 3;
  return request;
}

void ReplyPendingEntry(CommandContext& ctx, StreamId id, const PendingEntry& entry,
                       int64_t idle_ms) {
  ReplySink& reply = ctx.reply();
  reply.BeginArray(4);
  ReplyStreamId(reply, id);
  reply.Bulk(entry.consumer->name());
  reply.Integer(idle_ms);
  reply.Integer(static_cast<int64_t>(entry.deliveries));
}

// Walks `index`, the group's or one consumer's, and asks the group about each entry.
template <class T>
void ReplyDetail(CommandContext& ctx, const DetailRequest& request, StreamGroup& group,
                 const IdIndex<T>& index) {
  const int64_t now_ms = ctx.keyspace().now_ms();
  const ReplySink::Deferred array = ctx.reply().BeginDeferred(AggregateKind::kArray);
  uint64_t shown = 0;
  for (auto p = index.LowerBound(request.range.first);
       index.Valid(p) && shown < request.count && index.At(p).id <= request.range.last;
       p = index.Next(p)) {
    const PendingEntry& entry = *group.FindPending(index.At(p).id);
    const int64_t idle_ms = now_ms - entry.delivered_ms;
    if (request.min_idle_ms > 0 && idle_ms < request.min_idle_ms) continue;
    ReplyPendingEntry(ctx, index.At(p).id, entry, std::max<int64_t>(idle_ms, 0));
    ++shown;
  }
  ctx.reply().EndDeferred(array, shown);
}

void XPending(CommandContext& ctx) {
  const bool summary = ctx.argc() == 3;
  std::optional<DetailRequest> request;
  if (!summary && !(request = ParseDetail(ctx))) return;
  StreamGroup* group;
  if (StreamOfGroup(ctx, 1, 2, &group) == nullptr) return;
  if (summary) return ReplySummary(ctx.reply(), *group);
  if (request->consumer_arg == 0) return ReplyDetail(ctx, *request, *group, group->pending());
  const StreamConsumer* consumer = group->FindConsumer(ctx.arg(request->consumer_arg));
  if (consumer == nullptr) return ctx.reply().BeginArray(0);
  ReplyDetail(ctx, *request, *group, consumer->pending());
}

constexpr CommandSpec kCommands[] = {
    {.name = "xpending",
     .handler = XPending,
     .arity = -3,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "What a group has delivered and nobody acknowledged: how much, or what.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(N) in the entries shown, or in the consumers",
     .arguments = "key group [filters([IDLE min-idle-time:integer@6.2.0] start end count:integer "
                  "[consumer])]",
     .history = "6.2.0: `IDLE`, and ranges without their ends",
     .tips = "nondeterministic_output"},
};

}  // namespace

void RegisterStreamPending(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
