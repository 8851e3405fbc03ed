// SPDX-License-Identifier: BSD-3-Clause
// ProcessOptions: what the options say about the process as the system sees it: its title, how the
// out-of-memory killer ranks it, how many files it may open, huge pages, the allocator's threads,
// the order of texts. Made by the server, which tells it what has changed. Engine thread, or a
// forked child where said.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/allocator_thread.h"
#include "base/log.h"
#include "base/oom_score.h"
#include "base/process_title.h"
#include "base/supervision.h"
#include "config/settings.h"

namespace backplane {

class ProcessOptions {
 public:
  // Both outlive it.
  ProcessOptions(Settings* settings, Logger* logger) : settings_(settings), logger_(logger) {}

  // Where the title goes, and the configuration file that it may name; not owned, null for none.
  void set_title(ProcessTitle* title) { title_ = title; }
  void set_config_file(std::string path) { config_file_ = std::move(path); }

  // Once, in the process that will serve: whatever the options ask for. What fails is logged.
  // `maxclients` becomes less when the system does not allow so many open files.
  void Start();
  // Who started the process, as `supervised` says; the process stays where it is then.
  Supervisor supervisor() const;
  // Tells that it serves, or ends. What fails is logged.
  void TellReady();
  void TellStopping();
  // These options have changed. After an error, which is logged, *failed names the option, and the
  // process is as it was before.
  Status Apply(const std::vector<std::string>& names, std::string* failed);
  // Once a second.
  void OnSecond();
  // In a forked child. `purpose` is its title: "rdb-bgsave".
  void InForkedChild(std::string_view purpose);

 private:
  void DisableHugePages();
  void MakeRoomForClients();
  Status RaiseClientLimit();
  Status ApplyOomScore(size_t role);
  void ShowTitle(const std::string& program);

  Settings* settings_;
  Logger* logger_;
  ProcessTitle* title_ = nullptr;
  std::string config_file_;
  OomScore oom_score_;
  AllocatorThread allocator_thread_;
  const Supervisor supervisor_ = DetectSupervisor();
};

}  // namespace backplane
