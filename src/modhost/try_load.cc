// SPDX-License-Identifier: BSD-3-Clause
// ModuleHost in the child of a trial: loads the module, and in a rehearsal reads every value with
// it. Nothing here runs in the server itself.
#include <algorithm>

#include "base/ascii.h"
#include "base/clock.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/mapped_module.h"
#include "modhost/module_command.h"
#include "modhost/module_option.h"
#include "modhost/module_report.h"
#include "modhost/module_type.h"
#include "modhost/trial.h"

namespace backplane {

void ModuleHost::NoteIdentified(const Module& module) {
  if (trial_ == nullptr || !module.identified()) return;
  trial_->Tell({"module", module.name(), std::to_string(module.version()),
                std::to_string(module.api_version())});
}

void ModuleHost::TellFacts(Module& module, TrialReporter& reporter) {
  for (const std::string& name : module.missing_functions()) reporter.Tell({"missing", name});
  std::vector<std::vector<std::string>> facts;
  module.ForEachRegistration([&](Registration& registration) {
    if (auto* command = dynamic_cast<ModuleCommand*>(&registration)) {
      facts.push_back({"command", command->command().fullname});
    } else if (auto* option = dynamic_cast<OptionRegistration*>(&registration)) {
      facts.push_back({"option", option->option().name()});
    } else if (auto* type = dynamic_cast<ModuleType*>(&registration)) {
      facts.push_back({"type", std::string(type->name()), std::to_string(type->encver())});
    }
  });
  // As they were registered.
  for (auto fact = facts.rbegin(); fact != facts.rend(); ++fact) reporter.Tell(*fact);
  if (module.code() == nullptr) return;
  const bool on_unload = module.code()->Symbol("RedisModule_OnUnload") != nullptr ||
                         module.code()->Symbol("ValkeyModule_OnUnload") != nullptr;
  if (on_unload) reporter.Tell({"on-unload"});
}

// The old module's names become free for the new one. Its types stay, since values point to them,
// and so do handles of clients: this process will never serve one.
std::vector<ModuleType*> ModuleHost::HideForTrial(Module& old) {
  std::vector<ModuleType*> types;
  for (ModuleType* type : types_.types()) {
    if (type->module() == &old) types.push_back(type);
  }
  for (ModuleType* type : types) types_.Remove(type);
  ForgetReferences(old);
  old.DestroyIf([](Registration& registration) {
    return dynamic_cast<ModuleType*>(&registration) == nullptr &&
           dynamic_cast<RedisModuleBlockedClient*>(&registration) == nullptr;
  });
  auto it = std::find_if(modules_.begin(), modules_.end(),
                         [&](const auto& each) { return each.get() == &old; });
  // The process ends without destructors.
  static_cast<void>(it->release());
  modules_.erase(it);
  return types;
}

namespace {

// Reads the values of old types, live or dormant, with the types of the new module.
class Rehearsal {
 public:
  Rehearsal(ModuleHost& host, Module& successor, const std::vector<ModuleType*>& old_types,
            TrialReporter& reporter)
      : host_(host), successor_(successor), old_types_(old_types), reporter_(reporter) {}

  void Run() {
    EntryWalk walk(host_.keyspace(), EntryWalk::kLargePiece);
    while (walk.Next()) {
      uint64_t epoch = host_.data_epoch();
      for (size_t i = 0; i < walk.entries().size(); ++i) {
        walk.Prefetch(i);
        Try(walk.db(), *walk.entries()[i]);
        if (host_.data_epoch() == epoch) [[likely]]
          continue;
        // The module's code changed keys: the pointers at hand may be stale. Few values are then
        // tried twice or not at all.
        walk.Again();
        epoch = host_.data_epoch();
      }
    }
    Tell();
  }
  void AddFailure(const std::string& error) {
    ++failed_;
    reporter_.Tell({"value-error", error});
  }
  void AddTimes(uint64_t save_ticks, uint64_t load_ticks) {
    save_ticks_ += save_ticks;
    load_ticks_ += load_ticks;
  }
  void Tell() {
    const TickClock& clock = host_.engine().tick_clock();
    reporter_.Tell({"values", std::to_string(values_), std::to_string(failed_),
                    std::to_string(clock.ToNanos(save_ticks_) / 1000),
                    std::to_string(clock.ToNanos(load_ticks_) / 1000)});
  }

 private:
  void Try(Database& db, Entry& entry) {
    if (entry.type() != TypeId::kModule) return;
    const std::string key(entry.key());
    uint64_t type_id;
    std::string_view body;
    const uint64_t begin = Ticks();
    if (const DormantValue* dormant = AsDormant(entry.value())) {
      type_id = dormant->type_id();
      body = dormant->body();
    } else {
      ModuleValue& value = *AsModuleValue(entry.value());
      ModuleType& type = value.module_type();
      if (std::find(old_types_.begin(), old_types_.end(), &type) == old_types_.end()) return;
      type_id = type.type_id();
      BodyWriter& writer = host_.body_writer();
      writer.Clear();
      type.SaveBody(value.data(), key, db.index(), *writer.writer());
      body = writer.bytes();
    }
    ModuleType* type = host_.types().Find(ModuleTypeName(type_id));
    if (type == nullptr || type->module() != &successor_ || type->methods().rdb_load == nullptr) {
      return;
    }
    // The module may use the scratch of bodies itself.
    const std::string copy(body);
    const uint64_t between = Ticks();
    auto value =
        host_.types().Load(*type, ModuleTypeEncodingVersion(type_id), copy, key, db.index());
    AddTimes(between - begin, Ticks() - between);
    ++values_;
    if (value) {
      // Kept: the module may expect that values which it has read live on.
      kept_.push_back(std::move(*value));
    } else {
      AddFailure("key '" + key + "': " + value.error().message);
    }
    if (values_ % kValuesBetweenSigns == 0) Tell();
  }

  static constexpr uint64_t kValuesBetweenSigns = 4096;

  ModuleHost& host_;
  Module& successor_;
  const std::vector<ModuleType*>& old_types_;
  TrialReporter& reporter_;
  std::vector<std::unique_ptr<Value>> kept_;
  uint64_t values_ = 0;
  uint64_t failed_ = 0;
  uint64_t save_ticks_ = 0;
  uint64_t load_ticks_ = 0;
};

}  // namespace

void ModuleHost::TryValues(Module& successor, const std::vector<ModuleType*>& old_types,
                           TrialReporter& reporter) {
  reporter.Phase("values");
  swap_.ForgetErrors(successor);
  services_.engine.tick_clock().Calibrate();
  auto* rehearsal = new Rehearsal(*this, successor, old_types, reporter);
  auto fields = [&](int when) {
    std::string error;
    const uint64_t begin = Ticks();
    types_.ReviveAux(successor, when, &error);
    rehearsal->AddTimes(0, Ticks() - begin);
    if (!error.empty()) rehearsal->AddFailure(error);
  };
  fields(REDISMODULE_AUX_BEFORE_RDB);
  rehearsal->Run();
  fields(REDISMODULE_AUX_AFTER_RDB);
  rehearsal->Tell();
}

void ModuleHost::TryLoad(const LoadRequest& request, Module* replaces, TrialReporter& reporter) {
  is_child = true;
  trial_ = &reporter;
  if (services_.persistence != nullptr) services_.persistence->EnterForkedChild("module-trial");
  std::vector<ModuleType*> old_types;
  ModuleConfigs inherited;
  if (replaces != nullptr) {
    inherited = OptionValues(*replaces);
    reporter.Phase("aux_save");
    types_.KeepAux(types_.CaptureAux(*replaces));
    old_types = HideForTrial(*replaces);
  }
  reporter.Phase("mapping");
  auto file = OpenFile(request);
  if (!file) return reporter.Tell({"refused", file.error().message});
  Module* module = AddModule(request);
  if (module == nullptr) return reporter.Tell({"refused", "there is no place for another module"});
  SetPendingConfigs(inherited, request.configs);
  const int64_t begin = MonotonicMicros();
  Status started = StartModule(*module, std::move(*file));
  if (started) started = UnusedConfigs(request.configs);
  const int64_t took = MonotonicMicros() - begin;
  TellFacts(*module, reporter);
  if (!started) {
    reporter.Tell({"refused", started.error().message});
    return reporter.Tell({"done"});
  }
  reporter.Tell({"loaded", std::to_string(took)});
  // The parent sees for itself when the new types do not suit the old ones: no value is tried then.
  const bool suits = replaces != nullptr && module->name() == replaces->name() &&
                     std::all_of(old_types.begin(), old_types.end(), [&](ModuleType* old) {
                       ModuleType* type = types_.Find(old->name());
                       return type != nullptr && type->encver() >= old->encver();
                     });
  if (suits) TryValues(*module, old_types, reporter);
  reporter.Tell({"done"});
}

}  // namespace backplane
