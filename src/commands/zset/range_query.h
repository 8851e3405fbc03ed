// SPDX-License-Identifier: BSD-3-Clause
// RangeQuery: what ZRANGE and its relatives ask for, read from their arguments. Used by the
// commands of range.cc, range_old.cc and remove.cc.
#pragma once

#include <cstdint>
#include <optional>

#include "command/context.h"
#include "value/zset_range.h"
#include "value/zset_value.h"

namespace backplane {

enum class RangeBy : uint8_t { kRank, kScore, kLex };

struct RangeQuery {
  RangeBy by = RangeBy::kRank;
  bool reverse = false;
  bool with_scores = false;
  bool limited = false;
  int64_t offset = 0;  // LIMIT; negative: nothing
  int64_t limit = -1;  // negative: no bound
  int64_t start = 0;   // by rank, negative from the end
  int64_t stop = 0;
  ScoreRange scores;
  LexRange members;  // borrows from the arguments

  // The ranks that the query means in `zset`, in ascending order whatever `reverse` says.
  ZSetValue::Span SpanIn(const ZSetValue& zset) const;
};

// Which words behind "min max" a command understands besides LIMIT.
struct RangeSyntax {
  bool chooses_kind = false;  // BYSCORE, BYLEX, REV
  bool with_scores = true;    // WITHSCORES
};

// Reads "min max [options]" from argv[first] on, for a command that is `query.by` and
// `query.reverse` unless the options say otherwise. nullopt after replying an error.
std::optional<RangeQuery> ParseRangeQuery(CommandContext& ctx, size_t first, RangeQuery query,
                                          RangeSyntax syntax);

// Reads the two bounds at argv[first] alone, by `query->by`. False after replying an error.
bool ParseRangeBounds(CommandContext& ctx, size_t first, RangeQuery* query);

}  // namespace backplane
