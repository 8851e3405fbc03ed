// SPDX-License-Identifier: BSD-3-Clause
// SUBSCRIBE and PSUBSCRIBE with their reverses, PUBLISH, PUBSUB; the sharded forms, which without a
// cluster are a second set of channels.
#include "client/pubsub.h"

#include <algorithm>

#include "base/ascii.h"
#include "command/context.h"
#include "commands/families.h"
#include "commands/help.h"
#include "engine/engine.h"

namespace backplane {
namespace {

using Kind = PubSub::Kind;

int64_t CountFor(const Session& session, Kind kind) {
  return static_cast<int64_t>(kind == Kind::kShard ? session.shard_channels().size()
                                                   : session.subscription_count());
}

void Confirm(CommandContext& ctx, std::string_view word, const std::string_view* name, Kind kind) {
  // Like messages, confirmations are sent whatever CLIENT REPLY says.
  ReplySink& reply = ctx.session().silent() ? ctx.session().reply() : ctx.reply();
  reply.BeginPush(3);
  reply.Bulk(word);
  if (name != nullptr) {
    reply.Bulk(*name);
  } else {
    reply.Null();
  }
  reply.Integer(CountFor(ctx.session(), kind));
}

void SubscribeAll(CommandContext& ctx, Kind kind, std::string_view word) {
  // Nobody would ever get the messages of a module's call. In a transaction only the older two are
  // allowed.
  if (ctx.session().kind() == Session::Kind::kModule ||
      (kind == Kind::kShard && ctx.session().executing_transaction)) {
    return ctx.Error("ERR " + ToUpper(word) + " isn't allowed for a DENY BLOCKING client");
  }
  for (size_t i = 1; i < ctx.argc(); ++i) {
    ctx.engine().pubsub().Subscribe(ctx.session(), kind, ctx.arg(i));
    std::string_view name = ctx.arg(i);
    Confirm(ctx, word, &name, kind);
  }
}

void UnsubscribeAll(CommandContext& ctx, Kind kind, std::string_view word) {
  PubSub& pubsub = ctx.engine().pubsub();
  Session& session = ctx.session();
  if (ctx.argc() > 1) {
    for (size_t i = 1; i < ctx.argc(); ++i) {
      std::string_view name = ctx.arg(i);
      pubsub.Unsubscribe(session, kind, name);
      Confirm(ctx, word, &name, kind);
    }
    return;
  }
  const auto& names = kind == Kind::kChannel   ? session.channels()
                      : kind == Kind::kPattern ? session.patterns()
                                               : session.shard_channels();
  if (names.empty()) return Confirm(ctx, word, nullptr, kind);
  std::vector<std::string> all(names.begin(), names.end());
  for (const std::string& name : all) {
    pubsub.Unsubscribe(session, kind, name);
    std::string_view view = name;
    Confirm(ctx, word, &view, kind);
  }
}

void Subscribe(CommandContext& ctx) { SubscribeAll(ctx, Kind::kChannel, "subscribe"); }
void PSubscribe(CommandContext& ctx) { SubscribeAll(ctx, Kind::kPattern, "psubscribe"); }
void SSubscribe(CommandContext& ctx) { SubscribeAll(ctx, Kind::kShard, "ssubscribe"); }
void Unsubscribe(CommandContext& ctx) { UnsubscribeAll(ctx, Kind::kChannel, "unsubscribe"); }
void PUnsubscribe(CommandContext& ctx) { UnsubscribeAll(ctx, Kind::kPattern, "punsubscribe"); }
void SUnsubscribe(CommandContext& ctx) { UnsubscribeAll(ctx, Kind::kShard, "sunsubscribe"); }

void Publish(CommandContext& ctx) {
  ctx.reply().Integer(static_cast<int64_t>(ctx.engine().pubsub().Publish(ctx.arg(1), ctx.arg(2))));
  ctx.ForcePropagation(kPropagateToReplicas);
}

void SPublish(CommandContext& ctx) {
  ctx.reply().Integer(
      static_cast<int64_t>(ctx.engine().pubsub().PublishShard(ctx.arg(1), ctx.arg(2))));
  ctx.ForcePropagation(kPropagateToReplicas);
}

void ListChannels(CommandContext& ctx, Kind kind) {
  auto names =
      ctx.engine().pubsub().Channels(ctx.argc() == 3 ? ctx.arg(2) : std::string_view(), kind);
  ctx.reply().BeginArray(names.size());
  for (std::string_view name : names) ctx.reply().Bulk(name);
}

void CountSubscribers(CommandContext& ctx, Kind kind) {
  ctx.reply().BeginMap(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    ctx.reply().Bulk(ctx.arg(i));
    ctx.reply().Integer(
        static_cast<int64_t>(ctx.engine().pubsub().SubscriberCount(ctx.arg(i), kind)));
  }
}

void TooManyPatterns(CommandContext& ctx) {
  ctx.Error(errors::SubcommandSyntax(ctx.arg(1), "PUBSUB"));
}

void PubSubChannels(CommandContext& ctx) {
  if (ctx.argc() > 3) return TooManyPatterns(ctx);
  ListChannels(ctx, Kind::kChannel);
}
void PubSubShardChannels(CommandContext& ctx) {
  if (ctx.argc() > 3) return TooManyPatterns(ctx);
  ListChannels(ctx, Kind::kShard);
}
void PubSubNumSub(CommandContext& ctx) { CountSubscribers(ctx, Kind::kChannel); }
void PubSubShardNumSub(CommandContext& ctx) { CountSubscribers(ctx, Kind::kShard); }
void PubSubNumPat(CommandContext& ctx) {
  ctx.reply().Integer(static_cast<int64_t>(ctx.engine().pubsub().pattern_count()));
}

void PubSubHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"CHANNELS [<pattern>]", "    Channels that have subscribers.", "NUMPAT",
                  "    How many patterns have subscribers.", "NUMSUB [<channel> ...]",
                  "    Subscribers of each channel, patterns not counted.",
                  "SHARDCHANNELS [<pattern>]", "    Shard channels that have subscribers.",
                  "SHARDNUMSUB [<shardchannel> ...]", "    Subscribers of each shard channel."});
}

constexpr uint64_t kSubFlags =
    kCmdPubsub | kCmdNoScript | kCmdLoading | kCmdStale | kCmdSubscribedOk;
constexpr uint64_t kPubFlags = kCmdPubsub | kCmdLoading | kCmdStale | kCmdFast | kCmdMayReplicate;
constexpr uint64_t kListFlags = kCmdPubsub | kCmdLoading | kCmdStale;

constexpr CommandSpec kCommands[] = {
    {.name = "subscribe",
     .handler = Subscribe,
     .arity = -2,
     .flags = kSubFlags,
     .summary = "Listens to channels.",
     .since = "2.0.0",
     .group = "pubsub",
     .complexity = "O(N) in channels",
     .channels = {.flags = kChannelSubscribe, .first = 1, .count = -1},
     .arguments = "channel..."},
    {.name = "psubscribe",
     .handler = PSubscribe,
     .arity = -2,
     .flags = kSubFlags,
     .summary = "Listens to all channels that match patterns.",
     .since = "2.0.0",
     .group = "pubsub",
     .complexity = "O(N) in patterns",
     .channels = {.flags = kChannelSubscribe | kChannelPattern, .first = 1, .count = -1},
     .arguments = "pattern..."},
    {.name = "ssubscribe",
     .handler = SSubscribe,
     .arity = -2,
     .flags = kSubFlags,
     .keys = {1, -1, 1},
     .key_flags = kKeyNotKey,
     .summary = "Listens to shard channels.",
     .since = "7.0.0",
     .group = "pubsub",
     .complexity = "O(N) in channels",
     .channels = {.flags = kChannelSubscribe, .first = 1, .count = -1},
     .arguments = "shardchannel..."},
    {.name = "unsubscribe",
     .handler = Unsubscribe,
     .arity = -1,
     .flags = kSubFlags,
     .summary = "Stops listening to channels, or to all.",
     .since = "2.0.0",
     .group = "pubsub",
     .complexity = "O(N) in channels",
     .channels = {.flags = kChannelUnsubscribe, .first = 1, .count = -1},
     .arguments = "[channel...]"},
    {.name = "punsubscribe",
     .handler = PUnsubscribe,
     .arity = -1,
     .flags = kSubFlags,
     .summary = "Stops listening to patterns, or to all.",
     .since = "2.0.0",
     .group = "pubsub",
     .complexity = "O(N) in patterns",
     .channels = {.flags = kChannelUnsubscribe | kChannelPattern, .first = 1, .count = -1},
     .arguments = "[pattern...]"},
    {.name = "sunsubscribe",
     .handler = SUnsubscribe,
     .arity = -1,
     .flags = kSubFlags,
     .keys = {1, -1, 1},
     .key_flags = kKeyNotKey,
     .summary = "Stops listening to shard channels, or to all.",
     .since = "7.0.0",
     .group = "pubsub",
     .complexity = "O(N) in channels",
     .channels = {.flags = kChannelUnsubscribe, .first = 1, .count = -1},
     .arguments = "[shardchannel...]"},
    {.name = "publish",
     .handler = Publish,
     .arity = 3,
     .flags = kPubFlags,
     .summary = "Sends a message to a channel.",
     .since = "2.0.0",
     .group = "pubsub",
     .complexity = "O(N+M) in subscribers of the channel and patterns",
     .channels = {.flags = kChannelPublish, .first = 1, .count = 1},
     .arguments = "channel message"},
    {.name = "spublish",
     .handler = SPublish,
     .arity = 3,
     .flags = kPubFlags,
     .keys = {1, 1, 1},
     .key_flags = kKeyNotKey,
     .summary = "Sends a message to a shard channel.",
     .since = "7.0.0",
     .group = "pubsub",
     .complexity = "O(N) in subscribers",
     .channels = {.flags = kChannelPublish, .first = 1, .count = 1},
     .arguments = "shardchannel message"},
    {.name = "pubsub",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .acl = kAclSlow,
     .summary = "A container for commands about publish and subscribe.",
     .since = "2.8.0",
     .group = "pubsub",
     .complexity = "That of the subcommand"},
    {.name = "pubsub|channels",
     .handler = PubSubChannels,
     .arity = -2,
     .flags = kListFlags,
     .summary = "Channels that have subscribers.",
     .since = "2.8.0",
     .group = "pubsub",
     .complexity = "O(N) in channels",
     .arguments = "[pattern]"},
    {.name = "pubsub|numsub",
     .handler = PubSubNumSub,
     .arity = -2,
     .flags = kListFlags,
     .summary = "Subscribers of channels.",
     .since = "2.8.0",
     .group = "pubsub",
     .complexity = "O(N) in channels",
     .arguments = "[channel...]"},
    {.name = "pubsub|numpat",
     .handler = PubSubNumPat,
     .arity = 2,
     .flags = kListFlags,
     .summary = "How many patterns have subscribers.",
     .since = "2.8.0",
     .group = "pubsub",
     .complexity = "O(1)"},
    {.name = "pubsub|shardchannels",
     .handler = PubSubShardChannels,
     .arity = -2,
     .flags = kListFlags,
     .summary = "Shard channels that have subscribers.",
     .since = "7.0.0",
     .group = "pubsub",
     .complexity = "O(N) in channels",
     .arguments = "[pattern]"},
    {.name = "pubsub|shardnumsub",
     .handler = PubSubShardNumSub,
     .arity = -2,
     .flags = kListFlags,
     .summary = "Subscribers of shard channels.",
     .since = "7.0.0",
     .group = "pubsub",
     .complexity = "O(N) in channels",
     .arguments = "[shardchannel...]"},
    {.name = "pubsub|help",
     .handler = PubSubHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .summary = "Shows the subcommands.",
     .since = "6.2.0",
     .group = "pubsub",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterPubSubCommands(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
