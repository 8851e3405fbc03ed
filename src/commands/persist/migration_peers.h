// SPDX-License-Identifier: BSD-3-Clause
// MigrationPeers: the connections to other servers that MIGRATE leaves open for the next call to
// the same host and port. Made by the server, whose cron closes what nobody used for kIdleMs.
// Engine thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "command/registry.h"
#include "net/blocking_socket.h"

namespace backplane {

struct Settings;

struct MigrationPeer {
  BlockingSocket socket;
  std::optional<int64_t> db;  // the database that it is in; nullopt: unknown
  // Some call gave it credentials: only calls with their own may use it.
  bool authenticated = false;
  int64_t used_us = 0;  // monotonic
};

class MigrationPeers {
 public:
  static constexpr size_t kPeersMax = 64;
  static constexpr int64_t kIdleMs = 10'000;

  // `settings` outlives it: bind-source-addr.
  explicit MigrationPeers(const Settings* settings) : settings_(settings) {}

  struct Address {
    std::string host;
    std::string port;
    auto operator<=>(const Address&) const = default;
  };
  // The open connection to that address, or a new one; when there are too many, the one that was
  // not used for longest goes. `authenticates`: the caller sends credentials first. Errors as of
  // BlockingSocket::Connect. The pointer is valid until the next call of anything here.
  Result<MigrationPeer*> Get(const Address& address, bool authenticates, int64_t timeout_ms);
  // Closes the connection to that address.
  void Drop(const Address& address) { peers_.erase(address); }
  void CloseIdle(int64_t now_us);
  // In a forked child: the connections are the parent's.
  void Clear() { peers_.clear(); }
  size_t size() const { return peers_.size(); }

 private:
  const Settings* settings_;
  std::map<Address, MigrationPeer> peers_;
};

// MIGRATE. `peers` outlives the registry.
void RegisterMigrateCommand(CommandRegistry& registry, MigrationPeers& peers);

}  // namespace backplane
