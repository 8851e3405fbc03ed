// SPDX-License-Identifier: BSD-3-Clause
// TypeRegistry: reading and writing module values, revival of dormant ones.
#include "modhost/type_registry.h"

#include "modhost/body_stream.h"
#include "modhost/host.h"
#include "modhost/module_io.h"
#include "modhost/module_type.h"

namespace backplane {

ModuleType* TypeRegistry::Find(std::string_view name) const {
  for (ModuleType* type : types_) {
    if (type->name() == name) return type;
  }
  return nullptr;
}

Result<std::unique_ptr<Value>> TypeRegistry::Load(ModuleType& type, int encver,
                                                  std::string_view body, std::string_view key,
                                                  int db) {
  BodyReader reader(body);
  RedisModuleIO io;
  io.type = &type;
  io.reader = reader.reader();
  io.key = NewModuleString(key);
  io.db = db;
  void* data = type.methods().rdb_load(&io, encver);
  std::string who = "module type " + std::string(type.name());
  if (data == nullptr) return Fail(ErrorCode::kCorrupt, who + " could not read the value");
  auto value = std::make_unique<ModuleValue>(&type, data);
  if (io.error) return Fail(ErrorCode::kCorrupt, who + " read what is not in the value");
  if (!io.Expect(BodyOpcode::kEof)) {
    return Fail(ErrorCode::kCorrupt, who + " did not read the value to its end");
  }
  return value;
}

Result<std::unique_ptr<Value>> TypeRegistry::Revive(uint64_t type_id, std::string_view body,
                                                    std::string_view key, int db) {
  ModuleType* type = Find(ModuleTypeName(type_id));
  if (type == nullptr || type->methods().rdb_load == nullptr) {
    saw_dormant_ = true;
    return nullptr;
  }
  auto value = Load(*type, ModuleTypeEncodingVersion(type_id), body, key, db);
  if (!value) {
    saw_dormant_ = true;
    host_->logger().Warning("key '" + std::string(key) + "': " + value.error().message +
                            "; it is kept dormant");
  }
  return value;
}

Status TypeRegistry::LoadLiveAux(ModuleType& type, uint64_t type_id, int when,
                                 std::string_view body) {
  BodyReader reader(body);
  RedisModuleIO io;
  io.type = &type;
  io.reader = reader.reader();
  int result = type.methods().aux_load(&io, ModuleTypeEncodingVersion(type_id), when);
  if (result != REDISMODULE_OK || io.error || !io.Expect(BodyOpcode::kEof)) {
    return Fail(ErrorCode::kCorrupt,
                "module type " + std::string(type.name()) + " could not read its AUX data");
  }
  return {};
}

Status TypeRegistry::LoadAux(uint64_t type_id, int when, std::string_view body) {
  ModuleType* type = Find(ModuleTypeName(type_id));
  if (type != nullptr && type->methods().aux_load != nullptr) {
    return LoadLiveAux(*type, type_id, when, body);
  }
  dormant_aux_.push_back({type_id, when, std::string(body)});
  return {};
}

void TypeRegistry::SaveAux(int when, AuxOut& out) {
  for (ModuleType* type : types_) {
    const RedisModuleTypeMethods& m = type->methods();
    auto save = m.aux_save2 != nullptr ? m.aux_save2 : m.aux_save;
    if (save == nullptr || (m.aux_save_triggers & when) == 0) continue;
    BodyWriter writer;
    RedisModuleIO io;
    io.type = type;
    io.writer = writer.writer();
    save(&io, when);
    if (m.aux_save2 != nullptr && io.written == 0) continue;
    writer.writer()->WriteLength(static_cast<uint64_t>(BodyOpcode::kEof));
    out.Field(type->type_id(), writer.bytes());
  }
  for (const DormantAux& aux : dormant_aux_) {
    if (aux.when == when) out.Field(aux.type_id, aux.body);
  }
}

void TypeRegistry::ReviveAux(Module& module, int when, Report* report) {
  std::vector<DormantAux> fields;
  fields.swap(dormant_aux_);
  for (DormantAux& aux : fields) {
    ModuleType* type = Find(ModuleTypeName(aux.type_id));
    const bool ours = type != nullptr && type->module() == &module && aux.when == when &&
                      type->methods().aux_load != nullptr;
    Status loaded;
    if (ours) loaded = LoadLiveAux(*type, aux.type_id, aux.when, aux.body);
    if (ours && loaded) {
      ++report->revived;
      continue;
    }
    if (ours) {
      ++report->failed;
      host_->logger().Warning(loaded.error().message + "; it is kept dormant");
    }
    dormant_aux_.push_back(std::move(aux));
  }
}

void TypeRegistry::ReviveValues(Module& module, Report* report) {
  Keyspace& keyspace = host_->keyspace();
  for (int index = 0; index < keyspace.database_count(); ++index) {
    Database& db = keyspace.db(index);
    // The callbacks must not see the table in the middle of an iteration.
    std::vector<Entry*> dormant;
    db.ForEach([&](Entry* entry) {
      if (entry->type() != TypeId::kModule) return;
      if (AsDormant(entry->value()) == nullptr) return;
      ModuleType* type = Find(entry->value().type().name());
      if (type != nullptr && type->module() == &module) dormant.push_back(entry);
    });
    for (Entry* entry : dormant) {
      auto& old = static_cast<DormantValue&>(entry->value());
      auto value = Revive(old.type_id(), old.body(), entry->key(), index);
      if (value && *value != nullptr) {
        db.ReplaceValue(entry, std::move(*value));
        ++report->revived;
      } else {
        ++report->failed;
        old.set_last_error(value ? "its type has no rdb_load" : value.error().message);
      }
    }
  }
}

TypeRegistry::Report TypeRegistry::ReviveAll(Module& module) {
  Report report;
  if (!saw_dormant_ && dormant_aux_.empty()) return report;
  ReviveAux(module, REDISMODULE_AUX_BEFORE_RDB, &report);
  if (saw_dormant_) ReviveValues(module, &report);
  ReviveAux(module, REDISMODULE_AUX_AFTER_RDB, &report);
  return report;
}

}  // namespace backplane
