// SPDX-License-Identifier: BSD-3-Clause
// Trial: loads a module in a forked child, or rehearses there the upgrade of one, so that a crash,
// a hang or an error is a report and not an outage. The child is the server as it is now (its other
// modules and their APIs are there, its data too), with one thread. Started by ModuleJobs. Engine
// thread.
//
// A rehearsal does in the child what the upgrade will do, but does not call OnUnload: the threads
// that it would wait for do not exist there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "modhost/load_request.h"
#include "modhost/module_report.h"
#include "persist/background_child.h"

namespace backplane {

class Module;
class ModuleHost;

// The child's end.
class TrialReporter {
 public:
  explicit TrialReporter(int fd) : fd_(fd) {}
  void Tell(const std::vector<std::string>& words);
  void Phase(std::string_view name) { Tell({"phase", std::string(name)}); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

class Trial final : private BackgroundChild::Work {
 public:
  // `replaces` not null: a rehearsal of its upgrade. kIo: no child could be made.
  static Result<std::unique_ptr<Trial>> Start(ModuleHost& host, const LoadRequest& request,
                                              Module* replaces);
  ~Trial() override;
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  // Readable when there is something to Poll for.
  int fd() const { return fd_; }
  // Takes in what the child has told. True: it has ended, the report is whole. Never blocks.
  bool Poll();
  // Polls until it has ended. A child that tells nothing for `timeout_ms` is ended.
  void Wait(int64_t timeout_ms);
  // Ends a child that was silent for so long; true when it did.
  bool KillIfSilent(int64_t timeout_ms);
  const ModuleReport& report() const { return report_; }

 private:
  Trial(ModuleHost& host, const LoadRequest& request, Module* replaces, int fds[2]);
  bool RunInChild(BackgroundChild::Reporter& reporter) override;
  void Read();

  ModuleHost& host_;
  const LoadRequest& request_;  // used in the child, which has its own copy of everything
  Module* replaces_;
  int fd_;
  int child_fd_;
  std::unique_ptr<BackgroundChild> child_;
  std::string text_;
  int64_t told_us_;
  ModuleReport report_;
  bool ended_ = false;
};

}  // namespace backplane
