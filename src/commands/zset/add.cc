// SPDX-License-Identifier: BSD-3-Clause
// ZADD, ZINCRBY.
#include <algorithm>

#include "base/numbers.h"
#include "commands/families.h"
#include "commands/zset/zset_commands.h"

namespace backplane {

void RegisterZSetCommands(CommandRegistry& registry) {
  RegisterZSetAdd(registry);
  RegisterZSetLookup(registry);
  RegisterZSetRandom(registry);
  RegisterZSetRange(registry);
  RegisterZSetRangeOld(registry);
  RegisterZSetRemove(registry);
  RegisterZSetPop(registry);
  RegisterZSetAlgebra(registry);
}

namespace {

using Outcome = ZAddResult::Outcome;

// The scores of a command's "score member" pairs. All are read before anything is changed.
class Scores {
 public:
  // False after replying an error.
  bool Parse(CommandContext& ctx, size_t first) {
    const size_t count = (ctx.argc() - first) / 2;
    double* out = few_;
    if (count > kFew) {
      many_.resize(count);
      out = many_.data();
    }
    for (size_t i = 0; i < count; ++i) {
      const auto score = ctx.DoubleArg(first + i * 2);
      if (!score) return false;
      out[i] = *score;
    }
    scores_ = out;
    return true;
  }
  const double* all() const { return scores_; }

 private:
  static constexpr size_t kFew = 16;
  double few_[kFew];
  std::vector<double> many_;
  const double* scores_ = nullptr;
};

void ReplyScore(ReplySink& reply, const ZAddResult& result) {
  result.outcome == Outcome::kBlocked ? reply.Null() : reply.Double(result.score);
}

}  // namespace

void AddMembers(CommandContext& ctx, MemberArgs args, const double* scores, ZAddFlags flags,
                bool changed) {
  const Key key = ctx.key(1);
  Destination<ZSetValue> zset;
  if (!zset.Open(ctx, key, TypeId::kZSet)) return;
  // The encoding of a new set is chosen by its first member's size, as users of 7.2 see it; that of
  // an existing one by the number alone.
  size_t longest = 0;
  if (!zset.exists()) {
    longest = ctx.arg(args.first + args.member).size();
    if (flags.xx) return flags.incr ? ctx.reply().Null() : ctx.reply().Integer(0);
    zset.Create(std::make_unique<ZSetValue>());
  }
  const EncodingLimits& limits = ctx.limits();
  zset->PrepareToGrow((ctx.argc() - args.first) / args.step, longest, limits);
  uint64_t added = 0;
  uint64_t updated = 0;
  ZAddResult last{};
  ForEachElementArg(ctx, *zset, args.first, args.step, args.member, [&](size_t i) {
    const double score = scores[(i - args.first) / args.step];
    last = zset->Add(ctx.arg(i + args.member), score, flags, limits);
    added += last.outcome == Outcome::kAdded ? 1 : 0;
    updated += last.outcome == Outcome::kUpdated ? 1 : 0;
  });
  // Only an increment can end so, and it is alone.
  if (last.outcome == Outcome::kNaN) return ctx.Error(errors::kNanScore);
  if (flags.incr) {
    ReplyScore(ctx.reply(), last);
  } else {
    ctx.reply().Integer(static_cast<int64_t>(changed ? added + updated : added));
  }
  if (added + updated == 0) return;
  zset.Commit(ctx, key);
  ctx.Modified(key.bytes, kNotifyZSet, flags.incr ? "zincr" : "zadd", added + updated);
}

namespace {

// The "score member" pairs from argv[first] on.
void AddPairs(CommandContext& ctx, size_t first, ZAddFlags flags, bool changed) {
  Scores scores;
  if (scores.Parse(ctx, first)) AddMembers(ctx, {first, 2, 1}, scores.all(), flags, changed);
}

void ZAdd(CommandContext& ctx) {
  ZAddFlags flags;
  bool changed = false;
  size_t first = 2;
  for (; first < ctx.argc(); ++first) {
    if (ctx.ArgIs(first, "nx")) {
      flags.nx = true;
    } else if (ctx.ArgIs(first, "xx")) {
      flags.xx = true;
    } else if (ctx.ArgIs(first, "ch")) {
      changed = true;
    } else if (ctx.ArgIs(first, "incr")) {
      flags.incr = true;
    } else if (ctx.ArgIs(first, "gt")) {
      flags.gt = true;
    } else if (ctx.ArgIs(first, "lt")) {
      flags.lt = true;
    } else {
      break;
    }
  }
  const size_t rest = ctx.argc() - first;
  if (rest == 0 || rest % 2 != 0) return ctx.Error(errors::kSyntax);
  if (flags.nx && flags.xx) {
    return ctx.Error("ERR XX and NX options at the same time are not compatible");
  }
  if ((flags.gt && flags.nx) || (flags.lt && flags.nx) || (flags.gt && flags.lt)) {
    return ctx.Error("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  if (flags.incr && rest > 2) {
    return ctx.Error("ERR INCR option supports a single increment-element pair");
  }
  AddPairs(ctx, first, flags, changed);
}

// The words that are options of ZADD are no increments.
bool IsAddOption(CommandContext& ctx, size_t i) {
  for (std::string_view word : {"nx", "xx", "gt", "lt", "ch", "incr"}) {
    if (ctx.ArgIs(i, word)) return true;
  }
  return false;
}

void ZIncrBy(CommandContext& ctx) {
  if (IsAddOption(ctx, 2)) return ctx.Error(errors::kSyntax);
  AddPairs(ctx, 2, {.incr = true}, false);
}

constexpr uint64_t kFlags = kCmdWrite | kCmdDenyOom | kCmdFast;

constexpr CommandSpec kCommands[] = {
    {.name = "zadd",
     .handler = ZAdd,
     .arity = -4,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Adds members with scores, or changes the scores of members.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = "O(log(N)) for each member",
     .arguments = "key [condition@3.0.2(NX | XX)] [comparison@6.2.0(GT | LT)] [change=CH@3.0.2] "
                  "[increment=INCR@3.0.2] data(score:double member)...",
     .history = "2.4.0: several members; 3.0.2: `XX`, `NX`, `CH` and `INCR`; 6.2.0: `GT` and `LT`"},
    {.name = "zincrby",
     .handler = ZIncrBy,
     .arity = 4,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Adds a number to a member's score.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = "O(log(N))",
     .arguments = "key increment:integer member"},
};

}  // namespace

void RegisterZSetAdd(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
