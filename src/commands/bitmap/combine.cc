// SPDX-License-Identifier: BSD-3-Clause
// BITOP: bitwise operations on whole strings, shorter ones going on with zeros.
#include <algorithm>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "commands/bitmap/bitmap_commands.h"

namespace backplane {
namespace {

enum class Operation : uint8_t { kAnd, kOr, kXor, kNot };

std::optional<Operation> OperationArg(CommandContext& ctx) {
  if (ctx.ArgIs(1, "and")) return Operation::kAnd;
  if (ctx.ArgIs(1, "or")) return Operation::kOr;
  if (ctx.ArgIs(1, "xor")) return Operation::kXor;
  if (ctx.ArgIs(1, "not")) return Operation::kNot;
  ctx.Error(errors::kSyntax);
  return std::nullopt;
}

// A plain loop over bytes: the compiler makes it one over the widest registers.
template <class F>
void Apply(char* target, const char* source, size_t size, F f) {
  for (size_t i = 0; i < size; ++i) target[i] = static_cast<char>(f(target[i], source[i]));
}

void Combine(Operation operation, std::string* target, std::string_view source) {
  switch (operation) {
    case Operation::kAnd:
      Apply(target->data(), source.data(), source.size(), [](char a, char b) { return a & b; });
      std::fill(target->begin() + static_cast<ptrdiff_t>(source.size()), target->end(), '\0');
      return;
    case Operation::kOr:
      return Apply(target->data(), source.data(), source.size(),
                   [](char a, char b) { return a | b; });
    case Operation::kXor:
      return Apply(target->data(), source.data(), source.size(),
                   [](char a, char b) { return a ^ b; });
    case Operation::kNot:
      return Apply(target->data(), source.data(), source.size(), [](char, char b) { return ~b; });
  }
}

void BitOp(CommandContext& ctx) {
  const auto operation = OperationArg(ctx);
  if (!operation) return;
  if (*operation == Operation::kNot && ctx.argc() != 4) {
    return ctx.Error("ERR BITOP NOT must be called with a single source key.");
  }
  struct Source {
    std::string_view bytes;
    char scratch[kNumberTextMax];
  };
  std::vector<Source> sources(ctx.argc() - 3);
  size_t size = 0;
  for (size_t i = 0; i < sources.size(); ++i) {
    bool failed;
    Entry* entry = ctx.FindForRead(ctx.key(i + 3), TypeId::kString, &failed);
    if (failed) return;
    if (entry != nullptr) sources[i].bytes = entry->string(sources[i].scratch);
    size = std::max(size, sources[i].bytes.size());
  }
  const Key key = ctx.key(2);
  ctx.reply().Integer(static_cast<int64_t>(size));
  if (size == 0) {
    if (ctx.db().Delete(key)) ctx.Modified(key.bytes, kNotifyGeneric, "del");
    return;
  }
  std::string result(size, '\0');
  std::copy(sources[0].bytes.begin(), sources[0].bytes.end(), result.begin());
  const bool negates = *operation == Operation::kNot;
  for (size_t i = negates ? 0 : 1; i < sources.size(); ++i) {
    Combine(*operation, &result, sources[i].bytes);
  }
  Entry* entry = ctx.db().SetString(key, result);
  // Users see it as "raw", as everything that bits were written to.
  ctx.db().ResizeString(&entry, size, false);
  ctx.Modified(key.bytes, kNotifyString, "set");
}

constexpr KeySpec kKeys[] = {{.flags = kKeyOW | kKeyUpdate, .begin = 2},
                             {.flags = kKeyRO | kKeyAccess, .begin = 3, .last = -1}};

constexpr CommandSpec kCommands[] = {
    {.name = "bitop",
     .handler = BitOp,
     .arity = -4,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {2, -1, 1},
     .acl = kAclBitmap,
     .summary = "Stores what a bitwise operation makes of strings.",
     .since = "2.6.0",
     .group = "bitmap",
     .complexity = "O(N) in the bytes of the longest string",
     .key_specs = kKeys,
     .arguments = "operation(AND | OR | XOR | NOT) destkey:key key..."},
};

}  // namespace

void RegisterBitmapCombine(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
