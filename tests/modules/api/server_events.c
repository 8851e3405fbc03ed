// SPDX-License-Identifier: BSD-3-Clause
// Server events: each one that comes is kept as a line of text.
#include "testing.h"

#define LINES_MAX 512

static char *lines[LINES_MAX];
static int line_count;
static long long cron_loops, event_loops, progress;

static void Keep(const char *text) {
  if (line_count < LINES_MAX) lines[line_count++] = RedisModule_Strdup(text);
}

static void OnFlush(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  RedisModuleFlushInfo *info = data;
  char text[64];
  snprintf(text, sizeof(text), "flush %s db %d sync %d v%d",
           sub == REDISMODULE_SUBEVENT_FLUSHDB_START ? "start" : "end", info->dbnum, info->sync,
           (int)info->version);
  Keep(text);
}

static void OnPersistence(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  static const char *names[] = {"rdb-start", "aof-start", "sync-rdb-start",
                                "ended",     "failed",    "sync-aof-start"};
  char text[64];
  snprintf(text, sizeof(text), "persistence %s", sub < 6 ? names[sub] : "?");
  Keep(text);
}

static void OnLoading(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  static const char *names[] = {"rdb-start", "aof-start", "repl-start", "ended", "failed"};
  char text[64];
  snprintf(text, sizeof(text), "loading %s", sub < 5 ? names[sub] : "?");
  Keep(text);
}

static void OnClient(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  RedisModuleClientInfo *info = data;
  char text[128];
  snprintf(text, sizeof(text), "client %s %llu db %d unix %d v%d",
           sub == REDISMODULE_SUBEVENT_CLIENT_CHANGE_CONNECTED ? "connected" : "disconnected",
           (unsigned long long)info->id, info->db,
           (info->flags & REDISMODULE_CLIENTINFO_FLAG_UNIXSOCKET) != 0, (int)info->version);
  Keep(text);
}

static void OnModule(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  RedisModuleModuleChange *info = data;
  char text[128];
  snprintf(text, sizeof(text), "module %s %s %d",
           sub == REDISMODULE_SUBEVENT_MODULE_LOADED ? "loaded" : "unloaded", info->module_name,
           info->module_version);
  Keep(text);
}

static void OnSwap(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  RedisModuleSwapDbInfo *info = data;
  char text[64];
  snprintf(text, sizeof(text), "swap %d %d", info->dbnum_first, info->dbnum_second);
  Keep(text);
}

static void OnConfig(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  RedisModuleConfigChange *info = data;
  for (uint32_t i = 0; i < info->num_changes; i++) {
    char text[128];
    snprintf(text, sizeof(text), "config %s", info->config_names[i]);
    Keep(text);
  }
}

static void OnFork(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  Keep(sub == REDISMODULE_SUBEVENT_FORK_CHILD_BORN ? "child born" : "child died");
}

// What no module should do with a key that goes: "meddle:dma" is written to, "meddle:set" set,
// "meddle:del" deleted.
static void Meddle(RedisModuleCtx *ctx, RedisModuleString *name) {
  static int inside = 0;
  const char *text = Text(name);
  if (inside || strncmp(text, "meddle:", 7) != 0) return;
  inside = 1;
  if (strcmp(text, "meddle:dma") == 0) {
    RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE);
    size_t length;
    char *bytes = RedisModule_StringDMA(key, &length, REDISMODULE_WRITE);
    if (bytes != NULL && length > 0) bytes[0] = '9';
    RedisModule_CloseKey(key);
  } else if (strcmp(text, "meddle:set") == 0) {
    RedisModule_FreeCallReply(RedisModule_Call(ctx, "SET", "sc", name, "by the module"));
  } else {
    RedisModule_FreeCallReply(RedisModule_Call(ctx, "DEL", "s", name));
  }
  inside = 0;
}

static void OnKey(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  static const char *names[] = {"deleted", "expired", "evicted", "overwritten"};
  RedisModuleKeyInfo *info = data;
  char text[128];
  snprintf(text, sizeof(text), "key %s %s length %d", sub < 4 ? names[sub] : "?",
           Text(RedisModule_GetKeyNameFromModuleKey(info->key)),
           (int)RedisModule_ValueLength(info->key));
  // It is there still for who opens it.
  RedisModuleString *name =
      RedisModule_CreateStringFromString(NULL, RedisModule_GetKeyNameFromModuleKey(info->key));
  RedisModuleKey *again = RedisModule_OpenKey(ctx, name, REDISMODULE_READ);
  if (RedisModule_ValueLength(again) != RedisModule_ValueLength(info->key)) Keep("gone already");
  RedisModule_CloseKey(again);
  if (RedisModule_KeyType(info->key) == REDISMODULE_KEYTYPE_STRING) {
    // The bytes of a number are not where the number is.
    size_t length;
    RedisModule_StringDMA(info->key, &length, REDISMODULE_READ);
    if (length != RedisModule_ValueLength(info->key)) Keep("another length");
  }
  Meddle(ctx, name);
  RedisModule_FreeString(NULL, name);
  // The context has the key's database selected.
  const size_t size = strlen(text);
  const int db = RedisModule_GetSelectedDb(ctx);
  if (db != 0) snprintf(text + size, sizeof(text) - size, " in %d", db);
  Keep(text);
}

static void OnCron(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  cron_loops += ((RedisModuleCronLoop *)data)->hz > 0;
}

static void OnEventLoop(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  event_loops++;
}

static void OnProgress(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  progress++;
}

static void OnShutdown(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {
  RedisModule_Log(ctx, "warning", "the shutdown event came");
}

// events.lines: what came since the last time.
static int Lines(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, line_count);
  for (int i = 0; i < line_count; i++) {
    RedisModule_ReplyWithCString(ctx, lines[i]);
    RedisModule_Free(lines[i]);
  }
  line_count = 0;
  return REDISMODULE_OK;
}

static int Loops(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, cron_loops);
  return RedisModule_ReplyWithLongLong(ctx, event_loops);
}

// events.supported event subevent
static int Supported(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleEvent event = {(uint64_t)Number(argv[1]), 1};
  return RedisModule_ReplyWithLongLong(ctx,
                                       RedisModule_IsSubEventSupported(event, Number(argv[2])));
}

// events.flushes on|off: subscribes to flush events again, or ends that.
static int Flushes(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(
      ctx, RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_FlushDB,
                                              Is(argv[1], "on") ? OnFlush : NULL));
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"events.lines", Lines, "", 0},
                                         {"events.loops", Loops, "", 0},
                                         {"events.supported", Supported, "", 0},
                                         {"events.flushes", Flushes, "", 0}};
  if (RedisModule_Init(ctx, "events", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_FlushDB, OnFlush);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Persistence, OnPersistence);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Loading, OnLoading);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_ClientChange, OnClient);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_ModuleChange, OnModule);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_SwapDB, OnSwap);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Config, OnConfig);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_ForkChild, OnFork);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_CronLoop, OnCron);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_LoadingProgress, OnProgress);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Shutdown, OnShutdown);
  // Since 7.2; ERR before.
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_EventLoop, OnEventLoop);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Key, OnKey);
  return CREATE_COMMANDS(ctx, commands);
}

int RedisModule_OnUnload(RedisModuleCtx *ctx);
int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  while (line_count > 0) RedisModule_Free(lines[--line_count]);
  return REDISMODULE_OK;
}
