// SPDX-License-Identifier: BSD-3-Clause
// Classes of keyspace events: the bits of `notify-keyspace-events` and of a module's subscriptions
// (the numbers are the module ABI's).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backplane {

enum NotifyClass : uint32_t {
  kNotifyKeyspace = 1u << 0,  // K: publish __keyspace@<db>__ channels
  kNotifyKeyevent = 1u << 1,  // E: publish __keyevent@<db>__ channels
  kNotifyGeneric = 1u << 2,   // g
  kNotifyString = 1u << 3,    // $
  kNotifyList = 1u << 4,      // l
  kNotifySet = 1u << 5,       // s
  kNotifyHash = 1u << 6,      // h
  kNotifyZSet = 1u << 7,      // z
  kNotifyExpired = 1u << 8,   // x
  kNotifyEvicted = 1u << 9,   // e
  kNotifyStream = 1u << 10,   // t
  kNotifyKeyMiss = 1u << 11,  // m
  kNotifyLoaded = 1u << 12,   // module only
  kNotifyModule = 1u << 13,   // d
  kNotifyNew = 1u << 14,      // n
};
// "A": every class but key misses and new keys.
inline constexpr uint32_t kNotifyAll = kNotifyGeneric | kNotifyString | kNotifyList | kNotifySet |
                                       kNotifyHash | kNotifyZSet | kNotifyExpired | kNotifyEvicted |
                                       kNotifyStream | kNotifyModule;

// "KEA", "Kx" ... to bits; nullopt for an unknown letter.
std::optional<uint32_t> ParseNotifyFlags(std::string_view text);
// The canonical text of the bits, "A" folded, as CONFIG GET answers.
std::string NotifyFlagsText(uint32_t flags);

}  // namespace backplane
