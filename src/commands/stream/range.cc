// SPDX-License-Identifier: BSD-3-Clause
// XRANGE and XREVRANGE.
#include "commands/collection.h"
#include "commands/stream/stream_commands.h"

namespace backplane {
namespace {

void Range(CommandContext& ctx, bool reverse) {
  const auto range = StreamRangeArgs(ctx, reverse ? 3 : 2, reverse ? 2 : 3);
  if (!range) return;
  std::optional<int64_t> count;
  for (size_t i = 4; i < ctx.argc(); i += 2) {
    if (i + 1 == ctx.argc() || !ctx.ArgIs(i, "count")) return ctx.Error(errors::kSyntax);
    count = ctx.IntegerArg(i + 1);
    if (!count) return;
  }
  bool failed;
  const auto* stream = FindValueForRead<StreamValue>(ctx, 1, TypeId::kStream, &failed);
  if (failed) return;
  if (stream == nullptr) return ctx.reply().BeginArray(0);
  if (count && *count <= 0) return ctx.reply().NullArray();
  StreamReader reader(stream->log(), range->first, range->last, reverse);
  ReplyStreamEntries(ctx.reply(), reader, count ? static_cast<uint64_t>(*count) : 0);
}

void XRange(CommandContext& ctx) { Range(ctx, false); }
void XRevRange(CommandContext& ctx) { Range(ctx, true); }

constexpr CommandSpec kCommands[] = {
    {.name = "xrange",
     .handler = XRange,
     .arity = -4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The entries between two ids, oldest first.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(N) in the entries returned",
     .arguments = "key start end [COUNT count:integer]",
     .history = "6.2.0: ranges without their ends"},
    {.name = "xrevrange",
     .handler = XRevRange,
     .arity = -4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The entries between two ids, newest first.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(N) in the entries returned",
     .arguments = "key end start [COUNT count:integer]",
     .history = "6.2.0: ranges without their ends"},
};

}  // namespace

void RegisterStreamRange(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
