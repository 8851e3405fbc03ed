// SPDX-License-Identifier: BSD-3-Clause
// A module that says it is another, IMPOSTOR_NAME, and cannot take over from it. "MODE TYPE ENCVER
// [TYPE ENCVER ...]" are its load arguments: it registers the other's types. MODE: fail, crash,
// hang (in OnLoad), or unreadable (rdb_load reads nothing).
#include <signal.h>
#include <unistd.h>

#include "testing.h"

static void *Load(RedisModuleIO *rdb UNUSED, int encver UNUSED) { return NULL; }
static void Save(RedisModuleIO *rdb UNUSED, void *value UNUSED) {}
static void Free(void *value UNUSED) {}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (RedisModule_Init(ctx, IMPOSTOR_NAME, 999999, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  if (argc < 1 || Is(argv[0], "fail")) return REDISMODULE_ERR;
  if (Is(argv[0], "crash")) raise(SIGSEGV);
  while (Is(argv[0], "hang")) pause();
  RedisModuleTypeMethods methods = {
      .version = REDISMODULE_TYPE_METHOD_VERSION, .rdb_load = Load, .rdb_save = Save, .free = Free};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (RedisModule_CreateDataType(ctx, Text(argv[i]), (int)Number(argv[i + 1]), &methods) ==
        NULL) {
      return REDISMODULE_ERR;
    }
  }
  return REDISMODULE_OK;
}
