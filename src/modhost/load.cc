// SPDX-License-Identifier: BSD-3-Clause
// ModuleHost: loading a module. A load that fails at any point is the destruction of the Module
// object, which takes out all that it registered.
#include <algorithm>

#include "base/ascii.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/mapped_module.h"
#include "modhost/module_code.h"
#include "modhost/module_threads.h"
#include "modhost/slot_memory.h"
#include "modhost/trial.h"

namespace backplane {
namespace {

constexpr std::string_view kPinPrefix = "sha256:";

using OnLoadFunction = int (*)(RedisModuleCtx*, RedisModuleString**, int);

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

LoadRequest MakeLoadRequest(const std::string& path, std::vector<std::string> args) {
  LoadRequest request{path, std::move(args), {}, {}};
  if (!request.args.empty() && request.args.front().starts_with(kPinPrefix)) {
    request.sha256 = request.args.front().substr(kPinPrefix.size());
    request.args.erase(request.args.begin());
  }
  return request;
}

Module* ModuleHost::FindModule(std::string_view name) const {
  for (const auto& module : modules_) {
    if (module->name() == name) return module.get();
  }
  return nullptr;
}

int ModuleHost::FreeSlot() const {
  int with_remains = -1;
  for (int slot = 0; slot < kModuleSlots; ++slot) {
    if (ModuleInSlot(slot) != nullptr || !SlotMemoryReady(slot)) continue;
    if (!SlotMemoryHasRemains(slot)) return slot;
    if (with_remains < 0) with_remains = slot;
  }
  return with_remains;
}

Result<ModuleFile> ModuleHost::OpenFile(const LoadRequest& request) const {
  ModuleFilePolicy policy;
  policy.directories = services_.engine.settings().module_directories;
  policy.sha256 = request.sha256;
  return ModuleFile::Open(request.path, policy);
}

Module* ModuleHost::LoadedFrom(const ModuleFile& file) const {
  for (const auto& module : modules_) {
    if (module->code() != nullptr && module->code()->file().SameFile(file)) return module.get();
  }
  return nullptr;
}

std::string ModuleHost::NameTaken(const Module& module) const {
  const Module* owner = FindModule(module.busy_name());
  return "a module of the name '" + module.busy_name() + "' is loaded already" +
         (owner == nullptr ? "" : " from " + owner->path()) + "; MODULE UPGRADE replaces it";
}

Module* ModuleHost::AddModule(const LoadRequest& request) {
  int slot = FreeSlot();
  if (slot < 0 && !is_child) {
    // Places whose memory is still being taken back.
    keyspace().lazy_free().Drain();
    slot = FreeSlot();
  }
  if (slot < 0) return nullptr;
  auto owned = std::make_unique<Module>(this, slot, request.path, request.args);
  owned->set_pinned_digest(request.sha256);
  OpenSlotMemory(slot);
  SetModuleInSlot(slot, owned.get());
  // In the list already while OnLoad runs: what it registers may ask for its module.
  modules_.push_back(std::move(owned));
  return modules_.back().get();
}

Result<Module*> ModuleHost::LoadFile(ModuleFile file, const LoadRequest& request, Revival revival) {
  const Operation operation(*this);
  Module* module = AddModule(request);
  if (module == nullptr) {
    const std::string why = "Module " + request.path +
                            " failed to load: there are as many modules as this server can hold";
    logger().Warning(why);
    return Fail(ErrorCode::kBusy, why);
  }
  auto pending_before = pending_configs_;
  for (const auto& [name, value] : request.configs) pending_configs_[ToLower(name)] = {value};
  // OnLoad may use keys already.
  Originals originals;
  Status started;
  {
    const ValueSwap::Keeping keeping(swap_, originals);
    started = StartModule(*module, std::move(file));
  }
  if (started) started = UnusedConfigs(request.configs);
  if (!started) {
    logger().Warning(started.error().message);
    pending_configs_ = std::move(pending_before);
    Dismiss(*module, std::move(originals));
    return std::unexpected(started.error());
  }
  swap_.Discard(std::move(originals));
  logger().Notice("Module '" + module->name() + "' loaded from " + request.path);
  ReviveFor(*module, revival);
  NoteModules();
  FireModuleChange(module->name(), module->version(), REDISMODULE_SUBEVENT_MODULE_LOADED);
  return module;
}

Status ModuleHost::UnusedConfigs(const ModuleConfigs& configs) const {
  for (const auto& [name, value] : configs) {
    if (!pending_configs_.contains(ToLower(name))) continue;
    return Fail(ErrorCode::kInvalidArgument,
                "Module Configuration were not used, Failing to load module: " + name);
  }
  return {};
}

Status ModuleHost::StartModule(Module& module, ModuleFile file) {
  const std::string& path = module.path();
  auto fail = [&](const std::string& text) {
    return Fail(ErrorCode::kInvalidArgument, "Module " + path + text);
  };
  auto code = MappedModule::Map(std::move(file));
  if (!code) return fail(" failed to load: " + code.error().message);
  module.set_code(std::move(*code));
  ModuleThreads::SetSlotCode(module.slot(), module.code()->ranges());
  void* entry = module.code()->Symbol("RedisModule_OnLoad");
  if (entry == nullptr) entry = module.code()->Symbol("ValkeyModule_OnLoad");
  if (entry == nullptr) {
    return fail(" does not export RedisModule_OnLoad() symbol. Module not loaded.");
  }
  if (trial_ != nullptr) trial_->Phase("OnLoad");
  const int result = RunOnLoad(module, entry);
  LogMissing(module);
  return Accepted(module, result);
}

int ModuleHost::RunOnLoad(Module& module, void* entry) {
  Engine::Unit unit(services_.engine);
  std::vector<std::string_view> views(module.args().begin(), module.args().end());
  ArgumentStrings arguments(strings_, views);
  InternalSession session(*this, 0);
  RedisModuleCtx ctx(&module, session.get(), &null_sink_);
  ModuleCallback mark(module, "OnLoad");
  module.set_loading(true);
  const int result =
      reinterpret_cast<OnLoadFunction>(entry)(&ctx, arguments.data(), arguments.size());
  module.set_loading(false);
  return result;
}

void ModuleHost::LogMissing(Module& module) {
  // A trial has them in its report.
  if (module.missing_functions().empty() || trial_ != nullptr) return;
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

Status ModuleHost::Accepted(Module& module, int result) {
  const std::string& path = module.path();
  auto fail = [](const std::string& text) { return Fail(ErrorCode::kInvalidArgument, text); };
  if (!module.refusal().empty()) {
    logger().Warning("Module " + path + " refused: " + module.refusal());
    return fail("Module " + path +
                " initialization failed. Module not loaded: " + module.refusal());
  }
  if (result != REDISMODULE_OK) {
    std::string why;
    if (!module.identified() && !module.busy_name().empty()) why = ": " + NameTaken(module);
    return fail("Module " + path + " initialization failed. Module not loaded" + why);
  }
  if (!module.identified()) {
    return fail("Module " + path + " did not call RedisModule_Init. Module not loaded");
  }
  if (module.config_count > 0 && !module.configs_loaded) {
    return fail(
        "Module Configurations were not set, likely a missing LoadConfigs call. Unloading the "
        "module.");
  }
  return {};
}

void ModuleHost::ReviveFor(Module& module, Revival revival) {
  const bool lazy = revival == Revival::kLazy;
  swap_.ForgetErrors(module);
  const ValueSwap::Report report = lazy ? swap_.ReviveFields(module) : swap_.ReviveAll(module);
  if (lazy) sweeps_.Start(module, Sweeps::Kind::kRevive);
  if (report.values == 0 && report.failed == 0) return;
  logger().Notice("Module '" + module.name() + "': " + std::to_string(report.values) +
                  " dormant values revived, " + std::to_string(report.failed) +
                  " could not be read and stay dormant");
}

void ModuleHost::FireModuleChange(const std::string& name, int version, uint64_t subevent) {
  RedisModuleModuleChange info = {REDISMODULE_MODULE_CHANGE_VERSION, name.c_str(), version};
  events_.Fire(REDISMODULE_EVENT_MODULE_CHANGE, subevent, &info);
}

void ModuleHost::NoteModules() {
  // While the server starts, it walks through that list.
  if (services_.directives == nullptr || !serving_) return;
  services_.directives->modules.clear();
  for (const auto& module : modules_) {
    std::vector<std::string> words = module->args();
    if (!module->pinned_digest().empty()) {
      words.insert(words.begin(), std::string(kPinPrefix) + module->pinned_digest());
    }
    services_.directives->modules.push_back({module->path(), std::move(words)});
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
