// SPDX-License-Identifier: BSD-3-Clause
// A value type of a module's own: a counter set maps names to 64-bit counts, in order of the names.
// It takes part in everything a built-in type does: RDB and AOF, COPY, MEMORY USAGE, DEBUG DIGEST,
// UNLINK. See README.md.
//
// On disk, encoding version 1: number of names (unsigned), then per name the name (string) and its
// count (signed). Version 0, which no release writes any more, had unsigned counts.
// AUX, after the keys: number of increments ever made (unsigned), the note (string).
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "redismodule.h"

#define ENCODING_VERSION 1

typedef struct CounterSet {
  RedisModuleDict *counts;  // Name to a long long of its own.
  size_t name_bytes;
} CounterSet;

static RedisModuleType *type;

// What the module has beside its keys; saved as AUX.
static uint64_t increments;
static RedisModuleString *note;  // NULL: none.

// Values alive. Atomic because values may be freed on a background thread.
static atomic_llong values_alive;

static CounterSet *NewCounterSet(void) {
  CounterSet *set = RedisModule_Alloc(sizeof(*set));
  set->counts = RedisModule_CreateDict(NULL);
  set->name_bytes = 0;
  atomic_fetch_add(&values_alive, 1);
  return set;
}

static long long *Find(const CounterSet *set, const char *name, size_t length) {
  int missing;
  long long *count = RedisModule_DictGetC(set->counts, (void *)name, length, &missing);
  return missing ? NULL : count;
}

// Zero or the count of the name, which is added if need be.
static long long *FindOrAdd(CounterSet *set, const char *name, size_t length) {
  long long *count = Find(set, name, length);
  if (count == NULL) {
    count = RedisModule_Calloc(1, sizeof(*count));
    RedisModule_DictSetC(set->counts, (void *)name, length, count);
    set->name_bytes += length;
  }
  return count;
}

// Calls the function for each name in order, until it returns 0.
static void ForEach(const CounterSet *set,
                    int (*function)(void *arg, const char *name, size_t length, long long count),
                    void *arg) {
  RedisModuleDictIter *at = RedisModule_DictIteratorStartC(set->counts, "^", NULL, 0);
  const char *name;
  size_t length;
  void *count;
  while ((name = RedisModule_DictNextC(at, &length, &count)) != NULL) {
    if (!function(arg, name, length, *(long long *)count)) break;
  }
  RedisModule_DictIteratorStop(at);
}

// Callbacks of the type.

static int FreeCount(void *count_set, const char *name, size_t length, long long count) {
  RedisModule_Free(Find(count_set, name, length));
  return 1;
}

// May run on a background thread: nothing here needs the host lock.
static void Free(void *value) {
  CounterSet *set = value;
  ForEach(set, FreeCount, set);
  RedisModule_FreeDict(NULL, set->counts);
  RedisModule_Free(set);
  atomic_fetch_sub(&values_alive, 1);
}

static int SaveCount(void *rdb, const char *name, size_t length, long long count) {
  RedisModule_SaveStringBuffer(rdb, name, length);
  RedisModule_SaveSigned(rdb, count);
  return 1;
}

static void RdbSave(RedisModuleIO *rdb, void *value) {
  CounterSet *set = value;
  RedisModule_SaveUnsigned(rdb, RedisModule_DictSize(set->counts));
  ForEach(set, SaveCount, rdb);
}

// NULL when the data is cut off, is not ours, or comes from a newer release than this one.
static void *RdbLoad(RedisModuleIO *rdb, int encver) {
  if (encver > ENCODING_VERSION) {
    RedisModule_LogIOError(rdb, "warning", "counter set of encoding version %d, known are 0 to %d",
                           encver, ENCODING_VERSION);
    return NULL;
  }
  CounterSet *set = NewCounterSet();
  uint64_t names = RedisModule_LoadUnsigned(rdb);
  for (uint64_t i = 0; i < names && !RedisModule_IsIOError(rdb); i++) {
    size_t length;
    char *name = RedisModule_LoadStringBuffer(rdb, &length);
    if (name == NULL) break;
    long long count =
        encver == 0 ? (long long)RedisModule_LoadUnsigned(rdb) : RedisModule_LoadSigned(rdb);
    *FindOrAdd(set, name, length) = count;
    RedisModule_Free(name);
  }
  if (RedisModule_IsIOError(rdb)) {
    Free(set);
    return NULL;
  }
  return set;
}

struct Rewrite {
  RedisModuleIO *aof;
  RedisModuleString *key;
};

static int RewriteCount(void *arg, const char *name, size_t length, long long count) {
  struct Rewrite *rewrite = arg;
  RedisModule_EmitAOF(rewrite->aof, "CS.SET", "sbl", rewrite->key, name, length, count);
  return 1;
}

static void AofRewrite(RedisModuleIO *aof, RedisModuleString *key, void *value) {
  struct Rewrite rewrite = {aof, key};
  ForEach(value, RewriteCount, &rewrite);
}

static size_t MemUsage(const void *value) {
  const CounterSet *set = value;
  // Per name: the bytes of the name, its count, and about three pointers of the dictionary.
  return sizeof(*set) + set->name_bytes +
         RedisModule_DictSize(set->counts) * (sizeof(long long) + 3 * sizeof(void *));
}

static int DigestCount(void *digest, const char *name, size_t length, long long count) {
  RedisModule_DigestAddStringBuffer(digest, name, length);
  RedisModule_DigestAddLongLong(digest, count);
  RedisModule_DigestEndSequence(digest);
  return 1;
}

static void Digest(RedisModuleDigest *digest, void *value) { ForEach(value, DigestCount, digest); }

// Allocations that Free undoes: large sets are freed in the background.
static size_t FreeEffort(RedisModuleString *key, const void *value) {
  return RedisModule_DictSize(((const CounterSet *)value)->counts) + 1;
}

// Last call on the engine thread before the value goes. This one only says so.
static void Unlink(RedisModuleString *key, const void *value) {
  RedisModule_Log(NULL, "debug", "counter set of %s unlinked", RedisModule_StringPtrLen(key, NULL));
}

static int CopyCount(void *copy, const char *name, size_t length, long long count) {
  *FindOrAdd(copy, name, length) = count;
  return 1;
}

static void *Copy(RedisModuleString *from, RedisModuleString *to, const void *value) {
  CounterSet *copy = NewCounterSet();
  ForEach(value, CopyCount, copy);
  return copy;
}

static void AuxSave(RedisModuleIO *rdb, int when) {
  RedisModule_SaveUnsigned(rdb, increments);
  if (note != NULL) {
    RedisModule_SaveString(rdb, note);
  } else {
    RedisModule_SaveStringBuffer(rdb, "", 0);
  }
}

static void SetNote(RedisModuleString *text) {
  if (note != NULL) RedisModule_FreeString(NULL, note);
  note = text;
}

static int AuxLoad(RedisModuleIO *rdb, int encver, int when) {
  if (encver > ENCODING_VERSION) return REDISMODULE_ERR;
  uint64_t loaded = RedisModule_LoadUnsigned(rdb);
  RedisModuleString *text = RedisModule_LoadString(rdb);
  if (RedisModule_IsIOError(rdb) || text == NULL) return REDISMODULE_ERR;
  increments = loaded;
  SetNote(text);
  return REDISMODULE_OK;
}

// Commands.

// Opens the key. *set is its value, or NULL when there is none. 0 when it holds something else: the
// error is then replied.
static int Open(RedisModuleCtx *ctx, RedisModuleString *name, int mode, RedisModuleKey **key,
                CounterSet **set) {
  *set = NULL;
  *key = RedisModule_OpenKey(ctx, name, mode);
  if (RedisModule_KeyType(*key) == REDISMODULE_KEYTYPE_EMPTY) return 1;
  if (RedisModule_ModuleTypeGetType(*key) != type) {
    RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
    return 0;
  }
  *set = RedisModule_ModuleTypeGetValue(*key);
  return 1;
}

static CounterSet *OpenOrCreate(RedisModuleCtx *ctx, RedisModuleString *name) {
  RedisModuleKey *key;
  CounterSet *set;
  if (!Open(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE, &key, &set)) return NULL;
  if (set == NULL) {
    set = NewCounterSet();
    RedisModule_ModuleTypeSetValue(key, type, set);
  }
  return set;
}

// CS.INCR key name [by]: the new count.
static int Incr(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 3 && argc != 4) return RedisModule_WrongArity(ctx);
  RedisModule_AutoMemory(ctx);
  long long by = 1;
  if (argc == 4 && RedisModule_StringToLongLong(argv[3], &by) != REDISMODULE_OK) {
    return RedisModule_ReplyWithError(ctx, "ERR value is not an integer or out of range");
  }
  CounterSet *set = OpenOrCreate(ctx, argv[1]);
  if (set == NULL) return REDISMODULE_OK;
  size_t length;
  const char *name = RedisModule_StringPtrLen(argv[2], &length);
  long long *count = FindOrAdd(set, name, length);
  if (__builtin_add_overflow(*count, by, &by)) {  // Never for a new name, so none stays behind.
    return RedisModule_ReplyWithError(ctx, "ERR increment or decrement would overflow");
  }
  *count = by;
  increments++;
  RedisModule_ReplicateVerbatim(ctx);
  RedisModule_NotifyKeyspaceEvent(ctx, REDISMODULE_NOTIFY_MODULE, "cs.incr", argv[1]);
  return RedisModule_ReplyWithLongLong(ctx, *count);
}

// CS.SET key name count: sets one count; what AOF files are made of. 1 when the name is new.
static int Set(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 4) return RedisModule_WrongArity(ctx);
  RedisModule_AutoMemory(ctx);
  long long count;
  if (RedisModule_StringToLongLong(argv[3], &count) != REDISMODULE_OK) {
    return RedisModule_ReplyWithError(ctx, "ERR value is not an integer or out of range");
  }
  CounterSet *set = OpenOrCreate(ctx, argv[1]);
  if (set == NULL) return REDISMODULE_OK;
  size_t length;
  const char *name = RedisModule_StringPtrLen(argv[2], &length);
  uint64_t names = RedisModule_DictSize(set->counts);
  *FindOrAdd(set, name, length) = count;
  RedisModule_ReplicateVerbatim(ctx);
  RedisModule_NotifyKeyspaceEvent(ctx, REDISMODULE_NOTIFY_MODULE, "cs.set", argv[1]);
  return RedisModule_ReplyWithLongLong(ctx, (long long)(RedisModule_DictSize(set->counts) - names));
}

// CS.GET key name: the count, or null.
static int Get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 3) return RedisModule_WrongArity(ctx);
  RedisModule_AutoMemory(ctx);
  RedisModuleKey *key;
  CounterSet *set;
  if (!Open(ctx, argv[1], REDISMODULE_READ, &key, &set)) return REDISMODULE_OK;
  size_t length;
  const char *name = RedisModule_StringPtrLen(argv[2], &length);
  long long *count = set == NULL ? NULL : Find(set, name, length);
  if (count == NULL) return RedisModule_ReplyWithNull(ctx);
  return RedisModule_ReplyWithLongLong(ctx, *count);
}

static int ReplyCount(void *ctx, const char *name, size_t length, long long count) {
  RedisModule_ReplyWithStringBuffer(ctx, name, length);
  RedisModule_ReplyWithLongLong(ctx, count);
  return 1;
}

// CS.ALL key: all names with their counts, as a map.
static int All(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  RedisModule_AutoMemory(ctx);
  RedisModuleKey *key;
  CounterSet *set;
  if (!Open(ctx, argv[1], REDISMODULE_READ, &key, &set)) return REDISMODULE_OK;
  if (set == NULL) return RedisModule_ReplyWithMap(ctx, 0);
  RedisModule_ReplyWithMap(ctx, (long)RedisModule_DictSize(set->counts));
  ForEach(set, ReplyCount, ctx);
  return REDISMODULE_OK;
}

// CS.DEL key name: 1, or 0 when there was none. A key without names is deleted.
static int Del(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 3) return RedisModule_WrongArity(ctx);
  RedisModule_AutoMemory(ctx);
  RedisModuleKey *key;
  CounterSet *set;
  if (!Open(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE, &key, &set)) return REDISMODULE_OK;
  size_t length;
  const char *name = RedisModule_StringPtrLen(argv[2], &length);
  void *count;
  if (set == NULL ||
      RedisModule_DictDelC(set->counts, (void *)name, length, &count) != REDISMODULE_OK) {
    return RedisModule_ReplyWithLongLong(ctx, 0);
  }
  RedisModule_Free(count);
  set->name_bytes -= length;
  int empty = RedisModule_DictSize(set->counts) == 0;
  if (empty) RedisModule_DeleteKey(key);
  RedisModule_ReplicateVerbatim(ctx);
  RedisModule_NotifyKeyspaceEvent(ctx, REDISMODULE_NOTIFY_MODULE, "cs.del", argv[1]);
  if (empty) RedisModule_NotifyKeyspaceEvent(ctx, REDISMODULE_NOTIFY_GENERIC, "del", argv[1]);
  return RedisModule_ReplyWithLongLong(ctx, 1);
}

// CS.NOTE [text]: sets the note that is kept beside the keys, or replies it.
static int Note(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc > 2) return RedisModule_WrongArity(ctx);
  if (argc == 2) {
    // A string of its own: the argument belongs to the client's command.
    SetNote(RedisModule_CreateStringFromString(NULL, argv[1]));
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
  }
  if (note == NULL) return RedisModule_ReplyWithEmptyString(ctx);
  return RedisModule_ReplyWithString(ctx, note);
}

// CS.STATS: increments ever made, values alive.
static int Stats(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 1) return RedisModule_WrongArity(ctx);
  RedisModule_ReplyWithMap(ctx, 2);
  RedisModule_ReplyWithCString(ctx, "increments");
  RedisModule_ReplyWithLongLong(ctx, (long long)increments);
  RedisModule_ReplyWithCString(ctx, "values");
  return RedisModule_ReplyWithLongLong(ctx, atomic_load(&values_alive));
}

static int CreateType(RedisModuleCtx *ctx) {
  RedisModuleTypeMethods methods = {
      .version = 4,  // What Redis 7.0 knows; 5 only adds aux_save2.
      .rdb_load = RdbLoad,
      .rdb_save = RdbSave,
      .aof_rewrite = AofRewrite,
      .mem_usage = MemUsage,
      .digest = Digest,
      .free = Free,
      .aux_load = AuxLoad,
      .aux_save = AuxSave,
      .aux_save_triggers = REDISMODULE_AUX_AFTER_RDB,
      .free_effort = FreeEffort,
      .unlink = Unlink,
      .copy = Copy,
  };
  type = RedisModule_CreateDataType(ctx, "bpcntrset", ENCODING_VERSION, &methods);
  return type == NULL ? REDISMODULE_ERR : REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const struct {
    const char *name;
    RedisModuleCmdFunc handler;
    const char *flags;
    int key;
  } commands[] = {{"cs.incr", Incr, "write deny-oom fast", 1},
                  {"cs.set", Set, "write deny-oom", 1},
                  {"cs.get", Get, "readonly fast", 1},
                  {"cs.all", All, "readonly", 1},
                  {"cs.del", Del, "write fast", 1},
                  {"cs.note", Note, "write fast", 0},
                  {"cs.stats", Stats, "readonly fast", 0}};
  if (RedisModule_Init(ctx, "counterset", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK ||
      CreateType(ctx) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  // RdbLoad and AuxLoad check for errors: the host need not end the process at a damaged file.
  RedisModule_SetModuleOptions(ctx, REDISMODULE_OPTIONS_HANDLE_IO_ERRORS);
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    int key = commands[i].key;
    if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].handler, commands[i].flags,
                                  key, key, key) != REDISMODULE_OK) {
      return REDISMODULE_ERR;
    }
  }
  return REDISMODULE_OK;
}

// The values are gone or in the host's keeping by now, and the type goes with the module. What is
// left is the module's own.
int RedisModule_OnUnload(RedisModuleCtx *ctx);
int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  SetNote(NULL);
  return REDISMODULE_OK;
}
