// SPDX-License-Identifier: BSD-3-Clause
// API area: keys of type sorted set, and the range iterator that lives in an open key.
#include <cmath>

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/host.h"
#include "modhost/key.h"
#include "value/zset_value.h"

namespace backplane {
namespace {

ZAddFlags FlagsFrom(const int* flags) {
  ZAddFlags out;
  if (flags == nullptr) return out;
  out.xx = (*flags & REDISMODULE_ZADD_XX) != 0;
  out.nx = (*flags & REDISMODULE_ZADD_NX) != 0;
  out.gt = (*flags & REDISMODULE_ZADD_GT) != 0;
  out.lt = (*flags & REDISMODULE_ZADD_LT) != 0;
  return out;
}

int FlagsOf(ZAddResult::Outcome outcome) {
  switch (outcome) {
    case ZAddResult::Outcome::kAdded:
      return REDISMODULE_ZADD_ADDED;
    case ZAddResult::Outcome::kUpdated:
      return REDISMODULE_ZADD_UPDATED;
    case ZAddResult::Outcome::kUnchanged:
      return 0;
    default:
      return REDISMODULE_ZADD_NOP;
  }
}

int Add(RedisModuleKey* key, double score, RedisModuleString* ele, int* flagsptr, bool increment,
        double* newscore) {
  Entry* entry = EntryOf(key);
  if (!CanWrite(key) || (entry != nullptr && entry->type() != TypeId::kZSet)) {
    return REDISMODULE_ERR;
  }
  ZAddFlags flags = FlagsFrom(flagsptr);
  flags.incr = increment;
  if (std::isnan(score) || (flags.nx && (flags.xx || flags.gt || flags.lt)) ||
      (flags.gt && flags.lt)) {
    return REDISMODULE_ERR;
  }
  const EncodingLimits& limits = key->db->keyspace().limits();
  auto* zset = ValueForWrite<ZSetValue>(key, TypeId::kZSet);
  zset->PrepareToGrow(1, ele->size, limits);
  const ZAddResult result = zset->Add(ele->view(), score, flags, limits);
  if (result.outcome == ZAddResult::Outcome::kNaN) {
    DeleteIfEmptied(key);
    return REDISMODULE_ERR;
  }
  if (flagsptr != nullptr) *flagsptr = FlagsOf(result.outcome);
  if (newscore != nullptr) *newscore = result.score;
  key->Changed();
  DeleteIfEmptied(key);
  return REDISMODULE_OK;
}

int ZsetAdd(RedisModuleKey* key, double score, RedisModuleString* ele, int* flagsptr) {
  return Add(key, score, ele, flagsptr, false, nullptr);
}

int ZsetIncrby(RedisModuleKey* key, double score, RedisModuleString* ele, int* flagsptr,
               double* newscore) {
  return Add(key, score, ele, flagsptr, true, newscore);
}

int ZsetRem(RedisModuleKey* key, RedisModuleString* ele, int* deleted) {
  Entry* entry = EntryOf(key);
  if (!CanWrite(key) || (entry != nullptr && entry->type() != TypeId::kZSet)) {
    return REDISMODULE_ERR;
  }
  const bool removed = entry != nullptr && entry->As<ZSetValue>().Remove(ele->view());
  if (deleted != nullptr) *deleted = removed ? 1 : 0;
  if (removed) {
    key->Changed();
    DeleteIfEmptied(key);
  }
  return REDISMODULE_OK;
}

// The sorted set of a key for reading; null when it is empty or of another type.
ZSetValue* ZsetOf(RedisModuleKey* key) {
  Entry* entry = EntryOf(key);
  if (entry == nullptr || entry->type() != TypeId::kZSet) return nullptr;
  return &entry->As<ZSetValue>();
}

int ZsetScore(RedisModuleKey* key, RedisModuleString* ele, double* score) {
  ZSetValue* zset = ZsetOf(key);
  return zset != nullptr && zset->Score(ele->view(), score) ? REDISMODULE_OK : REDISMODULE_ERR;
}

// --- the iterator ---

void Start(RedisModuleKey* key, ZSetValue& zset, ZSetValue::Span span, bool first) {
  auto& range = key->zset;
  range.active = true;
  range.span = span;
  range.end = span.count == 0;
  if (range.end) return;
  range.rank = first ? span.first : span.first + span.count - 1;
  range.at = zset.At(range.rank);
}

int StartScore(RedisModuleKey* key, double min, double max, int minex, int maxex, bool first) {
  ZSetValue* zset = ZsetOf(key);
  if (zset == nullptr) return REDISMODULE_ERR;
  ScoreRange range{{min, minex != 0}, {max, maxex != 0}};
  Start(key, *zset, zset->SpanOf(range), first);
  return REDISMODULE_OK;
}

int StartLex(RedisModuleKey* key, RedisModuleString* min, RedisModuleString* max, bool first) {
  ZSetValue* zset = ZsetOf(key);
  LexRange range;
  if (zset == nullptr || !ParseLexBound(min->view(), &range.min) ||
      !ParseLexBound(max->view(), &range.max)) {
    return REDISMODULE_ERR;
  }
  Start(key, *zset, zset->SpanOf(range, !first), first);
  return REDISMODULE_OK;
}

int ZsetFirstInScoreRange(RedisModuleKey* key, double min, double max, int minex, int maxex) {
  return StartScore(key, min, max, minex, maxex, true);
}
int ZsetLastInScoreRange(RedisModuleKey* key, double min, double max, int minex, int maxex) {
  return StartScore(key, min, max, minex, maxex, false);
}
int ZsetFirstInLexRange(RedisModuleKey* key, RedisModuleString* min, RedisModuleString* max) {
  return StartLex(key, min, max, true);
}
int ZsetLastInLexRange(RedisModuleKey* key, RedisModuleString* min, RedisModuleString* max) {
  return StartLex(key, min, max, false);
}

void ZsetRangeStop(RedisModuleKey* key) {
  if (key != nullptr) key->zset.active = false;
}

// The set under a running iterator; null when it stands past the range or was ended by a write.
ZSetValue* Current(RedisModuleKey* key) {
  ZSetValue* zset = ZsetOf(key);
  return zset != nullptr && key->zset.active && !key->zset.end ? zset : nullptr;
}

int ZsetRangeEndReached(RedisModuleKey* key) { return Current(key) == nullptr ? 1 : 0; }

RedisModuleString* ZsetRangeCurrentElement(RedisModuleKey* key, double* score) {
  ZSetValue* zset = Current(key);
  if (zset == nullptr) return nullptr;
  if (score != nullptr) *score = zset->ScoreAt(key->zset.at);
  ItemText scratch;
  RedisModuleString* member = NewModuleString(zset->MemberAt(key->zset.at).Text(scratch));
  key->ctx->Track(RedisModuleCtx::Kind::kString, member);
  return member;
}

int ZsetRangeNext(RedisModuleKey* key) {
  ZSetValue* zset = Current(key);
  if (zset == nullptr) return 0;
  auto& range = key->zset;
  if (range.rank + 1 >= range.span.first + range.span.count) {
    range.end = true;
    return 0;
  }
  ++range.rank;
  range.at = zset->Next(range.at);
  return 1;
}

int ZsetRangePrev(RedisModuleKey* key) {
  ZSetValue* zset = Current(key);
  if (zset == nullptr) return 0;
  auto& range = key->zset;
  if (range.rank == range.span.first) {
    range.end = true;
    return 0;
  }
  --range.rank;
  range.at = zset->Prev(range.at);
  return 1;
}

}  // namespace

void RegisterZsetApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(ZsetAdd),
      BACKPLANE_API_ROW(ZsetIncrby),
      BACKPLANE_API_ROW(ZsetRem),
      BACKPLANE_API_ROW(ZsetScore),
      BACKPLANE_API_ROW(ZsetFirstInScoreRange),
      BACKPLANE_API_ROW(ZsetLastInScoreRange),
      BACKPLANE_API_ROW(ZsetFirstInLexRange),
      BACKPLANE_API_ROW(ZsetLastInLexRange),
      BACKPLANE_API_ROW(ZsetRangeStop),
      BACKPLANE_API_ROW(ZsetRangeEndReached),
      BACKPLANE_API_ROW(ZsetRangeCurrentElement),
      BACKPLANE_API_ROW(ZsetRangeNext),
      BACKPLANE_API_ROW(ZsetRangePrev),
  };
  table.Add(rows);
}

}  // namespace backplane
