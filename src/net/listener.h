// SPDX-License-Identifier: BSD-3-Clause
// Listener: one listening socket, TCP or Unix. Engine thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "net/event_loop.h"

namespace backplane {

enum class SocketKind : uint8_t { kTcp, kTls, kUnix };

class AcceptHandler {
 public:
  virtual ~AcceptHandler() = default;
  // A new non-blocking, close-on-exec socket; the handler owns it. TCP sockets have TCP_NODELAY.
  // kTls: a TCP socket of a port whose clients speak TLS.
  virtual void OnAccept(int fd, SocketKind kind) = 0;
};

class Listener final : public FdHandler {
 public:
  // `address`: numeric IPv4 or IPv6, "*" or "::*" for all. Errors: kIo with the system's reason.
  static Result<std::unique_ptr<Listener>> Tcp(EventLoop* loop, const std::string& address,
                                               int port, int backlog, AcceptHandler* handler,
                                               SocketKind kind = SocketKind::kTcp);
  // Replaces a stale socket file; mode 0 leaves the umask's. The file is removed with the listener.
  static Result<std::unique_ptr<Listener>> Unix(EventLoop* loop, const std::string& path,
                                                unsigned mode, int backlog, AcceptHandler* handler);
  ~Listener() override;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // The port really bound (for port 0 requests of tests); 0 for Unix sockets.
  int port() const { return port_; }
  const std::string& address() const { return address_; }
  SocketKind kind() const { return kind_; }

  // In a forked child, which must not keep the port: the parent's listener is not touched.
  void CloseInForkedChild();

  void OnEvents(uint32_t events) override;

 private:
  Listener(EventLoop* loop, int fd, std::string address, int port, SocketKind kind,
           AcceptHandler* handler);
  EventLoop* loop_;
  int fd_;
  std::string address_;
  int port_;
  SocketKind kind_;
  AcceptHandler* handler_;
};

}  // namespace backplane
