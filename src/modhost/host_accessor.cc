// SPDX-License-Identifier: BSD-3-Clause
#include "modhost/host_accessor.h"

#include <atomic>

namespace backplane {
namespace {
// Process state by nature: the C ABI has functions without any object.
constinit std::atomic<ModuleHost*> current_host{nullptr};
}  // namespace

ModuleHost* CurrentHost() { return current_host.load(std::memory_order_acquire); }
void SetCurrentHost(ModuleHost* host) { current_host.store(host, std::memory_order_release); }

}  // namespace backplane
