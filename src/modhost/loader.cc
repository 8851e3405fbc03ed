// SPDX-License-Identifier: BSD-3-Clause
// ModuleHost: load and unload. A load that fails at any point is the destruction of the Module
// object, which takes out all that it registered.
#include <dlfcn.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/ascii.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/module_type.h"

namespace backplane {
namespace {

constexpr char kLoadFailed[] = "Error loading the extension. Please check the server logs.";
using OnLoadFunction = int (*)(RedisModuleCtx*, RedisModuleString**, int);
using OnUnloadFunction = int (*)(RedisModuleCtx*);

template <class Function>
Function Symbol(void* handle, const char* redis_name, const char* valkey_name) {
  void* found = dlsym(handle, redis_name);
  if (found == nullptr) found = dlsym(handle, valkey_name);
  return reinterpret_cast<Function>(found);
}

// Registered and not forgotten by any list: everything but values.
bool HasLiveValues(const Module& module) {
  bool live = false;
  module.ForEachRegistration([&](Registration& registration) {
    auto* type = dynamic_cast<ModuleType*>(&registration);
    live |= type != nullptr && type->value_count().load(std::memory_order_acquire) > 0;
  });
  return live;
}

// Whether the release that this server follows has the function.
bool IsOfServedRelease(std::string_view full_name) {
  constexpr uint32_t kServed = 0x070205;
  struct Row {
    std::string_view name;
    uint32_t since_redis;
  };
  static constexpr Row kRows[] = {
#define BACKPLANE_API(Name, since_redis, since_valkey, thread) {#Name, since_redis},
#include "modhost/api_list.inc"
#undef BACKPLANE_API
  };
  const std::string_view name = full_name.substr(full_name.find('_') + 1);
  for (const Row& row : kRows) {
    if (row.name == name) return row.since_redis != 0 && row.since_redis <= kServed;
  }
  return false;
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

}  // namespace

Module* ModuleHost::FindModule(std::string_view name) const {
  for (const auto& module : modules_) {
    if (module->name() == name) return module.get();
  }
  return nullptr;
}

int ModuleHost::FreeSlot() const {
  for (int slot = 0; slot < kModuleSlots; ++slot) {
    if (ModuleInSlot(slot) == nullptr) return slot;
  }
  return -1;
}

Status ModuleHost::Load(const std::string& path, const std::vector<std::string>& args,
                        const ModuleConfigs& configs) {
  const int slot = FreeSlot();
  if (slot < 0) {
    logger().Warning("Module " + path +
                     " failed to load: there are as many modules as this "
                     "server can hold");
    return Fail(ErrorCode::kBusy, kLoadFailed);
  }
  auto pending_before = pending_configs_;
  for (const auto& [name, value] : configs) pending_configs_[ToLower(name)] = {value};
  auto owned = std::make_unique<Module>(this, slot, path, args);
  Module& module = *owned;
  ResetSlotUsage(slot);
  SetModuleInSlot(slot, &module);
  // In the list already while OnLoad runs: what it registers may ask for its module.
  modules_.push_back(std::move(owned));
  bool started = Start(module);
  for (const auto& [name, value] : configs) {
    if (started && pending_configs_.contains(ToLower(name))) {
      logger().Warning("Module Configuration were not used, Failing to load module: " + name);
      started = false;
    }
  }
  if (!started) {
    pending_configs_ = std::move(pending_before);
    Discard(module);
    return Fail(ErrorCode::kInvalidArgument, kLoadFailed);
  }
  logger().Notice("Module '" + module.name() + "' loaded from " + path);
  ReviveFor(module);
  NoteModules();
  FireModuleChange(module, REDISMODULE_SUBEVENT_MODULE_LOADED);
  return {};
}

bool ModuleHost::Start(Module& module) {
  const std::string& path = module.path();
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) {
    logger().Warning("Module " + path + " failed to load: It does not have execute permissions.");
    return false;
  }
  module.set_handle(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (module.handle() == nullptr) {
    logger().Warning("Module " + path + " failed to load: " + dlerror());
    return false;
  }
  void* entry = dlsym(module.handle(), "RedisModule_OnLoad");
  if (entry == nullptr) entry = dlsym(module.handle(), "ValkeyModule_OnLoad");
  if (entry == nullptr) {
    logger().Warning("Module " + path +
                     " does not export RedisModule_OnLoad() symbol. Module not loaded.");
    return false;
  }
  return RunOnLoad(module, entry);
}

bool ModuleHost::RunOnLoad(Module& module, void* entry) {
  int result;
  {
    Engine::Unit unit(services_.engine);
    std::vector<std::string_view> views(module.args().begin(), module.args().end());
    ArgumentStrings arguments(strings_, views);
    InternalSession session(*this, 0);
    RedisModuleCtx ctx(&module, session.get(), &null_sink_);
    module.set_loading(true);
    result = reinterpret_cast<OnLoadFunction>(entry)(&ctx, arguments.data(), arguments.size());
    module.set_loading(false);
  }
  LogMissing(module);
  return Accepted(module, result);
}

void ModuleHost::LogMissing(Module& module) {
  if (module.missing_functions().empty()) return;
  // The headers of today ask for what came after the release that this server follows: not to have
  // that is expected.
  std::vector<std::string> old;
  std::vector<std::string> recent;
  for (const std::string& name : module.missing_functions()) {
    (IsOfServedRelease(name) ? old : recent).push_back(name);
  }
  const std::string who = module.identified() ? module.name() : module.path();
  auto text = [&](const std::vector<std::string>& names) {
    return "module " + who + " asked for " + Join(names) + ", which this server does not have";
  };
  if (!old.empty()) logger().Notice(text(old));
  if (!recent.empty()) logger().Verbose(text(recent));
}

bool ModuleHost::Accepted(Module& module, int result) {
  const std::string& path = module.path();
  if (!module.refusal().empty()) {
    logger().Warning("Module " + path + " refused: " + module.refusal());
  }
  if (result != REDISMODULE_OK || !module.refusal().empty()) {
    logger().Warning("Module " + path + " initialization failed. Module not loaded");
    return false;
  }
  if (!module.identified()) {
    logger().Warning("Module " + path + " did not call RedisModule_Init. Module not loaded");
    return false;
  }
  if (module.config_count > 0 && !module.configs_loaded) {
    logger().Warning(
        "Module Configurations were not set, missing LoadConfigs call. Unloading the "
        "module.");
    return false;
  }
  return true;
}

void ModuleHost::ReviveFor(Module& module) {
  TypeRegistry::Report report = types_.ReviveAll(module);
  if (report.revived == 0 && report.failed == 0) return;
  logger().Notice("Module '" + module.name() + "': " + std::to_string(report.revived) +
                  " dormant values revived, " + std::to_string(report.failed) +
                  " could not be read and stay dormant");
}

void ModuleHost::FireModuleChange(const Module& module, uint64_t subevent) {
  RedisModuleModuleChange info = {REDISMODULE_MODULE_CHANGE_VERSION, module.name().c_str(),
                                  module.version()};
  events_.Fire(REDISMODULE_EVENT_MODULE_CHANGE, subevent, &info);
}

void ModuleHost::Discard(Module& module) {
  void* handle = module.handle();
  key_events_.ForgetJobs(&module);
  one_shots_.Forget(&module);
  // A child that a failed load leaves behind is nobody's; it is reaped without a word.
  if (child_.module == &module) child_.done = nullptr;
  std::erase_if(info_providers_, [&](const InfoProvider& p) { return p.module == &module; });
  std::erase_if(shared_apis_, [&](const auto& api) { return api.second.module == &module; });
  for (const auto& other : modules_) {
    std::erase(other->used_by(), &module);
    std::erase(other->uses(), &module);
  }
  const int slot = module.slot();
  std::erase_if(modules_, [&](const auto& owned) { return owned.get() == &module; });
  SetModuleInSlot(slot, nullptr);
  if (handle != nullptr) dlclose(handle);
}

Status ModuleHost::Unload(std::string_view name) {
  Module* module = FindModule(name);
  if (module == nullptr) {
    return Fail(ErrorCode::kNotFound, "Error unloading module: no such module with that name");
  }
  auto refuse = [](const char* why) {
    return Fail(ErrorCode::kBusy, std::string("Error unloading module: ") + why);
  };
  // Values may still be on their way out in the background.
  keyspace().lazy_free().Drain();
  if (HasLiveValues(*module)) {
    return refuse("the module exports one or more module-side data types, can't unload");
  }
  if (!module->used_by().empty()) {
    return refuse(
        "the module exports APIs used by other modules. Please unload them first and try "
        "again");
  }
  if (child_.module == module) {
    return refuse("the module has a forked child");
  }
  auto on_unload =
      Symbol<OnUnloadFunction>(module->handle(), "RedisModule_OnUnload", "ValkeyModule_OnUnload");
  if (on_unload != nullptr) {
    Engine::Unit unit(services_.engine);
    InternalSession session(*this, 0);
    RedisModuleCtx ctx(module, session.get(), &null_sink_);
    // Authors also write it as void: only the very value that refuses counts.
    if (on_unload(&ctx) == REDISMODULE_ERR) {
      logger().Warning("Module " + module->name() + " OnUnload failed.  Unload canceled.");
      return refuse("operation not possible.");
    }
  }
  FireModuleChange(*module, REDISMODULE_SUBEVENT_MODULE_UNLOADED);
  std::string unloaded = module->name();
  Discard(*module);
  NoteModules();
  logger().Notice("Module " + unloaded + " unloaded");
  return {};
}

void ModuleHost::NoteModules() {
  // While the server starts, it walks through that list.
  if (services_.directives == nullptr || !serving_) return;
  services_.directives->modules.clear();
  for (const auto& module : modules_) {
    services_.directives->modules.push_back({module->path(), module->args()});
  }
}

void ModuleHost::SetPendingConfigs(
    const std::vector<std::pair<std::string, std::vector<std::string>>>& unknown) {
  for (const auto& [name, values] : unknown) pending_configs_[ToLower(name)] = values;
}

std::vector<std::string> ModuleHost::UnusedPendingConfigs() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : pending_configs_) names.push_back(name);
  return names;
}

}  // namespace backplane
