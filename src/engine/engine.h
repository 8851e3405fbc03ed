// SPDX-License-Identifier: BSD-3-Clause
// Engine: decides whether a command may run now, runs it, and sees to what follows: statistics,
// propagation, notifications, transactions. One object, on the engine thread, holding the host
// lock. Clients (client_driver.h), the module host and persistence run commands through it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "acl/users.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/pubsub.h"
#include "client/session.h"
#include "client/tracking.h"
#include "command/context.h"
#include "command/registry.h"
#include "config/settings.h"
#include "engine/propagation.h"
#include "keyspace/keyspace.h"

namespace backplane {

using Args = std::span<const std::string_view>;

// Told about keyspace happenings; the module host is one. Any number; not owned.
class KeyspaceListener {
 public:
  virtual ~KeyspaceListener() = default;
  virtual void OnKeyEvent(Database& db, uint32_t notify_class, std::string_view event,
                          std::string_view key) {}
  virtual void OnKeyRemoving(Database& db, const Entry& entry,
                             KeyspaceObserver::RemovalReason reason) {}
  virtual void OnKeyModified(Database& db, std::string_view key) {}
  // FLUSHDB (`db` its number) and FLUSHALL (-1), before and after. Called whatever wanted_classes()
  // says.
  virtual void OnFlush(int db, bool sync, bool before) {}
  virtual void OnSwapDatabases(int first, int second) {}
  // Classes it wants; the engine recomputes the union when told by ListenersChanged().
  virtual uint32_t wanted_classes() const { return 0; }
  virtual bool wants_removals() const { return false; }
};

// Sees, and may change, every command before it is looked up: module command filters.
class CommandInterceptor {
 public:
  virtual ~CommandInterceptor() = default;
  // Returns true when *args was replaced (storage lives until the next call).
  virtual bool Intercept(Session& session, std::vector<std::string_view>* args) = 0;
};

// Runs when the outermost command (or event) has ended.
class UnitHook {
 public:
  virtual ~UnitHook() = default;
  // Within the unit: what it changes is propagated with the rest (post-notification jobs of
  // modules).
  virtual void OnUnitEnd() {}
  // Behind it, outside of any unit (clients that waited for what the unit has changed).
  virtual void AfterUnit() {}
};

// Counters that INFO shows.
struct EngineStats {
  uint64_t commands = 0;
  uint64_t connections = 0;
  uint64_t rejected_connections = 0;
  uint64_t error_replies = 0;
  std::map<std::string, uint64_t> errors_by_code;  // INFO errorstats
  uint64_t total_forks = 0;
  int64_t latest_fork_usec = 0;
  uint64_t unexpected_errors = 0;
  uint64_t command_ticks = 0;  // time of commands that no other command called; see base/clock.h
  uint64_t evicted_clients = 0;
};

// The hash of one key argument, when whoever parsed the request has computed it. Handed on by
// reference: as a value it would be written to the stack in halves and read back as a whole, for
// which the processor waits.
struct KeyHint {
  size_t arg = SIZE_MAX;
  uint64_t hash = 0;
};
inline constexpr KeyHint kNoKeyHint;

class BlockedCommands;
class CallRecords;
class ClientPause;
class KeyWaiters;
class MemoryLimit;

class Engine final : public KeyspaceObserver {
 public:
  struct Services {
    Keyspace& keyspace;
    CommandRegistry& commands;
    PubSub& pubsub;
    Settings& settings;
    Logger& logger;
  };
  explicit Engine(const Services& services);
  ~Engine() override;

  Keyspace& keyspace() { return services_.keyspace; }
  CommandRegistry& commands() { return services_.commands; }
  PubSub& pubsub() { return services_.pubsub; }
  Settings& settings() { return services_.settings; }
  Logger& logger() { return services_.logger; }
  PropagationStream& propagation() { return propagation_; }
  EngineStats& stats() { return stats_; }
  TickClock& tick_clock() { return tick_clock_; }
  KeyWaiters& key_waiters() { return *key_waiters_; }
  // Slow log, latency events, MONITOR.
  CallRecords& records() { return *records_; }
  // Calls that take so long, in ticks, are shown to records(); it says how long that is.
  void set_watched_ticks(uint64_t ticks) { watched_ticks_ = ticks; }
  // Whether even short calls are each timed. Otherwise of short reads that modules call one in
  // kTimedOneIn is, and stands for those behind it.
  void set_times_all(bool value) { times_all_ = value; }
  static constexpr uint64_t kTimedOneIn = 8;
  // Null without a limit.
  MemoryLimit* memory_limit() const { return memory_limit_; }
  void set_memory_limit(MemoryLimit* limit) { memory_limit_ = limit; }
  // Null where nobody is refused anything.
  Users* users() const { return users_; }
  void set_users(Users* users) { users_ = users; }
  // Asked before the passwords of users; null: nobody.
  LoginHook* login_hook() const { return login_hook_; }
  void set_login_hook(LoginHook* hook) { login_hook_ = hook; }
  bool LoginRequired() const { return users_ != nullptr && users_->LoginRequired(); }
  // Writes the line of CLIENT LIST that the log of refusals shows; null: it shows none.
  using ClientDescriber = std::string (*)(Engine& engine, Session& session);
  void set_client_describer(ClientDescriber describer) { client_describer_ = describer; }
  // Null where nobody can wait: without an event loop.
  BlockedCommands* blocked_commands() const { return blocked_commands_; }
  void set_blocked_commands(BlockedCommands* commands) { blocked_commands_ = commands; }
  // Null while clients are not paused.
  ClientPause* client_pause() const { return client_pause_; }
  void set_client_pause(ClientPause* pause);
  ClientTracking& tracking() { return tracking_; }

  // --- running commands ---
  // One request of a client: intercept, look up, gate, queue in MULTI or run; the reply goes to the
  // session's sink. `hint`: hash of the first key if the batch computed it. False: nothing has
  // happened, clients are paused; the session is blocked, and the request comes again afterwards.
  bool Process(Session& session, Args args, const KeyHint& hint = kNoKeyHint);

  // Finds the command that args name; nullptr and *error filled (whole error text) when it is
  // unknown or the arity is wrong.
  Command* Resolve(Session& session, Args args, std::string* error);
  // The reason why `command` may not run for this session now, whole error text; empty when it may.
  std::string Gate(Session& session, const Command& command, Args args);
  // What its user may not do, logged under `caller`, the client that is at fault; whole error text,
  // empty when nothing speaks against the command.
  std::string PermissionRefusal(const Session& session, const Command& command, Args args,
                                AclLog::Context context, Session& caller);
  // Logs a refusal or failed login that was found elsewhere.
  void LogDenial(AclLog::Entry entry, Session& caller);
  // Runs a resolved command, no gates. Replies go to `reply`. `targets`: who reads in the
  // stream what it has changed (PropagationTarget). Nests.
  void Call(Session& session, const Command& command, Args args, ReplySink& reply,
            uint8_t targets = kPropagateEverywhere, const KeyHint& hint = kNoKeyHint);
  // Counts the time of a module's command whose client has waited: its handler's and what the
  // module has measured. `session` null: the client is gone.
  void CountWaited(Session* session, const Command& command, Args args, uint64_t ticks);
  // Runs a command out of a file: no gates, no statistics, and nothing of it is propagated while
  // loading(). Replies go to `reply`.
  void Replay(Session& session, const Command& command, Args args, ReplySink& reply);
  // For errors that come from no command's handler: those that scripts get for what they may not
  // call. Counts the sink's last one.
  void CountErrorReply(const ReplySink& sink);
  // The sink's last error repeats one that is counted already: a script passes it on.
  void ErrorWasCounted(const ReplySink& sink) {
    counted_sink_ = &sink;
    counted_errors_ = sink.error_count();
  }
  // Why writes are refused to clients (MISCONF), whole error text; empty when they are not.
  std::string WriteRefusal() const;
  // Where replies to this client go now; CLIENT REPLY may have it that they go nowhere.
  ReplySink& SinkFor(Session& session);
  // EXEC's body.
  void RunTransaction(Session& session, ReplySink& reply);

  // --- units: a top-level act of the engine. Call() opens one by itself; timers and module
  // callbacks that write open their own. ---
  void EnterUnit();
  void LeaveUnit();
  class Unit {
   public:
    explicit Unit(Engine& engine) : engine_(engine) { engine_.EnterUnit(); }
    ~Unit() { engine_.LeaveUnit(); }
    Unit(const Unit&) = delete;
    Unit& operator=(const Unit&) = delete;

   private:
    Engine& engine_;
  };
  int unit_depth() const { return unit_depth_; }
  // The command being run by the innermost Call, for module callbacks and crash reports; nullptr
  // outside.
  const CommandContext* current() const { return current_; }
  // The session whose command is being run by the outermost Call, for which scripts and modules
  // run others; nullptr outside.
  const Session* executing() const { return current_ != nullptr ? executing_ : nullptr; }
  Session* executing() { return current_ != nullptr ? executing_ : nullptr; }

  // What runs steps aside for its scope: commands that clients are served meanwhile are outermost
  // ones, with an executing() of their own.
  class Aside {
   public:
    explicit Aside(Engine& engine)
        : engine_(engine),
          current_(std::exchange(engine.current_, nullptr)),
          executing_(std::exchange(engine.executing_, nullptr)) {}
    ~Aside() {
      engine_.current_ = current_;
      engine_.executing_ = executing_;
    }
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

   private:
    Engine& engine_;
    CommandContext* current_;
    Session* executing_;
  };

  // Updates the cached time; each loop turn and each top-level unit outside commands.
  void RefreshClock();

  // --- conditions that gates look at ---
  // Whether a script is running, whatever it has called. Told by the script layer.
  bool script_runs() const { return script_runs_; }
  void set_script_runs(bool value) { script_runs_ = value; }
  bool loading() const { return loading_; }
  void set_loading(bool value);
  // A module or script runs long (RM_Yield): text of the BUSY reply; empty when not busy.
  const std::string& busy_reply() const { return busy_reply_; }
  void set_busy_reply(std::string text) { busy_reply_ = std::move(text); }
  // Writes are refused while the last background save failed and the setting says so. Set by
  // persist/.
  bool writes_blocked_by_save() const { return writes_blocked_by_save_; }
  void set_writes_blocked_by_save(bool value) {
    writes_blocked_by_save_ = value;
    NoteWritesRefused();
  }
  // The errno with which the append-only file could not be written; 0: it can. Set by persist/.
  void set_aof_error(int error) {
    aof_error_ = error;
    NoteWritesRefused();
  }
  // Clients may not write, for one of these reasons or because the settings want replicas, of which
  // there are none; WriteRefusal says which.
  bool writes_refused() const { return writes_refused_; }
  // Call it when one of the reasons, or the settings, changed.
  void NoteWritesRefused() {
    writes_refused_ =
        writes_blocked_by_save_ || aof_error_ != 0 || services_.settings.WantsReplicas();
  }

  // --- extension points; nothing is owned ---
  void AddListener(KeyspaceListener* listener);
  void RemoveListener(KeyspaceListener* listener);
  // Recomputes which events are wanted, after a listener's or the setting's change.
  void ListenersChanged();
  void AddInterceptor(CommandInterceptor* interceptor) { interceptors_.push_back(interceptor); }
  void RemoveInterceptor(CommandInterceptor* interceptor) {
    std::erase(interceptors_, interceptor);
  }
  bool has_interceptors() const { return !interceptors_.empty(); }
  // Shows them a command that somebody else than a client gives (a script); true when *words was
  // replaced. Words may be none then.
  bool Intercept(Session& session, std::vector<std::string_view>* words);
  void AddUnitHook(UnitHook* hook) { unit_hooks_.push_back(hook); }
  void RemoveUnitHook(UnitHook* hook) { std::erase(unit_hooks_, hook); }

  // Commands that change whole databases say so here.
  void NotifyFlush(int db, bool sync, bool before);
  void NotifySwap(int first, int second);
  // DEBUG SET-ACTIVE-EXPIRE.
  bool active_expire() const { return active_expire_; }
  void set_active_expire(bool value) { active_expire_ = value; }

  // --- KeyspaceObserver ---
  void KeyModified(Database& db, std::string_view key) override;
  void KeyEvent(Database& db, uint32_t notify_class, std::string_view event,
                std::string_view key) override;
  void KeyExpired(Database& db, std::string_view key) override;
  void KeyRemoving(Database& db, const Entry& entry, RemovalReason reason) override;

 private:
  void Reject(Session& session, Command* command, Args args, std::string_view error);
  // Process, after the interceptors.
  bool ProcessWords(Session& session, Args args, const KeyHint& hint);
  std::string RefusalInTransaction(Session& session, const Command& command, Args args);
  void Queue(Session& session, const Command& command, Args args);
  void LeaveUnitWithHooks();
  bool IsTimed(const Session& session, const Command& command, Args args) const;
  void PropagateResult(CommandContext& ctx, uint64_t dirty_before, uint8_t targets);
  // Client tracking: the keys that a command has read.
  void RememberKeys(Session& session, const Command& command, Args args);

  Services services_;
  PropagationStream propagation_;
  EngineStats stats_;
  TickClock tick_clock_;
  NullSink null_sink_;
  std::vector<KeyspaceListener*> listeners_;
  std::vector<CommandInterceptor*> interceptors_;
  std::vector<UnitHook*> unit_hooks_;
  CommandContext* current_ = nullptr;
  Session* executing_ = nullptr;
  ClientTracking tracking_;
  std::string expired_key_;  // the last one that tracking was told of
  // The last error counted: a command that ran others (EXEC) must not count theirs again.
  const ReplySink* counted_sink_ = nullptr;
  uint64_t counted_errors_ = 0;
  uint64_t watched_ticks_ = UINT64_MAX;
  bool times_all_ = true;
  int unit_depth_ = 0;
  bool loading_ = false;
  bool active_expire_ = true;
  bool writes_blocked_by_save_ = false;
  bool writes_refused_ = false;
  bool script_runs_ = false;
  int aof_error_ = 0;
  std::string busy_reply_;
  BlockedCommands* blocked_commands_ = nullptr;
  MemoryLimit* memory_limit_ = nullptr;
  Users* users_ = nullptr;
  ClientDescriber client_describer_ = nullptr;
  LoginHook* login_hook_ = nullptr;
  std::unique_ptr<CallRecords> records_;
  ClientPause* client_pause_ = nullptr;
  // Last: it is one of the listeners and hooks.
  std::unique_ptr<KeyWaiters> key_waiters_;
};

}  // namespace backplane
