// SPDX-License-Identifier: BSD-3-Clause
// String values: setting, direct access, truncating.
#include "testing.h"

// stringkeys.set key MODE value
static int Set(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int result = RedisModule_StringSet(key, argv[3]);
  RedisModule_CloseKey(key);
  return RedisModule_ReplyWithLongLong(ctx, result);
}

// stringkeys.read key MODE: the bytes by direct access, or NULL.
static int Read(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  size_t length = 12345;
  char *bytes = RedisModule_StringDMA(key, &length, REDISMODULE_READ);
  if (bytes == NULL) {
    RedisModule_ReplyWithNull(ctx);
  } else {
    RedisModule_ReplyWithStringBuffer(ctx, bytes, length);
  }
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// stringkeys.write key MODE at bytes: overwrites in place; 0 when that is not possible.
static int Write(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  size_t at = (size_t)Number(argv[3]), length = 0, count;
  const char *source = RedisModule_StringPtrLen(argv[4], &count);
  char *bytes = RedisModule_StringDMA(key, &length, REDISMODULE_READ | REDISMODULE_WRITE);
  int fits = bytes != NULL && at + count <= length;
  if (fits) memcpy(bytes + at, source, count);
  RedisModule_CloseKey(key);
  return RedisModule_ReplyWithLongLong(ctx, fits);
}

// stringkeys.truncate key MODE length
static int Truncate(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int result = RedisModule_StringTruncate(key, (size_t)Number(argv[3]));
  RedisModule_CloseKey(key);
  return RedisModule_ReplyWithLongLong(ctx, result);
}

// stringkeys.build key part...: grows a new value in place, part by part, and replies its length.
static int Build(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  for (int i = 2; i < argc; i++) {
    size_t old = RedisModule_ValueLength(key), count, length;
    const char *part = RedisModule_StringPtrLen(argv[i], &count);
    RedisModule_StringTruncate(key, old + count);
    char *bytes = RedisModule_StringDMA(key, &length, REDISMODULE_WRITE);
    memcpy(bytes + old, part, count);
  }
  long long length = (long long)RedisModule_ValueLength(key);
  RedisModule_CloseKey(key);
  return RedisModule_ReplyWithLongLong(ctx, length);
}

// stringkeys.share key other: sets two keys to one string object, then changes the first in place.
static int Share(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  RedisModuleString *value =
      RedisModule_CreateString(ctx, "shared by two keys and the handler", 34);
  RedisModuleKey *first = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_WRITE);
  RedisModuleKey *second = RedisModule_OpenKey(ctx, argv[2], REDISMODULE_WRITE);
  RedisModule_StringSet(first, value);
  RedisModule_StringSet(second, value);
  size_t length;
  char *bytes = RedisModule_StringDMA(first, &length, REDISMODULE_READ | REDISMODULE_WRITE);
  memset(bytes, 'X', 6);
  return RedisModule_ReplyWithString(ctx, value);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {
      {"stringkeys.set", Set, "write", 1},     {"stringkeys.read", Read, "", 1},
      {"stringkeys.write", Write, "write", 1}, {"stringkeys.truncate", Truncate, "write", 1},
      {"stringkeys.build", Build, "write", 1}, {"stringkeys.share", Share, "write", 1}};
  if (RedisModule_Init(ctx, "stringkeys", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
