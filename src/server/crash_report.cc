// SPDX-License-Identifier: BSD-3-Clause
// The crash report. The handler does what no handler may (it allocates, and takes the log's lock):
// the process is lost anyway, so it tries, with a time limit. A second signal ends the process at
// once.
#include "server/crash_report.h"

#include <execinfo.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "base/quoting.h"
#include "base/symbols.h"
#include "base/version.h"
#include "command/registry.h"
#include "engine/engine.h"
#include "modhost/host.h"
#include "modhost/module_code.h"
#include "modhost/module_report.h"

namespace backplane {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr unsigned kReportSeconds = 10;
constexpr int kFramesMax = 64;
constexpr size_t kShownBytes = 128;

// A signal handler can reach nothing else.
constinit CrashSources sources = {};

std::string Hex(const void* address) {
  char text[32];
  std::snprintf(text, sizeof(text), "%p", address);
  return text;
}

// Frames from the place of the crash on; the first is that place itself.
std::vector<const void*> Frames(const void* pc) {
  void* frames[kFramesMax];
  const int count = backtrace(frames, kFramesMax);
  std::vector<const void*> result = {pc};
  int first = 0;
  // What stands before it is the handler.
  for (int i = 0; i < count; ++i) {
    if (frames[i] == pc) first = i + 1;
  }
  // A return address stands behind the call that it belongs to.
  for (int i = first; i < count; ++i) result.push_back(static_cast<const char*>(frames[i]) - 1);
  return result;
}

const Module* OwnerOf(const void* address) {
  for (const auto& module : sources.modules->modules()) {
    if (module->Contains(address)) return module.get();
  }
  for (const auto& module : sources.modules->quarantined()) {
    if (module->Contains(address)) return module.get();
  }
  return nullptr;
}

std::string PlaceText(const void* address) {
  const Module* owner = OwnerOf(address);
  return CodePlaceText(owner != nullptr ? owner->PlaceOf(address) : FindCode(address));
}

void Line(const std::string& text) { sources.engine->logger().LogRaw(LogLevel::kWarning, text); }

void ReportModule(const std::vector<const void*>& frames) {
  const ModuleCode* mark = ModuleCode::Innermost();
  const Module* module = nullptr;
  const void* place = nullptr;
  for (const void* frame : frames) {
    module = OwnerOf(frame);
    place = frame;
    if (module != nullptr) break;
  }
  if (module == nullptr && mark != nullptr) {
    module = &mark->module();
    place = nullptr;
  }
  Line("\n------ MODULE ------");
  if (module == nullptr) return Line("No module's code was running");
  std::string text = "Module '" + module->name() + "' version " +
                     std::to_string(module->version()) + " (" + module->path() + ")";
  if (place != nullptr) text += ", in " + PlaceText(place);
  if (mark != nullptr) text += ", called as " + std::string(mark->what());
  if (mark == nullptr) text += ", on a thread of its own";
  Line(text);
}

void ReportCommand() {
  const CommandContext* context = sources.engine->current();
  if (context == nullptr || !sources.modules->lock().OnEngineThread()) return;
  Line("\n------ CURRENT COMMAND ------");
  const Command& command = context->command();
  Line("command: " + command.fullname +
       (command.module_name.empty() ? "" : " of module " + command.module_name));
  const auto args = context->args();
  // Keys that only the module could find are not asked for.
  if (!command.Is(kCmdModuleGetKeys)) {
    if (const auto keys = FindKeys(command, args); keys && !keys->empty()) {
      const auto first = static_cast<size_t>(keys->front());
      Line("key: " + QuoteArg(args[first].substr(0, kShownBytes)));
    }
  }
  Line("arguments: " + std::to_string(args.size() - 1));
}

void ReportModules() {
  Line("\n------ MODULES ------");
  std::string text = sources.modules->ModulesInfo();
  std::erase(text, '\r');
  Line(text.empty() ? "none" : text);
}

void Report(int signal, const siginfo_t& info, const void* context) {
  const void* pc = CrashAddress(context);
  Line("\n\n=== BACKPLANE BUG REPORT START: Cut & paste starting from here ===");
  Line("Backplane " + std::string(kBackplaneVersion) +
       " crashed by signal: " + std::to_string(signal) + " (" + SignalName(signal) +
       "), si_code: " + std::to_string(info.si_code));
  if (signal == SIGSEGV || signal == SIGBUS) Line("Accessing address: " + Hex(info.si_addr));
  Line("Crashed running the instruction at: " + Hex(pc));
  const std::vector<const void*> frames = Frames(pc);
  ReportModule(frames);
  Line("\n------ STACK TRACE ------");
  for (const void* frame : frames) Line(Hex(frame) + " " + PlaceText(frame));
  ReportCommand();
  ReportModules();
  Line("\n=== BACKPLANE BUG REPORT END ===");
}

void OnFatalSignal(int signal, siginfo_t* info, void* context) {
  for (const int each : kSignals) std::signal(each, SIG_DFL);
  std::signal(SIGALRM, SIG_DFL);
  alarm(kReportSeconds);
  if (sources.engine != nullptr && sources.engine->settings().crash_log_enabled) {
    Report(signal, *info, context);
  }
  // It comes again when the handler returns, or now if nobody's code has caused it.
  if (info->si_code <= 0) raise(signal);
}

}  // namespace

void InstallCrashReport(const CrashSources& with) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static_cast<void>(with);
  static_cast<void>(OnFatalSignal);
#else
  sources = with;
  // The first call of backtrace loads a library, which must not happen in the handler.
  void* frame[1];
  backtrace(frame, 1);
  constexpr size_t kStackBytes = size_t{1} << 17;
  stack_t stack{};
  // Used until the process ends.
  stack.ss_sp = new char[kStackBytes];
  stack.ss_size = kStackBytes;
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_sigaction = OnFatalSignal;
  action.sa_flags = SA_ONSTACK | SA_SIGINFO | SA_NODEFER;
  for (const int signal : kSignals) sigaction(signal, &action, nullptr);
#endif
}

void RemoveCrashReport() {
  for (const int signal : kSignals) std::signal(signal, SIG_DFL);
  sources = {};
}

}  // namespace backplane
