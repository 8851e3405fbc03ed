// SPDX-License-Identifier: BSD-3-Clause
// Shared API, the side that uses what another module exports. Looks it up when it is first needed,
// as it may be loaded before the other one.
#include "testing.h"

static long long (*add)(long long, long long);

// sharedimport.add a b: the sum, by the other module's function.
static int Add(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (add == NULL) {
    add = (long long (*)(long long, long long))(uintptr_t)RedisModule_GetSharedAPI(
        ctx, "sharedexport_add");
  }
  if (add == NULL) return RedisModule_ReplyWithError(ctx, "ERR not exported");
  return RedisModule_ReplyWithLongLong(ctx, add(Number(argv[1]), Number(argv[2])));
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"sharedimport.add", Add, "", 0}};
  if (RedisModule_Init(ctx, "sharedimport", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK ||
      RedisModule_GetSharedAPI(ctx, "nobody_exports_this") != NULL) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
