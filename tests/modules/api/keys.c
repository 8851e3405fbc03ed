// SPDX-License-Identifier: BSD-3-Clause
// Keys: opening, kinds, lengths, deleting, times to live, databases. What each kind of value offers
// stands in the other files.
#include "testing.h"

static const char *KindName(int type) {
  static const char *names[] = {"empty", "string", "list",   "hash",
                                "set",   "zset",   "module", "stream"};
  return type >= 0 && type < 8 ? names[type] : "?";
}

// keys.describe key MODE: NULL, or kind, length, whether the name is that of the key, database.
static int Describe(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  if (key == NULL) {
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithCString(ctx, KindName(RedisModule_KeyType(NULL)));
    RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_ValueLength(NULL));
    RedisModule_CloseKey(NULL);
    return REDISMODULE_OK;
  }
  RedisModule_ReplyWithArray(ctx, 4);
  RedisModule_ReplyWithCString(ctx, KindName(RedisModule_KeyType(key)));
  RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_ValueLength(key));
  const RedisModuleString *name = RedisModule_GetKeyNameFromModuleKey(key);
  RedisModule_ReplyWithLongLong(
      ctx, RedisModule_StringCompare((RedisModuleString *)(uintptr_t)name, argv[1]) == 0);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_GetDbIdFromModuleKey(key));
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// keys.delete key MODE [unlink]: the outcome, and the kind that the handle has then.
static int Delete(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int result = argc > 3 ? RedisModule_UnlinkKey(key) : RedisModule_DeleteKey(key);
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, result);
  RedisModule_ReplyWithCString(ctx, KindName(RedisModule_KeyType(key)));
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// keys.recreate key value: deletes a key, and sets it anew through the same handle.
static int Recreate(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  RedisModule_DeleteKey(key);
  int result = RedisModule_ListPush(key, REDISMODULE_LIST_TAIL, argv[2]);
  RedisModule_CloseKey(key);
  return ReplyResult(ctx, result);
}

// keys.expire key MODE KIND ms: SetExpire or SetAbsExpire.
static int Expire(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int result = Is(argv[3], "abs") ? RedisModule_SetAbsExpire(key, Number(argv[4]))
                                  : RedisModule_SetExpire(key, Number(argv[4]));
  RedisModule_CloseKey(key);
  return RedisModule_ReplyWithLongLong(ctx, result);
}

// keys.expires key: time to live, and the time at which that ends; -1 for none.
static int Expires(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_GetExpire(key));
  RedisModule_ReplyWithLongLong(ctx, RedisModule_GetAbsExpire(key));
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// keys.exists key
static int Exists(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_KeyExists(ctx, argv[1]));
}

// keys.size db: what SelectDb says, the number of keys there, and the database selected then.
static int Size(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 3);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_SelectDb(ctx, (int)Number(argv[1])));
  RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_DbSize(ctx));
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_GetSelectedDb(ctx));
}

static int Random(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *name = RedisModule_RandomKey(ctx);
  if (name == NULL) return RedisModule_ReplyWithNull(ctx);
  return ReplyStringOrErrno(ctx, name);
}

static int Reset(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ResetDataset(0, (int)Number(argv[1]));
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// keys.idle key [ms]: GetLRU, or SetLRU. keys.frequency: GetLFU, SetLFU.
static int Idle(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key =
      RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_OPEN_KEY_NOTOUCH);
  mstime_t idle = 0;
  int result = argc > 2 ? RedisModule_SetLRU(key, Number(argv[2])) : RedisModule_GetLRU(key, &idle);
  RedisModule_CloseKey(key);
  if (argc > 2 || result != REDISMODULE_OK) return RedisModule_ReplyWithBool(ctx, result == 0);
  return RedisModule_ReplyWithLongLong(ctx, idle);
}

static int Frequency(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key =
      RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_OPEN_KEY_NOTOUCH);
  long long frequency = 0;
  int result =
      argc > 2 ? RedisModule_SetLFU(key, Number(argv[2])) : RedisModule_GetLFU(key, &frequency);
  RedisModule_CloseKey(key);
  if (argc > 2 || result != REDISMODULE_OK) return RedisModule_ReplyWithBool(ctx, result == 0);
  return RedisModule_ReplyWithLongLong(ctx, frequency);
}

// keys.auto key...: opens keys and leaves them to automatic memory, one closed by hand.
static int Auto(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  long long there = 0;
  for (int i = 1; i < argc; i++) {
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[i], REDISMODULE_READ);
    there += key != NULL;
    if (i == 1) RedisModule_CloseKey(key);
  }
  return RedisModule_ReplyWithLongLong(ctx, there);
}

// keys.modes: whether the host knows the modes of 7.2.
static int Modes(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int wanted = REDISMODULE_READ | REDISMODULE_WRITE | REDISMODULE_OPEN_KEY_NOTOUCH |
               REDISMODULE_OPEN_KEY_NONOTIFY | REDISMODULE_OPEN_KEY_NOSTATS |
               REDISMODULE_OPEN_KEY_NOEXPIRE | REDISMODULE_OPEN_KEY_NOEFFECTS;
  return RedisModule_ReplyWithLongLong(ctx, (RedisModule_GetOpenKeyModesAll() & wanted) == wanted);
}

// keys.touch key flags: opens the key for reading with these extra mode bits.
static int Touch(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | (int)Number(argv[2]));
  RedisModule_CloseKey(key);
  return RedisModule_ReplyWithLongLong(ctx, key != NULL);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"keys.describe", Describe, "", 1},
                                         {"keys.delete", Delete, "write", 1},
                                         {"keys.recreate", Recreate, "write", 1},
                                         {"keys.expire", Expire, "write", 1},
                                         {"keys.expires", Expires, "", 1},
                                         {"keys.exists", Exists, "", 1},
                                         {"keys.size", Size, "", 0},
                                         {"keys.random", Random, "", 0},
                                         {"keys.reset", Reset, "write", 0},
                                         {"keys.idle", Idle, "", 1},
                                         {"keys.frequency", Frequency, "", 1},
                                         {"keys.auto", Auto, "", 1},
                                         {"keys.modes", Modes, "", 0},
                                         {"keys.touch", Touch, "", 1}};
  if (RedisModule_Init(ctx, "keys", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
