// SPDX-License-Identifier: BSD-3-Clause
// Sorted set values: adding with flags, scores, removing, iterators by score and by name.
#include "testing.h"

// Letters to flags: x XX, n NX, g GT, l LT.
static int Flags(const RedisModuleString *letters) {
  int flags = 0;
  for (const char *at = Text(letters); *at != 0; at++) {
    if (*at == 'x') flags |= REDISMODULE_ZADD_XX;
    if (*at == 'n') flags |= REDISMODULE_ZADD_NX;
    if (*at == 'g') flags |= REDISMODULE_ZADD_GT;
    if (*at == 'l') flags |= REDISMODULE_ZADD_LT;
  }
  return flags;
}

static const char *Outcome(int flags) {
  if (flags & REDISMODULE_ZADD_ADDED) return "added";
  if (flags & REDISMODULE_ZADD_UPDATED) return "updated";
  if (flags & REDISMODULE_ZADD_NOP) return "nop";
  return "none";
}

// zsetkeys.add key MODE flags score element: what became of it. Flags "-": without flags.
static int Add(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int flags = Flags(argv[3]);
  int *pointer = Is(argv[3], "-") ? NULL : &flags;
  int result = RedisModule_ZsetAdd(key, Double(argv[4]), argv[5], pointer);
  RedisModule_CloseKey(key);
  if (result != REDISMODULE_OK) return RedisModule_ReplyWithError(ctx, "ERR refused");
  return RedisModule_ReplyWithCString(ctx, pointer ? Outcome(flags) : "ok");
}

// zsetkeys.incrby key MODE flags score element: what became of it, and the score.
static int Incrby(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int flags = Flags(argv[3]);
  double score = -1;
  int plain = Is(argv[3], "-");
  int result = RedisModule_ZsetIncrby(key, Double(argv[4]), argv[5], plain ? NULL : &flags,
                                      plain ? NULL : &score);
  RedisModule_CloseKey(key);
  if (result != REDISMODULE_OK) return RedisModule_ReplyWithError(ctx, "ERR refused");
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithCString(ctx, plain ? "ok" : Outcome(flags));
  if (plain || flags & REDISMODULE_ZADD_NOP) return RedisModule_ReplyWithNull(ctx);
  return RedisModule_ReplyWithDouble(ctx, score);
}

// zsetkeys.rem key MODE element: result, and whether it was there.
static int Rem(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int deleted = -1;
  int result = RedisModule_ZsetRem(key, argv[3], &deleted);
  RedisModule_CloseKey(key);
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, result);
  return RedisModule_ReplyWithLongLong(ctx, deleted);
}

// zsetkeys.score key element: the score, or null.
static int Score(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  double score = 0;
  int result = RedisModule_ZsetScore(key, argv[2], &score);
  RedisModule_CloseKey(key);
  if (result != REDISMODULE_OK) return RedisModule_ReplyWithNull(ctx);
  return RedisModule_ReplyWithDouble(ctx, score);
}

// The elements from the iterator's place on, as a flat array of names and scores.
static int Walk(RedisModuleCtx *ctx, RedisModuleKey *key, int up, int scores) {
  long count = 0;
  RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
  while (!RedisModule_ZsetRangeEndReached(key)) {
    double score = 0;
    RedisModuleString *element = RedisModule_ZsetRangeCurrentElement(key, scores ? &score : NULL);
    RedisModule_ReplyWithString(ctx, element);
    RedisModule_FreeString(ctx, element);
    count++;
    if (scores) {
      RedisModule_ReplyWithDouble(ctx, score);
      count++;
    }
    int more = up ? RedisModule_ZsetRangeNext(key) : RedisModule_ZsetRangePrev(key);
    if ((more == 0) != (RedisModule_ZsetRangeEndReached(key) != 0)) {
      RedisModule_ReplyWithError(ctx, "ERR Next and EndReached disagree");
      count++;
      break;
    }
  }
  RedisModule_ReplySetArrayLength(ctx, count);
  RedisModule_ZsetRangeStop(key);
  return REDISMODULE_OK;
}

// A bound: "(" before the number leaves the end out.
static double Bound(const RedisModuleString *text, int *exclusive) {
  const char *bytes = Text(text);
  *exclusive = *bytes == '(';
  return strtod(bytes + *exclusive, NULL);
}

// zsetkeys.byscore key DIRECTION min max: up or down.
static int ByScore(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  int minex, maxex;
  double min = Bound(argv[3], &minex), max = Bound(argv[4], &maxex);
  int up = Is(argv[2], "up");
  int result = up ? RedisModule_ZsetFirstInScoreRange(key, min, max, minex, maxex)
                  : RedisModule_ZsetLastInScoreRange(key, min, max, minex, maxex);
  if (result != REDISMODULE_OK) {
    RedisModule_ReplyWithError(ctx, "ERR no range");
  } else {
    Walk(ctx, key, up, 1);
  }
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// zsetkeys.bylex key DIRECTION min max
static int ByLex(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  int up = Is(argv[2], "up");
  int result = up ? RedisModule_ZsetFirstInLexRange(key, argv[3], argv[4])
                  : RedisModule_ZsetLastInLexRange(key, argv[3], argv[4]);
  if (result != REDISMODULE_OK) {
    RedisModule_ReplyWithError(ctx, "ERR no range");
  } else {
    Walk(ctx, key, up, 0);
  }
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// zsetkeys.turn key: all up, then, with the same key, all down, then a range left open at CloseKey.
static int Turn(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ZsetFirstInScoreRange(key, REDISMODULE_NEGATIVE_INFINITE,
                                    REDISMODULE_POSITIVE_INFINITE, 0, 0);
  Walk(ctx, key, 1, 1);
  RedisModule_ZsetLastInScoreRange(key, REDISMODULE_NEGATIVE_INFINITE,
                                   REDISMODULE_POSITIVE_INFINITE, 0, 0);
  Walk(ctx, key, 0, 1);
  RedisModule_ZsetFirstInScoreRange(key, 0, 1, 0, 0);
  RedisModule_ZsetRangeStop(key);
  RedisModule_ZsetRangeStop(key);
  RedisModule_ZsetFirstInScoreRange(key, 0, 1, 0, 0);
  return REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {
      {"zsetkeys.add", Add, "write", 1},    {"zsetkeys.incrby", Incrby, "write", 1},
      {"zsetkeys.rem", Rem, "write", 1},    {"zsetkeys.score", Score, "", 1},
      {"zsetkeys.byscore", ByScore, "", 1}, {"zsetkeys.bylex", ByLex, "", 1},
      {"zsetkeys.turn", Turn, "", 1}};
  if (RedisModule_Init(ctx, "zsetkeys", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
