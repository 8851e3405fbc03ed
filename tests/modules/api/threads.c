// SPDX-License-Identifier: BSD-3-Clause
// Thread-safe contexts: with and without a blocked client, detached; the host lock from several
// threads.
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "testing.h"

static atomic_int running;

typedef struct Task {
  RedisModuleBlockedClient *client;
  RedisModuleCtx *ctx;
  long long count;
} Task;

static void Start(void *(*function)(void *), void *data) {
  pthread_t thread;
  atomic_fetch_add(&running, 1);
  if (pthread_create(&thread, NULL, function, data) == 0) {
    pthread_detach(thread);
  } else {
    atomic_fetch_sub(&running, 1);
  }
}

// Increments the key "counter" so often, taking the lock each time, then replies its value.
static void *Increment(void *data) {
  Task *task = data;
  RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(task->client);
  RedisModuleCallReply *reply = NULL;
  long long value = 0;
  for (long long i = 0; i < task->count; i++) {
    RedisModule_ThreadSafeContextLock(ctx);
    reply = RedisModule_Call(ctx, "INCR", "c!", "counter");
    value = RedisModule_CallReplyInteger(reply);
    RedisModule_FreeCallReply(reply);
    RedisModule_ThreadSafeContextUnlock(ctx);
  }
  RedisModule_ReplyWithLongLong(ctx, value);
  RedisModule_FreeThreadSafeContext(ctx);
  RedisModule_UnblockClient(task->client, NULL);
  RedisModule_Free(task);
  atomic_fetch_sub(&running, 1);
  return NULL;
}

// threads.increment count
static int IncrementCommand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  Task *task = RedisModule_Calloc(1, sizeof(*task));
  task->count = Number(argv[1]);
  task->client = RedisModule_BlockClient(ctx, NULL, NULL, NULL, 0);
  Start(Increment, task);
  return REDISMODULE_OK;
}

// Replies without the lock: a nested array, written by the thread alone.
static void *Reply(void *data) {
  Task *task = data;
  RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(task->client);
  if (task->count < 0) {
    RedisModule_ReplyWithError(ctx, "MINE of a thread");
  } else {
    RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
    for (long long i = 0; i < task->count; i++) {
      RedisModule_ReplyWithMap(ctx, 1);
      RedisModule_ReplyWithCString(ctx, "number");
      RedisModule_ReplyWithLongLong(ctx, i);
    }
    RedisModule_ReplySetArrayLength(ctx, (long)task->count);
  }
  RedisModule_FreeThreadSafeContext(ctx);
  RedisModule_UnblockClient(task->client, NULL);
  RedisModule_Free(task);
  atomic_fetch_sub(&running, 1);
  return NULL;
}

static int ReplyCommand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  Task *task = RedisModule_Calloc(1, sizeof(*task));
  task->count = Number(argv[1]);
  task->client = RedisModule_BlockClient(ctx, NULL, NULL, NULL, 0);
  Start(Reply, task);
  return REDISMODULE_OK;
}

// No client: writes under a lock taken once, in a database of its own choice, and logs.
static void *Detached(void *data) {
  Task *task = data;
  // There are modules that lock without a context.
  RedisModule_ThreadSafeContextLock(NULL);
  RedisModule_ThreadSafeContextUnlock(NULL);
  RedisModule_ThreadSafeContextLock(task->ctx);
  RedisModule_SelectDb(task->ctx, 2);
  RedisModule_AutoMemory(task->ctx);
  for (long long i = 0; i < task->count; i++) {
    RedisModule_Call(task->ctx, "RPUSH", "cl!", "detached", i);
  }
  RedisModule_Log(task->ctx, "notice", "detached thread done");
  RedisModule_ThreadSafeContextUnlock(task->ctx);
  RedisModule_FreeThreadSafeContext(task->ctx);
  RedisModule_Free(task);
  atomic_fetch_sub(&running, 1);
  return NULL;
}

// threads.detached count KIND: detached, or a plain thread-safe context without a client.
static int DetachedCommand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  Task *task = RedisModule_Calloc(1, sizeof(*task));
  task->count = Number(argv[1]);
  task->ctx = Is(argv[2], "detached") ? RedisModule_GetDetachedThreadSafeContext(ctx)
                                      : RedisModule_GetThreadSafeContext(NULL);
  Start(Detached, task);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// Tries the lock until it gets it: while a command runs it must not.
static atomic_int tried, got_while_busy, busy;

static void *Try(void *data) {
  Task *task = data;
  RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(NULL);
  for (long long i = 0; i < task->count;) {
    int before = atomic_load(&busy);
    errno = 0;
    if (RedisModule_ThreadSafeContextTryLock(ctx) == REDISMODULE_OK) {
      if (before && atomic_load(&busy)) atomic_fetch_add(&got_while_busy, 1);
      i++;
      RedisModule_ThreadSafeContextUnlock(ctx);
    } else if (errno != EBUSY) {
      atomic_fetch_add(&got_while_busy, 1000);
    }
    atomic_fetch_add(&tried, 1);
    usleep(50);
  }
  RedisModule_FreeThreadSafeContext(ctx);
  RedisModule_Free(task);
  atomic_fetch_sub(&running, 1);
  return NULL;
}

static int TryCommand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  Task *task = RedisModule_Calloc(1, sizeof(*task));
  task->count = Number(argv[1]);
  Start(Try, task);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// threads.busy ms: keeps the engine thread, so that Try must fail meanwhile.
static int Busy(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  atomic_store(&busy, 1);
  usleep((useconds_t)Number(argv[1]) * 1000);
  atomic_store(&busy, 0);
  return RedisModule_ReplyWithLongLong(ctx, atomic_load(&got_while_busy));
}

static int Running(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, atomic_load(&running));
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"threads.increment", IncrementCommand, "write", 0},
                                         {"threads.reply", ReplyCommand, "", 0},
                                         {"threads.detached", DetachedCommand, "write", 0},
                                         {"threads.try", TryCommand, "", 0},
                                         {"threads.busy", Busy, "", 0},
                                         {"threads.running", Running, "", 0}};
  if (RedisModule_Init(ctx, "threads", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}

// Refuses as long as a thread runs this code.
int RedisModule_OnUnload(RedisModuleCtx *ctx);
int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  return atomic_load(&running) ? REDISMODULE_ERR : REDISMODULE_OK;
}
