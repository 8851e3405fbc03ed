// SPDX-License-Identifier: BSD-3-Clause
// OptionTable: registration, CONFIG GET and CONFIG SET. The built-in rows are in
// builtin_options.cc.
#include "config/options.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/glob.h"
#include "base/quoting.h"

namespace backplane {

OptionTable::~OptionTable() = default;

Result<Option*> OptionTable::Add(std::unique_ptr<Option> option) {
  Option* raw = option.get();
  std::string name = ToLower(raw->name());
  if (Find(name) != nullptr)
    return Fail(ErrorCode::kAlreadyExists, "Configuration " + name + " already registered");
  if (!raw->alias().empty()) aliases_[raw->alias()] = raw;
  options_.emplace(std::move(name), std::move(option));
  return raw;
}

void OptionTable::Remove(Option* option) {
  if (!option->alias().empty()) aliases_.erase(option->alias());
  options_.erase(ToLower(option->name()));
}

Option* OptionTable::Find(std::string_view name) const {
  std::string lower = ToLower(name);
  auto it = options_.find(lower);
  if (it != options_.end()) return it->second.get();
  auto alias = aliases_.find(lower);
  return alias == aliases_.end() ? nullptr : alias->second;
}

std::vector<Option*> OptionTable::All() const {
  std::vector<Option*> all;
  for (const auto& [name, option] : options_) all.push_back(option.get());
  return all;
}

void OptionTable::AddListener(OptionListener* listener) { listeners_.push_back(listener); }
void OptionTable::RemoveListener(OptionListener* listener) { std::erase(listeners_, listener); }

std::vector<std::pair<std::string, std::string>> OptionTable::Get(
    const std::vector<std::string>& patterns) const {
  std::map<std::string, std::string> found;
  for (const std::string& pattern : patterns) {
    auto add = [&](const std::string& name, const Option& option) {
      bool exact = EqualsIgnoreCase(pattern, name);
      bool hidden = (option.flags() & kOptionHidden) != 0;
      // A literal name is answered as it was asked for.
      if (exact) {
        found.emplace(pattern, option.Get());
      } else if (!hidden && GlobMatch(pattern, name, true)) {
        found.emplace(name, option.Get());
      }
    };
    for (const auto& [name, option] : options_) add(name, *option);
    for (const auto& [name, option] : aliases_) add(name, *option);
  }
  return {found.begin(), found.end()};
}

namespace {

std::unexpected<Error> SetFailure(std::string_view name, const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument, "CONFIG SET failed (possibly related to argument '" +
                                               std::string(name) + "') - " + why);
}

// A value as CONFIG GET prints it, as words that Set takes back.
std::vector<std::string> WordsOf(const Option& option, const std::string& value) {
  if ((option.flags() & kOptionMultiple) == 0) return {value};
  auto words = SplitArgs(value);
  return words.has_value() ? *words : std::vector<std::string>{value};
}

}  // namespace

Status Option::CheckRuntime(const std::vector<std::string>&) const { return {}; }

Status OptionTable::SetAtRuntime(const std::vector<std::pair<std::string, std::string>>& pairs,
                                 bool local, bool loading) {
  struct Change {
    Option* option;
    std::string old_value;
  };
  std::vector<Change> changes;
  std::set<const Option*> seen;
  for (const auto& [name, value] : pairs) {
    Option* option = Find(name);
    if (option == nullptr) {
      return Fail(ErrorCode::kNotFound,
                  "Unknown option or number of arguments for CONFIG SET - '" + name + "'");
    }
    if ((option->flags() & kOptionImmutable) != 0)
      return SetFailure(name, "can't set immutable config");
    if ((option->flags() & kOptionProtected) != 0 && !local)
      return SetFailure(name, "can't set protected config");
    if ((option->flags() & kOptionNotLoading) != 0 && loading)
      return Fail(ErrorCode::kBusy, "can't set " + name + " while data are loaded");
    if (!seen.insert(option).second) return SetFailure(name, "duplicate parameter");
  }
  auto put_back = [&] {
    for (auto it = changes.rbegin(); it != changes.rend(); ++it) {
      // It was the value a moment ago, so it is valid.
      if (!it->option->Set(WordsOf(*it->option, it->old_value))) break;
    }
  };
  std::vector<std::string> names;
  for (const auto& [name, value] : pairs) {
    Option* option = Find(name);
    changes.push_back({option, option->Get()});
    names.push_back(option->name());
    const std::vector<std::string> words = WordsOf(*option, value);
    auto status = option->CheckRuntime(words);
    if (status) status = option->Set(words);
    if (!status) {
      changes.pop_back();
      put_back();
      return SetFailure(name, status.error().message);
    }
  }
  for (size_t i = 0; i < listeners_.size(); ++i) {
    auto status = listeners_[i]->OnOptionsChanged(names);
    if (status) continue;
    const std::string failed = listeners_[i]->failed_option();
    put_back();
    // What has been done already is undone by telling the old values; it worked with them before.
    for (size_t told = 0; told <= i; ++told) {
      static_cast<void>(listeners_[told]->OnOptionsChanged(names));
    }
    return SetFailure(failed.empty() ? names[0] : failed, status.error().message);
  }
  return {};
}

}  // namespace backplane
