// SPDX-License-Identifier: BSD-3-Clause
// What fits nowhere else: log, random numbers, clocks, memory, context flags, clients, publishing.
#include "testing.h"

static int Log(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_Log(ctx, Text(argv[1]), "%s and %d", Text(argv[2]), 42);
  RedisModule_Log(NULL, Text(argv[1]), "without context: %s", Text(argv[2]));
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// misc.random bytes: random bytes, and as many hexadecimal digits.
static int Random(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  size_t count = (size_t)Number(argv[1]);
  unsigned char *bytes = RedisModule_Alloc(count);
  char *digits = RedisModule_Alloc(count);
  RedisModule_GetRandomBytes(bytes, count);
  RedisModule_GetRandomHexChars(digits, count);
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithStringBuffer(ctx, (char *)bytes, count);
  RedisModule_ReplyWithStringBuffer(ctx, digits, count);
  RedisModule_Free(bytes);
  RedisModule_Free(digits);
  return REDISMODULE_OK;
}

// misc.clocks: milliseconds and (7.2) microseconds since 1970, cached microseconds; monotonic.
static int Clocks(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 4);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_Milliseconds());
  RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_MonotonicMicroseconds());
  int newer = RMAPI_FUNC_SUPPORTED(RedisModule_Microseconds);
  RedisModule_ReplyWithLongLong(ctx, newer ? (long long)RedisModule_Microseconds() : -1);
  return RedisModule_ReplyWithLongLong(ctx,
                                       newer ? (long long)RedisModule_CachedMicroseconds() : -1);
}

// misc.memory: 1 for each thing that the memory functions promise.
static int Memory(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  char *block = RedisModule_Alloc(100);
  memset(block, 'x', 100);
  size_t size = RedisModule_MallocSize(block), usable = RedisModule_MallocUsableSize(block);
  block = RedisModule_Realloc(block, 100000);
  int kept = block[0] == 'x' && block[99] == 'x';
  char *zeros = RedisModule_Calloc(100, 10);
  int zero = 1;
  for (int i = 0; i < 1000; i++) zero &= zeros[i] == 0;
  char *copy = RedisModule_Strdup("a copy");
  char *fresh = RedisModule_Realloc(NULL, 10);
  void *too_large = RedisModule_TryAlloc((size_t)1 << 60);
  char *pool[3] = {RedisModule_PoolAlloc(ctx, 3), RedisModule_PoolAlloc(ctx, 10000),
                   RedisModule_PoolAlloc(ctx, 0)};
  memset(pool[0], 1, 3);
  memset(pool[1], 1, 10000);
  float ratio = RedisModule_GetUsedMemoryRatio();
  int right[] = {size >= 100,
                 usable >= 100,
                 kept,
                 zero,
                 strcmp(copy, "a copy") == 0,
                 fresh != NULL,
                 too_large == NULL,
                 pool[0] != pool[1],
                 ratio >= 0,
                 RedisModule_MallocSizeString(argv[0]) > 0,
                 (uintptr_t)RedisModule_PoolAlloc(ctx, 8) % 8 == 0};
  RedisModule_Free(block);
  RedisModule_Free(zeros);
  RedisModule_Free(copy);
  RedisModule_Free(fresh);
  RedisModule_Free(NULL);
  int count = sizeof(right) / sizeof(right[0]);
  RedisModule_ReplyWithArray(ctx, count);
  for (int i = 0; i < count; i++) RedisModule_ReplyWithLongLong(ctx, right[i]);
  return REDISMODULE_OK;
}

// misc.ratio: used memory by maxmemory.
static int Ratio(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithDouble(ctx, (double)RedisModule_GetUsedMemoryRatio());
}

// misc.flags: names of the context's flags.
static int Flags(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const char *names[] = {
      "lua",          "multi",      "master",       "slave",  "readonly",   "cluster",    "aof",
      "rdb",          "maxmemory",  "evict",        "oom",    "oomwarning", "replicated", "loading",
      "stale",        "connecting", "transferring", "online", "child",      "dirty",      "ischild",
      "denyblocking", "resp3",      "asyncloading", "startup"};
  int flags = RedisModule_GetContextFlags(ctx);
  long count = 0;
  RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
  for (int i = 0; i < 25; i++) {
    if (flags >> i & 1) {
      RedisModule_ReplyWithCString(ctx, names[i]);
      count++;
    }
  }
  RedisModule_ReplySetArrayLength(ctx, count);
  return REDISMODULE_OK;
}

// misc.all: whether the masks of everything known contain what 7.0 has.
static int All(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int context = (1 << 24) - 1;
  RedisModule_ReplyWithArray(ctx, 3);
  RedisModule_ReplyWithLongLong(ctx, (RedisModule_GetContextFlagsAll() & context) == context);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_GetTypeMethodVersion() >= 4);
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_GetServerVersion());
}

// misc.client id: ID, flags, address, port, database; or null.
static int Client(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleClientInfo info = REDISMODULE_CLIENTINFO_INITIALIZER_V1;
  uint64_t id = argc > 1 ? (uint64_t)Number(argv[1]) : RedisModule_GetClientId(ctx);
  if (RedisModule_GetClientInfoById(&info, id) != REDISMODULE_OK) {
    return RedisModule_ReplyWithNull(ctx);
  }
  RedisModule_ReplyWithArray(ctx, 6);
  RedisModule_ReplyWithLongLong(ctx, (long long)info.version);
  RedisModule_ReplyWithLongLong(ctx, (long long)info.id);
  RedisModule_ReplyWithLongLong(ctx, (long long)info.flags);
  RedisModule_ReplyWithCString(ctx, info.addr);
  RedisModule_ReplyWithLongLong(ctx, info.port);
  return RedisModule_ReplyWithLongLong(ctx, info.db);
}

// misc.certificate id: the PEM text of the client's certificate, or null.
static int Certificate(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *text = RedisModule_GetClientCertificate(ctx, (uint64_t)Number(argv[1]));
  if (text == NULL) return RedisModule_ReplyWithNull(ctx);
  RedisModule_ReplyWithString(ctx, text);
  RedisModule_FreeString(ctx, text);
  return REDISMODULE_OK;
}

// misc.name [name]: the client's name, set first when given.
static int Name(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  uint64_t id = RedisModule_GetClientId(ctx);
  if (argc > 1) {
    errno = 0;
    if (RedisModule_SetClientNameById(id, argv[1]) != REDISMODULE_OK) {
      return RedisModule_ReplyWithSimpleString(ctx, ErrnoName(errno));
    }
  }
  errno = 0;
  return ReplyStringOrErrno(ctx, RedisModule_GetClientNameById(ctx, id));
}

// misc.user: the name of the client's user, by ID and by context.
static int User(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 2);
  ReplyStringOrErrno(ctx, RedisModule_GetClientUserNameById(ctx, RedisModule_GetClientId(ctx)));
  return ReplyStringOrErrno(ctx, RedisModule_GetCurrentUserName(ctx));
}

static int Publish(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_PublishMessage(ctx, argv[1], argv[2]));
}

// misc.latency ms: adds a sample of a latency event of its own.
static int Latency(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_LatencyAddSample("misc-event", Number(argv[1]));
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// misc.signal key: tells WATCH and tracking that a key changed, without changing it.
static int Signal(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_SignalModifiedKey(ctx, argv[1]);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// misc.rdb save|load PATH FLAGS: OK only with an errno of 0
static int Rdb(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleRdbStream *stream =
      Is(argv[2], "-") ? NULL : RedisModule_RdbStreamCreateFromFile(Text(argv[2]));
  const int flags = (int)Number(argv[3]);
  const int result = Is(argv[1], "save") ? RedisModule_RdbSave(ctx, stream, flags)
                                         : RedisModule_RdbLoad(ctx, stream, flags);
  const int number = errno;
  if (stream != NULL) RedisModule_RdbStreamFree(stream);
  const char *text = result == REDISMODULE_OK && number == 0 ? "OK" : ErrnoName(number);
  return RedisModule_ReplyWithSimpleString(ctx, text);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"misc.rdb", Rdb, "", 0},
                                         {"misc.log", Log, "", 0},
                                         {"misc.random", Random, "", 0},
                                         {"misc.clocks", Clocks, "", 0},
                                         {"misc.memory", Memory, "", 0},
                                         {"misc.ratio", Ratio, "", 0},
                                         {"misc.flags", Flags, "allow-stale", 0},
                                         {"misc.all", All, "", 0},
                                         {"misc.client", Client, "", 0},
                                         {"misc.name", Name, "", 0},
                                         {"misc.user", User, "", 0},
                                         {"misc.publish", Publish, "", 0},
                                         {"misc.latency", Latency, "", 0},
                                         {"misc.signal", Signal, "", 1},
                                         {"misc.certificate", Certificate, "", 0}};
  if (RedisModule_Init(ctx, "misc", 7, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
