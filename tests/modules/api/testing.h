// SPDX-License-Identifier: BSD-3-Clause
// What the test modules share: a table of commands, arguments as numbers, errno as its name. Every
// function here needs automatic memory to be off or on alike.
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "redismodule.h"

#define UNUSED __attribute__((unused))

typedef struct TestCommand {
  const char *name;
  RedisModuleCmdFunc handler;
  const char *flags;
  int key;  // 1: the first argument is the only key. 0: no keys.
} TestCommand;

#define CREATE_COMMANDS(ctx, commands) \
  CreateCommands(ctx, commands, sizeof(commands) / sizeof((commands)[0]))

static UNUSED int CreateCommands(RedisModuleCtx *ctx, const TestCommand *commands, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const TestCommand *command = &commands[i];
    if (RedisModule_CreateCommand(ctx, command->name, command->handler, command->flags,
                                  command->key, command->key, command->key) != REDISMODULE_OK) {
      return REDISMODULE_ERR;
    }
  }
  return REDISMODULE_OK;
}

static UNUSED const char *Text(const RedisModuleString *string) {
  return RedisModule_StringPtrLen(string, NULL);
}

// The number that the argument is. Tests do not send anything else.
static UNUSED long long Number(const RedisModuleString *string) {
  long long number = 0;
  RedisModule_StringToLongLong(string, &number);
  return number;
}

static UNUSED double Double(const RedisModuleString *string) { return strtod(Text(string), NULL); }

static UNUSED int Is(const RedisModuleString *string, const char *text) {
  return strcasecmp(Text(string), text) == 0;
}

static UNUSED const char *ErrnoName(int number) {
  static const struct {
    int number;
    const char *name;
  } names[] = {{0, "0"},           {EINVAL, "EINVAL"},     {ENOTSUP, "ENOTSUP"},
               {EBADF, "EBADF"},   {EDOM, "EDOM"},         {ENOENT, "ENOENT"},
               {EEXIST, "EEXIST"}, {EACCES, "EACCES"},     {ENOSPC, "ENOSPC"},
               {ESPIPE, "ESPIPE"}, {EPERM, "EPERM"},       {EROFS, "EROFS"},
               {EBUSY, "EBUSY"},   {EALREADY, "EALREADY"}, {ERANGE, "ERANGE"},
               {EAGAIN, "EAGAIN"}, {ENETDOWN, "ENETDOWN"}, {EFBIG, "EFBIG"}};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (names[i].number == number) return names[i].name;
  }
  return "another errno";
}

// Replies OK, or errno's name as a simple string.
static UNUSED int ReplyResult(RedisModuleCtx *ctx, int result) {
  return RedisModule_ReplyWithSimpleString(ctx, result == REDISMODULE_OK ? "OK" : ErrnoName(errno));
}

// Replies the string and frees it; NULL as errno's name, which is a simple string.
static UNUSED int ReplyStringOrErrno(RedisModuleCtx *ctx, RedisModuleString *string) {
  if (string == NULL) return RedisModule_ReplyWithSimpleString(ctx, ErrnoName(errno));
  RedisModule_ReplyWithString(ctx, string);
  RedisModule_FreeString(ctx, string);
  return REDISMODULE_OK;
}

// Opens the key in the mode that a word names: r, w, rw.
static UNUSED RedisModuleKey *Open(RedisModuleCtx *ctx, RedisModuleString *name,
                                   const RedisModuleString *mode) {
  int bits = 0;
  if (strchr(Text(mode), 'r')) bits |= REDISMODULE_READ;
  if (strchr(Text(mode), 'w')) bits |= REDISMODULE_WRITE;
  return RedisModule_OpenKey(ctx, name, bits);
}
