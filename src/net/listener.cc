// SPDX-License-Identifier: BSD-3-Clause
// Listening sockets.
#include "net/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace backplane {
namespace {

constexpr int kAcceptsPerEvent = 1000;

std::unexpected<Error> SystemFailure(int fd, const std::string& what) {
  std::string text = what + ": " + std::strerror(errno);
  if (fd >= 0) close(fd);
  return Fail(ErrorCode::kIo, text);
}

}  // namespace

Listener::Listener(EventLoop* loop, int fd, std::string address, int port, SocketKind kind,
                   AcceptHandler* handler)
    : loop_(loop),
      fd_(fd),
      address_(std::move(address)),
      port_(port),
      kind_(kind),
      handler_(handler) {}

Listener::~Listener() {
  loop_->Remove(fd_);
  close(fd_);
  if (kind_ == SocketKind::kUnix) unlink(address_.c_str());
}

Result<std::unique_ptr<Listener>> Listener::Tcp(EventLoop* loop, const std::string& address,
                                                int port, int backlog, AcceptHandler* handler,
                                                SocketKind kind) {
  sockaddr_storage storage{};
  socklen_t size;
  bool v6 = address.find(':') != std::string::npos;
  if (v6) {
    auto& in = reinterpret_cast<sockaddr_in6&>(storage);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(static_cast<uint16_t>(port));
    size = sizeof(in);
    if (address != "::*" && inet_pton(AF_INET6, address.c_str(), &in.sin6_addr) != 1) {
      return Fail(ErrorCode::kInvalidArgument, address + ": not an IPv6 address");
    }
  } else {
    auto& in = reinterpret_cast<sockaddr_in&>(storage);
    in.sin_family = AF_INET;
    in.sin_port = htons(static_cast<uint16_t>(port));
    size = sizeof(in);
    std::string numeric = address == "*"           ? "0.0.0.0"
                          : address == "localhost" ? "127.0.0.1"
                                                   : address;
    if (inet_pton(AF_INET, numeric.c_str(), &in.sin_addr) != 1) {
      return Fail(ErrorCode::kInvalidArgument, address + ": not an IPv4 address");
    }
  }
  int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemFailure(fd, "socket");
  int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (v6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
  if (bind(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0) return SystemFailure(fd, "bind");
  if (listen(fd, backlog) != 0) return SystemFailure(fd, "listen");
  if (port == 0) {
    getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
    port = ntohs(v6 ? reinterpret_cast<sockaddr_in6&>(storage).sin6_port
                    : reinterpret_cast<sockaddr_in&>(storage).sin_port);
  }
  std::unique_ptr<Listener> listener(new Listener(loop, fd, address, port, kind, handler));
  BP_RETURN_IF_ERROR(loop->Add(fd, EPOLLIN, listener.get()));
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::Unix(EventLoop* loop, const std::string& path,
                                                 unsigned mode, int backlog,
                                                 AcceptHandler* handler) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Fail(ErrorCode::kInvalidArgument, path + ": socket path too long");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemFailure(fd, "socket");
  unlink(path.c_str());
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    return SystemFailure(fd, path);
  if (mode != 0) chmod(path.c_str(), mode);
  if (listen(fd, backlog) != 0) return SystemFailure(fd, path);
  std::unique_ptr<Listener> listener(new Listener(loop, fd, path, 0, SocketKind::kUnix, handler));
  BP_RETURN_IF_ERROR(loop->Add(fd, EPOLLIN, listener.get()));
  return listener;
}

// Not taken out of the epoll set: the child shares that with the parent.
void Listener::CloseInForkedChild() { close(fd_); }

void Listener::OnEvents(uint32_t events) {
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (kind_ != SocketKind::kUnix) {
      int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    handler_->OnAccept(fd, kind_);
  }
}

}  // namespace backplane
