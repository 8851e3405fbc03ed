// SPDX-License-Identifier: BSD-3-Clause
// BP_ASSERT: states what only a bug of ours can break; stays on in release builds because it is
// cheaper than corrupt data. Never for what a client, a file or a module can cause. BP_DCHECK is
// for hot paths: debug builds only.
#pragma once

namespace backplane {
[[noreturn]] void AssertFailed(const char* expression, const char* file, int line);
}  // namespace backplane

#define BP_ASSERT(expr) \
  (static_cast<bool>(expr) ? void(0) : ::backplane::AssertFailed(#expr, __FILE__, __LINE__))

#ifdef NDEBUG
#define BP_DCHECK(expr) void(0)
#else
#define BP_DCHECK(expr) BP_ASSERT(expr)
#endif
