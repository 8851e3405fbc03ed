// SPDX-License-Identifier: BSD-3-Clause
// Server: builds every service, connects them, runs the loop. The only place that knows all of
// them; main() makes one. Engine thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "acl/users.h"
#include "client/pubsub.h"
#include "command/registry.h"
#include "commands/acl/acl_commands.h"
#include "commands/connection/connection_commands.h"
#include "commands/module/module_commands.h"
#include "commands/persist/migration_peers.h"
#include "commands/server/server_commands.h"
#include "commands/server/server_samples.h"
#include "config/options.h"
#include "engine/blocked_commands.h"
#include "engine/client_pause.h"
#include "engine/clients.h"
#include "engine/engine.h"
#include "engine/memory_limit.h"
#include "modhost/host.h"
#include "net/io_threads.h"
#include "net/listener.h"
#include "persist/append_only.h"
#include "persist/persistence.h"
#include "script/scripting.h"
#include "server/expire_cycle.h"
#include "server/process_options.h"
#include "server/tls_service.h"

namespace backplane {

class Server final : public OptionListener,
                     public TimerHandler,
                     public LoopHook,
                     public ServerControl,
                     private BusyServer,
                     private PersistenceListener {
 public:
  Server();
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Reads the configuration from the command line (without argv[0]), opens logs and listeners,
  // loads data. After an error the process should exit with 1. An error of the configuration is for
  // the terminal; whatever fails later has been logged with its reason.
  Status Start(const std::vector<std::string>& args);
  bool start_failure_logged() const { return configured_; }
  // Tries to load a module in a child process, and returns the report on it as JSON; *ok: nothing
  // speaks against the module. Instead of Start.
  Result<std::string> InspectModule(const std::vector<std::string>& words, bool* ok);
  // Where to show what the server is; before Start, outlives it.
  void set_process_title(ProcessTitle* title) { process_.set_title(title); }
  // Until Shutdown; returns the exit code.
  int Run();
  // After Run: sends what is left to clients, closes connections. True when the object may be
  // destroyed; else threads of modules still run, and the process must end as it is.
  bool Close();
  // Async-signal-safe: the loop begins an orderly shutdown in its next turn. A second SIGINT before
  // has ended that, the final save included, ends the process at once.
  void RequestShutdown(int signal);

  // --- ServerControl: what commands may ask of the server ---
  ServerFacts Facts() override;
  Status Shutdown(const ShutdownOptions& options) override;
  bool AbortShutdown() override;
  void PauseCron(bool pause) override { cron_paused_ = pause; }

 private:
  void BuildServices();
  void RegisterCommands();
  Status Configure(const std::vector<std::string>& args);
  Status Launch();
  std::unexpected<Error> LoggedFailure(ErrorCode code, const std::string& text);
  void LogBanner();
  Status LoadModulesAndUsers();
  Status LoadData();
  Status LoadUsers();
  Status OpenTcpListener(const std::string& address, int port, SocketKind kind);
  Status OpenTcpListeners(SocketKind kind);
  Status OpenListeners();
  // After a change of bind or of a port; `changed`: the names of options. After an error the old
  // ones are open again.
  Status ReopenTcpListeners(const std::vector<std::string>& changed);
  // The context of TLS, when a port asks for it; not in use before tls_.Commit().
  Status PrepareTls();
  // After a change of options of the append-only file.
  Status ApplyAppendOnly(const std::vector<std::string>& changed);
  Status ApplyNetworkOptions(const std::vector<std::string>& changed);
  void CloseListeners();
  Status Daemonize();
  void WritePidFile();
  void ApplyLogSettings();
  // As the option for this signal says.
  ShutdownOptions ShutdownFor(int signal) const;
  // Begins the shutdown that a signal asked for, unless the cron rests.
  void ServeSignal();
  void CalibrateTicks();

  Status OnOptionsChanged(const std::vector<std::string>& names) override;
  std::string failed_option() const override { return failed_option_; }
  void OnInForkedChild(std::string_view purpose) override;
  void BeginBusy(Session& session) override;
  void EndBusy(Session& session) override;
  void ServeClients() override;
  bool can_serve() override;
  bool stopping() override { return loop_.stopping(); }
  int64_t OnTimer() override;  // cron, settings.hz times a second
  int BeforeWait() override;
  void AfterWait() override;

  Settings settings_;
  EncodingLimits limits_;
  Logger logger_;
  ProcessOptions process_{&settings_, &logger_};
  OptionTable options_;
  StartupDirectives directives_;
  std::unique_ptr<Keyspace> keyspace_;
  CommandRegistry registry_;
  PubSub pubsub_;
  EventLoop loop_;
  std::unique_ptr<Users> users_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<BlockedCommands> blocked_commands_;
  std::unique_ptr<MemoryLimit> memory_limit_;
  std::unique_ptr<ExpireCycle> expire_cycle_;
  std::unique_ptr<ClientPause> client_pause_;
  TlsService tls_;
  std::unique_ptr<IoThreads> io_threads_;
  std::unique_ptr<ConnectionSet> connections_;
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<Persistence> persistence_;
  MigrationPeers migration_peers_{&settings_};
  std::unique_ptr<AppendOnly> append_only_;
  std::unique_ptr<Scripting> scripting_;
  std::unique_ptr<ModuleHost> modules_;
  std::unique_ptr<ModuleReports> module_reports_;
  std::unique_ptr<InfoSection> persistence_section_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  ConnectionServices connection_services_;
  AclServices acl_services_;
  ServerServices server_services_;
  ServerSamples samples_;
  std::string failed_option_;
  std::string executable_;
  std::string run_id_;
  int64_t started_ms_ = 0;
  int64_t cron_turns_ = 0;
  bool configured_ = false;
  bool cron_paused_ = false;
  bool forked_child_ = false;
  volatile int requested_signal_ = 0;
  volatile int served_signal_ = 0;  // that the shutdown which runs now is for
  bool signal_logged_ = false;
  std::string save_temp_name_;  // what the final save writes, for the signal handler
  int exit_code_ = 0;
};

}  // namespace backplane
