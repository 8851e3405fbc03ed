// SPDX-License-Identifier: BSD-3-Clause
// The parts of the set family, put together by RegisterSetCommands.
#pragma once

#include "command/registry.h"

namespace backplane {

void RegisterSetMembers(CommandRegistry& registry);
void RegisterSetRandom(CommandRegistry& registry);
void RegisterSetAlgebra(CommandRegistry& registry);

}  // namespace backplane
