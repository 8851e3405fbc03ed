// SPDX-License-Identifier: BSD-3-Clause
// Reading range bounds; contract in zset_range.h.
#include "value/zset_range.h"

#include <cmath>
#include <cstdlib>
#include <string>

namespace backplane {

bool ParseScoreBound(std::string_view text, ScoreBound* bound) {
  bound->exclusive = !text.empty() && text.front() == '(';
  if (bound->exclusive) text.remove_prefix(1);
  // As C reads it: an empty text is 0, leading blanks are skipped, an overflow is infinite. Scores
  // that are stored are read more strictly; bounds never were.
  const std::string terminated(text);
  char* end;
  bound->value = std::strtod(terminated.c_str(), &end);
  return *end == '\0' && !std::isnan(bound->value);
}

bool ParseLexBound(std::string_view text, LexBound* bound) {
  if (text.empty()) return false;
  bound->value = text.substr(1);
  switch (text.front()) {
    case '-':
      bound->kind = LexBound::Kind::kLowest;
      return text.size() == 1;
    case '+':
      bound->kind = LexBound::Kind::kHighest;
      return text.size() == 1;
    case '[':
      bound->kind = LexBound::Kind::kInclusive;
      return true;
    case '(':
      bound->kind = LexBound::Kind::kExclusive;
      return true;
    default:
      return false;
  }
}

bool LexRange::IsBefore(std::string_view member) const {
  switch (min.kind) {
    case LexBound::Kind::kLowest:
      return false;
    case LexBound::Kind::kInclusive:
      return member < min.value;
    case LexBound::Kind::kExclusive:
      return member <= min.value;
    case LexBound::Kind::kHighest:
      break;
  }
  return true;
}

bool LexRange::IsNotBehind(std::string_view member) const {
  switch (max.kind) {
    case LexBound::Kind::kLowest:
      return false;
    case LexBound::Kind::kInclusive:
      return member <= max.value;
    case LexBound::Kind::kExclusive:
      return member < max.value;
    case LexBound::Kind::kHighest:
      break;
  }
  return true;
}

}  // namespace backplane
