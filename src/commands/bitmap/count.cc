// SPDX-License-Identifier: BSD-3-Clause
// BITCOUNT, BITPOS: reading many bits at once.
#include <algorithm>
#include <bit>
#include <cstring>

#include "base/numbers.h"
#include "commands/bitmap/bitmap_commands.h"

namespace backplane {
namespace {

uint64_t WordAt(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// Compiled for processors with a popcount instruction, and for the others.
__attribute__((target_clones("popcnt", "default"))) uint64_t CountWords(const char* bytes,
                                                                        size_t words) {
  // Four sums, so that no addition waits for the one before.
  uint64_t sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= words; i += 4) {
    for (size_t j = 0; j < 4; ++j) {
      sums[j] += static_cast<uint64_t>(__builtin_popcountll(WordAt(bytes + 8 * (i + j))));
    }
  }
  for (; i < words; ++i) {
    sums[0] += static_cast<uint64_t>(__builtin_popcountll(WordAt(bytes + 8 * i)));
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

bool BitAt(std::string_view bytes, uint64_t bit) {
  return (static_cast<unsigned char>(bytes[bit / 8]) >> (7 - bit % 8) & 1) != 0;
}

}  // namespace

uint64_t CountBits(std::string_view bytes) {
  const size_t words = bytes.size() / 8;
  uint64_t count = CountWords(bytes.data(), words);
  for (size_t i = words * 8; i < bytes.size(); ++i) {
    count += static_cast<uint64_t>(std::popcount(static_cast<unsigned char>(bytes[i])));
  }
  return count;
}

uint64_t FindBit(std::string_view bytes, bool bit, uint64_t begin, uint64_t end) {
  uint64_t at = begin;
  while (at < end && at % 8 != 0) {
    if (BitAt(bytes, at) == bit) return at;
    ++at;
  }
  // Whole words without such a bit, then the byte that has it.
  const uint64_t without = bit ? 0 : ~uint64_t{0};
  while (at + 64 <= end && WordAt(bytes.data() + at / 8) == without) at += 64;
  while (at + 8 <= end && bytes[at / 8] == static_cast<char>(without)) at += 8;
  while (at < end && BitAt(bytes, at) != bit) ++at;
  return at;
}

namespace {

// A range of a string as users give it: first and last, from the end if negative, in bytes or bits.
struct BitRange {
  bool empty = true;
  uint64_t first = 0;  // bits
  uint64_t last = 0;
};

BitRange RangeOf(int64_t first, int64_t last, bool in_bits, size_t size) {
  const int64_t total = static_cast<int64_t>(size) * (in_bits ? 8 : 1);
  BitRange range;
  if (first < 0) first = std::max<int64_t>(0, first + total);
  if (last < 0) last = std::max<int64_t>(0, last + total);
  last = std::min(last, total - 1);
  if (first > last) return range;
  range.empty = false;
  range.first = static_cast<uint64_t>(first) * (in_bits ? 1 : 8);
  range.last = in_bits ? static_cast<uint64_t>(last) : static_cast<uint64_t>(last) * 8 + 7;
  return range;
}

// The word behind the range, at argv[i] if it is there. nullopt after replying an error.
std::optional<bool> InBitsArg(CommandContext& ctx, size_t i) {
  if (ctx.argc() <= i) return false;
  if (ctx.ArgIs(i, "bit")) return true;
  if (ctx.ArgIs(i, "byte")) return false;
  ctx.Error(errors::kSyntax);
  return std::nullopt;
}

uint64_t CountRange(std::string_view text, const BitRange& range) {
  if (range.empty) return 0;
  const size_t first = range.first / 8;
  uint64_t count = CountBits(text.substr(first, range.last / 8 - first + 1));
  // What stands in the outer bytes beside the range.
  for (uint64_t bit = first * 8; bit < range.first; ++bit) count -= BitAt(text, bit) ? 1 : 0;
  for (uint64_t bit = range.last + 1; bit % 8 != 0; ++bit) count -= BitAt(text, bit) ? 1 : 0;
  return count;
}

void BitCount(CommandContext& ctx) {
  bool failed;
  Entry* entry = ctx.FindForRead(ctx.key(1), TypeId::kString, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  char scratch[kNumberTextMax];
  const std::string_view text = entry->string(scratch);
  if (ctx.argc() == 2) return ctx.reply().Integer(static_cast<int64_t>(CountBits(text)));
  if (ctx.argc() == 3 || ctx.argc() > 5) return ctx.Error(errors::kSyntax);
  const auto first = ctx.IntegerArg(2);
  if (!first) return;
  const auto last = ctx.IntegerArg(3);
  if (!last) return;
  // From the end backwards is nothing, whatever follows; BITPOS cuts both ends off at the start
  // first, and so finds a range in a string that is shorter.
  if (*first < 0 && *last < 0 && *first > *last) return ctx.reply().Integer(0);
  const auto in_bits = InBitsArg(ctx, 4);
  if (!in_bits) return;
  const BitRange range = RangeOf(*first, *last, *in_bits, text.size());
  ctx.reply().Integer(static_cast<int64_t>(CountRange(text, range)));
}

void BitPos(CommandContext& ctx) {
  const auto bit = ctx.IntegerArg(2);
  if (!bit) return;
  if (*bit != 0 && *bit != 1) return ctx.Error("ERR The bit argument must be 1 or 0.");
  bool failed;
  Entry* entry = ctx.FindForRead(ctx.key(1), TypeId::kString, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(*bit == 1 ? -1 : 0);
  char scratch[kNumberTextMax];
  const std::string_view text = entry->string(scratch);
  if (ctx.argc() > 6) return ctx.Error(errors::kSyntax);
  std::optional<int64_t> first = 0;
  std::optional<int64_t> last = -1;
  if (ctx.argc() > 3) first = ctx.IntegerArg(3);
  if (!first) return;
  const auto in_bits = InBitsArg(ctx, 5);
  if (!in_bits) return;
  const bool has_end = ctx.argc() > 4;
  if (has_end) last = ctx.IntegerArg(4);
  if (!last) return;
  const BitRange range = RangeOf(*first, *last, *in_bits, text.size());
  if (range.empty) return ctx.reply().Integer(-1);
  const uint64_t found = FindBit(text, *bit == 1, range.first, range.last + 1);
  if (found <= range.last) return ctx.reply().Integer(static_cast<int64_t>(found));
  // A string that has no end given goes on with zeros.
  ctx.reply().Integer(*bit == 0 && !has_end ? static_cast<int64_t>(found) : -1);
}

constexpr CommandSpec kCommands[] = {
    {.name = "bitcount",
     .handler = BitCount,
     .arity = -2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclBitmap,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "How many bits of a string, or a range of it, are set.",
     .since = "2.6.0",
     .group = "bitmap",
     .complexity = "O(N) in the bytes looked at",
     .arguments = "key [range(start:integer end:integer [unit@7.0.0(BYTE | BIT)])]",
     .history = "7.0.0: `BYTE` and `BIT`"},
    {.name = "bitpos",
     .handler = BitPos,
     .arity = -3,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclBitmap,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Where the first bit of a value stands in a string, or a range of it.",
     .since = "2.8.7",
     .group = "bitmap",
     .complexity = "O(N) in the bytes looked at",
     .arguments = "key bit:integer [range(start:integer [end-unit-block(end:integer "
                  "[unit@7.0.0(BYTE | BIT)])])]",
     .history = "7.0.0: `BYTE` and `BIT`"},
};

}  // namespace

void RegisterBitmapCount(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
