// SPDX-License-Identifier: BSD-3-Clause
// Keyspace notifications: subscribing, own events, jobs after a notification.
#include "testing.h"

#define EVENTS_MAX 256

static char *events[EVENTS_MAX];  // "class event key" in order.
static int event_count;

static int OnEvent(RedisModuleCtx *ctx, int type, const char *event, RedisModuleString *key) {
  if (event_count == EVENTS_MAX) return REDISMODULE_OK;
  RedisModuleString *text = RedisModule_CreateStringPrintf(
      ctx, "%d %s %s %d", type, event, Text(key), RedisModule_GetSelectedDb(ctx));
  events[event_count++] = RedisModule_Strdup(Text(text));
  RedisModule_FreeString(ctx, text);
  return REDISMODULE_OK;
}

// notifications.events: what came since the last time.
static int Events(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, event_count);
  for (int i = 0; i < event_count; i++) {
    RedisModule_ReplyWithCString(ctx, events[i]);
    RedisModule_Free(events[i]);
  }
  event_count = 0;
  return REDISMODULE_OK;
}

// notifications.notify type event key
static int Notify(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(
      ctx, RedisModule_NotifyKeyspaceEvent(ctx, (int)Number(argv[1]), Text(argv[2]), argv[3]));
}

// notifications.mask: what the server publishes.
static int Mask(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_GetNotifyKeyspaceEvents());
}

static int FlagsAll(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int all = RedisModule_GetKeyspaceNotificationFlagsAll();
  int wanted = REDISMODULE_NOTIFY_ALL | REDISMODULE_NOTIFY_KEY_MISS | REDISMODULE_NOTIFY_LOADED;
  return RedisModule_ReplyWithLongLong(ctx, (all & wanted) == wanted);
}

// Jobs, since 7.2: each key set whose name begins with "job" is counted in the key "jobs".
static long long jobs_freed;

static void Job(RedisModuleCtx *ctx, void *data) {
  RedisModuleCallReply *reply = RedisModule_Call(ctx, "RPUSH", "cs!", "jobs", data);
  if (reply != NULL) RedisModule_FreeCallReply(reply);
}

static void FreeJob(void *data) {
  RedisModule_FreeString(NULL, data);
  jobs_freed++;
}

static int OnSet(RedisModuleCtx *ctx, int type, const char *event, RedisModuleString *key) {
  if (strncmp(Text(key), "job:", 4) != 0 || strcmp(event, "set") != 0) return REDISMODULE_OK;
  RedisModuleString *data = RedisModule_CreateStringFromString(NULL, key);
  if (RedisModule_AddPostNotificationJob(ctx, Job, data, FreeJob) != REDISMODULE_OK) FreeJob(data);
  return REDISMODULE_OK;
}

static int JobsFreed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, jobs_freed);
}

// The names of keys that came with an RDB file, copied as they must be.
static int loaded;

static int OnLoaded(RedisModuleCtx *ctx, int type, const char *event, RedisModuleString *key) {
  loaded += strcmp(event, "loaded") == 0;
  return REDISMODULE_OK;
}

static int Loaded(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, loaded);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {
      {"notifications.events", Events, "", 0},  {"notifications.notify", Notify, "", 0},
      {"notifications.mask", Mask, "", 0},      {"notifications.flags", FlagsAll, "", 0},
      {"notifications.jobs", JobsFreed, "", 0}, {"notifications.loaded", Loaded, "", 0}};
  if (RedisModule_Init(ctx, "notifications", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  RedisModule_SubscribeToKeyspaceEvents(ctx, REDISMODULE_NOTIFY_ALL | REDISMODULE_NOTIFY_KEY_MISS,
                                        OnEvent);
  RedisModule_SubscribeToKeyspaceEvents(ctx, REDISMODULE_NOTIFY_LOADED, OnLoaded);
  if (RMAPI_FUNC_SUPPORTED(RedisModule_AddPostNotificationJob)) {
    RedisModule_SubscribeToKeyspaceEvents(ctx, REDISMODULE_NOTIFY_STRING, OnSet);
  }
  return CREATE_COMMANDS(ctx, commands);
}

int RedisModule_OnUnload(RedisModuleCtx *ctx);
int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  while (event_count > 0) RedisModule_Free(events[--event_count]);
  return REDISMODULE_OK;
}
