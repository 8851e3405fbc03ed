// SPDX-License-Identifier: BSD-3-Clause
// Users and permissions: checks, calls as a user, users of the module's own, logging in.
#include "testing.h"

static RedisModuleUser *own;
static long long changes;
static uint64_t changed_client;

static void OnChange(uint64_t client_id, void *data) {
  changed_client = client_id;
  changes += *(int *)data;
}

static int ReplyOutcome(RedisModuleCtx *ctx, int result) {
  if (result == REDISMODULE_OK) return RedisModule_ReplyWithSimpleString(ctx, "OK");
  return RedisModule_ReplyWithSimpleString(ctx, errno == EACCES   ? "EACCES"
                                                : errno == ENOENT ? "ENOENT"
                                                : errno == EINVAL ? "EINVAL"
                                                                  : "other");
}

// users.check name command|key|channel ...: what the user may do; flags of keys and channels as
// numbers.
static int Check(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleUser *user = RedisModule_GetModuleUserFromUserName(argv[1]);
  if (user == NULL) return RedisModule_ReplyWithNull(ctx);
  int result;
  errno = 0;
  if (Is(argv[2], "command")) {
    result = RedisModule_ACLCheckCommandPermissions(user, argv + 3, argc - 3);
  } else if (Is(argv[2], "key")) {
    result = RedisModule_ACLCheckKeyPermissions(user, argv[3], (int)Number(argv[4]));
  } else {
    result = RedisModule_ACLCheckChannelPermissions(user, argv[3], (int)Number(argv[4]));
  }
  RedisModule_FreeModuleUser(user);
  return ReplyOutcome(ctx, result);
}

// users.new name: makes the module's user, for the commands below.
static int New(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (own != NULL) RedisModule_FreeModuleUser(own);
  own = RedisModule_CreateModuleUser(Text(argv[1]));
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int Free(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_FreeModuleUser(own);
  own = NULL;
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// users.rule rule: one rule. users.rules line: a line of them.
static int Rule(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return ReplyOutcome(ctx, RedisModule_SetModuleUserACL(own, Text(argv[1])));
}

static int Rules(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleString *error = NULL;
  if (RedisModule_SetModuleUserACLString(ctx, own, Text(argv[1]), &error) == REDISMODULE_OK) {
    RedisModuleString *text = RedisModule_GetModuleUserACLString(own);
    RedisModule_ReplyWithString(ctx, text);
    RedisModule_FreeString(ctx, text);
    return REDISMODULE_OK;
  }
  RedisModule_ReplyWithError(ctx, Text(error));
  RedisModule_FreeString(ctx, error);
  return REDISMODULE_OK;
}

// users.login [name]: the caller becomes the module's user, or one of the server's; the client's
// id.
static int Login(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static int one = 1;
  uint64_t id = 0;
  int result;
  if (argc == 1) {
    result = RedisModule_AuthenticateClientWithUser(ctx, own, OnChange, &one, &id);
  } else {
    size_t size;
    const char *name = RedisModule_StringPtrLen(argv[1], &size);
    result = RedisModule_AuthenticateClientWithACLUser(ctx, name, size, OnChange, &one, &id);
  }
  if (result != REDISMODULE_OK) return RedisModule_ReplyWithError(ctx, "ERR refused");
  return RedisModule_ReplyWithLongLong(ctx, (long long)id);
}

// users.changes: how often a client that logged in by users.login became another, and the last one.
static int Changes(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, changes);
  return RedisModule_ReplyWithLongLong(ctx, (long long)changed_client);
}

static int ReplyCall(RedisModuleCtx *ctx, RedisModuleCallReply *reply) {
  if (reply == NULL) return ReplyOutcome(ctx, REDISMODULE_ERR);
  RedisModule_ReplyWithCallReply(ctx, reply);
  RedisModule_FreeCallReply(reply);
  return REDISMODULE_OK;
}

// users.call flags command ...: as the caller's user; users.callas: as the module's.
static int Call(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  char format[16] = "v";
  strcat(format, Text(argv[1]));
  errno = 0;
  return ReplyCall(ctx, RedisModule_Call(ctx, Text(argv[2]), format, argv + 3, (size_t)(argc - 3)));
}

static int CallAs(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_SetContextUser(ctx, own);
  Call(ctx, argv, argc);
  RedisModule_SetContextUser(ctx, NULL);
  return REDISMODULE_OK;
}

// users.log reason object: an entry for ACL LOG under the module's user, and one under the name
// "n".
static int Log(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModuleACLLogEntryReason reason = (RedisModuleACLLogEntryReason)Number(argv[1]);
  RedisModuleString *name = RedisModule_CreateString(ctx, "n", 1);
  RedisModule_ACLAddLogEntry(ctx, own, argv[2], reason);
  RedisModule_ACLAddLogEntryByUserName(ctx, name, argv[2], reason);
  RedisModule_FreeString(ctx, name);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// users.redact arg ...: hides every other argument, and tells what is refused.
static int Redact(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  for (int i = 1; i < argc; i += 2) RedisModule_RedactClientCommandArgument(ctx, i);
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_RedactClientCommandArgument(ctx, 0));
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_RedactClientCommandArgument(ctx, argc));
}

typedef struct WaitingLogin {
  RedisModuleBlockedClient *client;
  int decision;  // 0: refuse, 1: let in, 2: not mine
} WaitingLogin;

static WaitingLogin waiting[8];
static int waiting_count;

static int Decide(RedisModuleCtx *ctx, RedisModuleString *name, RedisModuleString *password,
                  RedisModuleString **error) {
  WaitingLogin *login = RedisModule_GetBlockedClientPrivateData(ctx);
  if (login->decision == 2) return REDISMODULE_AUTH_NOT_HANDLED;
  if (login->decision == 1) {
    size_t size;
    const char *text = RedisModule_StringPtrLen(name, &size);
    RedisModule_AuthenticateClientWithACLUser(ctx, text, size, NULL, NULL, NULL);
  } else {
    *error = RedisModule_CreateString(NULL, Text(password), strlen(Text(password)));
  }
  return REDISMODULE_AUTH_HANDLED;
}

static int freed;
static void FreeLogin(RedisModuleCtx *ctx, void *login) {
  freed += ((WaitingLogin *)login)->client != NULL;
}

// Everybody whose name begins with a w waits until users.decide.
static int Wait(RedisModuleCtx *ctx, RedisModuleString *name, RedisModuleString *password,
                RedisModuleString **error) {
  if (Text(name)[0] != 'w' || waiting_count == 8) return REDISMODULE_AUTH_NOT_HANDLED;
  WaitingLogin *login = &waiting[waiting_count];
  login->client = RedisModule_BlockClientOnAuth(ctx, Decide, FreeLogin);
  if (login->client == NULL) return REDISMODULE_AUTH_NOT_HANDLED;
  RedisModule_BlockedClientMeasureTimeStart(login->client);
  waiting_count++;
  return REDISMODULE_AUTH_HANDLED;
}

static int Gate(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_RegisterAuthCallback(ctx, Wait);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// users.waiting: how many wait, and how many private data were freed.
static int Waiting(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 3);
  RedisModule_ReplyWithLongLong(ctx, waiting_count);
  RedisModule_ReplyWithLongLong(ctx, freed);
  return RedisModule_ReplyWithLongLong(
      ctx, RedisModule_BlockClientOnAuth(ctx, Decide, FreeLogin) == NULL);
}

// users.decide number: ends all waits with this decision.
static int DecideAll(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  for (int i = 0; i < waiting_count; i++) {
    waiting[i].decision = (int)Number(argv[1]);
    RedisModule_BlockedClientMeasureTimeEnd(waiting[i].client);
    RedisModule_UnblockClient(waiting[i].client, &waiting[i]);
  }
  waiting_count = 0;
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

// Lets "guest" in as the server's user guest, refuses "evil", knows nobody else.
static int Authenticate(RedisModuleCtx *ctx, RedisModuleString *name, RedisModuleString *password,
                        RedisModuleString **error) {
  if (Is(password, "pass on")) return REDISMODULE_AUTH_NOT_HANDLED;
  if (Is(name, "guest")) {
    RedisModule_AuthenticateClientWithACLUser(ctx, "guest", 5, NULL, NULL, NULL);
    return REDISMODULE_AUTH_HANDLED;
  }
  if (!Is(name, "evil")) return REDISMODULE_AUTH_NOT_HANDLED;
  if (Is(password, "why")) *error = RedisModule_CreateString(NULL, "no evil here", 12);
  return REDISMODULE_AUTH_HANDLED;
}

static int Guard(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_RegisterAuthCallback(ctx, Authenticate);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (RedisModule_Init(ctx, "users", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK)
    return REDISMODULE_ERR;
  static const TestCommand commands[] = {
      {"users.check", Check, "", 0},      {"users.new", New, "", 0},
      {"users.free", Free, "", 0},        {"users.rule", Rule, "", 0},
      {"users.rules", Rules, "", 0},      {"users.login", Login, "", 0},
      {"users.changes", Changes, "", 0},  {"users.call", Call, "", 0},
      {"users.callas", CallAs, "", 0},    {"users.log", Log, "", 0},
      {"users.guard", Guard, "", 0},      {"users.redact", Redact, "", 0},
      {"users.gate", Gate, "", 0},        {"users.waiting", Waiting, "", 0},
      {"users.decide", DecideAll, "", 0},
  };
  if (CREATE_COMMANDS(ctx, commands) != REDISMODULE_OK) return REDISMODULE_ERR;
  if (!RMAPI_FUNC_SUPPORTED(RedisModule_SetCommandACLCategories)) return REDISMODULE_OK;
  // In place of what its flags would say; given in two calls.
  RedisModuleCommand *ranked = RedisModule_GetCommand(ctx, "users.check");
  if (RedisModule_SetCommandACLCategories(ranked, "nonsense") != REDISMODULE_ERR ||
      RedisModule_SetCommandACLCategories(ranked, "read connection") != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return RedisModule_SetCommandACLCategories(ranked, "geo");
}

int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  if (own != NULL) RedisModule_FreeModuleUser(own);
  own = NULL;
  return REDISMODULE_OK;
}
