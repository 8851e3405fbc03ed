// SPDX-License-Identifier: BSD-3-Clause
// Strings: making, converting, comparing, appending, counting references.
#include "testing.h"

static RedisModuleString *held;

// strings.to KIND text: the number the text is, as text; an error when it is none.
static int To(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  char text[128];
  int result = REDISMODULE_ERR;
  if (Is(argv[1], "ll")) {
    long long value = 0;
    result = RedisModule_StringToLongLong(argv[2], &value);
    snprintf(text, sizeof(text), "%lld", value);
  } else if (Is(argv[1], "ull")) {
    unsigned long long value = 0;
    result = RedisModule_StringToULongLong(argv[2], &value);
    snprintf(text, sizeof(text), "%llu", value);
  } else if (Is(argv[1], "double")) {
    double value = 0;
    result = RedisModule_StringToDouble(argv[2], &value);
    snprintf(text, sizeof(text), "%.17g", value);
  } else if (Is(argv[1], "longdouble")) {
    long double value = 0;
    result = RedisModule_StringToLongDouble(argv[2], &value);
    snprintf(text, sizeof(text), "%.17Lg", value);
  } else if (Is(argv[1], "streamid")) {
    if (!RMAPI_FUNC_SUPPORTED(RedisModule_StringToStreamID)) {
      return RedisModule_ReplyWithError(ctx, "ERR the server has no streams");
    }
    RedisModuleStreamID id = {0, 0};
    result = RedisModule_StringToStreamID(argv[2], &id);
    snprintf(text, sizeof(text), "%llu-%llu", (unsigned long long)id.ms,
             (unsigned long long)id.seq);
  }
  if (result != REDISMODULE_OK) return RedisModule_ReplyWithError(ctx, "ERR none");
  return RedisModule_ReplyWithCString(ctx, text);
}

// strings.from KIND value: a string made from a number.
static int From(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *made = NULL;
  const char *value = Text(argv[2]);
  if (Is(argv[1], "ll")) made = RedisModule_CreateStringFromLongLong(ctx, atoll(value));
  if (Is(argv[1], "ull")) {
    made = RedisModule_CreateStringFromULongLong(ctx, strtoull(value, NULL, 10));
  }
  if (Is(argv[1], "double")) made = RedisModule_CreateStringFromDouble(ctx, strtod(value, NULL));
  if (Is(argv[1], "longdouble")) {
    made = RedisModule_CreateStringFromLongDouble(ctx, strtold(value, NULL), 0);
  }
  if (Is(argv[1], "longdouble.human")) {
    made = RedisModule_CreateStringFromLongDouble(ctx, strtold(value, NULL), 1);
  }
  if (Is(argv[1], "streamid")) {
    if (!RMAPI_FUNC_SUPPORTED(RedisModule_CreateStringFromStreamID)) {
      return RedisModule_ReplyWithError(ctx, "ERR the server has no streams");
    }
    RedisModuleStreamID id = {strtoull(value, NULL, 10), 7};
    made = RedisModule_CreateStringFromStreamID(ctx, &id);
  }
  return ReplyStringOrErrno(ctx, made);
}

// strings.create text: the same bytes by three ways; the argument itself stays.
static int Create(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  size_t length;
  const char *bytes = RedisModule_StringPtrLen(argv[1], &length);
  RedisModuleString *made = RedisModule_CreateString(ctx, bytes, length);
  RedisModuleString *copy = RedisModule_CreateStringFromString(NULL, argv[1]);
  RedisModuleString *format = RedisModule_CreateStringPrintf(
      ctx, "%s|%d|%05.1f|%lu|%%", length < 100 ? bytes : "long", -3, 2.25, (unsigned long)length);
  RedisModule_StringAppendBuffer(ctx, copy, "+", 1);
  RedisModule_ReplyWithArray(ctx, 4);
  RedisModule_ReplyWithString(ctx, made);
  RedisModule_ReplyWithString(ctx, copy);
  RedisModule_ReplyWithString(ctx, format);
  RedisModule_ReplyWithString(ctx, argv[1]);
  RedisModule_FreeString(ctx, made);
  RedisModule_FreeString(NULL, copy);
  RedisModule_FreeString(ctx, format);
  return REDISMODULE_OK;
}

// strings.compare a b: -1, 0 or 1.
static int Compare(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int order = RedisModule_StringCompare(argv[1], argv[2]);
  return RedisModule_ReplyWithLongLong(ctx, (order > 0) - (order < 0));
}

// strings.append text part...: how often appending worked, and the outcome. A string with a second
// reference is left alone.
static int Append(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *string = RedisModule_CreateStringFromString(ctx, argv[1]);
  long long worked = 0;
  for (int i = 2; i < argc; i++) {
    size_t length;
    const char *bytes = RedisModule_StringPtrLen(argv[i], &length);
    worked += RedisModule_StringAppendBuffer(ctx, string, bytes, length) == REDISMODULE_OK;
  }
  RedisModule_RetainString(NULL, string);
  worked += RedisModule_StringAppendBuffer(ctx, string, "never", 5) == REDISMODULE_OK;
  RedisModule_FreeString(NULL, string);
  RedisModule_TrimStringAllocation(string);
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, worked);
  RedisModule_ReplyWithString(ctx, string);
  RedisModule_FreeString(ctx, string);
  return REDISMODULE_OK;
}

// strings.hold KIND text: keeps the argument beyond the command.
static int Hold(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (held != NULL) RedisModule_FreeString(NULL, held);
  if (Is(argv[1], "hold")) {
    held = RedisModule_HoldString(ctx, argv[2]);
  } else {
    RedisModule_RetainString(Is(argv[1], "retain.auto") ? NULL : ctx, argv[2]);
    held = argv[2];
  }
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// strings.held: what is kept.
static int Held(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (held == NULL) return RedisModule_ReplyWithNull(ctx);
  return RedisModule_ReplyWithString(ctx, held);
}

// strings.auto: leaves strings of every kind to automatic memory, frees one of them by hand, keeps
// one with Retain.
static int Auto(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  for (int i = 0; i < 100; i++) RedisModule_CreateStringPrintf(ctx, "left %d", i);
  RedisModuleString *freed = RedisModule_CreateString(ctx, "freed", 5);
  RedisModule_FreeString(ctx, freed);
  RedisModuleString *kept = RedisModule_CreateString(ctx, "kept", 4);
  RedisModule_RetainString(ctx, kept);  // Takes it out of automatic memory.
  if (held != NULL) RedisModule_FreeString(NULL, held);
  held = kept;
  return RedisModule_ReplyWithString(ctx, RedisModule_CreateString(ctx, "done", 4));
}

// strings.length text: its length, and that of a NULL string's replacement text, which is not 0.
static int Length(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  size_t length;
  const char *bytes = RedisModule_StringPtrLen(argv[1], &length);
  RedisModule_ReplyWithArray(ctx, 3);
  RedisModule_ReplyWithLongLong(ctx, (long long)length);
  RedisModule_ReplyWithLongLong(ctx, bytes[length] == 0);
  size_t none = 0;
  const char *text = RedisModule_StringPtrLen(NULL, &none);
  return RedisModule_ReplyWithBool(ctx, text != NULL && strlen(text) == none && none > 0);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {
      {"strings.to", To, "", 0},         {"strings.from", From, "", 0},
      {"strings.create", Create, "", 0}, {"strings.compare", Compare, "", 0},
      {"strings.append", Append, "", 0}, {"strings.hold", Hold, "", 0},
      {"strings.held", Held, "", 0},     {"strings.auto", Auto, "", 0},
      {"strings.length", Length, "", 0}};
  if (RedisModule_Init(ctx, "strings", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}

int RedisModule_OnUnload(RedisModuleCtx *ctx);
int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  if (held != NULL) RedisModule_FreeString(NULL, held);
  return REDISMODULE_OK;
}
