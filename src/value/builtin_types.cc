// SPDX-License-Identifier: BSD-3-Clause
// The constant ValueType objects; see builtin_types.h.
#include "value/builtin_types.h"

namespace backplane {
namespace {

class BuiltinType final : public ValueType {
 public:
  constexpr BuiltinType(TypeId id, std::string_view name) : id_(id), name_(name) {}
  TypeId id() const override { return id_; }
  std::string_view name() const override { return name_; }

 private:
  TypeId id_;
  std::string_view name_;
};

}  // namespace

// Function-local: constant data without an order of construction between files.
const ValueType& ListValueType() {
  static const BuiltinType type(TypeId::kList, "list");
  return type;
}

const ValueType& SetValueType() {
  static const BuiltinType type(TypeId::kSet, "set");
  return type;
}

const ValueType& ZSetValueType() {
  static const BuiltinType type(TypeId::kZSet, "zset");
  return type;
}

const ValueType& HashValueType() {
  static const BuiltinType type(TypeId::kHash, "hash");
  return type;
}

const ValueType& StreamValueType() {
  static const BuiltinType type(TypeId::kStream, "stream");
  return type;
}

}  // namespace backplane
