// SPDX-License-Identifier: BSD-3-Clause
// Work that yields: in a command, on a thread with the lock, in rdb_load.
#include <pthread.h>
#include <unistd.h>

#include "testing.h"

static volatile int stops;
static int waits_in_load;
static RedisModuleType *type;

static void WorkUntilStopped(RedisModuleCtx *ctx, int flags, const char *text) {
  while (!stops) {
    RedisModule_Yield(ctx, flags, text);
    usleep(1000);
  }
}

// yield.run [TEXT]: works until yield.stop, which is the answer to be BUSY with
static int Run(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  stops = 0;
  WorkUntilStopped(ctx, REDISMODULE_YIELD_FLAG_CLIENTS, argc > 1 ? Text(argv[1]) : NULL);
  return RedisModule_ReplyWithSimpleString(ctx, "DONE");
}

// yield.alone TURNS: yields without serving clients
static int Alone(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  for (long long i = Number(argv[1]); i > 0; i--) {
    RedisModule_Yield(ctx, REDISMODULE_YIELD_FLAG_NONE, "alone");
    usleep(1000);
  }
  return RedisModule_ReplyWithSimpleString(ctx, "DONE");
}

static int Stop(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  stops = 1;
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// The key stays open over the yields.
static void *Work(void *pointer) {
  RedisModuleBlockedClient *client = pointer;
  RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(client);
  RedisModule_ThreadSafeContextLock(ctx);
  RedisModuleString *name = RedisModule_CreateString(NULL, "key", 3);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ);
  WorkUntilStopped(ctx, REDISMODULE_YIELD_FLAG_CLIENTS, "a thread works");
  RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_ValueLength(key));
  RedisModule_CloseKey(key);
  RedisModule_FreeString(NULL, name);
  RedisModule_ThreadSafeContextUnlock(ctx);
  RedisModule_UnblockClient(client, NULL);
  RedisModule_FreeThreadSafeContext(ctx);
  return NULL;
}

// yield.thread: the length of `key`, by a thread that works until yield.stop
static int Thread(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  stops = 0;
  pthread_t thread;
  RedisModuleBlockedClient *client = RedisModule_BlockClient(ctx, NULL, NULL, NULL, 0);
  if (pthread_create(&thread, NULL, Work, client) == 0) pthread_detach(thread);
  return REDISMODULE_OK;
}

// yield.drop: deletes `key` while somebody works
static int Drop(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  RedisModule_FreeCallReply(RedisModule_Call(ctx, "DEL", "c", "key"));
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// yield.value KEY: a value whose next rdb_load works until yield.stop
static int Value(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_WRITE);
  RedisModule_ModuleTypeSetValue(key, type, RedisModule_Alloc(1));
  RedisModule_CloseKey(key);
  waits_in_load = 1;
  stops = 0;
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static void *Load(RedisModuleIO *rdb, int encver UNUSED) {
  RedisModule_LoadUnsigned(rdb);
  if (waits_in_load) {
    WorkUntilStopped(RedisModule_GetContextFromIO(rdb), REDISMODULE_YIELD_FLAG_CLIENTS, "a value");
  }
  waits_in_load = 0;
  return RedisModule_Alloc(1);
}

static void Save(RedisModuleIO *rdb, void *value UNUSED) { RedisModule_SaveUnsigned(rdb, 1); }
static void Free(void *value) { RedisModule_Free(value); }

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  static const TestCommand commands[] = {{"yield.run", Run, "", 0},
                                         {"yield.alone", Alone, "", 0},
                                         {"yield.stop", Stop, "allow-busy allow-loading", 0},
                                         {"yield.thread", Thread, "", 0},
                                         {"yield.drop", Drop, "allow-busy", 0},
                                         {"yield.value", Value, "write", 1}};
  if (RedisModule_Init(ctx, "yield", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  RedisModuleTypeMethods methods = {
      .version = REDISMODULE_TYPE_METHOD_VERSION, .rdb_load = Load, .rdb_save = Save, .free = Free};
  type = RedisModule_CreateDataType(ctx, "yield-tst", 1, &methods);
  return type == NULL ? REDISMODULE_ERR : CREATE_COMMANDS(ctx, commands);
}
