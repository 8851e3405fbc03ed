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

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "value/value.h"

namespace backplane {

// The nine-character name in a module type id, and its encoding version.
std::string ModuleTypeName(uint64_t id);
inline int ModuleTypeEncodingVersion(uint64_t id) { return static_cast<int>(id & 1023); }
// 0 when the name is not nine characters of [A-Za-z0-9_-] or encver is not in [0, 1023].
uint64_t ModuleTypeId(std::string_view name, int encver);

class DormantValue final : public Value {
 public:
  // `body` up to and including EOF, as CaptureModuleBody returned it.
  DormantValue(uint64_t type_id, std::string body);

  uint64_t type_id() const { return type_id_; }
  std::string_view body() const { return body_; }
  // Why the module could not read it at the last attempt; empty when it was not tried.
  const std::string& last_error() const { return last_error_; }
  void set_last_error(std::string text) { last_error_ = std::move(text); }

  const ValueType& type() const override { return type_; }
  std::string_view encoding_name() const override { return "raw"; }
  uint64_t length() const override { return 1; }
  size_t MemoryUsage(size_t) const override { return sizeof(*this) + body_.capacity(); }
  size_t FreeEffort() const override { return 1; }
  std::unique_ptr<Value> Clone() const override {
    return std::make_unique<DormantValue>(type_id_, body_);
  }
  uint8_t rdb_type(int) const override { return 7; }
  void Save(ValueWriter& writer) const override;

 private:
  class Type final : public ValueType {
   public:
    explicit Type(std::string name) : name_(std::move(name)) {}
    TypeId id() const override { return TypeId::kModule; }
    std::string_view name() const override { return name_; }

   private:
    std::string name_;
  };
  uint64_t type_id_;
  Type type_;
  std::string body_;
  std::string last_error_;
};

// True for a value of this class (type kModule covers live module values too).
const DormantValue* AsDormant(const Value& value);

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
  // The data set is being replaced: AUX fields that were kept of the old one are forgotten.
  virtual void DataReplaced() {}
};

}  // namespace backplane
