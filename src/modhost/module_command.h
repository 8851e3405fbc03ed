// SPDX-License-Identifier: BSD-3-Clause
// ModuleCommand: a command or subcommand that a module registered, between the registry and the
// module's handler. Owned by the module. Engine thread.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "command/registry.h"
#include "modhost/api_signatures.h"
#include "modhost/registration.h"

namespace backplane {

class CommandContext;

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

  // The registry's handler, key finder and channel finder.
  static void Run(CommandContext& ctx);
  static void FindKeys(const Command& command, std::span<const std::string_view> args,
                       std::vector<KeyUse>* keys);
  static void FindChannels(const Command& command, std::span<const std::string_view> args,
                           std::vector<KeyUse>* channels);

  // A copy that lives as long as the command: key specifications have views of their words.
  std::string_view Keep(std::string_view word) { return words_.emplace_back(word); }

 private:
  RedisModuleCmdFunc function_;
  std::deque<std::string> words_;
  Command* command_ = nullptr;
};

// The flags that a module's text names; false when a word is unknown. "getkeys-api" and the like
// become their bits.
bool ParseModuleCommandFlags(std::string_view text, uint64_t* flags);

}  // namespace backplane
