// SPDX-License-Identifier: BSD-3-Clause
// Slots: each loaded module has one of kModuleSlots numbers, and API functions that take no context
// exist once for each number, so that they know who calls. This is what makes memory accounting per
// module exact. The statistics of the slots are process state, as the functions are: threads of
// modules reach them without any object at hand. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "modhost/api_table.h"

namespace backplane {

class Module;

inline constexpr int kModuleSlots = 64;

// Bytes and blocks that a module holds through Alloc and its kin. Where slots have no arenas
// (slot_memory.h), a block that one module frees for another is counted wrongly on both sides.
struct SlotUsage {
  int64_t bytes = 0;
  int64_t blocks = 0;
};

// The sum over all threads; exact when no other thread is allocating.
SlotUsage SlotUsageOf(int slot);
// Counts from zero again: another module gets the slot.
void ResetSlotUsage(int slot);
// The module in a slot, null when it is free. Written under the host lock.
Module* ModuleInSlot(int slot);
void SetModuleInSlot(int slot, Module* module);

// GetApi of a slot: what the first word of every context of its module points to.
void* SlotGetApi(int slot);
// The slot's own form of an API function, by name without prefix; null when it has none.
AnyFunction SlotFunction(int slot, std::string_view name);
// Names of all functions that exist per slot.
void AppendSlotFunctionNames(std::vector<std::string_view>* out);

}  // namespace backplane
