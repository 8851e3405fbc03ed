// SPDX-License-Identifier: BSD-3-Clause
// SameBytes: whether two short texts are equal, without a call. For the comparison behind each
// lookup, where they nearly always are. Any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace backplane {

inline bool SameBytes(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  const auto differ = [&]<class Word>(size_t at, Word) {
    Word x, y;
    std::memcpy(&x, a.data() + at, sizeof(x));
    std::memcpy(&y, b.data() + at, sizeof(y));
    return x ^ y;
  };
  // Words that overlap instead of a rest.
  constexpr size_t kWord = sizeof(uint64_t);
  constexpr size_t kCallFrom = 4 * kWord + 1;  // from here on the call is worth it
  if (size >= kCallFrom) return std::memcmp(a.data(), b.data(), size) == 0;
  if (size > 2 * kWord) {
    return (differ(0, uint64_t{}) | differ(kWord, uint64_t{}) |
            differ(size - 2 * kWord, uint64_t{}) | differ(size - kWord, uint64_t{})) == 0;
  }
  if (size >= kWord) return (differ(0, uint64_t{}) | differ(size - kWord, uint64_t{})) == 0;
  if (size >= sizeof(uint32_t)) {
    return (differ(0, uint32_t{}) | differ(size - sizeof(uint32_t), uint32_t{})) == 0;
  }
  if (size == 0) return true;
  return a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1];
}

}  // namespace backplane
