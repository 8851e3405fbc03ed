// SPDX-License-Identifier: BSD-3-Clause
// Clients: maxmemory-clients, and what is done before the loop waits.
#include <algorithm>

#include "engine/clients.h"

namespace backplane {

void Clients::ApplyMemoryLimit() {
  constexpr int64_t kWhole = 100;
  const Settings& settings = engine_->settings();
  const int64_t wanted = settings.maxmemory_clients;
  const int64_t limit = wanted < 0 ? settings.maxmemory / kWhole * -wanted : wanted;
  memory_limit_ = static_cast<size_t>(limit);
  if (memory_limit_ == 0) return;
  MeasureAll();
  EvictClients();
}

void Clients::Measure(NetClient& client) {
  memory_ -= client.counted_memory_;
  client.counted_memory_ = client.closing() ? 0 : client.memory();
  memory_ += client.counted_memory_;
}

void Clients::MeasureAll() {
  for (const auto& [id, client] : by_id_) Measure(*client);
}

void Clients::EvictClients() {
  if (memory_ <= memory_limit_) [[likely]]
    return;
  std::vector<NetClient*> victims;
  for (const auto& [id, client] : by_id_) {
    if (!client->closing() && !client->session().no_evict) victims.push_back(client.get());
  }
  std::sort(victims.begin(), victims.end(), [](const NetClient* a, const NetClient* b) {
    return a->counted_memory_ > b->counted_memory_;
  });
  for (NetClient* victim : victims) {
    if (memory_ <= memory_limit_) break;
    engine_->logger().Notice("Evicting client: id=" + std::to_string(victim->session().id()) +
                             " addr=" + victim->peer() +
                             " tot-mem=" + std::to_string(victim->counted_memory_));
    ++engine_->stats().evicted_clients;
    victim->Close();
    // Its memory is wanted now: keys are evicted for what clients hold as well.
    victim->connection().DropOutput();
    Measure(*victim);
  }
}

void Clients::MeasureScheduled() {
  std::vector<NetClient*> clients;
  clients.swap(to_measure_);
  for (NetClient* client : clients) {
    client->measure_scheduled_ = false;
    Measure(*client);
    // What it has to be sent goes without anybody saying so.
    if (client->output_bytes() != 0) ScheduleMeasure(*client);
  }
}

int Clients::BeforeWait() {
  bool acted = engine_->tracking().SendBroadcasts();
  if (memory_limit_ != 0) [[unlikely]] {
    MeasureScheduled();
    const uint64_t evicted = engine_->stats().evicted_clients;
    EvictClients();
    acted |= engine_->stats().evicted_clients != evicted;
  }
  if (!acted) [[likely]]
    return -1;
  // Sends what was written, and destroys what was closed. What comes of that is for the next turn.
  connections_->BeforeWait();
  return 0;
}

}  // namespace backplane
