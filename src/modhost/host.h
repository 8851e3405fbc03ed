// SPDX-License-Identifier: BSD-3-Clause
// ModuleHost: loads and unloads modules and gives the API its services. One per server, built with
// references to what it serves; the server keeps the order: services, host, clients, and back.
//
// Threads: everything under the host lock; the engine thread holds it except inside the loop's
// wait. The loop hook that does this must be the innermost one (added last): construct the host
// after everything else that hooks into the loop.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "config/options.h"
#include "engine/clients.h"
#include "engine/engine.h"
#include "engine/key_waiters.h"
#include "modhost/api_table.h"
#include "modhost/blocked_client.h"
#include "modhost/body_stream.h"
#include "modhost/call_reply.h"
#include "modhost/command_filters.h"
#include "modhost/held_commands.h"
#include "modhost/host_lock.h"
#include "modhost/key.h"
#include "modhost/key_events.h"
#include "modhost/load_request.h"
#include "modhost/module.h"
#include "modhost/module_file.h"
#include "modhost/module_users.h"
#include "modhost/server_events.h"
#include "modhost/string.h"
#include "modhost/sweeps.h"
#include "modhost/timers.h"
#include "modhost/type_registry.h"
#include "modhost/value_swap.h"
#include "modhost/watched_fd.h"
#include "modhost/yielding.h"
#include "net/event_loop.h"
#include "persist/persistence.h"

namespace backplane {

class BusyServer;
class ModuleJobs;
class TrialReporter;
struct ModuleReport;

class ModuleHost final : private LoopHook,
                         private Clients::Listener,
                         private OptionListener,
                         private PersistenceListener {
 public:
  struct Services {
    Engine& engine;
    EventLoop& loop;
    OptionTable& options;
    Clients* clients;          // null in unit tests
    Persistence* persistence;  // null in unit tests
    // What CONFIG REWRITE writes; its modules are kept up to date. Null in unit tests.
    StartupDirectives* directives;
    BusyServer* busy_server;  // null in unit tests
  };
  explicit ModuleHost(const Services& services);
  // Unloads nothing by OnUnload: modules' registrations are destroyed, binaries stay mapped until
  // the process ends.
  ~ModuleHost() override;
  ModuleHost(const ModuleHost&) = delete;
  ModuleHost& operator=(const ModuleHost&) = delete;

  // --- for MODULE commands and the server ---
  // Loads, upgrades, and trials of both: what takes longer than a turn of the loop.
  ModuleJobs& jobs() { return *jobs_; }
  // The error's message is the reply text after "ERR "; reasons are in the log too. `keep_data`:
  // values of the module's types become dormant; without, their existence is an error.
  Status Unload(std::string_view name, bool keep_data);
  Module* FindModule(std::string_view name) const;
  const std::vector<std::unique_ptr<Module>>& modules() const { return modules_; }
  // Modules that are unloaded but for their code, which threads still run or the loader keeps.
  const std::vector<std::unique_ptr<Module>>& quarantined() const { return quarantined_; }

  // --- the steps of a load or upgrade, for jobs and trials; each ends before it returns ---
  // Opens the file and checks it against the settings. The error says what is wrong with it.
  Result<ModuleFile> OpenFile(const LoadRequest& request) const;
  // The module that was loaded from this very file; null when none was.
  Module* LoadedFrom(const ModuleFile& file) const;
  // Maps the file, runs OnLoad, and revives values. The error was logged.
  Result<Module*> LoadFile(ModuleFile file, const LoadRequest& request, Revival revival);
  // While modules come and go, code of theirs may ask for more of it: that is refused. The error
  // text; empty when nothing is under way.
  std::string WhyNotNow() const {
    return operating_ ? "another module is being loaded, unloaded or upgraded" : "";
  }
  // Why the module that `report` tells of cannot replace `old`; empty when it can.
  std::string WhyNoSuccessor(const Module& old, const ModuleReport& report) const;
  // Why nothing may happen to the module now, of what holds for unload and upgrade; empty when it
  // may.
  std::string WhyBusy(const Module& module) const;
  // Replaces the module: its values go from the old code to the new. After an error the old
  // version is back, unless the error says that it could not be loaded again (values are dormant
  // then). *outcome is filled either way.
  Status Replace(Module& old, ModuleFile file, const UpgradeRequest& request,
                 UpgradeOutcome* outcome);
  // In a forked child: what Trial says.
  void TryLoad(const LoadRequest& request, Module* replaces, TrialReporter& reporter);
  // Runs the commands of clients that waited again.
  void RunAgain(std::vector<WaitingCommand> waiting);
  // A module said who it is, while it is tried.
  void NoteIdentified(const Module& module);
  // The sentence that a load is refused with for the name of `module`.
  std::string NameTaken(const Module& module) const;
  // Options of modules read from the config file before the modules are loaded.
  void SetPendingConfigs(
      const std::vector<std::pair<std::string, std::vector<std::string>>>& unknown);
  // Names in pending configs that no module took; a server start must refuse them.
  std::vector<std::string> UnusedPendingConfigs() const;
  // The lines of INFO's section Modules; and modules' own sections, titles included. An empty
  // `wanted` means all, else only the section of that name ("search_index") or module.
  std::string ModulesInfo() const;
  std::string ModuleSections(std::string_view wanted, bool for_crash_report);
  std::string UsageLine(const Module& module) const;
  // True when INFO <section> is a module's.
  bool HasInfoSection(std::string_view section);

  // The set of modules, or arguments of one, changed.
  void NoteModules();

  // --- things the server tells ---
  // Start is over: modules loaded from now on are loaded by a command.
  void set_serving(bool value) {
    serving_ = value;
    NoteModules();
  }
  bool serving() const { return serving_; }
  // Whether threads of modules run, which may call the host at any time: then it must not be
  // destroyed.
  bool HasModuleThreads() const;
  void OnShutdown() { events_.Fire(REDISMODULE_EVENT_SHUTDOWN, 0, nullptr); }
  void OnCron(int hz);

  // --- services for the API ---
  Engine& engine() { return services_.engine; }
  Keyspace& keyspace() { return services_.engine.keyspace(); }
  Logger& logger() { return services_.engine.logger(); }
  EventLoop& loop() { return services_.loop; }
  OptionTable& options() { return services_.options; }
  Clients* clients() { return services_.clients; }
  Persistence* persistence() { return services_.persistence; }
  HostLock& lock() { return lock_; }
  TypeRegistry& types() { return types_; }
  KeyEvents& key_events() { return key_events_; }
  ServerEvents& events() { return events_; }
  CommandFilters& filters() { return filters_; }
  ModuleUsers& users() { return users_; }
  ModuleTimers& timers() { return timers_; }
  OneShots& one_shots() { return one_shots_; }
  WatchedFds& watched_fds() { return watched_fds_; }
  BlockedClients& blocked_clients() { return blocked_clients_; }
  Yielding& yielding() { return yielding_; }
  BusyServer* busy_server() { return services_.busy_server; }
  HeldCommands& held_commands() { return held_commands_; }
  KeyWaiters& key_waiters() { return services_.engine.key_waiters(); }
  StringPool& strings() { return strings_; }
  KeyPool& keys() { return keys_; }
  ValueSwap& swap() { return swap_; }
  Sweeps& sweeps() { return sweeps_; }
  // Scratch for bodies of values, which are made one at a time.
  BodyWriter& body_writer() { return body_writer_; }
  CallReplyPool& replies() { return replies_; }
  NullSink& null_sink() { return null_sink_; }
  ApiTable& api() { return api_; }

  // A session for a callback or call that no client stands behind; sessions nest.
  class InternalSession {
   public:
    InternalSession(ModuleHost& host, int db);
    ~InternalSession() { --host_.sessions_used_; }
    InternalSession(const InternalSession&) = delete;
    InternalSession& operator=(const InternalSession&) = delete;
    Session& operator*() { return *session_; }
    Session* get() { return session_; }

   private:
    ModuleHost& host_;
    Session* session_;
  };

  // Changes whenever an open key may be another one: a command ran, or a handle moved an entry.
  uint64_t data_epoch() { return services_.engine.stats().commands + entry_moves_; }
  void NoteEntryMove() { ++entry_moves_; }

  // Work by a thread that holds the lock: at its release the loop must turn when data changed.
  // `module` is charged with the time that it is held.
  void ThreadTakesLock(Module* module);
  bool ThreadTriesLock(Module* module);
  // When (ticks) the thread that has the lock took it. REQUIRES: it is the caller.
  uint64_t locked_at() const { return locked_at_; }
  void ThreadReleasesLock();

  // The command of that name, as CommandRegistry::Find: modules ask for the same few names again
  // and again, mostly from the same literal.
  Command* FindCommand(std::string_view name) {
    Memo& memo = memos_[(reinterpret_cast<uintptr_t>(name.data()) >> 2) % kMemos];
    if (memo.text == name.data() && memo.generation == services_.engine.commands().generation() &&
        EqualsIgnoreCase(name, memo.command->name)) [[likely]] {
      return memo.command;
    }
    return LookUpCommand(name, &memo);
  }

  // Shared functions of modules, by name.
  struct SharedApi {
    Module* module;
    void* function;
  };
  std::map<std::string, SharedApi, std::less<>>& shared_apis() { return shared_apis_; }

  // INFO callbacks, in order of registration.
  struct InfoProvider {
    Module* module;
    RedisModuleInfoFunc callback;
  };
  std::vector<InfoProvider>& info_providers() { return info_providers_; }

  // Values for options that a module is about to register, by lower-case full name.
  std::map<std::string, std::vector<std::string>, std::less<>>& pending_configs() {
    return pending_configs_;
  }

  // Child of RM_Fork; pid 0: none.
  struct ForkedChild {
    int pid = 0;
    Module* module = nullptr;
    RedisModuleForkDoneHandler done = nullptr;
    void* data = nullptr;
  };
  ForkedChild& child() { return child_; }
  // Whether a forked child lives: a background save, or a module's.
  bool HasChild() const;
  // A module's child was born; it died: the place is free again.
  void ChildBorn(const ForkedChild& child);
  void ChildDied();
  bool is_child = false;  // this process is such a child

 private:
  // --- LoopHook ---
  int BeforeWait() override;
  void AfterWait() override;
  // --- Clients::Listener ---
  void OnClientConnected(Session& session) override;
  void OnClientDisconnected(Session& session) override;
  // --- OptionListener ---
  Status OnOptionsChanged(const std::vector<std::string>& names) override;

  struct Memo {
    const char* text = nullptr;
    uint64_t generation = 0;
    Command* command = nullptr;
  };
  static constexpr size_t kMemos = 64;
  Command* LookUpCommand(std::string_view name, Memo* memo);
  // --- PersistenceListener ---
  void OnSaveStarted(DataFile file, bool background) override;
  void OnSaveEnded(bool ok) override;
  void OnLoadStarted(DataFile file) override;
  void OnLoadProgress(DataFile file, int permille) override;
  void OnLoadEnded(bool ok) override;
  void OnForkChild(bool born) override;
  void OnInForkedChild(std::string_view) override { is_child = true; }

  // One load, unload or upgrade at a time.
  class Operation {
   public:
    explicit Operation(ModuleHost& host) : host_(host) { host_.operating_ = true; }
    ~Operation() { host_.operating_ = false; }
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

   private:
    ModuleHost& host_;
  };

  // What a module leaves to its successor, or to itself when it comes back.
  struct Estate {
    std::vector<DormantAux> aux;
    ModuleConfigs options;
    ModuleUsage usage;
    uint64_t values = 0;
  };

  void ReapChild();
  void FireClientChange(Session& session, uint64_t subevent);

  // --- load.cc ---
  // A module in a slot of its own, in the list; null when there is no slot.
  Module* AddModule(const LoadRequest& request);
  // Maps the file and runs OnLoad.
  Status StartModule(Module& module, ModuleFile file);
  int RunOnLoad(Module& module, void* entry);
  Status Accepted(Module& module, int result);
  Status UnusedConfigs(const ModuleConfigs& configs) const;
  void LogMissing(Module& module);
  void ReviveFor(Module& module, Revival revival);
  void FireModuleChange(const std::string& name, int version, uint64_t subevent);
  int FreeSlot() const;

  // --- unload.cc ---
  // The module gives its values and waiting clients away and agrees to go (OnUnload). After an
  // error it is whole again.
  Result<Estate> Retire(Module& module);
  Status RunOnUnload(Module& module);
  // Clients that wait for keys wait for the end of the operation from now on.
  void TakeWaiting(Module& module);
  // A module that was loaded and is not wanted: what it has revived is again what it was; then
  // Remove.
  void Dismiss(Module& module, Originals originals);
  // Takes out what it registered, and unmaps it, or puts it under quarantine.
  // REQUIRES: there are no live values of its types.
  void Remove(Module& module);
  // The last of it goes: no thread runs its code any more.
  void Bury(std::unique_ptr<Module> owned);
  // Frees values that were kept for threads that are done with them, for a slice of time; true when
  // some are left that could be freed.
  bool ReleaseKept();
  // Modules under quarantine whose threads have ended meanwhile.
  void BuryQuarantined();
  // Dormant values of its types.
  uint64_t DormantValuesOf(const Module& module);
  void ForgetReferences(Module& module);
  // Reports what the module `name` left in its slot; frees it when nobody else can have a part of
  // it.
  void CloseMemory(int slot, const std::string& name, bool only_its_own);

  // --- upgrade.cc ---
  // Values of a module's options by full name, as CONFIG SET takes them.
  static ModuleConfigs OptionValues(const Module& module);
  // What a successor's options start with: the values of its predecessor's, and what was asked for.
  void SetPendingConfigs(const ModuleConfigs& inherited, const ModuleConfigs& asked);
  // Loads the file and revives what the predecessor left. With an error nothing is left of it.
  Result<Module*> InstallSuccessor(ModuleFile file, const LoadRequest& request,
                                   const Estate& estate, size_t position, Revival revival,
                                   UpgradeOutcome* outcome);
  // Loads the file into that place of the list; after an error *module is what is to be dismissed,
  // or null.
  Status StartSuccessor(ModuleFile file, const LoadRequest& request, const ModuleConfigs& inherited,
                        size_t position, Module** module);
  // Eager: everything must be readable.
  Status Succeed(Module& successor, Revival revival);
  // Loads the old version again, of whose file `file` is left. Returns the error of the upgrade.
  Status RollBack(const Error& why, Result<ModuleFile> file, const LoadRequest& request,
                  const Estate& estate, size_t position);

  // --- try_load.cc ---
  void TellFacts(Module& module, TrialReporter& reporter);
  std::vector<ModuleType*> HideForTrial(Module& old);
  void TryValues(Module& successor, const std::vector<ModuleType*>& old_types,
                 TrialReporter& reporter);

  Services services_;
  HostLock lock_;
  ApiTable api_;
  NullSink null_sink_;
  StringPool strings_;
  KeyPool keys_;
  CallReplyPool replies_;
  ValueSwap swap_;
  Sweeps sweeps_;
  BodyWriter body_writer_{false};
  std::vector<std::unique_ptr<Session>> sessions_;
  size_t sessions_used_ = 0;
  uint64_t entry_moves_ = 0;
  // Of the module thread that holds the lock.
  uint64_t epoch_at_lock_ = 0;
  Module* lock_owner_ = nullptr;
  uint64_t locked_at_ = 0;  // ticks
  TypeRegistry types_;
  KeyEvents key_events_;
  ServerEvents events_;
  CommandFilters filters_;
  ModuleUsers users_{this};
  ModuleTimers timers_;
  OneShots one_shots_;
  WatchedFds watched_fds_;
  BlockedClients blocked_clients_;
  HeldCommands held_commands_{this};
  HeldCommands waiting_commands_{this};  // of the module that goes
  Yielding yielding_{this};
  std::array<Memo, kMemos> memos_;
  std::map<std::string, SharedApi, std::less<>> shared_apis_;
  std::vector<InfoProvider> info_providers_;
  std::map<std::string, std::vector<std::string>, std::less<>> pending_configs_;
  ForkedChild child_;
  bool serving_ = false;
  bool operating_ = false;
  bool releasing_ = false;          // it is worth a look whether kept values can be freed
  TrialReporter* trial_ = nullptr;  // in the child of a trial only
  std::vector<std::unique_ptr<Module>> modules_;
  std::vector<std::unique_ptr<Module>> quarantined_;
  std::unique_ptr<ModuleJobs> jobs_;
};

// Fills the table with every function that the host has; one line for each area.
void RegisterAllApis(ApiTable& table);

}  // namespace backplane
