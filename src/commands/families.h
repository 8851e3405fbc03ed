// SPDX-License-Identifier: BSD-3-Clause
// The command families that need nothing but the context: one call each, made by the server's
// wiring and by the test fixture. Explicit, because static registration is dropped by the linker
// from libraries and has no order.
#pragma once

#include "command/registry.h"

namespace backplane {

void RegisterStringCommands(CommandRegistry& registry);
void RegisterBitmapCommands(CommandRegistry& registry);
void RegisterHyperLogLogCommands(CommandRegistry& registry);
void RegisterKeyCommands(CommandRegistry& registry);
void RegisterListCommands(CommandRegistry& registry);
void RegisterSetCommands(CommandRegistry& registry);
void RegisterHashCommands(CommandRegistry& registry);
void RegisterZSetCommands(CommandRegistry& registry);
void RegisterGeoCommands(CommandRegistry& registry);
void RegisterStreamCommands(CommandRegistry& registry);
void RegisterTransactionCommands(CommandRegistry& registry);
void RegisterPubSubCommands(CommandRegistry& registry);

}  // namespace backplane
