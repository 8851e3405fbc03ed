// SPDX-License-Identifier: BSD-3-Clause
// Users: all users by name, with the default user that is always there; logging in; reading and
// writing the ACL file; the log of refusals. One object, owned by the server. Sessions share the
// users they act as: a user that is removed lives on until its last session is gone.
// Engine thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "acl/acl_log.h"
#include "acl/user.h"
#include "base/result.h"
#include "command/registry.h"
#include "config/settings.h"

namespace backplane {

class Users {
 public:
  using Words = std::span<const std::string_view>;
  static constexpr std::string_view kDefaultName = "default";
  static constexpr std::string_view kBadName = "Usernames can't contain spaces or null characters";

  // Both outlive it. The default user may do everything, without a password.
  Users(const CommandRegistry* commands, const Settings* settings);

  const CommandRegistry& commands() const { return *commands_; }
  const std::shared_ptr<User>& default_user() const { return default_user_; }
  // Clients must log in before anything else.
  bool LoginRequired() const { return !default_user_->enabled() || !default_user_->nopass(); }
  // Null when there is none.
  std::shared_ptr<User> Find(std::string_view name) const;
  // By name, sorted.
  const std::map<std::string, std::shared_ptr<User>, std::less<>>& all() const { return users_; }

  // The user when it is enabled and the password is right; null otherwise.
  std::shared_ptr<User> Login(std::string_view name, std::string_view password) const;

  // Applies all rules or none; makes the user when there is none. Returns the user as it was, for
  // those who must know what it lost; null for a new one. The error is a whole text, without "ERR".
  Result<std::unique_ptr<User>> Set(std::string_view name, Words words);
  // False when there is none. REQUIRES: not the default user.
  bool Remove(std::string_view name);
  // Option requirepass: the default user's only password; empty: it needs none.
  void SetDefaultPassword(std::string_view password);
  // Puts other users in the place of all there are. The default user keeps its identity.
  void Replace(std::vector<User> users);

  // A user that no list shows, for modules: off, without permissions.
  std::shared_ptr<User> NewUnlisted(std::string name) const;
  // One rule, or a line of them, for a user outside Set. The error is a whole text.
  Status ApplyRule(User& user, std::string_view rule) const;
  Status ApplyLine(User& user, std::string_view line) const;

  // --- the ACL file, and `user` lines of the configuration ---
  // Lines "user name rule...", read as a whole: every error is in the text. Without a line for the
  // default user it is as at first.
  Result<std::vector<User>> ReadFile(const std::string& path) const;
  Status WriteFile(const std::string& path) const;
  // The words behind "user" of each line.
  Status LoadConfigured(const std::vector<std::vector<std::string>>& lines);
  // "name rules" of every user, as lines of a file.
  std::vector<std::string> Lines() const;

  AclLog& log() { return log_; }

 private:
  bool channels_by_default() const { return settings_->acl_pubsub_default != 0; }
  static User MakeDefault(const CommandRegistry& commands);

  const CommandRegistry* commands_;
  const Settings* settings_;
  std::map<std::string, std::shared_ptr<User>, std::less<>> users_;
  std::shared_ptr<User> default_user_;
  AclLog log_;
};

}  // namespace backplane
