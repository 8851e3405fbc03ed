// SPDX-License-Identifier: BSD-3-Clause
// Reading range queries; contract in range_query.h.
#include "commands/zset/range_query.h"

#include <algorithm>

namespace backplane {
namespace {

ZSetValue::Span RankSpan(int64_t start, int64_t stop, bool reverse, uint64_t size) {
  const auto length = static_cast<int64_t>(size);
  if (start < 0) start = std::max<int64_t>(start + length, 0);
  if (stop < 0) stop += length;
  stop = std::min(stop, length - 1);
  if (start > stop || start >= length) return {};
  const int64_t first = reverse ? length - 1 - stop : start;
  return {static_cast<uint64_t>(first), static_cast<uint64_t>(stop - start + 1)};
}

// Reads the options from argv[first] on.
bool ParseOptions(CommandContext& ctx, size_t first, RangeQuery* query, RangeSyntax syntax) {
  bool kind_chosen = !syntax.chooses_kind;
  bool direction_chosen = !syntax.chooses_kind;
  for (size_t i = first; i < ctx.argc(); ++i) {
    if (syntax.with_scores && ctx.ArgIs(i, "withscores")) {
      query->with_scores = true;
    } else if (ctx.ArgIs(i, "limit") && i + 2 < ctx.argc()) {
      const auto offset = ctx.IntegerArg(i + 1);
      if (!offset) return false;
      const auto limit = ctx.IntegerArg(i + 2);
      if (!limit) return false;
      query->offset = *offset;
      query->limit = *limit;
      query->limited = true;
      i += 2;
    } else if (!direction_chosen && ctx.ArgIs(i, "rev")) {
      direction_chosen = query->reverse = true;
    } else if (!kind_chosen && ctx.ArgIs(i, "byscore")) {
      kind_chosen = true;
      query->by = RangeBy::kScore;
    } else if (!kind_chosen && ctx.ArgIs(i, "bylex")) {
      kind_chosen = true;
      query->by = RangeBy::kLex;
    } else {
      ctx.Error(errors::kSyntax);
      return false;
    }
  }
  return true;
}

}  // namespace

ZSetValue::Span RangeQuery::SpanIn(const ZSetValue& zset) const {
  if (by == RangeBy::kRank) return RankSpan(start, stop, reverse, zset.length());
  if (limited && offset < 0) return {};
  const uint64_t skipped = limited ? static_cast<uint64_t>(offset) : 0;
  const ZSetValue::Span span = by == RangeBy::kScore ? zset.SpanOf(scores).Without(skipped, reverse)
                                                     : zset.SpanOf(members, reverse, skipped);
  if (!limited || limit < 0 || span.count <= static_cast<uint64_t>(limit)) return span;
  return span.Without(span.count - static_cast<uint64_t>(limit), !reverse);
}

bool ParseRangeBounds(CommandContext& ctx, size_t first, RangeQuery* query) {
  if (query->by == RangeBy::kRank) {
    const auto start = ctx.IntegerArg(first);
    if (!start) return false;
    const auto stop = ctx.IntegerArg(first + 1);
    if (!stop) return false;
    query->start = *start;
    query->stop = *stop;
    return true;
  }
  // A descending range is written with its upper bound first.
  const std::string_view min = ctx.arg(query->reverse ? first + 1 : first);
  const std::string_view max = ctx.arg(query->reverse ? first : first + 1);
  if (query->by == RangeBy::kScore) {
    if (ParseScoreBound(min, &query->scores.min) && ParseScoreBound(max, &query->scores.max)) {
      return true;
    }
    ctx.Error(errors::kMinMaxNotFloat);
    return false;
  }
  if (ParseLexBound(min, &query->members.min) && ParseLexBound(max, &query->members.max)) {
    return true;
  }
  ctx.Error(errors::kMinMaxNotLex);
  return false;
}

std::optional<RangeQuery> ParseRangeQuery(CommandContext& ctx, size_t first, RangeQuery query,
                                          RangeSyntax syntax) {
  if (!ParseOptions(ctx, first + 2, &query, syntax)) return std::nullopt;
  if (query.limited && query.limit != -1 && query.by == RangeBy::kRank) {
    ctx.Error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
    return std::nullopt;
  }
  if (query.with_scores && query.by == RangeBy::kLex) {
    ctx.Error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return std::nullopt;
  }
  if (!ParseRangeBounds(ctx, first, &query)) return std::nullopt;
  return query;
}

}  // namespace backplane
