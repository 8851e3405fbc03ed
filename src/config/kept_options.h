// SPDX-License-Identifier: BSD-3-Clause
// Options that are kept and have no effect here. Used by builtin_options.cc. Engine thread.
#pragma once

#include "config/options.h"

namespace backplane {

// Adds their rows over `kept`, which outlives the table.
void RegisterKeptOptions(OptionTable& table, KeptSettings& kept);

}  // namespace backplane
