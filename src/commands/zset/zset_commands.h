// SPDX-License-Identifier: BSD-3-Clause
// The parts of the sorted set family, put together by RegisterZSetCommands, and the reply form that
// they share.
#pragma once

#include "command/context.h"
#include "commands/collection.h"
#include "value/zset_value.h"

namespace backplane {

void RegisterZSetAdd(CommandRegistry& registry);
void RegisterZSetLookup(CommandRegistry& registry);
void RegisterZSetRandom(CommandRegistry& registry);
void RegisterZSetRange(CommandRegistry& registry);
void RegisterZSetRangeOld(CommandRegistry& registry);
void RegisterZSetRemove(CommandRegistry& registry);
void RegisterZSetPop(CommandRegistry& registry);
void RegisterZSetAlgebra(CommandRegistry& registry);

// Where the members of ZADD and its kin stand: argv[first + member], then one every `step`.
struct MemberArgs {
  size_t first;
  size_t step;
  size_t member;
};
// Adds them to the sorted set argv[1], with one score each, and replies. `changed`: counts changed
// members, not only added ones.
void AddMembers(CommandContext& ctx, MemberArgs args, const double* scores, ZAddFlags flags,
                bool changed);

inline ZSetValue* FindZSet(CommandContext& ctx, size_t arg, bool* failed) {
  return FindValueForRead<ZSetValue>(ctx, arg, TypeId::kZSet, failed);
}

// An array of the members of a span; with scores RESP3 nests the pairs, RESP2 is flat.
void ReplySpan(ReplySink& reply, const ZSetValue& zset, ZSetValue::Span span, bool reverse,
               bool with_scores);

}  // namespace backplane
