// SPDX-License-Identifier: BSD-3-Clause
// ModuleType and ModuleValue: a value type that a module implements, as the server's ValueType and
// Value. Engine thread; a value's free callback may run on the lazy-free thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "modhost/api_signatures.h"
#include "modhost/registration.h"
#include "value/dormant_value.h"
#include "value/value.h"

namespace backplane {

class ModuleHost;

class ModuleType final : public Registration, public ValueType {
 public:
  // `methods` is read up to the fields of its version; later ones stay null.
  ModuleType(Module* module, std::string name, int encver, uint64_t type_id,
             const RedisModuleTypeMethods& methods);
  ~ModuleType() override;
  const char* kind() const override { return "type"; }

  TypeId id() const override { return TypeId::kModule; }
  std::string_view name() const override { return name_; }
  int encver() const { return encver_; }
  uint64_t type_id() const { return type_id_; }
  const RedisModuleTypeMethods& methods() const { return methods_; }
  // Values alive, in any database or outside.
  std::atomic<int64_t>& value_count() { return value_count_; }
  // Writes the body of a value, EOF included. `key` and `db` as the callback may ask for them.
  void SaveBody(void* data, std::string_view key, int db, ValueWriter& writer);
  // Has the module tell the commands that make the value again. False: it cannot, or has failed.
  bool Rewrite(void* data, std::string_view key, int db, ModuleValues::CommandOut& out);

  RedisModuleType* handle() { return reinterpret_cast<RedisModuleType*>(this); }
  static ModuleType* From(const RedisModuleType* handle) {
    return reinterpret_cast<ModuleType*>(const_cast<RedisModuleType*>(handle));
  }

 private:
  std::string name_;
  int encver_;
  uint64_t type_id_;
  RedisModuleTypeMethods methods_{};
  std::atomic<int64_t> value_count_{0};
};

class ModuleValue final : public Value {
 public:
  // Takes `data`, which the type's free callback will get.
  ModuleValue(ModuleType* type, void* data);
  ~ModuleValue() override;

  ModuleType& module_type() const { return *type_; }
  void* data() const { return data_; }
  // The old pointer goes to the caller.
  void* Exchange(void* data);

  // Bytes of it as they were when an upgrade serialised it in advance; null when it was not, or may
  // have been changed since. Who lets a module change the value forgets them.
  DormantValue* copy() const { return copy_.get(); }
  void set_copy(std::unique_ptr<DormantValue> copy) { copy_ = std::move(copy); }
  std::unique_ptr<DormantValue> TakeCopy() { return std::move(copy_); }

  const ValueType& type() const override { return *type_; }
  std::string_view encoding_name() const override { return "raw"; }
  uint64_t length() const override { return 1; }
  size_t MemoryUsage(size_t samples) const override;
  size_t FreeEffort() const override;
  std::unique_ptr<Value> Clone() const override;
  bool can_clone() const override {
    return type_->methods().copy != nullptr || type_->methods().copy2 != nullptr;
  }
  std::string OwnDigest(std::string_view key, int db) const override;
  uint8_t rdb_type(int rdb_version) const override { return 7; }
  void Save(ValueWriter& writer) const override;

  bool Rewrite(std::string_view key, int db, ModuleValues::CommandOut& out) const {
    return type_->Rewrite(data_, key, db, out);
  }

  // The value at a key left the keyspace.
  void Unlinked(std::string_view key, int db) const;

 private:
  std::string_view SavedKey(int* db) const;

  ModuleType* type_;
  void* data_;
  std::unique_ptr<DormantValue> copy_;
};

// Null for a built-in or dormant value.
inline ModuleValue* AsModuleValue(Value& value) {
  const ValueType& type = value.type();
  if (type.id() != TypeId::kModule || type.is_dormant()) return nullptr;
  return static_cast<ModuleValue*>(&value);
}

}  // namespace backplane

// Which key a type callback of version 4 works on.
struct RedisModuleKeyOptCtx {
  RedisModuleString* from_key = nullptr;
  RedisModuleString* to_key = nullptr;
  int from_db = -1;
  int to_db = -1;
};
