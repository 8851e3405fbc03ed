// SPDX-License-Identifier: BSD-3-Clause
// EvalScripts: the scripts of EVAL and SCRIPT LOAD, compiled once and kept until SCRIPT FLUSH. They
// are found by their text, so that EVAL computes no digest, and by its SHA-1. Engine thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "script/lua_vm.h"
#include "script/script_runner.h"

namespace backplane {

class EvalScripts {
 public:
  struct Script {
    std::string sha1;
    std::string body;
    uint32_t flags = 0;  // ScriptFlag
    // It begins with "#!": its flags say all that it may do.
    bool has_shebang = false;
    int ref = LUA_NOREF;
  };

  explicit EvalScripts(ScriptRunner* runner);

  // The script of that text, compiled if it is new. An error is the whole error text.
  Result<const Script*> Load(std::string_view body);
  // Null when it is not there. Case does not matter.
  const Script* Find(std::string_view sha1) const;
  // REQUIRES: no script runs.
  void Flush();
  // Runs one with keys, then arguments, from args on, and replies.
  void Run(CommandContext& ctx, const Script& script, const std::string_view* args, size_t keys,
           size_t total);

  size_t count() const { return by_sha1_.size(); }
  size_t vm_memory() const { return vm_->memory(); }
  // Of the cache besides the Lua state.
  size_t memory() const { return memory_; }

 private:
  Result<const Script*> Add(std::string_view body);

  ScriptRunner& runner_;
  std::unique_ptr<LuaVm> vm_;
  std::unordered_map<std::string, std::unique_ptr<Script>> by_sha1_;
  std::unordered_map<std::string_view, const Script*> by_body_;  // views into the scripts
  size_t memory_ = 0;
};

}  // namespace backplane
