// SPDX-License-Identifier: BSD-3-Clause
// ModuleHost: how a module goes. Its values become dormant, its waiting clients are taken care of,
// OnUnload is asked, its registrations are destroyed, its code is unmapped, or stays under
// quarantine when a thread still runs it.
#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "engine/client_pause.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/jobs.h"
#include "modhost/mapped_module.h"
#include "modhost/module_code.h"
#include "modhost/module_command.h"
#include "modhost/module_option.h"
#include "modhost/module_threads.h"
#include "modhost/module_type.h"
#include "modhost/slot_memory.h"
#include "persist/append_only.h"

namespace backplane {
namespace {

using OnUnloadFunction = int (*)(RedisModuleCtx*);

void* UnloadFunction(const Module& module) {
  if (module.code() == nullptr) return nullptr;
  void* symbol = module.code()->Symbol("RedisModule_OnUnload");
  return symbol != nullptr ? symbol : module.code()->Symbol("ValkeyModule_OnUnload");
}

// Threads that OnUnload has told to end may need a moment after it has returned. Without OnUnload
// nobody has told them.
constexpr int kThreadsEndMs = 200;

std::unexpected<Error> Refuse(const std::string& why) {
  return Fail(ErrorCode::kBusy, "Error unloading module: " + why);
}

// Taken back in the background: the pages of a big module are many.
class SpentMemory final : public Garbage {
 public:
  explicit SpentMemory(int slot) : slot_(slot) {}
  ~SpentMemory() override { TakeBackSlotMemory(slot_); }
  size_t objects() const override { return 0; }

 private:
  int slot_;
};

// Whether the append-only file may hold what cannot be read without the module.
bool MayStandInCommands(const Module& module) {
  bool may = false;
  module.ForEachRegistration([&](const Registration& registration) {
    may |= dynamic_cast<const ModuleCommand*>(&registration) != nullptr ||
           dynamic_cast<const ModuleType*>(&registration) != nullptr;
  });
  return may;
}

// Without those that are only kept for its threads.
int64_t LiveValues(const Module& module) {
  int64_t live = 0;
  module.ForEachRegistration([&](Registration& registration) {
    auto* type = dynamic_cast<ModuleType*>(&registration);
    if (type != nullptr) live += type->value_count().load(std::memory_order_acquire);
  });
  return live - module.kept_values().count();
}

}  // namespace

uint64_t ModuleHost::DormantValuesOf(const Module& module) {
  int64_t values = 0;
  for (const auto& [id, dormant] : keyspace().dormant_types().all()) {
    ModuleType* type = types_.Find(dormant->name());
    if (type != nullptr && type->module() == &module) values += dormant->values();
  }
  return static_cast<uint64_t>(values);
}

std::string ModuleHost::WhyBusy(const Module& module) const {
  if (!module.used_by().empty()) {
    return "the module exports APIs used by other modules. Please unload them first and try again";
  }
  if (child_.module == &module) return "the module has a forked child";
  if (ModuleCode::Runs(module) || yielding_.lender() == &module)
    return "the module's own code is running";
  return {};
}

Status ModuleHost::Unload(std::string_view name, bool keep_data) {
  Module* module = FindModule(name);
  if (module == nullptr) {
    return Fail(ErrorCode::kNotFound, "Error unloading module: no such module with that name");
  }
  if (std::string why = WhyNotNow(); !why.empty()) return Refuse(why);
  const Operation operation(*this);
  // Values may still be on their way out in the background.
  keyspace().lazy_free().Drain();
  if (!keep_data && (LiveValues(*module) > 0 || DormantValuesOf(*module) > 0)) {
    return Refuse("the module exports one or more module-side data types, can't unload");
  }
  if (std::string why = WhyBusy(*module); !why.empty()) return Refuse(why);
  if (jobs_->Concerns(module->name())) return Refuse("it is being upgraded");
  sweeps_.Stop(*module);
  const bool in_commands = MayStandInCommands(*module);
  auto estate = Retire(*module);
  if (!estate) return Refuse(estate.error().message);
  if (keep_data) types_.KeepAux(std::move(estate->aux));
  const std::string unloaded = module->name();
  const int version = module->version();
  Remove(*module);
  // To the others: who has been asked to go hears nothing any more.
  FireModuleChange(unloaded, version, REDISMODULE_SUBEVENT_MODULE_UNLOADED);
  // Their command is gone, which is what they are told.
  waiting_commands_.EndAll(kUnblockedByUnload);
  NoteModules();
  logger().Notice("Module " + unloaded + " unloaded" +
                  (estate->values == 0
                       ? ""
                       : ", " + std::to_string(estate->values) + " of its values are dormant"));
  // The module's commands in the append-only file could not be read without it.
  if (in_commands && services_.persistence != nullptr &&
      services_.persistence->append_only() != nullptr &&
      services_.persistence->append_only()->enabled()) {
    services_.persistence->append_only()->ScheduleRewrite();
  }
  return {};
}

Result<ModuleHost::Estate> ModuleHost::Retire(Module& module) {
  blocked_clients_.Drain();
  Estate estate;
  const bool has_values = LiveValues(module) > 0;
  if (has_values) {
    if (std::string why = swap_.WhyNotFreezable(module); !why.empty()) {
      return Fail(ErrorCode::kUnsupported, why);
    }
  }
  Engine::Unit unit(services_.engine);
  estate.aux = types_.CaptureAux(module);
  swap_.LookAtWork(module);
  // What was made dormant in advance is few; the walk over everything is for the rest.
  if (module.freezing()) sweeps_.FreezeNoted(module);
  if (LiveValues(module) > 0) swap_.FreezeAll(module);
  // What its code still does on its way out finds dormant values.
  module.set_retiring(true);
  Status agreed;
  if (const int64_t left = LiveValues(module); left > 0) {
    agreed = Fail(ErrorCode::kBusy,
                  std::to_string(left) + " values of its types are outside of the keyspace");
  } else {
    TakeWaiting(module);
    agreed = RunOnUnload(module);
  }
  const bool in_advance = module.freezing();
  module.set_freezing(false);
  if (agreed) {
    estate.values = DormantValuesOf(module);
    return estate;
  }
  // As it was. Its own state never went, so its AUX fields are not read again.
  module.set_retiring(false);
  if (in_advance) {
    sweeps_.Start(module, Sweeps::Kind::kRevive);
  } else {
    swap_.ReviveValues(module);
  }
  waiting_commands_.RunAll();
  return std::unexpected(agreed.error());
}

Status ModuleHost::RunOnUnload(Module& module) {
  void* symbol = UnloadFunction(module);
  if (symbol == nullptr) return {};
  InternalSession session(*this, 0);
  RedisModuleCtx ctx(&module, session.get(), &null_sink_);
  ModuleCallback mark(module, "OnUnload");
  // Authors also write it as void: only the very value that refuses counts.
  if (reinterpret_cast<OnUnloadFunction>(symbol)(&ctx) == REDISMODULE_ERR) {
    logger().Warning("Module " + module.name() + " OnUnload failed.  Unload canceled.");
    return Fail(ErrorCode::kBusy, "operation not possible.");
  }
  return {};
}

void ModuleHost::TakeWaiting(Module& module) {
  // Newest first in the module's list; they are served in the order in which they came.
  std::vector<RedisModuleBlockedClient*> clients;
  module.ForEachRegistration([&](Registration& registration) {
    auto* client = dynamic_cast<RedisModuleBlockedClient*>(&registration);
    if (client == nullptr || !client->on_keys || client->session == nullptr || client->served) {
      return;
    }
    clients.push_back(client);
  });
  std::reverse(clients.begin(), clients.end());
  for (RedisModuleBlockedClient* client : clients) {
    Session* session = std::exchange(client->session, nullptr);
    waiting_commands_.Adopt(
        {session, client->client_id, client->args, client->deadline, client->skips_reply});
  }
  module.DestroyIf([&](Registration& registration) {
    auto* client = dynamic_cast<RedisModuleBlockedClient*>(&registration);
    if (client == nullptr || std::find(clients.begin(), clients.end(), client) == clients.end()) {
      return false;
    }
    client->FreePrivateData();
    return true;
  });
}

void ModuleHost::RunAgain(std::vector<WaitingCommand> waiting) {
  for (WaitingCommand& command : waiting) {
    Session& session = *command.session;
    session.Unblock();
    if (command.skips_reply) session.reply_mode = Session::ReplyMode::kSkipping;
    if (session.link() != nullptr) session.link()->ScheduleWrite();
    const std::vector<std::string_view> views(command.args.begin(), command.args.end());
    std::string error;
    if (services_.engine.Resolve(session, views, &error) == nullptr) {
      session.reply().Error(kUnblockedByUnload);
      continue;
    }
    if (!services_.engine.Process(session, views)) {
      services_.engine.client_pause()->Keep(session, std::move(command.args));
      continue;
    }
    auto* again = dynamic_cast<RedisModuleBlockedClient*>(session.blocked_state());
    // The time that it has waited counts.
    if (again != nullptr && command.deadline_ms != 0) again->EndBy(command.deadline_ms);
  }
}

void ModuleHost::ForgetReferences(Module& module) {
  sweeps_.Stop(module);
  key_events_.ForgetJobs(&module);
  one_shots_.Forget(&module);
  users_.Forget(&module);
  // A child that a failed load leaves behind is nobody's; it is reaped without a word.
  if (child_.module == &module) child_ = {child_.pid, nullptr, nullptr, nullptr};
  std::erase_if(info_providers_, [&](const InfoProvider& p) { return p.module == &module; });
  std::erase_if(shared_apis_, [&](const auto& api) { return api.second.module == &module; });
  for (const auto& other : modules_) {
    std::erase(other->used_by(), &module);
    std::erase(other->uses(), &module);
  }
}

void ModuleHost::CloseMemory(int slot, const std::string& name, bool only_its_own) {
  const SlotUsage left = SlotUsageOf(slot);
  // Without blocks there is nobody who could hold one.
  const bool take_back = CloseSlotMemory(slot, only_its_own || left.blocks == 0);
  if (take_back) keyspace().lazy_free().Push(std::make_unique<SpentMemory>(slot));
  if (left.blocks == 0) return;
  logger().Notice("Module " + name + " left " + std::to_string(left.bytes) + " bytes in " +
                  std::to_string(left.blocks) + " blocks of memory behind" +
                  (take_back ? "; they are taken back" : ""));
}

void ModuleHost::Dismiss(Module& module, Originals originals) {
  module.set_retiring(true);
  swap_.TakeBack(std::move(originals), module);
  keyspace().lazy_free().Drain();
  swap_.LookAtWork(module);
  if (LiveValues(module) > 0) {
    // What its code has made anew.
    const bool freezable = swap_.WhyNotFreezable(module).empty();
    const uint64_t values = freezable ? swap_.FreezeAll(module) : swap_.DropAll(module);
    logger().Warning("Module " + module.name() + " made " + std::to_string(values) +
                     " values while it was loaded: they are " +
                     (freezable ? "dormant" : "deleted, as it cannot save them"));
    keyspace().lazy_free().Drain();
  }
  Remove(module);
}

void ModuleHost::Remove(Module& module) {
  ForgetReferences(module);
  auto it = std::find_if(modules_.begin(), modules_.end(),
                         [&](const auto& each) { return each.get() == &module; });
  std::unique_ptr<Module> owned = std::move(*it);
  modules_.erase(it);
  const int wait_ms = UnloadFunction(*owned) == nullptr ? 0 : kThreadsEndMs;
  if (!ModuleThreads::WaitForNone(owned->slot(), wait_ms)) {
    logger().Warning("Module " + owned->name() + " still runs " +
                     std::to_string(ModuleThreads::Count(owned->slot())) +
                     " threads after its unload: its code stays mapped, under quarantine");
    // Handles that its threads may still use stay; whoever waits with one is told. Types stay with
    // the values that are kept for them, but nobody finds them any more.
    const bool keeps = owned->kept_values().count() > 0;
    owned->DestroyIf([&](Registration& registration) {
      auto* client = dynamic_cast<RedisModuleBlockedClient*>(&registration);
      if (client != nullptr) client->Abandon();
      auto* type = dynamic_cast<ModuleType*>(&registration);
      if (type != nullptr && keeps) types_.Remove(type);
      return client == nullptr && (type == nullptr || !keeps);
    });
    quarantined_.push_back(std::move(owned));
    return;
  }
  Bury(std::move(owned));
}

bool ModuleHost::ReleaseKept() {
  if (!std::exchange(releasing_, false)) return false;
  constexpr int64_t kSliceMicros = 500;
  const int64_t end_us = MonotonicMicros() + kSliceMicros;
  auto release = [&](Module& module) {
    if (module.kept_values().empty()) return;
    if (module.kept_values().Release(OldestWork(module), end_us)) releasing_ = true;
  };
  for (const auto& module : modules_) release(*module);
  for (const auto& module : quarantined_) release(*module);
  return releasing_;
}

void ModuleHost::BuryQuarantined() {
  for (size_t i = quarantined_.size(); i-- > 0;) {
    if (ModuleThreads::Count(quarantined_[i]->slot()) > 0) continue;
    std::unique_ptr<Module> module = std::move(quarantined_[i]);
    quarantined_.erase(quarantined_.begin() + static_cast<ptrdiff_t>(i));
    logger().Notice("The last thread of module " + module->name() +
                    " has ended: its quarantine is over");
    Bury(std::move(module));
  }
}

void ModuleHost::Bury(std::unique_ptr<Module> owned) {
  // What its threads have registered since it was retired.
  ForgetReferences(*owned);
  const bool shares = !owned->uses().empty() || !owned->used_by().empty() || owned->shared_once();
  owned->DestroyAll();
  const int slot = owned->slot();
  std::unique_ptr<MappedModule> code = owned->TakeCode();
  const std::string name = owned->identified() ? owned->name() : owned->path();
  owned.reset();
  ModuleThreads::SetSlotCode(slot, {});
  SetModuleInSlot(slot, nullptr);
  const bool unmapped = code == nullptr || code->Unmap() == MappedModule::Unmapped::kYes;
  if (!unmapped) logger().Notice("Module " + name + ": the loader keeps its code mapped");
  // Only now: destructors of the code's own objects ran in Unmap, and what is still mapped runs
  // them when the process ends.
  CloseMemory(slot, name, unmapped && !shares);
}

}  // namespace backplane
