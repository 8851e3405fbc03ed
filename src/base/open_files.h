// SPDX-License-Identifier: BSD-3-Clause
// How many files and connections the system lets this process have open (RLIMIT_NOFILE). Any
// thread.
#pragma once

#include <cstdint>

namespace backplane {

// The limit that is in force.
int64_t OpenFilesLimit();

// Raises it to `wanted`, or as near as the system allows; never lowers it. Returns the limit that
// is in force then. *error: errno of the first refusal, 0 when there was none.
int64_t RaiseOpenFilesLimit(int64_t wanted, int* error);

}  // namespace backplane
