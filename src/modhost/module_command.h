// SPDX-License-Identifier: BSD-3-Clause
// ModuleCommand: a command or subcommand that a module registered, between the registry and the
// module's handler. Owned by the module. Engine thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "command/registry.h"
#include "modhost/api_signatures.h"
#include "modhost/registration.h"

namespace backplane {

class CommandContext;

// Where keys of a command stand, as a module described it. Positions count from the command's name.
struct KeyRule {
  uint32_t flags = 0;
  std::string keyword;  // the search begins behind this word; empty: at `begin`
  int begin = 0;        // with a keyword: looked for from here on; negative: backwards from the end
  bool counted = false;
  int count_at = 0;  // argument with the number of keys, from the start of the search
  int first = 0;     // first key, from there
  int step = 1;
  int last = 0;   // not counted: last key, from the start; negative: from the end
  int limit = 0;  // with last -1: only 1/limit of what is left
};

class ModuleCommand final : public Registration {
 public:
  // Registered by Register.
  ModuleCommand(Module* owner, RedisModuleCmdFunc body) : Registration(owner), function_(body) {}
  ~ModuleCommand() override;
  const char* kind() const override { return "command"; }

  // False when the name is taken. `parent` null: a top-level command.
  bool Register(ModuleCommand* parent, std::unique_ptr<Command> command);

  Command& command() const { return *command_; }
  RedisModuleCmdFunc function() const { return function_; }
  bool described = false;  // SetCommandInfo was called

  RedisModuleCommand* handle() { return reinterpret_cast<RedisModuleCommand*>(this); }
  static ModuleCommand* From(RedisModuleCommand* handle) {
    return reinterpret_cast<ModuleCommand*>(handle);
  }
  // Null when it is no module's.
  static ModuleCommand* Of(const Command& command);

  // The registry's handler and key finder.
  static void Run(CommandContext& ctx);
  static void FindKeysByRules(const Command& command, std::span<const std::string_view> args,
                              std::vector<int>* positions);
  static void FindKeys(const Command& command, std::span<const std::string_view> args,
                       std::vector<int>* positions);

  void set_key_rules(std::vector<KeyRule> rules) { key_rules_ = std::move(rules); }

 private:
  RedisModuleCmdFunc function_;
  std::vector<KeyRule> key_rules_;
  Command* command_ = nullptr;
};

// The flags that a module's text names; false when a word is unknown. "getkeys-api" and the like
// become their bits.
bool ParseModuleCommandFlags(std::string_view text, uint64_t* flags);

}  // namespace backplane
