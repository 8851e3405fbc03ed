// SPDX-License-Identifier: BSD-3-Clause
// Selector: one set of permissions of a user: which commands, on which keys, with which channels.
// Rules are applied in the order given; what they amount to is kept as one bit for each command.
// Engine thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "command/registry.h"

namespace backplane {

class Selector {
 public:
  using Args = std::span<const std::string_view>;

  // Nothing is allowed; `all_channels`: but every channel is (acl-pubsub-default).
  explicit Selector(bool all_channels) : all_channels_(all_channels) {}

  // One rule: "+get", "-@dangerous", "~key*", "%R~key*", "&channel", "allkeys" and so on. The
  // error's text is what ACL SETUSER shows after the rule; nothing has changed then.
  Status Apply(std::string_view rule, const CommandRegistry& commands);

  // Every command, key and channel: checks may be left out.
  bool unrestricted() const { return all_commands() && all_keys_ && all_channels_; }
  bool all_keys() const { return all_keys_; }
  bool all_channels() const { return all_channels_; }

  bool AllowsCommand(const CommandRegistry& commands, const Command& command, Args args) const;
  // `flags`: what is done to the key, KeyFlag bits. A use that neither reads nor writes the value
  // (EXISTS) asks for any permission on the key.
  bool AllowsKey(std::string_view key, uint32_t flags) const;
  // The same for every key that begins so.
  bool AllowsKeyPrefix(std::string_view prefix, uint32_t flags) const;
  // Every key there is, by a pattern "*".
  bool AllowsEveryKey(uint32_t flags) const;
  // `pattern`: a pattern to subscribe to; only the same pattern allows it.
  bool AllowsChannel(std::string_view channel, bool pattern) const;

  // The parts of ACL GETUSER's reply.
  std::string CommandsText() const;
  std::string KeysText() const;
  std::string ChannelsText() const;
  // As in ACL LIST, without parentheses.
  std::string Text() const;

  // Patterns of channels, in the order given.
  const std::vector<std::string>& channels() const { return channels_; }

 private:
  struct Pattern {
    std::string text;
    uint32_t access;  // kRead, kWrite
    bool operator==(const Pattern&) const = default;
  };
  struct CommandRule {
    bool allow = false;
    uint64_t category = 0;  // 0: `name` is a command
    std::string name;       // full name, lower case; or the category's
    std::string first_arg;  // "select|0": allowed with this argument only
  };
  static constexpr uint32_t kRead = 1;
  static constexpr uint32_t kWrite = 2;

  static uint32_t AccessOf(uint32_t flags);
  bool all_commands() const { return starts_with_all_ && rules_.empty(); }
  Status ApplyCommandRule(std::string_view rule, const CommandRegistry& commands);
  Status ApplyCategory(bool allow, std::string_view name);
  Status ApplyKeyPattern(std::string_view rule);
  Status ApplyChannel(std::string_view pattern);
  void SetAllCommands(bool allow);
  void AddRule(CommandRule rule);
  void Recompute(const CommandRegistry& commands) const;
  void Mark(const Command& command, const CommandRule& rule) const;

  bool all_keys_ = false;
  bool all_channels_ = false;
  bool starts_with_all_ = false;    // "+@all" stands before the rules, or "-@all"
  std::vector<CommandRule> rules_;  // no two of the same command or category
  std::vector<Pattern> keys_;
  std::vector<std::string> channels_;
  // By Command::id; recomputed when commands have come or gone.
  mutable std::vector<bool> allowed_;
  mutable uint64_t generation_ = 0;
};

}  // namespace backplane
