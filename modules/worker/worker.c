// SPDX-License-Identifier: BSD-3-Clause
// Work off the engine thread: commands block their client and queue a job for a thread of the
// module's own, which computes without the host lock, takes the lock in slices to look at keys, and
// unblocks the client. Timeouts, clients that hang up, and unloading with jobs in the queue are
// handled. See README.md.
//
// One mutex guards the queue and all jobs. A job is freed by the worker, or by OnUnload after the
// worker has ended; each job unblocks its client exactly once, timed out or not, because that is
// what ends the host's handle. Replies are written through a thread-safe context of the blocked
// client, so no function of ours runs after the client was unblocked.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "redismodule.h"

#define SLICE_BYTES (1 << 20)

typedef enum JobKind { JOB_HASH, JOB_COUNT } JobKind;

typedef struct Job {
  struct Job *next;
  RedisModuleBlockedClient *client;
  atomic_int cancelled;  // The client is gone: stop early, the reply goes nowhere.
  JobKind kind;
  char *text;  // What to hash, or the prefix to count.
  size_t length;
  long long rounds;
  // Progress of JOB_COUNT.
  long long matched;
} Job;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static Job *first, **last = &first;  // Jobs that wait.
static Job *running;
static atomic_int stopping;
static long long done, cancelled;

static void FreeJob(Job *job) {
  RedisModule_Free(job->text);
  RedisModule_Free(job);
}

// Ends a job: the reply is complete. Any thread.
static void Finish(Job *job, RedisModuleCtx *ctx) {
  RedisModule_FreeThreadSafeContext(ctx);
  RedisModule_UnblockClient(job->client, NULL);
}

static int Stop(Job *job) { return atomic_load(&job->cancelled) || atomic_load(&stopping); }

// FNV-1a over the text, rounds times: as much computing as is asked for. 0 when told to stop.
static int Hash(Job *job, uint64_t *hash) {
  *hash = 0xcbf29ce484222325;
  size_t until_look = SLICE_BYTES;
  for (long long round = 0; round < job->rounds; round++) {
    for (size_t i = 0; i < job->length; i++) {
      *hash = (*hash ^ (unsigned char)job->text[i]) * 0x100000001b3;
    }
    if (until_look <= job->length) {
      if (Stop(job)) return 0;
      until_look = SLICE_BYTES;
    } else {
      until_look -= job->length;
    }
  }
  return 1;
}

static void CountKey(RedisModuleCtx *ctx, RedisModuleString *name, RedisModuleKey *key, void *arg) {
  Job *job = arg;
  size_t length;
  const char *text = RedisModule_StringPtrLen(name, &length);
  if (length >= job->length && memcmp(text, job->text, job->length) == 0) job->matched++;
}

// Counts keys in slices: between two slices the host serves its clients.
static int Count(Job *job, RedisModuleCtx *ctx) {
  RedisModuleScanCursor *cursor = RedisModule_ScanCursorCreate();
  int more = 1, stopped = 0;
  while (more && !stopped) {
    RedisModule_ThreadSafeContextLock(ctx);
    for (int i = 0; more && i < 16; i++) more = RedisModule_Scan(ctx, cursor, CountKey, job);
    RedisModule_ThreadSafeContextUnlock(ctx);
    stopped = Stop(job);
  }
  RedisModule_ScanCursorDestroy(cursor);
  return !stopped;
}

static void Run(Job *job) {
  RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(job->client);
  uint64_t hash;
  if (job->kind == JOB_HASH && Hash(job, &hash)) {
    char text[17];
    snprintf(text, sizeof(text), "%016llx", (unsigned long long)hash);
    RedisModule_ReplyWithStringBuffer(ctx, text, 16);
  } else if (job->kind == JOB_COUNT && Count(job, ctx)) {
    RedisModule_ReplyWithLongLong(ctx, job->matched);
  } else {
    RedisModule_ReplyWithError(ctx, "ERR the worker stops");
  }
  Finish(job, ctx);
}

static void *Work(void *arg) {
  pthread_mutex_lock(&mutex);
  while (1) {
    while (first == NULL && !atomic_load(&stopping)) pthread_cond_wait(&work, &mutex);
    if (atomic_load(&stopping)) break;
    Job *job = running = first;
    first = job->next;
    if (first == NULL) last = &first;
    pthread_mutex_unlock(&mutex);
    Run(job);
    pthread_mutex_lock(&mutex);
    if (atomic_load(&job->cancelled)) {
      cancelled++;
    } else {
      done++;
    }
    running = NULL;
    FreeJob(job);
  }
  pthread_mutex_unlock(&mutex);
  return NULL;
}

// Cancels the job of a blocked client, unless it has just ended.
static void Cancel(RedisModuleBlockedClient *client) {
  pthread_mutex_lock(&mutex);
  if (running != NULL && running->client == client) atomic_store(&running->cancelled, 1);
  for (Job *job = first; job != NULL; job = job->next) {
    if (job->client == client) atomic_store(&job->cancelled, 1);
  }
  pthread_mutex_unlock(&mutex);
}

static int OnTimeout(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  Cancel(RedisModule_GetBlockedClientHandle(ctx));
  return RedisModule_ReplyWithNull(ctx);
}

static void OnDisconnect(RedisModuleCtx *ctx, RedisModuleBlockedClient *client) { Cancel(client); }

// Blocks the client and queues the job, which is the worker's from then on.
static int Submit(RedisModuleCtx *ctx, JobKind kind, RedisModuleString *text, long long rounds,
                  long long timeout_ms) {
  // A script or a transaction must have its reply at once.
  if (RedisModule_GetContextFlags(ctx) &
      (REDISMODULE_CTX_FLAGS_DENY_BLOCKING | REDISMODULE_CTX_FLAGS_MULTI |
       REDISMODULE_CTX_FLAGS_LUA)) {
    return RedisModule_ReplyWithError(ctx, "ERR the worker needs a client that can be blocked");
  }
  size_t length;
  const char *bytes = RedisModule_StringPtrLen(text, &length);
  Job *job = RedisModule_Calloc(1, sizeof(*job));
  job->kind = kind;
  job->text = RedisModule_Alloc(length + 1);
  memcpy(job->text, bytes, length);
  job->length = length;
  job->rounds = rounds;
  job->client = RedisModule_BlockClient(ctx, NULL, OnTimeout, NULL, timeout_ms);
  RedisModule_SetDisconnectCallback(job->client, OnDisconnect);
  pthread_mutex_lock(&mutex);
  *last = job;
  last = &job->next;
  pthread_cond_signal(&work);
  pthread_mutex_unlock(&mutex);
  return REDISMODULE_OK;
}

// Reads [TIMEOUT milliseconds] at the end of a command. 0 when it is wrong: the error is replied.
static int ReadTimeout(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, long long *ms) {
  *ms = 0;  // Waits for ever.
  if (argc == 0) return 1;
  if (argc != 2 || strcasecmp(RedisModule_StringPtrLen(argv[0], NULL), "timeout") != 0) {
    RedisModule_ReplyWithError(ctx, "ERR syntax error");
    return 0;
  }
  if (RedisModule_StringToLongLong(argv[1], ms) != REDISMODULE_OK || *ms < 0) {
    RedisModule_ReplyWithError(ctx, "ERR timeout is not an integer or out of range");
    return 0;
  }
  return 1;
}

// WORKER.HASH text rounds [TIMEOUT milliseconds]: the hash in hexadecimal; null after the timeout.
static int HashCommand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc < 3) return RedisModule_WrongArity(ctx);
  long long rounds, timeout;
  if (RedisModule_StringToLongLong(argv[2], &rounds) != REDISMODULE_OK || rounds < 1) {
    return RedisModule_ReplyWithError(ctx, "ERR rounds must be a positive integer");
  }
  if (!ReadTimeout(ctx, argv + 3, argc - 3, &timeout)) return REDISMODULE_OK;
  return Submit(ctx, JOB_HASH, argv[1], rounds, timeout);
}

// WORKER.COUNT prefix [TIMEOUT milliseconds]: the keys of the database that begin so.
static int CountCommand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc < 2) return RedisModule_WrongArity(ctx);
  long long timeout;
  if (!ReadTimeout(ctx, argv + 2, argc - 2, &timeout)) return REDISMODULE_OK;
  return Submit(ctx, JOB_COUNT, argv[1], 0, timeout);
}

// WORKER.STATS: jobs that wait, run, are done, were cancelled.
static int StatsCommand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (argc != 1) return RedisModule_WrongArity(ctx);
  long long waiting = 0;
  pthread_mutex_lock(&mutex);
  for (Job *job = first; job != NULL; job = job->next) waiting++;
  RedisModule_ReplyWithMap(ctx, 4);
  RedisModule_ReplyWithCString(ctx, "waiting");
  RedisModule_ReplyWithLongLong(ctx, waiting);
  RedisModule_ReplyWithCString(ctx, "running");
  RedisModule_ReplyWithLongLong(ctx, running != NULL);
  RedisModule_ReplyWithCString(ctx, "done");
  RedisModule_ReplyWithLongLong(ctx, done);
  RedisModule_ReplyWithCString(ctx, "cancelled");
  RedisModule_ReplyWithLongLong(ctx, cancelled);
  pthread_mutex_unlock(&mutex);
  return REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
  if (RedisModule_Init(ctx, "worker", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return REDISMODULE_ERR;
  }
  if (RedisModule_CreateCommand(ctx, "worker.hash", HashCommand, "readonly", 0, 0, 0) ||
      RedisModule_CreateCommand(ctx, "worker.count", CountCommand, "readonly", 0, 0, 0) ||
      RedisModule_CreateCommand(ctx, "worker.stats", StatsCommand, "readonly fast", 0, 0, 0)) {
    return REDISMODULE_ERR;
  }
  // Last, when nothing else can fail: after an error from OnLoad nobody would join it.
  if (pthread_create(&thread, NULL, Work, NULL) != 0) {
    RedisModule_Log(ctx, "warning", "cannot start the worker thread");
    return REDISMODULE_ERR;
  }
  return REDISMODULE_OK;
}

// Runs on the engine thread, which holds the host lock. The worker may wait for that lock in Count,
// so while it runs it cannot be joined: refused until the jobs are over. (Redis refuses by itself
// as long as clients are blocked.)
int RedisModule_OnUnload(RedisModuleCtx *ctx);
int RedisModule_OnUnload(RedisModuleCtx *ctx) {
  pthread_mutex_lock(&mutex);
  if (running != NULL && running->kind == JOB_COUNT) {
    pthread_mutex_unlock(&mutex);
    RedisModule_Log(ctx, "warning", "cannot be unloaded while keys are counted");
    return REDISMODULE_ERR;
  }
  atomic_store(&stopping, 1);
  pthread_cond_signal(&work);
  pthread_mutex_unlock(&mutex);
  pthread_join(thread, NULL);
  while (first != NULL) {
    Job *job = first;
    first = job->next;
    RedisModuleCtx *client = RedisModule_GetThreadSafeContext(job->client);
    RedisModule_ReplyWithError(client, "ERR the worker stops");
    Finish(job, client);
    FreeJob(job);
  }
  return REDISMODULE_OK;
}
