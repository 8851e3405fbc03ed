// SPDX-License-Identifier: BSD-3-Clause
// ModuleOption: an option that a module registered, in the server's table of options under
// "module.name". The value itself lives in the module, behind its get and set callbacks. Owned by
// the table; OptionRegistration, in the module's list, takes it out again. Engine thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/options.h"
#include "modhost/api_signatures.h"
#include "modhost/registration.h"

namespace backplane {

// The callbacks that all kinds have, with what they are called with.
struct OptionHooks {
  std::string name;  // as the module gave it: what callbacks get
  void* data = nullptr;
  RedisModuleConfigApplyFunc apply = nullptr;
};

class ModuleOption : public Option {
 public:
  ModuleOption(Module* module, std::string full_name, uint64_t flags, OptionHooks hooks);

  Module& module() const { return *module_; }
  const OptionHooks& hooks() const { return hooks_; }
  // Calls the setter with the default.
  virtual Status SetDefault() = 0;

 protected:
  // What a setter returned: its own text for a refusal, which is freed here.
  static Status Outcome(int result, RedisModuleString* error);
  const char* callback_name() const { return hooks_.name.c_str(); }
  void* data() const { return hooks_.data; }

 private:
  Module* module_;
  OptionHooks hooks_;
};

class ModuleBoolOption final : public ModuleOption {
 public:
  ModuleBoolOption(Module* module, std::string full_name, uint64_t flags, OptionHooks hooks,
                   bool initial, RedisModuleConfigGetBoolFunc get,
                   RedisModuleConfigSetBoolFunc set);
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override { return value() ? "yes" : "no"; }
  bool IsDefault() const override { return value() == initial_; }
  Status SetDefault() override { return Assign(initial_); }

 private:
  bool value() const;
  Status Assign(bool value);

  bool initial_;
  RedisModuleConfigGetBoolFunc get_;
  RedisModuleConfigSetBoolFunc set_;
};

class ModuleNumericOption final : public ModuleOption {
 public:
  struct Range {
    long long low;
    long long high;
    bool memory;  // "1mb" is understood
  };
  ModuleNumericOption(Module* module, std::string full_name, uint64_t flags, OptionHooks hooks,
                      long long initial, Range range, RedisModuleConfigGetNumericFunc get,
                      RedisModuleConfigSetNumericFunc set);
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override { return std::to_string(value()); }
  bool IsDefault() const override { return value() == initial_; }
  Status SetDefault() override { return Assign(initial_); }

 private:
  long long value() const;
  Status Assign(long long value);

  long long initial_;
  Range range_;
  RedisModuleConfigGetNumericFunc get_;
  RedisModuleConfigSetNumericFunc set_;
};

class ModuleEnumOption final : public ModuleOption {
 public:
  using Names = std::vector<std::pair<std::string, int>>;
  // `bits`: several names may be given, and their values are or-ed.
  ModuleEnumOption(Module* module, std::string full_name, uint64_t flags, OptionHooks hooks,
                   int initial, Names names, bool bits, RedisModuleConfigGetEnumFunc get,
                   RedisModuleConfigSetEnumFunc set);
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override;
  bool IsDefault() const override { return value() == initial_; }
  Status SetDefault() override { return Assign(initial_); }

 private:
  int value() const;
  Status Assign(int value);
  bool Parse(const std::string& text, int* value) const;

  int initial_;
  Names names_;
  bool bits_;
  RedisModuleConfigGetEnumFunc get_;
  RedisModuleConfigSetEnumFunc set_;
};

class ModuleStringOption final : public ModuleOption {
 public:
  ModuleStringOption(Module* module, std::string full_name, uint64_t flags, OptionHooks hooks,
                     std::string initial, RedisModuleConfigGetStringFunc get,
                     RedisModuleConfigSetStringFunc set);
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override;
  bool IsDefault() const override { return Get() == initial_; }
  Status SetDefault() override { return Assign(initial_); }

 private:
  Status Assign(const std::string& value);

  std::string initial_;
  RedisModuleConfigGetStringFunc get_;
  RedisModuleConfigSetStringFunc set_;
};

class OptionRegistration final : public Registration {
 public:
  OptionRegistration(Module* module, ModuleOption* option)
      : Registration(module), option_(option) {}
  ~OptionRegistration() override;
  const char* kind() const override { return "option"; }
  ModuleOption& option() const { return *option_; }

 private:
  ModuleOption* option_;
};

// Calls the apply callbacks of the options, each pair of callback and data once. The error is the
// module's.
Status ApplyModuleOptions(const std::vector<ModuleOption*>& options);

}  // namespace backplane
