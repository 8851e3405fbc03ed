// SPDX-License-Identifier: BSD-3-Clause
// ZRANGE and ZRANGESTORE: all ranges in one command.
#include "command/key_specs.h"
#include "commands/zset/range_query.h"
#include "commands/zset/zset_commands.h"

namespace backplane {
namespace {

void ZRange(CommandContext& ctx) {
  const auto query = ParseRangeQuery(ctx, 2, {}, {.chooses_kind = true});
  if (!query) return;
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  if (zset == nullptr) return ctx.reply().BeginArray(0);
  ReplySpan(ctx.reply(), *zset, query->SpanIn(*zset), query->reverse, query->with_scores);
}

void ZRangeStore(CommandContext& ctx) {
  const auto query = ParseRangeQuery(ctx, 3, {}, {.chooses_kind = true, .with_scores = false});
  if (!query) return;
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 2, &failed);
  if (failed) return;
  std::unique_ptr<ZSetValue> result;
  if (zset != nullptr) {
    const ZSetValue::Span span = query->SpanIn(*zset);
    const EncodingLimits& limits = ctx.limits();
    result = std::make_unique<ZSetValue>();
    result->PrepareToGrow(span.count, 0, limits);
    // In ascending order whatever was asked for: that is the cheapest to add.
    zset->ForSpan(span, false, [&](const Item& member, double score) {
      ItemText scratch;
      result->Add(member.Text(scratch), score, {}, limits);
    });
  }
  StoreResult(ctx, ctx.key(1), std::move(result), kNotifyZSet, "zrangestore");
}

constexpr CommandSpec kCommands[] = {
    {.name = "zrange",
     .handler = ZRange,
     .arity = -4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members in a range of ranks, scores or bytes.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = "O(log(N)+M): size of the sorted set, and members returned",
     .arguments = "key start stop [sortby@6.2.0(BYSCORE | BYLEX)] [REV@6.2.0] [LIMIT "
                  "limit@6.2.0(offset:integer count:integer)] [WITHSCORES]",
     .history = "6.2.0: `REV`, `BYSCORE`, `BYLEX` and `LIMIT`"},
    {.name = "zrangestore",
     .handler = ZRangeStore,
     .arity = -5,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 2, 1},
     .acl = kAclSortedSet,
     .summary = "Stores the members in a range of ranks, scores or bytes.",
     .since = "6.2.0",
     .group = "sorted-set",
     .complexity = "O(log(N)+M): size of the sorted set, and members stored",
     .key_specs = key_specs::kStoreFromOne,
     .arguments = "dst:key src:key min max [sortby(BYSCORE | BYLEX)] [REV] [LIMIT "
                  "limit(offset:integer count:integer)]"},
};

}  // namespace

void RegisterZSetRange(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
