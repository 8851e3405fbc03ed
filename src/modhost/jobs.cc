// SPDX-License-Identifier: BSD-3-Clause
// ModuleJobs: the steps of a job.
#include "modhost/jobs.h"

#include <sys/epoll.h>

#include <utility>

#include "base/write_access.h"
#include "modhost/host.h"
#include "modhost/mapped_module.h"
#include "modhost/trial.h"

namespace backplane {
namespace {

constexpr char kLoadFailed[] = "Error loading the extension. Please check the server logs.";
// How often a child that is silent is looked at.
constexpr int64_t kLookMs = 20;
constexpr int64_t kLookSoonMs = 2;

}  // namespace

struct ModuleJobs::Job {
  Kind kind;
  UpgradeRequest request;  // of a load only request.load
  Finish finish;
  bool may_wait = false;
  std::unique_ptr<Trial> trial;
  JobOutcome outcome;

  const LoadRequest& load() const { return request.load; }
};

ModuleJobs::ModuleJobs(ModuleHost* host) : host_(host) {}

ModuleJobs::~ModuleJobs() { StopWatching(); }

bool ModuleJobs::Concerns(std::string_view name) const {
  return job_ != nullptr && job_->kind == Kind::kUpgrade && job_->request.name == name;
}

void ModuleJobs::Load(LoadRequest request, bool may_wait, Finish finish) {
  auto job = std::make_unique<Job>();
  job->kind = Kind::kLoad;
  job->request.load = std::move(request);
  job->finish = std::move(finish);
  Start(std::move(job), may_wait);
}

void ModuleJobs::Inspect(LoadRequest request, bool may_wait, Finish finish) {
  auto job = std::make_unique<Job>();
  job->kind = Kind::kInspect;
  job->request.load = std::move(request);
  job->finish = std::move(finish);
  Start(std::move(job), may_wait);
}

void ModuleJobs::Upgrade(UpgradeRequest request, bool may_wait, Finish finish) {
  auto job = std::make_unique<Job>();
  job->kind = Kind::kUpgrade;
  job->request = std::move(request);
  job->finish = std::move(finish);
  Start(std::move(job), may_wait);
}

Status ModuleJobs::LoadNow(const std::string& path, const std::vector<std::string>& args,
                           const ModuleConfigs& configs) {
  Status status;
  LoadRequest request = MakeLoadRequest(path, args);
  request.configs = configs;
  Load(std::move(request), false, [&](const JobOutcome& outcome) { status = outcome.status; });
  return status;
}

Status ModuleJobs::CheckUpgrade(Job& job) {
  auto refuse = [](const std::string& why) {
    return Fail(ErrorCode::kBusy, "Error upgrading module: " + why);
  };
  Module* module = host_->FindModule(job.request.name);
  if (module == nullptr) return refuse("no such module with that name");
  if (std::string why = host_->WhyBusy(*module); !why.empty()) return refuse(why);
  if (job.request.keep_args) job.request.load.args = module->args();
  if (std::string why = host_->swap().WhyNotFreezable(*module); !why.empty()) return refuse(why);
  if (auto file = host_->OpenFile(job.load()); !file) return refuse(file.error().message);
  return {};
}

Status ModuleJobs::Check(Job& job, bool* nothing_to_do) {
  if (job_ != nullptr) {
    return Fail(ErrorCode::kBusy, "another module is being loaded or upgraded, try again later");
  }
  if (std::string why = host_->WhyNotNow(); !why.empty()) {
    return Fail(ErrorCode::kBusy, why + ", try again later");
  }
  if (job.kind == Kind::kUpgrade) return CheckUpgrade(job);
  auto file = host_->OpenFile(job.load());
  if (!file) {
    if (job.kind == Kind::kInspect) return Fail(file.error().code, file.error().message);
    const std::string why =
        "Module " + job.load().path + " failed to load: " + file.error().message;
    host_->logger().Warning(why);
    return Fail(file.error().code, std::string(kLoadFailed) + " " + why);
  }
  if (job.kind == Kind::kInspect) return {};
  if (const Module* loaded = host_->LoadedFrom(*file)) {
    host_->logger().Notice("Module '" + loaded->name() + "' is loaded from " + job.load().path +
                           " already" +
                           (loaded->args() == job.load().args ? "" : ", with other arguments"));
    *nothing_to_do = true;
  }
  return {};
}

void ModuleJobs::Start(std::unique_ptr<Job> job, bool may_wait) {
  bool nothing_to_do = false;
  Status status = Check(*job, &nothing_to_do);
  if (!status || nothing_to_do) {
    job->outcome.status = std::move(status);
    return job->finish(job->outcome);
  }
  job_ = std::move(job);
  job_->may_wait = may_wait;
  Module* replaces = job_->kind == Kind::kUpgrade ? host_->FindModule(job_->request.name) : nullptr;
  const Settings& settings = host_->engine().settings();
  const bool tries =
      settings.module_load_probe || job_->kind == Kind::kInspect || job_->request.dry_run;
  if (!tries || host_->is_child) return Act();
  auto trial = Trial::Start(*host_, job_->load(), replaces);
  if (!trial)
    return Conclude(Fail(trial.error().code, "no child to try it: " + trial.error().message));
  job_->trial = std::move(*trial);
  if (!may_wait) {
    job_->trial->Wait(settings.module_probe_timeout);
    return TrialEnded();
  }
  watching_ = host_->loop().Add(job_->trial->fd(), EPOLLIN, this).has_value();
  timer_ = host_->loop().AddTimer(kLookMs, this);
}

void ModuleJobs::StopWatching() {
  if (watching_) host_->loop().Remove(job_->trial->fd());
  watching_ = false;
  if (timer_ != 0) host_->loop().RemoveTimer(timer_);
  timer_ = 0;
}

void ModuleJobs::OnEvents(uint32_t events) {
  if (job_->trial->Poll()) return TrialEnded();
  // At the end of the pipe it would be readable for ever: the timer waits for the exit status.
  if ((events & EPOLLHUP) != 0) {
    host_->loop().Remove(job_->trial->fd());
    watching_ = false;
  }
}

int64_t ModuleJobs::OnTimer() {
  if (restoring_ != nullptr) {
    const bool forked = host_->HasChild();
    if (!restoring_->done() && !forked) return kLookSoonMs;
    restoring_.reset();
    timer_ = 0;
    Act();
    return -1;
  }
  if (drain_ends_ms_ != 0) {
    if (!Drained()) return kLookSoonMs;
    timer_ = 0;
    ActUpgrade(*job_);
    return -1;
  }
  const auto timeout = host_->engine().settings().module_probe_timeout;
  if (!job_->trial->Poll() && !job_->trial->KillIfSilent(timeout)) return kLookMs;
  timer_ = 0;
  TrialEnded();
  return -1;
}

// What the report means for the job.
Status ModuleJobs::Judge(const Job& job) const {
  const ModuleReport& report = job.outcome.report;
  if (job.kind == Kind::kInspect) return {};
  if (job.kind == Kind::kLoad) {
    if (report.ok()) return {};
    return Fail(ErrorCode::kInvalidArgument, std::string(kLoadFailed) + " " + report.Problem());
  }
  auto refuse = [](const std::string& why) {
    return Fail(ErrorCode::kInvalidArgument, "Error upgrading module: " + why);
  };
  if (report.hung) {
    // A thread that the child does not have may hold what the module waits for: that says nothing
    // about the module.
    if (job.request.force) return {};
    return refuse("the rehearsal is inconclusive: " + report.Problem() +
                  "; FORCE upgrades without one");
  }
  if (!report.loaded || report.signal != 0 || !report.reason.empty()) {
    return refuse(report.Problem());
  }
  const Module* old = host_->FindModule(job.request.name);
  if (old == nullptr) return refuse("the module was unloaded meanwhile");
  if (std::string why = host_->WhyNoSuccessor(*old, report); !why.empty()) return refuse(why);
  if (!report.ok()) return refuse(report.Problem());
  return {};
}

void ModuleJobs::TrialEnded() {
  StopWatching();
  job_->outcome.tried = true;
  job_->outcome.report = job_->trial->report();
  Status status = Judge(*job_);
  if (!status) {
    const std::string problem = job_->outcome.report.Problem();
    host_->logger().Warning("Module " + job_->load().path + " was tried in a child process: " +
                            (problem.empty() ? status.error().message : problem) +
                            ". Nothing was changed");
    return Conclude(std::move(status));
  }
  if (job_->kind == Kind::kInspect || job_->request.dry_run) return Conclude({});
  // (With PRECOPY most writes come before the pause, a few at a time.)
  if (job_->kind == Kind::kUpgrade && job_->may_wait && !job_->request.precopy &&
      RestoreWriteAccess()) {
    return;
  }
  Act();
}

bool ModuleJobs::RestoreWriteAccess() {
  if (host_->HasChild()) return false;
  restoring_ = std::make_unique<WriteAccess>();
  timer_ = host_->loop().AddTimer(kLookSoonMs, this);
  return true;
}

void ModuleJobs::Act() {
  if (job_->kind == Kind::kLoad) return ActLoad(*job_);
  if (job_->kind == Kind::kInspect) return Conclude({});
  if (job_->request.precopy && job_->may_wait) return Prepare(*job_);
  ActUpgrade(*job_);
}

void ModuleJobs::ActLoad(Job& job) {
  auto file = host_->OpenFile(job.load());
  if (!file) return Conclude(Fail(file.error().code, file.error().message));
  const bool lazy = host_->engine().settings().module_revival != 0;
  auto module =
      host_->LoadFile(std::move(*file), job.load(), lazy ? Revival::kLazy : Revival::kEager);
  if (module) return Conclude({});
  Conclude(Fail(module.error().code, std::string(kLoadFailed) + " " + module.error().message));
}

void ModuleJobs::Prepare(Job& job) {
  Module* module = host_->FindModule(job.request.name);
  if (module == nullptr) return ActUpgrade(job);
  // Values that are independent of each other are made dormant in advance, so that the pause has
  // only the last of them to do; else they are only copied, since the module still answers for all.
  const bool lazy = job.request.lazy || host_->engine().settings().module_revival != 0;
  module->set_freezing(lazy);
  module->set_precopied(!lazy);
  host_->sweeps().Start(*module, lazy ? Sweeps::Kind::kFreeze : Sweeps::Kind::kCopy,
                        [this] { ActUpgrade(*job_); });
}

bool ModuleJobs::DrainFirst(const Job& job) {
  Module* module = host_->FindModule(job.request.name);
  const int64_t limit_ms = host_->engine().settings().module_drain_timeout;
  if (module == nullptr || !job.may_wait || module->draining() || limit_ms == 0) return false;
  if (OldestWork(*module) == 0) return false;
  module->set_draining(true);
  drain_ends_ms_ = host_->loop().now_ms() + limit_ms;
  timer_ = host_->loop().AddTimer(kLookSoonMs, this);
  return true;
}

bool ModuleJobs::Drained() {
  Module* module = host_->FindModule(job_->request.name);
  return module == nullptr || OldestWork(*module) == 0 || host_->loop().now_ms() >= drain_ends_ms_;
}

void ModuleJobs::ActUpgrade(Job& job) {
  if (DrainFirst(job)) return;
  auto refuse = [](const std::string& why) {
    return Fail(ErrorCode::kBusy, "Error upgrading module: " + why);
  };
  Module* module = host_->FindModule(job.request.name);
  if (module == nullptr) return Conclude(refuse("the module was unloaded meanwhile"));
  Status status;
  auto file = host_->OpenFile(job.load());
  if (std::string why = host_->WhyBusy(*module); !why.empty()) {
    status = refuse(why);
  } else if (!file) {
    status = refuse(file.error().message);
  } else {
    status = host_->Replace(*module, std::move(*file), job.request, &job.outcome.upgrade);
    if (!status) status = refuse(status.error().message);
    return Conclude(std::move(status));
  }
  if (module->freezing()) {
    module->set_freezing(false);
    host_->sweeps().Start(*module, Sweeps::Kind::kRevive);
  }
  if (module->precopied()) host_->sweeps().Start(*module, Sweeps::Kind::kForgetCopies);
  Conclude(std::move(status));
}

void ModuleJobs::Conclude(Status status) {
  std::unique_ptr<Job> job = std::move(job_);
  job->outcome.status = std::move(status);
  const bool drained = std::exchange(drain_ends_ms_, 0) != 0;
  // The old one, if it stays.
  if (Module* module = host_->FindModule(job->request.name)) {
    module->set_precopied(false);
    module->set_draining(false);
  }
  job->finish(job->outcome);
  if (drained) host_->held_commands().RunAll();
}

}  // namespace backplane
