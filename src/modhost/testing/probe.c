// SPDX-License-Identifier: BSD-3-Clause
// probe: the module of modhost's unit tests. The first load argument says how OnLoad behaves.
#include <pthread.h>
#include <string.h>

#include "redismodule.h"

static RedisModuleType *probe_type;
static int unload_refused;
static void *blocks[64];
static RedisModuleString *retained;
static long long guarded;  // Changed under the host lock only.
static int flag_value;

static void *LoadText(RedisModuleIO *io, int encver) {
  if (encver != 1) return NULL;
  return RedisModule_LoadString(io);
}
static void SaveText(RedisModuleIO *io, void *value) { RedisModule_SaveString(io, value); }
static void FreeText(void *value) { RedisModule_FreeString(NULL, value); }

static int Echo(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, argc - 1);
  for (int i = 1; i < argc; i++) RedisModule_ReplyWithString(ctx, argv[i]);
  return REDISMODULE_OK;
}

// probe.set key text: a value of the module's type.
static int Set(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_WRITE);
  RedisModule_ModuleTypeSetValue(key, probe_type,
                                 RedisModule_CreateStringFromString(NULL, argv[2]));
  RedisModule_CloseKey(key);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int Get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
  if (RedisModule_ModuleTypeGetType(key) != probe_type) {
    RedisModule_CloseKey(key);
    return RedisModule_ReplyWithNull(ctx);
  }
  RedisModule_ReplyWithString(ctx, RedisModule_ModuleTypeGetValue(key));
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// probe.alloc index bytes, probe.free index
static int Alloc(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  long long index, bytes;
  RedisModule_StringToLongLong(argv[1], &index);
  RedisModule_StringToLongLong(argv[2], &bytes);
  blocks[index] = RedisModule_Realloc(blocks[index], (size_t)bytes);
  return RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_MallocSize(blocks[index]));
}
static int Free(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  long long index;
  RedisModule_StringToLongLong(argv[1], &index);
  RedisModule_Free(blocks[index]);
  blocks[index] = NULL;
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// probe.keep text: retains the argument; without one, replies with what was kept.
static int Keep(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc == 1) {
    RedisModule_ReplyWithString(ctx, retained);
    RedisModule_FreeString(NULL, retained);
    retained = NULL;
    return REDISMODULE_OK;
  }
  retained = argv[1];
  RedisModule_RetainString(ctx, retained);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// probe.call command argument ...: the reply's type, length and what it would be on the wire.
static int Call(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  const char *name = RedisModule_StringPtrLen(argv[1], NULL);
  RedisModuleCallReply *reply = RedisModule_Call(ctx, name, "vE", argv + 2, (size_t)argc - 2);
  if (reply == NULL) return RedisModule_ReplyWithError(ctx, "ERR no reply");
  size_t size;
  const char *proto = RedisModule_CallReplyProto(reply, &size);
  RedisModule_ReplyWithArray(ctx, 3);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_CallReplyType(reply));
  RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_CallReplyLength(reply));
  RedisModule_ReplyWithStringBuffer(ctx, proto, size);
  RedisModule_FreeCallReply(reply);
  return REDISMODULE_OK;
}

// probe.postponed LEFTOPEN: nested arrays whose lengths come late; "open" leaves the outer one.
static int Postponed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
  RedisModule_ReplyWithLongLong(ctx, 1);
  RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
  RedisModule_ReplyWithLongLong(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, 3);
  RedisModule_ReplySetArrayLength(ctx, 2);
  if (argc == 1) RedisModule_ReplySetArrayLength(ctx, 2);
  return REDISMODULE_OK;
}

// Everything that may get NULL gets it.
static int Null(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  size_t size;
  double score;
  RedisModule_CloseKey(NULL);
  RedisModule_FreeCallReply(NULL);
  RedisModule_CallReplyStringPtr(NULL, &size);
  RedisModule_CallReplyArrayElement(NULL, 0);
  RedisModule_CallReplyLength(NULL);
  RedisModule_CallReplyProto(NULL, &size);
  RedisModule_CreateStringFromCallReply(NULL);
  RedisModule_KeyType(NULL);
  RedisModule_ValueLength(NULL);
  RedisModule_DeleteKey(NULL);
  RedisModule_UnlinkKey(NULL);
  RedisModule_GetExpire(NULL);
  RedisModule_SetExpire(NULL, 5);
  RedisModule_StringDMA(NULL, &size, REDISMODULE_READ);
  RedisModule_StringTruncate(NULL, 5);
  RedisModule_StringSet(NULL, argv[0]);
  RedisModule_ListPush(NULL, REDISMODULE_LIST_HEAD, argv[0]);
  RedisModule_ListPop(NULL, REDISMODULE_LIST_HEAD);
  RedisModule_ZsetAdd(NULL, 1, argv[0], NULL);
  RedisModule_ZsetScore(NULL, argv[0], &score);
  RedisModule_ZsetRangeStop(NULL);
  RedisModule_HashSet(NULL, REDISMODULE_HASH_NONE, argv[0], argv[0], NULL);
  RedisModule_HashGet(NULL, REDISMODULE_HASH_EXISTS, argv[0], &unload_refused, NULL);
  RedisModule_ModuleTypeGetType(NULL);
  RedisModule_ModuleTypeGetValue(NULL);
  RedisModule_ModuleTypeSetValue(NULL, probe_type, NULL);
  RedisModule_GetKeyNameFromModuleKey(NULL);
  RedisModule_UnblockClient(NULL, NULL);
  unload_refused = 0;
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// --- threads ---

typedef struct Job {
  RedisModuleBlockedClient *client;
  long long rounds;
} Job;

static void *Work(void *data) {
  Job *job = data;
  RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(job->client);
  for (long long i = 0; i < job->rounds; i++) {
    void *block = RedisModule_Alloc(32);
    RedisModule_ThreadSafeContextLock(ctx);
    guarded++;
    RedisModuleCallReply *reply = RedisModule_Call(ctx, "SET", "cl", "counter", guarded);
    RedisModule_FreeCallReply(reply);
    RedisModule_ThreadSafeContextUnlock(ctx);
    RedisModule_Free(block);
  }
  RedisModule_ReplyWithLongLong(ctx, job->rounds);
  RedisModule_FreeThreadSafeContext(ctx);
  RedisModule_UnblockClient(job->client, NULL);
  RedisModule_Free(job);
  return NULL;
}

// probe.work rounds: a thread adds to `guarded` and to the key "counter", then replies.
static int StartWork(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  Job *job = RedisModule_Alloc(sizeof *job);
  RedisModule_StringToLongLong(argv[1], &job->rounds);
  job->client = RedisModule_BlockClient(ctx, NULL, NULL, NULL, 0);
  pthread_t thread;
  pthread_create(&thread, NULL, Work, job);
  pthread_detach(thread);
  return REDISMODULE_OK;
}

static int Guarded(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, guarded);
}

// probe.wait ms: nobody unblocks it.
static int OnTimeout(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithSimpleString(ctx, "late");
}
static RedisModuleBlockedClient *waiting;
static int Wait(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  long long ms;
  RedisModule_StringToLongLong(argv[1], &ms);
  waiting = RedisModule_BlockClient(ctx, NULL, OnTimeout, NULL, ms);
  return REDISMODULE_OK;
}
static int EndWait(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_UnblockClient(waiting, NULL);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// probe.waitkey key: until the key holds a string.
static int OnKey(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key =
      RedisModule_OpenKey(ctx, RedisModule_GetBlockedClientReadyKey(ctx), REDISMODULE_READ);
  int ready = RedisModule_KeyType(key) == REDISMODULE_KEYTYPE_STRING;
  if (ready) RedisModule_ReplyWithString(ctx, RedisModule_GetBlockedClientReadyKey(ctx));
  RedisModule_CloseKey(key);
  return ready ? REDISMODULE_OK : REDISMODULE_ERR;
}
static int WaitKey(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_BlockClientOnKeys(ctx, OnKey, OnTimeout, NULL, 0, argv + 1, argc - 1, NULL);
  return REDISMODULE_OK;
}

// --- loading ---

static void OnTimer(RedisModuleCtx *ctx, void *data) {}
static int OnKeyEvent(RedisModuleCtx *ctx, int type, const char *event, RedisModuleString *key) {
  return REDISMODULE_OK;
}
static void OnEvent(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t sub, void *data) {}
static void Filter(RedisModuleCommandFilterCtx *filter) {}
static void Info(RedisModuleInfoCtx *ctx, int for_crash_report) {}
static int GetFlag(const char *name, void *data) { return flag_value; }
static int SetFlag(const char *name, int value, void *data, RedisModuleString **error) {
  flag_value = value;
  return REDISMODULE_OK;
}

static int RegisterAll(RedisModuleCtx *ctx) {
  const struct {
    const char *name;
    RedisModuleCmdFunc handler;
  } commands[] = {{"probe.echo", Echo},       {"probe.set", Set},
                  {"probe.get", Get},         {"probe.alloc", Alloc},
                  {"probe.free", Free},       {"probe.keep", Keep},
                  {"probe.call", Call},       {"probe.null", Null},
                  {"probe.work", StartWork},  {"probe.guarded", Guarded},
                  {"probe.wait", Wait},       {"probe.endwait", EndWait},
                  {"probe.waitkey", WaitKey}, {"probe.postponed", Postponed}};
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].handler, "write", 0, 0, 0) !=
        REDISMODULE_OK) {
      return REDISMODULE_ERR;
    }
  }
  RedisModuleTypeMethods methods = {.version = REDISMODULE_TYPE_METHOD_VERSION,
                                    .rdb_load = LoadText,
                                    .rdb_save = SaveText,
                                    .free = FreeText};
  probe_type = RedisModule_CreateDataType(ctx, "probetype", 1, &methods);
  if (probe_type == NULL) return REDISMODULE_ERR;
  RedisModule_CreateTimer(ctx, 3600 * 1000, OnTimer, NULL);
  RedisModule_SubscribeToKeyspaceEvents(ctx, REDISMODULE_NOTIFY_STRING, OnKeyEvent);
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_FlushDB, OnEvent);
  RedisModule_RegisterCommandFilter(ctx, Filter, 0);
  RedisModule_RegisterInfoFunc(ctx, Info);
  RedisModule_ExportSharedAPI(ctx, "probe_echo", (void *)Echo);
  RedisModule_RegisterBoolConfig(ctx, "flag", 0, REDISMODULE_CONFIG_DEFAULT, GetFlag, SetFlag, NULL,
                                 NULL);
  return RedisModule_LoadConfigs(ctx);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  const char *mode = "";
  // "apiver x": a version of the API that nobody has. The arguments cannot be read before.
  int apiver = argc == 2 ? 99 : REDISMODULE_APIVER_1;
  if (RedisModule_Init(ctx, "probe", 7, apiver) == REDISMODULE_ERR) {
    return REDISMODULE_ERR;
  }
  if (argc > 0) mode = RedisModule_StringPtrLen(argv[0], NULL);
  flag_value = 0;
  guarded = 0;
  if (RegisterAll(ctx) != REDISMODULE_OK) return REDISMODULE_ERR;
  unload_refused = !strcmp(mode, "stay");
  return !strcmp(mode, "error") ? REDISMODULE_ERR : REDISMODULE_OK;
}

int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  return unload_refused ? REDISMODULE_ERR : REDISMODULE_OK;
}
