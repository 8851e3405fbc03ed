// SPDX-License-Identifier: BSD-3-Clause
// Commands that run while data are loaded.
#include <time.h>
#include <unistd.h>

#include "testing.h"

static long long Milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// loading.yield ms: lets clients be served for so long.
static int Yield(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  const long long end = Milliseconds() + Number(argv[1]);
  while (Milliseconds() < end) {
    RedisModule_Yield(ctx, REDISMODULE_YIELD_FLAG_CLIENTS, "loading.yield");
    usleep(1000);
  }
  return RedisModule_ReplyWithSimpleString(ctx, "DONE");
}

// loading.call command argument...
static int Call(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleCallReply *reply =
      RedisModule_Call(ctx, Text(argv[1]), "vE", argv + 2, (size_t)(argc - 2));
  RedisModule_ReplyWithCallReply(ctx, reply);
  RedisModule_FreeCallReply(reply);
  return REDISMODULE_OK;
}

// loading.load path: OK, or the errno.
static int Load(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleRdbStream *stream = RedisModule_RdbStreamCreateFromFile(Text(argv[1]));
  const int result = RedisModule_RdbLoad(ctx, stream, 0);
  const int number = errno;
  RedisModule_RdbStreamFree(stream);
  return RedisModule_ReplyWithSimpleString(ctx,
                                           result == REDISMODULE_OK ? "OK" : ErrnoName(number));
}

// A key "told" takes "source" with it, in the time when modules are told of its end.
static void OnKey(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  RedisModuleKeyInfo *info = data;
  if (Is(RedisModule_GetKeyNameFromModuleKey(info->key), "told")) {
    RedisModule_FreeCallReply(RedisModule_Call(ctx, "DEL", "c", "source"));
  }
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"loading.yield", Yield, "allow-loading", 0},
                                         {"loading.call", Call, "allow-loading", 0},
                                         {"loading.load", Load, "allow-loading", 0}};
  if (RedisModule_Init(ctx, "loading", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Key, OnKey);
  return CREATE_COMMANDS(ctx, commands);
}
