// SPDX-License-Identifier: BSD-3-Clause
// Server: builds every service, connects them, runs the loop. The only place that knows all of
// them; main() makes one. Engine thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/pubsub.h"
#include "command/registry.h"
#include "commands/connection/connection_commands.h"
#include "commands/module/module_commands.h"
#include "commands/server/server_commands.h"
#include "config/options.h"
#include "engine/clients.h"
#include "engine/engine.h"
#include "modhost/host.h"
#include "net/listener.h"
#include "persist/persistence.h"

namespace backplane {

class Server final : public OptionListener,
                     public TimerHandler,
                     public LoopHook,
                     public ServerControl {
 public:
  Server();
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Reads the configuration from the command line (without argv[0]), opens logs and listeners,
  // loads data. An error is fit to be printed; the process then exits with 1.
  Status Start(const std::vector<std::string>& args);
  // Until Shutdown; returns the exit code.
  int Run();
  // Async-signal-safe: the loop begins an orderly shutdown in its next turn.
  void RequestShutdown(int signal);

  // --- ServerControl: what commands may ask of the server ---
  ServerFacts Facts() override;
  Status Shutdown(const ShutdownOptions& options) override;
  void CancelShutdown() override {}

 private:
  void BuildServices();
  void RegisterCommands();
  Status LoadModulesAndData();
  Status OpenListeners();
  void CloseListeners();
  Status Daemonize();
  void WritePidFile();
  void ApplyLogSettings();

  Status OnOptionsChanged(const std::vector<std::string>& names) override;
  int64_t OnTimer() override;  // cron, settings.hz times a second
  int BeforeWait() override;
  void AfterWait() override;

  Settings settings_;
  EncodingLimits limits_;
  Logger logger_;
  OptionTable options_;
  StartupDirectives directives_;
  std::unique_ptr<Keyspace> keyspace_;
  CommandRegistry registry_;
  PubSub pubsub_;
  EventLoop loop_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<ConnectionSet> connections_;
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<Persistence> persistence_;
  std::unique_ptr<ModuleHost> modules_;
  std::unique_ptr<ModuleReports> module_reports_;
  std::unique_ptr<InfoSection> persistence_section_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  ConnectionServices connection_services_;
  ServerServices server_services_;
  std::string executable_;
  std::string run_id_;
  int64_t started_ms_ = 0;
  int64_t cron_turns_ = 0;
  volatile int requested_signal_ = 0;
  int exit_code_ = 0;
};

}  // namespace backplane
