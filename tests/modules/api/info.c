// SPDX-License-Identifier: BSD-3-Clause
// INFO: sections and fields of a module's own, and reading the server's.
#include "testing.h"

static void Info(RedisModuleInfoCtx *ctx, int for_crash_report) {
  RedisModule_InfoAddSection(ctx, "");
  RedisModule_InfoAddFieldLongLong(ctx, "signed", -42);
  RedisModule_InfoAddFieldULongLong(ctx, "unsigned", UINT64_MAX);
  RedisModule_InfoAddFieldDouble(ctx, "double", 1.5);
  RedisModule_InfoAddFieldCString(ctx, "crash", for_crash_report ? "yes" : "no");
  if (RedisModule_InfoAddSection(ctx, "Letters") == REDISMODULE_OK) {
    RedisModuleString *text = RedisModule_CreateString(NULL, "some text", 9);
    RedisModule_InfoAddFieldString(ctx, "string", text);
    RedisModule_FreeString(NULL, text);
  }
  if (RedisModule_InfoAddSection(ctx, "Nested") == REDISMODULE_OK) {
    RedisModule_InfoBeginDictField(ctx, "dict");
    RedisModule_InfoAddFieldLongLong(ctx, "a", 1);
    RedisModule_InfoAddFieldCString(ctx, "b", "two");
    RedisModule_InfoEndDictField(ctx);
    RedisModule_InfoBeginDictField(ctx, "odd:#name");
    RedisModule_InfoAddFieldLongLong(ctx, "x", 1);
    RedisModule_InfoEndDictField(ctx);
    RedisModule_InfoBeginDictField(ctx, "left_open");
    RedisModule_InfoAddFieldLongLong(ctx, "c", 3);
  }
}

// info.field section field KIND: a field of the server's INFO.
static int Field(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleServerInfoData *info = RedisModule_GetServerInfo(ctx, Text(argv[1]));
  const char *field = Text(argv[2]);
  int error = REDISMODULE_OK;
  if (Is(argv[3], "string")) {
    RedisModuleString *text = RedisModule_ServerInfoGetField(ctx, info, field);
    if (text == NULL) {
      RedisModule_ReplyWithNull(ctx);
    } else {
      ReplyStringOrErrno(ctx, text);
    }
  } else if (Is(argv[3], "cstring")) {
    const char *text = RedisModule_ServerInfoGetFieldC(info, field);
    if (text == NULL) {
      RedisModule_ReplyWithNull(ctx);
    } else {
      RedisModule_ReplyWithCString(ctx, text);
    }
  } else if (Is(argv[3], "signed")) {
    long long number = RedisModule_ServerInfoGetFieldSigned(info, field, &error);
    if (error == REDISMODULE_OK) RedisModule_ReplyWithLongLong(ctx, number);
  } else if (Is(argv[3], "unsigned")) {
    unsigned long long number = RedisModule_ServerInfoGetFieldUnsigned(info, field, &error);
    if (error == REDISMODULE_OK) RedisModule_ReplyWithLongLong(ctx, (long long)number);
  } else {
    double number = RedisModule_ServerInfoGetFieldDouble(info, field, &error);
    if (error == REDISMODULE_OK) RedisModule_ReplyWithDouble(ctx, number);
  }
  if (error != REDISMODULE_OK) RedisModule_ReplyWithError(ctx, "ERR no such number");
  RedisModule_FreeServerInfo(ctx, info);
  return REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"info.field", Field, "", 0}};
  if (RedisModule_Init(ctx, "infotest", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK ||
      RedisModule_RegisterInfoFunc(ctx, Info) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
