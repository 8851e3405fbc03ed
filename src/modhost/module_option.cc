// SPDX-License-Identifier: BSD-3-Clause
// ModuleOption: parsing by kind, calling setters. Texts are those that clients of CONFIG SET know.
#include "modhost/module_option.h"

#include <algorithm>
#include <climits>

#include "base/ascii.h"
#include "base/numbers.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/module_code.h"

namespace backplane {
namespace {

uint32_t OptionFlags(uint64_t flags) {
  uint32_t bits = 0;
  if ((flags & REDISMODULE_CONFIG_IMMUTABLE) != 0) bits |= kOptionImmutable;
  if ((flags & REDISMODULE_CONFIG_HIDDEN) != 0) bits |= kOptionHidden;
  if ((flags & REDISMODULE_CONFIG_PROTECTED) != 0) bits |= kOptionProtected;
  if ((flags & REDISMODULE_CONFIG_SENSITIVE) != 0) bits |= kOptionSensitive;
  if ((flags & REDISMODULE_CONFIG_DENY_LOADING) != 0) bits |= kOptionNotLoading;
  return bits;
}

std::unexpected<Error> Bad(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

// A line of the config file may have several words: they are one value.
std::string OneText(const std::vector<std::string>& args) {
  std::string text;
  for (const std::string& arg : args) {
    if (!text.empty()) text += ' ';
    text += arg;
  }
  return text;
}

}  // namespace

ModuleOption::ModuleOption(Module* module, std::string full_name, uint64_t flags, OptionHooks hooks)
    : Option(std::move(full_name), OptionFlags(flags)), module_(module), hooks_(std::move(hooks)) {}

Status ModuleOption::Outcome(int result, RedisModuleString* error) {
  std::string text;
  if (error != nullptr) {
    text = error->view();
    ReleaseModuleString(error);
  }
  if (result == REDISMODULE_OK) return {};
  return Bad(std::move(text));
}

ModuleBoolOption::ModuleBoolOption(Module* module, std::string full_name, uint64_t flags,
                                   OptionHooks hooks, bool initial,
                                   RedisModuleConfigGetBoolFunc get,
                                   RedisModuleConfigSetBoolFunc set)
    : ModuleOption(module, std::move(full_name), flags, std::move(hooks)),
      initial_(initial),
      get_(get),
      set_(set) {}

bool ModuleBoolOption::value() const {
  ModuleCallback mark(module(), "option");
  return get_(callback_name(), data()) != 0;
}

Status ModuleBoolOption::Assign(bool value) {
  RedisModuleString* error = nullptr;
  ModuleCallback mark(module(), "option");
  const int result = set_(callback_name(), value ? 1 : 0, data(), &error);
  return Outcome(result, error);
}

Status ModuleBoolOption::Set(const std::vector<std::string>& args) {
  const std::string text = OneText(args);
  const bool yes = EqualsIgnoreCase(text, "yes");
  if (!yes && !EqualsIgnoreCase(text, "no")) return Bad("argument must be 'yes' or 'no'");
  // A value that does not change is no news for the module.
  return yes == value() ? Status() : Assign(yes);
}

ModuleNumericOption::ModuleNumericOption(Module* module, std::string full_name, uint64_t flags,
                                         OptionHooks hooks, long long initial, Range range,
                                         RedisModuleConfigGetNumericFunc get,
                                         RedisModuleConfigSetNumericFunc set)
    : ModuleOption(module, std::move(full_name), flags, std::move(hooks)),
      initial_(initial),
      range_(range),
      get_(get),
      set_(set) {}

long long ModuleNumericOption::value() const {
  ModuleCallback mark(module(), "option");
  return get_(callback_name(), data());
}

Status ModuleNumericOption::Assign(long long value) {
  RedisModuleString* error = nullptr;
  ModuleCallback mark(module(), "option");
  const int result = set_(callback_name(), value, data(), &error);
  return Outcome(result, error);
}

Status ModuleNumericOption::Set(const std::vector<std::string>& args) {
  const std::string text = OneText(args);
  long long wanted = 0;
  if (range_.memory) {
    const auto bytes = ParseMemory(text);
    if (!bytes) return Bad("argument must be a memory value");
    // What no number of the module can hold is out of every range that ends below it.
    wanted = *bytes > static_cast<uint64_t>(LLONG_MAX) ? LLONG_MAX : static_cast<long long>(*bytes);
  } else {
    const auto plain = ParseInt64(text);
    if (!plain) return Bad("argument couldn't be parsed into an integer");
    wanted = *plain;
  }
  if (wanted < range_.low || wanted > range_.high) {
    return Bad("argument must be between " + Int64ToString(range_.low) + " and " +
               Int64ToString(range_.high) + " inclusive");
  }
  return wanted == value() ? Status() : Assign(wanted);
}

ModuleEnumOption::ModuleEnumOption(Module* module, std::string full_name, uint64_t flags,
                                   OptionHooks hooks, int initial, Names names, bool bits,
                                   RedisModuleConfigGetEnumFunc get,
                                   RedisModuleConfigSetEnumFunc set)
    : ModuleOption(module, std::move(full_name), flags, std::move(hooks)),
      initial_(initial),
      names_(std::move(names)),
      bits_(bits),
      get_(get),
      set_(set) {}

int ModuleEnumOption::value() const {
  ModuleCallback mark(module(), "option");
  return get_(callback_name(), data());
}

Status ModuleEnumOption::Assign(int value) {
  RedisModuleString* error = nullptr;
  ModuleCallback mark(module(), "option");
  const int result = set_(callback_name(), value, data(), &error);
  return Outcome(result, error);
}

bool ModuleEnumOption::Parse(const std::string& text, int* value) const {
  *value = 0;
  std::string_view rest = text;
  do {
    const size_t end = bits_ ? rest.find(' ') : std::string_view::npos;
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    auto found = std::find_if(names_.begin(), names_.end(),
                              [&](const auto& name) { return EqualsIgnoreCase(name.first, word); });
    if (found == names_.end()) return false;
    *value |= found->second;
  } while (!rest.empty());
  return true;
}

Status ModuleEnumOption::Set(const std::vector<std::string>& args) {
  int wanted;
  if (!Parse(OneText(args), &wanted)) {
    std::string all;
    for (const auto& [name, bit] : names_) {
      if (!all.empty()) all += ", ";
      all += name;
    }
    return Bad("argument(s) must be one of the following: " + all);
  }
  return wanted == value() ? Status() : Assign(wanted);
}

std::string ModuleEnumOption::Get() const {
  const int now = value();
  for (const auto& [name, bit] : names_) {
    if (bit == now) return name;
  }
  std::string text;
  int left = now;
  for (const auto& [name, bit] : names_) {
    if (!bits_ || bit == 0 || (left & bit) != bit) continue;
    left &= ~bit;
    if (!text.empty()) text += ' ';
    text += name;
  }
  return left == 0 && !text.empty() ? text : "unknown";
}

ModuleStringOption::ModuleStringOption(Module* module, std::string full_name, uint64_t flags,
                                       OptionHooks hooks, std::string initial,
                                       RedisModuleConfigGetStringFunc get,
                                       RedisModuleConfigSetStringFunc set)
    : ModuleOption(module, std::move(full_name), flags, std::move(hooks)),
      initial_(std::move(initial)),
      get_(get),
      set_(set) {}

std::string ModuleStringOption::Get() const {
  ModuleCallback mark(module(), "option");
  RedisModuleString* value = get_(callback_name(), data());
  return value == nullptr ? std::string() : std::string(value->view());
}

Status ModuleStringOption::Assign(const std::string& value) {
  // The module keeps it by retaining it.
  RedisModuleString* text = NewModuleString(value);
  RedisModuleString* error = nullptr;
  ModuleCallback mark(module(), "option");
  const int result = set_(callback_name(), text, data(), &error);
  ReleaseModuleString(text);
  return Outcome(result, error);
}

Status ModuleStringOption::Set(const std::vector<std::string>& args) {
  const std::string text = OneText(args);
  return text == Get() ? Status() : Assign(text);
}

OptionRegistration::~OptionRegistration() { module()->host().options().Remove(option_); }

Status ApplyModuleOptions(const std::vector<ModuleOption*>& options) {
  std::vector<std::pair<RedisModuleConfigApplyFunc, void*>> done;
  for (ModuleOption* option : options) {
    const OptionHooks& hooks = option->hooks();
    if (hooks.apply == nullptr) continue;
    const std::pair key(hooks.apply, hooks.data);
    if (std::find(done.begin(), done.end(), key) != done.end()) continue;
    done.push_back(key);
    ModuleHost& host = option->module().host();
    Engine::Unit unit(host.engine());
    ModuleHost::InternalSession session(host, 0);
    RedisModuleCtx ctx(&option->module(), session.get(), &host.null_sink());
    RedisModuleString* error = nullptr;
    ModuleCallback mark(option->module(), "option apply");
    const int result = hooks.apply(&ctx, hooks.data, &error);
    std::string text;
    if (error != nullptr) {
      text = error->view();
      ReleaseModuleString(error);
    }
    if (result != REDISMODULE_OK) return Bad(std::move(text));
  }
  return {};
}

}  // namespace backplane
