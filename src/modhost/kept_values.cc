// SPDX-License-Identifier: BSD-3-Clause
// KeptValues: batches.
#include "modhost/kept_values.h"

#include <utility>

#include "base/clock.h"
#include "modhost/blocked_client.h"
#include "modhost/host.h"
#include "modhost/module_threads.h"

namespace backplane {

uint64_t OldestWork(Module& module) {
  if (module.blocked_clients == 0 || ModuleThreads::Count(module.slot()) == 0) return 0;
  uint64_t oldest = 0;
  module.ForEachRegistration([&](Registration& registration) {
    auto* client = dynamic_cast<RedisModuleBlockedClient*>(&registration);
    if (client == nullptr || client->on_keys) return;
    if (module.host().blocked_clients().IsQueued(*client)) return;
    if (oldest == 0 || client->number < oldest) oldest = client->number;
  });
  return oldest;
}

void KeptValues::Add(uint64_t newest_work, std::unique_ptr<Value> value) {
  if (batches_.empty() || batches_.back().newest_work != newest_work) {
    batches_.push_back({newest_work, {}});
  }
  batches_.back().values.push_back(std::move(value));
}

bool KeptValues::Release(uint64_t oldest_work, int64_t end_us) {
  constexpr int kValuesBetweenLooks = 32;
  int freed = 0;
  while (!batches_.empty()) {
    std::vector<std::unique_ptr<Value>>& values = batches_.front().values;
    if (values.empty()) {
      batches_.erase(batches_.begin());
      continue;
    }
    if (oldest_work != 0 && batches_.front().newest_work >= oldest_work) return false;
    if (++freed % kValuesBetweenLooks == 0 && MonotonicMicros() >= end_us) return true;
    // Taken out first: the callback may lead back here.
    const std::unique_ptr<Value> value = std::move(values.back());
    values.pop_back();
  }
  return false;
}

int64_t KeptValues::count() const {
  size_t count = 0;
  for (const Batch& batch : batches_) count += batch.values.size();
  return static_cast<int64_t>(count);
}

}  // namespace backplane
