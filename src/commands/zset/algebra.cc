// SPDX-License-Identifier: BSD-3-Clause
// ZUNION, ZINTER, ZDIFF, their STORE forms, ZINTERCARD. Operands may be sets: their members count
// with score 1.
#include <algorithm>
#include <cmath>

#include "commands/zset/zset_commands.h"
#include "value/set_value.h"

namespace backplane {
namespace {

enum class Operation : uint8_t { kUnion, kInter, kDiff };
enum class Aggregate : uint8_t { kSum, kMin, kMax };

// One operand; neither: the key does not exist.
struct Source {
  const ZSetValue* zset = nullptr;
  const SetValue* set = nullptr;
  double weight = 1;

  uint64_t length() const {
    if (zset != nullptr) return zset->length();
    return set != nullptr ? set->length() : 0;
  }
  bool Find(std::string_view member, double* score) const {
    *score = 1;
    if (zset != nullptr) return zset->Score(member, score);
    return set != nullptr && set->Contains(member);
  }
  double Weighted(double score) const {
    const double product = weight * score;
    return std::isnan(product) ? 0 : product;
  }
  // Calls f(Item, score) for every member until it returns false.
  template <class F>
  void ForEachWhile(F&& f) const {
    if (set != nullptr) {
      set->ForEachWhile([&](const Item& member) { return f(member, 1.0); });
    } else if (length() > 0) {
      for (auto p = zset->At(0); p; p = zset->Next(p)) {
        if (!f(zset->MemberAt(p), zset->ScoreAt(p))) return;
      }
    }
  }
};

struct Request {
  Operation operation = Operation::kUnion;
  bool stores = false;
  bool counts = false;  // ZINTERCARD
  std::vector<Source> sources;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  int64_t limit = 0;
};

double Combine(Aggregate aggregate, double a, double b) {
  switch (aggregate) {
    case Aggregate::kMin:
      return std::min(a, b);
    case Aggregate::kMax:
      return std::max(a, b);
    case Aggregate::kSum:
      break;
  }
  // Infinities of both signs.
  return std::isnan(a + b) ? 0 : a + b;
}

bool FindSources(CommandContext& ctx, size_t first, size_t count, std::vector<Source>* sources) {
  for (size_t i = first; i < first + count; ++i) {
    Source source;
    if (Entry* entry = ctx.db().FindForRead(ctx.key(i)); entry != nullptr) {
      if (entry->type() == TypeId::kZSet) {
        source.zset = &entry->As<ZSetValue>();
      } else if (entry->type() == TypeId::kSet) {
        source.set = &entry->As<SetValue>();
      } else {
        ctx.Error(errors::kWrongType);
        return false;
      }
    }
    sources->push_back(source);
  }
  return true;
}

bool ParseAggregate(CommandContext& ctx, size_t i, Aggregate* aggregate) {
  if (ctx.ArgIs(i, "sum")) {
    *aggregate = Aggregate::kSum;
  } else if (ctx.ArgIs(i, "min")) {
    *aggregate = Aggregate::kMin;
  } else if (ctx.ArgIs(i, "max")) {
    *aggregate = Aggregate::kMax;
  } else {
    ctx.Error(errors::kSyntax);
    return false;
  }
  return true;
}

bool ParseOptions(CommandContext& ctx, size_t first, Request* request) {
  const bool combines = request->operation != Operation::kDiff && !request->counts;
  const size_t count = request->sources.size();
  for (size_t i = first; i < ctx.argc();) {
    const size_t behind = ctx.argc() - i - 1;
    if (combines && behind >= count && ctx.ArgIs(i, "weights")) {
      for (Source& source : request->sources) {
        const auto weight = ctx.DoubleArg(++i, "ERR weight value is not a float");
        if (!weight) return false;
        source.weight = *weight;
      }
      ++i;
    } else if (combines && behind >= 1 && ctx.ArgIs(i, "aggregate")) {
      if (!ParseAggregate(ctx, i + 1, &request->aggregate)) return false;
      i += 2;
    } else if (!request->stores && !request->counts && ctx.ArgIs(i, "withscores")) {
      request->with_scores = true;
      ++i;
    } else if (request->counts && behind >= 1 && ctx.ArgIs(i, "limit")) {
      const auto limit = ctx.IntegerArgIn(i + 1, 0, INT64_MAX, "ERR LIMIT can't be negative");
      if (!limit) return false;
      request->limit = *limit;
      i += 2;
    } else {
      ctx.Error(errors::kSyntax);
      return false;
    }
  }
  return true;
}

// Reads "numkeys key [key ...] [options]" from argv[first] on; false after replying an error.
bool Parse(CommandContext& ctx, size_t first, Request* request) {
  const auto count = ctx.IntegerArg(first);
  if (!count) return false;
  if (*count < 1) {
    ctx.Error("ERR at least 1 input key is needed for '" + ctx.command().fullname + "' command");
    return false;
  }
  if (static_cast<uint64_t>(*count) > ctx.argc() - first - 1) {
    ctx.Error(errors::kSyntax);
    return false;
  }
  const auto keys = static_cast<size_t>(*count);
  if (!FindSources(ctx, first + 1, keys, &request->sources)) return false;
  if (!ParseOptions(ctx, first + 1 + keys, request)) return false;
  if (request->operation != Operation::kDiff) {
    std::sort(request->sources.begin(), request->sources.end(),
              [](const Source& a, const Source& b) { return a.length() < b.length(); });
  }
  return true;
}

// Calls f(member text, score) for what all sources have, until it returns false.
template <class F>
void Intersect(const Request& request, F&& f) {
  const Source& smallest = request.sources.front();
  const std::span<const Source> others(request.sources.begin() + 1, request.sources.end());
  smallest.ForEachWhile([&](const Item& item, double own) {
    ItemText scratch;
    const std::string_view member = item.Text(scratch);
    double total = smallest.Weighted(own);
    for (const Source& other : others) {
      double score;
      if (!other.Find(member, &score)) return true;
      // No NaN is taken out of the product here: a sum with one is 0, as elsewhere in the family.
      total = Combine(request.aggregate, total, other.weight * score);
    }
    return f(member, total);
  });
}

template <class F>
void Subtract(const Request& request, F&& f) {
  const std::span<const Source> others(request.sources.begin() + 1, request.sources.end());
  request.sources.front().ForEachWhile([&](const Item& item, double score) {
    ItemText scratch;
    const std::string_view member = item.Text(scratch);
    double unused;
    for (const Source& other : others) {
      if (other.Find(member, &unused)) return true;
    }
    f(member, score);
    return true;
  });
}

void Unite(const Request& request, const EncodingLimits& limits, ZSetValue* result) {
  // The conditions of ZADD are the aggregations.
  const ZAddFlags flags{.gt = request.aggregate == Aggregate::kMax,
                        .lt = request.aggregate == Aggregate::kMin,
                        .incr = request.aggregate == Aggregate::kSum};
  for (const Source& source : request.sources) {
    source.ForEachWhile([&](const Item& item, double own) {
      ItemText scratch;
      const std::string_view member = item.Text(scratch);
      const auto added = result->Add(member, source.Weighted(own), flags, limits);
      if (added.outcome == ZAddResult::Outcome::kNaN) result->Add(member, 0, {}, limits);
      return true;
    });
  }
}

std::unique_ptr<ZSetValue> Compute(const Request& request, const EncodingLimits& limits) {
  // In the large form from the start: a listpack would turn a score of -0 into 0 before it is
  // replied.
  auto result = std::make_unique<ZSetValue>();
  result->PrepareToGrow(0, SIZE_MAX, limits);
  auto add = [&](std::string_view member, double score) {
    result->Add(member, score, {}, limits);
    return true;
  };
  switch (request.operation) {
    case Operation::kUnion:
      Unite(request, limits, result.get());
      break;
    case Operation::kInter:
      Intersect(request, add);
      break;
    case Operation::kDiff:
      Subtract(request, add);
      break;
  }
  return result;
}

void Answer(CommandContext& ctx, Operation operation) {
  Request request{.operation = operation};
  if (!Parse(ctx, 1, &request)) return;
  const auto result = Compute(request, ctx.limits());
  ReplySpan(ctx.reply(), *result, {0, result->length()}, false, request.with_scores);
}

void Store(CommandContext& ctx, Operation operation, std::string_view event) {
  Request request{.operation = operation, .stores = true};
  if (!Parse(ctx, 2, &request)) return;
  auto result = Compute(request, ctx.limits());
  result->ConvertToListpackIfSmall(ctx.limits());
  StoreResult(ctx, ctx.key(1), std::move(result), kNotifyZSet, event);
}

void ZUnion(CommandContext& ctx) { Answer(ctx, Operation::kUnion); }
void ZInter(CommandContext& ctx) { Answer(ctx, Operation::kInter); }
void ZDiff(CommandContext& ctx) { Answer(ctx, Operation::kDiff); }
void ZUnionStore(CommandContext& ctx) { Store(ctx, Operation::kUnion, "zunionstore"); }
void ZInterStore(CommandContext& ctx) { Store(ctx, Operation::kInter, "zinterstore"); }
void ZDiffStore(CommandContext& ctx) { Store(ctx, Operation::kDiff, "zdiffstore"); }

void ZInterCard(CommandContext& ctx) {
  Request request{.operation = Operation::kInter, .counts = true};
  if (!Parse(ctx, 1, &request)) return;
  int64_t count = 0;
  Intersect(request, [&](std::string_view, double) { return ++count != request.limit; });
  ctx.reply().Integer(count);
}

constexpr uint64_t kReadFlags = kCmdReadonly | kCmdMovableKeys;
constexpr uint64_t kStoreFlags = kCmdWrite | kCmdDenyOom | kCmdMovableKeys;
constexpr std::string_view kUnionCost = "O(N+M*log(M)): sizes of the operands, and of the result";
constexpr std::string_view kInterCost =
    "O(N*K+M*log(M)): size of the smallest operand, operands, size of the result";
constexpr std::string_view kDiffCost =
    "O(N*K+M*log(M)): size of the first operand, operands, size of the result";

constexpr CommandSpec kCommands[] = {
    {.name = "zunion",
     .handler = ZUnion,
     .arity = -3,
     .flags = kReadFlags,
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members of several sorted sets, their scores combined.",
     .since = "6.2.0",
     .group = "sorted-set",
     .complexity = kUnionCost,
     .keynum = {.numkeys_index = 1},
     .arguments = "numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE aggregate(SUM | "
                  "MIN | MAX)] [WITHSCORES]"},
    {.name = "zinter",
     .handler = ZInter,
     .arity = -3,
     .flags = kReadFlags,
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members that all of several sorted sets have, their scores combined.",
     .since = "6.2.0",
     .group = "sorted-set",
     .complexity = kInterCost,
     .keynum = {.numkeys_index = 1},
     .arguments = "numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE aggregate(SUM | "
                  "MIN | MAX)] [WITHSCORES]"},
    {.name = "zdiff",
     .handler = ZDiff,
     .arity = -3,
     .flags = kReadFlags,
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members of the first sorted set that no other has.",
     .since = "6.2.0",
     .group = "sorted-set",
     .complexity = kDiffCost,
     .keynum = {.numkeys_index = 1},
     .arguments = "numkeys:integer key... [WITHSCORES]"},
    {.name = "zunionstore",
     .handler = ZUnionStore,
     .arity = -4,
     .flags = kStoreFlags,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .summary = "Stores the members of several sorted sets, their scores combined.",
     .since = "2.0.0",
     .group = "sorted-set",
     .complexity = kUnionCost,
     .keynum = {.numkeys_index = 2, .destination = 1},
     .arguments = "destination:key numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE "
                  "aggregate(SUM | MIN | MAX)]"},
    {.name = "zinterstore",
     .handler = ZInterStore,
     .arity = -4,
     .flags = kStoreFlags,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .summary = "Stores the members that all of several sorted sets have, their scores combined.",
     .since = "2.0.0",
     .group = "sorted-set",
     .complexity = kInterCost,
     .keynum = {.numkeys_index = 2, .destination = 1},
     .arguments = "destination:key numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE "
                  "aggregate(SUM | MIN | MAX)]"},
    {.name = "zdiffstore",
     .handler = ZDiffStore,
     .arity = -4,
     .flags = kStoreFlags,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .summary = "Stores the members of the first sorted set that no other has.",
     .since = "6.2.0",
     .group = "sorted-set",
     .complexity = kDiffCost,
     .keynum = {.numkeys_index = 2, .destination = 1},
     .arguments = "destination:key numkeys:integer key..."},
    {.name = "zintercard",
     .handler = ZInterCard,
     .arity = -3,
     .flags = kReadFlags,
     .acl = kAclSortedSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Counts the members that all of several sorted sets have.",
     .since = "7.0.0",
     .group = "sorted-set",
     .complexity = "O(N*K): size of the smallest operand, and operands",
     .keynum = {.numkeys_index = 1},
     .arguments = "numkeys:integer key... [LIMIT limit:integer]"},
};

}  // namespace

void RegisterZSetAlgebra(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
