// SPDX-License-Identifier: BSD-3-Clause
// Users: the list, and its file.
#include "acl/users.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/atomic_file.h"
#include "base/quoting.h"

namespace backplane {
namespace {

bool ValidName(std::string_view name) {
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return IsAsciiSpace(c) || c == '\0'; });
}

std::unexpected<Error> Refuse(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

std::vector<std::string_view> Views(std::span<const std::string> words) {
  return {words.begin(), words.end()};
}

}  // namespace

Users::Users(const CommandRegistry* commands, const Settings* settings)
    : commands_(commands),
      settings_(settings),
      default_user_(std::make_shared<User>(MakeDefault(*commands))) {
  users_.emplace(kDefaultName, default_user_);
}

User Users::MakeDefault(const CommandRegistry& commands) {
  User user{std::string(kDefaultName), true};
  for (std::string_view rule : {"on", "nopass", "+@all", "~*", "&*"}) {
    BP_ASSERT(user.Apply(rule, commands, true).has_value());
  }
  return user;
}

std::shared_ptr<User> Users::Find(std::string_view name) const {
  const auto it = users_.find(name);
  return it == users_.end() ? nullptr : it->second;
}

std::shared_ptr<User> Users::Login(std::string_view name, std::string_view password) const {
  std::shared_ptr<User> user = Find(name);
  if (user == nullptr || !user->enabled() || !user->AcceptsPassword(password)) return nullptr;
  return user;
}

Result<std::unique_ptr<User>> Users::Set(std::string_view name, Words words) {
  if (!ValidName(name)) return Refuse(std::string(kBadName));
  BP_ASSIGN_OR_RETURN(const auto rules, JoinSelectors(words));
  const auto known = users_.find(name);
  User changed =
      known != users_.end() ? *known->second : User(std::string(name), channels_by_default());
  for (const std::string& rule : rules) {
    if (auto status = changed.Apply(rule, *commands_, channels_by_default()); !status) {
      return Refuse("Error in ACL SETUSER modifier '" + rule + "': " + status.error().message);
    }
  }
  if (known == users_.end()) {
    users_.emplace(name, std::make_shared<User>(std::move(changed)));
    return std::unique_ptr<User>();
  }
  auto before = std::make_unique<User>(std::move(*known->second));
  *known->second = std::move(changed);
  return before;
}

bool Users::Remove(std::string_view name) {
  const auto it = users_.find(name);
  if (it == users_.end()) return false;
  BP_ASSERT(it->second != default_user_);
  users_.erase(it);
  return true;
}

void Users::SetDefaultPassword(std::string_view password) {
  const std::string rule = password.empty() ? "nopass" : ">" + std::string(password);
  User& user = *default_user_;
  BP_ASSERT(user.Apply("resetpass", *commands_, true).has_value());
  BP_ASSERT(user.Apply(rule, *commands_, true).has_value());
}

void Users::Replace(std::vector<User> users) {
  users_.clear();
  users_.emplace(kDefaultName, default_user_);
  *default_user_ = MakeDefault(*commands_);
  // A list without a line for it must not open the door.
  SetDefaultPassword(settings_->requirepass);
  for (User& user : users) {
    if (user.name() == kDefaultName) {
      *default_user_ = std::move(user);
    } else {
      std::string name = user.name();
      users_.emplace(std::move(name), std::make_shared<User>(std::move(user)));
    }
  }
}

std::shared_ptr<User> Users::NewUnlisted(std::string name) const {
  return std::make_shared<User>(std::move(name), channels_by_default());
}

Status Users::ApplyRule(User& user, std::string_view rule) const {
  User changed = user;
  BP_RETURN_IF_ERROR(changed.Apply(rule, *commands_, channels_by_default()));
  user = std::move(changed);
  return {};
}

Status Users::ApplyLine(User& user, std::string_view line) const {
  auto words = SplitArgs(line);
  if (!words) return Refuse("Unbalanced quotes in ACL rules");
  BP_ASSIGN_OR_RETURN(const auto rules, JoinSelectors(Views(*words)));
  User changed = user;
  for (const std::string& rule : rules) {
    if (auto status = changed.Apply(rule, *commands_, channels_by_default()); !status) {
      return Refuse("Error in applying operation '" + rule + "': " + status.error().message);
    }
  }
  user = std::move(changed);
  return {};
}

// --- files ---

Result<std::vector<User>> Users::ReadFile(const std::string& path) const {
  std::ifstream in(path);
  if (!in)
    return Refuse("Error loading ACLs, opening file '" + path + "': " + std::strerror(errno));
  std::vector<User> users;
  std::set<std::string, std::less<>> names;
  std::string errors;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    auto complain = [&](const std::string& why) {
      errors += path + ":" + std::to_string(number) + ": " + why + ". ";
    };
    std::vector<std::string_view> words;
    std::string_view rest = line;
    while (!rest.empty()) {
      const size_t blank = rest.find_first_of(" \t\r");
      if (blank != 0) words.push_back(rest.substr(0, blank));
      rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
    }
    if (words.empty() || words[0].starts_with('#')) continue;
    if (words.size() < 2 || words[0] != "user") {
      complain("line should start with user keyword and a username");
      continue;
    }
    const std::string name(words[1]);
    if (!names.insert(name).second) {
      complain("Duplicate user '" + name + "' found");
      continue;
    }
    auto rules = JoinSelectors(Words(words).subspan(2));
    if (!rules) {
      complain(rules.error().message);
      continue;
    }
    User user(name, channels_by_default());
    for (const std::string& rule : *rules) {
      auto status = user.Apply(rule, *commands_, channels_by_default());
      if (!status) complain(status.error().message + " in '" + rule + "'");
    }
    users.push_back(std::move(user));
  }
  if (in.bad()) return Refuse("Error loading ACLs, reading file '" + path + "' failed");
  if (errors.empty()) return users;
  return Refuse(errors +
                "WARNING: ACL errors detected, no change to the previously active ACL "
                "rules was performed");
}

std::vector<std::string> Users::Lines() const {
  std::vector<std::string> lines;
  for (const auto& [name, user] : users_) lines.push_back(name + " " + user->Text());
  return lines;
}

Status Users::WriteFile(const std::string& path) const {
  std::string text;
  for (const std::string& line : Lines()) text += "user " + line + "\n";
  return WriteFileAtomically(path, text);
}

Status Users::LoadConfigured(const std::vector<std::vector<std::string>>& lines) {
  for (const auto& words : lines) {
    const auto views = Views(words);
    BP_ASSIGN_OR_RETURN(const auto rules, JoinSelectors(Words(views).subspan(1)));
    // A line describes the user from nothing, the default user too.
    User user(words[0], channels_by_default());
    for (const std::string& rule : rules) {
      if (auto status = user.Apply(rule, *commands_, channels_by_default()); !status) {
        return Refuse("Error in user declaration '" + rule + "': " + status.error().message);
      }
    }
    if (words[0] == kDefaultName) {
      *default_user_ = std::move(user);
    } else {
      users_[words[0]] = std::make_shared<User>(std::move(user));
    }
  }
  return {};
}

}  // namespace backplane
