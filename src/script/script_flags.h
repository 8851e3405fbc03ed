// SPDX-License-Identifier: BSD-3-Clause
// What a script or function says about itself: in its first line, or when it is registered.
// Constants only: any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane {

enum ScriptFlag : uint32_t {
  kScriptNoWrites = 1u << 0,
  kScriptAllowOom = 1u << 1,
  kScriptAllowStale = 1u << 2,
  kScriptNoCluster = 1u << 3,
  kScriptAllowCrossSlotKeys = 1u << 4,
};

struct ScriptFlagName {
  ScriptFlag flag;
  std::string_view name;
};
inline constexpr ScriptFlagName kScriptFlagNames[] = {
    {kScriptNoWrites, "no-writes"},
    {kScriptAllowOom, "allow-oom"},
    {kScriptAllowStale, "allow-stale"},
    {kScriptNoCluster, "no-cluster"},
    {kScriptAllowCrossSlotKeys, "allow-cross-slot-keys"},
};

// 0 when there is none of this name.
constexpr uint32_t ScriptFlagByName(std::string_view name) {
  for (const ScriptFlagName& known : kScriptFlagNames) {
    if (known.name == name) return known.flag;
  }
  return 0;
}

}  // namespace backplane
