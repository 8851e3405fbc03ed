// SPDX-License-Identifier: BSD-3-Clause
// How often a key is used, in the 24 bits that an entry has for it (the LFU policies):
//
//   access = minutes:16 counter:8        minutes: of the wall clock, modulo 2^16, when the counter
//                                        was last looked after
//
// The counter grows with a chance that falls as it grows, so that 255 stands for a million uses
// with the default factor, and it falls by one for each decay time without a use. A new key begins
// at kFrequencyInitial, lest it be the first to go. Engine thread.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace backplane {

inline constexpr uint32_t kFrequencyInitial = 5;
inline constexpr uint32_t kFrequencyMax = 255;

struct FrequencyRules {
  int64_t log_factor = 10;
  int64_t decay_minutes = 1;  // 0: never falls
};

constexpr uint32_t PackFrequency(uint32_t minutes, uint32_t counter) {
  return (minutes & 0xffff) << 8 | counter;
}

// The counter as it is at `minutes`.
constexpr uint32_t FrequencyAt(uint32_t access, uint32_t minutes, const FrequencyRules& rules) {
  const uint32_t counter = access & kFrequencyMax;
  if (rules.decay_minutes <= 0) return counter;
  const uint32_t elapsed = (minutes - (access >> 8)) & 0xffff;
  const auto periods = static_cast<uint32_t>(elapsed / rules.decay_minutes);
  return periods > counter ? 0 : counter - periods;
}

// `access` after one more use at `minutes`.
inline uint32_t FrequencyAfterUse(uint32_t access, uint32_t minutes, const FrequencyRules& rules,
                                  Random& random) {
  uint32_t counter = FrequencyAt(access, minutes, rules);
  if (counter < kFrequencyMax) {
    const uint64_t base = counter > kFrequencyInitial ? counter - kFrequencyInitial : 0;
    const uint64_t one_in = base * static_cast<uint64_t>(rules.log_factor) + 1;
    if (random.Below(one_in) == 0) ++counter;
  }
  return PackFrequency(minutes, counter);
}

}  // namespace backplane
