// SPDX-License-Identifier: BSD-3-Clause
// The failing end of BP_ASSERT.
#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace backplane {

void AssertFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "backplane: assertion failed: %s at %s:%d\n", expression, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace backplane
