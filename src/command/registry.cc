// SPDX-License-Identifier: BSD-3-Clause
// CommandRegistry: names to commands.
#include "command/registry.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/hash.h"

namespace backplane {
namespace {

constexpr size_t kNameMax = 128;

// Lower-cases into `buffer`; an empty view when the name is longer than any command's.
std::string_view LowerName(std::string_view name, char (&buffer)[kNameMax]) {
  if (name.size() > kNameMax) return {};
  for (size_t i = 0; i < name.size(); ++i) buffer[i] = AsciiLower(name[i]);
  return std::string_view(buffer, name.size());
}

[[noreturn]] void BadRow(std::string_view name, const char* why) {
  std::fprintf(stderr, "backplane: command row '%.*s': %s\n", static_cast<int>(name.size()),
               name.data(), why);
  std::abort();
}

// Categories every command has by its flags.
uint64_t ImpliedCategories(uint64_t flags, uint64_t acl) {
  if ((flags & kCmdWrite) != 0) acl |= kAclWrite;
  if ((flags & kCmdReadonly) != 0 && (acl & kAclScripting) == 0) acl |= kAclRead;
  if ((flags & kCmdAdmin) != 0) acl |= kAclAdmin | kAclDangerous;
  if ((flags & kCmdPubsub) != 0) acl |= kAclPubsub;
  if ((flags & kCmdFast) != 0) acl |= kAclFast;
  if ((flags & kCmdBlocking) != 0) acl |= kAclBlocking;
  if ((acl & kAclFast) == 0) acl |= kAclSlow;
  return acl;
}

// What the short forms of a row mean.
std::vector<KeySpec> KeySpecsOf(const CommandSpec& row) {
  if (!row.key_specs.empty()) return {row.key_specs.begin(), row.key_specs.end()};
  uint32_t flags = row.key_flags;
  if (flags == 0) {
    flags = (row.flags & kCmdWrite) != 0 ? kKeyRW | kKeyUpdate : kKeyRO | kKeyAccess;
  }
  std::vector<KeySpec> specs;
  if (row.keys.first > 0 && row.keynum.destination == 0) {
    const int last = row.keys.last;
    specs.push_back({.flags = flags,
                     .begin = row.keys.first,
                     .step = row.keys.step,
                     .last = last < 0 ? last : last - row.keys.first});
  }
  const KeyNumSpec& counted = row.keynum;
  if (counted.destination > 0) {
    specs.push_back({.flags = kKeyOW | kKeyUpdate, .begin = counted.destination});
    flags = kKeyRO | kKeyAccess;
  }
  if (counted.numkeys_index > 0) {
    specs.push_back({.flags = flags, .begin = counted.numkeys_index, .counted = true, .first = 1});
  }
  if (!counted.keyword.empty()) {
    specs.push_back({.flags = flags,
                     .begin = counted.keyword_from,
                     .keyword = counted.keyword,
                     .last = -1,
                     .limit = 2});
  }
  if (!specs.empty()) specs[0].notes = row.key_notes;
  return specs;
}

std::unique_ptr<Command> FromRow(const CommandSpec& row, void* owner) {
  if (row.arity == 0) BadRow(row.name, "arity 0");
  if (row.keys.first > 0 && row.keys.step == 0) BadRow(row.name, "keys without a step");
  if (row.handler == nullptr && row.name.find('|') != std::string_view::npos) {
    BadRow(row.name, "subcommand without a handler");
  }
  auto command = std::make_unique<Command>();
  size_t bar = row.name.find('|');
  command->name = bar == std::string_view::npos ? row.name : row.name.substr(bar + 1);
  command->fullname = row.name;
  command->handler = row.handler;
  command->owner = owner;
  command->arity = row.arity;
  command->flags = row.flags;
  command->keys = row.keys;
  command->store_option = row.keynum.store_option;
  command->acl = ImpliedCategories(row.flags, row.acl);
  command->key_flags_of_call = row.key_flags_of_call;
  command->key_specs = KeySpecsOf(row);
  command->channels = row.channels;
  command->row = &row;
  command->tips = row.tips;
  return command;
}

}  // namespace

struct CommandRegistry::Table {
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return HashBytes(name); }
  };
  std::unordered_map<std::string, std::unique_ptr<Command>, NameHash, std::equal_to<>> by_name;
  // Those that rename-command took away.
  std::vector<std::unique_ptr<Command>> hidden;
};

Command* Command::Subcommand(std::string_view sub) const {
  char buffer[kNameMax];
  auto it = subcommands.find(LowerName(sub, buffer));
  return it == subcommands.end() ? nullptr : it->second.get();
}

CommandRegistry::CommandRegistry() : table_(std::make_unique<Table>()) {}
CommandRegistry::~CommandRegistry() = default;

void CommandRegistry::Add(std::span<const CommandSpec> rows, void* owner) {
  for (const CommandSpec& row : rows) {
    auto command = FromRow(row, owner);
    size_t bar = row.name.find('|');
    bool added;
    if (bar == std::string_view::npos) {
      added = Add(std::move(command)).has_value();
    } else {
      Command* parent = Find(row.name.substr(0, bar));
      if (parent == nullptr) BadRow(row.name, "its container is not registered");
      added = AddSubcommand(parent, std::move(command)).has_value();
    }
    if (!added) BadRow(row.name, "the name is taken");
  }
}

Result<Command*> CommandRegistry::Add(std::unique_ptr<Command> command) {
  Command* raw = command.get();
  if (!table_->by_name.try_emplace(ToLower(raw->name), std::move(command)).second) {
    return Fail(ErrorCode::kAlreadyExists, "a command of this name exists");
  }
  raw->id = next_id_++;
  ++generation_;
  return raw;
}

Result<Command*> CommandRegistry::AddSubcommand(Command* parent, std::unique_ptr<Command> command) {
  Command* raw = command.get();
  if (!parent->subcommands.try_emplace(ToLower(raw->name), std::move(command)).second) {
    return Fail(ErrorCode::kAlreadyExists, "a subcommand of this name exists");
  }
  raw->parent = parent;
  raw->id = next_id_++;
  ++generation_;
  return raw;
}

void CommandRegistry::Remove(Command* command) {
  ++generation_;
  auto it = table_->by_name.find(ToLower(command->name));
  if (it != table_->by_name.end() && it->second.get() == command) {
    table_->by_name.erase(it);
    return;
  }
  // It was renamed.
  for (it = table_->by_name.begin(); it != table_->by_name.end(); ++it) {
    if (it->second.get() == command) {
      table_->by_name.erase(it);
      return;
    }
  }
  BP_ASSERT(!"command is not registered");
}

Command* CommandRegistry::Find(std::string_view name) const {
  char buffer[kNameMax];
  auto it = table_->by_name.find(LowerName(name, buffer));
  return it == table_->by_name.end() ? nullptr : it->second.get();
}

Command* CommandRegistry::Resolve(std::span<const std::string_view> args, int* depth) const {
  if (args.empty()) return nullptr;
  Command* command = Find(args[0]);
  if (depth != nullptr) *depth = 1;
  if (command == nullptr || !command->has_subcommands() || args.size() < 2) return command;
  if (depth != nullptr) *depth = 2;
  return command->Subcommand(args[1]);
}

Command* CommandRegistry::FindFullName(std::string_view fullname) const {
  size_t bar = fullname.find('|');
  if (bar == std::string_view::npos) return Find(fullname);
  Command* parent = Find(fullname.substr(0, bar));
  return parent == nullptr ? nullptr : parent->Subcommand(fullname.substr(bar + 1));
}

const Command* CommandRegistry::FindOwnName(std::string_view fullname) const {
  if (const Command* found = FindFullName(fullname);
      found != nullptr && EqualsIgnoreCase(found->fullname, fullname)) {
    return found;
  }
  const size_t bar = fullname.find('|');
  const auto search = [&](const Command& command) -> const Command* {
    if (!EqualsIgnoreCase(command.fullname, fullname.substr(0, bar))) return nullptr;
    return bar == std::string_view::npos ? &command : command.Subcommand(fullname.substr(bar + 1));
  };
  for (const auto& [name, command] : table_->by_name) {
    if (const Command* found = search(*command)) return found;
  }
  for (const auto& command : table_->hidden) {
    if (const Command* found = search(*command)) return found;
  }
  return nullptr;
}

size_t CommandRegistry::size() const { return table_->by_name.size(); }

std::vector<Command*> CommandRegistry::All() const {
  std::vector<Command*> all;
  all.reserve(size());
  for (const auto& [name, command] : table_->by_name) all.push_back(command.get());
  std::sort(all.begin(), all.end(),
            [](const Command* a, const Command* b) { return a->name < b->name; });
  return all;
}

Status CommandRegistry::Rename(std::string_view name, std::string_view new_name) {
  auto it = table_->by_name.find(ToLower(name));
  if (it == table_->by_name.end())
    return Fail(ErrorCode::kNotFound, "No such command in rename-command");
  std::string target = ToLower(new_name);
  if (!target.empty() && table_->by_name.contains(target)) {
    return Fail(ErrorCode::kAlreadyExists, "Target command name already exists");
  }
  auto command = std::move(it->second);
  table_->by_name.erase(it);
  ++generation_;
  if (target.empty()) {
    table_->hidden.push_back(std::move(command));
  } else {
    table_->by_name.emplace(std::move(target), std::move(command));
  }
  return {};
}

}  // namespace backplane
