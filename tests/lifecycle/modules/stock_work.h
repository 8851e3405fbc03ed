// SPDX-License-Identifier: BSD-3-Clause
// The part of stock.c in which a thread works for a client, with a pointer to an item in its hands.
// Included there once, behind what it uses: Item, STOCK_VERSION.
#pragma once

typedef struct Work {
  RedisModuleBlockedClient *client;
  RedisModuleString *name, *path;
  long long writes;  // 0: only reads
} Work;

static void OnLateOneShot(void *data UNUSED) {}

// Holds a pointer to the item over a time without the lock.
static void *DoWork(void *pointer) {
  Work *work = pointer;
  RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(work->client);
  RedisModule_ThreadSafeContextLock(ctx);
  const int mode = work->writes != 0 ? REDISMODULE_READ | REDISMODULE_WRITE : REDISMODULE_READ;
  RedisModuleKey *key = RedisModule_OpenKey(ctx, work->name, mode);
  Item *item = key == NULL ? NULL : RedisModule_ModuleTypeGetValue(key);
  RedisModule_CloseKey(key);
  RedisModule_ThreadSafeContextUnlock(ctx);
  while (access(Text(work->path), F_OK) != 0) usleep(1000);
  RedisModule_ThreadSafeContextLock(ctx);
  if (work->writes != 0) item->count = work->writes;
  key = RedisModule_OpenKey(ctx, work->name, REDISMODULE_READ);
  const Item *now = key == NULL ? NULL : RedisModule_ModuleTypeGetValue(key);
  RedisModule_CloseKey(key);
  RedisModule_Log(ctx, "notice", "work of version %d: count %lld, %s", STOCK_VERSION,
                  item == NULL ? -1 : item->count, now == NULL ? "gone" : "there");
  // Of a module that is gone nobody can get an API.
  if (now == NULL &&
      RedisModule_ExportSharedAPI(ctx, "stock.late", (void *)(uintptr_t)DoWork) != REDISMODULE_OK) {
    RedisModule_Log(ctx, "notice", "no API is exported");
    // Runs while the code is there, or not at all.
    RedisModule_EventLoopAddOneShot(OnLateOneShot, NULL);
  }
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, STOCK_VERSION);
  RedisModule_ReplyWithLongLong(ctx, item == NULL ? -1 : item->count);
  RedisModule_FreeString(NULL, work->name);
  RedisModule_FreeString(NULL, work->path);
  RedisModule_ThreadSafeContextUnlock(ctx);
  RedisModule_UnblockClient(work->client, NULL);
  RedisModule_FreeThreadSafeContext(ctx);
  RedisModule_Free(work);
  return NULL;
}

// stock.work KEY PATH [NUMBER]: the thread gives the item that count in the end; the version of the
// module and the count, by a thread, once there is such a file
static int StartWork(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 3 && argc != 4) return RedisModule_WrongArity(ctx);
  Work *work = RedisModule_Alloc(sizeof(*work));
  work->client = RedisModule_BlockClient(ctx, NULL, NULL, NULL, 0);
  work->name = RedisModule_CreateStringFromString(NULL, argv[1]);
  work->path = RedisModule_CreateStringFromString(NULL, argv[2]);
  work->writes = argc > 3 ? Number(argv[3]) : 0;
  pthread_t worker;
  if (pthread_create(&worker, NULL, DoWork, work) == 0) pthread_detach(worker);
  return REDISMODULE_OK;
}
