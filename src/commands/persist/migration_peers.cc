// SPDX-License-Identifier: BSD-3-Clause
#include "commands/persist/migration_peers.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "config/settings.h"

namespace backplane {

Result<MigrationPeer*> MigrationPeers::Get(const Address& address, bool authenticates,
                                           int64_t timeout_ms) {
  auto found = peers_.find(address);
  if (found != peers_.end() && found->second.authenticated && !authenticates) {
    peers_.erase(found);
    found = peers_.end();
  }
  if (found == peers_.end()) {
    BP_ASSIGN_OR_RETURN(BlockingSocket socket,
                        BlockingSocket::Connect(address.host, address.port,
                                                settings_->bind_source_addr, timeout_ms));
    if (peers_.size() >= kPeersMax) {
      peers_.erase(std::min_element(peers_.begin(), peers_.end(), [](const auto& a, const auto& b) {
        return a.second.used_us < b.second.used_us;
      }));
    }
    MigrationPeer peer{.socket = std::move(socket), .db = {}};
    found = peers_.emplace(address, std::move(peer)).first;
  }
  found->second.used_us = MonotonicMicros();
  return &found->second;
}

void MigrationPeers::CloseIdle(int64_t now_us) {
  constexpr int64_t kIdleMicros = kIdleMs * 1000;
  std::erase_if(peers_,
                [&](const auto& entry) { return now_us - entry.second.used_us > kIdleMicros; });
}

}  // namespace backplane
