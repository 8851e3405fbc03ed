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

inline ZSetValue* FindZSet(CommandContext& ctx, size_t arg, bool* failed) {
  return FindValueForRead<ZSetValue>(ctx, arg, TypeId::kZSet, failed);
}

// An array of the members of a span; with scores RESP3 nests the pairs, RESP2 is flat.
void ReplySpan(ReplySink& reply, const ZSetValue& zset, ZSetValue::Span span, bool reverse,
               bool with_scores);

}  // namespace backplane
