// SPDX-License-Identifier: BSD-3-Clause
// Trial: the child's life, and the parent's ear. What the child tries is in ModuleHost::TryLoad.
#include "modhost/trial.h"

#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "base/symbols.h"
#include "modhost/host.h"
#include "modhost/module_code.h"

namespace backplane {
namespace {

// The crash handler of the child can reach nothing else. Never set in the server.
constinit TrialReporter* crash_reporter = nullptr;

constexpr int kCrashSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
// The place of a crash is looked up with the help of libraries that the crash may have left locked:
// so long it may take.
constexpr unsigned kLookUpSeconds = 3;

// The innermost frame that is the module's own: a crash inside a library is the caller's matter.
std::string CrashPlace(const void* context) {
  constexpr int kFramesMax = 64;
  void* frames[kFramesMax];
  const int count = backtrace(frames, kFramesMax);
  const ModuleCode* mark = ModuleCode::Innermost();
  const void* at = CrashAddress(context);
  if (mark != nullptr && mark->module().Contains(at)) {
    return CodePlaceText(mark->module().PlaceOf(at));
  }
  for (int i = 0; i < count; ++i) {
    if (mark == nullptr || !mark->module().Contains(frames[i])) continue;
    // A return address stands behind the call.
    return CodePlaceText(mark->module().PlaceOf(static_cast<const char*>(frames[i]) - 1));
  }
  return {};
}

void OnCrash(int signal, siginfo_t*, void* context) {
  // The next one ends the process.
  for (int each : kCrashSignals) std::signal(each, SIG_DFL);
  alarm(kLookUpSeconds);
  crash_reporter->Tell({"signal", std::to_string(signal)});
  if (const std::string place = CrashPlace(context); !place.empty())
    crash_reporter->Tell({"place", place});
  _exit(1);
}

void CatchCrashes(TrialReporter* reporter) {
  crash_reporter = reporter;
  constexpr size_t kStackBytes = size_t{1} << 17;
  stack_t stack{};
  // Kept until the process ends.
  stack.ss_sp = new char[kStackBytes];
  stack.ss_size = kStackBytes;
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_sigaction = OnCrash;
  action.sa_flags = SA_ONSTACK | SA_SIGINFO | SA_NODEFER;
  for (int signal : kCrashSignals) sigaction(signal, &action, nullptr);
}

}  // namespace

void TrialReporter::Tell(const std::vector<std::string>& words) {
  const std::string line = ReportLine(words);
  // A parent that is gone wants to know nothing.
  const ssize_t wrote = write(fd_, line.data(), line.size());
  static_cast<void>(wrote);
}

Result<std::unique_ptr<Trial>> Trial::Start(ModuleHost& host, const LoadRequest& request,
                                            Module* replaces) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    return Fail(ErrorCode::kIo, std::string("pipe: ") + std::strerror(errno));
  }
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  auto trial = std::unique_ptr<Trial>(new Trial(host, request, replaces, fds));
  int64_t fork_us = 0;
  auto child = BackgroundChild::Start(host.logger(), *trial, &fork_us);
  close(fds[1]);
  if (!child) return std::unexpected(std::move(child).error());
  trial->child_ = std::move(*child);
  return trial;
}

Trial::Trial(ModuleHost& host, const LoadRequest& request, Module* replaces, int fds[2])
    : host_(host),
      request_(request),
      replaces_(replaces),
      fd_(fds[0]),
      child_fd_(fds[1]),
      told_us_(MonotonicMicros()) {
  report_.path = request.path;
}

Trial::~Trial() { close(fd_); }

bool Trial::RunInChild(BackgroundChild::Reporter&) {
  close(fd_);
  TrialReporter reporter(child_fd_);
  CatchCrashes(&reporter);
  // A module that calls exit(): what the server has for its own end must not run here.
  std::atexit([] { _exit(1); });
  host_.TryLoad(request_, replaces_, reporter);
  return true;
}

void Trial::Read() {
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(fd_, buffer, sizeof(buffer));
    if (got <= 0) break;
    text_.append(buffer, static_cast<size_t>(got));
    told_us_ = MonotonicMicros();
  }
  size_t begin = 0;
  for (size_t end; (end = text_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    report_.TakeLine(std::string_view(text_).substr(begin, end - begin));
  }
  text_.erase(0, begin);
}

bool Trial::Poll() {
  if (ended_) return true;
  const auto exit = child_->Poll();
  Read();
  if (!exit) return false;
  ended_ = true;
  // A crash that the handler could not report.
  if (report_.signal == 0 && exit->signal != 0 && !report_.hung) report_.signal = exit->signal;
  return true;
}

bool Trial::KillIfSilent(int64_t timeout_ms) {
  if (ended_ || MonotonicMicros() - told_us_ < timeout_ms * 1000) return false;
  report_.hung = true;
  child_->Kill();
  Read();
  ended_ = true;
  return true;
}

void Trial::Wait(int64_t timeout_ms) {
  constexpr int kPollMs = 5;
  while (!Poll() && !KillIfSilent(timeout_ms)) {
    pollfd wanted{fd_, POLLIN, 0};
    poll(&wanted, 1, kPollMs);
    // At the end of the pipe poll returns at once; the exit status may still be on its way.
    if ((wanted.revents & POLLHUP) != 0 && (wanted.revents & POLLIN) == 0) usleep(1000);
  }
}

}  // namespace backplane
