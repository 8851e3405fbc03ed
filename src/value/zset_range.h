// SPDX-License-Identifier: BSD-3-Clause
// Ranges of a sorted set as commands spell them: by score ("1.5", "(1.5", "-inf") and by member
// ("[a", "(a", "-", "+"). Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane {

struct ScoreBound {
  double value = 0;
  bool exclusive = false;
};

struct ScoreRange {
  ScoreBound min;
  ScoreBound max;

  // Is `score` before (not behind) the range in ascending order?
  bool IsBefore(double score) const {
    return min.exclusive ? score <= min.value : score < min.value;
  }
  bool IsNotBehind(double score) const {
    return max.exclusive ? score < max.value : score <= max.value;
  }
};

struct LexBound {
  enum class Kind : uint8_t { kLowest, kInclusive, kExclusive, kHighest };
  Kind kind = Kind::kLowest;
  std::string_view value;  // Borrows the text that was parsed.
};

struct LexRange {
  LexBound min;
  LexBound max;

  bool IsBefore(std::string_view member) const;
  bool IsNotBehind(std::string_view member) const;
};

// False if the text is no bound; for scores that is also NaN.
bool ParseScoreBound(std::string_view text, ScoreBound* bound);
bool ParseLexBound(std::string_view text, LexBound* bound);

}  // namespace backplane
