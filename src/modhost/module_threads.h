// SPDX-License-Identifier: BSD-3-Clause
// ModuleThreads: which threads run the code of which module, so that code is never unmapped under a
// thread. The program has a pthread_create of its own in front of the C library's, which looks
// where a thread comes from: its start routine, or its creator, lies in a module's code, or in a
// library that a module called. State of the process, as threads are. Any thread.
#pragma once

#include <vector>

#include "modhost/mapped_module.h"

namespace backplane {

class ModuleThreads {
 public:
  // The code of the module in a slot; empty when it is gone.
  static void SetSlotCode(int slot, std::vector<CodeRange> ranges);
  // Threads of the slot's module that the kernel knows still: also one that has left its start
  // routine and runs destructors counts.
  static int Count(int slot);
  // Waits until there are none; false when some are left at the end.
  static bool WaitForNone(int slot, int timeout_ms);
};

}  // namespace backplane
