// SPDX-License-Identifier: BSD-3-Clause
// The timeout argument, and handing a command over to those that wait.
#include "commands/blocking.h"

#include <cmath>

#include "base/numbers.h"

namespace backplane {

std::optional<int64_t> TimeoutArg(CommandContext& ctx, size_t i) {
  const auto seconds = ctx.DoubleArg(i, "ERR timeout is not a float or out of range");
  if (!seconds) return std::nullopt;
  const double ms = std::ceil(*seconds * 1000);
  if (ms < 0) {
    ctx.Error("ERR timeout is negative");
    return std::nullopt;
  }
  // The end of the wait must be a time too.
  const auto ms_max = static_cast<double>(INT64_MAX - ctx.keyspace().now_ms());
  if (!(ms < ms_max)) {
    ctx.Error("ERR timeout is out of range");
    return std::nullopt;
  }
  return static_cast<int64_t>(ms);
}

std::optional<int64_t> MillisTimeoutArg(CommandContext& ctx, size_t i) {
  const auto ms = ctx.IntegerArg(i, "ERR timeout is not an integer or out of range");
  if (!ms) return std::nullopt;
  if (*ms < 0) {
    ctx.Error("ERR timeout is negative");
    return std::nullopt;
  }
  if (*ms > INT64_MAX - ctx.keyspace().now_ms()) {
    ctx.Error("ERR timeout is out of range");
    return std::nullopt;
  }
  return ms;
}

bool LooksAtKey(CommandContext& ctx, size_t i) {
  const BlockedCommands* commands = ctx.engine().blocked_commands();
  return commands == nullptr || commands->ready_key() == nullptr ||
         *commands->ready_key() == ctx.arg(i);
}

void WaitForKeys(CommandContext& ctx, size_t first, size_t end, TypeId type, int64_t timeout_ms,
                 BlockedCommands::TimeoutReply reply) {
  BlockedCommands::Wait wait{.type = type, .timeout_ms = timeout_ms, .reply = reply};
  for (size_t i = first; i < end; ++i) wait.keys.emplace_back(ctx.arg(i));
  BlockCommand(ctx, std::move(wait));
}

void BlockCommand(CommandContext& ctx, BlockedCommands::Wait wait) {
  BlockedCommands* commands = ctx.engine().blocked_commands();
  if (commands == nullptr) return BlockedCommands::ReplyTimeout(ctx.reply(), wait.reply);
  commands->Block(ctx, std::move(wait));
}

}  // namespace backplane
