// SPDX-License-Identifier: BSD-3-Clause
// Selector: rules to permissions, and back to text.
#include "acl/selector.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/glob.h"

namespace backplane {
namespace {

constexpr std::string_view kSyntax = "Syntax error";
constexpr std::string_view kUnknown = "Unknown command or category name in ACL";
constexpr std::string_view kFirstArgOfSubcommand =
    "Allowing first-arg of a subcommand is not supported";
constexpr std::string_view kAfterAllKeys =
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
    "any effect. Try 'resetkeys' to start with an empty list of patterns";
constexpr std::string_view kAfterAllChannels =
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
    "have any effect. Try 'resetchannels' to start with an empty list of channels";

std::unexpected<Error> Refuse(std::string_view why) {
  return Fail(ErrorCode::kInvalidArgument, std::string(why));
}

bool HasBlankOrNul(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return IsAsciiSpace(c) || c == '\0'; });
}

}  // namespace

uint32_t Selector::AccessOf(uint32_t flags) {
  uint32_t access = 0;
  if ((flags & kKeyAccess) != 0) access |= kRead;
  if ((flags & (kKeyInsert | kKeyUpdate | kKeyDelete)) != 0) access |= kWrite;
  return access;
}

// --- rules ---

Status Selector::Apply(std::string_view rule, const CommandRegistry& commands) {
  if (EqualsIgnoreCase(rule, "allkeys") || rule == "~*") {
    all_keys_ = true;
    keys_.clear();
  } else if (EqualsIgnoreCase(rule, "resetkeys")) {
    all_keys_ = false;
    keys_.clear();
  } else if (EqualsIgnoreCase(rule, "allchannels") || rule == "&*") {
    all_channels_ = true;
    channels_.clear();
  } else if (EqualsIgnoreCase(rule, "resetchannels")) {
    all_channels_ = false;
    channels_.clear();
  } else if (EqualsIgnoreCase(rule, "allcommands") || EqualsIgnoreCase(rule, "+@all")) {
    SetAllCommands(true);
  } else if (EqualsIgnoreCase(rule, "nocommands") || EqualsIgnoreCase(rule, "-@all")) {
    SetAllCommands(false);
  } else if (rule.starts_with('~') || rule.starts_with('%')) {
    return ApplyKeyPattern(rule);
  } else if (rule.starts_with('&')) {
    return ApplyChannel(rule.substr(1));
  } else if (rule.starts_with("+@") || rule.starts_with("-@")) {
    return ApplyCategory(rule[0] == '+', rule.substr(2));
  } else if (rule.starts_with('+') || rule.starts_with('-')) {
    return ApplyCommandRule(rule, commands);
  } else {
    return Refuse(kSyntax);
  }
  return {};
}

Status Selector::ApplyKeyPattern(std::string_view rule) {
  if (all_keys_) return Refuse(kAfterAllKeys);
  uint32_t access = 0;
  size_t at = 0;
  if (rule[0] == '%') {
    for (at = 1; at < rule.size() && rule[at] != '~'; ++at) {
      const char letter = AsciiUpper(rule[at]);
      const uint32_t bit = letter == 'R' ? kRead : letter == 'W' ? kWrite : 0;
      if (bit == 0 || (access & bit) != 0) return Refuse(kSyntax);
      access |= bit;
    }
    if (access == 0 || at == rule.size()) return Refuse(kSyntax);
  } else {
    access = kRead | kWrite;
  }
  const std::string_view text = rule.substr(at + 1);
  if (HasBlankOrNul(text)) return Refuse(kSyntax);
  const auto same = std::find_if(keys_.begin(), keys_.end(),
                                 [&](const Pattern& pattern) { return pattern.text == text; });
  if (same != keys_.end()) {
    same->access |= access;
  } else {
    keys_.push_back({std::string(text), access});
  }
  return {};
}

Status Selector::ApplyChannel(std::string_view pattern) {
  if (HasBlankOrNul(pattern)) return Refuse(kSyntax);
  if (all_channels_) return Refuse(kAfterAllChannels);
  if (std::find(channels_.begin(), channels_.end(), pattern) == channels_.end()) {
    channels_.emplace_back(pattern);
  }
  return {};
}

void Selector::SetAllCommands(bool allow) {
  starts_with_all_ = allow;
  rules_.clear();
  generation_ = 0;
}

Status Selector::ApplyCategory(bool allow, std::string_view name) {
  std::string lower = ToLower(name);
  const uint64_t category = AclCategoryByName(lower);
  if (category == 0) return Refuse(kUnknown);
  AddRule({allow, category, std::move(lower), {}});
  return {};
}

Status Selector::ApplyCommandRule(std::string_view rule, const CommandRegistry& commands) {
  const bool allow = rule[0] == '+';
  const std::string name = ToLower(rule.substr(1));
  // Rules name commands as they were before rename-command.
  if (commands.FindOwnName(name) != nullptr) {
    AddRule({allow, 0, name, {}});
    return {};
  }
  // "command|argument", for commands without subcommands.
  const size_t bar = name.rfind('|');
  const Command* command =
      bar == std::string::npos || !allow ? nullptr : commands.FindOwnName(name.substr(0, bar));
  if (command == nullptr) return Refuse(kUnknown);
  if (command->parent != nullptr) return Refuse(kFirstArgOfSubcommand);
  if (bar + 1 == name.size()) return Refuse(kSyntax);
  if (command->has_subcommands()) return Refuse(kUnknown);
  AddRule({true, 0, name.substr(0, bar), name.substr(bar + 1)});
  return {};
}

void Selector::AddRule(CommandRule rule) {
  // A new rule takes the place of those that it overrules.
  std::erase_if(rules_, [&](const CommandRule& old) {
    if ((old.category != 0) != (rule.category != 0)) return false;
    if (old.name == rule.name) return rule.first_arg.empty() || rule.first_arg == old.first_arg;
    return rule.category == 0 && old.name.starts_with(rule.name) &&
           old.name[rule.name.size()] == '|';
  });
  rules_.push_back(std::move(rule));
  generation_ = 0;
}

// --- commands ---

void Selector::Mark(const Command& command, const CommandRule& rule) const {
  const bool meant = rule.category != 0
                         ? (command.acl & rule.category) != 0
                         : rule.first_arg.empty() && EqualsIgnoreCase(command.fullname, rule.name);
  if (meant) allowed_[static_cast<size_t>(command.id)] = rule.allow;
  for (const auto& [name, sub] : command.subcommands) {
    const bool with_parent = meant && rule.category == 0;
    if (with_parent) {
      allowed_[static_cast<size_t>(sub->id)] = rule.allow;
    } else {
      Mark(*sub, rule);
    }
  }
}

void Selector::Recompute(const CommandRegistry& commands) const {
  const std::vector<Command*> all = commands.All();
  int last = 0;
  for (const Command* command : all) {
    last = std::max(last, command->id);
    for (const auto& [name, sub] : command->subcommands) last = std::max(last, sub->id);
  }
  allowed_.assign(static_cast<size_t>(last) + 1, starts_with_all_);
  for (const CommandRule& rule : rules_) {
    for (const Command* command : all) Mark(*command, rule);
  }
  generation_ = commands.generation();
}

bool Selector::AllowsCommand(const CommandRegistry& commands, const Command& command,
                             Args args) const {
  if (all_commands() || command.Is(kCmdNoAuth)) return true;
  if (generation_ != commands.generation()) Recompute(commands);
  const auto id = static_cast<size_t>(command.id);
  if (id < allowed_.size() && allowed_[id]) return true;
  if (args.size() < 2 || command.parent != nullptr) return false;
  // The last rule about the command decides.
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    const bool named = rule->category == 0 && EqualsIgnoreCase(rule->name, command.fullname);
    if (named && !rule->first_arg.empty()) {
      if (EqualsIgnoreCase(rule->first_arg, args[1])) return true;
    } else if (named || (command.acl & rule->category) != 0) {
      return false;
    }
  }
  return false;
}

// --- keys and channels ---

bool Selector::AllowsKey(std::string_view key, uint32_t flags) const {
  if (all_keys_) return true;
  const uint32_t access = AccessOf(flags);
  return std::any_of(keys_.begin(), keys_.end(), [&](const Pattern& pattern) {
    return (pattern.access & access) == access && GlobMatch(pattern.text, key);
  });
}

bool Selector::AllowsKeyPrefix(std::string_view prefix, uint32_t flags) const {
  if (all_keys_) return true;
  const uint32_t access = AccessOf(flags);
  return std::any_of(keys_.begin(), keys_.end(), [&](const Pattern& pattern) {
    // With a '*' at its end (not an escaped one) a pattern that matches the prefix matches every
    // longer key as well.
    return (pattern.access & access) == access && pattern.text.ends_with('*') &&
           !pattern.text.ends_with("\\*") && GlobMatch(pattern.text, prefix);
  });
}

bool Selector::AllowsEveryKey(uint32_t flags) const {
  if (all_keys_) return true;
  const uint32_t access = AccessOf(flags);
  return std::any_of(keys_.begin(), keys_.end(), [&](const Pattern& pattern) {
    return (pattern.access & access) == access && pattern.text == "*";
  });
}

bool Selector::AllowsChannel(std::string_view channel, bool pattern) const {
  if (all_channels_) return true;
  return std::any_of(channels_.begin(), channels_.end(), [&](const std::string& allowed) {
    return pattern ? allowed == channel : GlobMatch(allowed, channel);
  });
}

// --- text ---

std::string Selector::CommandsText() const {
  std::string text = starts_with_all_ ? "+@all" : "-@all";
  for (const CommandRule& rule : rules_) {
    text += rule.allow ? " +" : " -";
    if (rule.category != 0) text += '@';
    text += rule.name;
    if (!rule.first_arg.empty()) text += "|" + rule.first_arg;
  }
  return text;
}

std::string Selector::KeysText() const {
  if (all_keys_) return "~*";
  std::string text;
  for (const Pattern& pattern : keys_) {
    if (!text.empty()) text += ' ';
    if (pattern.access == kRead) text += "%R";
    if (pattern.access == kWrite) text += "%W";
    text += "~" + pattern.text;
  }
  return text;
}

std::string Selector::ChannelsText() const {
  if (all_channels_) return "&*";
  std::string text;
  for (const std::string& channel : channels_) {
    if (!text.empty()) text += ' ';
    text += "&" + channel;
  }
  return text;
}

std::string Selector::Text() const {
  std::string text = KeysText();
  if (!text.empty()) text += ' ';
  if (!all_channels_) text += "resetchannels ";
  if (const std::string channels = ChannelsText(); !channels.empty()) text += channels + " ";
  return text + CommandsText();
}

}  // namespace backplane
