// SPDX-License-Identifier: BSD-3-Clause
// Options of a module's own: registering, setters that refuse, apply, loading. The load argument
// "noload" leaves LoadConfigs out, "wrong" registers wrongly first.
#include "testing.h"

static RedisModuleString *text;
static int flag, color, bits;
static long long number, memory, applied;

static RedisModuleString *GetText(const char *name, void *data) { return text; }

static int SetText(const char *name, RedisModuleString *value, void *data,
                   RedisModuleString **error) {
  if (Is(value, "refused")) {
    *error = RedisModule_CreateString(NULL, "this text is refused", 20);
    return REDISMODULE_ERR;
  }
  if (text != NULL) RedisModule_FreeString(NULL, text);
  RedisModule_RetainString(NULL, value);
  text = value;
  return REDISMODULE_OK;
}

static int GetInt(const char *name, void *data) { return *(int *)data; }

static int SetInt(const char *name, int value, void *data, RedisModuleString **error) {
  *(int *)data = value;
  return REDISMODULE_OK;
}

static long long GetNumber(const char *name, void *data) { return *(long long *)data; }

static int SetNumber(const char *name, long long value, void *data, RedisModuleString **error) {
  *(long long *)data = value;
  return REDISMODULE_OK;
}

// Refuses a combination: number 13 with memory 1313.
static int Apply(RedisModuleCtx *ctx, void *data, RedisModuleString **error) {
  applied++;
  if (number == 13 && memory == 1313) {
    *error = RedisModule_CreateString(NULL, "not these two", 13);
    return REDISMODULE_ERR;
  }
  return REDISMODULE_OK;
}

static int Applied(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, applied);
}

// configs.late: registering after OnLoad, and loading again; errno's names.
static int Late(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 2);
  errno = 0;
  ReplyResult(ctx, RedisModule_RegisterBoolConfig(ctx, "late", 1, REDISMODULE_CONFIG_DEFAULT,
                                                  GetInt, SetInt, NULL, &flag));
  errno = 0;
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_LoadConfigs(ctx));
}

static int Wrong(RedisModuleCtx *ctx) {
  static const struct {
    const char *name;
    unsigned flags;
    int expected;
  } wrong[] = {{"with space", REDISMODULE_CONFIG_DEFAULT, EINVAL},
               {"", REDISMODULE_CONFIG_DEFAULT, EINVAL},
               {"bitflags-bool", REDISMODULE_CONFIG_BITFLAGS, EINVAL},
               {"memory-bool", REDISMODULE_CONFIG_MEMORY, EINVAL},
               {"flag", REDISMODULE_CONFIG_DEFAULT, EALREADY}};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    errno = 0;
    int result = RedisModule_RegisterBoolConfig(ctx, wrong[i].name, 1, wrong[i].flags, GetInt,
                                                SetInt, NULL, &flag);
    RedisModule_Log(ctx, "notice", "wrong option %d: %s", (int)i,
                    result == REDISMODULE_OK ? "accepted" : ErrnoName(errno));
  }
  return REDISMODULE_OK;
}

static int Register(RedisModuleCtx *ctx) {
  static const char *colors[] = {"red", "green", "blue"};
  static const int color_values[] = {1, 2, 5};
  static const char *names[] = {"none", "one", "two", "four"};
  static const int name_values[] = {0, 1, 2, 4};
  int result = RedisModule_RegisterBoolConfig(ctx, "flag", 1, REDISMODULE_CONFIG_DEFAULT, GetInt,
                                              SetInt, Apply, &flag);
  result |= RedisModule_RegisterStringConfig(ctx, "text", "de fault", REDISMODULE_CONFIG_DEFAULT,
                                             GetText, SetText, NULL, NULL);
  result |= RedisModule_RegisterEnumConfig(ctx, "color", 2, REDISMODULE_CONFIG_DEFAULT, colors,
                                           color_values, 3, GetInt, SetInt, NULL, &color);
  result |= RedisModule_RegisterEnumConfig(ctx, "bits", 3, REDISMODULE_CONFIG_BITFLAGS, names,
                                           name_values, 4, GetInt, SetInt, NULL, &bits);
  result |= RedisModule_RegisterNumericConfig(ctx, "number", -1, REDISMODULE_CONFIG_DEFAULT, -5,
                                              2000, GetNumber, SetNumber, Apply, &number);
  result |= RedisModule_RegisterNumericConfig(ctx, "memory", 1024, REDISMODULE_CONFIG_MEMORY, 0,
                                              3000000, GetNumber, SetNumber, Apply, &memory);
  static int fixed;
  result |= RedisModule_RegisterBoolConfig(ctx, "fixed", 0, REDISMODULE_CONFIG_IMMUTABLE, GetInt,
                                           SetInt, NULL, &fixed);
  return result;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"configs.applied", Applied, "", 0},
                                         {"configs.late", Late, "", 0}};
  if (RedisModule_Init(ctx, "configs", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK ||
      Register(ctx) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  if (argc > 0 && Is(argv[0], "wrong")) Wrong(ctx);
  if (argc > 0 && Is(argv[0], "noload")) return CREATE_COMMANDS(ctx, commands);
  if (RedisModule_LoadConfigs(ctx) != REDISMODULE_OK) {
    if (text != NULL) RedisModule_FreeString(NULL, text);
    text = NULL;
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}

int RedisModule_OnUnload(RedisModuleCtx *ctx);
int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  if (text != NULL) RedisModule_FreeString(NULL, text);
  text = NULL;
  return REDISMODULE_OK;
}
