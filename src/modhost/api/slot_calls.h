// SPDX-License-Identifier: BSD-3-Clause
// Bodies of the API functions that take no context but belong to a module: slots.cc finds the
// module and calls these.
#pragma once

#include "modhost/api_signatures.h"

namespace backplane {

class Module;

namespace slot_calls {

int GetApi(int slot, const char* name, void** target);
int EventLoopAdd(Module* module, int fd, int mask, RedisModuleEventLoopFunc callback, void* data);
int EventLoopAddOneShot(Module* module, RedisModuleEventLoopOneShotFunc callback, void* data);
int Fork(Module* module, RedisModuleForkDoneHandler done, void* data);
RedisModuleCtx* GetThreadSafeContext(Module* module, RedisModuleBlockedClient* client);

}  // namespace slot_calls
}  // namespace backplane
