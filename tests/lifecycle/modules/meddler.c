// SPDX-License-Identifier: BSD-3-Clause
// A module that uses keys from where a careful one would not. Its values are numbers, each in a
// block of its own; in builds that differ by MEDDLER_VERSION, which is the encoding version too,
// and by name. Load arguments and MEDDLER.BEHAVE are words of the form WHERE-ACTION:
//
//   WHERE    onload, onunload, load (rdb_load of "special"), save (rdb_save of "special"), ended
//            (the event at the end of loading), aux (aux_load), auxsave, data (free_privdata)
//   ACTION   open (looks at the value of "special"), create (gives "created" a value), delete
//            ("special", by a command), empty (everything, by a command), restore ("special" by
//            other bytes), unload (MODULE UNLOAD of itself), victim (of the module "another"),
//            unblock and kill (the client that waited last), fail (what WHERE may fail with)
//   parent   only outside of forked children
#include <stdio.h>

#include "testing.h"

// Seven letters, to which the type's name adds two.
#ifndef MEDDLER_NAME
#define MEDDLER_NAME "meddler"
#endif

static RedisModuleType *type;
static char behaviour[256];
static long long limit = 5;

static int InChild(void) {
  return (RedisModule_GetContextFlags(NULL) & REDISMODULE_CTX_FLAGS_IS_CHILD) != 0;
}

static int Does(const char *where, const char *action) {
  char word[64];
  snprintf(word, sizeof(word), " %s-%s ", where, action);
  return strstr(behaviour, word) != NULL && !(strstr(behaviour, " parent ") != NULL && InChild());
}

static long long *NewNumber(long long number) {
  long long *value = RedisModule_Alloc(sizeof(*value));
  *value = number;
  return value;
}

static void Command(RedisModuleCtx *ctx, const char *name, const char *argument) {
  RedisModule_FreeCallReply(RedisModule_Call(ctx, name, "c", argument));
}

static void LookAt(RedisModuleCtx *ctx, const char *where) {
  RedisModuleString *name = RedisModule_CreateString(NULL, "special", strlen("special"));
  RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ);
  const long long *value = key == NULL ? NULL : RedisModule_ModuleTypeGetValue(key);
  RedisModule_Log(ctx, "notice", "%s sees %s", where, value == NULL ? "nothing" : "a value");
  RedisModule_CloseKey(key);
  RedisModule_FreeString(NULL, name);
}

static void Create(RedisModuleCtx *ctx, const char *where) {
  RedisModuleString *name = RedisModule_CreateString(NULL, "created", strlen("created"));
  RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_WRITE);
  long long *value = NewNumber(11);
  const int result = RedisModule_ModuleTypeSetValue(key, type, value);
  RedisModule_Log(ctx, "notice", "%s %s", where, result == REDISMODULE_OK ? "created" : "may not");
  if (result != REDISMODULE_OK) RedisModule_Free(value);
  RedisModule_CloseKey(key);
  RedisModule_FreeString(NULL, name);
}

// The client that waited last, for "unblock" and "kill".
static unsigned long long last_client;

// A dumped value, for "restore".
static RedisModuleString *other_payload;

static void Meddle(RedisModuleCtx *ctx, const char *where) {
  // What it does may lead to where it does it.
  static int meddling;
  if (meddling) return;
  meddling = 1;
  if (Does(where, "open")) LookAt(ctx, where);
  if (Does(where, "create")) Create(ctx, where);
  if (Does(where, "delete")) Command(ctx, "DEL", "special");
  if (Does(where, "empty")) RedisModule_FreeCallReply(RedisModule_Call(ctx, "FLUSHALL", ""));
  if (Does(where, "unload")) {
    RedisModule_FreeCallReply(
        RedisModule_Call(ctx, "MODULE", "ccc", "UNLOAD", MEDDLER_NAME, "KEEPDATA"));
  }
  if (Does(where, "victim")) {
    RedisModule_FreeCallReply(
        RedisModule_Call(ctx, "MODULE", "ccc", "UNLOAD", "another", "KEEPDATA"));
  }
  if (Does(where, "unblock")) {
    RedisModule_FreeCallReply(
        RedisModule_Call(ctx, "CLIENT", "cl", "UNBLOCK", (long long)last_client));
  }
  if (Does(where, "kill")) {
    RedisModule_FreeCallReply(
        RedisModule_Call(ctx, "CLIENT", "ccl", "KILL", "ID", (long long)last_client));
  }
  if (Does(where, "restore") && other_payload != NULL) {
    RedisModule_FreeCallReply(
        RedisModule_Call(ctx, "RESTORE", "ccsc", "special", "0", other_payload, "REPLACE"));
  }
  meddling = 0;
}

static int IsSpecial(RedisModuleIO *io) {
  const RedisModuleString *name = RedisModule_GetKeyNameFromIO(io);
  return name != NULL && strcmp(Text(name), "special") == 0;
}

static void *Load(RedisModuleIO *rdb, int encver) {
  if (encver > MEDDLER_VERSION) return NULL;
  // The second half is read behind the meddling.
  const long long high = RedisModule_LoadSigned(rdb);
  const int special = IsSpecial(rdb);
  if (special) Meddle(RedisModule_GetContextFromIO(rdb), "load");
  const long long low = RedisModule_LoadSigned(rdb);
  return special && Does("load", "fail") ? NULL : NewNumber(high * 1000 + low);
}

static void Save(RedisModuleIO *rdb, void *value) {
  const long long number = *(long long *)value;
  // Which may free the value.
  if (IsSpecial(rdb)) Meddle(RedisModule_GetContextFromIO(rdb), "save");
  RedisModule_SaveSigned(rdb, number / 1000);
  RedisModule_SaveSigned(rdb, number % 1000);
}

static void SaveAux(RedisModuleIO *rdb, int when UNUSED) {
  Meddle(RedisModule_GetContextFromIO(rdb), "auxsave");
  RedisModule_SaveSigned(rdb, 1);
}

static int LoadAux(RedisModuleIO *rdb, int encver UNUSED, int when UNUSED) {
  RedisModule_LoadSigned(rdb);
  Meddle(RedisModule_GetContextFromIO(rdb), "aux");
  return Does("aux", "fail") ? REDISMODULE_ERR : REDISMODULE_OK;
}

static void OnLoading(RedisModuleCtx *ctx, RedisModuleEvent event UNUSED, uint64_t sub,
                      void *data UNUSED) {
  if (sub == REDISMODULE_SUBEVENT_LOADING_ENDED) Meddle(ctx, "ended");
}

// meddler.set KEY NUMBER
static int Set(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 3) return RedisModule_WrongArity(ctx);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  RedisModule_ModuleTypeSetValue(key, type, NewNumber(Number(argv[2])));
  RedisModule_CloseKey(key);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// meddler.get KEY
static int Get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
  const long long *value = key == NULL ? NULL : RedisModule_ModuleTypeGetValue(key);
  if (value == NULL) {
    RedisModule_ReplyWithNull(ctx);
  } else {
    RedisModule_ReplyWithLongLong(ctx, *value);
  }
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

static int Version(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  return RedisModule_ReplyWithLongLong(ctx, MEDDLER_VERSION);
}

static int Behave(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  snprintf(behaviour, sizeof(behaviour), " %s ", Text(argv[1]));
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// meddler.payload BYTES: what "restore" restores
static int Payload(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  if (other_payload != NULL) RedisModule_FreeString(NULL, other_payload);
  other_payload = RedisModule_CreateStringFromString(NULL, argv[1]);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// --- waiting clients; each has two timers, which go with it ---

static void OnTimer(RedisModuleCtx *ctx UNUSED, void *data UNUSED) {}

static void FreeTimers(RedisModuleCtx *ctx, void *data) {
  RedisModuleTimerID *timers = data;
  Meddle(ctx, "data");
  for (int i = 0; i < 2; i++) RedisModule_StopTimer(ctx, timers[i], NULL);
  RedisModule_Free(timers);
}

static int WaitReply(RedisModuleCtx *ctx UNUSED, RedisModuleString **argv UNUSED, int argc UNUSED) {
  return REDISMODULE_ERR;
}

// meddler.wait KEY
static int Wait(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  last_client = RedisModule_GetClientId(ctx);
  RedisModuleTimerID *timers = RedisModule_Alloc(2 * sizeof(*timers));
  timers[0] = RedisModule_CreateTimer(ctx, 3600 * 1000, OnTimer, NULL);
  RedisModule_BlockClientOnKeys(ctx, WaitReply, NULL, FreeTimers, 0, &argv[1], 1, timers);
  timers[1] = RedisModule_CreateTimer(ctx, 3600 * 1000, OnTimer, NULL);
  return REDISMODULE_OK;
}

// --- what has another module unloaded, from a callback ---

static char victim[64];

static void UnloadVictim(RedisModuleCtx *ctx, const char *where) {
  RedisModule_Log(ctx, "notice", "%s runs", where);
  if (victim[0] == '\0') return;
  RedisModule_FreeCallReply(RedisModule_Call(ctx, "MODULE", "ccc", "UNLOAD", victim, "KEEPDATA"));
}

static void OneShot(void *data UNUSED) {
  RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(NULL);
  UnloadVictim(ctx, MEDDLER_NAME "'s one-shot");
  RedisModule_FreeThreadSafeContext(ctx);
}

static int Authenticate(RedisModuleCtx *ctx, RedisModuleString *name UNUSED,
                        RedisModuleString *password UNUSED, RedisModuleString **error UNUSED) {
  UnloadVictim(ctx, MEDDLER_NAME "'s authenticator");
  return REDISMODULE_AUTH_NOT_HANDLED;
}

// meddler.oneshot [VICTIM] | meddler.authenticate [VICTIM]
static int OneShotSoon(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc > 1) snprintf(victim, sizeof(victim), "%s", Text(argv[1]));
  RedisModule_EventLoopAddOneShot(OneShot, NULL);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int TakePartInLogin(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc > 1) snprintf(victim, sizeof(victim), "%s", Text(argv[1]));
  RedisModule_RegisterAuthCallback(ctx, Authenticate);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static const TestCommand commands[] = {
    {MEDDLER_NAME ".set", Set, "write deny-oom", 1},
    {MEDDLER_NAME ".get", Get, "readonly", 1},
    {MEDDLER_NAME ".version", Version, "readonly", 0},
    {MEDDLER_NAME ".behave", Behave, "", 0},
    {MEDDLER_NAME ".payload", Payload, "", 0},
    {MEDDLER_NAME ".wait", Wait, "readonly", 1},
    {MEDDLER_NAME ".oneshot", OneShotSoon, "", 0},
    {MEDDLER_NAME ".authenticate", TakePartInLogin, "", 0},
};

static long long GetLimit(const char *name UNUSED, void *data UNUSED) { return limit; }
static int SetLimit(const char *name UNUSED, long long value, void *data UNUSED,
                    RedisModuleString **error UNUSED) {
  limit = value;
  return REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (RedisModule_Init(ctx, MEDDLER_NAME, MEDDLER_VERSION, REDISMODULE_APIVER_1) !=
      REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  size_t size = (size_t)snprintf(behaviour, sizeof(behaviour), " ");
  for (int i = 0; i < argc; i++) {
    size += (size_t)snprintf(behaviour + size, sizeof(behaviour) - size, "%s ", Text(argv[i]));
  }
  const char *client = strstr(behaviour, " client-");
  if (client != NULL) last_client = strtoull(client + strlen(" client-"), NULL, 10);
  RedisModuleTypeMethods methods = {.version = REDISMODULE_TYPE_METHOD_VERSION,
                                    .rdb_load = Load,
                                    .rdb_save = Save,
                                    .free = RedisModule_Free,
                                    .aux_load = LoadAux,
                                    .aux_save = SaveAux,
                                    .aux_save_triggers = REDISMODULE_AUX_BEFORE_RDB};
  type = RedisModule_CreateDataType(ctx, MEDDLER_NAME "-t", MEDDLER_VERSION, &methods);
  if (type == NULL || CREATE_COMMANDS(ctx, commands) != REDISMODULE_OK) return REDISMODULE_ERR;
  RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Loading, OnLoading);
  // Version 2 does not take what version 1 takes.
  RedisModule_RegisterNumericConfig(ctx, "limit", 5, 0, 0, MEDDLER_VERSION == 1 ? 100 : 10,
                                    GetLimit, SetLimit, NULL, NULL);
  if (RedisModule_LoadConfigs(ctx) != REDISMODULE_OK) return REDISMODULE_ERR;
  Meddle(ctx, "onload");
  return Does("onload", "fail") ? REDISMODULE_ERR : REDISMODULE_OK;
}

int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  Meddle(ctx, "onunload");
  if (Does("onunload", "fail")) return REDISMODULE_ERR;
  if (other_payload != NULL) RedisModule_FreeString(NULL, other_payload);
  return REDISMODULE_OK;
}
