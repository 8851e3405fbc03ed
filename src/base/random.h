// SPDX-License-Identifier: BSD-3-Clause
// A small fast generator for sampling (not for secrets) and kernel entropy for ids. Random is owned
// by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace backplane {

// xorshift64*: period 2^64-1, passes what sampling needs. Seed 0 is replaced.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed != 0 ? seed : 0x2545f4914f6cdd1dull) {}
  uint64_t Next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1dull;
  }
  // Uniform in [0, bound); REQUIRES bound > 0. Multiply-shift: the bias is below 2^-32 for every
  // bound in use.
  uint64_t Below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<Wide>(Next()) * bound) >> 64);
  }

 private:
  __extension__ using Wide = unsigned __int128;
  uint64_t state_;
};

// Fills `out` with kernel entropy; aborts when the kernel has none, which no supported kernel does
// after boot.
void EntropyBytes(void* out, size_t size);
// `count` lower-case hex characters of entropy: run ids, replication ids.
std::string EntropyHex(size_t count);

}  // namespace backplane
