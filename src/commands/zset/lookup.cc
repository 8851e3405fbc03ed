// SPDX-License-Identifier: BSD-3-Clause
// ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZCOUNT, ZLEXCOUNT, ZSCAN.
#include "commands/zset/range_query.h"
#include "commands/zset/zset_commands.h"

namespace backplane {

void ReplySpan(ReplySink& reply, const ZSetValue& zset, ZSetValue::Span span, bool reverse,
               bool with_scores) {
  if (!with_scores) {
    reply.BeginArray(span.count);
    zset.ForSpan(span, reverse, [&](const Item& member, double) { ReplyItem(reply, member); });
    return;
  }
  BeginPairs(reply, span.count);
  zset.ForSpan(span, reverse, [&](const Item& member, double score) {
    BeginPair(reply);
    ReplyItem(reply, member);
    reply.Double(score);
  });
}

namespace {

void ZCard(CommandContext& ctx) {
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  ctx.reply().Integer(zset != nullptr ? static_cast<int64_t>(zset->length()) : 0);
}

void ZScore(CommandContext& ctx) {
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  double score;
  if (zset == nullptr || !zset->Score(ctx.arg(2), &score)) return ctx.reply().Null();
  ctx.reply().Double(score);
}

void ZMScore(CommandContext& ctx) {
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  reply.BeginArray(ctx.argc() - 2);
  if (zset == nullptr) {
    for (size_t i = 2; i < ctx.argc(); ++i) reply.Null();
    return;
  }
  ForEachElementArg(ctx, *zset, 2, 1, 0, [&](size_t i) {
    double score;
    zset->Score(ctx.arg(i), &score) ? reply.Double(score) : reply.Null();
  });
}

void Rank(CommandContext& ctx, bool reverse) {
  if (ctx.argc() > 4) return ctx.Error(errors::WrongArity(ctx.command().fullname));
  const bool with_score = ctx.argc() == 4;
  if (with_score && !ctx.ArgIs(3, "withscore")) return ctx.Error(errors::kSyntax);
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  double score = 0;
  const auto rank =
      zset != nullptr ? zset->Rank(ctx.arg(2), reverse, &score) : std::optional<uint64_t>();
  if (!rank) return with_score ? reply.NullArray() : reply.Null();
  if (with_score) reply.BeginArray(2);
  reply.Integer(static_cast<int64_t>(*rank));
  if (with_score) reply.Double(score);
}

void ZRank(CommandContext& ctx) { Rank(ctx, false); }
void ZRevRank(CommandContext& ctx) { Rank(ctx, true); }

void Count(CommandContext& ctx, RangeBy by) {
  RangeQuery query{.by = by};
  if (!ParseRangeBounds(ctx, 2, &query)) return;
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  ctx.reply().Integer(zset != nullptr ? static_cast<int64_t>(query.SpanIn(*zset).count) : 0);
}

void ZCount(CommandContext& ctx) { Count(ctx, RangeBy::kScore); }
void ZLexCount(CommandContext& ctx) { Count(ctx, RangeBy::kLex); }

void ZScan(CommandContext& ctx) {
  ScanValue<ZSetValue>(
      ctx, TypeId::kZSet, ScanShape::kElementsAndScores,
      [](const ZSetValue& zset, uint64_t cursor, std::vector<ScannedElement>* found) {
        return zset.Scan(cursor, [&](const Item& member, double score) {
          found->push_back({.element = member, .score = score});
        });
      });
}

constexpr uint64_t kFast = kCmdReadonly | kCmdFast;

constexpr CommandSpec kCommands[] = {
    {.name = "zcard",
     .handler = ZCard,
     .arity = 2,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO,
     .summary = "The number of members.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "zscore",
     .handler = ZScore,
     .arity = 3,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The score of a member.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = "O(1)",
     .arguments = "key member"},
    {.name = "zmscore",
     .handler = ZMScore,
     .arity = -3,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The scores of several members.",
     .since = "6.2.0",
     .group = "sorted-set",
     .complexity = "O(N) in the number of members",
     .arguments = "key member..."},
    {.name = "zrank",
     .handler = ZRank,
     .arity = -3,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The place of a member, counted from the lowest score.",
     .since = "2.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N))",
     .arguments = "key member [WITHSCORE]",
     .history = "7.2.0: `WITHSCORE`"},
    {.name = "zrevrank",
     .handler = ZRevRank,
     .arity = -3,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The place of a member, counted from the highest score.",
     .since = "2.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N))",
     .arguments = "key member [WITHSCORE]",
     .history = "7.2.0: `WITHSCORE`"},
    {.name = "zcount",
     .handler = ZCount,
     .arity = 4,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Counts the members whose scores are in a range.",
     .since = "2.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N))",
     .arguments = "key min:double max:double"},
    {.name = "zlexcount",
     .handler = ZLexCount,
     .arity = 4,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Counts the members in a range of bytes, where all scores are equal.",
     .since = "2.8.9",
     .group = "sorted-set",
     .complexity = "O(log(N))",
     .arguments = "key min max"},
    {.name = "zscan",
     .handler = ZScan,
     .arity = -3,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Iterates over the members and scores of a sorted set.",
     .since = "2.8.0",
     .group = "sorted-set",
     .complexity = "O(1) for each call",
     .arguments = "key cursor:integer [MATCH pattern] [COUNT count:integer]",
     .tips = "nondeterministic_output"},
};

}  // namespace

void RegisterZSetLookup(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
