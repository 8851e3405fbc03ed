// SPDX-License-Identifier: BSD-3-Clause
// The options about the process as the system sees it; RegisterBuiltinOptions adds them. Engine
// thread.
#pragma once

#include "config/options.h"

namespace backplane {

// `settings` outlives the table.
void RegisterProcessOptions(OptionTable& table, Settings& settings);

}  // namespace backplane
