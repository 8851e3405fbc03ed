// SPDX-License-Identifier: BSD-3-Clause
// BITFIELD, BITFIELD_RO: integers of any width at any bit of a string.
#include <cstring>
#include <vector>

#include "base/ascii.h"
#include "base/numbers.h"
#include "commands/bitmap/bitmap_commands.h"

namespace backplane {
namespace {

enum class Overflow : uint8_t { kWrap, kSaturate, kFail };

struct FieldType {
  bool is_signed = false;
  unsigned width = 0;

  int64_t low() const { return is_signed ? -1 - high() : 0; }
  int64_t high() const {
    return static_cast<int64_t>((uint64_t{1} << (width - (is_signed ? 1 : 0))) - 1);
  }
};

struct FieldOperation {
  enum class Kind : uint8_t { kGet, kSet, kIncrease } kind = Kind::kGet;
  Overflow overflow = Overflow::kWrap;
  FieldType type;
  uint64_t offset = 0;
  int64_t operand = 0;
};

std::optional<FieldType> FieldTypeArg(CommandContext& ctx, size_t i) {
  const std::string_view text = ctx.arg(i);
  FieldType type;
  type.is_signed = text.starts_with('i');
  if (type.is_signed || text.starts_with('u')) {
    const auto width = ParseInt64(text.substr(1));
    if (width && *width >= 1 && *width <= (type.is_signed ? 64 : 63)) {
      type.width = static_cast<unsigned>(*width);
      return type;
    }
  }
  ctx.Error(
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
      "i64 is.");
  return std::nullopt;
}

std::optional<Overflow> OverflowArg(CommandContext& ctx, size_t i) {
  if (ctx.ArgIs(i, "wrap")) return Overflow::kWrap;
  if (ctx.ArgIs(i, "sat")) return Overflow::kSaturate;
  if (ctx.ArgIs(i, "fail")) return Overflow::kFail;
  ctx.Error("ERR Invalid OVERFLOW type specified");
  return std::nullopt;
}

// Type, offset and, where it has one, operand of the operation at argv[*i]; *i moves on to its
// last.
bool ParseOperation(CommandContext& ctx, size_t* i, FieldOperation* operation) {
  using Kind = FieldOperation::Kind;
  if (ctx.ArgIs(*i, "get") && *i + 2 < ctx.argc()) {
    operation->kind = Kind::kGet;
  } else if (ctx.ArgIs(*i, "set") && *i + 3 < ctx.argc()) {
    operation->kind = Kind::kSet;
  } else if (ctx.ArgIs(*i, "incrby") && *i + 3 < ctx.argc()) {
    operation->kind = Kind::kIncrease;
  } else {
    ctx.Error(errors::kSyntax);
    return false;
  }
  const auto type = FieldTypeArg(ctx, *i + 1);
  if (!type) return false;
  const auto offset = BitOffsetArg(ctx, *i + 2, type->width);
  if (!offset) return false;
  operation->type = *type;
  operation->offset = *offset;
  *i += 2;
  if (operation->kind == Kind::kGet) return true;
  const auto operand = ctx.IntegerArg(++*i);
  if (!operand) return false;
  operation->operand = *operand;
  return true;
}

std::optional<std::vector<FieldOperation>> ParseOperations(CommandContext& ctx) {
  std::vector<FieldOperation> operations;
  Overflow overflow = Overflow::kWrap;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "overflow") && i + 1 < ctx.argc()) {
      const auto named = OverflowArg(ctx, ++i);
      if (!named) return std::nullopt;
      overflow = *named;
      continue;
    }
    FieldOperation operation;
    operation.overflow = overflow;
    if (!ParseOperation(ctx, &i, &operation)) return std::nullopt;
    operations.push_back(operation);
  }
  return operations;
}

// The field's bits, at most 64, zeros behind the end of the string.
uint64_t ReadBits(std::string_view bytes, uint64_t offset, unsigned width) {
  // Nine bytes hold any field.
  unsigned char window[9] = {};
  const size_t first = offset / 8;
  if (first < bytes.size()) {
    std::memcpy(window, bytes.data() + first, std::min(sizeof(window), bytes.size() - first));
  }
  uint64_t high = 0;
  for (size_t i = 0; i < 8; ++i) high = high << 8 | window[i];
  const unsigned shift = offset % 8;
  if (shift != 0) high = high << shift | window[8] >> (8 - shift);
  return high >> (64 - width);
}

// REQUIRES: the string holds the field.
void WriteBits(char* bytes, uint64_t offset, unsigned width, uint64_t value) {
  for (unsigned i = 0; i < width; ++i) {
    const uint64_t bit = offset + i;
    const auto mask = static_cast<unsigned char>(0x80 >> bit % 8);
    auto byte = static_cast<unsigned char>(bytes[bit / 8]);
    byte = (value >> (width - 1 - i) & 1) != 0 ? byte | mask : byte & ~mask;
    bytes[bit / 8] = static_cast<char>(byte);
  }
}

int64_t ToValue(const FieldType& type, uint64_t bits) {
  if (type.is_signed && type.width < 64 && (bits >> (type.width - 1) & 1) != 0) {
    bits |= ~uint64_t{0} << type.width;
  }
  return static_cast<int64_t>(bits);
}

// What a field holds after `old` + `step` (INCRBY), or 0 + operand (SET). nullopt: it does not fit,
// and the operation is to fail.
std::optional<int64_t> Fit(const FieldOperation& operation, int64_t old) {
  const FieldType& type = operation.type;
  int64_t sum;  // of 64 bits; what is beyond them is cut off
  const bool wraps = __builtin_add_overflow(old, operation.operand, &sum);
  // An operand of SET is taken for what the field holds: of a u-field, a number without a sign.
  const bool huge =
      operation.kind == FieldOperation::Kind::kSet && !type.is_signed && operation.operand < 0;
  const bool above = huge || (wraps ? operation.operand > 0 : sum > type.high());
  const bool below = !huge && (wraps ? operation.operand < 0 : sum < type.low());
  if (!above && !below) return sum;
  switch (operation.overflow) {
    case Overflow::kWrap:
      break;
    case Overflow::kSaturate:
      return above ? type.high() : type.low();
    case Overflow::kFail:
      return std::nullopt;
  }
  const auto bits = static_cast<uint64_t>(sum) & ~uint64_t{0} >> (64 - type.width);
  return ToValue(type, bits);
}

// Does what writes, replying; true if it changed a bit, or is one of those that made the string
// grow.
bool Write(ReplySink& reply, const FieldOperation& operation, const GrownString& string) {
  const FieldType& type = operation.type;
  const uint64_t before = ReadBits({string.bytes, string.size}, operation.offset, type.width);
  const int64_t old = ToValue(type, before);
  const bool sets = operation.kind == FieldOperation::Kind::kSet;
  const auto fresh = Fit(operation, sets ? 0 : old);
  if (!fresh) {
    reply.Null();
    return false;
  }
  reply.Integer(sets ? old : *fresh);
  const uint64_t after = static_cast<uint64_t>(*fresh) & ~uint64_t{0} >> (64 - type.width);
  if (after == before) return string.grown;
  WriteBits(string.bytes, operation.offset, type.width, after);
  return true;
}

void RunReads(CommandContext& ctx, const std::vector<FieldOperation>& operations) {
  bool failed;
  Entry* entry = ctx.FindForRead(ctx.key(1), TypeId::kString, &failed);
  if (failed) return;
  char scratch[kNumberTextMax];
  const std::string_view text = entry == nullptr ? std::string_view() : entry->string(scratch);
  ctx.reply().BeginArray(operations.size());
  for (const FieldOperation& operation : operations) {
    const uint64_t bits = ReadBits(text, operation.offset, operation.type.width);
    ctx.reply().Integer(ToValue(operation.type, bits));
  }
}

void BitField(CommandContext& ctx) {
  const auto operations = ParseOperations(ctx);
  if (!operations) return;
  uint64_t bits = 0;
  for (const FieldOperation& operation : *operations) {
    if (operation.kind == FieldOperation::Kind::kGet) continue;
    bits = std::max(bits, operation.offset + operation.type.width);
  }
  if (bits == 0) return RunReads(ctx, *operations);
  const auto string = GrowString(ctx, bits);
  if (!string) return;
  ctx.reply().BeginArray(operations->size());
  uint64_t changes = 0;
  for (const FieldOperation& operation : *operations) {
    if (operation.kind == FieldOperation::Kind::kGet) {
      const uint64_t field =
          ReadBits({string->bytes, string->size}, operation.offset, operation.type.width);
      ctx.reply().Integer(ToValue(operation.type, field));
    } else if (Write(ctx.reply(), operation, *string)) {
      ++changes;
    }
  }
  if (changes > 0) {
    ctx.Modified(ctx.arg(1), kNotifyString, "setbit", changes);
  } else if (string->grown) {
    // No field has changed, as far as anybody is told; the string has.
    ctx.ForcePropagation();
  }
}

void BitFieldRo(CommandContext& ctx) {
  const auto operations = ParseOperations(ctx);
  if (!operations) return;
  for (const FieldOperation& operation : *operations) {
    if (operation.kind != FieldOperation::Kind::kGet) {
      return ctx.Error("ERR BITFIELD_RO only supports the GET subcommand");
    }
  }
  RunReads(ctx, *operations);
}

// Without SET and INCRBY nothing is written.
uint32_t BitFieldKeyFlags(std::span<const std::string_view> args) {
  constexpr size_t kGetWords = 3;
  constexpr size_t kOverflowWords = 2;
  for (size_t i = 2; i < args.size();) {
    if (EqualsIgnoreCase(args[i], "get")) {
      i += kGetWords;
    } else if (EqualsIgnoreCase(args[i], "overflow")) {
      i += kOverflowWords;
    } else {
      return kKeyRW | kKeyAccess | kKeyUpdate;
    }
  }
  return kKeyRO | kKeyAccess;
}

constexpr CommandSpec kCommands[] = {
    {.name = "bitfield",
     .handler = BitField,
     .arity = -2,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 1, 1},
     .acl = kAclBitmap,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags,
     .summary = "Reads and writes integers of any width within a string.",
     .since = "3.2.0",
     .group = "bitmap",
     .complexity = "O(1) for each operation",
     .key_flags_of_call = BitFieldKeyFlags,
     .arguments =
         "key [operation(GET get-block(encoding offset:integer) | write([OVERFLOW "
         "overflow-block(WRAP | SAT | FAIL)] write-operation(SET set-block(encoding offset:integer "
         "value:integer) | INCRBY incrby-block(encoding offset:integer increment:integer))))...]",
     .key_notes = "what each operation does to the key: GET reads, the others write"},
    {.name = "bitfield_ro",
     .handler = BitFieldRo,
     .arity = -2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclBitmap,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Reads integers of any width within a string.",
     .since = "6.0.0",
     .group = "bitmap",
     .complexity = "O(1) for each operation",
     .arguments = "key [GET get-block(encoding offset:integer)]..."},
};

}  // namespace

void RegisterBitmapField(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
