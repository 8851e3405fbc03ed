// SPDX-License-Identifier: BSD-3-Clause
// API areas: the data set as a whole: reset, RDB files; keys of a command.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"
#include "persist/append_only.h"
#include "persist/persistence.h"

struct RedisModuleRdbStream {
  std::string path;
};

namespace backplane {
namespace {

void ResetDataset(int restart_aof, int async) {
  Engine& engine = CurrentHost()->engine();
  // What is being loaded would be mixed with what follows.
  if (engine.loading()) return;
  Engine::Unit unit(engine);
  engine.NotifyFlush(-1, async == 0, true);
  engine.keyspace().FlushAll(async != 0);
  engine.NotifyFlush(-1, async == 0, false);
  Persistence* persistence = CurrentHost()->persistence();
  if (restart_aof != 0 && persistence != nullptr && persistence->append_only() != nullptr) {
    persistence->append_only()->Restart();
  }
}

RedisModuleRdbStream* RdbStreamCreateFromFile(const char* filename) {
  return new RedisModuleRdbStream{filename};
}
void RdbStreamFree(RedisModuleRdbStream* stream) { delete stream; }

// errno for an error of persistence.
int Outcome(const Status& status) {
  errno = 0;
  if (status) return REDISMODULE_OK;
  errno = status.error().code == ErrorCode::kBusy ? EBUSY : EIO;
  return REDISMODULE_ERR;
}

int RdbSave(RedisModuleCtx* ctx, RedisModuleRdbStream* stream, int flags) {
  Persistence* persistence = ctx->host().persistence();
  errno = 0;
  if (stream == nullptr || flags != 0) errno = EINVAL;
  if (errno == 0 && persistence == nullptr) errno = ENOTSUP;
  if (errno != 0) return REDISMODULE_ERR;
  return Outcome(persistence->SaveTo(stream->path));
}

int RdbLoad(RedisModuleCtx* ctx, RedisModuleRdbStream* stream, int flags) {
  Persistence* persistence = ctx->host().persistence();
  errno = 0;
  if (stream == nullptr || flags != 0) errno = EINVAL;
  if (errno == 0 && persistence == nullptr) errno = ENOTSUP;
  if (errno == 0 && access(stream->path.c_str(), R_OK) != 0) {
    return REDISMODULE_ERR;  // errno says why
  }
  if (errno != 0) return REDISMODULE_ERR;
  return Outcome(persistence->LoadFrom(stream->path));
}

int* GetCommandKeysWithFlags(RedisModuleCtx* ctx, RedisModuleString** argv, int argc, int* num_keys,
                             int** out_flags) {
  *num_keys = 0;
  if (out_flags != nullptr) *out_flags = nullptr;
  std::vector<std::string_view> args;
  for (int i = 0; i < argc; ++i) args.push_back(argv[i]->view());
  Command* command = ctx->host().engine().commands().Resolve(args);
  if (command == nullptr || args.empty()) {
    errno = ENOENT;
    return nullptr;
  }
  if (!command->ArityOk(args.size())) {
    errno = EINVAL;
    return nullptr;
  }
  errno = 0;
  const auto found = FindKeyUses(*command, args);
  if (!found || found->empty()) return nullptr;
  // Freed by the module through its own Free, which counts them: so they come from its Alloc.
  using Alloc = void* (*)(size_t);
  auto alloc = reinterpret_cast<Alloc>(SlotFunction(ctx->module->slot(), "Alloc"));
  const size_t bytes = found->size() * sizeof(int);
  auto* keys = static_cast<int*>(alloc(bytes));
  if (out_flags != nullptr) *out_flags = static_cast<int*>(alloc(bytes));
  for (size_t i = 0; i < found->size(); ++i) {
    keys[i] = (*found)[i].position;
    if (out_flags != nullptr) (*out_flags)[i] = static_cast<int>((*found)[i].flags);
  }
  *num_keys = static_cast<int>(found->size());
  return keys;
}

int* GetCommandKeys(RedisModuleCtx* ctx, RedisModuleString** argv, int argc, int* num_keys) {
  return GetCommandKeysWithFlags(ctx, argv, argc, num_keys, nullptr);
}

}  // namespace

void RegisterDataSetApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(ResetDataset),   BACKPLANE_API_ROW(RdbStreamCreateFromFile),
      BACKPLANE_API_ROW(RdbStreamFree),  BACKPLANE_API_ROW(RdbSave),
      BACKPLANE_API_ROW(RdbLoad),        BACKPLANE_API_ROW(GetCommandKeysWithFlags),
      BACKPLANE_API_ROW(GetCommandKeys),
  };
  table.Add(rows);
}

}  // namespace backplane
