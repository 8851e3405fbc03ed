// SPDX-License-Identifier: BSD-3-Clause
// KeptValues: batches.
#include "modhost/kept_values.h"

#include <algorithm>
#include <utility>

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

void KeptValues::Release(uint64_t oldest_work) {
  while (!batches_.empty()) {
    if (oldest_work != 0 && batches_.front().newest_work >= oldest_work) return;
    // The module's free callback may lead back here.
    const Batch batch = std::move(batches_.front());
    batches_.erase(batches_.begin());
  }
}

int64_t KeptValues::count() const {
  size_t count = 0;
  for (const Batch& batch : batches_) count += batch.values.size();
  return static_cast<int64_t>(count);
}

}  // namespace backplane
