// SPDX-License-Identifier: BSD-3-Clause
// User: a name, what it takes to log in under it, and what may be done then. A change is made on a
// copy and put in place whole, so that a wrong rule leaves everything as it was. Engine thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "acl/selector.h"
#include "base/result.h"
#include "command/registry.h"

namespace backplane {

// Why a command is refused; the order is that of how far the check came.
enum class Denial : uint8_t { kNone, kCommand, kKey, kChannel };

struct AclVerdict {
  Denial denial = Denial::kNone;
  // The argument that is the key or channel.
  int arg = 0;
  bool allowed() const { return denial == Denial::kNone; }
};

class User {
 public:
  using Args = std::span<const std::string_view>;

  // May do nothing and is off. `all_channels` as in Selector.
  User(std::string name, bool all_channels);

  const std::string& name() const { return name_; }
  bool enabled() const { return enabled_; }
  // Any password will do.
  bool nopass() const { return nopass_; }
  // Nothing is refused to it: checks may be left out.
  bool unrestricted() const { return unrestricted_; }
  bool AcceptsPassword(std::string_view password) const;

  // One rule of ACL SETUSER; selectors stand in parentheses, as one rule. The error's text is what
  // ACL SETUSER shows after the rule.
  Status Apply(std::string_view rule, const CommandRegistry& commands, bool all_channels);

  // The first selector that allows the command decides; when none does, the verdict is that of the
  // one that came furthest.
  AclVerdict Check(const CommandRegistry& commands, const Command& command, Args args) const;
  bool AllowsKey(std::string_view key, uint32_t flags) const;
  bool AllowsKeyPrefix(std::string_view prefix, uint32_t flags) const;
  bool AllowsChannel(std::string_view channel, bool pattern) const;
  // Whether a command may look at any key it likes (SORT's BY and GET): by one of the selectors
  // that allow the command itself.
  bool AllowsEveryKey(const CommandRegistry& commands, const Command& command, Args args,
                      uint32_t flags) const;

  // Names of the flags, as ACL GETUSER lists them.
  std::vector<std::string_view> Flags() const;
  const std::vector<std::string>& passwords() const { return passwords_; }  // SHA-256, hex
  // The first is the user's own, further ones were added in parentheses.
  const std::vector<Selector>& selectors() const { return selectors_; }
  // All of it as rules: "on nopass sanitize-payload ~* &* +@all".
  std::string Text() const;

 private:
  bool ApplyFlag(std::string_view rule, bool all_channels);
  Status ApplyPassword(std::string_view rule);
  Status ApplySelector(std::string_view rule, const CommandRegistry& commands, bool all_channels);
  void Reset(bool all_channels);

  std::string name_;
  bool enabled_ = false;
  bool nopass_ = false;
  bool sanitize_payload_ = true;
  bool unrestricted_ = false;
  std::vector<std::string> passwords_;
  std::vector<Selector> selectors_;
};

// Rules with each selector's words joined into one: "(+get", "~a)" becomes "(+get ~a)". The error
// is a whole text.
Result<std::vector<std::string>> JoinSelectors(std::span<const std::string_view> words);

// What a client is told of a refusal, without the error code. `detailed`: with the name of the key
// or channel (ACL DRYRUN).
std::string DenialText(const User& user, const Command& command, User::Args args,
                       const AclVerdict& verdict, bool detailed);

}  // namespace backplane
