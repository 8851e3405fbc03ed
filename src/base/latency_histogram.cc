// SPDX-License-Identifier: BSD-3-Clause
#include "base/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace backplane {

uint64_t LatencyHistogram::ValueAt(double percent) const {
  const uint64_t all = count();
  if (all == 0) return 0;
  const double share = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(all);
  const uint64_t wanted = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(share)));
  uint64_t seen = 0;
  for (size_t slot = 0; slot < kSlots; ++slot) {
    seen += slots_[slot];
    if (seen >= wanted) return UpperEnd(slot);
  }
  return UpperEnd(kSlots - 1);
}

}  // namespace backplane
