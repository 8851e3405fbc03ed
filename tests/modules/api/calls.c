// SPDX-License-Identifier: BSD-3-Clause
// RedisModule_Call: formats, flags, errors, replies of every type walked and passed on.
#include "testing.h"

// calls.call flags command [argument ...]: the reply as it is, or errno's name.
static int Call(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  char format[32];
  snprintf(format, sizeof(format), "%sv", Is(argv[1], "-") ? "" : Text(argv[1]));
  errno = 0;
  RedisModuleCallReply *reply =
      RedisModule_Call(ctx, Text(argv[2]), format, argv + 3, (size_t)(argc - 3));
  if (reply == NULL) return RedisModule_ReplyWithSimpleString(ctx, ErrnoName(errno));
  RedisModule_ReplyWithCallReply(ctx, reply);
  RedisModule_FreeCallReply(reply);
  return REDISMODULE_OK;
}

// calls.formats key: one call with each letter; the list that RPUSH made of them.
static int Formats(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  RedisModuleString *vector[] = {RedisModule_CreateString(ctx, "v1", 2),
                                 RedisModule_CreateString(ctx, "v2", 2)};
  RedisModule_Call(ctx, "RPUSH", "scblv", argv[1], "c string", "b\0uffer", (size_t)7, -42LL, vector,
                   (size_t)2);
  RedisModule_Call(ctx, "RPUSH", "sv!", argv[1], vector, (size_t)2);
  RedisModule_Call(ctx, "RPUSH", "!AvccR", &argv[1], (size_t)1, "", "last");
  return RedisModule_ReplyWithCallReply(ctx,
                                        RedisModule_Call(ctx, "LRANGE", "scl", argv[1], "0", -1LL));
}

// Describes a reply by what the accessors say.
static void Describe(RedisModuleCtx *ctx, RedisModuleCallReply *reply) {
  static const char *names[] = {"string", "error", "integer", "array",     "null",     "map",
                                "set",    "bool",  "double",  "bignumber", "verbatim", "attribute"};
  int type = RedisModule_CallReplyType(reply);
  size_t length = RedisModule_CallReplyLength(reply), size = 0;
  int pairs = type == REDISMODULE_REPLY_MAP;
  RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
  RedisModule_ReplyWithCString(ctx, type >= 0 && type < 12 ? names[type] : "unknown");
  long count = 2;
  const char *text, *format = NULL;
  switch (type) {
    case REDISMODULE_REPLY_STRING:
    case REDISMODULE_REPLY_ERROR:
      text = RedisModule_CallReplyStringPtr(reply, &size);
      RedisModule_ReplyWithStringBuffer(ctx, text, size);
      break;
    case REDISMODULE_REPLY_INTEGER:
      RedisModule_ReplyWithLongLong(ctx, RedisModule_CallReplyInteger(reply));
      break;
    case REDISMODULE_REPLY_BOOL:
      RedisModule_ReplyWithLongLong(ctx, RedisModule_CallReplyBool(reply));
      break;
    case REDISMODULE_REPLY_DOUBLE:
      RedisModule_ReplyWithDouble(ctx, RedisModule_CallReplyDouble(reply));
      break;
    case REDISMODULE_REPLY_BIG_NUMBER:
      text = RedisModule_CallReplyBigNumber(reply, &size);
      RedisModule_ReplyWithStringBuffer(ctx, text, size);
      break;
    case REDISMODULE_REPLY_VERBATIM_STRING:
      text = RedisModule_CallReplyVerbatim(reply, &size, &format);
      RedisModule_ReplyWithStringBuffer(ctx, text, size);
      RedisModule_ReplyWithStringBuffer(ctx, format, 3);
      count++;
      break;
    case REDISMODULE_REPLY_ARRAY:
    case REDISMODULE_REPLY_SET:
    case REDISMODULE_REPLY_MAP:
      for (size_t i = 0; i < length; i++) {
        RedisModuleCallReply *key = NULL, *value = NULL;
        if (pairs) RedisModule_CallReplyMapElement(reply, i, &key, &value);
        if (type == REDISMODULE_REPLY_ARRAY) value = RedisModule_CallReplyArrayElement(reply, i);
        if (type == REDISMODULE_REPLY_SET) value = RedisModule_CallReplySetElement(reply, i);
        if (pairs) Describe(ctx, key);
        Describe(ctx, value);
      }
      count = 1 + (long)length * (pairs ? 2 : 1);
      break;
    default:
      count = 1;
  }
  RedisModule_ReplySetArrayLength(ctx, count);
}

// calls.describe flags command [argument ...]: the reply's types and values.
static int DescribeCall(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  char format[32];
  snprintf(format, sizeof(format), "%sv", Is(argv[1], "-") ? "" : Text(argv[1]));
  RedisModuleCallReply *reply =
      RedisModule_Call(ctx, Text(argv[2]), format, argv + 3, (size_t)(argc - 3));
  if (reply == NULL) return RedisModule_ReplyWithSimpleString(ctx, ErrnoName(errno));
  Describe(ctx, reply);
  return REDISMODULE_OK;
}

// calls.proto flags command [argument ...]: the reply as protocol text.
static int Proto(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  char format[32];
  snprintf(format, sizeof(format), "%sv", Is(argv[1], "-") ? "" : Text(argv[1]));
  RedisModuleCallReply *reply =
      RedisModule_Call(ctx, Text(argv[2]), format, argv + 3, (size_t)(argc - 3));
  if (reply == NULL) return RedisModule_ReplyWithSimpleString(ctx, ErrnoName(errno));
  size_t length;
  const char *text = RedisModule_CallReplyProto(reply, &length);
  return RedisModule_ReplyWithStringBuffer(ctx, text, length);
}

// calls.misuse key: accessors of the wrong type and out of range; 1 where the answer was the one
// that the documentation names.
static int Misuse(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_AutoMemory(ctx);
  RedisModuleCallReply *list = RedisModule_Call(ctx, "LRANGE", "scc", argv[1], "0", "-1");
  RedisModuleCallReply *number = RedisModule_Call(ctx, "LLEN", "s", argv[1]);
  RedisModuleCallReply *map = RedisModule_Call(ctx, "HGETALL", "3c", "none");
  RedisModuleCallReply *key, *value;
  size_t length;
  int right[] = {RedisModule_CallReplyType(NULL) == REDISMODULE_REPLY_UNKNOWN,
                 RedisModule_CallReplyArrayElement(list, RedisModule_CallReplyLength(list)) == NULL,
                 RedisModule_CallReplyArrayElement(number, 0) == NULL,
                 RedisModule_CallReplyInteger(list) == INT64_MIN,
                 RedisModule_CallReplyStringPtr(number, &length) == NULL,
                 RedisModule_CallReplyLength(number) == 0,
                 RedisModule_CallReplySetElement(list, 0) == NULL,
                 RedisModule_CallReplyMapElement(list, 0, &key, &value) == REDISMODULE_ERR,
                 RedisModule_CallReplyMapElement(map, 0, &key, &value) == REDISMODULE_ERR,
                 RedisModule_CallReplyVerbatim(list, &length, NULL) == NULL,
                 RedisModule_CallReplyBigNumber(list, &length) == NULL,
                 RedisModule_CallReplyAttribute(list) == NULL,
                 RedisModule_CreateStringFromCallReply(list) == NULL};
  int count = sizeof(right) / sizeof(right[0]);
  RedisModule_ReplyWithArray(ctx, count);
  for (int i = 0; i < count; i++) RedisModule_ReplyWithLongLong(ctx, right[i]);
  return REDISMODULE_OK;
}

// calls.strings key: strings made from the elements of a reply, used after the reply is freed.
static int Strings(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleCallReply *reply = RedisModule_Call(ctx, "LRANGE", "scc", argv[1], "0", "-1");
  RedisModuleCallReply *length = RedisModule_Call(ctx, "LLEN", "s", argv[1]);
  size_t count = RedisModule_CallReplyLength(reply);
  RedisModuleString **strings = RedisModule_Alloc((count + 1) * sizeof(*strings));
  for (size_t i = 0; i < count; i++) {
    RedisModuleCallReply *element = RedisModule_CallReplyArrayElement(reply, i);
    strings[i] = RedisModule_CreateStringFromCallReply(element);
    RedisModule_FreeCallReply(element);  // Nothing: it is the reply's.
  }
  strings[count] = RedisModule_CreateStringFromCallReply(length);
  RedisModule_FreeCallReply(reply);
  RedisModule_FreeCallReply(length);
  RedisModule_ReplyWithArray(ctx, (long)count + 1);
  for (size_t i = 0; i <= count; i++) ReplyStringOrErrno(ctx, strings[i]);
  RedisModule_Free(strings);
  return REDISMODULE_OK;
}

// calls.badformat: a letter that does not exist.
static int BadFormat(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  errno = 0;
  RedisModuleCallReply *reply = RedisModule_Call(ctx, "PING", "z");
  return RedisModule_ReplyWithSimpleString(ctx, reply == NULL ? ErrnoName(errno) : "a reply");
}

// calls.many count key: many calls of one handler, freed one by one or left to automatic memory.
static int Many(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  long long last = 0;
  for (long long i = 0; i < Number(argv[1]); i++) {
    RedisModuleCallReply *reply = RedisModule_Call(ctx, "INCR", "s", argv[2]);
    last = RedisModule_CallReplyInteger(reply);
    RedisModule_FreeCallReply(reply);
  }
  RedisModule_AutoMemory(ctx);
  for (long long i = 0; i < 100; i++) {
    last = RedisModule_CallReplyInteger(RedisModule_Call(ctx, "INCR", "s", argv[2]));
  }
  return RedisModule_ReplyWithLongLong(ctx, last);
}

// --- calls that wait ---

typedef struct {
  RedisModuleBlockedClient *client;
  RedisModuleCallReply *promise;
} Waiting;

static void OnEnd(RedisModuleCtx *ctx, RedisModuleCallReply *reply, void *data) {
  Waiting *waiting = data;
  RedisModule_FreeCallReply(RedisModule_Call(ctx, "INCR", "!c", "ended"));
  RedisModuleCtx *to_client = RedisModule_GetThreadSafeContext(waiting->client);
  RedisModule_ReplyWithCallReply(to_client, reply);
  RedisModule_FreeThreadSafeContext(to_client);
  RedisModule_FreeCallReply(reply);
  // It has ended: there is nothing to abort.
  if (RedisModule_CallReplyPromiseAbort(waiting->promise, NULL) == REDISMODULE_OK) abort();
  RedisModule_FreeCallReply(waiting->promise);
  RedisModule_UnblockClient(waiting->client, NULL);
  RedisModule_Free(waiting);
}

static void OnHangUp(RedisModuleCtx *ctx, RedisModuleBlockedClient *client) {
  Waiting *waiting = RedisModule_BlockClientGetPrivateData(client);
  void *data = NULL;
  if (RedisModule_CallReplyPromiseAbort(waiting->promise, &data) != REDISMODULE_OK) abort();
  if (data != waiting) abort();
  RedisModule_FreeCallReply(waiting->promise);
  RedisModule_Free(waiting);
  RedisModule_AbortBlock(client);
}

// calls.wait flags command [argument ...]: the reply of a call that may wait. With "-" for flags
// nobody waits for it, and the reply is "promise" then; with "h" the same, and the promise is kept.
static int Wait(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int hold = Is(argv[1], "h"), forget = hold || Is(argv[1], "-");
  char format[32];
  snprintf(format, sizeof(format), "KE%sv", forget ? "" : Text(argv[1]));
  RedisModuleCallReply *reply =
      RedisModule_Call(ctx, Text(argv[2]), format, argv + 3, (size_t)(argc - 3));
  if (RedisModule_CallReplyType(reply) != REDISMODULE_REPLY_PROMISE) {
    RedisModule_ReplyWithCallReply(ctx, reply);
    RedisModule_FreeCallReply(reply);
    return REDISMODULE_OK;
  }
  if (forget) {
    if (!hold) RedisModule_FreeCallReply(reply);
    return RedisModule_ReplyWithSimpleString(ctx, "promise");
  }
  Waiting *waiting = RedisModule_Alloc(sizeof(*waiting));
  waiting->promise = reply;
  waiting->client = RedisModule_BlockClient(ctx, NULL, NULL, NULL, 0);
  RedisModule_BlockClientSetPrivateData(waiting->client, waiting);
  RedisModule_SetDisconnectCallback(waiting->client, OnHangUp);
  RedisModule_CallReplyPromiseSetUnblockHandler(reply, OnEnd, waiting);
  return REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"calls.call", Call, "", 0},
                                         {"calls.formats", Formats, "", 1},
                                         {"calls.describe", DescribeCall, "", 0},
                                         {"calls.proto", Proto, "", 0},
                                         {"calls.misuse", Misuse, "", 1},
                                         {"calls.strings", Strings, "", 1},
                                         {"calls.badformat", BadFormat, "", 0},
                                         {"calls.wait", Wait, "", 0},
                                         {"calls.many", Many, "", 0}};
  if (RedisModule_Init(ctx, "calls", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
