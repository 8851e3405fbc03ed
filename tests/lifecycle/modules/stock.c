// SPDX-License-Identifier: BSD-3-Clause
// A module whose life is tested: goods in stock, a value type with a number and a text, in builds
// that differ by STOCK_VERSION and STOCK_ENCVER. All values stand in a list that loading builds,
// AUX data hold a serial number, options and waiting clients are there to be handed over. Load
// arguments and STOCK.BEHAVE choose how it misbehaves:
//
//   fail, crash, hang, exit          in OnLoad; child-hang: in a forked child only
//   unreadable                       rdb_load refuses the value with the text "unreadable"
//   load-crash, load-hang            rdb_load of that value does
//   refuse                           OnUnload returns an error
//   leak, leave-thread, late-thread  OnUnload does not free; a thread goes on, or ends later
//   kill-PHASE                       SIGKILL to the server; PHASE: map, onload, aux-load, load,
//   save
//                                    (the first value), load-half, save-half (the 500th), aux-save,
//                                    onunload. "child-kill-PHASE": only when a forked child gets
//                                    there. "next-kill-PHASE": when the build that follows does
//   parent                           misbehaves only outside of forked children
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "testing.h"

#ifndef STOCK_VERSION
#define STOCK_VERSION 1
#endif
// 1: values are independent of each other; stock.total knows no sum then.
#ifndef STOCK_WITHOUT_LIST
#define STOCK_WITHOUT_LIST 0
#endif
#ifndef STOCK_ENCVER
#define STOCK_ENCVER 1
#endif

typedef struct Item {
  long long count;
  RedisModuleString *text;
  long long made_by;  // Since encoding version 2: the module's version.
  struct Item *previous, *next;
} Item;

static RedisModuleType *type;
static Item *items;
static long long serial, item_count, limit = 100;
static char behaviour[512];
static RedisModuleString *note;
static int fresh, stale;
static int saved;  // values, since it was told how to behave

static int InChild(void) {
  return RedisModule_GetContextFlags != NULL &&
         (RedisModule_GetContextFlags(NULL) & REDISMODULE_CTX_FLAGS_IS_CHILD) != 0;
}

// Whether a word of the behaviour is this one.
static int Asked(const char *word) {
  const size_t size = strlen(word);
  for (const char *at = behaviour; (at = strstr(at, word)) != NULL; at += size) {
    const int begins = at == behaviour || at[-1] == ' ';
    if (begins && (at[size] == ' ' || at[size] == '\0')) return 1;
  }
  return 0;
}

static int Does(const char *word) { return Asked(word) && !(Asked("parent") && InChild()); }

static void MayKill(const char *phase) {
  char word[64];
  snprintf(word, sizeof(word), "kill-%s", phase);
  if (Asked(word) && !InChild()) kill(getpid(), SIGKILL);
  const char *next = getenv("STOCK_KILL_NEXT");
  if (next != NULL && strcmp(next, phase) == 0 && !InChild()) kill(getpid(), SIGKILL);
  snprintf(word, sizeof(word), "child-kill-%s", phase);
  if (Asked(word) && InChild()) {
    kill(getppid(), SIGKILL);
    pause();
  }
}

// The phase of the next build in this process, which will be the old version again.
static void ArrangeNextKill(void) {
  const char *asked = strstr(behaviour, "next-kill-");
  if (asked == NULL) return;
  char phase[32] = "";
  sscanf(asked + strlen("next-kill-"), "%31s", phase);
  if (strcmp(phase, "map") == 0) {
    setenv("STOCK_KILL_MAP", "1", 1);
  } else {
    setenv("STOCK_KILL_NEXT", phase, 1);
  }
}

// Whether the parent of this process is a server too.
static int IsServersChild(void) {
  char path[64], name[64] = "";
  snprintf(path, sizeof(path), "/proc/%d/comm", (int)getppid());
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  const char *line = fgets(name, sizeof(name), file);
  fclose(file);
  return line != NULL && strncmp(name, "backplane", strlen("backplane")) == 0;
}

// Before OnLoad there are no arguments yet: a variable of the environment holds the version that
// kills the server when it is mapped, in the server or, the other variable, in its child.
__attribute__((constructor)) static void Mapped(void) {
  char version[16];
  snprintf(version, sizeof(version), "%d", STOCK_VERSION);
  const char *asked = getenv("STOCK_KILL_MAP");
  const char *child = getenv("STOCK_KILL_PARENT_MAP");
  if (asked != NULL && strcmp(asked, version) == 0 && !IsServersChild()) kill(getpid(), SIGKILL);
  if (child != NULL && strcmp(child, version) == 0 && IsServersChild()) {
    kill(getppid(), SIGKILL);
    pause();
  }
}

// At the end of the code: of an unload, an upgrade, a quarantine.
__attribute__((destructor)) static void Unmapped(void) {
  char version[16];
  snprintf(version, sizeof(version), "%d", STOCK_VERSION);
  const char *asked = getenv("STOCK_KILL_UNMAP");
  if (asked != NULL && strcmp(asked, version) == 0 && !IsServersChild()) kill(getpid(), SIGKILL);
}

static Item *NewItem(long long count, RedisModuleString *text, long long made_by) {
  Item *item = RedisModule_Alloc(sizeof(*item));
  item->count = count;
  item->text = text;
  item->made_by = made_by;
  item->previous = NULL;
  item->next = NULL;
  item_count++;
  if (STOCK_WITHOUT_LIST) return item;
  item->next = items;
  if (items != NULL) items->previous = item;
  items = item;
  return item;
}

static void FreeItem(void *pointer) {
  Item *item = pointer;
  if (item->previous != NULL) item->previous->next = item->next;
  if (item->next != NULL) item->next->previous = item->previous;
  if (items == item) items = item->next;
  item_count--;
  RedisModule_FreeString(NULL, item->text);
  RedisModule_Free(item);
}

static void Save(RedisModuleIO *rdb, void *pointer) {
  const Item *item = pointer;
  MayKill("save");
  if (++saved == 500) MayKill("save-half");
  RedisModule_SaveSigned(rdb, item->count);
  RedisModule_SaveString(rdb, item->text);
  if (STOCK_ENCVER >= 2) RedisModule_SaveSigned(rdb, item->made_by);
}

static void *Load(RedisModuleIO *rdb, int encver) {
  static int loaded;
  MayKill("load");
  if (++loaded == 500) MayKill("load-half");
  if (encver > STOCK_ENCVER) return NULL;
  const long long count = RedisModule_LoadSigned(rdb);
  RedisModuleString *text = RedisModule_LoadString(rdb);
  const long long made_by = encver >= 2 ? RedisModule_LoadSigned(rdb) : 1;
  if (text != NULL && strcmp(Text(text), "unreadable") == 0) {
    if (Does("load-crash")) raise(SIGSEGV);
    while (Does("load-hang")) pause();
    if (Does("unreadable")) {
      RedisModule_FreeString(NULL, text);
      return NULL;
    }
  }
  return NewItem(count, text, made_by);
}

static size_t MemoryUsage(const void *pointer) {
  const Item *item = pointer;
  size_t length;
  RedisModule_StringPtrLen(item->text, &length);
  return sizeof(*item) + length;
}

static void Rewrite(RedisModuleIO *aof, RedisModuleString *key, void *pointer) {
  const Item *item = pointer;
  RedisModule_EmitAOF(aof, "stock.set", "sls", key, item->count, item->text);
}

static void SaveAux(RedisModuleIO *rdb, int when UNUSED) {
  MayKill("aux-save");
  RedisModule_SaveSigned(rdb, serial);
}

static int LoadAux(RedisModuleIO *rdb, int encver UNUSED, int when UNUSED) {
  MayKill("aux-load");
  serial = RedisModule_LoadSigned(rdb);
  return Does("aux-unreadable") ? REDISMODULE_ERR : REDISMODULE_OK;
}

// The item of a key for reading; NULL after a reply.
static Item *Find(RedisModuleCtx *ctx, RedisModuleString *name, int mode, RedisModuleKey **key) {
  *key = RedisModule_OpenKey(ctx, name, mode);
  if (*key == NULL || RedisModule_KeyType(*key) == REDISMODULE_KEYTYPE_EMPTY) {
    RedisModule_CloseKey(*key);
    RedisModule_ReplyWithNull(ctx);
    return NULL;
  }
  if (RedisModule_ModuleTypeGetType(*key) != type) {
    RedisModule_CloseKey(*key);
    RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
    return NULL;
  }
  return RedisModule_ModuleTypeGetValue(*key);
}

// stock.set KEY COUNT TEXT
static int Set(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 4) return RedisModule_WrongArity(ctx);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  Item *item =
      NewItem(Number(argv[2]), RedisModule_CreateStringFromString(NULL, argv[3]), STOCK_VERSION);
  RedisModule_ModuleTypeSetValue(key, type, item);
  RedisModule_CloseKey(key);
  RedisModule_ReplicateVerbatim(ctx);
  serial++;
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// stock.fill FIRST NUMBER TEXT: keys stock:FIRST and so on, each with its number as the count.
static int Fill(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 4) return RedisModule_WrongArity(ctx);
  const long long first = Number(argv[1]), end = first + Number(argv[2]);
  for (long long i = first; i < end; i++) {
    RedisModuleString *name = RedisModule_CreateStringPrintf(ctx, "stock:%lld", i);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_WRITE);
    RedisModule_ModuleTypeSetValue(
        key, type, NewItem(i, RedisModule_CreateStringFromString(NULL, argv[3]), STOCK_VERSION));
    RedisModule_CloseKey(key);
    RedisModule_FreeString(ctx, name);
  }
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// stock.check FIRST NUMBER: how many of the keys that stock.fill makes have their number as the
// count
static int Check(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 3) return RedisModule_WrongArity(ctx);
  const long long first = Number(argv[1]), end = first + Number(argv[2]);
  long long right = 0;
  for (long long i = first; i < end; i++) {
    RedisModuleString *name = RedisModule_CreateStringPrintf(ctx, "stock:%lld", i);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ);
    if (key != NULL && RedisModule_ModuleTypeGetType(key) == type) {
      right += ((const Item *)RedisModule_ModuleTypeGetValue(key))->count == i;
    }
    RedisModule_CloseKey(key);
    RedisModule_FreeString(ctx, name);
  }
  return RedisModule_ReplyWithLongLong(ctx, right);
}

// stock.get KEY: count, text, version of the module that made it
static int Get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  RedisModuleKey *key;
  Item *item = Find(ctx, argv[1], REDISMODULE_READ, &key);
  if (item == NULL) return REDISMODULE_OK;
  RedisModule_ReplyWithArray(ctx, 3);
  RedisModule_ReplyWithLongLong(ctx, item->count);
  RedisModule_ReplyWithString(ctx, item->text);
  RedisModule_ReplyWithLongLong(ctx, item->made_by);
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// stock.add KEY NUMBER: the new count
static int Add(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 3) return RedisModule_WrongArity(ctx);
  RedisModuleKey *key;
  Item *item = Find(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE, &key);
  if (item == NULL) return REDISMODULE_OK;
  item->count += Number(argv[2]);
  RedisModule_ReplyWithLongLong(ctx, item->count);
  RedisModule_SignalKeyAsReady(ctx, argv[1]);
  RedisModule_CloseKey(key);
  RedisModule_ReplicateVerbatim(ctx);
  serial++;
  return REDISMODULE_OK;
}

// stock.sneak KEY NUMBER: changes the count through a key that is opened for reading
static int Sneak(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 3) return RedisModule_WrongArity(ctx);
  RedisModuleKey *key;
  Item *item = Find(ctx, argv[1], REDISMODULE_READ, &key);
  if (item == NULL) return REDISMODULE_OK;
  item->count = Number(argv[2]);
  RedisModule_CloseKey(key);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// stock.total: number of items, sum of their counts; from the list alone
static int Total(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  long long sum = 0;
  for (const Item *item = items; item != NULL; item = item->next) sum += item->count;
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, item_count);
  return RedisModule_ReplyWithLongLong(ctx, sum);
}

static int Version(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  MayKill("serve");
  return RedisModule_ReplyWithLongLong(ctx, STOCK_VERSION);
}

static int Serial(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  return RedisModule_ReplyWithLongLong(ctx, serial);
}

static int Behave(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  snprintf(behaviour, sizeof(behaviour), "%s", Text(argv[1]));
  saved = 0;
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// --- waiting clients ---

static int WaitReply(RedisModuleCtx *ctx, RedisModuleString **argv, int argc UNUSED) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
  Item *item = key != NULL && RedisModule_ModuleTypeGetType(key) == type
                   ? RedisModule_ModuleTypeGetValue(key)
                   : NULL;
  const int ready = item != NULL && item->count >= Number(argv[2]);
  if (ready) RedisModule_ReplyWithLongLong(ctx, item->count);
  RedisModule_CloseKey(key);
  return ready ? REDISMODULE_OK : REDISMODULE_ERR;
}

static int WaitTimeout(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  return RedisModule_ReplyWithSimpleString(ctx, "TIMEOUT");
}

static void FreeWaitData(RedisModuleCtx *ctx UNUSED, void *data) { RedisModule_Free(data); }

// stock.wait KEY COUNT MILLISECONDS: waits until the item has that many
static int Wait(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 4) return RedisModule_WrongArity(ctx);
  MayKill("wait");
  if (WaitReply(ctx, argv, argc) == REDISMODULE_OK) return REDISMODULE_OK;
  RedisModule_BlockClientOnKeys(ctx, WaitReply, WaitTimeout, FreeWaitData, Number(argv[3]),
                                &argv[1], 1, RedisModule_Alloc(100));
  return REDISMODULE_OK;
}

// stock.block: waits for what never comes
static int Block(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  RedisModule_BlockClient(ctx, NULL, NULL, NULL, 0);
  return REDISMODULE_OK;
}

#include "stock_work.h"

// --- what is left behind ---

static volatile int thread_ends;
static pthread_t thread;
static int thread_runs;

static void *Sleep(void *unused UNUSED) {
  while (!thread_ends) usleep(1000);
  // Longer than the server waits.
  if (Does("late-thread")) usleep(600 * 1000);
  return NULL;
}

static void OnTimer(RedisModuleCtx *ctx UNUSED, void *data UNUSED) { serial++; }
static void OnFd(int fd UNUSED, void *data UNUSED, int mask UNUSED) {}
static int OnEvent(RedisModuleCtx *ctx UNUSED, int event_class UNUSED, const char *event UNUSED,
                   RedisModuleString *key UNUSED) {
  return REDISMODULE_OK;
}
static void OnFlush(RedisModuleCtx *ctx UNUSED, RedisModuleEvent event UNUSED, uint64_t sub UNUSED,
                    void *data UNUSED) {}

// Of a sanitizer, if there is one: what is left on purpose is no finding.
extern void __lsan_ignore_object(const void *block) __attribute__((weak));

// What others could call. RedisModule_ExportSharedAPI takes any address.
static int Shared(void) { return 1; }

// Blocks that leave another way than they came.
static void MixAllocators(void) {
  char *own = RedisModule_Strdup("by free");
  free(own);
  own = RedisModule_Strdup("by realloc");
  own = realloc(own, 10000);
  free(own);
  char *foreign = strdup("by RM_Free");
  RedisModule_Free(foreign);
  foreign = strdup("by RM_Realloc");
  foreign = RedisModule_Realloc(foreign, 10000);
  RedisModule_Free(foreign);
}

// stock.leave memory BYTES | nothing | shared | thread | timer | fd | subscription
static int Leave(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc < 2) return RedisModule_WrongArity(ctx);
  if (Is(argv[1], "memory")) {
    void *left = memset(RedisModule_Alloc((size_t)Number(argv[2])), 1, (size_t)Number(argv[2]));
    if (__lsan_ignore_object != NULL) __lsan_ignore_object(left);
  } else if (Is(argv[1], "nothing")) {
    MixAllocators();
  } else if (Is(argv[1], "shared")) {
    RedisModule_ExportSharedAPI(ctx, "stock.shared", (void *)(uintptr_t)Shared);
  } else if (Is(argv[1], "thread") && !thread_runs) {
    thread_runs = pthread_create(&thread, NULL, Sleep, NULL) == 0;
  } else if (Is(argv[1], "timer")) {
    RedisModule_CreateTimer(ctx, 3600 * 1000, OnTimer, NULL);
  } else if (Is(argv[1], "fd")) {
    int fds[2];
    if (pipe(fds) == 0)
      RedisModule_EventLoopAdd(fds[0], REDISMODULE_EVENTLOOP_READABLE, OnFd, NULL);
  } else if (Is(argv[1], "subscription")) {
    RedisModule_SubscribeToKeyspaceEvents(ctx, REDISMODULE_NOTIFY_ALL, OnEvent);
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_FlushDB, OnFlush);
  }
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// Where the compiler cannot see that it is nowhere.
static volatile uintptr_t nowhere;

__attribute__((noinline, no_sanitize("undefined"))) static void CrashHere(void) {
  *(volatile int *)nowhere = 1;
}

static void OnCrashTimer(RedisModuleCtx *ctx UNUSED, void *data UNUSED) { CrashHere(); }
static void *OnCrashThread(void *unused UNUSED) {
  CrashHere();
  return NULL;
}

// stock.crash KEY here | memcpy | null | abort | timer | thread
static int Crash(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 3) return RedisModule_WrongArity(ctx);
  if (Is(argv[2], "here")) CrashHere();
  if (Is(argv[2], "memcpy")) memcpy((void *)nowhere, Text(argv[1]), 1000000 + (size_t)nowhere);
  if (Is(argv[2], "null")) ((void (*)(RedisModuleCtx *))nowhere)(ctx);
  if (Is(argv[2], "abort")) abort();
  if (Is(argv[2], "timer")) RedisModule_CreateTimer(ctx, 1, OnCrashTimer, NULL);
  if (Is(argv[2], "thread")) pthread_create(&thread, NULL, OnCrashThread, NULL);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// stock.memory: bytes that the module's own blocks take, by the allocator's word
static int Memory(RedisModuleCtx *ctx, RedisModuleString **argv UNUSED, int argc UNUSED) {
  size_t bytes = 0, blocks = 0;
  for (Item *item = items; item != NULL; item = item->next) {
    bytes += RedisModule_MallocSize(item);
    blocks++;
  }
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, (long long)bytes);
  return RedisModule_ReplyWithLongLong(ctx, (long long)blocks);
}

// --- options ---

static long long GetLimit(const char *name UNUSED, void *data UNUSED) { return limit; }
static int SetLimit(const char *name UNUSED, long long value, void *data UNUSED,
                    RedisModuleString **error UNUSED) {
  limit = value;
  return REDISMODULE_OK;
}
static RedisModuleString *GetNote(const char *name UNUSED, void *data UNUSED) { return note; }
static int SetNote(const char *name UNUSED, RedisModuleString *value, void *data UNUSED,
                   RedisModuleString **error UNUSED) {
  if (note != NULL) RedisModule_FreeString(NULL, note);
  note = RedisModule_CreateStringFromString(NULL, value);
  return REDISMODULE_OK;
}
static int GetFlag(const char *name UNUSED, void *data) { return *(int *)data; }
static int SetFlag(const char *name UNUSED, int value, void *data,
                   RedisModuleString **error UNUSED) {
  *(int *)data = value;
  return REDISMODULE_OK;
}

static int RegisterOptions(RedisModuleCtx *ctx) {
  const unsigned flags = REDISMODULE_CONFIG_DEFAULT;
  RedisModule_RegisterNumericConfig(ctx, "limit", 100, flags, 0, 1000000, GetLimit, SetLimit, NULL,
                                    NULL);
  RedisModule_RegisterStringConfig(ctx, "note", "none", flags, GetNote, SetNote, NULL, NULL);
  const char *own = STOCK_VERSION == 1 ? "stale" : "fresh";
  RedisModule_RegisterBoolConfig(ctx, own, 0, flags, GetFlag, SetFlag, NULL,
                                 STOCK_VERSION == 1 ? &stale : &fresh);
  return RedisModule_LoadConfigs(ctx);
}

static UNUSED int RegisterType(RedisModuleCtx *ctx) {
  RedisModuleTypeMethods methods = {.version = REDISMODULE_TYPE_METHOD_VERSION,
                                    .rdb_load = Load,
                                    .rdb_save = Save,
                                    .aof_rewrite = Rewrite,
                                    .mem_usage = MemoryUsage,
                                    .free = FreeItem,
                                    .aux_load = LoadAux,
                                    .aux_save = SaveAux,
                                    .aux_save_triggers = REDISMODULE_AUX_BEFORE_RDB};
  type = RedisModule_CreateDataType(ctx, "stock-tst", STOCK_ENCVER, &methods);
  return type == NULL ? REDISMODULE_ERR : REDISMODULE_OK;
}

static const TestCommand commands[] = {
    {"stock.set", Set, "write deny-oom", 1},
    {"stock.fill", Fill, "write deny-oom", 0},
    {"stock.check", Check, "readonly", 0},
    {"stock.get", Get, "readonly fast", 1},
    {"stock.add", Add, "write", 1},
    {"stock.total", Total, "readonly", 0},
    {"stock.version", Version, "readonly fast", 0},
    {"stock.serial", Serial, "readonly fast", 0},
    {"stock.behave", Behave, "", 0},
    {"stock.wait", Wait, "readonly", 1},
    {"stock.block", Block, "", 0},
    {"stock.sneak", Sneak, "", 1},
    {"stock.work", StartWork, "readonly", 1},
    {"stock.leave", Leave, "", 0},
    {"stock.crash", Crash, "", 1},
    {"stock.memory", Memory, "readonly", 0},
#if STOCK_VERSION == 1
    {"stock.waitold", Wait, "readonly", 1},
#endif
};

#ifndef STOCK_NAME
#define STOCK_NAME "stock"
#endif

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (RedisModule_Init(ctx, STOCK_NAME, STOCK_VERSION, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  for (int i = 0; i < argc; i++) {
    if (i > 0) strncat(behaviour, " ", sizeof(behaviour) - strlen(behaviour) - 1);
    strncat(behaviour, Text(argv[i]), sizeof(behaviour) - strlen(behaviour) - 1);
  }
  MayKill("onload");
  if (Does("crash")) CrashHere();
  if (Does("exit")) exit(7);
  if (Does("shutdown"))
    RedisModule_FreeCallReply(RedisModule_Call(ctx, "SHUTDOWN", "Ec", "NOSAVE"));
  while (Does("hang") || (Asked("child-hang") && InChild())) pause();
  if (Does("fail")) {
    ArrangeNextKill();
    return REDISMODULE_ERR;
  }
  if (Does("leave-and-fail")) {
    memset(RedisModule_Alloc(1000), 1, 1000);
    return REDISMODULE_ERR;
  }
#ifndef STOCK_WITHOUT_TYPE
  if (RegisterType(ctx) != REDISMODULE_OK) return REDISMODULE_ERR;
#endif
  if (CREATE_COMMANDS(ctx, commands) != REDISMODULE_OK) return REDISMODULE_ERR;
  return RegisterOptions(ctx);
}

int RedisModule_OnUnload(RedisModuleCtx *ctx UNUSED) {
  MayKill("onunload");
  ArrangeNextKill();
  if (Does("refuse")) return REDISMODULE_ERR;
  if (Does("late-thread")) {
    thread_ends = 1;
    pthread_detach(thread);
  } else if (thread_runs && !Does("leave-thread")) {
    thread_ends = 1;
    pthread_join(thread, NULL);
  }
  if (note != NULL && !Does("leak")) RedisModule_FreeString(NULL, note);
  return REDISMODULE_OK;
}
