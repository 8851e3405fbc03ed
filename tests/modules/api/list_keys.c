// SPDX-License-Identifier: BSD-3-Clause
// List values: pushing, popping, access by index while the list changes.
#include "testing.h"

static int End(RedisModuleString *word) {
  return Is(word, "tail") ? REDISMODULE_LIST_TAIL : REDISMODULE_LIST_HEAD;
}

// listkeys.push key MODE END element
static int Push(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  errno = 0;
  int result = RedisModule_ListPush(key, End(argv[3]), argv[4]);
  int number = errno;
  RedisModule_CloseKey(key);
  errno = number;
  return ReplyResult(ctx, result);
}

// listkeys.pop key MODE END
static int Pop(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  errno = 0;
  RedisModuleString *element = RedisModule_ListPop(key, End(argv[3]));
  int number = errno;
  RedisModule_CloseKey(key);
  errno = number;
  return ReplyStringOrErrno(ctx, element);
}

// listkeys.get key MODE index
static int Get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  errno = 0;
  RedisModuleString *element = RedisModule_ListGet(key, (long)Number(argv[3]));
  int number = errno;
  RedisModule_CloseKey(key);
  errno = number;
  return ReplyStringOrErrno(ctx, element);
}

// listkeys.change KIND key MODE index [element]: set, insert or delete.
static int Change(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[2], argv[3]);
  long index = (long)Number(argv[4]);
  int result = REDISMODULE_ERR;
  errno = 0;
  if (Is(argv[1], "set")) result = RedisModule_ListSet(key, index, argv[5]);
  if (Is(argv[1], "insert")) result = RedisModule_ListInsert(key, index, argv[5]);
  if (Is(argv[1], "delete")) result = RedisModule_ListDelete(key, index);
  int number = errno;
  RedisModule_CloseKey(key);
  errno = number;
  return ReplyResult(ctx, result);
}

// listkeys.all key FROM: every element by index, from the head (0 up) or the tail (-1 down).
static int All(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
  long count = (long)RedisModule_ValueLength(key);
  RedisModule_ReplyWithArray(ctx, count);
  for (long i = 0; i < count; i++) {
    ReplyStringOrErrno(ctx, RedisModule_ListGet(key, Is(argv[2], "head") ? i : -1 - i));
  }
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// listkeys.edit key FROM steps element...: walks the list. Each letter of steps acts on the element
// at the current index: k keeps it, d deletes it, i inserts before it, r replaces it. Replies how
// many steps worked and where it stands.
static int Edit(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  int step = Is(argv[2], "head") ? 1 : -1;
  long index = step > 0 ? 0 : -1;
  long long worked = 0;
  int next = 4;
  for (const char *at = Text(argv[3]); *at != 0; at++) {
    int result = REDISMODULE_OK;
    RedisModuleString *element = RedisModule_ListGet(key, index);
    if (element != NULL) RedisModule_FreeString(ctx, element);
    if (*at == 'd') result = RedisModule_ListDelete(key, index);
    if (*at == 'i') result = RedisModule_ListInsert(key, index, argv[next++]);
    if (*at == 'r') result = RedisModule_ListSet(key, index, argv[next++]);
    if (*at != 'd') index += step;
    worked += result == REDISMODULE_OK;
  }
  RedisModule_CloseKey(key);
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, worked);
  return RedisModule_ReplyWithLongLong(ctx, index);
}

// listkeys.move from to: pops elements and pushes them to another list until the first is empty;
// everything left to automatic memory.
static int Move(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  RedisModuleKey *from = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  RedisModuleKey *to = RedisModule_OpenKey(ctx, argv[2], REDISMODULE_READ | REDISMODULE_WRITE);
  long long moved = 0;
  RedisModuleString *element;
  while ((element = RedisModule_ListPop(from, REDISMODULE_LIST_HEAD)) != NULL) {
    RedisModule_ListPush(to, REDISMODULE_LIST_TAIL, element);
    moved++;
  }
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, moved);
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_KeyType(from));
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {
      {"listkeys.push", Push, "write", 1}, {"listkeys.pop", Pop, "write", 1},
      {"listkeys.get", Get, "", 1},        {"listkeys.change", Change, "write", 0},
      {"listkeys.all", All, "", 1},        {"listkeys.edit", Edit, "write", 1},
      {"listkeys.move", Move, "write", 0}};
  if (RedisModule_Init(ctx, "listkeys", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
