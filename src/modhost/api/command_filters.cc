// SPDX-License-Identifier: BSD-3-Clause
// API area: command filters.
#include "modhost/command_filters.h"

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/host.h"

namespace backplane {
namespace {

RedisModuleCommandFilter* RegisterCommandFilter(RedisModuleCtx* ctx,
                                                RedisModuleCommandFilterFunc cb, int flags) {
  return ctx->module->Own(
      std::make_unique<RedisModuleCommandFilter>(ctx->module, &ctx->host().filters(), cb, flags));
}

int UnregisterCommandFilter(RedisModuleCtx* ctx, RedisModuleCommandFilter* filter) {
  if (filter->module() != ctx->module) return REDISMODULE_ERR;
  ctx->module->Destroy(filter);
  return REDISMODULE_OK;
}

bool InRange(const RedisModuleCommandFilterCtx* fctx, int pos) {
  return pos >= 0 && static_cast<size_t>(pos) < fctx->args.size();
}

int CommandFilterArgsCount(RedisModuleCommandFilterCtx* fctx) {
  return static_cast<int>(fctx->args.size());
}

RedisModuleString* CommandFilterArgGet(RedisModuleCommandFilterCtx* fctx, int pos) {
  return InRange(fctx, pos) ? fctx->args[static_cast<size_t>(pos)] : nullptr;
}

int CommandFilterArgInsert(RedisModuleCommandFilterCtx* fctx, int pos, RedisModuleString* arg) {
  if (pos < 0 || static_cast<size_t>(pos) > fctx->args.size()) return REDISMODULE_ERR;
  fctx->args.insert(fctx->args.begin() + pos, arg);
  fctx->changed = true;
  return REDISMODULE_OK;
}

int CommandFilterArgReplace(RedisModuleCommandFilterCtx* fctx, int pos, RedisModuleString* arg) {
  if (!InRange(fctx, pos)) return REDISMODULE_ERR;
  ReleaseModuleString(std::exchange(fctx->args[static_cast<size_t>(pos)], arg));
  fctx->changed = true;
  return REDISMODULE_OK;
}

int CommandFilterArgDelete(RedisModuleCommandFilterCtx* fctx, int pos) {
  if (!InRange(fctx, pos)) return REDISMODULE_ERR;
  ReleaseModuleString(fctx->args[static_cast<size_t>(pos)]);
  fctx->args.erase(fctx->args.begin() + pos);
  fctx->changed = true;
  return REDISMODULE_OK;
}

unsigned long long CommandFilterGetClientId(RedisModuleCommandFilterCtx* fctx) {
  return fctx->client_id;
}

}  // namespace

void RegisterCommandFilterApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(RegisterCommandFilter),  BACKPLANE_API_ROW(UnregisterCommandFilter),
      BACKPLANE_API_ROW(CommandFilterArgsCount), BACKPLANE_API_ROW(CommandFilterArgGet),
      BACKPLANE_API_ROW(CommandFilterArgInsert), BACKPLANE_API_ROW(CommandFilterArgReplace),
      BACKPLANE_API_ROW(CommandFilterArgDelete), BACKPLANE_API_ROW(CommandFilterGetClientId),
  };
  table.Add(rows);
}

}  // namespace backplane
