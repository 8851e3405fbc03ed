// SPDX-License-Identifier: BSD-3-Clause
// Replies of every type, nested, with lengths known before or after.
#include <math.h>

#include "testing.h"

// replies.one KIND [value]
static int One(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *value = argc > 2 ? argv[2] : NULL;
  size_t length = 0;
  const char *bytes = value == NULL ? "" : RedisModule_StringPtrLen(value, &length);
  if (Is(argv[1], "integer")) return RedisModule_ReplyWithLongLong(ctx, Number(value));
  if (Is(argv[1], "simple")) return RedisModule_ReplyWithSimpleString(ctx, bytes);
  if (Is(argv[1], "error")) return RedisModule_ReplyWithError(ctx, bytes);
  if (Is(argv[1], "buffer")) return RedisModule_ReplyWithStringBuffer(ctx, bytes, length);
  if (Is(argv[1], "cstring")) return RedisModule_ReplyWithCString(ctx, bytes);
  if (Is(argv[1], "string")) return RedisModule_ReplyWithString(ctx, value);
  if (Is(argv[1], "empty")) return RedisModule_ReplyWithEmptyString(ctx);
  if (Is(argv[1], "null")) return RedisModule_ReplyWithNull(ctx);
  if (Is(argv[1], "nullarray")) return RedisModule_ReplyWithNullArray(ctx);
  if (Is(argv[1], "emptyarray")) return RedisModule_ReplyWithEmptyArray(ctx);
  if (Is(argv[1], "bool")) return RedisModule_ReplyWithBool(ctx, (int)Number(value));
  if (Is(argv[1], "double")) return RedisModule_ReplyWithDouble(ctx, strtod(bytes, NULL));
  if (Is(argv[1], "longdouble")) {
    return RedisModule_ReplyWithLongDouble(ctx, strtold(bytes, NULL));
  }
  if (Is(argv[1], "verbatim")) return RedisModule_ReplyWithVerbatimString(ctx, bytes, length);
  if (Is(argv[1], "markdown")) {
    return RedisModule_ReplyWithVerbatimStringType(ctx, bytes, length, "mkd");
  }
  if (Is(argv[1], "bignumber")) return RedisModule_ReplyWithBigNumber(ctx, bytes, length);
  if (Is(argv[1], "arity")) return RedisModule_WrongArity(ctx);
  if (Is(argv[1], "errorformat")) {
    return RedisModule_ReplyWithErrorFormat(ctx, "%s (%d of %s)", bytes, 3, "five");
  }
  return RedisModule_ReplyWithError(ctx, "ERR unknown kind");
}

static void Begin(RedisModuleCtx *ctx, RedisModuleString *kind, long count) {
  if (Is(kind, "array")) RedisModule_ReplyWithArray(ctx, count);
  if (Is(kind, "map")) RedisModule_ReplyWithMap(ctx, count);
  if (Is(kind, "set")) RedisModule_ReplyWithSet(ctx, count);
}

static void End(RedisModuleCtx *ctx, RedisModuleString *kind, long count) {
  if (Is(kind, "array")) RedisModule_ReplySetArrayLength(ctx, count);
  if (Is(kind, "map")) RedisModule_ReplySetMapLength(ctx, count);
  if (Is(kind, "set")) RedisModule_ReplySetSetLength(ctx, count);
}

// replies.many KIND count: that many elements, or pairs for a map; the length is known first.
static int Many(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  long count = (long)Number(argv[2]);
  Begin(ctx, argv[1], count);
  for (long i = 0; i < count; i++) {
    RedisModule_ReplyWithLongLong(ctx, i);
    if (Is(argv[1], "map")) RedisModule_ReplyWithDouble(ctx, (double)i * 1.5);
  }
  return REDISMODULE_OK;
}

// replies.postponed KIND count: the same, the length known last.
static int Postponed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  long count = (long)Number(argv[2]);
  Begin(ctx, argv[1], REDISMODULE_POSTPONED_LEN);
  for (long i = 0; i < count; i++) {
    RedisModule_ReplyWithLongLong(ctx, i);
    if (Is(argv[1], "map")) RedisModule_ReplyWithDouble(ctx, (double)i * 1.5);
  }
  End(ctx, argv[1], count);
  return REDISMODULE_OK;
}

// replies.tree depth width: arrays in arrays, at each level one set and one map; all lengths last.
static void Tree(RedisModuleCtx *ctx, long depth, long width) {
  RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
  RedisModule_ReplyWithSet(ctx, REDISMODULE_POSTPONED_LEN);
  RedisModule_ReplyWithLongLong(ctx, depth);
  RedisModule_ReplySetSetLength(ctx, 1);
  RedisModule_ReplyWithMap(ctx, REDISMODULE_POSTPONED_LEN);
  RedisModule_ReplyWithCString(ctx, "width");
  RedisModule_ReplyWithLongLong(ctx, width);
  RedisModule_ReplySetMapLength(ctx, 1);
  for (long i = 0; depth > 0 && i < width; i++) Tree(ctx, depth - 1, width);
  RedisModule_ReplySetArrayLength(ctx, 2 + (depth > 0 ? width : 0));
}

static int ReplyTree(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  Tree(ctx, (long)Number(argv[1]), (long)Number(argv[2]));
  return REDISMODULE_OK;
}

// replies.attribute POSTPONED: a string with an attribute before it; RESP3 only.
static int Attribute(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int postponed = (int)Number(argv[1]);
  if (RedisModule_ReplyWithAttribute(ctx, postponed ? REDISMODULE_POSTPONED_LEN : 1) !=
      REDISMODULE_OK) {
    return RedisModule_ReplyWithError(ctx, "ERR no attributes");
  }
  RedisModule_ReplyWithCString(ctx, "ttl");
  RedisModule_ReplyWithLongLong(ctx, 3600);
  if (postponed) RedisModule_ReplySetAttributeLength(ctx, 1);
  return RedisModule_ReplyWithCString(ctx, "value");
}

// replies.setlength: setting a length where none was left open; replies 1.
static int SetLength(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplySetArrayLength(ctx, 5);
  RedisModule_ReplySetMapLength(ctx, 5);
  return RedisModule_ReplyWithLongLong(ctx, 1);
}

// replies.large count bytes: an array of large strings.
static int Large(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  long count = (long)Number(argv[1]);
  size_t bytes = (size_t)Number(argv[2]);
  char *text = RedisModule_Alloc(bytes + 1);
  memset(text, 'x', bytes);
  RedisModule_ReplyWithArray(ctx, count);
  for (long i = 0; i < count; i++) RedisModule_ReplyWithStringBuffer(ctx, text, bytes);
  RedisModule_Free(text);
  return REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"replies.one", One, "", 0},
                                         {"replies.many", Many, "", 0},
                                         {"replies.postponed", Postponed, "", 0},
                                         {"replies.tree", ReplyTree, "", 0},
                                         {"replies.attribute", Attribute, "", 0},
                                         {"replies.setlength", SetLength, "", 0},
                                         {"replies.large", Large, "", 0}};
  if (RedisModule_Init(ctx, "replies", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
