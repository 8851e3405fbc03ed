// SPDX-License-Identifier: BSD-3-Clause
// TypeRegistry: the value types of all modules, and dormant AUX fields. Turns stored bytes into
// live values and back (ModuleValues). Whole keyspaces are the business of ValueSwap. Engine
// thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "value/dormant_value.h"

namespace backplane {

class Module;
class ModuleHost;
class ModuleType;

// An AUX field that waits for its module.
struct DormantAux {
  uint64_t type_id;
  int when;
  std::string body;
};

class TypeRegistry final : public ModuleValues {
 public:
  explicit TypeRegistry(ModuleHost* host) : host_(host) {}

  void Add(ModuleType* type) { types_.push_back(type); }
  void Remove(ModuleType* type) { std::erase(types_, type); }
  // By the nine-character name.
  ModuleType* Find(std::string_view name) const;
  const std::vector<ModuleType*>& types() const { return types_; }
  // Whether values of the type may be made: it is registered (a thread of a module that is gone may
  // still have its handle), and its module does not retire.
  bool MayHaveValues(const ModuleType* type) const;

  // --- ModuleValues ---
  Result<std::unique_ptr<Value>> Revive(uint64_t type_id, std::string_view body,
                                        std::string_view key, int db) override;
  Status LoadAux(uint64_t type_id, int when, std::string_view body) override;
  void SaveAux(int when, AuxOut& out) override;
  void SavingKey(std::string_view key, int db) override {
    saving_key_ = key;
    saving_db_ = db;
  }
  bool RewriteValue(const Value& value, std::string_view key, int db, CommandOut& out) override;
  void DataReplaced() override { dormant_aux_.clear(); }

  // The key announced for the value that is saved now, once; null data when there is none.
  std::string_view TakeSavingKey(int* db) {
    *db = saving_db_;
    return std::exchange(saving_key_, {});
  }

  // Runs rdb_load over a body. kCorrupt when the module refused it or did not read all.
  Result<std::unique_ptr<Value>> Load(ModuleType& type, int encver, std::string_view body,
                                      std::string_view key, int db);

  // --- AUX fields ---
  const std::vector<DormantAux>& dormant_aux() const { return dormant_aux_; }
  // What the module's types would write into a file now.
  std::vector<DormantAux> CaptureAux(Module& module);
  void KeepAux(std::vector<DormantAux> fields);
  // Hands the module its dormant fields of that time; returns those that it has read. One that it
  // could not read stays dormant, and the first of these errors is returned in *error.
  std::vector<DormantAux> ReviveAux(Module& module, int when, std::string* error);

 private:
  Status LoadLiveAux(ModuleType& type, const DormantAux& aux);
  // Calls f(type id, body) for the fields of that time; `only` null: of all modules.
  template <class F>
  void SaveLiveAux(int when, const Module* only, F&& f);

  ModuleHost* host_;
  std::vector<ModuleType*> types_;
  std::vector<DormantAux> dormant_aux_;
  std::string_view saving_key_;
  int saving_db_ = -1;
};

}  // namespace backplane
