// SPDX-License-Identifier: BSD-3-Clause
// API area: who the module is and what it promises; facts about the host.
#include "base/version.h"
#include "engine/memory_limit.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"
#include "modhost/key_events.h"
#include "modhost/module_code.h"

namespace backplane {
namespace {

void SetModuleAttribs(RedisModuleCtx* ctx, const char* name, int ver, int apiver) {
  Module* module = ctx->module;
  if (ctx->host().FindModule(name) != nullptr && module->name() != name) {
    module->set_busy_name(name);
    module->Refuse(ctx->host().NameTaken(*module));
    return;
  }
  module->Identify(name, ver, apiver);
  ctx->host().NoteIdentified(*module);
}

int IsModuleNameBusy(const char* name) {
  if (CurrentHost()->FindModule(name) == nullptr) return 0;
  // Init asks this first, and gives up without another word when the name is taken.
  const ModuleCode* mark = ModuleCode::Innermost();
  if (mark != nullptr && mark->module().loading()) mark->module().set_busy_name(name);
  return 1;
}

void SetModuleOptions(RedisModuleCtx* ctx, int options) { ctx->module->set_options(options); }

int GetModuleOptionsAll() {
  return REDISMODULE_OPTIONS_HANDLE_IO_ERRORS | REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED |
         REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD |
         REDISMODULE_OPTIONS_ALLOW_NESTED_KEYSPACE_NOTIFICATIONS;
}

int GetServerVersion() { return kCompatVersionNumber; }

int GetContextFlagsAll() {
  // Everything up to the last flag of 7.2.
  return (REDISMODULE_CTX_FLAGS_SERVER_STARTUP << 1) - 1;
}

int GetKeyspaceNotificationFlagsAll() { return (REDISMODULE_NOTIFY_NEW << 1) - 1; }

// Flags that depend on the caller.
int CallerFlags(RedisModuleCtx* ctx) {
  int flags = 0;
  Engine& engine = ctx->host().engine();
  // A callback has no client of its own: whose command it was called in counts.
  const Session* executing = engine.executing();
  if (ctx->session->executing_transaction ||
      (executing != nullptr && executing->executing_transaction)) {
    flags |= REDISMODULE_CTX_FLAGS_MULTI;
  }
  if (engine.script_runs()) flags |= REDISMODULE_CTX_FLAGS_LUA;
  if (ctx->session->watcher.touched()) flags |= REDISMODULE_CTX_FLAGS_MULTI_DIRTY;
  if (ctx->sink->resp() == 3) flags |= REDISMODULE_CTX_FLAGS_RESP3;
  if (!ctx->session->may_wait() || ctx->session->executing_transaction) {
    flags |= REDISMODULE_CTX_FLAGS_DENY_BLOCKING;
  }
  if (ctx->session->kind() == Session::Kind::kReplay) flags |= REDISMODULE_CTX_FLAGS_REPLICATED;
  return flags;
}

int MemoryFlags(const Engine& engine) {
  constexpr double kWarningShare = 0.75;
  const MemoryLimit* limit = engine.memory_limit();
  if (limit == nullptr) return 0;
  int flags = REDISMODULE_CTX_FLAGS_MAXMEMORY;
  if (limit->evicts()) flags |= REDISMODULE_CTX_FLAGS_EVICT;
  const double share = limit->UsedShare();
  if (share > 1) flags |= REDISMODULE_CTX_FLAGS_OOM;
  if (share > kWarningShare) flags |= REDISMODULE_CTX_FLAGS_OOM_WARNING;
  return flags;
}

int GetContextFlags(RedisModuleCtx* ctx) {
  ModuleHost& host = *CurrentHost();
  int flags = REDISMODULE_CTX_FLAGS_MASTER;
  if (ctx != nullptr) flags |= CallerFlags(ctx);
  flags |= MemoryFlags(host.engine());
  if (!host.engine().settings().save.empty()) flags |= REDISMODULE_CTX_FLAGS_RDB;
  if (host.engine().settings().appendonly) flags |= REDISMODULE_CTX_FLAGS_AOF;
  if (host.engine().loading()) flags |= REDISMODULE_CTX_FLAGS_LOADING;
  const bool saving = host.persistence() != nullptr && host.persistence()->child_active();
  if (host.child().pid != 0 || saving) flags |= REDISMODULE_CTX_FLAGS_ACTIVE_CHILD;
  if (host.is_child) flags |= REDISMODULE_CTX_FLAGS_IS_CHILD;
  if (ctx != nullptr && ctx->module->loading() && !host.serving()) {
    flags |= REDISMODULE_CTX_FLAGS_SERVER_STARTUP;
  }
  return flags;
}

int AvoidReplicaTraffic() { return 0; }

int GetSelectedDb(RedisModuleCtx* ctx) { return ctx->session->db_index; }

int SelectDb(RedisModuleCtx* ctx, int newid) {
  if (newid < 0 || newid >= ctx->host().keyspace().database_count()) return REDISMODULE_ERR;
  ctx->session->db_index = newid;
  return REDISMODULE_OK;
}

const char* GetCurrentCommandName(RedisModuleCtx* ctx) {
  return ctx->command == nullptr ? nullptr : ctx->command->command().fullname.c_str();
}

}  // namespace

void RegisterModuleInfoApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(SetModuleAttribs),
      BACKPLANE_API_ROW(IsModuleNameBusy),
      BACKPLANE_API_ROW(SetModuleOptions),
      BACKPLANE_API_ROW(GetModuleOptionsAll),
      BACKPLANE_API_ROW(GetServerVersion),
      BACKPLANE_API_ROW(GetContextFlagsAll),
      BACKPLANE_API_ROW(GetKeyspaceNotificationFlagsAll),
      BACKPLANE_API_ROW(GetContextFlags),
      BACKPLANE_API_ROW(AvoidReplicaTraffic),
      BACKPLANE_API_ROW(GetSelectedDb),
      BACKPLANE_API_ROW(SelectDb),
      BACKPLANE_API_ROW(GetCurrentCommandName),
  };
  table.Add(rows);
}

}  // namespace backplane
