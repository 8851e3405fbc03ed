// SPDX-License-Identifier: BSD-3-Clause
// ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX.
#include "commands/zset/range_query.h"
#include "commands/zset/zset_commands.h"

namespace backplane {
namespace {

void ZRem(CommandContext& ctx) {
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kZSet, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  auto& zset = entry->As<ZSetValue>();
  uint64_t removed = 0;
  ForEachElementArg(ctx, zset, 2, 1, 0,
                    [&](size_t i) { removed += zset.Remove(ctx.arg(i)) ? 1 : 0; });
  ctx.reply().Integer(static_cast<int64_t>(removed));
  if (removed > 0) ElementsRemoved<ZSetValue>(ctx, key, entry, kNotifyZSet, "zrem", removed);
}

void RemoveRange(CommandContext& ctx, RangeBy by, std::string_view event) {
  RangeQuery query{.by = by};
  if (!ParseRangeBounds(ctx, 2, &query)) return;
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kZSet, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  auto& zset = entry->As<ZSetValue>();
  const ZSetValue::Span span = query.SpanIn(zset);
  zset.EraseSpan(span);
  ctx.reply().Integer(static_cast<int64_t>(span.count));
  if (span.count > 0) ElementsRemoved<ZSetValue>(ctx, key, entry, kNotifyZSet, event, span.count);
}

void ZRemRangeByRank(CommandContext& ctx) { RemoveRange(ctx, RangeBy::kRank, "zremrangebyrank"); }
void ZRemRangeByScore(CommandContext& ctx) {
  RemoveRange(ctx, RangeBy::kScore, "zremrangebyscore");
}
void ZRemRangeByLex(CommandContext& ctx) { RemoveRange(ctx, RangeBy::kLex, "zremrangebylex"); }

constexpr std::string_view kCost = "O(log(N)+M): size of the sorted set, and members removed";

constexpr CommandSpec kCommands[] = {
    {.name = "zrem",
     .handler = ZRem,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Removes members from a sorted set.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = "O(log(N)) for each member",
     .arguments = "key member...",
     .history = "2.4.0: several members"},
    {.name = "zremrangebyrank",
     .handler = ZRemRangeByRank,
     .arity = 4,
     .flags = kCmdWrite,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Removes the members in a range of ranks.",
     .since = "2.0.0",
     .group = "sorted-set",
     .complexity = kCost,
     .arguments = "key start:integer stop:integer"},
    {.name = "zremrangebyscore",
     .handler = ZRemRangeByScore,
     .arity = 4,
     .flags = kCmdWrite,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Removes the members in a range of scores.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = kCost,
     .arguments = "key min:double max:double"},
    {.name = "zremrangebylex",
     .handler = ZRemRangeByLex,
     .arity = 4,
     .flags = kCmdWrite,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Removes the members in a range of bytes, where all scores are equal.",
     .since = "2.8.9",
     .group = "sorted-set",
     .complexity = kCost,
     .arguments = "key min max"},
};

}  // namespace

void RegisterZSetRemove(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
