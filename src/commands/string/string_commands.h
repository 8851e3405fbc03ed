// SPDX-License-Identifier: BSD-3-Clause
// The parts of the string family, put together by RegisterStringCommands.
#pragma once

#include <cstdint>
#include <optional>

#include "command/context.h"

namespace backplane {

void RegisterStringGetSet(CommandRegistry& registry);
void RegisterStringCounters(CommandRegistry& registry);
void RegisterStringRanges(CommandRegistry& registry);
void RegisterStringMulti(CommandRegistry& registry);

// Reads an expiry argument of SET, GETEX, SETEX: `unit_ms` 1000 for seconds, `relative` adds now.
// nullopt after replying an error.
std::optional<int64_t> ExpiryArg(CommandContext& ctx, size_t arg, int64_t unit_ms, bool relative);

}  // namespace backplane
