// SPDX-License-Identifier: BSD-3-Clause
// XCLAIM and XAUTOCLAIM: pending entries go from one consumer to another.
#include <algorithm>

#include "commands/collection.h"
#include "commands/stream/stream_commands.h"

namespace backplane {
namespace {

// How an entry is taken over.
struct ClaimOptions {
  int64_t min_idle_ms = 0;
  int64_t delivered_ms = 0;
  std::optional<uint64_t> deliveries;  // else one more, or with just_id as many
  bool force = false;
  bool just_id = false;
};

// One group and the consumer that claims.
class Claim {
 public:
  // Replies an error if there is no such group; ok() is false then. argv[1] is the key, argv[2]
  // the group, argv[3] the consumer.
  Claim(CommandContext& ctx, const ClaimOptions& options)
      : ctx_(ctx), options_(options), stream_(StreamOfGroup(ctx, 1, 2, &group_)) {}
  bool ok() const { return stream_ != nullptr; }
  StreamGroup& group() { return *group_; }

  // Makes the consumer, which has been seen now.
  void Begin() {
    consumer_ = ConsumerOf(ctx_, *group_, ctx_.arg(1), ctx_.arg(2), ctx_.arg(3));
    consumer_->seen_ms = ctx_.keyspace().now_ms();
  }

  // An entry that is in the stream no more is pending no more. True if it was one.
  bool DropIfDeleted(StreamId id) {
    if (Exists(id)) return false;
    if (group_->Acknowledge(id)) {
      if (PropagationWanted(ctx_)) {
        ctx_.Propagate({"XACK", ctx_.arg(1), ctx_.arg(2), id.ToString()});
      }
      ctx_.Dirty();
    }
    return true;
  }

  bool IdleEnough(const PendingEntry& entry) const {
    return options_.min_idle_ms == 0 ||
           ctx_.keyspace().now_ms() - entry.delivered_ms >= options_.min_idle_ms;
  }

  // Gives the entry to the consumer and replies with it. REQUIRES: it is in the stream.
  void Take(StreamId id) {
    const bool is_new = group_->FindPending(id) == nullptr;
    PendingEntry* entry = group_->Assign(id, consumer_);
    if (is_new) entry->deliveries = 1;  // FORCE counts as a delivery, and the claim as the next
    entry->delivered_ms = options_.delivered_ms;
    if (options_.deliveries) {
      entry->deliveries = *options_.deliveries;
    } else if (!options_.just_id) {
      ++entry->deliveries;
    }
    consumer_->active_ms = ctx_.keyspace().now_ms();
    if (options_.just_id) {
      ReplyStreamId(ctx_.reply(), id);
    } else {
      StreamReader reader(stream_->log(), id, id);
      reader.Next();
      ReplyStreamEntry(ctx_.reply(), reader);
    }
    if (PropagationWanted(ctx_)) {
      PropagateClaim(ctx_, ctx_.arg(1), ctx_.arg(2), *group_, id, *entry);
    }
    ctx_.Dirty();
  }

 private:
  bool Exists(StreamId id) const {
    StreamReader reader(stream_->log(), id, id);
    return reader.Next();
  }

  CommandContext& ctx_;
  const ClaimOptions& options_;
  StreamGroup* group_ = nullptr;
  StreamValue* stream_;
  StreamConsumer* consumer_ = nullptr;
};

std::optional<int64_t> MinIdleArg(CommandContext& ctx, std::string_view error) {
  const auto idle = ctx.IntegerArg(4, error);
  if (!idle) return std::nullopt;
  return std::max<int64_t>(*idle, 0);
}

struct XClaimRequest {
  ClaimOptions options;
  size_t end_of_ids = 5;
  StreamId last_id;
};

// One option at argv[*i], leaving *i at its last argument; false after an error.
bool XClaimOption(CommandContext& ctx, size_t* i, XClaimRequest* request) {
  const bool more = *i + 1 < ctx.argc();
  ClaimOptions& options = request->options;
  const int64_t now_ms = ctx.keyspace().now_ms();
  if (ctx.ArgIs(*i, "force")) {
    options.force = true;
  } else if (ctx.ArgIs(*i, "justid")) {
    options.just_id = true;
  } else if (more && ctx.ArgIs(*i, "idle")) {
    const auto idle = ctx.IntegerArg(++*i, "ERR Invalid IDLE option argument for XCLAIM");
    if (!idle) return false;
    options.delivered_ms = *idle < 0 || *idle > now_ms ? now_ms : now_ms - *idle;
  } else if (more && ctx.ArgIs(*i, "time")) {
    const auto time = ctx.IntegerArg(++*i, "ERR Invalid TIME option argument for XCLAIM");
    if (!time) return false;
    // A time to come would make the entry idle for less than no time.
    options.delivered_ms = *time < 0 || *time > now_ms ? now_ms : *time;
  } else if (more && ctx.ArgIs(*i, "retrycount")) {
    const auto count = ctx.IntegerArg(++*i, "ERR Invalid RETRYCOUNT option argument for XCLAIM");
    if (!count) return false;
    options.deliveries.reset();
    if (*count >= 0) options.deliveries = static_cast<uint64_t>(*count);
  } else if (more && ctx.ArgIs(*i, "lastid")) {
    const auto id = StreamIdArg(ctx, ++*i, 0);
    if (!id) return false;
    request->last_id = *id;
  } else {
    ctx.Error("ERR Unrecognized XCLAIM option '" + errors::ShownArg(ctx.arg(*i)) + "'");
    return false;
  }
  return true;
}

std::optional<XClaimRequest> ParseXClaim(CommandContext& ctx) {
  XClaimRequest request;
  const auto idle = MinIdleArg(ctx, "ERR Invalid min-idle-time argument for XCLAIM");
  if (!idle) return std::nullopt;
  request.options.min_idle_ms = *idle;
  request.options.delivered_ms = ctx.keyspace().now_ms();
  while (request.end_of_ids < ctx.argc() && ParseStreamId(ctx.arg(request.end_of_ids), 0)) {
    ++request.end_of_ids;
  }
  for (size_t i = request.end_of_ids; i < ctx.argc(); ++i) {
    if (!XClaimOption(ctx, &i, &request)) return std::nullopt;
  }
  return request;
}

void XClaim(CommandContext& ctx) {
  // The group first: its lack is the error that counts most.
  StreamGroup* group;
  if (StreamOfGroup(ctx, 1, 2, &group) == nullptr) return;
  const auto request = ParseXClaim(ctx);
  if (!request) return;
  Claim claim(ctx, request->options);
  if (request->last_id > group->last_delivered) {
    group->last_delivered = request->last_id;
    group->bookmark = {};
    if (PropagationWanted(ctx)) PropagateGroupPosition(ctx, ctx.arg(1), ctx.arg(2), *group);
    ctx.Dirty();
  }
  claim.Begin();
  const ReplySink::Deferred array = ctx.reply().BeginDeferred(AggregateKind::kArray);
  uint64_t claimed = 0;
  for (size_t i = 5; i < request->end_of_ids; ++i) {
    const StreamId id = *ParseStreamId(ctx.arg(i), 0);
    if (claim.DropIfDeleted(id)) continue;
    const PendingEntry* entry = group->FindPending(id);
    if (entry == nullptr ? !request->options.force : !claim.IdleEnough(*entry)) continue;
    claim.Take(id);
    ++claimed;
  }
  ctx.reply().EndDeferred(array, claimed);
  if (ctx.propagated().empty()) ctx.PreventPropagation();
}

struct XAutoClaimRequest {
  ClaimOptions options;
  StreamId start;
  uint64_t count = 100;
};

// Pending entries that are looked at for each that is to be claimed.
constexpr uint64_t kAttemptsPerClaim = 10;

std::optional<XAutoClaimRequest> ParseXAutoClaim(CommandContext& ctx) {
  XAutoClaimRequest request;
  const auto idle = MinIdleArg(ctx, "ERR Invalid min-idle-time argument for XAUTOCLAIM");
  if (!idle) return std::nullopt;
  request.options.min_idle_ms = *idle;
  request.options.delivered_ms = ctx.keyspace().now_ms();
  const auto start = StreamRangeStart(ctx, 5);
  if (!start) return std::nullopt;
  request.start = *start;
  for (size_t i = 6; i < ctx.argc(); ++i) {
    if (i + 1 < ctx.argc() && ctx.ArgIs(i, "count")) {
      constexpr auto kCountMax = static_cast<int64_t>(INT64_MAX / sizeof(StreamId));
      const auto count = ctx.IntegerArgIn(++i, 1, kCountMax, "ERR COUNT must be > 0");
      if (!count) return std::nullopt;
      request.count = static_cast<uint64_t>(*count);
    } else if (ctx.ArgIs(i, "justid")) {
      request.options.just_id = true;
    } else {
      ctx.Error(errors::kSyntax);
      return std::nullopt;
    }
  }
  return request;
}

void XAutoClaim(CommandContext& ctx) {
  const auto request = ParseXAutoClaim(ctx);
  if (!request) return;
  Claim claim(ctx, request->options);
  if (!claim.ok()) return;
  claim.Begin();
  ReplySink& reply = ctx.reply();
  const StreamGroup::Pending& pending = claim.group().pending();
  // The cursor comes first in the reply and is known last, so the ids are chosen first.
  std::vector<StreamId> taken;
  std::vector<StreamId> deleted;
  uint64_t attempts = request->count * kAttemptsPerClaim;
  auto p = pending.LowerBound(request->start);
  while (pending.Valid(p) && attempts > 0 && taken.size() + deleted.size() < request->count) {
    --attempts;
    const StreamId id = pending.At(p).id;
    if (claim.DropIfDeleted(id)) {
      deleted.push_back(id);
      p = pending.LowerBound(id);
      continue;
    }
    if (claim.IdleEnough(pending.At(p).value)) taken.push_back(id);
    p = pending.Next(p);
  }
  reply.BeginArray(3);
  ReplyStreamId(reply, pending.Valid(p) ? pending.At(p).id : StreamId{});
  reply.BeginArray(taken.size());
  for (const StreamId id : taken) claim.Take(id);
  reply.BeginArray(deleted.size());
  for (const StreamId id : deleted) ReplyStreamId(reply, id);
  if (ctx.propagated().empty()) ctx.PreventPropagation();
}

constexpr CommandSpec kCommands[] = {
    {.name = "xclaim",
     .handler = XClaim,
     .arity = -6,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Takes pending entries over from the consumers that have them.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(log(N)) for each id, in the group's pending entries",
     .arguments = "key group consumer min-idle-time id... [IDLE ms:integer] [TIME "
                  "unix-time-milliseconds:unix-time] [RETRYCOUNT count:integer] [FORCE] [JUSTID] "
                  "[LASTID lastid]",
     .tips = "nondeterministic_output"},
    {.name = "xautoclaim",
     .handler = XAutoClaim,
     .arity = -6,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Takes over pending entries that have been idle, as a scan goes along.",
     .since = "6.2.0",
     .group = "stream",
     .complexity = "O(COUNT)",
     .arguments = "key group consumer min-idle-time start [COUNT count:integer] [JUSTID]",
     .history = "7.0.0: a third element of the reply, the ids that were deleted",
     .tips = "nondeterministic_output"},
};

}  // namespace

void RegisterStreamClaim(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
