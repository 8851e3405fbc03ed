// SPDX-License-Identifier: BSD-3-Clause
// The generator behind scripts' math.random: 48 bits, linear congruential, as POSIX describes
// lrand48, so that a seed gives the numbers that it gives on every server. One thread at a time.
#pragma once

#include <cstdint>

namespace backplane {

class Random48 {
 public:
  static constexpr int64_t kMax = INT32_MAX;

  explicit Random48(uint32_t seed) { Seed(seed); }
  void Seed(uint32_t seed) { state_ = uint64_t{seed} << 16 | 0x330e; }
  // 0 to kMax.
  int64_t Next() {
    state_ = (state_ * 0x5deece66d + 0xb) & 0xffff'ffff'ffff;
    return static_cast<int64_t>(state_ >> 17);
  }

 private:
  uint64_t state_;
};

}  // namespace backplane
