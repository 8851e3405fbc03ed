// SPDX-License-Identifier: BSD-3-Clause
// The parts of the hash family, put together by RegisterHashCommands.
#pragma once

#include "command/registry.h"

namespace backplane {

void RegisterHashWrite(CommandRegistry& registry);
void RegisterHashRead(CommandRegistry& registry);

}  // namespace backplane
