// SPDX-License-Identifier: BSD-3-Clause
// The parts of the bitmap family, put together by RegisterBitmapCommands, and what they share. Bit
// 0 of a string is the highest bit of its first byte. Engine thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "command/context.h"

namespace backplane {

void RegisterBitmapSingle(CommandRegistry& registry);
void RegisterBitmapCount(CommandRegistry& registry);
void RegisterBitmapCombine(CommandRegistry& registry);
void RegisterBitmapField(CommandRegistry& registry);

// argv[i] as the number of a bit; "#n", if allowed, stands for n * width. nullopt after replying
// the error of what is no number or lies beyond the longest string.
std::optional<uint64_t> BitOffsetArg(CommandContext& ctx, size_t i, unsigned width = 0);

// A string that grows by what is written to it.
struct GrownString {
  char* bytes = nullptr;
  size_t size = 0;
  bool grown = false;
};
// The string at argv[1], made if there is none, with room for `bits` bits, in writable memory.
// nullopt after replying WRONGTYPE.
std::optional<GrownString> GrowString(CommandContext& ctx, uint64_t bits);

uint64_t CountBits(std::string_view bytes);
// The first bit of that value in [begin, end) bits; `end` if there is none.
uint64_t FindBit(std::string_view bytes, bool bit, uint64_t begin, uint64_t end);

}  // namespace backplane
