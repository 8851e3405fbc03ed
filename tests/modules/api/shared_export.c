// SPDX-License-Identifier: BSD-3-Clause
// Shared API, the side that exports: adds numbers for other modules.
#include "testing.h"

static long long calls;

static long long Add(long long a, long long b) {
  calls++;
  return a + b;
}

static int Calls(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, calls);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"sharedexport.calls", Calls, "", 0}};
  if (RedisModule_Init(ctx, "sharedexport", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  if (RedisModule_ExportSharedAPI(ctx, "sharedexport_add", (void *)(uintptr_t)Add) !=
      REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  // A name is exported once.
  if (RedisModule_ExportSharedAPI(ctx, "sharedexport_add", (void *)(uintptr_t)Add) ==
      REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
