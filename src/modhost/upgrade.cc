// SPDX-License-Identifier: BSD-3-Clause
// ModuleHost: the upgrade of a module, from the moment on at which it is decided. One turn of the
// loop, in which no command runs: values become dormant, the old code goes, the new one comes, the
// values become live again. If the new code refuses, the old one comes back the same way.
#include <algorithm>

#include "base/ascii.h"
#include "base/clock.h"
#include "modhost/host.h"
#include "modhost/mapped_module.h"
#include "modhost/module_option.h"
#include "modhost/module_report.h"
#include "modhost/module_type.h"

namespace backplane {
namespace {

std::string VersionText(const Module& module) { return std::to_string(module.version()); }

std::string Millis(int64_t us) {
  return std::to_string(us / 1000) + "." + std::to_string(us / 100 % 10) + " ms";
}

}  // namespace

ModuleConfigs ModuleHost::OptionValues(const Module& module) {
  ModuleConfigs values;
  module.ForEachRegistration([&](Registration& registration) {
    auto* option = dynamic_cast<OptionRegistration*>(&registration);
    if (option != nullptr) {
      values.emplace_back(ToLower(option->option().name()), option->option().Get());
    }
  });
  return values;
}

void ModuleHost::SetPendingConfigs(const ModuleConfigs& inherited, const ModuleConfigs& asked) {
  for (const auto& [name, value] : inherited) pending_configs_[name] = {value};
  for (const auto& [name, value] : asked) pending_configs_[ToLower(name)] = {value};
}

std::string ModuleHost::WhyNoSuccessor(const Module& old, const ModuleReport& report) const {
  if (report.name != old.name()) {
    return "the file holds a module of the name '" + report.name + "'";
  }
  std::string why;
  old.ForEachRegistration([&](Registration& registration) {
    auto* type = dynamic_cast<ModuleType*>(&registration);
    if (type == nullptr) return;
    auto same = std::find_if(report.types.begin(), report.types.end(),
                             [&](const auto& other) { return other.name == type->name(); });
    const std::string name(type->name());
    if (same == report.types.end()) {
      why = "it does not register the type " + name;
    } else if (same->encver < type->encver()) {
      why = "its encoding version of the type " + name + " is " + std::to_string(same->encver) +
            ", values are written in version " + std::to_string(type->encver());
    }
  });
  return why;
}

Status ModuleHost::StartSuccessor(ModuleFile file, const LoadRequest& request,
                                  const ModuleConfigs& inherited, size_t position,
                                  Module** module) {
  *module = AddModule(request);
  if (*module == nullptr) return Fail(ErrorCode::kBusy, "there is no place for another module");
  std::rotate(modules_.begin() + static_cast<ptrdiff_t>(position), modules_.end() - 1,
              modules_.end());
  const auto pending_before = pending_configs_;
  SetPendingConfigs(inherited, request.configs);
  Status started = StartModule(**module, std::move(file));
  if (started) started = UnusedConfigs(request.configs);
  // What the old version had and the new has not is of no use to anybody.
  if (started) {
    for (const auto& [name, value] : inherited) {
      if (pending_configs_.contains(name)) {
        logger().Notice("Module '" + (*module)->name() + "': the option " + name + " is gone");
      }
    }
  }
  pending_configs_ = pending_before;
  if (!started) logger().Warning(started.error().message);
  return started;
}

Status ModuleHost::Succeed(Module& successor, Revival revival) {
  swap_.ForgetErrors(successor);
  const ValueSwap::Report report =
      revival == Revival::kLazy ? swap_.ReviveFields(successor) : swap_.ReviveAll(successor);
  if (report.failed == 0) return {};
  return Fail(ErrorCode::kCorrupt, report.error);
}

Result<Module*> ModuleHost::InstallSuccessor(ModuleFile file, const LoadRequest& request,
                                             const Estate& estate, size_t position, Revival revival,
                                             UpgradeOutcome* outcome) {
  Originals originals;
  Module* successor = nullptr;
  Status status;
  {
    const ValueSwap::Keeping keeping(swap_, originals);
    status = StartSuccessor(std::move(file), request, estate.options, position, &successor);
    if (status) {
      successor->Inherit(estate.usage);
      outcome->new_version = successor->version();
      status = Succeed(*successor, revival);
      if (!status) {
        successor->set_retiring(true);
        static_cast<void>(RunOnUnload(*successor));
      }
    }
  }
  if (status) {
    swap_.Discard(std::move(originals));
    return successor;
  }
  if (successor != nullptr) Dismiss(*successor, std::move(originals));
  return std::unexpected(status.error());
}

Status ModuleHost::RollBack(const Error& why, Result<ModuleFile> file, const LoadRequest& request,
                            const Estate& estate, size_t position) {
  const std::string text = "the new version could not take over: " + why.message;
  auto lost = [&](const std::string& reason) {
    logger().Warning("The old version could not be loaded again either: " + reason +
                     ". Its values are dormant");
    return Fail(ErrorCode::kNotFound, text + "; and the old version could not be loaded again: " +
                                          reason + ". No module is loaded; its values are dormant");
  };
  if (!file) return lost(file.error().message);
  Module* old = nullptr;
  Originals originals;
  Status started;
  {
    const ValueSwap::Keeping keeping(swap_, originals);
    started = StartSuccessor(std::move(*file), request, estate.options, position, &old);
  }
  if (!started) {
    if (old != nullptr) Dismiss(*old, std::move(originals));
    return lost(started.error().message);
  }
  old->Inherit(estate.usage);
  swap_.ForgetErrors(*old);
  const ValueSwap::Report report = swap_.ReviveAll(*old);
  logger().Warning("Module '" + old->name() + "': version " + VersionText(*old) +
                   " is back, with " + std::to_string(report.values) + " values");
  if (report.failed > 0) {
    logger().Warning(std::to_string(report.failed) + " values could not be read: " + report.error);
  }
  return Fail(ErrorCode::kInvalidArgument, text + "; the old version is back");
}

Status ModuleHost::Replace(Module& old, ModuleFile file, const UpgradeRequest& request,
                           UpgradeOutcome* outcome) {
  const int64_t begin = MonotonicMicros();
  const Operation operation(*this);
  const std::string name = old.name();
  outcome->old_version = old.version();
  outcome->old_path = old.path();
  const LoadRequest old_request{old.path(), old.args(), {}, old.pinned_digest()};
  LoadRequest new_request = request.load;
  if (request.keep_args) new_request.args = old.args();
  const bool lazy = request.lazy || services_.engine.settings().module_revival != 0;
  const auto position =
      static_cast<size_t>(std::find_if(modules_.begin(), modules_.end(),
                                       [&](const auto& each) { return each.get() == &old; }) -
                          modules_.begin());
  keyspace().lazy_free().Drain();
  Result<ModuleFile> old_file = old.code()->file().Duplicate();
  const ModuleConfigs options = OptionValues(old);
  auto estate = Retire(old);
  if (!estate) return std::unexpected(estate.error());
  outcome->values = estate->values;
  estate->options = options;
  types_.KeepAux(std::move(estate->aux));
  estate->usage = old.usage();
  Remove(old);
  FireModuleChange(name, outcome->old_version, REDISMODULE_SUBEVENT_MODULE_UNLOADED);

  auto successor = InstallSuccessor(std::move(file), new_request, *estate, position,
                                    lazy ? Revival::kLazy : Revival::kEager, outcome);
  Status status;
  if (!successor) {
    outcome->rolled_back = true;
    status = RollBack(successor.error(), std::move(old_file), old_request, *estate, position);
  }
  Module* now = FindModule(name);
  if (now != nullptr) {
    NoteModules();
    FireModuleChange(name, now->version(), REDISMODULE_SUBEVENT_MODULE_LOADED);
    if (lazy && !outcome->rolled_back) sweeps_.Start(*now, Sweeps::Kind::kRevive);
  }
  waiting_commands_.RunAll();
  outcome->pause_us = MonotonicMicros() - begin;
  if (status) {
    logger().Notice("Module '" + name + "' upgraded from version " +
                    std::to_string(outcome->old_version) + " (" + outcome->old_path +
                    ") to version " + std::to_string(outcome->new_version) + " (" +
                    new_request.path + "), " + std::to_string(outcome->values) +
                    " values handed over, pause " + Millis(outcome->pause_us));
  } else {
    logger().Warning("Upgrade of module '" + name + "' failed after " + Millis(outcome->pause_us) +
                     ": " + status.error().message);
  }
  return status;
}

}  // namespace backplane
