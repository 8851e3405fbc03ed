// SPDX-License-Identifier: BSD-3-Clause
// ModuleJobs: MODULE LOAD, INSPECT and UPGRADE from request to outcome. A job waits for its trial
// in a child, and for the sweep that prepares an upgrade, without holding the server; what changes
// the server then is done in one turn. One job at a time. Owned by the ModuleHost. Engine thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "modhost/load_request.h"
#include "modhost/module_report.h"
#include "net/event_loop.h"

namespace backplane {

class Module;
class ModuleHost;
class Trial;
class WriteAccess;

struct JobOutcome {
  // The error's message is the reply text after "ERR ".
  Status status;
  bool tried = false;  // `report` is filled
  ModuleReport report;
  UpgradeOutcome upgrade;
};

class ModuleJobs final : private FdHandler, private TimerHandler {
 public:
  using Finish = std::function<void(const JobOutcome&)>;

  explicit ModuleJobs(ModuleHost* host);
  // A running job is dropped; its Finish is not called.
  ~ModuleJobs() override;
  ModuleJobs(const ModuleJobs&) = delete;
  ModuleJobs& operator=(const ModuleJobs&) = delete;

  // Each calls `finish` once, before it returns or, if `may_wait`, from a later turn of the loop.
  // Without it the server waits for the trial.
  void Load(LoadRequest request, bool may_wait, Finish finish);
  void Inspect(LoadRequest request, bool may_wait, Finish finish);
  void Upgrade(UpgradeRequest request, bool may_wait, Finish finish);
  // Load at start and in tests.
  Status LoadNow(const std::string& path, const std::vector<std::string>& args,
                 const ModuleConfigs& configs = {});

  bool running() const { return job_ != nullptr; }
  // Whether the job upgrades the module of that name.
  bool Concerns(std::string_view name) const;

 private:
  enum class Kind { kLoad, kInspect, kUpgrade };
  struct Job;

  void Start(std::unique_ptr<Job> job, bool may_wait);
  // Why the job cannot be begun; *nothing_to_do is set when its aim is reached already.
  Status Check(Job& job, bool* nothing_to_do);
  Status CheckUpgrade(Job& job);
  void TrialEnded();
  // The trial's fork took the write access to all memory; the pause would pay for it page by page.
  bool RestoreWriteAccess();
  Status Judge(const Job& job) const;
  void Act();
  void ActLoad(Job& job);
  void ActUpgrade(Job& job);
  void Prepare(Job& job);
  // Threads of the module are to finish what they have begun; true when ActUpgrade goes on later.
  bool DrainFirst(const Job& job);
  bool Drained();
  void Conclude(Status status);
  void StopWatching();

  void OnEvents(uint32_t events) override;
  int64_t OnTimer() override;

  ModuleHost* host_;
  std::unique_ptr<Job> job_;
  std::unique_ptr<WriteAccess> restoring_;
  int64_t drain_ends_ms_ = 0;  // 0: nothing is waited for
  EventLoop::TimerId timer_ = 0;
  bool watching_ = false;
};

}  // namespace backplane
