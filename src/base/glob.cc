// SPDX-License-Identifier: BSD-3-Clause
// Glob matching. Every element but the star matches exactly one byte, so going back to the last
// star alone is enough: an earlier star that takes more could only reach a state that the last one
// reaches too.
#include "base/glob.h"

#include <cstddef>

#include "base/ascii.h"

namespace backplane {
namespace {

class Matcher {
 public:
  Matcher(std::string_view pattern, bool ignore_case)
      : pattern_(pattern), ignore_case_(ignore_case) {}

  // Whether the element at *p (not a star) matches `c`; moves *p behind the element either way.
  bool MatchElement(size_t* p, char c) const {
    switch (pattern_[*p]) {
      case '?':
        ++*p;
        return true;
      case '[':
        return MatchClass(p, c);
      case '\\':
        if (*p + 1 < pattern_.size()) ++*p;
        [[fallthrough]];
      default:
        return Fold(pattern_[(*p)++]) == Fold(c);
    }
  }

 private:
  unsigned char Fold(char c) const {
    return static_cast<unsigned char>(ignore_case_ ? AsciiLower(c) : c);
  }

  bool MatchClass(size_t* position, char c) const {
    size_t p = *position + 1;
    const size_t end = pattern_.size();
    const bool negated = p < end && pattern_[p] == '^';
    if (negated) ++p;
    const unsigned char wanted = Fold(c);
    bool found = false;
    while (p < end && pattern_[p] != ']') {
      if (pattern_[p] == '\\' && p + 1 < end) {
        found |= Fold(pattern_[p + 1]) == wanted;
        p += 2;
      } else if (p + 2 < end && pattern_[p + 1] == '-') {
        const unsigned char a = Fold(pattern_[p]);
        const unsigned char b = Fold(pattern_[p + 2]);
        found |= a <= b ? a <= wanted && wanted <= b : b <= wanted && wanted <= a;
        p += 3;
      } else {
        found |= Fold(pattern_[p]) == wanted;
        ++p;
      }
    }
    *position = p < end ? p + 1 : end;
    return found != negated;
  }

  std::string_view pattern_;
  bool ignore_case_;
};

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case) {
  if (text.empty()) return pattern.empty();
  constexpr size_t kNone = std::string_view::npos;
  const Matcher matcher(pattern, ignore_case);
  size_t p = 0;
  size_t after_star = kNone;  // pattern position behind the last star
  size_t star_text = 0;       // where the text behind that star's share begins
  for (size_t t = 0; t < text.size();) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      star_text = t;
      if (after_star == pattern.size()) return true;
    } else if (p < pattern.size() && matcher.MatchElement(&p, text[t])) {
      ++t;
    } else if (after_star != kNone) {
      p = after_star;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool IsGlobLiteral(std::string_view pattern) {
  return pattern.find_first_of("*?[\\") == std::string_view::npos;
}

}  // namespace backplane
