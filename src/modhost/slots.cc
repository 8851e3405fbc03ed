// SPDX-License-Identifier: BSD-3-Clause
// The functions that exist once per slot: GetApi, the allocator family, and what takes no context
// but must know its module.
#include "modhost/slots.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "modhost/api/slot_calls.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"
#include "modhost/module.h"
#include "modhost/slot_memory.h"

namespace backplane {
namespace {

constinit std::atomic<Module*> slot_modules[kModuleSlots] = {};

[[noreturn]] void OutOfMemory(int slot, size_t bytes) {
  Module* module = ModuleInSlot(slot);
  CurrentHost()->logger().Warning("Out of memory: module " +
                                  (module != nullptr ? module->name() : std::string("?")) +
                                  " asked for " + std::to_string(bytes) + " bytes");
  std::abort();
}

template <int kSlot>
struct SlotCalls {
  static void* TryAlloc(size_t bytes) { return SlotMalloc(kSlot, bytes); }
  static void* TryCalloc(size_t count, size_t size) { return SlotCalloc(kSlot, count, size); }
  static void* TryRealloc(void* old, size_t bytes) { return SlotRealloc(kSlot, old, bytes); }
  static void* Alloc(size_t bytes) {
    void* block = TryAlloc(bytes);
    if (block == nullptr) OutOfMemory(kSlot, bytes);
    return block;
  }
  static void* Calloc(size_t count, size_t size) {
    void* block = TryCalloc(count, size);
    if (block == nullptr) OutOfMemory(kSlot, size);
    return block;
  }
  static void* Realloc(void* old, size_t bytes) {
    void* block = TryRealloc(old, bytes);
    if (block == nullptr) OutOfMemory(kSlot, bytes);
    return block;
  }
  static void Free(void* block) { SlotFree(kSlot, block); }
  static char* Strdup(const char* text) {
    const size_t size = std::strlen(text) + 1;
    return static_cast<char*>(std::memcpy(Alloc(size), text, size));
  }
  static int EventLoopAdd(int fd, int mask, RedisModuleEventLoopFunc callback, void* data) {
    return slot_calls::EventLoopAdd(ModuleInSlot(kSlot), fd, mask, callback, data);
  }
  static int EventLoopAddOneShot(RedisModuleEventLoopOneShotFunc callback, void* data) {
    return slot_calls::EventLoopAddOneShot(ModuleInSlot(kSlot), callback, data);
  }
  static int Fork(RedisModuleForkDoneHandler done, void* data) {
    return slot_calls::Fork(ModuleInSlot(kSlot), done, data);
  }
  static RedisModuleCtx* GetThreadSafeContext(RedisModuleBlockedClient* client) {
    return slot_calls::GetThreadSafeContext(ModuleInSlot(kSlot), client);
  }
  static int GetApi(const char* name, void* target) {
    return slot_calls::GetApi(kSlot, name, static_cast<void**>(target));
  }
};

template <int kSlot>
std::span<const ApiRow> SlotRows() {
  using C = SlotCalls<kSlot>;
  static const ApiRow kRows[] = {
      MakeApiRow<api::Alloc>("Alloc", &C::Alloc),
      MakeApiRow<api::Calloc>("Calloc", &C::Calloc),
      MakeApiRow<api::EventLoopAdd>("EventLoopAdd", &C::EventLoopAdd),
      MakeApiRow<api::EventLoopAddOneShot>("EventLoopAddOneShot", &C::EventLoopAddOneShot),
      MakeApiRow<api::Fork>("Fork", &C::Fork),
      MakeApiRow<api::Free>("Free", &C::Free),
      MakeApiRow<api::GetThreadSafeContext>("GetThreadSafeContext", &C::GetThreadSafeContext),
      MakeApiRow<api::Realloc>("Realloc", &C::Realloc),
      MakeApiRow<api::Strdup>("Strdup", &C::Strdup),
      MakeApiRow<api::TryAlloc>("TryAlloc", &C::TryAlloc),
      MakeApiRow<api::TryCalloc>("TryCalloc", &C::TryCalloc),
      MakeApiRow<api::TryRealloc>("TryRealloc", &C::TryRealloc),
      {"GetApi", reinterpret_cast<AnyFunction>(&C::GetApi)},
  };
  return kRows;
}

using RowsFunction = std::span<const ApiRow> (*)();
template <size_t... kSlots>
constexpr std::array<RowsFunction, kModuleSlots> MakeRows(std::index_sequence<kSlots...>) {
  return {&SlotRows<static_cast<int>(kSlots)>...};
}
template <size_t... kSlots>
std::array<void*, kModuleSlots> MakeGetApis(std::index_sequence<kSlots...>) {
  return {reinterpret_cast<void*>(&SlotCalls<static_cast<int>(kSlots)>::GetApi)...};
}

constexpr auto kRowsOfSlot = MakeRows(std::make_index_sequence<kModuleSlots>());

}  // namespace

Module* ModuleInSlot(int slot) { return slot_modules[slot].load(std::memory_order_acquire); }

void SetModuleInSlot(int slot, Module* module) {
  slot_modules[slot].store(module, std::memory_order_release);
}

void* SlotGetApi(int slot) {
  static const auto kGetApis = MakeGetApis(std::make_index_sequence<kModuleSlots>());
  return kGetApis[static_cast<size_t>(slot)];
}

AnyFunction SlotFunction(int slot, std::string_view name) {
  for (const ApiRow& row : kRowsOfSlot[static_cast<size_t>(slot)]()) {
    if (row.name == name) return row.function;
  }
  return nullptr;
}

void AppendSlotFunctionNames(std::vector<std::string_view>* out) {
  for (const ApiRow& row : kRowsOfSlot[0]()) out->push_back(row.name);
}

namespace slot_calls {

int GetApi(int slot, const char* name, void** target) {
  constexpr std::string_view kRedis = "RedisModule_";
  constexpr std::string_view kValkey = "ValkeyModule_";
  const std::string_view full(name);
  std::string_view base;
  AnyFunction found = nullptr;
  if (full.starts_with(kRedis)) {
    base = full.substr(kRedis.size());
  } else if (full.starts_with(kValkey)) {
    base = full.substr(kValkey.size());
    // The one function whose two forms differ stands in the table as "ValkeyX".
    found = CurrentHost()->api().Find("Valkey" + std::string(base));
  }
  if (found == nullptr) found = SlotFunction(slot, base);
  if (found == nullptr) found = CurrentHost()->api().Find(base);
  if (found == nullptr) {
    if (Module* module = ModuleInSlot(slot)) module->missing_functions().emplace_back(full);
    return REDISMODULE_ERR;
  }
  if (Module* module = ModuleInSlot(slot)) ++module->found_functions;
  *target = reinterpret_cast<void*>(found);
  return REDISMODULE_OK;
}

}  // namespace slot_calls
}  // namespace backplane
