// SPDX-License-Identifier: BSD-3-Clause
// User: rules that are not a selector's, checks over all selectors, text.
#include "acl/user.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/quoting.h"
#include "base/sha1.h"

namespace backplane {
namespace {

constexpr std::string_view kBadHash =
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
    "characters";
constexpr std::string_view kNoSuchPassword =
    "The password you are trying to remove from the user does not exist";
constexpr size_t kHashChars = 64;

std::unexpected<Error> Refuse(std::string_view why) {
  return Fail(ErrorCode::kInvalidArgument, std::string(why));
}

bool IsHash(std::string_view text) {
  return text.size() == kHashChars && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Takes as long for texts that differ early as for those that differ late.
bool SecretEquals(std::string_view a, std::string_view b) {
  unsigned char differ = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    differ = static_cast<unsigned char>(differ | (a[i] ^ (i < b.size() ? b[i] : 0)));
  }
  return differ == 0;
}

}  // namespace

User::User(std::string name, bool all_channels) : name_(std::move(name)) { Reset(all_channels); }

void User::Reset(bool all_channels) {
  enabled_ = false;
  nopass_ = false;
  sanitize_payload_ = true;
  unrestricted_ = false;
  passwords_.clear();
  selectors_.assign(1, Selector(all_channels));
}

bool User::AcceptsPassword(std::string_view password) const {
  if (nopass_) return true;
  const std::string hash = Sha256Hex(password);
  bool found = false;
  for (const std::string& known : passwords_) found |= SecretEquals(hash, known);
  return found;
}

// --- rules ---

bool User::ApplyFlag(std::string_view rule, bool all_channels) {
  if (EqualsIgnoreCase(rule, "on")) {
    enabled_ = true;
  } else if (EqualsIgnoreCase(rule, "off")) {
    enabled_ = false;
  } else if (EqualsIgnoreCase(rule, "nopass")) {
    nopass_ = true;
    passwords_.clear();
  } else if (EqualsIgnoreCase(rule, "resetpass")) {
    nopass_ = false;
    passwords_.clear();
  } else if (EqualsIgnoreCase(rule, "sanitize-payload")) {
    sanitize_payload_ = true;
  } else if (EqualsIgnoreCase(rule, "skip-sanitize-payload")) {
    sanitize_payload_ = false;
  } else if (EqualsIgnoreCase(rule, "clearselectors")) {
    selectors_.resize(1, Selector(all_channels));
  } else if (EqualsIgnoreCase(rule, "reset")) {
    Reset(all_channels);
  } else {
    return false;
  }
  return true;
}

Status User::ApplyPassword(std::string_view rule) {
  const bool adds = rule[0] == '>' || rule[0] == '#';
  const bool is_hash = rule[0] == '#' || rule[0] == '!';
  if (is_hash && !IsHash(rule.substr(1))) return Refuse(kBadHash);
  std::string hash = is_hash ? std::string(rule.substr(1)) : Sha256Hex(rule.substr(1));
  const auto known = std::find(passwords_.begin(), passwords_.end(), hash);
  if (adds) {
    if (known == passwords_.end()) passwords_.push_back(std::move(hash));
    nopass_ = false;
    return {};
  }
  if (known == passwords_.end()) return Refuse(kNoSuchPassword);
  passwords_.erase(known);
  return {};
}

Status User::ApplySelector(std::string_view rule, const CommandRegistry& commands,
                           bool all_channels) {
  if (!rule.ends_with(')')) return Refuse("Syntax error");
  Selector selector(all_channels);
  std::string_view rest = rule.substr(1, rule.size() - 2);
  while (!rest.empty()) {
    const size_t blank = rest.find(' ');
    const std::string_view word = rest.substr(0, blank);
    rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
    if (!word.empty()) BP_RETURN_IF_ERROR(selector.Apply(word, commands));
  }
  selectors_.push_back(std::move(selector));
  return {};
}

Status User::Apply(std::string_view rule, const CommandRegistry& commands, bool all_channels) {
  Status status;
  if (rule.empty() || ApplyFlag(rule, all_channels)) {
    // Done.
  } else if (std::string_view("><#!").find(rule[0]) != std::string_view::npos) {
    status = ApplyPassword(rule);
  } else if (rule[0] == '(') {
    status = ApplySelector(rule, commands, all_channels);
  } else {
    status = selectors_[0].Apply(rule, commands);
  }
  unrestricted_ = std::any_of(selectors_.begin(), selectors_.end(),
                              [](const Selector& selector) { return selector.unrestricted(); });
  return status;
}

// --- checks ---

namespace {

// Keys and channels of one call: the same for every selector, and found only when one asks.
struct Uses {
  bool found = false;
  std::vector<KeyUse> keys;
  std::vector<KeyUse> channels;
};

AclVerdict CheckSelector(const Selector& selector, const CommandRegistry& commands,
                         const Command& command, User::Args args, Uses& uses) {
  if (!selector.AllowsCommand(commands, command, args)) return {Denial::kCommand, 0};
  if (!uses.found) {
    uses.found = true;
    if (auto keys = FindKeyUses(command, args)) uses.keys = std::move(*keys);
    uses.channels = FindChannels(command, args);
  }
  for (const KeyUse& key : uses.keys) {
    if (!selector.AllowsKey(args[static_cast<size_t>(key.position)], key.flags)) {
      return {Denial::kKey, key.position};
    }
  }
  for (const KeyUse& channel : uses.channels) {
    // Nobody is kept from leaving.
    if ((channel.flags & kChannelUnsubscribe) != 0) continue;
    if (!selector.AllowsChannel(args[static_cast<size_t>(channel.position)],
                                (channel.flags & kChannelPattern) != 0)) {
      return {Denial::kChannel, channel.position};
    }
  }
  return {};
}

}  // namespace

AclVerdict User::Check(const CommandRegistry& commands, const Command& command, Args args) const {
  if (unrestricted_) return {};
  Uses uses;
  AclVerdict furthest;
  for (const Selector& selector : selectors_) {
    const AclVerdict verdict = CheckSelector(selector, commands, command, args, uses);
    if (verdict.allowed()) return verdict;
    if (verdict.denial > furthest.denial ||
        (verdict.denial == furthest.denial && verdict.arg > furthest.arg)) {
      furthest = verdict;
    }
  }
  return furthest;
}

bool User::AllowsKey(std::string_view key, uint32_t flags) const {
  return std::any_of(selectors_.begin(), selectors_.end(),
                     [&](const Selector& selector) { return selector.AllowsKey(key, flags); });
}

bool User::AllowsKeyPrefix(std::string_view prefix, uint32_t flags) const {
  return std::any_of(selectors_.begin(), selectors_.end(), [&](const Selector& selector) {
    return selector.AllowsKeyPrefix(prefix, flags);
  });
}

bool User::AllowsChannel(std::string_view channel, bool pattern) const {
  return std::any_of(selectors_.begin(), selectors_.end(), [&](const Selector& selector) {
    return selector.AllowsChannel(channel, pattern);
  });
}

bool User::AllowsEveryKey(const CommandRegistry& commands, const Command& command, Args args,
                          uint32_t flags) const {
  Uses uses;
  return std::any_of(selectors_.begin(), selectors_.end(), [&](const Selector& selector) {
    return selector.AllowsEveryKey(flags) &&
           CheckSelector(selector, commands, command, args, uses).allowed();
  });
}

// --- text ---

std::vector<std::string_view> User::Flags() const {
  std::vector<std::string_view> flags = {enabled_ ? "on" : "off"};
  if (nopass_) flags.push_back("nopass");
  flags.push_back(sanitize_payload_ ? "sanitize-payload" : "skip-sanitize-payload");
  return flags;
}

std::string User::Text() const {
  std::string text;
  for (std::string_view flag : Flags()) text.append(flag).append(" ");
  for (const std::string& password : passwords_) text.append("#").append(password).append(" ");
  text += selectors_[0].Text();
  for (size_t i = 1; i < selectors_.size(); ++i) text += " (" + selectors_[i].Text() + ")";
  return text;
}

Result<std::vector<std::string>> JoinSelectors(std::span<const std::string_view> words) {
  std::vector<std::string> rules;
  std::string open;
  for (std::string_view word : words) {
    if (open.empty()) {
      if (!word.starts_with('(') || word.ends_with(')')) {
        rules.emplace_back(word);
        continue;
      }
      open = word;
      continue;
    }
    open.append(" ").append(word);
    if (!word.ends_with(')')) continue;
    rules.push_back(std::move(open));
    open.clear();
  }
  if (open.empty()) return rules;
  const std::string first = open.substr(0, open.find(' '));
  return Fail(ErrorCode::kInvalidArgument,
              "Unmatched parenthesis in acl selector starting at '" + first + "'.");
}

std::string DenialText(const User& user, const Command& command, User::Args args,
                       const AclVerdict& verdict, bool detailed) {
  const std::string whose =
      detailed ? "User " + user.name() + " has no permissions to access the '" : std::string();
  auto named = [&] { return whose + std::string(args[static_cast<size_t>(verdict.arg)]); };
  switch (verdict.denial) {
    case Denial::kNone:
      break;
    case Denial::kCommand:
      return "User " + user.name() + " has no permissions to run the '" + command.fullname +
             "' command";
    case Denial::kKey:
      return detailed ? named() + "' key" : "No permissions to access a key";
    case Denial::kChannel:
      return detailed ? named() + "' channel" : "No permissions to access a channel";
  }
  return {};
}

}  // namespace backplane
