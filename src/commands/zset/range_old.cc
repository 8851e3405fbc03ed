// SPDX-License-Identifier: BSD-3-Clause
// The commands that ZRANGE has taken in: ZREVRANGE, ZRANGEBYSCORE, ZREVRANGEBYSCORE, ZRANGEBYLEX,
// ZREVRANGEBYLEX.
#include "commands/zset/range_query.h"
#include "commands/zset/zset_commands.h"

namespace backplane {
namespace {

void Range(CommandContext& ctx, RangeBy by, bool reverse) {
  const auto query = ParseRangeQuery(ctx, 2, {.by = by, .reverse = reverse}, {});
  if (!query) return;
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  if (zset == nullptr) return ctx.reply().BeginArray(0);
  ReplySpan(ctx.reply(), *zset, query->SpanIn(*zset), reverse, query->with_scores);
}

void ZRevRange(CommandContext& ctx) { Range(ctx, RangeBy::kRank, true); }
void ZRangeByScore(CommandContext& ctx) { Range(ctx, RangeBy::kScore, false); }
void ZRevRangeByScore(CommandContext& ctx) { Range(ctx, RangeBy::kScore, true); }
void ZRangeByLex(CommandContext& ctx) { Range(ctx, RangeBy::kLex, false); }
void ZRevRangeByLex(CommandContext& ctx) { Range(ctx, RangeBy::kLex, true); }

constexpr std::string_view kCost = "O(log(N)+M): size of the sorted set, and members returned";

constexpr CommandSpec kCommands[] = {
    {.name = "zrevrange",
     .handler = ZRevRange,
     .arity = -4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members in a range of ranks, the highest score first.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = kCost,
     .arguments = "key start stop [WITHSCORES]"},
    {.name = "zrangebyscore",
     .handler = ZRangeByScore,
     .arity = -4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members in a range of scores.",
     .since = "1.0.5",
     .group = "sorted-set",
     .complexity = kCost,
     .arguments = "key min max [WITHSCORES] [LIMIT offset count]"},
    {.name = "zrevrangebyscore",
     .handler = ZRevRangeByScore,
     .arity = -4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members in a range of scores, the highest first.",
     .since = "2.2.0",
     .group = "sorted-set",
     .complexity = kCost,
     .arguments = "key max min [WITHSCORES] [LIMIT offset count]"},
    {.name = "zrangebylex",
     .handler = ZRangeByLex,
     .arity = -4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members in a range of bytes, where all scores are equal.",
     .since = "2.8.9",
     .group = "sorted-set",
     .complexity = kCost,
     .arguments = "key min max [LIMIT offset count]"},
    {.name = "zrevrangebylex",
     .handler = ZRevRangeByLex,
     .arity = -4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members in a range of bytes, the last first.",
     .since = "2.8.9",
     .group = "sorted-set",
     .complexity = kCost,
     .arguments = "key max min [LIMIT offset count]"},
};

}  // namespace

void RegisterZSetRangeOld(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
