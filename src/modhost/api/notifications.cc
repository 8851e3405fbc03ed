// SPDX-License-Identifier: BSD-3-Clause
// API areas: keyspace notifications, server events, shared functions, replication.
#include <cerrno>
#include <cstdarg>

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/call_arguments.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"

namespace backplane {
namespace {

int SubscribeToKeyspaceEvents(RedisModuleCtx* ctx, int types, RedisModuleNotificationFunc cb) {
  ctx->module->Own(
      std::make_unique<KeySubscription>(ctx->module, &ctx->host().key_events(), types, cb));
  return REDISMODULE_OK;
}

int UnsubscribeFromKeyspaceEvents(RedisModuleCtx* ctx, int types, RedisModuleNotificationFunc cb) {
  KeySubscription* found = ctx->host().key_events().Find(ctx->module, types, cb);
  if (found == nullptr) return REDISMODULE_ERR;
  ctx->module->Destroy(found);
  return REDISMODULE_OK;
}

int AddPostNotificationJob(RedisModuleCtx* ctx, RedisModulePostNotificationJobFunc callback,
                           void* pd, void (*free_pd)(void*)) {
  if (ctx->host().engine().loading()) return REDISMODULE_ERR;
  ctx->host().key_events().AddJob(ctx->module, callback, pd, free_pd);
  return REDISMODULE_OK;
}

int GetNotifyKeyspaceEvents() {
  return static_cast<int>(CurrentHost()->engine().settings().notify_keyspace_events);
}

int NotifyKeyspaceEvent(RedisModuleCtx* ctx, int type, const char* event, RedisModuleString* key) {
  if (key == nullptr) return REDISMODULE_ERR;
  Engine::Unit unit(ctx->host().engine());
  ctx->host().keyspace().Notify(ctx->db(), static_cast<uint32_t>(type), event, key->view());
  return REDISMODULE_OK;
}

// --- server events ---

int SubscribeToServerEvent(RedisModuleCtx* ctx, RedisModuleEvent event,
                           RedisModuleEventCallback callback) {
  if (!ServerEvents::Supported(event)) return REDISMODULE_ERR;
  ctx->host().events().Subscribe(ctx->module, event, callback);
  return REDISMODULE_OK;
}

int IsSubEventSupported(RedisModuleEvent event, uint64_t subevent) {
  return ServerEvents::SubeventSupported(event, subevent) ? 1 : 0;
}

// --- shared functions ---

int ExportSharedAPI(RedisModuleCtx* ctx, const char* apiname, void* func) {
  // A thread of a module that is gone: nobody could rely on it.
  if (ctx->module->retiring()) return REDISMODULE_ERR;
  auto added =
      ctx->host().shared_apis().try_emplace(apiname, ModuleHost::SharedApi{ctx->module, func});
  if (added.second) ctx->module->set_shared_once();
  return added.second ? REDISMODULE_OK : REDISMODULE_ERR;
}

void* GetSharedAPI(RedisModuleCtx* ctx, const char* apiname) {
  auto& apis = ctx->host().shared_apis();
  auto it = apis.find(std::string_view(apiname));
  if (it == apis.end()) return nullptr;
  Module* owner = it->second.module;
  auto& users = owner->used_by();
  if (owner != ctx->module && std::find(users.begin(), users.end(), ctx->module) == users.end()) {
    users.push_back(ctx->module);
    ctx->module->uses().push_back(owner);
    ctx->module->set_shared_once();
  }
  return it->second.function;
}

// --- replication ---

// Adds a command to the stream: to the running unit, or as a unit of its own from a thread.
void Append(RedisModuleCtx* ctx, std::span<const std::string_view> args, uint8_t targets) {
  Engine& engine = ctx->host().engine();
  Engine::Unit unit(engine);
  engine.propagation().Append(ctx->session->db_index, args, targets);
  engine.keyspace().AddDirty(1);
}

int Replicate(RedisModuleCtx* ctx, const char* cmdname, const char* fmt, ...) {
  CallArguments call;
  va_list values;
  va_start(values, fmt);
  const bool parsed = call.Parse(cmdname, fmt, values);
  va_end(values);
  if (!parsed || ctx->host().engine().commands().Find(cmdname) == nullptr) return REDISMODULE_ERR;
  if (call.targets() == kPropagateNowhere) return REDISMODULE_OK;
  Append(ctx, call.args(), call.targets());
  return REDISMODULE_OK;
}

int ReplicateVerbatim(RedisModuleCtx* ctx) {
  if (ctx->command != nullptr) Append(ctx, ctx->command->args(), kPropagateEverywhere);
  return REDISMODULE_OK;
}

}  // namespace

void RegisterNotificationApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(SubscribeToKeyspaceEvents),
      BACKPLANE_API_ROW(UnsubscribeFromKeyspaceEvents),
      BACKPLANE_API_ROW(AddPostNotificationJob),
      BACKPLANE_API_ROW(GetNotifyKeyspaceEvents),
      BACKPLANE_API_ROW(NotifyKeyspaceEvent),
  };
  table.Add(rows);
}

void RegisterServerEventApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(SubscribeToServerEvent),
      BACKPLANE_API_ROW(IsSubEventSupported),
  };
  table.Add(rows);
}

void RegisterSharedApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(ExportSharedAPI),
      BACKPLANE_API_ROW(GetSharedAPI),
  };
  table.Add(rows);
}

void RegisterReplicationApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(Replicate),
      BACKPLANE_API_ROW(ReplicateVerbatim),
  };
  table.Add(rows);
}

}  // namespace backplane
