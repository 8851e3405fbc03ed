// SPDX-License-Identifier: BSD-3-Clause
// The first module to read: commands and their arguments, keys through the low-level functions and
// through RedisModule_Call, replies, errors, automatic memory, replication. See README.md.
#include <ctype.h>
#include <stdint.h>

#include "redismodule.h"

// HELLO.SIMPLE: the number of the selected database.
static int Simple(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 1) return RedisModule_WrongArity(ctx);
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_GetSelectedDb(ctx));
}

// HELLO.ECHO message [message ...]: its arguments, as an array.
static int Echo(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc < 2) return RedisModule_WrongArity(ctx);
  RedisModule_ReplyWithArray(ctx, argc - 1);
  for (int i = 1; i < argc; i++) RedisModule_ReplyWithString(ctx, argv[i]);
  return REDISMODULE_OK;
}

// HELLO.PUSH key element [element ...]: what RPUSH does, written with the low-level functions.
static int Push(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc < 3) return RedisModule_WrongArity(ctx);
  RedisModule_AutoMemory(ctx);  // Closes the key on every way out.
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  int type = RedisModule_KeyType(key);
  if (type != REDISMODULE_KEYTYPE_LIST && type != REDISMODULE_KEYTYPE_EMPTY) {
    return RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
  }
  for (int i = 2; i < argc; i++) {
    if (RedisModule_ListPush(key, REDISMODULE_LIST_TAIL, argv[i]) != REDISMODULE_OK) {
      return RedisModule_ReplyWithError(ctx, "ERR cannot push");
    }
  }
  // Low-level writes reach the AOF and the replicas only when the handler says so.
  RedisModule_ReplicateVerbatim(ctx);
  return RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_ValueLength(key));
}

// HELLO.PUSHCALL key element [element ...]: the same by calling RPUSH. "v" is a vector of strings,
// "!" sends the called command to the AOF and the replicas.
static int PushCall(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc < 3) return RedisModule_WrongArity(ctx);
  RedisModule_AutoMemory(ctx);
  RedisModuleCallReply *reply =
      RedisModule_Call(ctx, "RPUSH", "!sv", argv[1], &argv[2], (size_t)(argc - 2));
  if (reply == NULL) return RedisModule_ReplyWithError(ctx, "ERR cannot call RPUSH");
  return RedisModule_ReplyWithCallReply(ctx, reply);  // An error reply passes on as well.
}

// HELLO.SUM key: the sum of a list of integers, read out of a nested reply.
static int Sum(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  RedisModule_AutoMemory(ctx);
  RedisModuleCallReply *reply = RedisModule_Call(ctx, "LRANGE", "scc", argv[1], "0", "-1");
  if (reply == NULL) return RedisModule_ReplyWithError(ctx, "ERR cannot call LRANGE");
  if (RedisModule_CallReplyType(reply) == REDISMODULE_REPLY_ERROR) {
    return RedisModule_ReplyWithCallReply(ctx, reply);
  }
  long long sum = 0;
  for (size_t i = 0; i < RedisModule_CallReplyLength(reply); i++) {
    RedisModuleString *text =
        RedisModule_CreateStringFromCallReply(RedisModule_CallReplyArrayElement(reply, i));
    long long number;
    if (RedisModule_StringToLongLong(text, &number) != REDISMODULE_OK) {
      return RedisModule_ReplyWithError(ctx, "ERR element is not an integer");
    }
    if (__builtin_add_overflow(sum, number, &sum)) {
      return RedisModule_ReplyWithError(ctx, "ERR the sum overflows");
    }
  }
  return RedisModule_ReplyWithLongLong(ctx, sum);
}

// HELLO.HCOPY key source destination: copies one field of a hash to another. 1, or 0 when there is
// no such field.
static int HashCopy(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 4) return RedisModule_WrongArity(ctx);
  RedisModule_AutoMemory(ctx);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  int type = RedisModule_KeyType(key);
  if (type != REDISMODULE_KEYTYPE_HASH && type != REDISMODULE_KEYTYPE_EMPTY) {
    return RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
  }
  RedisModuleString *value = NULL;
  RedisModule_HashGet(key, REDISMODULE_HASH_NONE, argv[2], &value, NULL);
  if (value == NULL) return RedisModule_ReplyWithLongLong(ctx, 0);
  RedisModule_HashSet(key, REDISMODULE_HASH_NONE, argv[3], value, NULL);
  RedisModule_ReplicateVerbatim(ctx);
  return RedisModule_ReplyWithLongLong(ctx, 1);
}

// HELLO.UPPER key: makes a string's ASCII letters upper case, in place. The time to live stays.
static int Upper(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 2) return RedisModule_WrongArity(ctx);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
  int type = RedisModule_KeyType(key);
  if (type == REDISMODULE_KEYTYPE_STRING) {
    size_t length;
    char *bytes = RedisModule_StringDMA(key, &length, REDISMODULE_READ | REDISMODULE_WRITE);
    for (size_t i = 0; i < length; i++) bytes[i] = (char)toupper((unsigned char)bytes[i]);
    RedisModule_ReplicateVerbatim(ctx);
  }
  RedisModule_CloseKey(key);  // No automatic memory here, so by hand.
  if (type == REDISMODULE_KEYTYPE_EMPTY) return RedisModule_ReplyWithNull(ctx);
  if (type != REDISMODULE_KEYTYPE_STRING) {
    return RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
  }
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// HELLO.ROLL key sides: throws a die into a key. A replica that threw its own would get another
// number, so the outcome is replicated, not the command.
static int Roll(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 3) return RedisModule_WrongArity(ctx);
  RedisModule_AutoMemory(ctx);
  long long sides;
  if (RedisModule_StringToLongLong(argv[2], &sides) != REDISMODULE_OK || sides < 1) {
    return RedisModule_ReplyWithError(ctx, "ERR sides must be a positive integer");
  }
  uint64_t random;
  RedisModule_GetRandomBytes((unsigned char *)&random, sizeof(random));
  long long thrown = (long long)(random % (uint64_t)sides) + 1;
  RedisModuleString *value = RedisModule_CreateStringFromLongLong(ctx, thrown);
  RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_WRITE);
  RedisModule_StringSet(key, value);
  RedisModule_Replicate(ctx, "SET", "ss", argv[1], value);
  return RedisModule_ReplyWithLongLong(ctx, thrown);
}

// HELLO.INFO: what the module knows about its host. A map: RESP2 clients get a flat array.
static int Info(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 1) return RedisModule_WrongArity(ctx);
  int flags = RedisModule_GetContextFlags(ctx);
  RedisModule_ReplyWithMap(ctx, 3);
  RedisModule_ReplyWithCString(ctx, "level");
  // A function of a newer release than the one at hand is NULL: ask before using it.
  if (RMAPI_FUNC_SUPPORTED(RedisModule_GetServerVersion)) {
    int version = RedisModule_GetServerVersion();
    RedisModuleString *text = RedisModule_CreateStringPrintf(ctx, "%d.%d.%d", version >> 16,
                                                             version >> 8 & 0xff, version & 0xff);
    RedisModule_ReplyWithString(ctx, text);
    RedisModule_FreeString(ctx, text);
  } else {
    RedisModule_ReplyWithNull(ctx);
  }
  RedisModule_ReplyWithCString(ctx, "protocol");
  RedisModule_ReplyWithLongLong(ctx, flags & REDISMODULE_CTX_FLAGS_RESP3 ? 3 : 2);
  RedisModule_ReplyWithCString(ctx, "primary");
  return RedisModule_ReplyWithBool(ctx, !!(flags & REDISMODULE_CTX_FLAGS_MASTER));
}

// What COMMAND DOCS and COMMAND GETKEYS say of HELLO.HCOPY.
static int DescribeHashCopy(RedisModuleCtx *ctx) {
  RedisModuleCommandInfo info = {
      .version = REDISMODULE_COMMAND_INFO_VERSION,
      .summary = "Copies a field of a hash.",
      .complexity = "O(1)",
      .since = "1.0.0",
      .arity = 4,
      .key_specs = (RedisModuleCommandKeySpec[]){{.flags = REDISMODULE_CMD_KEY_RW |
                                                           REDISMODULE_CMD_KEY_ACCESS |
                                                           REDISMODULE_CMD_KEY_UPDATE,
                                                  .begin_search_type = REDISMODULE_KSPEC_BS_INDEX,
                                                  .bs.index.pos = 1,
                                                  .find_keys_type = REDISMODULE_KSPEC_FK_RANGE,
                                                  .fk.range = {0, 1, 0}},
                                                 {0}},
      .args =
          (RedisModuleCommandArg[]){{.name = "key", .type = REDISMODULE_ARG_TYPE_KEY},
                                    {.name = "source", .type = REDISMODULE_ARG_TYPE_STRING},
                                    {.name = "destination", .type = REDISMODULE_ARG_TYPE_STRING},
                                    {0}}};
  RedisModuleCommand *command = RedisModule_GetCommand(ctx, "hello.hcopy");
  return command ? RedisModule_SetCommandInfo(command, &info) : REDISMODULE_ERR;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const struct {
    const char *name;
    RedisModuleCmdFunc handler;
    const char *flags;
    int first_key, last_key, key_step;
  } commands[] = {{"hello.simple", Simple, "readonly fast", 0, 0, 0},
                  {"hello.echo", Echo, "readonly fast", 0, 0, 0},
                  {"hello.push", Push, "write deny-oom", 1, 1, 1},
                  {"hello.pushcall", PushCall, "write deny-oom", 1, 1, 1},
                  {"hello.sum", Sum, "readonly", 1, 1, 1},
                  {"hello.hcopy", HashCopy, "write deny-oom fast", 1, 1, 1},
                  {"hello.upper", Upper, "write", 1, 1, 1},
                  {"hello.roll", Roll, "write deny-oom fast", 1, 1, 1},
                  {"hello.info", Info, "readonly fast", 0, 0, 0}};
  if (RedisModule_Init(ctx, "hello", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  for (int i = 0; i < argc; i++) {
    RedisModule_Log(ctx, "notice", "loaded with argument %d: %s", i,
                    RedisModule_StringPtrLen(argv[i], NULL));
  }
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].handler, commands[i].flags,
                                  commands[i].first_key, commands[i].last_key,
                                  commands[i].key_step) != REDISMODULE_OK) {
      return REDISMODULE_ERR;
    }
  }
  return DescribeHashCopy(ctx);
}
