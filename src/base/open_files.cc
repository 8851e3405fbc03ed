// SPDX-License-Identifier: BSD-3-Clause
#include "base/open_files.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

namespace backplane {

int64_t OpenFilesLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur > static_cast<rlim_t>(INT64_MAX)) return INT64_MAX;
  return static_cast<int64_t>(limit.rlim_cur);
}

int64_t RaiseOpenFilesLimit(int64_t wanted, int* error) {
  *error = 0;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    *error = errno;
    return 0;
  }
  const auto target = static_cast<rlim_t>(wanted);
  if (limit.rlim_cur >= target) return OpenFilesLimit();
  // Beyond the hard limit goes who is privileged only.
  const rlimit raised{target, std::max(limit.rlim_max, target)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return OpenFilesLimit();
  *error = errno;
  const rlimit nearest{std::min(limit.rlim_max, target), limit.rlim_max};
  if (nearest.rlim_cur > limit.rlim_cur) setrlimit(RLIMIT_NOFILE, &nearest);
  return OpenFilesLimit();
}

}  // namespace backplane
