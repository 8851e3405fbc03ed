// SPDX-License-Identifier: BSD-3-Clause
// ApiTable: function name -> body, for GetApi. Each area's file in api/ adds its rows; a row is
// checked by the compiler against the function's description in api/ (backplane::api::X). Filled
// once when the host is built, then only read: any thread.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "modhost/api_signatures.h"

namespace backplane {

using AnyFunction = void (*)();

struct ApiRow {
  std::string_view name;  // without RedisModule_ or ValkeyModule_
  AnyFunction function = nullptr;
};

// `Type` names the described type, so a body of another type does not compile.
template <class Type>
ApiRow MakeApiRow(std::string_view name, std::type_identity_t<Type> function) {
  return {name, reinterpret_cast<AnyFunction>(function)};
}
// One row; the body has the name of the function.
#define BACKPLANE_API_ROW(Name) ::backplane::MakeApiRow<::backplane::api::Name>(#Name, &Name)

class ApiTable {
 public:
  void Add(std::span<const ApiRow> rows) { rows_.insert(rows_.end(), rows.begin(), rows.end()); }
  // After the last Add.
  void Seal() {
    std::sort(rows_.begin(), rows_.end(),
              [](const ApiRow& a, const ApiRow& b) { return a.name < b.name; });
  }
  // nullptr when there is none.
  AnyFunction Find(std::string_view name) const {
    auto it = std::lower_bound(
        rows_.begin(), rows_.end(), name,
        [](const ApiRow& row, std::string_view wanted) { return row.name < wanted; });
    return it != rows_.end() && it->name == name ? it->function : nullptr;
  }
  const std::vector<ApiRow>& rows() const { return rows_; }

 private:
  std::vector<ApiRow> rows_;
};

}  // namespace backplane
