// SPDX-License-Identifier: BSD-3-Clause
#include "engine/slow_log.h"

#include "client/session.h"
#include "command/context.h"

namespace backplane {
namespace {

constexpr size_t kArgsMax = 32;
constexpr size_t kArgBytesMax = 128;

std::string Shortened(std::string_view arg) {
  if (arg.size() <= kArgBytesMax) return std::string(arg);
  return std::string(arg.substr(0, kArgBytesMax)) + "... (" +
         std::to_string(arg.size() - kArgBytesMax) + " more bytes)";
}

}  // namespace

std::string_view PeerOf(const Session& session) {
  return session.link() != nullptr ? std::string_view(session.link()->peer()) : "?:0";
}

bool IsSecretArg(CommandContext& ctx, size_t i) {
  if (ctx.redacted(i)) return true;
  // Rules of users may be passwords or hashes of them, and the names go with them.
  const std::string& name = ctx.command().fullname;
  return i >= 2 && name.starts_with("acl|") &&
         (name == "acl|setuser" || name == "acl|getuser" || name == "acl|deluser");
}

void SlowLog::Add(CommandContext& ctx, int64_t time_s, int64_t micros, size_t max_len) {
  Entry entry{next_id_++,        time_s, micros, {}, std::string(PeerOf(ctx.session())),
              ctx.session().name};
  const size_t argc = ctx.argc();
  // The last of the places says how many arguments found none.
  const size_t shown = argc > kArgsMax ? kArgsMax - 1 : argc;
  entry.args.reserve(shown + 1);
  for (size_t i = 0; i < shown; ++i) {
    entry.args.push_back(IsSecretArg(ctx, i) ? std::string(kRedactedText) : Shortened(ctx.arg(i)));
  }
  if (shown < argc) {
    entry.args.push_back("... (" + std::to_string(argc - shown) + " more arguments)");
  }
  entries_.push_front(std::move(entry));
  while (entries_.size() > max_len) entries_.pop_back();
}

}  // namespace backplane
