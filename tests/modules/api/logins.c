// SPDX-License-Identifier: BSD-3-Clause
// A second module that takes part in logging in: it is asked, and never knows.
#include "testing.h"

static int PassOn(RedisModuleCtx *ctx, RedisModuleString *name, RedisModuleString *password,
                  RedisModuleString **error) {
  return REDISMODULE_AUTH_NOT_HANDLED;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (RedisModule_Init(ctx, "logins", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  RedisModule_RegisterAuthCallback(ctx, PassOn);
  return REDISMODULE_OK;
}
