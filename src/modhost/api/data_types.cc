// SPDX-License-Identifier: BSD-3-Clause
// API area: value types of modules.
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/body_stream.h"
#include "modhost/host.h"
#include "modhost/key.h"
#include "modhost/module_io.h"
#include "modhost/module_type.h"
#include "value/dormant_value.h"

namespace backplane {
namespace {

RedisModuleType* CreateDataType(RedisModuleCtx* ctx, const char* name, int encver,
                                RedisModuleTypeMethods* methods) {
  ModuleHost& host = ctx->host();
  if (!ctx->module->loading()) return nullptr;
  const uint64_t id = ModuleTypeId(name, encver);
  if (id == 0 || std::string_view(name) == "AAAAAAAAA") return nullptr;
  if (host.types().Find(name) != nullptr) return nullptr;
  if (methods->version < 1 || methods->version > REDISMODULE_TYPE_METHOD_VERSION) return nullptr;
  auto* type =
      ctx->module->Own(std::make_unique<ModuleType>(ctx->module, name, encver, id, *methods));
  return type->handle();
}

int ModuleTypeSetValue(RedisModuleKey* key, RedisModuleType* mt, void* value) {
  if (!CanWrite(key) || key->iterating()) return REDISMODULE_ERR;
  ModuleType* type = ModuleType::From(mt);
  if (!key->module->host().types().MayHaveValues(type)) return REDISMODULE_ERR;
  auto holder = std::make_unique<ModuleValue>(type, value);
  // Looked up anew: the handle's entry may be replaced.
  key->entry();
  key->SetEntry(key->db->SetValue(key->key(), std::move(holder)));
  key->Changed();
  if (type->module()->freezing())
    key->module->host().sweeps().NoteLive(key->db->index(), key->name);
  return REDISMODULE_OK;
}

// The live value of the key; a dormant one whose module is here is revived.
ModuleValue* ValueOf(RedisModuleKey* key) {
  Entry* entry = EntryOf(key);
  if (entry == nullptr || entry->type() != TypeId::kModule) return nullptr;
  if (AsDormant(entry->value()) != nullptr) [[unlikely]] {
    const bool live = key->module->host().swap().ReviveKey(*key->db, &entry, key->name);
    key->SetEntry(entry);
    if (!live) return nullptr;
  }
  ModuleValue* value = AsModuleValue(entry->value());
  Module* owner = value->module_type().module();
  // A thread of a module that is gone looks for its own values: its successor's are not.
  if (owner != key->module && key->module->retiring()) [[unlikely]]
    return nullptr;
  // Who has the pointer and the right to write may change the value behind it.
  if (value->copy() != nullptr && key->writable()) [[unlikely]]
    value->set_copy(nullptr);
  return value;
}

RedisModuleType* ModuleTypeGetType(RedisModuleKey* key) {
  ModuleValue* value = ValueOf(key);
  return value == nullptr ? nullptr : value->module_type().handle();
}

void* ModuleTypeGetValue(RedisModuleKey* key) {
  ModuleValue* value = ValueOf(key);
  return value == nullptr ? nullptr : value->data();
}

int ModuleTypeReplaceValue(RedisModuleKey* key, RedisModuleType* mt, void* new_value,
                           void** old_value) {
  if (!CanWrite(key) || key->iterating()) return REDISMODULE_ERR;
  ModuleValue* value = ValueOf(key);
  if (value == nullptr || &value->module_type() != ModuleType::From(mt)) return REDISMODULE_ERR;
  void* old = value->Exchange(new_value);
  if (old_value != nullptr) *old_value = old;
  key->Changed();
  return REDISMODULE_OK;
}

void* LoadDataTypeFromStringEncver(const RedisModuleString* str, const RedisModuleType* mt,
                                   int encver) {
  ModuleType* type = ModuleType::From(mt);
  BodyReader reader(str->view());
  RedisModuleIO io;
  io.type = type;
  io.reader = reader.reader();
  void* value = type->methods().rdb_load(&io, encver);
  if (io.error && value != nullptr) {
    if (type->methods().free != nullptr) type->methods().free(value);
    return nullptr;
  }
  return value;
}

void* LoadDataTypeFromString(const RedisModuleString* str, const RedisModuleType* mt) {
  return LoadDataTypeFromStringEncver(str, mt, 0);
}

RedisModuleString* SaveDataTypeToString(RedisModuleCtx* ctx, void* data,
                                        const RedisModuleType* mt) {
  ModuleType* type = ModuleType::From(mt);
  BodyWriter writer(true);
  RedisModuleIO io;
  io.type = type;
  io.writer = writer.writer();
  type->methods().rdb_save(&io, data);
  if (io.error) return nullptr;
  RedisModuleString* string = NewModuleString(writer.bytes());
  if (ctx != nullptr) ctx->Track(RedisModuleCtx::Kind::kString, string);
  return string;
}

int GetTypeMethodVersion() { return REDISMODULE_TYPE_METHOD_VERSION; }

}  // namespace

void RegisterDataTypeApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(CreateDataType),
      BACKPLANE_API_ROW(ModuleTypeSetValue),
      BACKPLANE_API_ROW(ModuleTypeGetType),
      BACKPLANE_API_ROW(ModuleTypeGetValue),
      BACKPLANE_API_ROW(ModuleTypeReplaceValue),
      BACKPLANE_API_ROW(LoadDataTypeFromString),
      BACKPLANE_API_ROW(LoadDataTypeFromStringEncver),
      BACKPLANE_API_ROW(SaveDataTypeToString),
      BACKPLANE_API_ROW(GetTypeMethodVersion),
  };
  table.Add(rows);
}

}  // namespace backplane
