// SPDX-License-Identifier: BSD-3-Clause
// API areas: age of keys; defragmentation, which this server does not do, and says so.
#include <algorithm>

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/key.h"

namespace backplane {
namespace {

// --- age ---

int GetLRU(RedisModuleKey* key, mstime_t* lru_idle) {
  *lru_idle = -1;
  Entry* entry = EntryOf(key);
  if (entry == nullptr) return REDISMODULE_ERR;
  const Keyspace& keyspace = key->db->keyspace();
  if (keyspace.counts_use()) return REDISMODULE_OK;
  *lru_idle = static_cast<mstime_t>(keyspace.IdleSecondsOf(*entry)) * 1000;
  return REDISMODULE_OK;
}

int SetLRU(RedisModuleKey* key, mstime_t lru_idle) {
  Entry* entry = EntryOf(key);
  if (entry == nullptr || lru_idle < 0 || key->db->keyspace().counts_use()) return REDISMODULE_ERR;
  entry->set_access(
      key->db->keyspace().AccessOf(static_cast<uint64_t>(lru_idle / 1000), std::nullopt));
  return REDISMODULE_OK;
}

int GetLFU(RedisModuleKey* key, long long* lfu_freq) {
  *lfu_freq = -1;
  Entry* entry = EntryOf(key);
  if (entry == nullptr) return REDISMODULE_ERR;
  const Keyspace& keyspace = key->db->keyspace();
  if (keyspace.counts_use()) *lfu_freq = keyspace.FrequencyOf(*entry);
  return REDISMODULE_OK;
}

int SetLFU(RedisModuleKey* key, long long lfu_freq) {
  Entry* entry = EntryOf(key);
  if (entry == nullptr || lfu_freq < 0 || lfu_freq > kFrequencyMax ||
      !key->db->keyspace().counts_use()) {
    return REDISMODULE_ERR;
  }
  entry->set_access(key->db->keyspace().AccessOf(std::nullopt, static_cast<uint8_t>(lfu_freq)));
  return REDISMODULE_OK;
}

// --- defragmentation: callbacks are taken and never called ---

int RegisterDefragFunc(RedisModuleCtx*, RedisModuleDefragFunc) { return REDISMODULE_OK; }
int DefragShouldStop(RedisModuleDefragCtx*) { return 1; }
int DefragCursorSet(RedisModuleDefragCtx*, unsigned long) { return REDISMODULE_ERR; }
int DefragCursorGet(RedisModuleDefragCtx*, unsigned long*) { return REDISMODULE_ERR; }
void* DefragAlloc(RedisModuleDefragCtx*, void*) { return nullptr; }
RedisModuleString* DefragRedisModuleString(RedisModuleDefragCtx*, RedisModuleString*) {
  return nullptr;
}
const RedisModuleString* GetKeyNameFromDefragCtx(RedisModuleDefragCtx*) { return nullptr; }
int GetDbIdFromDefragCtx(RedisModuleDefragCtx*) { return -1; }

}  // namespace

void RegisterEvictionApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(GetLRU),
      BACKPLANE_API_ROW(SetLRU),
      BACKPLANE_API_ROW(GetLFU),
      BACKPLANE_API_ROW(SetLFU),
  };
  table.Add(rows);
}

void RegisterDefragApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(RegisterDefragFunc),
      BACKPLANE_API_ROW(DefragShouldStop),
      BACKPLANE_API_ROW(DefragCursorSet),
      BACKPLANE_API_ROW(DefragCursorGet),
      BACKPLANE_API_ROW(DefragAlloc),
      BACKPLANE_API_ROW(DefragRedisModuleString),
      BACKPLANE_API_ROW(GetKeyNameFromDefragCtx),
      BACKPLANE_API_ROW(GetDbIdFromDefragCtx),
  };
  table.Add(rows);
}

}  // namespace backplane
