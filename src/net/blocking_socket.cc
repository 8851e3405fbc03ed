// SPDX-License-Identifier: BSD-3-Clause
#include "net/blocking_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include "base/clock.h"

namespace backplane {
namespace {

constexpr int64_t kMicrosPerMilli = 1000;

std::unexpected<Error> SystemFailure(const char* what, int error) {
  return Fail(ErrorCode::kIo, std::string(what) + ": " + std::strerror(error));
}

std::unexpected<Error> TimedOut() { return Fail(ErrorCode::kBusy, "timeout"); }

// Waits for the event until that moment of the monotonic clock; false when it did not come. Errors
// of the socket count as the event: the next call tells.
bool WaitFor(int fd, short event, int64_t deadline_us) {
  for (;;) {
    const int64_t left = deadline_us - MonotonicMicros();
    if (left <= 0) return false;
    const int64_t ms = std::min<int64_t>((left + kMicrosPerMilli - 1) / kMicrosPerMilli, INT_MAX);
    pollfd entry{fd, event, 0};
    const int ready = poll(&entry, 1, static_cast<int>(ms));
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
  }
}

int64_t DeadlineIn(int64_t ms) {
  const int64_t now = MonotonicMicros();
  return ms > (INT64_MAX - now) / kMicrosPerMilli ? INT64_MAX : now + ms * kMicrosPerMilli;
}

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<Addresses> LookUp(const std::string& host, const char* port, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  if (port != nullptr) hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port, &hints, &found); error != 0) {
    return Fail(ErrorCode::kNotFound, host + ": " + gai_strerror(error));
  }
  return Addresses(found, &freeaddrinfo);
}

Status BindTo(int fd, const std::string& source, int family) {
  BP_ASSIGN_OR_RETURN(const Addresses addresses, LookUp(source, nullptr, family));
  for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0) return {};
  }
  return Fail(ErrorCode::kIo, source + ": " + std::strerror(errno));
}

Status OpenTo(int fd, const addrinfo& address, int64_t deadline_us) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return {};
  if (errno != EINPROGRESS) return SystemFailure("connect", errno);
  if (!WaitFor(fd, POLLOUT, deadline_us)) return TimedOut();
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return SystemFailure("connect", error);
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  return {};
}

}  // namespace

Result<BlockingSocket> BlockingSocket::Connect(const std::string& host, const std::string& port,
                                               const std::string& source, int64_t timeout_ms) {
  const int64_t deadline = DeadlineIn(timeout_ms);
  BP_ASSIGN_OR_RETURN(const Addresses addresses, LookUp(host, port.c_str(), AF_UNSPEC));
  Error last{ErrorCode::kNotFound, host + ": no address"};
  for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
    const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      last = SystemFailure("socket", errno).error();
      continue;
    }
    BlockingSocket opened(fd);
    if (!source.empty()) {
      if (auto bound = BindTo(fd, source, a->ai_family); !bound) {
        last = Error{ErrorCode::kInvalidArgument, bound.error().message};
        continue;
      }
    }
    auto status = OpenTo(fd, *a, deadline);
    if (status) return opened;
    last = status.error();
  }
  return std::unexpected(last);
}

BlockingSocket::~BlockingSocket() {
  if (fd_ < 0) return;
  shutdown(fd_, SHUT_RDWR);
  close(fd_);
}

Status BlockingSocket::Write(std::string_view bytes, int64_t timeout_ms) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!WaitFor(fd_, POLLOUT, DeadlineIn(timeout_ms))) return TimedOut();
    } else if (errno != EINTR) {
      return SystemFailure("send", errno);
    }
  }
  return {};
}

Result<std::string> BlockingSocket::ReadLine(int64_t timeout_ms) {
  const int64_t deadline = DeadlineIn(timeout_ms);
  size_t searched = 0;
  for (;;) {
    const size_t end = input_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    searched = input_.size();
    if (searched >= kLineMax) return Fail(ErrorCode::kCorrupt, "line too long");
    char chunk[4096];
    const ssize_t got = recv(fd_, chunk, sizeof(chunk), 0);
    if (got > 0) {
      input_.append(chunk, static_cast<size_t>(got));
    } else if (got == 0) {
      return Fail(ErrorCode::kIo, "closed by the peer");
    } else if (errno == EAGAIN) {
      if (!WaitFor(fd_, POLLIN, deadline)) return TimedOut();
    } else if (errno != EINTR) {
      return SystemFailure("recv", errno);
    }
  }
}

}  // namespace backplane
