// SPDX-License-Identifier: BSD-3-Clause
// FunctionLibraries: the libraries of FUNCTION LOAD and their functions, a part of the data set:
// snapshots hold their code (persist/library_store.h). Engine thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "persist/library_store.h"
#include "script/function_registration.h"
#include "script/lua_vm.h"
#include "script/script_runner.h"

namespace backplane {

class FunctionLibraries final : public LibraryStore {
 public:
  struct Library {
    std::string name;
    std::string code;
    FunctionDeclarations functions;
  };
  enum class RestoreMode : uint8_t { kAppend, kReplace, kFlush };

  explicit FunctionLibraries(ScriptRunner* runner);

  // Runs the code and takes what it registers. Returns the library's name. After an error, whole
  // error text, nothing has changed.
  Result<std::string> Load(std::string_view code, bool replace);
  // False when there is none of that name.
  bool Delete(std::string_view name);
  void Flush();

  // Case does not matter. Null when there is none.
  const FunctionDeclaration* Find(std::string_view function) const;
  // Calls it with the keys and the arguments, as tables, and replies.
  void Call(CommandContext& ctx, const FunctionDeclaration& function, const std::string_view* args,
            size_t keys, size_t total);

  // All code, as FUNCTION DUMP gives it, and back. An error is the whole error text; nothing has
  // changed then.
  std::string Dump(int rdb_version, bool compress) const;
  Status Restore(std::string_view payload, RestoreMode mode);

  // By name.
  const std::map<std::string, std::unique_ptr<Library>, std::less<>>& all() const {
    return libraries_;
  }
  size_t function_count() const { return functions_.size(); }
  size_t vm_memory() const { return vm_->memory(); }
  size_t memory() const;

  // --- LibraryStore ---
  std::vector<std::string_view> LibraryCodes() const override;
  Status LoadLibrary(std::string_view code, bool replace) override;
  void ForgetLibraries() override { Flush(); }

 private:
  using Libraries = std::map<std::string, std::unique_ptr<Library>, std::less<>>;

  // Compiles and runs a library's code; the functions are kept in the state, not yet known here.
  Result<std::unique_ptr<Library>> Run(std::string_view code);
  // Why it cannot be added; empty when it can. `replaced`: libraries that go then.
  std::string Conflict(const Library& library, bool replace) const;
  void Add(std::unique_ptr<Library> library);
  void Remove(Libraries::iterator at);
  void DropFunctions(const Library& library);

  ScriptRunner& runner_;
  std::unique_ptr<LuaVm> vm_;
  Libraries libraries_;
  struct Place {
    const Library* library;
    const FunctionDeclaration* function;
  };
  std::unordered_map<std::string, Place> functions_;  // by name in lower case
};

}  // namespace backplane
