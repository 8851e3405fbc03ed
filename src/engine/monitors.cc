// SPDX-License-Identifier: BSD-3-Clause
#include "engine/monitors.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/quoting.h"
#include "client/session.h"
#include "command/context.h"
#include "engine/slow_log.h"

namespace backplane {

std::string Monitors::Head(const Session& from) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  const int64_t now = WallMicros();
  std::string head =
      fmt::format("{}.{:06} [{} ", now / kMicrosPerSecond, now % kMicrosPerSecond, from.db_index);
  const ClientLink* link = from.link();
  if (from.kind() == Session::Kind::kScript) {
    head += "lua";
  } else if (link != nullptr && link->is_unix()) {
    // Without the ":0" that stands for the port.
    std::string_view path = link->local();
    head.append("unix:").append(path.substr(0, path.rfind(':')));
  } else {
    head += PeerOf(from);
  }
  head += ']';
  return head;
}

void Monitors::Send(std::string_view line) {
  for (Session* session : sessions_) session->OnMonitorLine(line);
}

void Monitors::Feed(CommandContext& ctx) {
  if (sessions_.empty()) return;
  std::string line = Head(ctx.session());
  for (size_t i = 0; i < ctx.argc(); ++i) {
    line += ' ';
    AppendQuoted(IsSecretArg(ctx, i) ? kRedactedText : ctx.arg(i), &line);
  }
  Send(line);
}

void Monitors::Feed(const Session& from, std::span<const std::string_view> args) {
  if (sessions_.empty()) return;
  std::string line = Head(from);
  for (std::string_view arg : args) {
    line += ' ';
    AppendQuoted(arg, &line);
  }
  Send(line);
}

}  // namespace backplane
