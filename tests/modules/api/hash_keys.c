// SPDX-License-Identifier: BSD-3-Clause
// Hash values: HashSet and HashGet with every flag.
#include "testing.h"

// Letters to flags: n NX, x XX, c CFIELDS, a COUNT_ALL, e EXISTS, ! a flag that does not exist.
static int Flags(const RedisModuleString *letters) {
  int flags = REDISMODULE_HASH_NONE;
  for (const char *at = Text(letters); *at != 0; at++) {
    if (*at == 'n') flags |= REDISMODULE_HASH_NX;
    if (*at == 'x') flags |= REDISMODULE_HASH_XX;
    if (*at == 'c') flags |= REDISMODULE_HASH_CFIELDS;
    if (*at == 'a') flags |= REDISMODULE_HASH_COUNT_ALL;
    if (*at == 'e') flags |= REDISMODULE_HASH_EXISTS;
    if (*at == '!') flags |= 1 << 25;
  }
  return flags;
}

static RedisModuleString *ValueOrDelete(RedisModuleString *value) {
  return Is(value, ":delete:") ? REDISMODULE_HASH_DELETE : value;
}

// hashkeys.set key MODE flags field value [field value]: result and errno's name. The value
// :delete: deletes. One or two pairs.
static int Set(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int flags = Flags(argv[3]);
  int cfields = flags & REDISMODULE_HASH_CFIELDS;
  void *first = cfields ? (void *)(uintptr_t)Text(argv[4]) : argv[4];
  RedisModuleString *value = ValueOrDelete(argv[5]);
  int result;
  errno = 0;
  if (argc == 6) {
    result = RedisModule_HashSet(key, flags, first, value, NULL);
  } else {
    void *second = cfields ? (void *)(uintptr_t)Text(argv[6]) : argv[6];
    result = RedisModule_HashSet(key, flags, first, value, second, ValueOrDelete(argv[7]), NULL);
  }
  int number = errno;
  RedisModule_CloseKey(key);
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, result);
  return RedisModule_ReplyWithCString(ctx, result > 0 ? "-" : ErrnoName(number));
}

static void ReplyAndFree(RedisModuleCtx *ctx, RedisModuleString *value) {
  if (value == NULL) {
    RedisModule_ReplyWithNull(ctx);
  } else {
    RedisModule_ReplyWithString(ctx, value);
    RedisModule_FreeString(ctx, value);
  }
}

// hashkeys.get key MODE flags field field: result, and both values, or both 0 or 1 with flag e.
static int Get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int flags = Flags(argv[3]);
  int cfields = flags & REDISMODULE_HASH_CFIELDS;
  void *first = cfields ? (void *)(uintptr_t)Text(argv[4]) : argv[4];
  void *second = cfields ? (void *)(uintptr_t)Text(argv[5]) : argv[5];
  RedisModule_ReplyWithArray(ctx, 3);
  if (flags & REDISMODULE_HASH_EXISTS) {
    int there[2] = {-1, -1};
    int result = RedisModule_HashGet(key, flags, first, &there[0], second, &there[1], NULL);
    RedisModule_ReplyWithLongLong(ctx, result);
    RedisModule_ReplyWithLongLong(ctx, there[0]);
    RedisModule_ReplyWithLongLong(ctx, there[1]);
  } else {
    RedisModuleString *value[2] = {NULL, NULL};
    int result = RedisModule_HashGet(key, flags, first, &value[0], second, &value[1], NULL);
    RedisModule_ReplyWithLongLong(ctx, result);
    ReplyAndFree(ctx, value[0]);
    ReplyAndFree(ctx, value[1]);
  }
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// hashkeys.swap key field field: exchanges two values through one handle; automatic memory.
static int Swap(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  RedisModuleString *a = NULL, *b = NULL;
  RedisModule_HashGet(key, REDISMODULE_HASH_NONE, argv[2], &a, argv[3], &b, NULL);
  int count = RedisModule_HashSet(key, REDISMODULE_HASH_NONE, argv[2],
                                  b == NULL ? REDISMODULE_HASH_DELETE : b, argv[3],
                                  a == NULL ? REDISMODULE_HASH_DELETE : a, NULL);
  return RedisModule_ReplyWithLongLong(ctx, count);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"hashkeys.set", Set, "write", 1},
                                         {"hashkeys.get", Get, "", 1},
                                         {"hashkeys.swap", Swap, "write", 1}};
  if (RedisModule_Init(ctx, "hashkeys", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
