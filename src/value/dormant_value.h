// SPDX-License-Identifier: BSD-3-Clause
// DormantValue: a module's value whose module is not loaded, kept as the raw bytes of its RDB form
// and written back unchanged. ModuleValues: how the layers that read files hand such bytes to the
// module host, which knows the registered types. Engine thread.
//
//   module value in an RDB = type byte 7 (MODULE_2), id, body
//   id   = RDB length: nine 6-bit characters of the type's name, then 10 bits of encoding version
//   body = { opcode payload } EOF      opcode = RDB length: 0 EOF, 1 SINT, 2 UINT (RDB length
//   each), 3 FLOAT (4 bytes), 4 DOUBLE (8 bytes), 5 STRING
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "value/value.h"

namespace backplane {

// The nine-character name in a module type id, and its encoding version.
std::string ModuleTypeName(uint64_t id);
inline int ModuleTypeEncodingVersion(uint64_t id) { return static_cast<int>(id & 1023); }
// 0 when the name is not nine characters of [A-Za-z0-9_-] or encver is not in [0, 1023].
uint64_t ModuleTypeId(std::string_view name, int encver);

class DormantValue;

// All dormant values of one type id: what TYPE answers for them, and how much they are. Owned by
// DormantTypes. The counts and errors may be changed by the lazy-free thread.
class DormantType final : public ValueType {
 public:
  explicit DormantType(uint64_t type_id) : type_id_(type_id), name_(ModuleTypeName(type_id)) {}

  TypeId id() const override { return TypeId::kModule; }
  std::string_view name() const override { return name_; }
  bool is_dormant() const override { return true; }
  uint64_t type_id() const { return type_id_; }
  int encver() const { return ModuleTypeEncodingVersion(type_id_); }

  // Values alive, and the bytes that they take.
  int64_t values() const { return values_.load(std::memory_order_relaxed); }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Of these, how many their module could not read, and why it could not read one of them.
  size_t failed_values() const;
  std::string last_error() const;
  // The values that could not be read may be tried again. REQUIRES: the lazy-free thread is idle.
  void ForgetErrors();

 private:
  friend class DormantValue;

  uint64_t type_id_;
  std::string name_;
  std::atomic<int64_t> values_{0};
  std::atomic<int64_t> bytes_{0};
  mutable std::mutex mutex_;
  // Few: only values that a module refused.
  std::unordered_map<DormantValue*, std::string> errors_;
  std::string last_error_;
};

// The dormant types of a keyspace. Values point to them, so they stay until it goes. Engine thread.
class DormantTypes {
 public:
  DormantTypes() = default;
  DormantTypes(const DormantTypes&) = delete;
  DormantTypes& operator=(const DormantTypes&) = delete;

  DormantType& Of(uint64_t type_id) {
    std::unique_ptr<DormantType>& type = types_[type_id];
    if (type == nullptr) type = std::make_unique<DormantType>(type_id);
    return *type;
  }
  // By type id, so versions of a type follow each other.
  const std::map<uint64_t, std::unique_ptr<DormantType>>& all() const { return types_; }
  // Values of that type, in any version, that nobody has tried to read in vain.
  int64_t Revivable(std::string_view type_name) const;

 private:
  std::map<uint64_t, std::unique_ptr<DormantType>> types_;
};

// One allocation: the object, then its body.
class DormantValue final : public Value {
 public:
  // `body` up to and including EOF, as CaptureModuleBody returned it. It is copied. `type` outlives
  // the value.
  static std::unique_ptr<DormantValue> New(DormantType& type, std::string_view body);
  ~DormantValue() override;

  uint64_t type_id() const { return type_->type_id(); }
  std::string_view body() const {
    return {reinterpret_cast<const char*>(this + 1), static_cast<size_t>(size_)};
  }
  // Why the module could not read it at the last attempt; empty when it was not tried.
  bool failed() const { return failed_; }
  std::string last_error() const;
  void set_last_error(std::string text);

  const ValueType& type() const override { return *type_; }
  std::string_view encoding_name() const override { return "raw"; }
  uint64_t length() const override { return 1; }
  size_t MemoryUsage(size_t) const override { return Footprint(); }
  size_t FreeEffort() const override { return 1; }
  std::unique_ptr<Value> Clone() const override { return New(*type_, body()); }
  uint8_t rdb_type(int) const override { return 7; }
  void Save(ValueWriter& writer) const override;

  static void operator delete(void* memory) { ::operator delete(memory); }

 private:
  friend class DormantType;

  DormantValue(DormantType& type, std::string_view body);
  static void* operator new(size_t size, size_t body_size) {
    return ::operator new(size + body_size);
  }
  static void operator delete(void* memory, size_t, size_t) { ::operator delete(memory); }
  size_t Footprint() const { return sizeof(*this) + static_cast<size_t>(size_); }

  DormantType* type_;
  uint64_t size_ : 63;
  uint64_t failed_ : 1;
};
static_assert(sizeof(DormantValue) == 24);

// Null when the value is none (type kModule covers live module values too).
inline const DormantValue* AsDormant(const Value& value) {
  return value.type().is_dormant() ? static_cast<const DormantValue*>(&value) : nullptr;
}
inline DormantValue* AsDormant(Value& value) {
  return value.type().is_dormant() ? static_cast<DormantValue*>(&value) : nullptr;
}

// Reads a body from the stream up to and including EOF and returns its bytes unchanged. kCorrupt:
// unknown opcode or end of input.
Result<std::string> CaptureModuleBody(CapturingReader& reader);

// Implemented by the module host; RDB loading and saving, RESTORE and AOF use it. Without one,
// every module value is dormant.
class ModuleValues {
 public:
  virtual ~ModuleValues() = default;
  // A live value made by the registered type of this name from the body. nullptr: no type of the
  // name is registered (the value stays dormant). An error: the module refused the bytes (the value
  // stays dormant too, with the error recorded).
  virtual Result<std::unique_ptr<Value>> Revive(uint64_t type_id, std::string_view body,
                                                std::string_view key, int db) = 0;

  // AUX fields. when: 1 before the RDB's keys, 2 after them. LoadAux keeps the field dormant when
  // its type is not registered; an error aborts loading.
  virtual Status LoadAux(uint64_t type_id, int when, std::string_view body) = 0;
  // Calls out(type_id, body) for each field to write, live ones first, dormant ones after. `body`
  // ends with EOF.
  class AuxOut {
   public:
    virtual ~AuxOut() = default;
    virtual void Field(uint64_t type_id, std::string_view body) = 0;
  };
  virtual void SaveAux(int when, AuxOut& out) = 0;
  // Whose value the next Save of a module value writes: its callback may ask.
  virtual void SavingKey(std::string_view key, int db) {}
  // The commands that make the value again, as its type says (aof_rewrite). False, and nothing that
  // counts has been told: its type does not say, or is not registered.
  class CommandOut {
   public:
    virtual ~CommandOut() = default;
    virtual void Command(std::span<const std::string_view> args) = 0;
  };
  virtual bool RewriteValue(const Value& value, std::string_view key, int db, CommandOut& out) {
    return false;
  }
  // The data set is being replaced: AUX fields that were kept of the old one are forgotten.
  virtual void DataReplaced() {}
};

}  // namespace backplane
