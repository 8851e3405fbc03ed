// SPDX-License-Identifier: BSD-3-Clause
// Blocked clients: reply, timeout, disconnect and free callbacks, abort, blocking on keys.
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "testing.h"

// What the callbacks did, counted.
static long long replied, timed_out, disconnected, freed, freed_disconnected;
static RedisModuleBlockedClient *handles[16];  // By name: the first digit of the argument.

static int OnReply(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *data = RedisModule_GetBlockedClientPrivateData(ctx);
  replied++;
  RedisModule_ReplyWithArray(ctx, 5);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_IsBlockedReplyRequest(ctx) != 0);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_IsBlockedTimeoutRequest(ctx) != 0);
  RedisModule_ReplyWithLongLong(ctx, argc);
  RedisModule_ReplyWithString(ctx, argv[1]);
  if (data == NULL) return RedisModule_ReplyWithNull(ctx);
  return RedisModule_ReplyWithString(ctx, data);
}

static int OnTimeout(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  timed_out++;
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_IsBlockedTimeoutRequest(ctx) != 0);
  return RedisModule_ReplyWithString(ctx, argv[1]);
}

static void OnDisconnect(RedisModuleCtx *ctx, RedisModuleBlockedClient *client) { disconnected++; }

static void FreeData(RedisModuleCtx *ctx, void *data) {
  freed++;
  freed_disconnected += RedisModule_BlockedClientDisconnected(ctx) != 0;
  if (data != NULL) RedisModule_FreeString(NULL, data);
}

// blocking.block name ms [KIND]: blocks until someone unblocks the name. KIND plain: no callbacks.
static int Block(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int plain = argc > 3;
  RedisModuleBlockedClient *client =
      RedisModule_BlockClient(ctx, plain ? NULL : OnReply, plain ? NULL : OnTimeout,
                              plain ? NULL : FreeData, Number(argv[2]));
  if (!plain) RedisModule_SetDisconnectCallback(client, OnDisconnect);
  handles[Number(argv[1]) % 16] = client;
  return REDISMODULE_OK;
}

// blocking.unblock name [data]
static int Unblock(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *data = argc > 2 ? RedisModule_CreateStringFromString(NULL, argv[2]) : NULL;
  return RedisModule_ReplyWithLongLong(
      ctx, RedisModule_UnblockClient(handles[Number(argv[1]) % 16], data));
}

// blocking.abort: blocks and thinks better of it. The reply comes from the handler itself.
static int Abort(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleBlockedClient *client =
      RedisModule_BlockClient(ctx, OnReply, OnTimeout, FreeData, 10000);
  RedisModule_AbortBlock(client);
  return RedisModule_ReplyWithSimpleString(ctx, "aborted");
}

// blocking.now data: unblocks in the handler that blocks.
static int Now(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleBlockedClient *client = RedisModule_BlockClient(ctx, OnReply, OnTimeout, FreeData, 0);
  RedisModule_UnblockClient(client, RedisModule_CreateStringFromString(NULL, argv[1]));
  return REDISMODULE_OK;
}

static void *UnblockFromThread(void *data) {
  RedisModule_UnblockClient(data, NULL);
  return NULL;
}

static void *WorkMeasured(void *data) {
  RedisModule_BlockedClientMeasureTimeStart(data);
  usleep(60 * 1000);
  RedisModule_BlockedClientMeasureTimeEnd(data);
  RedisModule_UnblockClient(data, NULL);
  return NULL;
}

// blocking.measured name: a thread works for 60 ms, and says so
static int Measured(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  pthread_t thread;
  RedisModuleBlockedClient *client = RedisModule_BlockClient(ctx, OnReply, OnTimeout, FreeData, 0);
  if (pthread_create(&thread, NULL, WorkMeasured, client) == 0) pthread_detach(thread);
  return REDISMODULE_OK;
}

// blocking.thread name: a thread unblocks at once, perhaps before the handler returns.
static int Thread(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleBlockedClient *client = RedisModule_BlockClient(ctx, OnReply, OnTimeout, FreeData, 0);
  pthread_t thread;
  pthread_create(&thread, NULL, UnblockFromThread, client);
  pthread_detach(thread);
  return REDISMODULE_OK;
}

// Serves a client that waits for a list: pops one element, or goes on waiting.
static int OnKey(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *name = RedisModule_GetBlockedClientReadyKey(ctx);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE);
  long long wanted = (long long)(intptr_t)RedisModule_GetBlockedClientPrivateData(ctx);
  RedisModuleString *element = NULL;
  if (RedisModule_KeyType(key) == REDISMODULE_KEYTYPE_LIST &&
      (long long)RedisModule_ValueLength(key) >= wanted) {
    element = RedisModule_ListPop(key, REDISMODULE_LIST_HEAD);
  }
  RedisModule_CloseKey(key);
  if (element == NULL) return REDISMODULE_ERR;
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithString(ctx, name);
  RedisModule_ReplyWithString(ctx, element);
  RedisModule_FreeString(ctx, element);
  return REDISMODULE_OK;
}

static void Nothing(RedisModuleCtx *ctx, void *data) {}

// blocking.keys length ms key...: waits until one of the lists is that long, then pops.
static int Keys(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_BlockClientOnKeys(ctx, OnKey, OnTimeout, Nothing, Number(argv[2]), argv + 3, argc - 3,
                                (void *)(intptr_t)Number(argv[1]));
  return REDISMODULE_OK;
}

static long long looks;

// Takes a look at the key, and waits on.
static int Look(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  looks++;
  return REDISMODULE_ERR;
}

// blocking.look created|deleted key...: waits for ever, and counts how often it is asked.
static int LookAtKeys(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int deleted = Text(argv[1])[0] == 'd';
  if (deleted) {
    RedisModule_BlockClientOnKeysWithFlags(ctx, Look, OnTimeout, NULL, 0, argv + 2, argc - 2, NULL,
                                           REDISMODULE_BLOCK_UNBLOCK_DELETED);
  } else {
    RedisModule_BlockClientOnKeys(ctx, Look, OnTimeout, NULL, 0, argv + 2, argc - 2, NULL);
  }
  return REDISMODULE_OK;
}

static int Looks(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, looks);
}

static int Signal(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_SignalKeyAsReady(ctx, argv[1]);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// blocking.counts: replied, timed out, disconnected, freed, freed of a client that is gone.
static int Counts(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 5);
  RedisModule_ReplyWithLongLong(ctx, replied);
  RedisModule_ReplyWithLongLong(ctx, timed_out);
  RedisModule_ReplyWithLongLong(ctx, disconnected);
  RedisModule_ReplyWithLongLong(ctx, freed);
  return RedisModule_ReplyWithLongLong(ctx, freed_disconnected);
}

// blocking.call command [argument ...]: calls a command that wants to block; it must not.
static int Call(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleCallReply *reply =
      RedisModule_Call(ctx, Text(argv[1]), "v", argv + 2, (size_t)(argc - 2));
  if (reply == NULL) return RedisModule_ReplyWithSimpleString(ctx, ErrnoName(errno));
  RedisModule_ReplyWithCallReply(ctx, reply);
  RedisModule_FreeCallReply(reply);
  return REDISMODULE_OK;
}

static int Allowed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int flags = RedisModule_GetContextFlags(ctx);
  return RedisModule_ReplyWithLongLong(ctx, !(flags & REDISMODULE_CTX_FLAGS_DENY_BLOCKING));
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {
      {"blocking.block", Block, "", 0},       {"blocking.unblock", Unblock, "", 0},
      {"blocking.abort", Abort, "", 0},       {"blocking.now", Now, "", 0},
      {"blocking.thread", Thread, "", 0},     {"blocking.keys", Keys, "write", 0},
      {"blocking.signal", Signal, "", 1},     {"blocking.counts", Counts, "", 0},
      {"blocking.measured", Measured, "", 0}, {"blocking.call", Call, "", 0},
      {"blocking.allowed", Allowed, "", 0},   {"blocking.look", LookAtKeys, "", 0},
      {"blocking.looks", Looks, "", 0}};
  if (RedisModule_Init(ctx, "blocking", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
