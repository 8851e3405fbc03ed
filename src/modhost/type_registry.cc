// SPDX-License-Identifier: BSD-3-Clause
// TypeRegistry: reading and writing module values and AUX fields.
#include "modhost/type_registry.h"

#include <algorithm>

#include "modhost/body_stream.h"
#include "modhost/host.h"
#include "modhost/module_code.h"
#include "modhost/module_io.h"
#include "modhost/module_type.h"

namespace backplane {

ModuleType* TypeRegistry::Find(std::string_view name) const {
  for (ModuleType* type : types_) {
    if (type->name() == name) return type;
  }
  return nullptr;
}

bool TypeRegistry::MayHaveValues(const ModuleType* type) const {
  return std::find(types_.begin(), types_.end(), type) != types_.end() &&
         !type->module()->retiring();
}

Result<std::unique_ptr<Value>> TypeRegistry::Load(ModuleType& type, int encver,
                                                  std::string_view body, std::string_view key,
                                                  int db) {
  BodyReader reader(body);
  RedisModuleIO io;
  io.type = &type;
  io.reader = reader.reader();
  io.key_name = key;
  io.db = db;
  void* data;
  {
    ModuleCode mark(*type.module(), "rdb_load");
    data = type.methods().rdb_load(&io, encver);
  }
  auto fail = [&](const char* what) {
    return Fail(ErrorCode::kCorrupt, "module type " + std::string(type.name()) + " " + what);
  };
  if (data == nullptr) return fail("could not read the value");
  auto value = std::make_unique<ModuleValue>(&type, data);
  if (io.error) return fail("read what is not in the value");
  if (!io.Expect(BodyOpcode::kEof)) return fail("did not read the value to its end");
  return value;
}

Result<std::unique_ptr<Value>> TypeRegistry::Revive(uint64_t type_id, std::string_view body,
                                                    std::string_view key, int db) {
  ModuleType* type = Find(ModuleTypeName(type_id));
  if (type == nullptr || type->methods().rdb_load == nullptr || type->module()->freezing() ||
      type->module()->retiring()) {
    return nullptr;
  }
  auto value = Load(*type, ModuleTypeEncodingVersion(type_id), body, key, db);
  if (!value) {
    host_->logger().Warning("key '" + std::string(key) + "': " + value.error().message +
                            "; it is kept dormant");
  }
  return value;
}

Status TypeRegistry::LoadLiveAux(ModuleType& type, const DormantAux& aux) {
  BodyReader reader(aux.body);
  RedisModuleIO io;
  io.type = &type;
  io.reader = reader.reader();
  ModuleCallback mark(*type.module(), "aux_load");
  int result = type.methods().aux_load(&io, ModuleTypeEncodingVersion(aux.type_id), aux.when);
  if (result != REDISMODULE_OK || io.error || !io.Expect(BodyOpcode::kEof)) {
    return Fail(ErrorCode::kCorrupt,
                "module type " + std::string(type.name()) + " could not read its AUX data");
  }
  return {};
}

Status TypeRegistry::LoadAux(uint64_t type_id, int when, std::string_view body) {
  DormantAux aux{type_id, when, std::string(body)};
  ModuleType* type = Find(ModuleTypeName(type_id));
  if (type != nullptr && type->methods().aux_load != nullptr) return LoadLiveAux(*type, aux);
  dormant_aux_.push_back(std::move(aux));
  return {};
}

template <class F>
void TypeRegistry::SaveLiveAux(int when, const Module* only, F&& f) {
  BodyWriter writer(only == nullptr);
  for (ModuleType* type : types_) {
    if (only != nullptr && type->module() != only) continue;
    const RedisModuleTypeMethods& m = type->methods();
    auto save = m.aux_save2 != nullptr ? m.aux_save2 : m.aux_save;
    if (save == nullptr || (m.aux_save_triggers & when) == 0) continue;
    writer.Clear();
    RedisModuleIO io;
    io.type = type;
    io.writer = writer.writer();
    {
      ModuleCallback mark(*type->module(), "aux_save");
      save(&io, when);
    }
    if (m.aux_save2 != nullptr && io.written == 0) continue;
    writer.writer()->WriteLength(static_cast<uint64_t>(BodyOpcode::kEof));
    f(type->type_id(), writer.bytes());
  }
}

void TypeRegistry::SaveAux(int when, AuxOut& out) {
  SaveLiveAux(when, nullptr, [&](uint64_t id, std::string_view body) { out.Field(id, body); });
  for (const DormantAux& aux : dormant_aux_) {
    if (aux.when == when) out.Field(aux.type_id, aux.body);
  }
}

bool TypeRegistry::RewriteValue(const Value& value, std::string_view key, int db, CommandOut& out) {
  if (value.type().id() != TypeId::kModule || value.type().is_dormant()) return false;
  return static_cast<const ModuleValue&>(value).Rewrite(key, db, out);
}

std::vector<DormantAux> TypeRegistry::CaptureAux(Module& module) {
  std::vector<DormantAux> fields;
  for (int when : {REDISMODULE_AUX_BEFORE_RDB, REDISMODULE_AUX_AFTER_RDB}) {
    SaveLiveAux(when, &module, [&](uint64_t id, std::string_view body) {
      fields.push_back({id, when, std::string(body)});
    });
  }
  return fields;
}

void TypeRegistry::KeepAux(std::vector<DormantAux> fields) {
  for (DormantAux& aux : fields) dormant_aux_.push_back(std::move(aux));
}

std::vector<DormantAux> TypeRegistry::ReviveAux(Module& module, int when, std::string* error) {
  std::vector<DormantAux> fields;
  std::vector<DormantAux> read;
  fields.swap(dormant_aux_);
  for (DormantAux& aux : fields) {
    ModuleType* type = Find(ModuleTypeName(aux.type_id));
    const bool ours = type != nullptr && type->module() == &module && aux.when == when &&
                      type->methods().aux_load != nullptr;
    if (!ours) {
      dormant_aux_.push_back(std::move(aux));
      continue;
    }
    if (auto loaded = LoadLiveAux(*type, aux); !loaded) {
      host_->logger().Warning(loaded.error().message + "; it is kept dormant");
      if (error->empty()) *error = loaded.error().message;
      dormant_aux_.push_back(std::move(aux));
      continue;
    }
    read.push_back(std::move(aux));
  }
  return read;
}

}  // namespace backplane
