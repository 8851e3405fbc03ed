// SPDX-License-Identifier: BSD-3-Clause
// Letters of notify-keyspace-events.
#include "keyspace/notify.h"

namespace backplane {
namespace {

struct Letter {
  char letter;
  uint32_t bit;
};
// In the order in which CONFIG GET prints them.
constexpr Letter kLetters[] = {{'g', kNotifyGeneric}, {'$', kNotifyString},  {'l', kNotifyList},
                               {'s', kNotifySet},     {'h', kNotifyHash},    {'z', kNotifyZSet},
                               {'x', kNotifyExpired}, {'e', kNotifyEvicted}, {'t', kNotifyStream},
                               {'d', kNotifyModule}};
constexpr Letter kOutsideAll[] = {
    {'n', kNotifyNew}, {'K', kNotifyKeyspace}, {'E', kNotifyKeyevent}, {'m', kNotifyKeyMiss}};

}  // namespace

std::optional<uint32_t> ParseNotifyFlags(std::string_view text) {
  uint32_t flags = 0;
  for (char c : text) {
    uint32_t bit = c == 'A' ? kNotifyAll : 0;
    for (const Letter& l : kLetters) bit |= l.letter == c ? l.bit : 0;
    for (const Letter& l : kOutsideAll) bit |= l.letter == c ? l.bit : 0;
    if (bit == 0) return std::nullopt;
    flags |= bit;
  }
  return flags;
}

std::string NotifyFlagsText(uint32_t flags) {
  std::string text;
  if ((flags & kNotifyAll) == kNotifyAll) {
    text.push_back('A');
  } else {
    for (const Letter& l : kLetters) {
      if ((flags & l.bit) != 0) text.push_back(l.letter);
    }
  }
  for (const Letter& l : kOutsideAll) {
    if ((flags & l.bit) != 0) text.push_back(l.letter);
  }
  return text;
}

}  // namespace backplane
