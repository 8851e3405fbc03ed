// SPDX-License-Identifier: BSD-3-Clause
// API area: a child process with a snapshot of the data.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "modhost/api/areas.h"
#include "modhost/api/slot_calls.h"
#include "modhost/api_table.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"

namespace backplane {
namespace {

// The server does not show a module child's progress yet.
void SendChildHeartbeat(double progress) {}

// KillForkChild, or an operator, ends the child: that is said, as tools know it, and the signal
// does its work.
void OnCalledOff(int number) {
  CurrentHost()->logger().LogFromSignal(LogLevel::kVerbose,
                                        "Received SIGUSR1 in child, exiting now.");
  raise(number);
}

void EndOnSigusr1() {
  struct sigaction action {};
  action.sa_handler = OnCalledOff;
  action.sa_flags = SA_RESETHAND | SA_NODEFER;
  sigaction(SIGUSR1, &action, nullptr);
}

int ExitFromChild(int retcode) { _exit(retcode); }

int KillForkChild(int child_pid) {
  ModuleHost& host = *CurrentHost();
  if (child_pid <= 0 || host.child().pid != child_pid) return REDISMODULE_ERR;
  if (kill(child_pid, SIGUSR1) == 0) waitpid(child_pid, nullptr, 0);
  host.ChildDied();
  return REDISMODULE_OK;
}

}  // namespace

int slot_calls::Fork(Module* module, RedisModuleForkDoneHandler done, void* data) {
  ModuleHost& host = module->host();
  Persistence* persistence = host.persistence();
  if (host.child().pid != 0 || host.is_child ||
      (persistence != nullptr && !persistence->ClaimFork())) {
    host.logger().Warning("Can't fork for module: File exists");
    errno = EEXIST;
    return -1;
  }
  // A signal to a child that has just begun waits until it can be handled.
  sigset_t called_off, mask;
  sigemptyset(&called_off);
  sigaddset(&called_off, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &called_off, &mask);
  pid_t pid;
  {
    Logger::ForkLock lock(host.logger());
    pid = fork();
  }
  const int fork_error = errno;
  if (pid == 0) EndOnSigusr1();
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  if (pid < 0) {
    if (persistence != nullptr) persistence->ReleaseFork();
    errno = fork_error;
    return -1;
  }
  if (pid == 0) {
    host.is_child = true;
    host.logger().set_role(LogRole::kChild);
    if (persistence != nullptr) persistence->EnterForkedChild("module-fork");
    return 0;
  }
  host.logger().Verbose("Module fork started pid: " + std::to_string(pid));
  host.ChildBorn({pid, module, done, data});
  return pid;
}

void RegisterForkApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(SendChildHeartbeat),
      BACKPLANE_API_ROW(ExitFromChild),
      BACKPLANE_API_ROW(KillForkChild),
  };
  table.Add(rows);
}

}  // namespace backplane
