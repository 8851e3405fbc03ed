// SPDX-License-Identifier: BSD-3-Clause
// API area: timers.
#include "modhost/timers.h"

#include "base/clock.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/host.h"

namespace backplane {
namespace {

RedisModuleTimerID CreateTimer(RedisModuleCtx* ctx, mstime_t period, RedisModuleTimerProc callback,
                               void* data) {
  return ctx->host().timers().Create(ctx->module, period, ctx->session->db_index, callback, data);
}

int StopTimer(RedisModuleCtx* ctx, RedisModuleTimerID id, void** data) {
  ModuleTimer* timer = ctx->host().timers().Find(ctx->module, id);
  if (timer == nullptr) return REDISMODULE_ERR;
  if (data != nullptr) *data = timer->data();
  ctx->module->Destroy(timer);
  return REDISMODULE_OK;
}

int GetTimerInfo(RedisModuleCtx* ctx, RedisModuleTimerID id, uint64_t* remaining, void** data) {
  ModuleTimer* timer = ctx->host().timers().Find(ctx->module, id);
  if (timer == nullptr) return REDISMODULE_ERR;
  if (remaining != nullptr) {
    const int64_t left_us = timer->due_ms() * 1000 - MonotonicMicros();
    *remaining = left_us > 0 ? static_cast<uint64_t>(left_us / 1000) : 0;
  }
  if (data != nullptr) *data = timer->data();
  return REDISMODULE_OK;
}

}  // namespace

void RegisterTimerApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(CreateTimer),
      BACKPLANE_API_ROW(StopTimer),
      BACKPLANE_API_ROW(GetTimerInfo),
  };
  table.Add(rows);
}

}  // namespace backplane
