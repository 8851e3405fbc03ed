// SPDX-License-Identifier: BSD-3-Clause
// Scanning: the keys of a database, the elements of a key.
#include "testing.h"

static void OnKey(RedisModuleCtx *ctx, RedisModuleString *name, RedisModuleKey *key, void *data) {
  ++*(long *)data;
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithString(ctx, name);
  RedisModule_ReplyWithLongLong(
      ctx, key == NULL ? -1 : RedisModule_KeyType(key) * 1000 + (int)RedisModule_ValueLength(key));
}

// scan.keys: every key with kind * 1000 + length, in one command; then what one call more says.
static int Keys(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleScanCursor *cursor = RedisModule_ScanCursorCreate();
  long count = 0;
  RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
  while (RedisModule_Scan(ctx, cursor, OnKey, &count)) {
  }
  errno = 0;
  int more = RedisModule_Scan(ctx, cursor, OnKey, &count);
  RedisModule_ReplyWithCString(ctx, more ? "more" : ErrnoName(errno));
  RedisModule_ReplySetArrayLength(ctx, count + 1);
  RedisModule_ScanCursorDestroy(cursor);
  return REDISMODULE_OK;
}

static void Delete(RedisModuleCtx *ctx, RedisModuleString *name, RedisModuleKey *key, void *data) {
  RedisModuleKey *own = RedisModule_OpenKey(ctx, name, REDISMODULE_WRITE);
  RedisModule_DeleteKey(own);
  RedisModule_CloseKey(own);
  ++*(long *)data;
}

// scan.delete: deletes each key while scanning; how many.
static int DeleteAll(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleScanCursor *cursor = RedisModule_ScanCursorCreate();
  long count = 0;
  while (RedisModule_Scan(ctx, cursor, Delete, &count)) {
  }
  RedisModule_ScanCursorDestroy(cursor);
  return RedisModule_ReplyWithLongLong(ctx, count);
}

static void OnElement(RedisModuleKey *key, RedisModuleString *field, RedisModuleString *value,
                      void *data) {
  void **context = data;
  RedisModule_ReplyWithArray(context[0], 2);
  RedisModule_ReplyWithString(context[0], field);
  if (value == NULL) {
    RedisModule_ReplyWithNull(context[0]);
  } else {
    RedisModule_ReplyWithString(context[0], value);
  }
  ++*(long *)context[1];
}

// scan.elements key: every element; then errno of one call more.
static int Elements(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleScanCursor *cursor = RedisModule_ScanCursorCreate();
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  long count = 0;
  void *context[] = {ctx, &count};
  RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
  while (RedisModule_ScanKey(key, cursor, OnElement, context)) {
  }
  errno = 0;
  int more = RedisModule_ScanKey(key, cursor, OnElement, context);
  RedisModule_ReplyWithCString(ctx, more ? "more" : ErrnoName(errno));
  RedisModule_ReplySetArrayLength(ctx, count + 1);
  RedisModule_CloseKey(key);
  RedisModule_ScanCursorDestroy(cursor);
  return REDISMODULE_OK;
}

// scan.twice key: a restarted cursor finds everything again; both counts.
static int Twice(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleScanCursor *cursor = RedisModule_ScanCursorCreate();
  long counts[2] = {0, 0};
  for (int i = 0; i < 2; i++) {
    while (RedisModule_Scan(ctx, cursor, Delete, &counts[i])) {
    }
    RedisModule_ScanCursorRestart(cursor);
    RedisModuleCallReply *reply = RedisModule_Call(ctx, "MSET", "cccc", "a", "1", "b", "2");
    RedisModule_FreeCallReply(reply);
  }
  RedisModule_ScanCursorDestroy(cursor);
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, counts[0]);
  return RedisModule_ReplyWithLongLong(ctx, counts[1]);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"scan.keys", Keys, "", 0},
                                         {"scan.delete", DeleteAll, "write", 0},
                                         {"scan.elements", Elements, "", 1},
                                         {"scan.twice", Twice, "write", 0}};
  if (RedisModule_Init(ctx, "scan", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
