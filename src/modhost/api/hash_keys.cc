// SPDX-License-Identifier: BSD-3-Clause
// API area: keys of type hash.
#include <cerrno>
#include <cstdarg>

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/host.h"
#include "modhost/key.h"
#include "value/hash_value.h"

namespace backplane {
namespace {

constexpr int kSetFlags = REDISMODULE_HASH_NX | REDISMODULE_HASH_XX | REDISMODULE_HASH_CFIELDS |
                          REDISMODULE_HASH_COUNT_ALL;

struct SetCounts {
  int updated = 0;  // fields that were there
  int added = 0;
};

// One pair of HashSet. *hash stays null while the key is empty and nothing was set.
void SetField(RedisModuleKey* key, HashValue** hash, std::string_view field,
              RedisModuleString* value, int flags, SetCounts* counts) {
  const bool exists = *hash != nullptr && (*hash)->Contains(field);
  if (((flags & REDISMODULE_HASH_XX) != 0 && !exists) ||
      ((flags & REDISMODULE_HASH_NX) != 0 && exists)) {
    return;
  }
  if (value == REDISMODULE_HASH_DELETE) {
    if (exists && (*hash)->Erase(field)) ++counts->updated;
    return;
  }
  if (*hash == nullptr) *hash = ValueForWrite<HashValue>(key, TypeId::kHash);
  (*hash)->Set(field, value->view(), key->db->keyspace().limits());
  exists ? ++counts->updated : ++counts->added;
}

int HashSet(RedisModuleKey* key, int flags, ...) {
  errno = 0;
  if (key == nullptr || (flags & ~kSetFlags) != 0) {
    errno = EINVAL;
    return 0;
  }
  Entry* entry = EntryOf(key);
  if (entry != nullptr && entry->type() != TypeId::kHash) {
    errno = ENOTSUP;
    return 0;
  }
  if (!CanWrite(key)) {
    errno = EBADF;
    return 0;
  }
  HashValue* hash = entry == nullptr ? nullptr : &entry->As<HashValue>();
  SetCounts counts;
  va_list values;
  va_start(values, flags);
  for (;;) {
    std::string_view field;
    if ((flags & REDISMODULE_HASH_CFIELDS) != 0) {
      const char* name = va_arg(values, char*);
      if (name == nullptr) break;
      field = name;
    } else {
      RedisModuleString* name = va_arg(values, RedisModuleString*);
      if (name == nullptr) break;
      field = name->view();
    }
    SetField(key, &hash, field, va_arg(values, RedisModuleString*), flags, &counts);
  }
  va_end(values);
  if (counts.updated + counts.added > 0) key->Changed();
  DeleteIfEmptied(key);
  const int count = counts.updated + ((flags & REDISMODULE_HASH_COUNT_ALL) != 0 ? counts.added : 0);
  if (count == 0) errno = ENOENT;
  return count;
}

int HashGet(RedisModuleKey* key, int flags, ...) {
  if (key == nullptr) return REDISMODULE_ERR;
  Entry* entry = EntryOf(key);
  if (entry != nullptr && entry->type() != TypeId::kHash) return REDISMODULE_ERR;
  const HashValue* hash = entry == nullptr ? nullptr : &entry->As<HashValue>();
  va_list values;
  va_start(values, flags);
  for (;;) {
    std::string_view field;
    if ((flags & REDISMODULE_HASH_CFIELDS) != 0) {
      const char* name = va_arg(values, char*);
      if (name == nullptr) break;
      field = name;
    } else {
      RedisModuleString* name = va_arg(values, RedisModuleString*);
      if (name == nullptr) break;
      field = name->view();
    }
    Item item;
    const bool found = hash != nullptr && hash->Get(field, &item);
    if ((flags & REDISMODULE_HASH_EXISTS) != 0) {
      *va_arg(values, int*) = found ? 1 : 0;
    } else if ((flags & REDISMODULE_HASH_EXPIRE_TIME) != 0) {
      *va_arg(values, mstime_t*) = REDISMODULE_NO_EXPIRE;
    } else {
      RedisModuleString** target = va_arg(values, RedisModuleString**);
      ItemText scratch;
      *target = found ? NewModuleString(item.Text(scratch)) : nullptr;
      if (found) key->ctx->Track(RedisModuleCtx::Kind::kString, *target);
    }
  }
  va_end(values);
  return REDISMODULE_OK;
}

// Fields have no expire times yet.
mstime_t HashFieldMinExpire(RedisModuleKey* key) { return REDISMODULE_NO_EXPIRE; }

}  // namespace

void RegisterHashApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(HashSet),
      BACKPLANE_API_ROW(HashGet),
      BACKPLANE_API_ROW(HashFieldMinExpire),
  };
  table.Add(rows);
}

}  // namespace backplane
