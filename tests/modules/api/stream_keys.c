// SPDX-License-Identifier: BSD-3-Clause
// Stream values: adding, deleting, trimming, the iterator, ids as strings.
#include "testing.h"

static RedisModuleStreamID Id(const RedisModuleString *text) {
  RedisModuleStreamID id = {0, 0};
  RedisModule_StringToStreamID(text, &id);
  return id;
}

static void ReplyId(RedisModuleCtx *ctx, const RedisModuleStreamID *id) {
  RedisModuleString *text = RedisModule_CreateStringFromStreamID(ctx, id);
  RedisModule_ReplyWithString(ctx, text);
  RedisModule_FreeString(ctx, text);
}

// streamkeys.add key MODE a|-|x|n id [field value ...]: the id, or errno. a: the server makes the
// id; x: a flag that there is not; n: no id is passed.
static int Add(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int flags = Is(argv[3], "a") ? REDISMODULE_STREAM_ADD_AUTOID : Is(argv[3], "x") ? 64 : 0;
  RedisModuleStreamID id = Id(argv[4]);
  int result =
      RedisModule_StreamAdd(key, flags, Is(argv[3], "n") ? NULL : &id, argv + 5, (argc - 5) / 2);
  int code = errno;
  RedisModule_CloseKey(key);
  if (result != REDISMODULE_OK) return RedisModule_ReplyWithSimpleString(ctx, ErrnoName(code));
  ReplyId(ctx, &id);
  return REDISMODULE_OK;
}

// streamkeys.delete key MODE id: OK or errno.
static int Delete(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  RedisModuleStreamID id = Id(argv[3]);
  int result = RedisModule_StreamDelete(key, &id);
  int code = errno;
  RedisModule_CloseKey(key);
  errno = code;
  return ReplyResult(ctx, result);
}

static int IteratorFlags(const RedisModuleString *letters) {
  int flags = 0;
  for (const char *at = Text(letters); *at != 0; at++) {
    if (*at == 'r') flags |= REDISMODULE_STREAM_ITERATOR_REVERSE;
    if (*at == 'e') flags |= REDISMODULE_STREAM_ITERATOR_EXCLUSIVE;
    if (*at == 'x') flags |= 64;
  }
  return flags;
}

// streamkeys.range key MODE flags start|null end|null none|delete|call|append: entries as [id,
// number of fields, field, value ...], or errno. The last word is what is done at every entry,
// after its first field was read.
static int Range(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  RedisModuleStreamID start = Id(argv[4]);
  RedisModuleStreamID end = Id(argv[5]);
  if (RedisModule_StreamIteratorStart(key, IteratorFlags(argv[3]),
                                      Is(argv[4], "null") ? NULL : &start,
                                      Is(argv[5], "null") ? NULL : &end) != REDISMODULE_OK) {
    RedisModule_ReplyWithSimpleString(ctx, ErrnoName(errno));
    RedisModule_CloseKey(key);
    return REDISMODULE_OK;
  }
  long entries = 0;
  RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
  RedisModuleStreamID id;
  long fields;
  while (RedisModule_StreamIteratorNextID(key, &id, &fields) == REDISMODULE_OK) {
    entries++;
    RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
    ReplyId(ctx, &id);
    RedisModule_ReplyWithLongLong(ctx, fields);
    long words = 2;
    RedisModuleString *field;
    RedisModuleString *value;
    while (RedisModule_StreamIteratorNextField(key, &field, &value) == REDISMODULE_OK) {
      RedisModule_ReplyWithString(ctx, field);
      RedisModule_ReplyWithString(ctx, value);
      RedisModule_FreeString(ctx, field);
      RedisModule_FreeString(ctx, value);
      if (words == 2 && Is(argv[6], "call")) {
        RedisModule_FreeCallReply(RedisModule_Call(ctx, "INCR", "c", "calls"));
      }
      words += 2;
    }
    if (Is(argv[6], "delete") && RedisModule_StreamIteratorDelete(key) != REDISMODULE_OK) words = 0;
    RedisModule_ReplySetArrayLength(ctx, words);
  }
  RedisModule_ReplySetArrayLength(ctx, entries);
  RedisModule_StreamIteratorStop(key);
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// streamkeys.steps key MODE letters: the outcome of each step. s: start, n: next, f: field, d:
// delete the entry, e: delete entry 1-1 by its id, x: stop.
static int Steps(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  RedisModuleStreamID first = {1, 1};
  const char *letters = Text(argv[3]);
  RedisModule_ReplyWithArray(ctx, strlen(letters));
  for (const char *at = letters; *at != 0; at++) {
    int result = REDISMODULE_ERR;
    errno = 0;
    if (*at == 's') result = RedisModule_StreamIteratorStart(key, 0, NULL, NULL);
    if (*at == 'n') result = RedisModule_StreamIteratorNextID(key, NULL, NULL);
    if (*at == 'd') result = RedisModule_StreamIteratorDelete(key);
    if (*at == 'e') result = RedisModule_StreamDelete(key, &first);
    if (*at == 'x') result = RedisModule_StreamIteratorStop(key);
    if (*at == 'f') {
      RedisModuleString *field;
      RedisModuleString *value;
      result = RedisModule_StreamIteratorNextField(key, &field, &value);
      if (result == REDISMODULE_OK) {
        RedisModule_FreeString(ctx, field);
        RedisModule_FreeString(ctx, value);
      }
    }
    ReplyResult(ctx, result);
  }
  RedisModule_CloseKey(key);
  return REDISMODULE_OK;
}

// streamkeys.trim key MODE -|a|x length|id threshold: how many went, or errno. a: approximately; x:
// a flag that there is not.
static int Trim(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleKey *key = Open(ctx, argv[1], argv[2]);
  int flags = Is(argv[3], "a") ? REDISMODULE_STREAM_TRIM_APPROX : Is(argv[3], "x") ? 64 : 0;
  RedisModuleStreamID id = Id(argv[5]);
  long long removed = Is(argv[4], "id")
                          ? RedisModule_StreamTrimByID(key, flags, &id)
                          : RedisModule_StreamTrimByLength(key, flags, Number(argv[5]));
  int code = errno;
  RedisModule_CloseKey(key);
  if (removed < 0) return RedisModule_ReplyWithSimpleString(ctx, ErrnoName(code));
  return RedisModule_ReplyWithLongLong(ctx, removed);
}

// streamkeys.id text: the id that the text is, written anew, or an error.
static int IdText(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleStreamID id;
  if (RedisModule_StringToStreamID(argv[1], &id) != REDISMODULE_OK) {
    return RedisModule_ReplyWithError(ctx, "ERR no id");
  }
  ReplyId(ctx, &id);
  return REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {
      {"streamkeys.add", Add, "write", 1},     {"streamkeys.delete", Delete, "write", 1},
      {"streamkeys.range", Range, "write", 1}, {"streamkeys.steps", Steps, "write", 1},
      {"streamkeys.trim", Trim, "write", 1},   {"streamkeys.id", IdText, "", 0},
  };
  if (RedisModule_Init(ctx, "streamkeys", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
