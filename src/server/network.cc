// SPDX-License-Identifier: BSD-3-Clause
// Server: what it listens on, and the change of that at run time.
#include <algorithm>
#include <tuple>

#include "server/server.h"

namespace backplane {
namespace {

std::string_view NameOf(SocketKind kind) {
  switch (kind) {
    case SocketKind::kTls:
      return "tls";
    case SocketKind::kUnix:
      return "unix";
    case SocketKind::kTcp:
      break;
  }
  return "tcp";
}

}  // namespace

Status Server::OpenTcpListener(const std::string& address, int port, SocketKind kind) {
  auto listener = Listener::Tcp(&loop_, address, port, static_cast<int>(settings_.tcp_backlog),
                                clients_.get(), kind);
  if (!listener) {
    return Fail(listener.error().code, "Failed listening on port " + std::to_string(port) + " (" +
                                           std::string(NameOf(kind)) + "), address " + address +
                                           ": " + listener.error().message);
  }
  listeners_.push_back(std::move(*listener));
  return {};
}

Status Server::OpenTcpListeners(SocketKind kind) {
  const int64_t port = kind == SocketKind::kTls ? settings_.tls_port : settings_.port;
  if (port == 0) return {};
  for (const std::string& text : settings_.bind) {
    const bool optional = text.starts_with("-");
    auto status = OpenTcpListener(optional ? text.substr(1) : text, static_cast<int>(port), kind);
    if (!status && !optional) return status;
  }
  return {};
}

Status Server::OpenListeners() {
  BP_RETURN_IF_ERROR(OpenTcpListeners(SocketKind::kTcp));
  BP_RETURN_IF_ERROR(OpenTcpListeners(SocketKind::kTls));
  if (!settings_.unixsocket.empty()) {
    BP_ASSIGN_OR_RETURN(auto listener,
                        Listener::Unix(&loop_, settings_.unixsocket,
                                       static_cast<unsigned>(settings_.unixsocketperm),
                                       static_cast<int>(settings_.tcp_backlog), clients_.get()));
    listeners_.push_back(std::move(listener));
  }
  if (listeners_.empty())
    return Fail(ErrorCode::kInvalidArgument, "Configured to not listen anywhere, exiting.");
  return {};
}

Status Server::ReopenTcpListeners(const std::vector<std::string>& changed) {
  // The old ones go first: an address may not be bound while another socket has the port on all of
  // them.
  std::vector<std::tuple<std::string, int, SocketKind>> old;
  for (const auto& listener : listeners_) {
    if (listener->kind() != SocketKind::kUnix)
      old.emplace_back(listener->address(), listener->port(), listener->kind());
  }
  auto close_tcp = [&] {
    std::erase_if(listeners_,
                  [](const auto& listener) { return listener->kind() != SocketKind::kUnix; });
  };
  const auto is_changed = [&](std::string_view name) {
    return std::find(changed.begin(), changed.end(), name) != changed.end();
  };
  close_tcp();
  auto status = OpenTcpListeners(SocketKind::kTcp);
  failed_option_ = "port";
  if (status) {
    status = OpenTcpListeners(SocketKind::kTls);
    failed_option_ = "tls-port";
  }
  if (status) return {};
  logger_.Warning(status.error().message);
  close_tcp();
  for (const auto& [address, port, kind] : old) {
    if (auto again = OpenTcpListener(address, port, kind); !again)
      logger_.Warning(again.error().message);
  }
  if (is_changed("bind")) {
    failed_option_ = "bind";
    return Fail(ErrorCode::kIo, "Failed to bind to specified addresses.");
  }
  // Two ports that are the same: the one that was asked for is the one that is wrong.
  if (!is_changed(failed_option_)) failed_option_ = failed_option_ == "port" ? "tls-port" : "port";
  return Fail(ErrorCode::kIo, "Unable to listen on this port. Check server logs.");
}

Status Server::PrepareTls() {
  return settings_.tls_port == 0 ? Status() : tls_.Prepare(settings_.tls);
}

Status Server::ApplyNetworkOptions(const std::vector<std::string>& changed) {
  bool listen_again = false;
  // The option that a context which cannot be made is blamed on: a port only if it turns TLS on.
  std::string blamed;
  const bool was_on = std::any_of(listeners_.begin(), listeners_.end(), [](const auto& listener) {
    return listener->kind() == SocketKind::kTls;
  });
  for (const std::string& name : changed) {
    const bool is_port = name == "tls-port";
    listen_again |= name == "port" || is_port || name == "bind";
    if (TlsService::IsContextOption(name) || (is_port && !was_on)) {
      if (blamed.empty()) blamed = name;
    }
  }
  if (!blamed.empty()) {
    if (auto status = PrepareTls(); !status) {
      logger_.Warning(status.error().message);
      failed_option_ = blamed;
      return Fail(ErrorCode::kInvalidArgument,
                  "Unable to update TLS configuration. Check server logs.");
    }
  }
  if (listen_again) {
    if (auto status = ReopenTcpListeners(changed); !status) {
      tls_.Discard();
      return status;
    }
  }
  tls_.Commit();
  return {};
}

ServerFacts Server::Facts() {
  const int64_t port = settings_.port != 0 ? settings_.port : settings_.tls_port;
  ServerFacts facts{run_id_,
                    executable_,
                    directives_.config_file,
                    SupervisorName(process_.supervisor()),
                    started_ms_,
                    port,
                    {}};
  for (const auto& listener : listeners_) {
    std::string line =
        "name=" + std::string(NameOf(listener->kind())) + ",bind=" + listener->address();
    if (listener->kind() != SocketKind::kUnix) line += ",port=" + std::to_string(listener->port());
    facts.listeners.push_back(std::move(line));
  }
  return facts;
}

}  // namespace backplane
