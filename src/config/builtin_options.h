// SPDX-License-Identifier: BSD-3-Clause
// Registers the options that the server itself has. Called once by whoever builds the option table
// (the server, tests).
#pragma once

#include "config/options.h"
#include "value/limits.h"

namespace backplane {

// `settings` and `limits` outlive the table.
void RegisterBuiltinOptions(OptionTable& table, Settings& settings, EncodingLimits& limits);

// True for an option of Redis 7.2 that this server does not have yet: config files that name one
// still start, with a warning.
bool IsKnownButMissing(std::string_view name);

}  // namespace backplane
