// SPDX-License-Identifier: BSD-3-Clause
// CommandRegistry: every command the server knows, by name. Built-in rows and module commands are
// the same kind of object here. Engine thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/latency_histogram.h"
#include "base/result.h"
#include "command/docs.h"
#include "command/spec.h"

namespace backplane {

// Calls and time of one command: INFO commandstats.
struct CommandStats {
  uint64_t calls = 0;
  uint64_t ticks = 0;       // see base/clock.h
  uint64_t last_ticks = 0;  // of the last call that was timed
  uint64_t rejected = 0;
  uint64_t failed = 0;
  // How long calls took (latency-tracking), in ticks; null before the first one.
  std::unique_ptr<LatencyHistogram> latency;
};

// An argument that is a key, and how the call uses it (KeyFlag bits).
struct KeyUse {
  int position = 0;
  uint32_t flags = 0;
};

// A registered command or subcommand. Address and id are stable while it is registered.
class Command {
 public:
  // Given the arguments, lists the keys; for commands whose keys no spec describes (module
  // getkeys-api). Appends to *keys.
  using KeyFinder = void (*)(const Command& command, std::span<const std::string_view> args,
                             std::vector<KeyUse>* keys);

  // The flags of one call, where they depend on its arguments: a script says itself whether it
  // writes.
  using CallFlags = uint64_t (*)(const Command& command, std::span<const std::string_view> args);

  std::string name;      // "get"; for a subcommand the part after '|'
  std::string fullname;  // "config|get"
  CommandHandler handler = nullptr;
  void* owner = nullptr;  // what the handler needs beyond the context (a service, a module's
                          // command); outlives the command
  int arity = 0;
  uint64_t flags = 0;
  KeyRange keys;  // what COMMAND says; key_specs say all
  std::vector<KeySpec> key_specs;
  bool store_option = false;  // see KeyNumSpec
  uint64_t acl = 0;
  KeyFlagsOfCall key_flags_of_call = nullptr;
  KeyFinder key_finder = nullptr;
  ChannelSpec channels;
  KeyFinder channel_finder = nullptr;  // lists channels, their flags are ChannelFlag bits
  CallFlags call_flags = nullptr;
  int id = 0;  // dense, never reused
  const Command* parent = nullptr;
  std::string module_name;     // empty for built-ins
  mutable CommandStats stats;  // counted by the engine while everything else is fixed

  // Where the documentation is (DocsOf in command/docs.h): a built-in command has a row, a module's
  // has its own once the module described it.
  const CommandSpec* row = nullptr;
  std::unique_ptr<const CommandDocs> docs;
  std::string_view tips;  // COMMAND INFO's, separated by blanks; in the row, or the module's

  bool Is(uint64_t flag) const { return (flags & flag) != 0; }
  // Some calls of it have keys. A channel that is routed like a key (SSUBSCRIBE) is none.
  bool HasKeys() const {
    return key_finder != nullptr ||
           (!key_specs.empty() && (key_specs.front().flags & kKeyNotKey) == 0);
  }
  uint64_t FlagsOf(std::span<const std::string_view> args) const {
    return call_flags == nullptr ? flags : call_flags(*this, args);
  }
  bool ArityOk(size_t argc) const {
    return arity >= 0 ? argc == static_cast<size_t>(arity) : argc >= static_cast<size_t>(-arity);
  }
  bool has_subcommands() const { return !subcommands.empty(); }
  // nullptr when there is none of this name (case ignored).
  Command* Subcommand(std::string_view sub) const;

  std::map<std::string, std::unique_ptr<Command>, std::less<>> subcommands;
};

class CommandRegistry {
 public:
  CommandRegistry();
  ~CommandRegistry();
  CommandRegistry(const CommandRegistry&) = delete;
  CommandRegistry& operator=(const CommandRegistry&) = delete;

  // Adds rows; containers must come before their subcommands. A bad row (duplicate, arity 0, key
  // range that contradicts the arity) aborts the process with its name: it is a bug of ours.
  // `owner` is stored in each command. The rows outlive the registry.
  void Add(std::span<const CommandSpec> rows, void* owner = nullptr);

  // Adds a command made at run time. kAlreadyExists when the name is taken. The pointer is valid
  // until Remove.
  Result<Command*> Add(std::unique_ptr<Command> command);
  Result<Command*> AddSubcommand(Command* parent, std::unique_ptr<Command> command);
  // REQUIRES: the command was added (not a subcommand). Its subcommands go too.
  void Remove(Command* command);

  // Case-insensitive; nullptr when unknown. One probe.
  Command* Find(std::string_view name) const;
  // Command or subcommand that argv names ("config", "get" -> config|get); nullptr when unknown.
  // *depth: 1 or 2 words used.
  Command* Resolve(std::span<const std::string_view> args, int* depth = nullptr) const;
  // "config|get" or "get".
  Command* FindFullName(std::string_view fullname) const;

  size_t size() const;
  // Top-level commands, sorted by name.
  std::vector<Command*> All() const;
  // Changes with every Add and Remove: what caches a Command* compares it.
  uint64_t generation() const { return generation_; }

  // The command that was registered under that full name, whatever it is called now and whether it
  // can be called at all; for rules of permissions. Case ignored; null for none.
  const Command* FindOwnName(std::string_view fullname) const;

  // rename-command. An empty new name: nobody can call it any more. Errors: kNotFound,
  // kAlreadyExists.
  Status Rename(std::string_view name, std::string_view new_name);

 private:
  struct Table;
  std::unique_ptr<Table> table_;
  uint64_t generation_ = 1;
  int next_id_ = 0;
};

// Positions in `args` that hold keys. Errors: "The command has no key arguments", "Invalid number
// of arguments specified for command", "Invalid arguments specified for command": texts for COMMAND
// GETKEYS.
Result<std::vector<int>> FindKeys(const Command& command, std::span<const std::string_view> args);
// The same with the use of each.
Result<std::vector<KeyUse>> FindKeyUses(const Command& command,
                                        std::span<const std::string_view> args);
// Positions in `args` that hold channels, their flags are ChannelFlag bits.
std::vector<KeyUse> FindChannels(const Command& command, std::span<const std::string_view> args);

}  // namespace backplane
