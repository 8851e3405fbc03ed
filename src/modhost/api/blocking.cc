// SPDX-License-Identifier: BSD-3-Clause
// API areas: blocked clients and thread-safe contexts.
#include <cerrno>

#include "base/clock.h"
#include "modhost/api/areas.h"
#include "modhost/api/slot_calls.h"
#include "modhost/api_table.h"
#include "modhost/blocked_client.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"
#include "modhost/module_code.h"

namespace backplane {
namespace {

// A context on the heap with a session of its own, for a thread.
struct ThreadContext final : public RedisModuleCtx {
  ThreadContext(Module* owner, ReplySink* replies)
      : RedisModuleCtx(owner, &own, replies), own(0, Session::Kind::kModule, replies, nullptr) {
    flags |= kCtxThreadSafe;
  }
  Session own;
};

const char* ReasonNotToBlock(const RedisModuleCtx& ctx) {
  if (ctx.session->executing_transaction) {
    return "ERR Blocking module command called from transaction";
  }
  if (!ctx.session->may_wait() || ctx.session->blocked()) {
    return "ERR Blocking module command called from Lua script";
  }
  return nullptr;
}

struct KeysToWaitFor {
  RedisModuleString** names;
  int count;
  bool wakes_on_delete;
};

// `keys` null: waits for UnblockClient.
RedisModuleBlockedClient* Block(RedisModuleCtx* ctx, RedisModuleCmdFunc reply_callback,
                                RedisModuleCmdFunc timeout_callback,
                                void (*free_privdata)(RedisModuleCtx*, void*), long long timeout_ms,
                                const KeysToWaitFor* keys, void* privdata) {
  const char* refusal = ctx->command == nullptr ? "ERR nobody to block" : ReasonNotToBlock(*ctx);
  Session* session = refusal == nullptr ? ctx->session : nullptr;
  auto* client = ctx->module->Own(std::make_unique<RedisModuleBlockedClient>(ctx->module, session));
  client->client_id = ctx->client_id;
  client->db = ctx->session->db_index;
  client->resp = ctx->sink->resp();
  client->tape.set_resp(client->resp);
  client->reply_callback = reply_callback;
  client->timeout_callback = timeout_callback;
  client->free_privdata = free_privdata;
  client->privdata = privdata;
  client->on_keys = keys != nullptr;
  if (session == nullptr) {
    // Nobody will ever end a wait for keys that did not begin.
    if (keys != nullptr) ctx->host().blocked_clients().Push(client);
    if (ctx->command != nullptr) ctx->sink->Error(refusal);
    return client;
  }
  // The reply callback gets the command's words after the input buffer has moved on.
  for (std::string_view arg : ctx->command->args()) client->args.emplace_back(arg);
  client->skips_reply = session->reply_mode == Session::ReplyMode::kSkipping;
  session->Block(client);
  if (timeout_ms > 0) client->StartTimer(timeout_ms);
  if (keys != nullptr) {
    client->woken_by_delete = keys->wakes_on_delete;
    for (int i = 0; i < keys->count; ++i) client->keys.emplace_back(keys->names[i]->view());
    ctx->host().key_waiters().Add(client);
  }
  return client;
}

RedisModuleBlockedClient* BlockClient(RedisModuleCtx* ctx, RedisModuleCmdFunc reply_callback,
                                      RedisModuleCmdFunc timeout_callback,
                                      void (*free_privdata)(RedisModuleCtx*, void*),
                                      long long timeout_ms) {
  return Block(ctx, reply_callback, timeout_callback, free_privdata, timeout_ms, nullptr, nullptr);
}

RedisModuleBlockedClient* BlockClientOnKeysWithFlags(RedisModuleCtx* ctx,
                                                     RedisModuleCmdFunc reply_callback,
                                                     RedisModuleCmdFunc timeout_callback,
                                                     void (*free_privdata)(RedisModuleCtx*, void*),
                                                     long long timeout_ms, RedisModuleString** keys,
                                                     int numkeys, void* privdata, int flags) {
  const KeysToWaitFor wanted = {keys, numkeys, (flags & REDISMODULE_BLOCK_UNBLOCK_DELETED) != 0};
  return Block(ctx, reply_callback, timeout_callback, free_privdata, timeout_ms, &wanted, privdata);
}

RedisModuleBlockedClient* BlockClientOnKeys(RedisModuleCtx* ctx, RedisModuleCmdFunc reply_callback,
                                            RedisModuleCmdFunc timeout_callback,
                                            void (*free_privdata)(RedisModuleCtx*, void*),
                                            long long timeout_ms, RedisModuleString** keys,
                                            int numkeys, void* privdata) {
  return BlockClientOnKeysWithFlags(ctx, reply_callback, timeout_callback, free_privdata,
                                    timeout_ms, keys, numkeys, privdata,
                                    REDISMODULE_BLOCK_UNBLOCK_DEFAULT);
}

void SignalKeyAsReady(RedisModuleCtx* ctx, RedisModuleString* key) {
  // A unit, so that a thread's signal is served too.
  Engine::Unit unit(ctx->host().engine());
  ctx->host().key_waiters().Signal(ctx->session->db_index, key->view());
}

RedisModuleString* GetBlockedClientReadyKey(RedisModuleCtx* ctx) { return ctx->ready_key; }

int UnblockClient(RedisModuleBlockedClient* bc, void* privdata) {
  if (bc == nullptr) return REDISMODULE_ERR;
  if (bc->on_keys) {
    // It counts as a timeout, which somebody must be able to answer.
    if (bc->timeout_callback == nullptr && !bc->aborted) return REDISMODULE_ERR;
  } else {
    bc->privdata = privdata;
  }
  bc->module()->host().blocked_clients().Push(bc);
  return REDISMODULE_OK;
}

int AbortBlock(RedisModuleBlockedClient* bc) {
  if (bc == nullptr) return REDISMODULE_ERR;
  bc->aborted = true;
  bc->reply_callback = nullptr;
  bc->disconnect_callback = nullptr;
  return UnblockClient(bc, nullptr);
}

void SetDisconnectCallback(RedisModuleBlockedClient* bc, RedisModuleDisconnectFunc callback) {
  bc->disconnect_callback = callback;
}

void* BlockClientGetPrivateData(RedisModuleBlockedClient* bc) { return bc->privdata; }
void BlockClientSetPrivateData(RedisModuleBlockedClient* bc, void* data) { bc->privdata = data; }

int IsBlockedReplyRequest(RedisModuleCtx* ctx) { return ctx->Has(kCtxBlockedReply) ? 1 : 0; }
int IsBlockedTimeoutRequest(RedisModuleCtx* ctx) { return ctx->Has(kCtxBlockedTimeout) ? 1 : 0; }
void* GetBlockedClientPrivateData(RedisModuleCtx* ctx) { return ctx->blocked_privdata; }
RedisModuleBlockedClient* GetBlockedClientHandle(RedisModuleCtx* ctx) { return ctx->blocked; }
int BlockedClientDisconnected(RedisModuleCtx* ctx) {
  return ctx->Has(kCtxBlockedDisconnected) ? 1 : 0;
}

int BlockedClientMeasureTimeStart(RedisModuleBlockedClient* bc) {
  bc->measure_started_ns = MonotonicNanos();
  return REDISMODULE_OK;
}
int BlockedClientMeasureTimeEnd(RedisModuleBlockedClient* bc) {
  if (bc->measure_started_ns == 0) return REDISMODULE_ERR;
  bc->measured_ns += MonotonicNanos() - bc->measure_started_ns;
  bc->measure_started_ns = 0;
  return REDISMODULE_OK;
}

// --- threads ---

RedisModuleCtx* GetDetachedThreadSafeContext(RedisModuleCtx* ctx) {
  auto* made = new ThreadContext(ctx->module, &ctx->host().null_sink());
  made->flags |= kCtxDetached;
  made->own.db_index = ctx->session->db_index;
  return made;
}

void FreeThreadSafeContext(RedisModuleCtx* ctx) { delete static_cast<ThreadContext*>(ctx); }

// Who the time is counted for. There are modules that give no context: nobody looks at it in the
// field's server.
Module* OwnerOf(const RedisModuleCtx* ctx) { return ctx == nullptr ? nullptr : ctx->module; }

void Yield(RedisModuleCtx* ctx, int flags, const char* busy_reply) {
  ctx->host().yielding().Yield(ctx, flags, busy_reply);
}

void ThreadSafeContextLock(RedisModuleCtx* ctx) { CurrentHost()->ThreadTakesLock(OwnerOf(ctx)); }

int ThreadSafeContextTryLock(RedisModuleCtx* ctx) {
  if (CurrentHost()->ThreadTriesLock(OwnerOf(ctx))) return REDISMODULE_OK;
  errno = EBUSY;
  return REDISMODULE_ERR;
}

void ThreadSafeContextUnlock(RedisModuleCtx* ctx) { CurrentHost()->ThreadReleasesLock(); }

}  // namespace

RedisModuleCtx* slot_calls::GetThreadSafeContext(Module* module, RedisModuleBlockedClient* client) {
  // Any thread, without the lock: the null sink keeps no state that matters.
  ReplySink* sink =
      client == nullptr ? static_cast<ReplySink*>(&module->host().null_sink()) : &client->tape;
  auto* made = new ThreadContext(client == nullptr ? module : client->module(), sink);
  if (client != nullptr) {
    made->own.db_index = client->db;
    made->client_id = client->client_id;
    made->blocked = client;
  }
  return made;
}

void RegisterBlockingApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(BlockClient),
      BACKPLANE_API_ROW(BlockClientOnKeys),
      BACKPLANE_API_ROW(BlockClientOnKeysWithFlags),
      BACKPLANE_API_ROW(SignalKeyAsReady),
      BACKPLANE_API_ROW(GetBlockedClientReadyKey),
      BACKPLANE_API_ROW(UnblockClient),
      BACKPLANE_API_ROW(AbortBlock),
      BACKPLANE_API_ROW(SetDisconnectCallback),
      BACKPLANE_API_ROW(BlockClientGetPrivateData),
      BACKPLANE_API_ROW(BlockClientSetPrivateData),
      BACKPLANE_API_ROW(IsBlockedReplyRequest),
      BACKPLANE_API_ROW(IsBlockedTimeoutRequest),
      BACKPLANE_API_ROW(GetBlockedClientPrivateData),
      BACKPLANE_API_ROW(GetBlockedClientHandle),
      BACKPLANE_API_ROW(BlockedClientDisconnected),
      BACKPLANE_API_ROW(BlockedClientMeasureTimeStart),
      BACKPLANE_API_ROW(BlockedClientMeasureTimeEnd),
  };
  table.Add(rows);
}

void RegisterThreadApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(GetDetachedThreadSafeContext),
      BACKPLANE_API_ROW(FreeThreadSafeContext),
      BACKPLANE_API_ROW(Yield),
      BACKPLANE_API_ROW(ThreadSafeContextLock),
      BACKPLANE_API_ROW(ThreadSafeContextTryLock),
      BACKPLANE_API_ROW(ThreadSafeContextUnlock),
  };
  table.Add(rows);
}

}  // namespace backplane
