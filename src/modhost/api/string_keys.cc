// SPDX-License-Identifier: BSD-3-Clause
// API area: keys of type string.
#include "base/numbers.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/host.h"
#include "modhost/key.h"

namespace backplane {
namespace {

constexpr size_t kStringMax = 512ull << 20;

int StringSet(RedisModuleKey* key, RedisModuleString* str) {
  if (!CanWrite(key) || key->iterating()) return REDISMODULE_ERR;
  key->SetEntry(key->db->SetStringAt(EntryOf(key), key->key(), str->view(), TtlPolicy::kDrop));
  key->Changed();
  return REDISMODULE_OK;
}

// The bytes of the string in memory that may be written.
char* WritableBytes(RedisModuleKey* key, size_t* len) {
  Entry* entry = EntryOf(key);
  *len = entry->string_size();
  char* bytes = key->db->ResizeString(&entry, *len, false);
  key->SetEntry(entry);
  key->Changed();
  return bytes;
}

char* StringDMA(RedisModuleKey* key, size_t* len, int mode) {
  // Never null for an empty string, so that callers need not ask.
  static char empty[] = "";
  size_t ignored;
  if (len == nullptr) len = &ignored;
  Entry* entry = EntryOf(key);
  if (entry == nullptr) {
    *len = 0;
    return empty;
  }
  if (!entry->is_string()) return nullptr;
  if ((mode & REDISMODULE_WRITE) != 0) return WritableBytes(key, len);
  const std::string_view text = entry->string(key->number_text);
  *len = text.size();
  return const_cast<char*>(text.data());
}

int StringTruncate(RedisModuleKey* key, size_t newlen) {
  if (!CanWrite(key) || newlen > kStringMax) return REDISMODULE_ERR;
  Entry* entry = EntryOf(key);
  if (entry != nullptr && !entry->is_string()) return REDISMODULE_ERR;
  if (entry == nullptr) {
    if (newlen == 0) return REDISMODULE_OK;
    entry = key->db->SetStringAt(nullptr, key->key(), "", TtlPolicy::kDrop);
  }
  key->db->ResizeString(&entry, newlen, false);
  key->SetEntry(entry);
  key->Changed();
  return REDISMODULE_OK;
}

}  // namespace

void RegisterStringKeyApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(StringSet),
      BACKPLANE_API_ROW(StringDMA),
      BACKPLANE_API_ROW(StringTruncate),
  };
  table.Add(rows);
}

}  // namespace backplane
