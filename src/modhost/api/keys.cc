// SPDX-License-Identifier: BSD-3-Clause
// API area: keys, whatever their type.
#include <cerrno>

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/host.h"
#include "modhost/key.h"
#include "modhost/module_type.h"

namespace backplane {
namespace {

using Kind = RedisModuleCtx::Kind;

int KeyExists(RedisModuleCtx* ctx, RedisModuleString* keyname) {
  return ctx->db().Exists(Key(keyname->view())) ? 1 : 0;
}

RedisModuleKey* OpenKey(RedisModuleCtx* ctx, RedisModuleString* keyname, int mode) {
  RedisModuleKey* key = OpenModuleKey(ctx, keyname, mode);
  if (key != nullptr) ctx->Track(Kind::kKey, key);
  return key;
}

int GetOpenKeyModesAll() {
  return REDISMODULE_READ | REDISMODULE_WRITE | REDISMODULE_OPEN_KEY_NOTOUCH |
         REDISMODULE_OPEN_KEY_NONOTIFY | REDISMODULE_OPEN_KEY_NOSTATS |
         REDISMODULE_OPEN_KEY_NOEXPIRE | REDISMODULE_OPEN_KEY_NOEFFECTS;
}

void CloseKey(RedisModuleKey* key) {
  if (key == nullptr) return;
  if (key->ctx != nullptr && key->ctx->Has(kCtxAutoMemory)) key->ctx->Untrack(Kind::kKey, key);
  CloseModuleKey(key);
}

int KeyType(RedisModuleKey* key) { return ModuleKeyType(key); }

size_t ValueLength(RedisModuleKey* key) {
  Entry* entry = EntryOf(key);
  if (entry == nullptr || entry->type() == TypeId::kModule) return 0;
  return entry->is_string() ? entry->string_size() : entry->value().length();
}

int DeleteKey(RedisModuleKey* key) {
  if (!CanWrite(key)) return REDISMODULE_ERR;
  DeleteModuleKey(key, false);
  return REDISMODULE_OK;
}

int UnlinkKey(RedisModuleKey* key) {
  if (!CanWrite(key)) return REDISMODULE_ERR;
  DeleteModuleKey(key, true);
  return REDISMODULE_OK;
}

mstime_t GetAbsExpire(RedisModuleKey* key) {
  Entry* entry = EntryOf(key);
  return entry == nullptr || !entry->has_expire() ? REDISMODULE_NO_EXPIRE : entry->expire_ms();
}

mstime_t GetExpire(RedisModuleKey* key) {
  const mstime_t at = GetAbsExpire(key);
  if (at == REDISMODULE_NO_EXPIRE) return at;
  const mstime_t left = at - key->db->keyspace().now_ms();
  return left > 0 ? left : 0;
}

int SetExpireAt(RedisModuleKey* key, mstime_t expire, bool remove) {
  Entry* entry = EntryOf(key);
  if (!CanWrite(key) || entry == nullptr) return REDISMODULE_ERR;
  key->SetEntry(remove ? key->db->ClearExpire(entry) : key->db->SetExpire(entry, expire));
  key->Changed();
  return REDISMODULE_OK;
}

int SetAbsExpire(RedisModuleKey* key, mstime_t expire) {
  if (expire < 0 && expire != REDISMODULE_NO_EXPIRE) return REDISMODULE_ERR;
  return SetExpireAt(key, expire, expire == REDISMODULE_NO_EXPIRE);
}

int SetExpire(RedisModuleKey* key, mstime_t expire) {
  if (key == nullptr || (expire < 0 && expire != REDISMODULE_NO_EXPIRE)) return REDISMODULE_ERR;
  const mstime_t at = expire == REDISMODULE_NO_EXPIRE ? 0 : expire + key->db->keyspace().now_ms();
  return SetExpireAt(key, at, expire == REDISMODULE_NO_EXPIRE);
}

unsigned long long DbSize(RedisModuleCtx* ctx) { return ctx->db().size(); }

RedisModuleString* RandomKey(RedisModuleCtx* ctx) {
  Entry* entry = ctx->db().RandomEntry();
  if (entry == nullptr) return nullptr;
  RedisModuleString* name = NewModuleString(entry->key());
  ctx->Track(Kind::kString, name);
  return name;
}

const RedisModuleString* GetKeyNameFromModuleKey(RedisModuleKey* key) {
  return key == nullptr ? nullptr : key->NameString();
}

int GetDbIdFromModuleKey(RedisModuleKey* key) { return key == nullptr ? -1 : key->db->index(); }

const RedisModuleString* GetKeyNameFromOptCtx(RedisModuleKeyOptCtx* ctx) { return ctx->from_key; }
const RedisModuleString* GetToKeyNameFromOptCtx(RedisModuleKeyOptCtx* ctx) { return ctx->to_key; }
int GetDbIdFromOptCtx(RedisModuleKeyOptCtx* ctx) { return ctx->from_db; }
int GetToDbIdFromOptCtx(RedisModuleKeyOptCtx* ctx) { return ctx->to_db; }

int SignalModifiedKey(RedisModuleCtx* ctx, RedisModuleString* keyname) {
  ctx->db().keyspace().KeyModified(ctx->db(), keyname->view());
  return REDISMODULE_OK;
}

}  // namespace

void RegisterKeyApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(KeyExists),
      BACKPLANE_API_ROW(OpenKey),
      BACKPLANE_API_ROW(GetOpenKeyModesAll),
      BACKPLANE_API_ROW(CloseKey),
      BACKPLANE_API_ROW(KeyType),
      BACKPLANE_API_ROW(ValueLength),
      BACKPLANE_API_ROW(DeleteKey),
      BACKPLANE_API_ROW(UnlinkKey),
      BACKPLANE_API_ROW(GetExpire),
      BACKPLANE_API_ROW(SetExpire),
      BACKPLANE_API_ROW(GetAbsExpire),
      BACKPLANE_API_ROW(SetAbsExpire),
      BACKPLANE_API_ROW(DbSize),
      BACKPLANE_API_ROW(RandomKey),
      BACKPLANE_API_ROW(GetKeyNameFromModuleKey),
      BACKPLANE_API_ROW(GetDbIdFromModuleKey),
      BACKPLANE_API_ROW(GetKeyNameFromOptCtx),
      BACKPLANE_API_ROW(GetToKeyNameFromOptCtx),
      BACKPLANE_API_ROW(GetDbIdFromOptCtx),
      BACKPLANE_API_ROW(GetToDbIdFromOptCtx),
      BACKPLANE_API_ROW(SignalModifiedKey),
  };
  table.Add(rows);
}

}  // namespace backplane
