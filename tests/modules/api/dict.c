// SPDX-License-Identifier: BSD-3-Clause
// Dictionaries: setting, getting, deleting, iterating both ways, placing and comparing.
#include "testing.h"

static RedisModuleDict *dict;  // Name to a string of its own.

static int Set(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *value = RedisModule_CreateStringFromString(NULL, argv[2]);
  int result = RedisModule_DictSet(dict, argv[1], value);
  if (result != REDISMODULE_OK) RedisModule_FreeString(NULL, value);
  return RedisModule_ReplyWithLongLong(ctx, result);
}

// dict.replace name value: result; the old value is freed.
static int Replace(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  size_t length;
  char *name = (char *)(uintptr_t)RedisModule_StringPtrLen(argv[1], &length);
  RedisModuleString *old = RedisModule_DictGetC(dict, name, length, NULL);
  RedisModuleString *value = RedisModule_CreateStringFromString(NULL, argv[2]);
  int result = RedisModule_DictReplaceC(dict, name, length, value);
  if (old != NULL) RedisModule_FreeString(NULL, old);
  return RedisModule_ReplyWithLongLong(ctx, result);
}

static int Get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int missing = -1;
  RedisModuleString *value = RedisModule_DictGet(dict, argv[1], &missing);
  if (missing) return RedisModule_ReplyWithNull(ctx);
  return RedisModule_ReplyWithString(ctx, value);
}

static int Del(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  void *old = NULL;
  int result = RedisModule_DictDel(dict, argv[1], &old);
  if (old != NULL) RedisModule_FreeString(NULL, old);
  return RedisModule_ReplyWithLongLong(ctx, result);
}

static int Size(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_DictSize(dict));
}

// dict.walk DIRECTION op name [op name]: names from the first place on, while the second condition
// holds.
static int Walk(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int up = Is(argv[1], "up");
  RedisModuleDictIter *at = RedisModule_DictIteratorStart(dict, Text(argv[2]), argv[3]);
  long count = 0;
  RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
  while (1) {
    RedisModuleString *name =
        up ? RedisModule_DictNext(ctx, at, NULL) : RedisModule_DictPrev(ctx, at, NULL);
    if (name == NULL) break;
    int holds = argc < 6 || RedisModule_DictCompare(at, Text(argv[4]), argv[5]) == REDISMODULE_OK;
    if (holds) RedisModule_ReplyWithString(ctx, name);
    RedisModule_FreeString(ctx, name);
    if (!holds) break;
    count++;
  }
  RedisModule_ReplySetArrayLength(ctx, count);
  RedisModule_DictIteratorStop(at);
  return REDISMODULE_OK;
}

// dict.reseek op name op name: starts at the first place, goes to the second; what it finds there.
// (What DictIteratorReseek returns is left out: Redis returns the opposite of its documentation.)
static int Reseek(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  size_t length;
  char *name = (char *)(uintptr_t)RedisModule_StringPtrLen(argv[4], &length);
  RedisModuleDictIter *at = RedisModule_DictIteratorStart(dict, Text(argv[1]), argv[2]);
  RedisModule_DictNextC(at, NULL, NULL);
  RedisModule_DictIteratorReseekC(at, Text(argv[3]), name, length);
  void *data = NULL;
  const char *found = RedisModule_DictNextC(at, &length, &data);
  RedisModule_ReplyWithArray(ctx, 2);
  if (found == NULL) {
    RedisModule_ReplyWithNull(ctx);
    RedisModule_ReplyWithNull(ctx);
  } else {
    RedisModule_ReplyWithStringBuffer(ctx, found, length);
    RedisModule_ReplyWithString(ctx, data);
  }
  RedisModule_DictIteratorStop(at);
  return REDISMODULE_OK;
}

// dict.auto: a dictionary left to automatic memory, with a NULL value in it.
static int Auto(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  RedisModuleDict *own = RedisModule_CreateDict(ctx);
  int missing[2] = {-1, -1};
  RedisModule_DictSetC(own, "null", 4, NULL);
  RedisModule_DictGetC(own, "null", 4, &missing[0]);
  RedisModule_DictGetC(own, "none", 4, &missing[1]);
  RedisModule_ReplyWithArray(ctx, 3);
  RedisModule_ReplyWithLongLong(ctx, missing[0]);
  RedisModule_ReplyWithLongLong(ctx, missing[1]);
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_MallocSizeDict(own) > 0);
}

static void Clear(void) {
  RedisModuleDictIter *at = RedisModule_DictIteratorStartC(dict, "^", NULL, 0);
  void *value;
  while (RedisModule_DictNextC(at, NULL, &value) != NULL) RedisModule_FreeString(NULL, value);
  RedisModule_DictIteratorStop(at);
  RedisModule_FreeDict(NULL, dict);
}

static int ClearCommand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  Clear();
  dict = RedisModule_CreateDict(NULL);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {
      {"dict.set", Set, "", 0},           {"dict.replace", Replace, "", 0},
      {"dict.get", Get, "", 0},           {"dict.del", Del, "", 0},
      {"dict.size", Size, "", 0},         {"dict.walk", Walk, "", 0},
      {"dict.reseek", Reseek, "", 0},     {"dict.auto", Auto, "", 0},
      {"dict.clear", ClearCommand, "", 0}};
  if (RedisModule_Init(ctx, "dict", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  dict = RedisModule_CreateDict(NULL);
  return CREATE_COMMANDS(ctx, commands);
}

int RedisModule_OnUnload(RedisModuleCtx *ctx);
int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  Clear();
  return REDISMODULE_OK;
}
