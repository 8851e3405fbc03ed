// SPDX-License-Identifier: BSD-3-Clause
// ZRANDMEMBER.
#include "commands/zset/zset_commands.h"

namespace backplane {
namespace {

void ZRandMember(CommandContext& ctx) {
  RandomCount wanted;
  if (ctx.argc() > 2) {
    const auto parsed = ParseRandomCount(ctx, "withscores");
    if (!parsed) return;
    wanted = *parsed;
  }
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  Random& random = ctx.keyspace().random();
  Item member;
  double score;
  if (ctx.argc() == 2) {
    if (zset == nullptr) return reply.Null();
    zset->Sample(random, &member, &score);
    return ReplyItem(reply, member);
  }
  if (zset == nullptr) return reply.BeginArray(0);
  const uint64_t count = wanted.repeats ? wanted.count : std::min(wanted.count, zset->length());
  wanted.pairs ? BeginPairs(reply, count) : reply.BeginArray(count);
  auto answer = [&](const Item& m, double s) {
    if (wanted.pairs) BeginPair(reply);
    ReplyItem(reply, m);
    if (wanted.pairs) reply.Double(s);
  };
  if (!wanted.repeats) return zset->SampleDistinct(random, count, answer);
  RepeatWithinOutputLimit(ctx, count, [&] {
    zset->Sample(random, &member, &score);
    answer(member, score);
  });
}

constexpr CommandSpec kCommands[] = {
    {.name = "zrandmember",
     .handler = ZRandMember,
     .arity = -2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Members drawn at random; a negative count allows repetitions.",
     .since = "6.2.0",
     .group = "sorted-set",
     .complexity = "O(N) in the number of members drawn",
     .arguments = "key [options(count:integer [WITHSCORES])]",
     .tips = "nondeterministic_output"},
};

}  // namespace

void RegisterZSetRandom(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
