// SPDX-License-Identifier: BSD-3-Clause
// The parts of the family of commands that work on any key, and the SCAN helper that the other
// families share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command/context.h"

namespace backplane {

void RegisterKeyBasics(CommandRegistry& registry);
void RegisterKeyExpiry(CommandRegistry& registry);
void RegisterKeyScan(CommandRegistry& registry);
void RegisterKeyMoves(CommandRegistry& registry);
void RegisterKeyObject(CommandRegistry& registry);
void RegisterKeySort(CommandRegistry& registry);

// The options of SCAN, SSCAN, HSCAN, ZSCAN.
struct ScanOptions {
  uint64_t cursor = 0;
  int64_t count = 10;
  std::string_view pattern;  // valid when has_pattern
  bool has_pattern = false;
  std::string_view type;  // SCAN only
  // Whether an element passes MATCH.
  bool Matches(std::string_view element) const;
};
// Reads the cursor at argv[cursor_arg] and the options behind it; nullopt after replying an error.
std::optional<ScanOptions> ParseScan(CommandContext& ctx, size_t cursor_arg, bool allow_type);
// "[cursor, [elements]]".
void ReplyScan(CommandContext& ctx, uint64_t cursor, const std::vector<std::string>& elements);

}  // namespace backplane
