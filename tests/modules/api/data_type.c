// SPDX-License-Identifier: BSD-3-Clause
// A value type that keeps a little of everything an RDB can hold, and counts its callbacks. The
// value is a text; loading writes the same text again from other kinds of field, so that each kind
// goes through the file.
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>

#include "testing.h"

typedef struct Value {
  char *text;
  size_t length;
} Value;

static RedisModuleType *type;
static atomic_llong freed, alive;
static long long unlinked, effort_asked, copied;
static RedisModuleString *aux[2];  // Before and after the keys.
static long long aux_loaded[2];

static Value *New(const char *text, size_t length) {
  Value *value = RedisModule_Alloc(sizeof(*value));
  value->text = RedisModule_Alloc(length + 1);
  memcpy(value->text, text, length);
  value->length = length;
  atomic_fetch_add(&alive, 1);
  return value;
}

static void Free(void *pointer) {
  Value *value = pointer;
  RedisModule_Free(value->text);
  RedisModule_Free(value);
  atomic_fetch_add(&freed, 1);
  atomic_fetch_sub(&alive, 1);
}

static void Save(RedisModuleIO *rdb, void *pointer) {
  Value *value = pointer;
  RedisModuleString *string = RedisModule_CreateString(NULL, value->text, value->length);
  RedisModule_SaveUnsigned(rdb, UINT64_MAX);
  RedisModule_SaveSigned(rdb, INT64_MIN);
  RedisModule_SaveDouble(rdb, -0.1);
  RedisModule_SaveDouble(rdb, INFINITY);
  RedisModule_SaveFloat(rdb, 0.3f);
  RedisModule_SaveLongDouble(rdb, 1.0L / 3);
  RedisModule_SaveStringBuffer(rdb, value->text, value->length);
  RedisModule_SaveString(rdb, string);
  RedisModule_SaveStringBuffer(rdb, "", 0);
  RedisModule_FreeString(NULL, string);
}

static void *Load(RedisModuleIO *rdb, int encver) {
  if (encver > 3) return NULL;
  int right = RedisModule_LoadUnsigned(rdb) == UINT64_MAX;
  right &= RedisModule_LoadSigned(rdb) == INT64_MIN;
  right &= RedisModule_LoadDouble(rdb) == -0.1;
  right &= isinf(RedisModule_LoadDouble(rdb)) == 1;
  right &= RedisModule_LoadFloat(rdb) == 0.3f;
  right &= RedisModule_LoadLongDouble(rdb) == 1.0L / 3;
  size_t length = 0, empty_length = 1;
  char *text = RedisModule_LoadStringBuffer(rdb, &length);
  RedisModuleString *string = RedisModule_LoadString(rdb);
  char *empty = RedisModule_LoadStringBuffer(rdb, &empty_length);
  Value *value = NULL;
  if (!RedisModule_IsIOError(rdb) && right && text != NULL && string != NULL && empty != NULL) {
    size_t again;
    const char *bytes = RedisModule_StringPtrLen(string, &again);
    if (again == length && memcmp(bytes, text, length) == 0 && empty_length == 0) {
      value = New(text, length);
    }
  }
  if (value == NULL) RedisModule_LogIOError(rdb, "warning", "data_type cannot load a value");
  RedisModule_Free(text);
  RedisModule_Free(empty);
  if (string != NULL) RedisModule_FreeString(NULL, string);
  return value;
}

static void Rewrite(RedisModuleIO *aof, RedisModuleString *key, void *pointer) {
  Value *value = pointer;
  RedisModule_EmitAOF(aof, "DATATYPE.SET", "sb", key, value->text, value->length);
}

static size_t MemUsage(const void *pointer) {
  return sizeof(Value) + 1000000 + ((const Value *)pointer)->length;
}

static char last_key[64], last_target[64];
static int last_db = -1, last_target_db = -1;

static void Digest(RedisModuleDigest *digest, void *pointer) {
  Value *value = pointer;
  snprintf(last_key, sizeof(last_key), "%s", Text(RedisModule_GetKeyNameFromDigest(digest)));
  last_db = RedisModule_GetDbIdFromDigest(digest);
  RedisModule_DigestAddStringBuffer(digest, value->text, value->length);
  RedisModule_DigestAddLongLong(digest, (long long)value->length);
  RedisModule_DigestEndSequence(digest);
}

static size_t FreeEffort(RedisModuleString *key, const void *pointer) {
  effort_asked++;
  return ((const Value *)pointer)->length;
}

static void Unlink(RedisModuleString *key, const void *pointer) { unlinked++; }

// A value with the text "no copy" refuses.
static void *Copy(RedisModuleString *from, RedisModuleString *to, const void *pointer) {
  const Value *value = pointer;
  if (value->length == 7 && memcmp(value->text, "no copy", 7) == 0) return NULL;
  copied++;
  return New(value->text, value->length);
}

static void *Copy2(RedisModuleKeyOptCtx *where, const void *pointer) {
  const Value *value = pointer;
  snprintf(last_key, sizeof(last_key), "%s", Text(RedisModule_GetKeyNameFromOptCtx(where)));
  snprintf(last_target, sizeof(last_target), "%s", Text(RedisModule_GetToKeyNameFromOptCtx(where)));
  last_db = RedisModule_GetDbIdFromOptCtx(where);
  last_target_db = RedisModule_GetToDbIdFromOptCtx(where);
  return New(value->text, value->length);
}

static void AuxSave(RedisModuleIO *rdb, int when) {
  RedisModuleString *string = aux[when == REDISMODULE_AUX_AFTER_RDB];
  RedisModule_SaveSigned(rdb, string != NULL);
  if (string != NULL) RedisModule_SaveString(rdb, string);
}

static int AuxLoad(RedisModuleIO *rdb, int encver, int when) {
  int at = when == REDISMODULE_AUX_AFTER_RDB;
  RedisModuleString *string = NULL;
  if (RedisModule_LoadSigned(rdb)) string = RedisModule_LoadString(rdb);
  if (RedisModule_IsIOError(rdb)) return REDISMODULE_ERR;
  if (aux[at] != NULL) RedisModule_FreeString(NULL, aux[at]);
  aux[at] = string;
  aux_loaded[at]++;
  return REDISMODULE_OK;
}

// Commands.

static Value *Get(RedisModuleKey *key) {
  return RedisModule_ModuleTypeGetType(key) == type ? RedisModule_ModuleTypeGetValue(key) : NULL;
}

static int SetCommand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  size_t length;
  const char *text = RedisModule_StringPtrLen(argv[2], &length);
  RedisModule_ModuleTypeSetValue(key, type, New(text, length));
  RedisModule_CloseKey(key);
  RedisModule_ReplicateVerbatim(ctx);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int GetCommand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
  Value *value = Get(key);
  if (value == NULL) {
    RedisModule_ReplyWithNull(ctx);
  } else {
    RedisModule_ReplyWithStringBuffer(ctx, value->text, value->length);
  }
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// datatype.wrong key: setting through a handle open for reading, and what the key's type is.
static int Wrong(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
  Value *value = New("x", 1), *old = NULL;
  int set = RedisModule_ModuleTypeSetValue(key, type, value);
  int replaced = RedisModule_ModuleTypeReplaceValue(key, type, value, (void **)&old);
  if (set != REDISMODULE_OK && replaced != REDISMODULE_OK) Free(value);
  RedisModule_ReplyWithArray(ctx, 3);
  RedisModule_ReplyWithLongLong(ctx, set);
  RedisModule_ReplyWithLongLong(ctx, replaced);
  RedisModule_ReplyWithBool(ctx, RedisModule_ModuleTypeGetType(key) == type);
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// datatype.swap a b: exchanges two values without freeing either.
static int Swap(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  RedisModuleKey *a = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  RedisModuleKey *b = RedisModule_OpenKey(ctx, argv[2], REDISMODULE_READ | REDISMODULE_WRITE);
  Value *first = Get(a), *second = Get(b);
  void *old_a = NULL, *old_b = NULL;
  if (first == NULL || second == NULL) return RedisModule_ReplyWithError(ctx, "ERR two values");
  RedisModule_ModuleTypeReplaceValue(a, type, second, &old_a);
  RedisModule_ModuleTypeReplaceValue(b, type, first, &old_b);
  return RedisModule_ReplyWithLongLong(ctx, old_a == first && old_b == second);
}

// datatype.string key: the value saved to a string. datatype.unstring key string encver: and back.
static int ToString(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
  Value *value = Get(key);
  RedisModuleString *string =
      value == NULL ? NULL : RedisModule_SaveDataTypeToString(ctx, value, type);
  RedisModule_CloseKey(key);
  if (string == NULL) return RedisModule_ReplyWithNull(ctx);
  return ReplyStringOrErrno(ctx, string);
}

static int FromString(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  void *value = RedisModule_LoadDataTypeFromStringEncver(argv[2], type, (int)Number(argv[3]));
  if (value == NULL) return RedisModule_ReplyWithError(ctx, "ERR no value");
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_WRITE);
  RedisModule_ModuleTypeSetValue(key, type, value);
  RedisModule_CloseKey(key);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int Aux(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc == 3) {
    int at = Is(argv[1], "after");
    if (aux[at] != NULL) RedisModule_FreeString(NULL, aux[at]);
    aux[at] = RedisModule_CreateStringFromString(NULL, argv[2]);
  }
  RedisModule_ReplyWithArray(ctx, 4);
  for (int i = 0; i < 2; i++) {
    if (aux[i] == NULL) {
      RedisModule_ReplyWithNull(ctx);
    } else {
      RedisModule_ReplyWithString(ctx, aux[i]);
    }
    RedisModule_ReplyWithLongLong(ctx, aux_loaded[i]);
  }
  return REDISMODULE_OK;
}

// datatype.counts: alive, freed, unlinked, whether the effort was asked for, copied.
static int Counts(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 5);
  RedisModule_ReplyWithLongLong(ctx, atomic_load(&alive));
  RedisModule_ReplyWithLongLong(ctx, atomic_load(&freed));
  RedisModule_ReplyWithLongLong(ctx, unlinked);
  RedisModule_ReplyWithLongLong(ctx, effort_asked > 0);
  return RedisModule_ReplyWithLongLong(ctx, copied);
}

// datatype.copied: keys and databases of the last copy
static int Copied(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 4);
  RedisModule_ReplyWithCString(ctx, last_key);
  RedisModule_ReplyWithCString(ctx, last_target);
  RedisModule_ReplyWithLongLong(ctx, last_db);
  return RedisModule_ReplyWithLongLong(ctx, last_target_db);
}

// datatype.digested: key and database of the last digest
static int Digested(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithCString(ctx, last_key);
  return RedisModule_ReplyWithLongLong(ctx, last_db);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"datatype.set", SetCommand, "write", 1},
                                         {"datatype.get", GetCommand, "", 1},
                                         {"datatype.wrong", Wrong, "write", 1},
                                         {"datatype.swap", Swap, "write", 0},
                                         {"datatype.string", ToString, "", 1},
                                         {"datatype.unstring", FromString, "write", 1},
                                         {"datatype.aux", Aux, "", 0},
                                         {"datatype.counts", Counts, "", 0},
                                         {"datatype.copied", Copied, "", 0},
                                         {"datatype.digested", Digested, "", 0}};
  RedisModuleTypeMethods methods = {
      .version = 4,
      .rdb_load = Load,
      .rdb_save = Save,
      .aof_rewrite = Rewrite,
      .mem_usage = MemUsage,
      .digest = Digest,
      .free = Free,
      .aux_load = AuxLoad,
      .aux_save = AuxSave,
      .aux_save_triggers = REDISMODULE_AUX_BEFORE_RDB | REDISMODULE_AUX_AFTER_RDB,
      .free_effort = FreeEffort,
      .unlink = Unlink,
      .copy = Copy};
  if (RedisModule_Init(ctx, "datatype", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  if (argc > 0 && Is(argv[0], "copy2")) {
    methods.copy = NULL;
    methods.copy2 = Copy2;
  }
  RedisModule_SetModuleOptions(ctx, REDISMODULE_OPTIONS_HANDLE_IO_ERRORS);
  // Names of a wrong length, characters or version are refused.
  if (RedisModule_CreateDataType(ctx, "short", 0, &methods) != NULL ||
      RedisModule_CreateDataType(ctx, "much-too-long", 0, &methods) != NULL ||
      RedisModule_CreateDataType(ctx, "bad char!", 0, &methods) != NULL ||
      RedisModule_CreateDataType(ctx, "bp---test", 1024, &methods) != NULL ||
      RedisModule_CreateDataType(ctx, "bp---test", -1, &methods) != NULL) {
    return REDISMODULE_ERR;
  }
  type = RedisModule_CreateDataType(ctx, "bp-_test1", 3, &methods);
  if (type == NULL) return REDISMODULE_ERR;
  return CREATE_COMMANDS(ctx, commands);
}

int RedisModule_OnUnload(RedisModuleCtx *ctx);
int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  for (int i = 0; i < 2; i++) {
    if (aux[i] != NULL) RedisModule_FreeString(NULL, aux[i]);
  }
  return REDISMODULE_OK;
}
