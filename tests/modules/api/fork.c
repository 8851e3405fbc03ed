// SPDX-License-Identifier: BSD-3-Clause
// Forked children: started, ended by themselves, killed.
#define _DEFAULT_SOURCE
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"

static int child = -1, exit_code = -1, by_signal = -1;
static long long done;

static void Done(int code, int signal, void *data) {
  exit_code = code;
  by_signal = signal;
  done += data == &done;
  child = -1;
}

// fork.start code ms: a child that ends with the code after so long; its process ID, or -1.
static int Start(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int code = (int)Number(argv[1]);
  useconds_t wait = (useconds_t)Number(argv[2]) * 1000;
  int pid = RedisModule_Fork(Done, &done);
  if (pid == 0) {
    RedisModule_SendChildHeartbeat(0.5);
    // The child has the data as it was.
    RedisModuleCallReply *reply = RedisModule_Call(ctx, "GET", "c", "code");
    size_t length;
    if (RedisModule_CallReplyStringPtr(reply, &length) != NULL) code += 1;
    usleep(wait);
    RedisModule_ExitFromChild(code);
  }
  if (pid > 0) child = pid;
  return RedisModule_ReplyWithLongLong(ctx, pid);
}

// fork.kill: result, by the process ID that fork.start gave; and with a wrong one.
static int Kill(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 2);
  RedisModule_ReplyWithLongLong(ctx, RedisModule_KillForkChild(child + 100000));
  return RedisModule_ReplyWithLongLong(ctx, RedisModule_KillForkChild(child));
}

// fork.outcome: children done, exit code and signal of the last.
static int Outcome(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 3);
  RedisModule_ReplyWithLongLong(ctx, done);
  RedisModule_ReplyWithLongLong(ctx, exit_code);
  return RedisModule_ReplyWithLongLong(ctx, by_signal);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {
      {"fork.start", Start, "", 0}, {"fork.kill", Kill, "", 0}, {"fork.outcome", Outcome, "", 0}};
  if (RedisModule_Init(ctx, "fork", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
