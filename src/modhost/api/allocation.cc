// SPDX-License-Identifier: BSD-3-Clause
// API area: memory. The allocator family itself exists per slot (slots.cc).
#include "base/memory_info.h"
#include "engine/memory_limit.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/dict.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"

namespace backplane {
namespace {

size_t MallocSize(void* ptr) { return UsableSize(ptr); }
size_t MallocUsableSize(void* ptr) { return UsableSize(ptr); }
size_t MallocSizeString(RedisModuleString* str) { return ModuleStringMemory(*str); }

size_t MallocSizeDict(RedisModuleDict* dict) {
  // The nodes of the map; the red-black header is three pointers and a colour.
  constexpr size_t kNodeBytes = sizeof(std::pair<const std::string, void*>) + 4 * sizeof(void*);
  return UsableSize(dict) + dict->entries.size() * kNodeBytes;
}

float GetUsedMemoryRatio() {
  const MemoryLimit* limit = CurrentHost()->engine().memory_limit();
  return limit != nullptr ? static_cast<float>(limit->UsedShare()) : 0;
}

void AutoMemory(RedisModuleCtx* ctx) { ctx->flags |= kCtxAutoMemory; }
void* PoolAlloc(RedisModuleCtx* ctx, size_t bytes) { return ctx->PoolAllocate(bytes); }

}  // namespace

void RegisterAllocationApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(MallocSize),         BACKPLANE_API_ROW(MallocUsableSize),
      BACKPLANE_API_ROW(MallocSizeString),   BACKPLANE_API_ROW(MallocSizeDict),
      BACKPLANE_API_ROW(GetUsedMemoryRatio), BACKPLANE_API_ROW(AutoMemory),
      BACKPLANE_API_ROW(PoolAlloc),
  };
  table.Add(rows);
}

}  // namespace backplane
