// SPDX-License-Identifier: BSD-3-Clause
// API area: keys of type list.
#include <cerrno>

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/host.h"
#include "modhost/key.h"
#include "value/list_value.h"

namespace backplane {
namespace {

int Refuse(int error) {
  errno = error;
  return REDISMODULE_ERR;
}

const EncodingLimits& LimitsOf(RedisModuleKey* key) { return key->db->keyspace().limits(); }

// The list of a key that must hold one; null with errno.
ListValue* ListOf(RedisModuleKey* key, bool for_write) {
  if (key == nullptr) {
    errno = EINVAL;
    return nullptr;
  }
  Entry* entry = EntryOf(key);
  if (entry == nullptr || entry->type() != TypeId::kList) {
    errno = ENOTSUP;
    return nullptr;
  }
  if (for_write ? !CanWrite(key) : !CanRead(key)) {
    errno = EBADF;
    return nullptr;
  }
  return &entry->As<ListValue>();
}

int ListPush(RedisModuleKey* key, int where, RedisModuleString* ele) {
  if (key == nullptr || ele == nullptr) return Refuse(EINVAL);
  Entry* entry = EntryOf(key);
  if (entry != nullptr && entry->type() != TypeId::kList) return Refuse(ENOTSUP);
  if (!CanWrite(key)) return Refuse(EBADF);
  ListValue* list = ValueForWrite<ListValue>(key, TypeId::kList);
  list->PrepareToGrow(ele->size, 1, LimitsOf(key));
  list->Push(where == REDISMODULE_LIST_HEAD ? ListEnd::kHead : ListEnd::kTail, ele->view(),
             LimitsOf(key));
  key->Changed();
  return REDISMODULE_OK;
}

RedisModuleString* NewElement(RedisModuleKey* key, const Item& item) {
  ItemText scratch;
  RedisModuleString* string = NewModuleString(item.Text(scratch));
  key->ctx->Track(RedisModuleCtx::Kind::kString, string);
  return string;
}

RedisModuleString* ListPop(RedisModuleKey* key, int where) {
  ListValue* list = ListOf(key, true);
  if (list == nullptr) return nullptr;
  const ListEnd end = where == REDISMODULE_LIST_HEAD ? ListEnd::kHead : ListEnd::kTail;
  RedisModuleString* element = NewElement(key, list->Peek(end));
  list->Drop(end, 1, LimitsOf(key));
  key->Changed();
  DeleteIfEmptied(key);
  return element;
}

RedisModuleString* ListGet(RedisModuleKey* key, long index) {
  ListValue* list = ListOf(key, false);
  if (list == nullptr) return nullptr;
  Item item;
  if (!list->At(index, &item)) {
    errno = EDOM;
    return nullptr;
  }
  return NewElement(key, item);
}

int ListSet(RedisModuleKey* key, long index, RedisModuleString* value) {
  if (value == nullptr) return Refuse(EINVAL);
  ListValue* list = ListOf(key, true);
  if (list == nullptr) return REDISMODULE_ERR;
  if (!list->Set(index, value->view(), LimitsOf(key))) return Refuse(EDOM);
  key->Changed();
  return REDISMODULE_OK;
}

int ListInsert(RedisModuleKey* key, long index, RedisModuleString* value) {
  if (value == nullptr) return Refuse(EINVAL);
  // On an empty key, the ends are the only places.
  if (key != nullptr && EntryOf(key) == nullptr && (index == 0 || index == -1)) {
    return ListPush(key, REDISMODULE_LIST_TAIL, value);
  }
  ListValue* list = ListOf(key, true);
  if (list == nullptr) return REDISMODULE_ERR;
  const auto size = static_cast<int64_t>(list->length());
  // The new element gets the index: -1 is behind the last, -size-1 before the first.
  const int64_t at = index >= 0 ? index : size + 1 + index;
  if (at < 0 || at > size) return Refuse(EDOM);
  list->PrepareToGrow(value->size, 1, LimitsOf(key));
  list->InsertAt(static_cast<uint64_t>(at), value->view(), LimitsOf(key));
  key->Changed();
  return REDISMODULE_OK;
}

int ListDelete(RedisModuleKey* key, long index) {
  ListValue* list = ListOf(key, true);
  if (list == nullptr) return REDISMODULE_ERR;
  const auto size = static_cast<int64_t>(list->length());
  const int64_t at = index >= 0 ? index : size + index;
  if (at < 0 || at >= size) return Refuse(EDOM);
  list->EraseRange(static_cast<uint64_t>(at), 1, LimitsOf(key));
  key->Changed();
  DeleteIfEmptied(key);
  return REDISMODULE_OK;
}

}  // namespace

void RegisterListApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(ListPush), BACKPLANE_API_ROW(ListPop),    BACKPLANE_API_ROW(ListGet),
      BACKPLANE_API_ROW(ListSet),  BACKPLANE_API_ROW(ListInsert), BACKPLANE_API_ROW(ListDelete),
  };
  table.Add(rows);
}

}  // namespace backplane
