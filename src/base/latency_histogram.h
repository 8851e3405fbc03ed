// SPDX-License-Identifier: BSD-3-Clause
// LatencyHistogram: how often which durations occurred, within 3 percent, in a fixed 9 KiB. The
// unit is the caller's (the engine counts ticks). One thread.
//
// Log-linear: each power of two is cut into kSteps slots of equal width, so that recording is a
// shift and an increment, and the error is a part of the value.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace backplane {

class LatencyHistogram {
 public:
  void Record(uint64_t value) { ++slots_[SlotOf(value)]; }
  // How many were recorded; adds them up.
  uint64_t count() const { return std::accumulate(slots_.begin(), slots_.end(), uint64_t{0}); }

  // The value that `percent` (0 to 100) of the recorded ones do not exceed, as the upper end of its
  // slot; 0 when nothing was recorded.
  uint64_t ValueAt(double percent) const;

  // f(upper end of the slot, count) for each slot that is not empty, in ascending order.
  template <class F>
  void ForEach(F&& f) const {
    for (size_t slot = 0; slot < kSlots; ++slot) {
      if (slots_[slot] != 0) f(UpperEnd(slot), slots_[slot]);
    }
  }

 private:
  static constexpr unsigned kStepBits = 5;
  static constexpr size_t kSteps = size_t{1} << kStepBits;
  // Values of 2^40 and above (minutes, in ticks) count as the greatest below.
  static constexpr unsigned kValueBits = 40;
  static constexpr size_t kSlots = (kValueBits - kStepBits + 1) * kSteps;

  static size_t SlotOf(uint64_t value) {
    constexpr uint64_t kMax = (uint64_t{1} << kValueBits) - 1;
    if (value > kMax) [[unlikely]]
      value = kMax;
    const auto width = static_cast<unsigned>(std::bit_width(value | (kSteps - 1)));
    const unsigned shift = width - kStepBits;
    // Below kSteps the value is its slot. Above, the top bit goes, and kStepBits below it stay.
    return shift == 0 ? static_cast<size_t>(value)
                      : (static_cast<size_t>(shift) << kStepBits) +
                            static_cast<size_t>((value >> (shift - 1)) & (kSteps - 1));
  }
  static uint64_t UpperEnd(size_t slot) {
    if (slot < kSteps) return slot;
    const auto shift = static_cast<unsigned>(slot >> kStepBits);
    const uint64_t step = slot & (kSteps - 1);
    return ((kSteps + step + 1) << (shift - 1)) - 1;
  }

  std::array<uint64_t, kSlots> slots_{};
};

}  // namespace backplane
