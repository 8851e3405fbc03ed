// SPDX-License-Identifier: BSD-3-Clause
// Commands: registering, subcommands, descriptions, key positions, flags, ACL categories.
#include "testing.h"

static int Reply(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, argc);
  for (int i = 0; i < argc; i++) RedisModule_ReplyWithString(ctx, argv[i]);
  return REDISMODULE_OK;
}

// commands.getkeys count key... [other ...]: tells its keys itself.
static int GetKeys(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (RedisModule_IsKeysPositionRequest(ctx)) {
    long long count = argc > 1 ? Number(argv[1]) : 0;
    for (int i = 0; i < count && i + 2 < argc; i++) RedisModule_KeyAtPos(ctx, i + 2);
    return REDISMODULE_OK;
  }
  return Reply(ctx, argv, argc);
}

// commands.getkeysflags key key: the same with flags.
static int GetKeysFlags(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (RedisModule_IsKeysPositionRequest(ctx)) {
    RedisModule_KeyAtPosWithFlags(ctx, 1, REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS);
    RedisModule_KeyAtPosWithFlags(ctx, 2, REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_INSERT);
    return REDISMODULE_OK;
  }
  return Reply(ctx, argv, argc);
}

// commands.keysof command [argument ...]: its keys with their flags, or errno's name.
static int KeysOf(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int count = -1, *flags = NULL;
  errno = 0;
  int *keys = RedisModule_GetCommandKeysWithFlags(ctx, argv + 1, argc - 1, &count, &flags);
  if (keys == NULL) {
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithSimpleString(ctx, ErrnoName(errno));
    return RedisModule_ReplyWithLongLong(ctx, count);
  }
  RedisModule_ReplyWithArray(ctx, count * 2);
  for (int i = 0; i < count; i++) {
    RedisModule_ReplyWithString(ctx, argv[1 + keys[i]]);
    RedisModule_ReplyWithLongLong(ctx, flags[i]);
  }
  RedisModule_Free(keys);
  RedisModule_Free(flags);
  return REDISMODULE_OK;
}

static int Name(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithCString(ctx, RedisModule_GetCurrentCommandName(ctx));
}

// commands.late: registering a command after OnLoad.
static int Late(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int result = RedisModule_CreateCommand(ctx, "commands.later", Reply, "", 0, 0, 0);
  return RedisModule_ReplyWithLongLong(ctx, result);
}

static int Subcommands(RedisModuleCtx *ctx) {
  if (RedisModule_CreateCommand(ctx, "commands.parent", NULL, "", 0, 0, 0)) return REDISMODULE_ERR;
  RedisModuleCommand *parent = RedisModule_GetCommand(ctx, "commands.parent");
  int result = parent == NULL;
  result |= RedisModule_CreateSubcommand(parent, "set", Reply, "write", 2, 2, 1);
  result |= RedisModule_CreateSubcommand(parent, "get", Name, "readonly", 2, 2, 1);
  // A name twice, and a subcommand of a subcommand, are refused.
  result |= RedisModule_CreateSubcommand(parent, "set", Reply, "", 0, 0, 0) == REDISMODULE_OK;
  if (RedisModule_GetServerVersion() >= 0x00070200) {
    result |= RedisModule_CreateSubcommand(parent, "a|b", Reply, "", 0, 0, 0) == REDISMODULE_OK;
    result |= RedisModule_CreateSubcommand(parent, "a@b", Reply, "", 0, 0, 0) == REDISMODULE_OK;
    result |= RedisModule_CreateSubcommand(parent, "a=b", Reply, "", 0, 0, 0) == REDISMODULE_OK;
  }
  RedisModuleCommand *child = RedisModule_GetCommand(ctx, "commands.parent|set");
  result |= child == NULL;
  result |= RedisModule_CreateSubcommand(child, "deeper", Reply, "", 0, 0, 0) == REDISMODULE_OK;
  // A command with a handler has subcommands as well.
  if (RedisModule_CreateCommand(ctx, "commands.both", Reply, "", 0, 0, 0)) return REDISMODULE_ERR;
  RedisModuleCommand *both = RedisModule_GetCommand(ctx, "commands.both");
  result |= RedisModule_CreateSubcommand(both, "sub", Reply, "", 0, 0, 0) == REDISMODULE_OK;
  return result ? REDISMODULE_ERR : REDISMODULE_OK;
}

static int second_refused, wrong_refused;  // What Describe saw.

// commands.refusals: whether a second and wrong descriptions were refused as they must be.
static int Refusals(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, second_refused);
  return RedisModule_ReplyWithLongLong(ctx, wrong_refused);
}

// How many of these descriptions are refused with EINVAL; the command has none afterwards.
static int CountRefused(RedisModuleCommand *command, const RedisModuleCommandArg *wrong,
                        int count) {
  int refused = 0;
  for (int i = 0; i < count; ++i) {
    RedisModuleCommandArg args[] = {wrong[i], {0}};
    RedisModuleCommandInfo info = {.version = REDISMODULE_COMMAND_INFO_VERSION, .args = args};
    errno = 0;
    refused += RedisModule_SetCommandInfo(command, &info) == REDISMODULE_ERR && errno == EINVAL;
  }
  return refused;
}

// commands.choices: every field and flag that an argument can have.
static int DescribeChoices(RedisModuleCtx *ctx) {
  if (RedisModule_CreateCommand(ctx, "commands.choices", Reply, "", 0, 0, 0)) return 1;
  RedisModuleCommandArg pair[] = {{.name = "from", .type = REDISMODULE_ARG_TYPE_DOUBLE},
                                  {.name = "at", .type = REDISMODULE_ARG_TYPE_UNIX_TIME},
                                  {0}};
  RedisModuleCommandArg choices[] = {
      {.name = "fast", .type = REDISMODULE_ARG_TYPE_PURE_TOKEN, .token = "FAST", .summary = "Now."},
      {.name = "limit",
       .type = REDISMODULE_ARG_TYPE_INTEGER,
       .token = "LIMIT",
       .since = "1.2",
       .deprecated_since = "1.3",
       .display_text = "n"},
      {.name = "pair", .type = REDISMODULE_ARG_TYPE_BLOCK, .token = "PAIR", .subargs = pair},
      {0}};
  RedisModuleCommandArg args[] = {
      {.name = "how", .type = REDISMODULE_ARG_TYPE_ONEOF, .subargs = choices},
      // The command has no specification of keys: that is the module's affair.
      {.name = "last", .type = REDISMODULE_ARG_TYPE_KEY, .key_spec_index = 3},
      {.name = "prefix",
       .type = REDISMODULE_ARG_TYPE_PATTERN,
       .token = "PREFIX",
       .flags = REDISMODULE_CMD_ARG_OPTIONAL | REDISMODULE_CMD_ARG_MULTIPLE |
                REDISMODULE_CMD_ARG_MULTIPLE_TOKEN},
      {0}};
  RedisModuleCommandInfo info = {.version = REDISMODULE_COMMAND_INFO_VERSION, .args = args};
  return RedisModule_SetCommandInfo(RedisModule_GetCommand(ctx, "commands.choices"), &info);
}

static int Describe(RedisModuleCtx *ctx) {
  if (RedisModule_CreateCommand(ctx, "commands.described", Reply, "write", 0, 0, 0)) return 1;
  RedisModuleCommandKeySpec specs[] = {
      {.notes = "the target",
       .flags = REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_INSERT,
       .begin_search_type = REDISMODULE_KSPEC_BS_INDEX,
       .bs.index.pos = 1,
       .find_keys_type = REDISMODULE_KSPEC_FK_RANGE,
       .fk.range = {0, 1, 0}},
      {.flags = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS,
       .begin_search_type = REDISMODULE_KSPEC_BS_KEYWORD,
       .bs.keyword = {"FROM", 2},
       .find_keys_type = REDISMODULE_KSPEC_FK_KEYNUM,
       .fk.keynum = {0, 1, 1}},
      {0}};
  RedisModuleCommandArg block[] = {
      {.name = "from", .type = REDISMODULE_ARG_TYPE_PURE_TOKEN, .token = "FROM"},
      {.name = "numkeys", .type = REDISMODULE_ARG_TYPE_INTEGER},
      {.name = "source",
       .type = REDISMODULE_ARG_TYPE_KEY,
       .key_spec_index = 1,
       .flags = REDISMODULE_CMD_ARG_MULTIPLE},
      {0}};
  RedisModuleCommandArg args[] = {
      {.name = "target", .type = REDISMODULE_ARG_TYPE_KEY, .key_spec_index = 0},
      {.name = "sources",
       .type = REDISMODULE_ARG_TYPE_BLOCK,
       .subargs = block,
       .flags = REDISMODULE_CMD_ARG_OPTIONAL,
       .since = "1.1"},
      {0}};
  RedisModuleCommandHistoryEntry history[] = {{"1.1", "Added FROM."}, {0}};
  RedisModuleCommandInfo info = {.version = REDISMODULE_COMMAND_INFO_VERSION,
                                 .summary = "Describes itself.",
                                 .complexity = "O(N)",
                                 .since = "1.0",
                                 .history = history,
                                 .tips = "nondeterministic_output request_policy:all_shards",
                                 .arity = -2,
                                 .key_specs = specs,
                                 .args = args};
  RedisModuleCommand *command = RedisModule_GetCommand(ctx, "commands.described");
  if (RedisModule_SetCommandInfo(command, &info) != REDISMODULE_OK) return REDISMODULE_ERR;
  // Once only; and a wrong one is refused.
  errno = 0;
  second_refused = RedisModule_SetCommandInfo(command, &info) != REDISMODULE_OK && errno == EEXIST;
  if (RedisModule_CreateCommand(ctx, "commands.wrong", Reply, "", 0, 0, 0)) return REDISMODULE_ERR;
  // A token without text, a key without a specification, a type that there is not, groups of
  // nothing, parts of what is no group.
  const RedisModuleCommandArg wrong[] = {
      {.name = "x", .type = REDISMODULE_ARG_TYPE_PURE_TOKEN},
      {.name = "x", .type = REDISMODULE_ARG_TYPE_KEY, .key_spec_index = -1},
      {.name = "x", .type = (RedisModuleCommandArgType)42},
      {.name = "x", .type = REDISMODULE_ARG_TYPE_BLOCK},
      {.name = "x", .type = REDISMODULE_ARG_TYPE_ONEOF},
      {.name = "x", .type = REDISMODULE_ARG_TYPE_STRING, .subargs = block}};
  const int count = sizeof(wrong) / sizeof(wrong[0]);
  wrong_refused =
      CountRefused(RedisModule_GetCommand(ctx, "commands.wrong"), wrong, count) == count;
  return REDISMODULE_OK;
}

#define INDEX(at, last_)                                                 \
  {                                                                      \
    .flags = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS,        \
    .begin_search_type = REDISMODULE_KSPEC_BS_INDEX, .bs.index.pos = at, \
    .find_keys_type = REDISMODULE_KSPEC_FK_RANGE, .fk.range = {          \
      last_,                                                             \
      1,                                                                 \
      0                                                                  \
    }                                                                    \
  }
#define KEYWORD(word)                                                                   \
  {                                                                                     \
    .flags = REDISMODULE_CMD_KEY_RO, .begin_search_type = REDISMODULE_KSPEC_BS_KEYWORD, \
    .bs.keyword = {                                                                     \
      word,                                                                             \
      1                                                                                 \
    }                                                                                   \
  }

// commands.adjoin, .gap, .keyword, .mixed, .open: key specifications that first, last and step can
// tell in whole, in part, or not at all. Registered with a range that their description replaces.
static int DescribeRanges(RedisModuleCtx *ctx) {
  RedisModuleCommandKeySpec adjoin[] = {INDEX(1, 1), INDEX(3, 0), {0}};
  RedisModuleCommandKeySpec gap[] = {INDEX(1, 0), INDEX(3, 0), {0}};
  RedisModuleCommandKeySpec keyword[] = {KEYWORD("KEYS"), {0}};
  RedisModuleCommandKeySpec mixed[] = {KEYWORD("STORE"), INDEX(1, 0), INDEX(2, 0), {0}};
  RedisModuleCommandKeySpec open[] = {INDEX(2, -1), {0}};
  const struct {
    const char *name;
    RedisModuleCommandKeySpec *specs;
  } rows[] = {{"commands.adjoin", adjoin},
              {"commands.gap", gap},
              {"commands.keyword", keyword},
              {"commands.mixed", mixed},
              {"commands.open", open}};
  int result = 0;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i) {
    RedisModuleCommandInfo info = {.version = REDISMODULE_COMMAND_INFO_VERSION,
                                   .key_specs = rows[i].specs};
    result |= RedisModule_CreateCommand(ctx, rows[i].name, Reply, "", 5, 6, 1);
    result |= RedisModule_SetCommandInfo(RedisModule_GetCommand(ctx, rows[i].name), &info);
  }
  // Not described, and asked for its keys in each call.
  return result |
         RedisModule_CreateCommand(ctx, "commands.asked", GetKeysFlags, "getkeys-api", 1, -1, 2);
}

// An argument as headers had it before there was a display text.
typedef struct {
  const char *name;
  RedisModuleCommandArgType type;
  int key_spec_index;
  const char *token, *summary, *since;
  int flags;
  const char *deprecated_since;
  RedisModuleCommandArg *subargs;
} OldArg;

// commands.old: described by a module that was compiled with such a header.
static int DescribeAsOld(RedisModuleCtx *ctx) {
  if (RedisModule_CreateCommand(ctx, "commands.old", Reply, "", 0, 0, 0)) return 1;
  RedisModuleCommandInfoVersion version = *REDISMODULE_COMMAND_INFO_VERSION;
  version.sizeof_arg = sizeof(OldArg);
  OldArg args[] = {{.name = "first", .type = REDISMODULE_ARG_TYPE_INTEGER, .since = "1.1"},
                   {.name = "second", .type = REDISMODULE_ARG_TYPE_STRING},
                   {0}};
  RedisModuleCommandInfo info = {.version = &version, .args = (RedisModuleCommandArg *)args};
  return RedisModule_SetCommandInfo(RedisModule_GetCommand(ctx, "commands.old"), &info);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"commands.keysof", KeysOf, "", 0},
                                         {"commands.name", Name, "", 0},
                                         {"commands.late", Late, "", 0},
                                         {"commands.refusals", Refusals, "", 0},
                                         {"commands.weird:name", Reply, "", 0}};
  if (RedisModule_Init(ctx, "commands", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  int result = CREATE_COMMANDS(ctx, commands);
  result |=
      RedisModule_CreateCommand(ctx, "commands.getkeys", GetKeys, "readonly getkeys-api", 0, 0, 0);
  result |=
      RedisModule_CreateCommand(ctx, "commands.getkeysflags", GetKeysFlags, "getkeys-api", 0, 0, 0);
  result |= RedisModule_CreateCommand(
      ctx, "commands.flags", Reply,
      "write deny-oom admin pubsub allow-loading no-slowlog no-monitor fast no-auth may-replicate "
      "no-mandatory-keys allow-busy",
      2, -1, 3);
  // What cannot be: flags that do not exist, names taken or with a space.
  int refused = RedisModule_CreateCommand(ctx, "commands.bad", Reply, "nosuchflag", 0, 0, 0);
  refused &= RedisModule_CreateCommand(ctx, "get", Reply, "", 0, 0, 0);
  refused &= RedisModule_CreateCommand(ctx, "commands.name", Reply, "", 0, 0, 0);
  if (RedisModule_GetServerVersion() >= 0x00070200) {
    static const char *const names[] = {"with space", "new\nline", "re\rturn", "a|b",
                                        "a@b",        "a=b",       ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
      refused &= RedisModule_CreateCommand(ctx, names[i], Reply, "", 0, 0, 0);
    }
  }
  if (refused != REDISMODULE_ERR || RedisModule_GetCommand(ctx, "get") != NULL) {
    RedisModule_Log(ctx, "warning", "something was accepted that must be refused");
    return REDISMODULE_ERR;
  }
  result |= DescribeRanges(ctx);
  return result | Subcommands(ctx) | Describe(ctx) | DescribeChoices(ctx) | DescribeAsOld(ctx);
}
