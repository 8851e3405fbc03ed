// SPDX-License-Identifier: BSD-3-Clause
// The backplane-server program: arguments, signals, one Server.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/process_title.h"
#include "base/version.h"
#include "server/server.h"

namespace {

// The signal handler can reach nothing else.
backplane::Server* running_server = nullptr;

void OnStopSignal(int signal) {
  if (running_server != nullptr) running_server->RequestShutdown(signal);
}

void InstallSignals() {
  struct sigaction action {};
  action.sa_handler = OnStopSignal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  // A limit on the size of files is an error of the write, not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
}

// Exit status: 0 for a module that loads, 1 for one that does not, 2 when it could not be tried.
int InspectModule(backplane::Server& server, const std::vector<std::string>& words) {
  bool ok = false;
  const auto report = server.InspectModule(words, &ok);
  if (!report) {
    std::fprintf(stderr, "%s: %s\n", words[0].c_str(), report.error().message.c_str());
    return 2;
  }
  std::fputs(report->c_str(), stdout);
  return ok ? 0 : 1;
}

constexpr char kUsage[] =
    "Usage: backplane-server [/path/to/backplane.conf | -] [--option value ...]\n"
    "       backplane-server -v | --version\n"
    "       backplane-server --inspect-module /path/to/module.so [argument ...]\n"
    "       backplane-server -h | --help\n\n"
    "The configuration file has the syntax of redis.conf; every line of it may be given as an "
    "option:\n"
    "  backplane-server --port 7777 --loadmodule ./hello.so\n"
    "  backplane-server /etc/backplane.conf --loglevel verbose\n";

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() == 1 && (args[0] == "-h" || args[0] == "--help")) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (args.size() == 1 && (args[0] == "-v" || args[0] == "--version")) {
    std::printf("Backplane server v=%s redis=%s bits=64\n", backplane::kBackplaneVersion.data(),
                backplane::kCompatVersion.data());
    return 0;
  }
  backplane::SeedHash();
  backplane::Server server;
  if (args.size() >= 2 && args[0] == "--inspect-module") {
    return InspectModule(server, {args.begin() + 1, args.end()});
  }
  backplane::ProcessTitle title(argc, argv);
  server.set_process_title(&title);
  running_server = &server;
  InstallSignals();
  if (auto status = server.Start(args); !status) {
    if (!server.start_failure_logged()) {
      std::fprintf(stderr, "\n*** FATAL CONFIG FILE ERROR (Backplane %s) ***\n%s\n",
                   backplane::kBackplaneVersion.data(), status.error().message.c_str());
    }
    running_server = nullptr;
    return 1;
  }
  int code = server.Run();
  running_server = nullptr;
  if (!server.Close()) {
    std::fflush(nullptr);
    _exit(code);
  }
  return code;
}
