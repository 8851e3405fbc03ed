// SPDX-License-Identifier: BSD-3-Clause
// Server: construction, start, cron, shutdown.
#include "server/server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/memory_info.h"
#include "base/version.h"
#include "commands/families.h"
#include "commands/persist/persist_commands.h"
#include "commands/scripting/scripting_commands.h"
#include "config/builtin_options.h"
#include "engine/call_records.h"
#include "modhost/jobs.h"
#include "server/crash_report.h"

namespace backplane {

Server::Server() : run_id_(EntropyHex(40)) {}

Server::~Server() {
  // Clients before the engine that serves them.
  Close();
  RemoveCrashReport();
  // Values of modules are freed by their modules' code, so the data go before the modules.
  if (keyspace_ != nullptr) {
    keyspace_->FlushAll(false);
    keyspace_->lazy_free().Drain();
  }
  modules_.reset();
  append_only_.reset();
  persistence_.reset();
  loop_.RemoveHook(this);
}

namespace {

class PersistenceSection final : public InfoSection {
 public:
  explicit PersistenceSection(const Persistence* persistence) : persistence_(persistence) {}
  std::string_view name() const override { return "Persistence"; }
  void Append(std::string* out) override { *out += persistence_->PersistenceInfo(); }

 private:
  const Persistence* persistence_;
};

}  // namespace

void Server::BuildServices() {
  limits_.list_max_listpack_size = static_cast<int>(settings_.list_max_listpack_size);
  keyspace_ = std::make_unique<Keyspace>(static_cast<int>(settings_.databases), &limits_);
  engine_ = std::make_unique<Engine>(
      Engine::Services{*keyspace_, registry_, pubsub_, settings_, logger_});
  engine_->NoteWritesRefused();
  users_ = std::make_unique<Users>(&registry_, &settings_);
  users_->SetDefaultPassword(settings_.requirepass);
  engine_->set_users(users_.get());
  engine_->set_client_describer(&ClientLine);
  blocked_commands_ = std::make_unique<BlockedCommands>(engine_.get(), &loop_);
  memory_limit_ = std::make_unique<MemoryLimit>(engine_.get(), &loop_);
  expire_cycle_ = std::make_unique<ExpireCycle>(engine_.get(), &loop_, &samples_);
  client_pause_ = std::make_unique<ClientPause>(engine_.get(), &loop_);
  connections_ = std::make_unique<ConnectionSet>(&loop_);
  clients_ = std::make_unique<Clients>(engine_.get(), connections_.get());
  clients_->set_tls(&tls_);
  if (settings_.io_threads > 1) {
    io_threads_ = std::make_unique<IoThreads>(static_cast<int>(settings_.io_threads));
    if (settings_.io_threads_do_reads) clients_->ExpectPrepare();
    connections_->set_io_threads(io_threads_.get(), settings_.io_threads_do_reads);
  }
  persistence_ = std::make_unique<Persistence>(*engine_);
  persistence_->AddListener(this);
  persistence_->set_busy_server(this);
  append_only_ = std::make_unique<AppendOnly>(*engine_, *persistence_);
  append_only_->set_connections(connections_.get());
  append_only_->set_on_synced([this] { loop_.Wake(); },
                              [this] { blocked_commands_->RunAgain(append_only_.get()); });
  scripting_ = std::make_unique<Scripting>(engine_.get());
  scripting_->runner().set_busy_server(this);
  scripting_->debug_sessions().Connect(
      persistence_.get(), [this] { return loop_.stopping() || requested_signal_ != 0; });
  persistence_->set_libraries(&scripting_->libraries());
  loop_.AddHook(this);
  // Last of those that hook into the loop: it gives the host lock up just before the wait.
  modules_ = std::make_unique<ModuleHost>(ModuleHost::Services{
      *engine_, loop_, options_, clients_.get(), persistence_.get(), &directives_, this});
  persistence_->set_modules(&modules_->types());
  module_reports_ = std::make_unique<ModuleReports>(modules_.get());
  persistence_section_ = std::make_unique<PersistenceSection>(persistence_.get());
  connection_services_ = {clients_.get(), module_reports_.get(), client_pause_.get()};
  acl_services_ = {users_.get(), clients_.get()};
  server_services_ = {this,
                      &options_,
                      &directives_,
                      clients_.get(),
                      connections_.get(),
                      &loop_,
                      {persistence_section_.get(), module_reports_.get()},
                      persistence_.get(),
                      &samples_,
                      module_reports_.get(),
                      scripting_.get(),
                      &migration_peers_,
                      append_only_.get()};
}

void Server::RegisterCommands() {
  RegisterStringCommands(registry_);
  RegisterBitmapCommands(registry_);
  RegisterHyperLogLogCommands(registry_);
  RegisterKeyCommands(registry_);
  RegisterListCommands(registry_);
  RegisterSetCommands(registry_);
  RegisterHashCommands(registry_);
  RegisterZSetCommands(registry_);
  RegisterGeoCommands(registry_);
  RegisterStreamCommands(registry_);
  RegisterPersistCommands(registry_, *persistence_, *append_only_);
  RegisterMigrateCommand(registry_, migration_peers_);
  RegisterScriptingCommands(registry_, *scripting_);
  RegisterModuleCommands(registry_, *modules_);
  RegisterTransactionCommands(registry_);
  RegisterPubSubCommands(registry_);
  RegisterConnectionCommands(registry_, connection_services_);
  RegisterClientCommands(registry_, connection_services_);
  RegisterAclCommands(registry_, acl_services_);
  RegisterClientTrackingCommands(registry_);
  RegisterServerCommands(registry_, server_services_);
}

void Server::ApplyLogSettings() {
  logger_.set_level(static_cast<LogLevel>(settings_.loglevel));
  if (settings_.syslog_enabled) {
    logger_.OpenSyslog(settings_.syslog_ident, static_cast<int>(settings_.syslog_facility));
  }
}

Status Server::Daemonize() {
  pid_t child = fork();
  if (child < 0) return Fail(ErrorCode::kIo, std::string("fork: ") + std::strerror(errno));
  if (child > 0) _exit(0);
  setsid();
  int null = open("/dev/null", O_RDWR);
  if (null >= 0) {
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
    if (null > STDERR_FILENO) close(null);
  }
  return {};
}

void Server::WritePidFile() {
  std::string path = settings_.pidfile;
  if (path.empty() && (!settings_.daemonize || process_.supervisor() != Supervisor::kNone)) return;
  if (path.empty()) path = "/var/run/backplane.pid";
  if (FILE* file = std::fopen(path.c_str(), "w")) {
    std::fprintf(file, "%d\n", static_cast<int>(getpid()));
    std::fclose(file);
    settings_.pidfile = path;
  }
}

Status Server::Start(const std::vector<std::string>& args) {
  BP_RETURN_IF_ERROR(Configure(args));
  configured_ = true;
  return Launch();
}

Status Server::Configure(const std::vector<std::string>& args) {
  char self[4096];
  ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
  if (length > 0) executable_.assign(self, static_cast<size_t>(length));
  RegisterBuiltinOptions(options_, settings_, limits_);
  BP_ASSIGN_OR_RETURN(directives_, ApplyCommandLine(options_, args));
  if (!settings_.logfile.empty()) BP_RETURN_IF_ERROR(logger_.OpenFile(settings_.logfile));
  ApplyLogSettings();
  if (settings_.daemonize && process_.supervisor() == Supervisor::kNone)
    BP_RETURN_IF_ERROR(Daemonize());
  save_temp_name_ = "temp-" + std::to_string(getpid()) + ".rdb";
  process_.set_config_file(directives_.config_file);
  process_.Start();

  BuildServices();
  RegisterCommands();
  for (const auto& [from, to] : directives_.renames) BP_RETURN_IF_ERROR(registry_.Rename(from, to));
  return {};
}

Result<std::string> Server::InspectModule(const std::vector<std::string>& words, bool* ok) {
  BP_RETURN_IF_ERROR(Configure({"--save", ""}));
  // What a child logs would stand between the lines of the report.
  logger_.set_level(LogLevel::kNothing);
  LoadRequest request = MakeLoadRequest(words[0], {words.begin() + 1, words.end()});
  Result<std::string> report;
  modules_->jobs().Inspect(std::move(request), false, [&](const JobOutcome& outcome) {
    if (outcome.status) {
      report = outcome.report.ToJson();
    } else {
      report = std::unexpected(outcome.status.error());
    }
    *ok = outcome.report.ok();
  });
  return report;
}

void Server::LogBanner() {
  const std::string pid = std::to_string(getpid());
  const std::string port =
      std::to_string(settings_.port != 0 ? settings_.port : settings_.tls_port);
  logger_.Notice("Backplane " + std::string(kBackplaneVersion) + " (Redis level " +
                 std::string(kCompatVersion) + ") starting, pid " + pid);
  if (settings_.always_show_logo) {
    logger_.Notice("Running in standalone mode, Port: " + port + ", PID: " + pid);
  } else {
    logger_.Notice("Running mode=standalone, port=" + port + ".");
  }
  for (const std::string& name : directives_.ignored) {
    logger_.Warning("Option '" + name + "' is not supported yet and was ignored");
  }
  logger_.Notice("Server initialized");
}

Status Server::Launch() {
  options_.AddListener(this);
  InstallCrashReport({engine_.get(), modules_.get()});
  started_ms_ = WallMillis();
  LogBanner();
  WritePidFile();
  samples_.MarkStarted();
  if (auto status = PrepareTls(); !status) {
    logger_.Warning(status.error().message);
    return LoggedFailure(status.error().code, "Failed to configure TLS. Check logs for more info.");
  }
  tls_.Commit();
  BP_RETURN_IF_ERROR(LoadModulesAndUsers());
  // Before the data: who comes while they are loaded is told so.
  if (auto status = OpenListeners(); !status) {
    return LoggedFailure(status.error().code, status.error().message);
  }
  auto loaded = LoadData();
  // A shutdown called it off: there is nothing left to run.
  if (loop_.stopping()) return {};
  BP_RETURN_IF_ERROR(loaded);
  modules_->set_serving(true);
  // The time that loading took makes a good first measure.
  CalibrateTicks();
  loop_.AddTimer(1, this);
  logger_.Notice("Ready to accept connections");
  process_.TellReady();
  return {};
}

std::unexpected<Error> Server::LoggedFailure(ErrorCode code, const std::string& text) {
  logger_.Warning(text);
  return Fail(code, text);
}

Status Server::LoadModulesAndUsers() {
  modules_->SetPendingConfigs(directives_.unknown);
  for (const auto& module : directives_.modules) {
    if (auto status = modules_->jobs().LoadNow(module.path, module.args); !status) {
      return LoggedFailure(status.error().code,
                           "Can't load module from " + module.path + ": server aborting");
    }
  }
  for (const std::string& name : modules_->UnusedPendingConfigs()) {
    return LoggedFailure(ErrorCode::kInvalidArgument,
                         "Module Configuration detected without loadmodule directive or no "
                         "ApplyConfig call: aborting (" +
                             name + ")");
  }
  // After the modules: rules may name their commands.
  if (auto status = LoadUsers(); !status) {
    return LoggedFailure(status.error().code, status.error().message);
  }
  return {};
}

Status Server::LoadData() {
  if (!settings_.appendonly) return persistence_->LoadAtStart();
  BP_RETURN_IF_ERROR(append_only_->LoadAtStart());
  return append_only_->OpenAtStart();
}

Status Server::LoadUsers() {
  if (settings_.aclfile.empty()) return users_->LoadConfigured(directives_.users);
  if (!directives_.users.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "Users are defined both in the configuration file and, by the option aclfile, in a "
                "file of their own. Use one of the two.");
  }
  auto users = users_->ReadFile(settings_.aclfile);
  if (!users) {
    return Fail(users.error().code,
                "Aborting startup because of ACL errors: " + users.error().message);
  }
  users_->Replace(std::move(*users));
  return {};
}

void Server::CloseListeners() { listeners_.clear(); }

bool Server::Close() {
  listeners_.clear();
  if (connections_ != nullptr) connections_->CloseAll();
  // The data go next, which is no change of theirs.
  if (append_only_ != nullptr) append_only_->Close();
  return modules_ == nullptr || !modules_->HasModuleThreads();
}

int Server::Run() {
  loop_.Run();
  return exit_code_;
}

void Server::RequestShutdown(int signal) {
  if (signal == SIGINT && (requested_signal_ == SIGINT || served_signal_ == SIGINT)) {
    unlink(save_temp_name_.c_str());
    _exit(1);
  }
  requested_signal_ = signal;
  loop_.Wake();
}

ShutdownOptions Server::ShutdownFor(int signal) const {
  const int64_t chosen =
      signal == SIGINT ? settings_.shutdown_on_sigint : settings_.shutdown_on_sigterm;
  ShutdownOptions options;
  if ((chosen & kShutdownSave) != 0) options.save = ShutdownOptions::Save::kYes;
  if ((chosen & kShutdownNoSave) != 0) options.save = ShutdownOptions::Save::kNo;
  options.now = (chosen & kShutdownNow) != 0;
  options.force = (chosen & kShutdownForce) != 0;
  return options;
}

int Server::BeforeWait() {
  if (requested_signal_ != 0) [[unlikely]]
    ServeSignal();
  samples_.NoteTurnEnd(engine_->stats().commands);
  if (append_only_->enabled()) [[unlikely]] {
    const int64_t begin = MonotonicNanos();
    append_only_->BeforeWait();
    samples_.NoteAofWrite(MonotonicNanos() - begin);
  }
  return -1;
}

void Server::ServeSignal() {
  const int signal = requested_signal_;
  if (!signal_logged_) {
    logger_.Warning(std::string("Received ") + (signal == SIGINT ? "SIGINT" : "SIGTERM") +
                    " scheduling shutdown...");
  }
  signal_logged_ = true;
  if (cron_paused_) return;
  served_signal_ = signal;
  requested_signal_ = 0;
  signal_logged_ = false;
  if (auto status = Shutdown(ShutdownFor(signal)); !status) {
    logger_.Warning("Errors trying to shut down the server: " + status.error().message);
  }
  served_signal_ = 0;
}

bool Server::AbortShutdown() {
  if (requested_signal_ == 0) return false;
  requested_signal_ = 0;
  signal_logged_ = false;
  logger_.Notice("Shutdown manually aborted.");
  return true;
}

void Server::OnInForkedChild(std::string_view purpose) {
  forked_child_ = true;
  process_.InForkedChild(purpose);
  migration_peers_.Clear();
  loop_.DetachInForkedChild();
  // Otherwise the port stays taken, and clients whose connection the server closes are not told,
  // for as long as the child lives.
  for (const auto& listener : listeners_) listener->CloseInForkedChild();
  connections_->CloseInForkedChild();
}

void Server::AfterWait() { engine_->RefreshClock(); }

void Server::BeginBusy(Session& session) {
  if (NetClient* client = clients_->Find(session.id())) client->connection().set_pinned(true);
}

void Server::EndBusy(Session& session) {
  if (NetClient* client = clients_->Find(session.id())) client->connection().set_pinned(false);
}

bool Server::can_serve() { return !forked_child_ && modules_->lock().OnEngineThread(); }

// Timers and hooks rest: time stands still for a script, and modules' threads must not get in.
void Server::ServeClients() {
  // A load may last; any other work is waited for.
  if (engine_->loading() && requested_signal_ != 0) ServeSignal();
  if (loop_.stopping()) return;
  const Engine::Aside aside(*engine_);
  loop_.PollOnce();
  connections_->BeforeWait();
}

void Server::CalibrateTicks() {
  engine_->tick_clock().Calibrate();
  engine_->records().Adjust();
}

int64_t Server::OnTimer() {
  int64_t period_ms = 1000 / settings_.hz;
  // Behind a shutdown nothing is begun: a load that it called off has left a part of the data.
  if (cron_paused_ || loop_.stopping()) return period_ms;
  const int64_t begin = MonotonicNanos();
  ++cron_turns_;
  expire_cycle_->Begin();
  if (cron_turns_ % settings_.hz == 0) {
    CalibrateTicks();
    process_.OnSecond();
  }
  constexpr int64_t kNanosPerMicro = 1000;
  const EventLoop::TurnStats& turns = loop_.turn_stats();
  samples_.Sample({engine_->stats().commands, connections_->total_bytes_in(),
                   connections_->total_bytes_out(), turns.turns,
                   static_cast<uint64_t>(turns.busy_nanos / kNanosPerMicro)});
  memory_limit_->OnCron();
  engine_->tracking().LimitTable(static_cast<size_t>(settings_.tracking_table_max_keys));
  clients_->CheckTimeouts();
  migration_peers_.CloseIdle(MonotonicMicros());
  append_only_->OnCron();
  persistence_->OnCron();
  append_only_->StartDueRewrite();
  scripting_->debug_sessions().OnCron();
  modules_->OnCron(static_cast<int>(settings_.hz));
  samples_.NoteCron(MonotonicNanos() - begin);
  return period_ms;
}

Status Server::OnOptionsChanged(const std::vector<std::string>& names) {
  failed_option_.clear();
  BP_RETURN_IF_ERROR(process_.Apply(names, &failed_option_));
  bool memory_changed = false;
  bool records_changed = false;
  for (const std::string& name : names) {
    memory_changed |= name.starts_with("maxmemory") || name.starts_with("lfu-");
    records_changed |= name.starts_with("slowlog-") || name == "latency-monitor-threshold";
    if (name == "loglevel") ApplyLogSettings();
    if (name == "requirepass") users_->SetDefaultPassword(settings_.requirepass);
    if (name.starts_with("min-replicas-")) engine_->NoteWritesRefused();
    if (name == "notify-keyspace-events") engine_->ListenersChanged();
    if (name == "list-max-listpack-size") {
      keyspace_->limits().list_max_listpack_size =
          static_cast<int>(settings_.list_max_listpack_size);
    }
  }
  if (memory_changed) {
    memory_limit_->Apply();
    clients_->ApplyMemoryLimit();
  }
  if (records_changed) engine_->records().Adjust();
  const bool appended = append_only_->enabled();
  BP_RETURN_IF_ERROR(ApplyAppendOnly(names));
  auto status = ApplyNetworkOptions(names);
  // All or nothing. What was off can be turned off.
  if (!status && appended != append_only_->enabled()) {
    static_cast<void>(append_only_->Apply(appended));
  }
  return status;
}

Status Server::ApplyAppendOnly(const std::vector<std::string>& changed) {
  const auto is_changed = [&](std::string_view name) {
    return std::find(changed.begin(), changed.end(), name) != changed.end();
  };
  if (is_changed("appendfsync") || is_changed("aof-disable-auto-gc")) append_only_->ApplyOptions();
  if (!is_changed("appendonly")) return {};
  failed_option_ = "appendonly";
  return append_only_->Apply(settings_.appendonly);
}

Status Server::Shutdown(const ShutdownOptions& options) {
  using Save = ShutdownOptions::Save;
  if (forked_child_) {
    // The code of a module that is tried: socket, pid file and data files are the parent's.
    return Fail(ErrorCode::kBusy, "a forked child cannot shut down the server");
  }
  logger_.Warning("User requested shutdown...");
  if (auto status = append_only_->PrepareShutdown(options.force); !status) return status;
  // What is loaded so far is less than what is on the disk.
  const bool never = options.save == Save::kNo || engine_->loading();
  auto saved = persistence_->SaveOnShutdown(options.save == Save::kYes && !never, never);
  if (!saved && !options.force) {
    logger_.Warning("Error trying to save the DB, can't exit.");
    return saved;
  }
  process_.TellStopping();
  modules_->OnShutdown();
  if (!settings_.pidfile.empty()) {
    logger_.Notice("Removing the pid file.");
    unlink(settings_.pidfile.c_str());
  }
  CloseListeners();
  logger_.Warning("Backplane is now ready to exit, bye bye...");
  loop_.Stop();
  return {};
}

}  // namespace backplane
