// SPDX-License-Identifier: BSD-3-Clause
// Command filters: seeing and changing commands before they are looked up. The load argument
// "noself" leaves the module's own calls out, "fail" makes OnLoad fail after registering.
#include "testing.h"

static RedisModuleCommandFilter *filter;
static RedisModuleString *retained;
static long long seen, spared;

static RedisModuleString *New(const char *text) {
  return RedisModule_CreateString(NULL, text, strlen(text));
}

static void OnCommand(RedisModuleCommandFilterCtx *ctx) {
  seen++;
  if (spared != 0 && RMAPI_FUNC_SUPPORTED(RedisModule_CommandFilterGetClientId) &&
      (long long)RedisModule_CommandFilterGetClientId(ctx) == spared) {
    return;
  }
  for (int i = 0; i < RedisModule_CommandFilterArgsCount(ctx); i++) {
    const RedisModuleString *argument = RedisModule_CommandFilterArgGet(ctx, i);
    const char *text = Text(argument);
    if (strcmp(text, "@delete") == 0) {
      RedisModule_CommandFilterArgDelete(ctx, i--);
    } else if (strcmp(text, "@replace") == 0) {
      RedisModule_CommandFilterArgReplace(ctx, i, New("--replaced--"));
    } else if (strcmp(text, "@before") == 0) {
      RedisModule_CommandFilterArgInsert(ctx, i++, New("--before--"));
    } else if (strcmp(text, "@after") == 0) {
      RedisModule_CommandFilterArgInsert(ctx, i + 1, New("--after--"));
    } else if (strcmp(text, "@retain") == 0) {
      if (retained != NULL) RedisModule_FreeString(NULL, retained);
      retained = (RedisModuleString *)(uintptr_t)RedisModule_CommandFilterArgGet(ctx, i + 1);
      RedisModule_RetainString(NULL, retained);
    } else if (strcmp(text, "@bounds") == 0) {
      int count = RedisModule_CommandFilterArgsCount(ctx);
      RedisModuleString *unused = New("unused");
      int wrong = RedisModule_CommandFilterArgGet(ctx, -1) != NULL ||
                  RedisModule_CommandFilterArgGet(ctx, count) != NULL ||
                  RedisModule_CommandFilterArgDelete(ctx, count) == REDISMODULE_OK ||
                  RedisModule_CommandFilterArgDelete(ctx, -1) == REDISMODULE_OK ||
                  RedisModule_CommandFilterArgReplace(ctx, count, unused) == REDISMODULE_OK ||
                  RedisModule_CommandFilterArgInsert(ctx, count + 1, unused) == REDISMODULE_OK ||
                  RedisModule_CommandFilterArgInsert(ctx, -1, unused) == REDISMODULE_OK;
      RedisModule_FreeString(NULL, unused);
      RedisModule_CommandFilterArgReplace(ctx, i, New(wrong ? "wrong" : "right"));
    }
  }
}

static int Seen(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, seen);
}

static int Retained(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (retained == NULL) return RedisModule_ReplyWithNull(ctx);
  return RedisModule_ReplyWithString(ctx, retained);
}

// filter.call argument: ECHO through the module.
static int Call(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  // Put together here, so that the filter does not meet it as an argument of this command.
  RedisModuleString *word = RedisModule_CreateStringPrintf(ctx, "@%s", Text(argv[1]));
  RedisModuleCallReply *reply = RedisModule_Call(ctx, "ECHO", "s", word);
  RedisModule_ReplyWithCallReply(ctx, reply);
  RedisModule_FreeCallReply(reply);
  RedisModule_FreeString(ctx, word);
  return REDISMODULE_OK;
}

static int Unregister(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int result = RedisModule_UnregisterCommandFilter(ctx, filter);
  filter = NULL;
  return RedisModule_ReplyWithLongLong(ctx, result);
}

static int Spare(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  spared = Number(argv[1]);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"filter.seen", Seen, "", 0},
                                         {"filter.retained", Retained, "", 0},
                                         {"filter.call", Call, "", 0},
                                         {"filter.unregister", Unregister, "", 0},
                                         {"filter.spare", Spare, "", 0}};
  if (RedisModule_Init(ctx, "filter", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  int noself = argc > 0 && Is(argv[0], "noself");
  filter =
      RedisModule_RegisterCommandFilter(ctx, OnCommand, noself ? REDISMODULE_CMDFILTER_NOSELF : 0);
  if (filter == NULL || (argc > 0 && Is(argv[0], "fail"))) return REDISMODULE_ERR;
  return CREATE_COMMANDS(ctx, commands);
}

int RedisModule_OnUnload(RedisModuleCtx *ctx);
int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  if (retained != NULL) RedisModule_FreeString(NULL, retained);
  return REDISMODULE_OK;
}
