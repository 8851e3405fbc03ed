// SPDX-License-Identifier: BSD-3-Clause
#include "server/process_options.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstring>
#include <fstream>

#include "base/memory_info.h"
#include "base/open_files.h"

namespace backplane {
namespace {

// Places in oom-score-adj-values; the second is a replica's.
constexpr size_t kServerRole = 0;
constexpr size_t kChildRole = 2;

// Files and connections that are no clients: logs, data, listeners, modules.
constexpr int64_t kFilesReserved = 32;

bool IsOomOption(const std::string& name) { return name.starts_with("oom-score-adj"); }

bool IsShownInTitle(const std::string& name) {
  return name == "proc-title-template" || name == "port" || name == "tls-port" || name == "bind";
}

}  // namespace

void ProcessOptions::Start() {
  MakeRoomForClients();
  if (settings_->disable_thp) DisableHugePages();
  // A locale of the environment may be of another machine; one that the configuration names was
  // tried when it was read.
  if (std::setlocale(LC_COLLATE, settings_->locale_collate.c_str()) == nullptr) {
    logger_->Warning("The locale of the environment is not installed: texts are sorted by bytes");
  }
  allocator_thread_.Allow(settings_->jemalloc_bg_thread);
  static_cast<void>(ApplyOomScore(kServerRole));  // logged
  if (title_ != nullptr) ShowTitle(title_->program());
}

Supervisor ProcessOptions::supervisor() const {
  constexpr int64_t kSystemd = 1;
  constexpr int64_t kUpstart = 2;
  constexpr int64_t kAuto = 3;
  if (settings_->supervised == kSystemd) return Supervisor::kSystemd;
  if (settings_->supervised == kUpstart) return Supervisor::kUpstart;
  return settings_->supervised == kAuto ? supervisor_ : Supervisor::kNone;
}

void ProcessOptions::TellReady() {
  Status status;
  if (supervisor() == Supervisor::kSystemd) status = NotifySystemd("STATUS=Ready\nREADY=1\n");
  if (supervisor() == Supervisor::kUpstart) status = NotifyUpstart();
  if (!status) {
    logger_->Warning(std::string(SupervisorName(supervisor())) +
                     " supervision: " + status.error().message);
  }
}

void ProcessOptions::TellStopping() {
  if (supervisor() == Supervisor::kSystemd) static_cast<void>(NotifySystemd("STOPPING=1\n"));
}

Status ProcessOptions::Apply(const std::vector<std::string>& names, std::string* failed) {
  const auto oom = std::find_if(names.begin(), names.end(), IsOomOption);
  if (oom != names.end() && !ApplyOomScore(kServerRole)) {
    *failed = *oom;
    return Fail(ErrorCode::kIo, "Failed to set current oom_score_adj. Check server logs.");
  }
  if (std::find(names.begin(), names.end(), "maxclients") != names.end()) {
    if (auto status = RaiseClientLimit(); !status) {
      *failed = "maxclients";
      return status;
    }
  }
  if (std::find(names.begin(), names.end(), "jemalloc-bg-thread") != names.end()) {
    allocator_thread_.Allow(settings_->jemalloc_bg_thread);
  }
  if (title_ != nullptr && std::any_of(names.begin(), names.end(), IsShownInTitle)) {
    ShowTitle(title_->program());
  }
  return {};
}

void ProcessOptions::OnSecond() {
  if (allocator_thread_.allowed()) allocator_thread_.OnSecond(ReadAllocatorInfo().unused());
}

void ProcessOptions::InForkedChild(std::string_view purpose) {
  static_cast<void>(ApplyOomScore(kChildRole));  // logged
  if (title_ != nullptr) ShowTitle("backplane-" + std::string(purpose));
}

void ProcessOptions::MakeRoomForClients() {
  const int64_t wanted = settings_->maxclients + kFilesReserved;
  const int64_t before = OpenFilesLimit();
  if (before >= wanted) return;
  int error = 0;
  const int64_t limit = RaiseOpenFilesLimit(wanted, &error);
  if (limit >= wanted) {
    logger_->Notice("Increased maximum number of open files to " + std::to_string(limit) +
                    " (it was originally set to " + std::to_string(before) + ").");
    return;
  }
  logger_->Warning("maxclients " + std::to_string(settings_->maxclients) + " takes " +
                   std::to_string(wanted) +
                   " open files, which the system refuses: " + std::strerror(error));
  settings_->maxclients = std::max<int64_t>(limit - kFilesReserved, 1);
  logger_->Warning("Current maximum open files is " + std::to_string(limit) +
                   ". maxclients has been reduced to " + std::to_string(settings_->maxclients) +
                   " to compensate for low ulimit. If you need higher maxclients increase "
                   "'ulimit -n'.");
}

// A new `maxclients`: refused when the system does not allow so many open files.
Status ProcessOptions::RaiseClientLimit() {
  const int64_t wanted = settings_->maxclients + kFilesReserved;
  int error = 0;
  const int64_t limit = RaiseOpenFilesLimit(wanted, &error);
  if (limit >= wanted) return {};
  return Fail(ErrorCode::kIo,
              "The operating system is not able to handle the specified number of clients, try "
              "with " +
                  std::to_string(std::max<int64_t>(limit - kFilesReserved, 1)));
}

// Of huge pages one written byte is a copy of two megabytes while a child saves. The kernel only
// hands them out unasked when it says "always".
void ProcessOptions::DisableHugePages() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  std::getline(file, modes);
  if (modes.find("[always]") == std::string::npos) return;
  if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) {
    logger_->Warning(std::string("Unable to disable transparent huge pages: ") +
                     std::strerror(errno));
  }
}

Status ProcessOptions::ApplyOomScore(size_t role) {
  auto status = oom_score_.Apply(static_cast<OomScore::Mode>(settings_->oom_score_adj),
                                 settings_->oom_score_adj_values[role]);
  if (!status) {
    logger_->Warning("Unable to change oom_score_adj, " + status.error().message);
  }
  return status;
}

void ProcessOptions::ShowTitle(const std::string& program) {
  if (!settings_->set_proc_title) return;
  const int64_t port = settings_->port != 0 ? settings_->port : settings_->tls_port;
  std::string address = "unixsocket:" + settings_->unixsocket;
  if (port != 0 || settings_->unixsocket.empty()) {
    address = (settings_->bind.empty() ? "*" : settings_->bind[0]) + ":" + std::to_string(port);
  }
  const TitleVariable variables[] = {{"title", program},
                                     {"listen-addr", address},
                                     {"server-mode", ""},
                                     {"port", std::to_string(settings_->port)},
                                     {"tls-port", std::to_string(settings_->tls_port)},
                                     {"unixsocket", settings_->unixsocket},
                                     {"config-file", config_file_}};
  if (const auto text = ExpandTitle(settings_->proc_title_template, variables)) title_->Set(*text);
}

}  // namespace backplane
