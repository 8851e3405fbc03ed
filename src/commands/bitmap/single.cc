// SPDX-License-Identifier: BSD-3-Clause
// SETBIT, GETBIT, and what writes to strings by bits.
#include "base/numbers.h"
#include "commands/bitmap/bitmap_commands.h"
#include "commands/families.h"
#include "config/settings.h"
#include "engine/engine.h"

namespace backplane {

void RegisterBitmapCommands(CommandRegistry& registry) {
  RegisterBitmapSingle(registry);
  RegisterBitmapCount(registry);
  RegisterBitmapCombine(registry);
  RegisterBitmapField(registry);
}

std::optional<uint64_t> BitOffsetArg(CommandContext& ctx, size_t i, unsigned width) {
  std::string_view text = ctx.arg(i);
  const bool by_width = width != 0 && text.starts_with('#');
  if (by_width) text.remove_prefix(1);
  const auto parsed = ParseInt64(text);
  int64_t offset = parsed.value_or(-1);
  const auto bytes_max = static_cast<uint64_t>(ctx.engine().settings().proto_max_bulk_len);
  if (offset < 0 || (by_width && __builtin_mul_overflow(offset, width, &offset)) ||
      static_cast<uint64_t>(offset) / 8 >= bytes_max) {
    ctx.Error("ERR bit offset is not an integer or out of range");
    return std::nullopt;
  }
  return static_cast<uint64_t>(offset);
}

std::optional<GrownString> GrowString(CommandContext& ctx, uint64_t bits) {
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kString, &failed);
  if (failed) return std::nullopt;
  const size_t old_size = entry == nullptr ? 0 : entry->string_size();
  GrownString grown;
  grown.size = std::max(old_size, static_cast<size_t>((bits + 7) / 8));
  grown.grown = entry == nullptr || grown.size > old_size;
  if (entry == nullptr) entry = ctx.db().SetString(key, "");
  grown.bytes = ctx.db().ResizeString(&entry, grown.size, false);
  return grown;
}

namespace {

constexpr unsigned char MaskOf(uint64_t bit) { return static_cast<unsigned char>(0x80 >> bit % 8); }

void SetBit(CommandContext& ctx) {
  const auto offset = BitOffsetArg(ctx, 2);
  if (!offset) return;
  const auto value = ctx.IntegerArgIn(3, 0, 1, "ERR bit is not an integer or out of range");
  if (!value) return;
  const auto string = GrowString(ctx, *offset + 1);
  if (!string) return;
  char& byte = string->bytes[*offset / 8];
  const unsigned char mask = MaskOf(*offset);
  const bool old = (static_cast<unsigned char>(byte) & mask) != 0;
  if (*value != 0) {
    byte = static_cast<char>(byte | mask);
  } else {
    byte = static_cast<char>(byte & ~mask);
  }
  ctx.reply().Integer(old ? 1 : 0);
  if (string->grown || old != (*value != 0)) ctx.Modified(ctx.arg(1), kNotifyString, "setbit");
}

void GetBit(CommandContext& ctx) {
  const auto offset = BitOffsetArg(ctx, 2);
  if (!offset) return;
  bool failed;
  Entry* entry = ctx.FindForRead(ctx.key(1), TypeId::kString, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  char scratch[kNumberTextMax];
  const std::string_view text = entry->string(scratch);
  const size_t at = *offset / 8;
  const bool bit =
      at < text.size() && (static_cast<unsigned char>(text[at]) & MaskOf(*offset)) != 0;
  ctx.reply().Integer(bit ? 1 : 0);
}

constexpr CommandSpec kCommands[] = {
    {.name = "setbit",
     .handler = SetBit,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 1, 1},
     .acl = kAclBitmap,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Sets a bit of a string, which grows if need be; replies with the old one.",
     .since = "2.2.0",
     .group = "bitmap",
     .complexity = "O(1)",
     .arguments = "key offset:integer value:integer"},
    {.name = "getbit",
     .handler = GetBit,
     .arity = 3,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclBitmap,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "A bit of a string; 0 behind its end.",
     .since = "2.2.0",
     .group = "bitmap",
     .complexity = "O(1)",
     .arguments = "key offset:integer"},
};

}  // namespace

void RegisterBitmapSingle(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
