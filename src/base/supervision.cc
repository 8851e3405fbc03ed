// SPDX-License-Identifier: BSD-3-Clause
#include "base/supervision.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace backplane {
namespace {

constexpr char kSystemdSocket[] = "NOTIFY_SOCKET";
constexpr char kUpstartJob[] = "UPSTART_JOB";

}  // namespace

Supervisor DetectSupervisor() {
  if (getenv(kUpstartJob) != nullptr) return Supervisor::kUpstart;
  if (getenv(kSystemdSocket) != nullptr) return Supervisor::kSystemd;
  return Supervisor::kNone;
}

std::string_view SupervisorName(Supervisor supervisor) {
  switch (supervisor) {
    case Supervisor::kSystemd:
      return "systemd";
    case Supervisor::kUpstart:
      return "upstart";
    case Supervisor::kNone:
      break;
  }
  return "no";
}

Status NotifySystemd(std::string_view state) {
  const char* path = getenv(kSystemdSocket);
  if (path == nullptr) return Fail(ErrorCode::kNotFound, "NOTIFY_SOCKET is not set");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t size = std::strlen(path);
  if (size == 0 || size >= sizeof(address.sun_path)) {
    return Fail(ErrorCode::kIo, "NOTIFY_SOCKET is no path of a socket");
  }
  std::memcpy(address.sun_path, path, size);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(ErrorCode::kIo, std::strerror(errno));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  const ssize_t sent = sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address), length);
  const int error = errno;
  close(fd);
  if (sent < 0) return Fail(ErrorCode::kIo, std::strerror(error));
  return {};
}

Status NotifyUpstart() {
  if (getenv(kUpstartJob) == nullptr) return Fail(ErrorCode::kNotFound, "UPSTART_JOB is not set");
  std::raise(SIGSTOP);
  unsetenv(kUpstartJob);
  return {};
}

}  // namespace backplane
