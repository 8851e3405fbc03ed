// SPDX-License-Identifier: BSD-3-Clause
// Timers: creating, asking, stopping, creating from a timer.

#include "testing.h"

// A fired timer appends its text to the list "fired" of the database that was selected when it was
// made.
static void Fire(RedisModuleCtx *ctx, void *data) {
  RedisModuleString *text = data;
  RedisModuleCallReply *reply = RedisModule_Call(ctx, "RPUSH", "cs", "fired", text);
  if (reply != NULL) RedisModule_FreeCallReply(reply);
  RedisModule_FreeString(NULL, text);
}

// timers.create ms text: the timer's ID.
static int Create(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *text = RedisModule_CreateStringFromString(NULL, argv[2]);
  RedisModuleTimerID id = RedisModule_CreateTimer(ctx, Number(argv[1]), Fire, text);
  return RedisModule_ReplyWithLongLong(ctx, (long long)id);
}

// timers.stop id: the text that it would have fired, or null.
static int Stop(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  void *text = NULL;
  if (RedisModule_StopTimer(ctx, (RedisModuleTimerID)Number(argv[1]), &text) != REDISMODULE_OK) {
    return RedisModule_ReplyWithNull(ctx);
  }
  return ReplyStringOrErrno(ctx, text);
}

// timers.info id: milliseconds left and text, or null.
static int Info(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  uint64_t left;
  void *text = NULL;
  if (RedisModule_GetTimerInfo(ctx, (RedisModuleTimerID)Number(argv[1]), &left, &text) !=
      REDISMODULE_OK) {
    return RedisModule_ReplyWithNull(ctx);
  }
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, (long long)left);
  return RedisModule_ReplyWithString(ctx, text);
}

static long long chain_left;

static void Chain(RedisModuleCtx *ctx, void *data) {
  RedisModule_AutoMemory(ctx);
  RedisModule_Call(ctx, "INCR", "c", "chain");
  if (--chain_left > 0) RedisModule_CreateTimer(ctx, 1, Chain, NULL);
}

// timers.chain count: a timer that makes the next one, so often; each increments the key "chain".
static int StartChain(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  chain_left = Number(argv[1]);
  RedisModule_CreateTimer(ctx, 1, Chain, NULL);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"timers.create", Create, "", 0},
                                         {"timers.stop", Stop, "", 0},
                                         {"timers.info", Info, "", 0},
                                         {"timers.chain", StartChain, "", 0}};
  if (RedisModule_Init(ctx, "timers", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
