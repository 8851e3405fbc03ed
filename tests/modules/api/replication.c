// SPDX-License-Identifier: BSD-3-Clause
// Replication calls: what reaches the AOF and the replicas, and in which grouping.
#include "testing.h"

// replication.verbatim word...: the command as it came; nothing is changed.
static int Verbatim(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplicateVerbatim(ctx);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// replication.several: other commands than what came, with every format.
static int Several(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *word = RedisModule_CreateString(ctx, "string", 6);
  RedisModuleString *vector[] = {word, word};
  RedisModule_Replicate(ctx, "RPUSH", "cclb", "list", "c string", 42LL, "b\0uffer", (size_t)7);
  RedisModule_Replicate(ctx, "RPUSH", "csv", "list", word, vector, (size_t)2);
  RedisModule_FreeString(ctx, word);
  return RedisModule_ReplyWithLongLong(
      ctx, RedisModule_Replicate(ctx, "NOSUCHCOMMAND", "c", "x") == REDISMODULE_ERR);
}

// replication.one: a single command, which needs no transaction around it.
static int One(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_Replicate(ctx, "INCR", "c", "one");
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// replication.calls: calls that are propagated, and calls that are not.
static int Calls(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  RedisModule_Call(ctx, "INCR", "c!", "both");
  RedisModule_Call(ctx, "INCR", "c", "neither");
  RedisModule_Call(ctx, "INCR", "c!A", "replicas");
  RedisModule_Call(ctx, "INCR", "c!R", "aof");
  RedisModule_Call(ctx, "GET", "c!", "both");
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// replication.mixed: a call, then the command itself.
static int Mixed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  RedisModule_Call(ctx, "INCR", "c!", "mixed");
  RedisModule_ReplicateVerbatim(ctx);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static void OnTimer(RedisModuleCtx *ctx, void *data) {
  RedisModule_AutoMemory(ctx);
  RedisModule_Replicate(ctx, "INCR", "c", "timer");
  RedisModule_Call(ctx, "RPUSH", "cc!", "timerlist", "x");
}

static int Timer(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_CreateTimer(ctx, 1, OnTimer, NULL);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {
      {"replication.verbatim", Verbatim, "write", 0}, {"replication.several", Several, "write", 0},
      {"replication.one", One, "write", 0},           {"replication.calls", Calls, "write", 0},
      {"replication.mixed", Mixed, "write", 0},       {"replication.timer", Timer, "write", 0}};
  if (RedisModule_Init(ctx, "replication", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
