// SPDX-License-Identifier: BSD-3-Clause
// The event loop: descriptors that become readable and writable, functions called once, also from
// other threads.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "testing.h"

static int ends[2] = {-1, -1};  // A pipe: read there, write here.
static char received[4096];
static size_t received_bytes;
static atomic_llong once;
static int writable;

static void OnReadable(int fd, void *data, int mask) {
  if (mask & REDISMODULE_EVENTLOOP_READABLE && data == received) {
    ssize_t count = read(fd, received + received_bytes, sizeof(received) - received_bytes);
    if (count > 0) received_bytes += (size_t)count;
  }
}

static void OnWritable(int fd, void *data, int mask) {
  if (mask & REDISMODULE_EVENTLOOP_WRITABLE) writable++;
  RedisModule_EventLoopDel(fd, REDISMODULE_EVENTLOOP_WRITABLE);
}

// eventloop.open: makes the pipe and watches its reading end.
static int OpenPipe(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return RedisModule_ReplyWithError(ctx, "ERR pipe");
  received_bytes = 0;
  errno = 0;
  return ReplyResult(
      ctx, RedisModule_EventLoopAdd(ends[0], REDISMODULE_EVENTLOOP_READABLE, OnReadable, received));
}

// eventloop.write text: writes into the pipe. eventloop.received: what came out so far.
static int Write(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  size_t length;
  const char *text = RedisModule_StringPtrLen(argv[1], &length);
  return RedisModule_ReplyWithLongLong(ctx, write(ends[1], text, length));
}

static int Received(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithStringBuffer(ctx, received, received_bytes);
}

// eventloop.writable: watches the writing end until it is writable, which it is at once.
static int Writable(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc == 2) return RedisModule_ReplyWithLongLong(ctx, writable);
  errno = 0;
  return ReplyResult(
      ctx, RedisModule_EventLoopAdd(ends[1], REDISMODULE_EVENTLOOP_WRITABLE, OnWritable, NULL));
}

static int ClosePipe(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  int result = RedisModule_EventLoopDel(ends[0], REDISMODULE_EVENTLOOP_READABLE);
  close(ends[0]);
  close(ends[1]);
  return ReplyResult(ctx, result);
}

// eventloop.wrong: errors of EventLoopAdd and EventLoopDel, as errno's names.
static int Wrong(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  RedisModule_ReplyWithArray(ctx, 5);
  ReplyResult(ctx,
              RedisModule_EventLoopAdd(1000000, REDISMODULE_EVENTLOOP_READABLE, OnReadable, NULL));
  ReplyResult(ctx, RedisModule_EventLoopAdd(-1, REDISMODULE_EVENTLOOP_READABLE, OnReadable, NULL));
  ReplyResult(ctx, RedisModule_EventLoopAdd(0, 1 << 9, OnReadable, NULL));
  ReplyResult(ctx, RedisModule_EventLoopDel(-1, REDISMODULE_EVENTLOOP_READABLE));
  errno = 0;
  return ReplyResult(ctx, RedisModule_EventLoopAddOneShot(NULL, NULL));
}

static void Once(void *data) { atomic_fetch_add(&once, (long long)(intptr_t)data); }

static void *AddFromThread(void *data) {
  for (int i = 0; i < 100; i++) RedisModule_EventLoopAddOneShot(Once, data);
  return NULL;
}

// eventloop.once number: adds it later. eventloop.threads: four threads that add 1 a hundred times.
static int AddOnce(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return ReplyResult(ctx, RedisModule_EventLoopAddOneShot(Once, (void *)(intptr_t)Number(argv[1])));
}

static int Threads(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, AddFromThread, (void *)1);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int Sum(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  return RedisModule_ReplyWithLongLong(ctx, atomic_load(&once));
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  static const TestCommand commands[] = {{"eventloop.open", OpenPipe, "", 0},
                                         {"eventloop.write", Write, "", 0},
                                         {"eventloop.received", Received, "", 0},
                                         {"eventloop.writable", Writable, "", 0},
                                         {"eventloop.close", ClosePipe, "", 0},
                                         {"eventloop.wrong", Wrong, "", 0},
                                         {"eventloop.once", AddOnce, "", 0},
                                         {"eventloop.threads", Threads, "", 0},
                                         {"eventloop.sum", Sum, "", 0}};
  if (RedisModule_Init(ctx, "eventloop", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  return CREATE_COMMANDS(ctx, commands);
}
