// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleCtx: what happens at the end of a callback.
#include "modhost/context.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "modhost/call_reply.h"
#include "modhost/dict.h"
#include "modhost/host.h"
#include "modhost/key.h"
#include "modhost/server_info.h"

using backplane::Database;

namespace {
constexpr size_t kPoolBlockSize = 8 * 1024;
}

Database& RedisModuleCtx::db() const { return host().keyspace().db(session->db_index); }

bool RedisModuleCtx::Untrack(Kind kind, const void* object) {
  // What was made last is freed first, mostly.
  for (size_t i = automatic.size(); i-- > 0;) {
    if (automatic[i].object != object || automatic[i].kind != kind) continue;
    // Not onto itself: reading what has just been written in parts costs more than the question.
    if (i + 1 != automatic.size()) automatic[i] = automatic.back();
    automatic.pop_back();
    return true;
  }
  return false;
}

void* RedisModuleCtx::PoolAllocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  // Aligned to the next power of two of the size, up to a pointer's.
  const size_t align = std::min(std::bit_ceil(bytes), sizeof(void*));
  size_t offset = pool == nullptr ? 0 : (pool->used + align - 1) & ~(align - 1);
  if (pool == nullptr || offset > pool->size || bytes > pool->size - offset) {
    const size_t size = std::max(bytes, kPoolBlockSize);
    auto* block = static_cast<PoolBlock*>(std::malloc(sizeof(PoolBlock) + size));
    if (block == nullptr) std::abort();
    *block = {pool, 0, size};
    pool = block;
    offset = 0;
  }
  pool->used = offset + bytes;
  return reinterpret_cast<char*>(pool + 1) + offset;
}

void RedisModuleCtx::FreeTracked(const Tracked& tracked) {
  switch (tracked.kind) {
    case Kind::kString:
      backplane::ReleaseModuleString(static_cast<RedisModuleString*>(tracked.object));
      return;
    case Kind::kKey:
      backplane::CloseModuleKey(static_cast<RedisModuleKey*>(tracked.object));
      return;
    case Kind::kReply:
      host().replies().Give(static_cast<RedisModuleCallReply*>(tracked.object)->root);
      return;
    case Kind::kDict:
      delete static_cast<RedisModuleDict*>(tracked.object);
      return;
    case Kind::kInfo:
      delete static_cast<RedisModuleServerInfoData*>(tracked.object);
      return;
  }
}

void RedisModuleCtx::Finish() {
  // A postponed length that never came is a module's mistake: the client still gets a whole reply.
  while (!deferred.empty()) {
    sink->EndDeferred(deferred.back(), 0);
    deferred.pop_back();
  }
  while (!automatic.empty()) {
    Tracked last = automatic.back();
    automatic.pop_back();
    FreeTracked(last);
  }
  while (pool != nullptr) {
    PoolBlock* next = pool->next;
    std::free(pool);
    pool = next;
  }
}
