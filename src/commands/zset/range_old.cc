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
     .arguments = "key start:integer stop:integer [WITHSCORES]",
     .deprecated = "6.2.0: `ZRANGE` with `REV`"},
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
     .arguments =
         "key min:double max:double [WITHSCORES@2.0.0] [LIMIT limit(offset:integer count:integer)]",
     .history = "2.0.0: `WITHSCORES`",
     .deprecated = "6.2.0: `ZRANGE` with `BYSCORE`"},
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
     .arguments =
         "key max:double min:double [WITHSCORES] [LIMIT limit(offset:integer count:integer)]",
     .history = "2.1.6: ranges without their ends",
     .deprecated = "6.2.0: `ZRANGE` with `REV` and `BYSCORE`"},
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
     .arguments = "key min max [LIMIT limit(offset:integer count:integer)]",
     .deprecated = "6.2.0: `ZRANGE` with `BYLEX`"},
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
     .arguments = "key max min [LIMIT limit(offset:integer count:integer)]",
     .deprecated = "6.2.0: `ZRANGE` with `REV` and `BYLEX`"},
};

}  // namespace

void RegisterZSetRangeOld(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
