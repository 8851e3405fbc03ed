// SPDX-License-Identifier: BSD-3-Clause
// PFDEBUG, PFSELFTEST: what tests of the field look at. Engine thread.
#include <cmath>
#include <string>

#include "base/ascii.h"
#include "base/numbers.h"
#include "commands/hyperloglog/hyperloglog_commands.h"
#include "value/hyperloglog.h"

namespace backplane {
namespace {

// The string as dense, stored if it was sparse: looking at registers makes it so.
std::optional<std::string> MakeDense(CommandContext& ctx, Entry* entry, std::string_view bytes) {
  auto dense = hyperloglog::ToDense(bytes);
  if (!dense) {
    ReplyCorrupt(ctx);
    return std::nullopt;
  }
  if (hyperloglog::IsSparse(bytes)) {
    StoreBytes(ctx, entry, *dense);
    ctx.Dirty();
  }
  return dense;
}

void GetRegisters(CommandContext& ctx, Entry* entry, std::string_view bytes) {
  const auto dense = MakeDense(ctx, entry, bytes);
  if (!dense) return;
  hyperloglog::Registers registers = {};
  hyperloglog::MergeInto(*dense, &registers);
  ctx.reply().BeginArray(registers.size());
  for (uint8_t value : registers) ctx.reply().Integer(value);
}

void PfDebug(CommandContext& ctx) {
  bool failed;
  Entry* entry = ctx.FindForWrite(ctx.key(2), TypeId::kString, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.Error("ERR The specified key does not exist");
  char scratch[kNumberTextMax];
  const std::string_view bytes = entry->string(scratch);
  if (!CheckHyperLogLog(ctx, bytes)) return;
  const bool sparse = hyperloglog::IsSparse(bytes);
  if (ctx.ArgIs(1, "getreg")) return GetRegisters(ctx, entry, bytes);
  if (ctx.ArgIs(1, "encoding")) return ctx.reply().SimpleString(sparse ? "sparse" : "dense");
  if (ctx.ArgIs(1, "decode")) {
    if (!sparse) return ctx.Error("ERR HLL encoding is not sparse");
    const auto text = hyperloglog::DescribeSparse(bytes);
    return text ? ctx.reply().Bulk(*text) : ReplyCorrupt(ctx);
  }
  if (ctx.ArgIs(1, "todense")) {
    if (MakeDense(ctx, entry, bytes)) ctx.reply().Integer(sparse ? 1 : 0);
    return;
  }
  ctx.Error("ERR Unknown PFDEBUG subcommand '" + std::string(ctx.arg(1)) + "'");
}

// Adds elements to a sparse and a dense one side by side: they hold the same, and estimate well.
void PfSelfTest(CommandContext& ctx) {
  std::string sparse = hyperloglog::New();
  std::string dense = *hyperloglog::ToDense(sparse);
  for (uint64_t i = 1; i <= 100'000; ++i) {
    char text[kNumberTextMax];
    const auto place = hyperloglog::PlaceOf({text, Uint64ToText(i, text)});
    hyperloglog::AddToDense(dense.data(), place);
    if (hyperloglog::IsSparse(sparse)) {
      hyperloglog::AddToSparse(&sparse, place, ctx.limits().hll_sparse_max_bytes);
    } else {
      hyperloglog::AddToDense(sparse.data(), place);
    }
    if ((i & (i - 1)) != 0 && i != 100'000) continue;
    hyperloglog::Registers a = {};
    hyperloglog::Registers b = {};
    if (!hyperloglog::MergeInto(sparse, &a) || !hyperloglog::MergeInto(dense, &b) || a != b) {
      return ctx.Error("TESTFAILED sparse and dense registers differ after " + std::to_string(i) +
                       " elements");
    }
    // Six times the standard error of 16384 registers.
    const double off =
        std::abs(static_cast<double>(hyperloglog::Estimate(a)) - static_cast<double>(i));
    if (off > 1 + static_cast<double>(i) * 6 * 1.04 / 128) {
      return ctx.Error("TESTFAILED the estimate of " + std::to_string(i) + " elements is wrong");
    }
  }
  ctx.reply().Ok();
}

constexpr CommandSpec kCommands[] = {
    {.name = "pfdebug",
     .handler = PfDebug,
     .arity = 3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdAdmin,
     .keys = {2, 2, 1},
     .acl = kAclHyperLogLog,
     .key_flags = kKeyRW | kKeyAccess,
     .summary = "Shows the insides of a HyperLogLog, for tests.",
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(N)",
     .arguments = "subcommand key",
     .system = true},
    {.name = "pfselftest",
     .handler = PfSelfTest,
     .arity = 1,
     .flags = kCmdAdmin,
     .acl = kAclHyperLogLog,
     .summary = "Tests the HyperLogLog code of this server.",
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(1)",
     .system = true},
};

}  // namespace

void RegisterHyperLogLogDebug(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
