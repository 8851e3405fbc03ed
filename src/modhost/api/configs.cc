// SPDX-License-Identifier: BSD-3-Clause
// API area: options of modules.
#include <cerrno>

#include "base/ascii.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/module_option.h"

namespace backplane {
namespace {

constexpr uint64_t kKnownFlags = REDISMODULE_CONFIG_IMMUTABLE | REDISMODULE_CONFIG_SENSITIVE |
                                 REDISMODULE_CONFIG_HIDDEN | REDISMODULE_CONFIG_PROTECTED |
                                 REDISMODULE_CONFIG_DENY_LOADING | REDISMODULE_CONFIG_MEMORY |
                                 REDISMODULE_CONFIG_BITFLAGS | REDISMODULE_CONFIG_UNPREFIXED;

bool IsOptionName(std::string_view name) {
  if (name.empty()) return false;
  for (char c : name) {
    const char lower = AsciiLower(c);
    const bool fine = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
                      c == '-' || c == '.';
    if (!fine) return false;
  }
  return true;
}

// What all kinds check and need. `full_name` is empty, and errno set, when it must not be
// registered.
struct Request {
  std::string full_name;
  OptionHooks hooks;
};

Request Check(RedisModuleCtx* ctx, const char* name, uint64_t flags, uint64_t flags_of_kind,
              RedisModuleConfigApplyFunc apply, void* data) {
  constexpr uint64_t kOfKind = REDISMODULE_CONFIG_MEMORY | REDISMODULE_CONFIG_BITFLAGS;
  Module* module = ctx->module;
  errno = 0;
  const bool bad_flags = (flags & ~kKnownFlags) != 0 || (flags & kOfKind & ~flags_of_kind) != 0;
  if (!module->loading()) {
    errno = EBUSY;
  } else if (name == nullptr || !IsOptionName(name) || bad_flags) {
    errno = EINVAL;
  }
  if (errno != 0) return {};
  const bool bare = (flags & REDISMODULE_CONFIG_UNPREFIXED) != 0;
  std::string full = bare ? std::string(name) : module->name() + "." + name;
  if (ctx->host().options().Find(full) != nullptr) {
    ctx->host().logger().Warning("Configuration by the name: " + full + " already registered");
    errno = EALREADY;
    return {};
  }
  return {std::move(full), {name, data, apply}};
}

template <class T>
int Register(RedisModuleCtx* ctx, std::unique_ptr<T> option) {
  ModuleOption* raw = option.get();
  // The name was free a moment ago.
  if (!ctx->host().options().Add(std::move(option))) return REDISMODULE_ERR;
  ctx->module->Own(std::make_unique<OptionRegistration>(ctx->module, raw));
  ++ctx->module->config_count;
  return REDISMODULE_OK;
}

int RegisterStringConfig(RedisModuleCtx* ctx, const char* name, const char* default_val,
                         unsigned int flags, RedisModuleConfigGetStringFunc getfn,
                         RedisModuleConfigSetStringFunc setfn, RedisModuleConfigApplyFunc applyfn,
                         void* privdata) {
  Request request = Check(ctx, name, flags, 0, applyfn, privdata);
  if (request.full_name.empty()) return REDISMODULE_ERR;
  return Register(ctx,
                  std::make_unique<ModuleStringOption>(
                      ctx->module, std::move(request.full_name), flags, std::move(request.hooks),
                      default_val == nullptr ? "" : default_val, getfn, setfn));
}

int RegisterBoolConfig(RedisModuleCtx* ctx, const char* name, int default_val, unsigned int flags,
                       RedisModuleConfigGetBoolFunc getfn, RedisModuleConfigSetBoolFunc setfn,
                       RedisModuleConfigApplyFunc applyfn, void* privdata) {
  Request request = Check(ctx, name, flags, 0, applyfn, privdata);
  if (request.full_name.empty()) return REDISMODULE_ERR;
  return Register(ctx, std::make_unique<ModuleBoolOption>(ctx->module, std::move(request.full_name),
                                                          flags, std::move(request.hooks),
                                                          default_val != 0, getfn, setfn));
}

int RegisterEnumConfig(RedisModuleCtx* ctx, const char* name, int default_val, unsigned int flags,
                       const char** enum_values, const int* int_values, int num_enum_vals,
                       RedisModuleConfigGetEnumFunc getfn, RedisModuleConfigSetEnumFunc setfn,
                       RedisModuleConfigApplyFunc applyfn, void* privdata) {
  Request request = Check(ctx, name, flags, REDISMODULE_CONFIG_BITFLAGS, applyfn, privdata);
  if (request.full_name.empty()) return REDISMODULE_ERR;
  ModuleEnumOption::Names names;
  for (int i = 0; i < num_enum_vals; ++i) names.emplace_back(enum_values[i], int_values[i]);
  const bool bits = (flags & REDISMODULE_CONFIG_BITFLAGS) != 0;
  return Register(
      ctx, std::make_unique<ModuleEnumOption>(ctx->module, std::move(request.full_name), flags,
                                              std::move(request.hooks), default_val,
                                              std::move(names), bits, getfn, setfn));
}

int RegisterNumericConfig(RedisModuleCtx* ctx, const char* name, long long default_val,
                          unsigned int flags, long long min, long long max,
                          RedisModuleConfigGetNumericFunc getfn,
                          RedisModuleConfigSetNumericFunc setfn, RedisModuleConfigApplyFunc applyfn,
                          void* privdata) {
  Request request = Check(ctx, name, flags, REDISMODULE_CONFIG_MEMORY, applyfn, privdata);
  if (request.full_name.empty()) return REDISMODULE_ERR;
  const bool memory = (flags & REDISMODULE_CONFIG_MEMORY) != 0;
  return Register(ctx,
                  std::make_unique<ModuleNumericOption>(
                      ctx->module, std::move(request.full_name), flags, std::move(request.hooks),
                      default_val, ModuleNumericOption::Range{min, max, memory}, getfn, setfn));
}

std::vector<ModuleOption*> OptionsOf(const Module& module) {
  std::vector<ModuleOption*> options;
  module.ForEachRegistration([&](Registration& registration) {
    if (auto* option = dynamic_cast<OptionRegistration*>(&registration)) {
      options.push_back(&option->option());
    }
  });
  return {options.rbegin(), options.rend()};
}

// From what LOADEX or the config file says, else the default.
Status Initialize(ModuleHost& host, ModuleOption& option, bool defaults_set) {
  auto pending = host.pending_configs().find(ToLower(option.name()));
  if (pending == host.pending_configs().end()) {
    return defaults_set ? Status() : option.SetDefault();
  }
  const std::vector<std::string> values = std::move(pending->second);
  host.pending_configs().erase(pending);
  return option.Set(values);
}

int LoadDefaultConfigs(RedisModuleCtx* ctx) {
  Module* module = ctx->module;
  if (!module->loading() || module->configs_loaded || module->defaults_loaded) {
    return REDISMODULE_ERR;
  }
  for (ModuleOption* option : OptionsOf(*module)) {
    if (!option->SetDefault()) return REDISMODULE_ERR;
  }
  module->defaults_loaded = true;
  return REDISMODULE_OK;
}

int LoadConfigs(RedisModuleCtx* ctx) {
  Module* module = ctx->module;
  if (!module->loading()) return REDISMODULE_ERR;
  module->configs_loaded = true;
  const std::vector<ModuleOption*> options = OptionsOf(*module);
  Status status;
  std::string name;
  for (ModuleOption* option : options) {
    name = option->name();
    status = Initialize(ctx->host(), *option, module->defaults_loaded);
    if (!status) break;
  }
  if (status) status = ApplyModuleOptions(options);
  if (status) return REDISMODULE_OK;
  ctx->host().logger().Warning("Issue during loading of configuration " + name + " : " +
                               status.error().message);
  return REDISMODULE_ERR;
}

}  // namespace

void RegisterConfigApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(RegisterStringConfig), BACKPLANE_API_ROW(RegisterBoolConfig),
      BACKPLANE_API_ROW(RegisterEnumConfig),   BACKPLANE_API_ROW(RegisterNumericConfig),
      BACKPLANE_API_ROW(LoadDefaultConfigs),   BACKPLANE_API_ROW(LoadConfigs),
  };
  table.Add(rows);
}

}  // namespace backplane
