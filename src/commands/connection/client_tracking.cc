// SPDX-License-Identifier: BSD-3-Clause
// CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO.
#include "client/tracking.h"
#include "command/context.h"
#include "commands/connection/connection_commands.h"
#include "engine/engine.h"

namespace backplane {
namespace {

struct Request {
  bool on = false;
  TrackingOptions options;
  std::vector<std::string_view> prefixes;
};

// REDIRECT's id at argv[i]. False after replying an error.
bool ParseRedirect(CommandContext& ctx, size_t i, Request* request) {
  if (request->options.redirect != 0) {
    ctx.Error("ERR A client can only redirect to a single other client");
    return false;
  }
  const auto id = ctx.IntegerArg(i);
  if (!id) return false;
  // A client that goes later is found out when there is something to tell.
  SessionFinder* finder = ctx.engine().tracking().finder();
  request->options.redirect = static_cast<uint64_t>(*id);
  if (finder != nullptr && finder->FindSession(request->options.redirect) != nullptr) return true;
  ctx.Error("ERR The client ID you want redirect to does not exist");
  return false;
}

// False after replying an error.
bool ParseRequest(CommandContext& ctx, Request* request) {
  for (size_t i = 3; i < ctx.argc(); ++i) {
    const bool has_value = i + 1 < ctx.argc();
    if (ctx.ArgIs(i, "redirect") && has_value) {
      if (!ParseRedirect(ctx, ++i, request)) return false;
    } else if (ctx.ArgIs(i, "bcast")) {
      request->options.broadcast = true;
    } else if (ctx.ArgIs(i, "optin")) {
      request->options.opt_in = true;
    } else if (ctx.ArgIs(i, "optout")) {
      request->options.opt_out = true;
    } else if (ctx.ArgIs(i, "noloop")) {
      request->options.no_loop = true;
    } else if (ctx.ArgIs(i, "prefix") && has_value) {
      request->prefixes.push_back(ctx.arg(++i));
    } else {
      return ctx.Error(errors::kSyntax), false;
    }
  }
  request->on = ctx.ArgIs(2, "on");
  if (request->on || ctx.ArgIs(2, "off")) return true;
  return ctx.Error(errors::kSyntax), false;
}

// The mode may change only by way of OFF. False after replying an error.
bool CheckModes(CommandContext& ctx, const Request& request) {
  const TrackingOptions& options = request.options;
  if (!options.broadcast && !request.prefixes.empty()) {
    return ctx.Error("ERR PREFIX option requires BCAST mode to be enabled"), false;
  }
  const TrackingState* state = ctx.session().tracking.get();
  if (state != nullptr && state->options.broadcast != options.broadcast) {
    ctx.Error(
        "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and "
        "then re-enabling it with a different mode.");
    return false;
  }
  if (options.broadcast && (options.opt_in || options.opt_out)) {
    return ctx.Error("ERR OPTIN and OPTOUT are not compatible with BCAST"), false;
  }
  if (options.opt_in && options.opt_out) {
    return ctx.Error("ERR You can't specify both OPTIN mode and OPTOUT mode"), false;
  }
  if (state != nullptr &&
      ((options.opt_in && state->options.opt_out) || (options.opt_out && state->options.opt_in))) {
    ctx.Error(
        "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and "
        "then re-enabling it with a different mode.");
    return false;
  }
  return true;
}

bool Overlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

// False after replying an error.
bool CheckPrefixes(CommandContext& ctx, const std::vector<std::string_view>& prefixes) {
  auto refuse = [&](std::string_view prefix, std::string_view which, std::string_view other) {
    std::string text = "ERR Prefix '";
    text.append(prefix).append("' overlaps with ").append(which).append(" prefix '").append(other);
    ctx.Error(text + "'. Prefixes for a single client must not overlap.");
    return false;
  };
  const TrackingState* state = ctx.session().tracking.get();
  for (size_t i = 0; i < prefixes.size(); ++i) {
    if (state != nullptr) {
      for (const std::string& other : state->prefixes) {
        if (Overlap(prefixes[i], other)) return refuse(prefixes[i], "an existing", other);
      }
    }
    for (size_t j = i + 1; j < prefixes.size(); ++j) {
      if (Overlap(prefixes[i], prefixes[j])) {
        return refuse(prefixes[i], "another provided", prefixes[j]);
      }
    }
  }
  return true;
}

void Tracking(CommandContext& ctx) {
  Request request;
  if (!ParseRequest(ctx, &request)) return;
  ClientTracking& tracking = ctx.engine().tracking();
  if (request.on) {
    if (!CheckModes(ctx, request)) return;
    if (request.options.broadcast && !CheckPrefixes(ctx, request.prefixes)) return;
    tracking.Enable(ctx.session(), request.options, request.prefixes);
  } else {
    tracking.Disable(ctx.session());
  }
  ctx.reply().Ok();
}

void Caching(CommandContext& ctx) {
  TrackingState* state = ctx.session().tracking.get();
  if (state == nullptr) {
    return ctx.Error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  if (ctx.ArgIs(2, "yes")) {
    if (!state->options.opt_in) {
      return ctx.Error(
          "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
    }
  } else if (ctx.ArgIs(2, "no")) {
    if (!state->options.opt_out) {
      return ctx.Error(
          "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
    }
  } else {
    return ctx.Error(errors::kSyntax);
  }
  state->caching = true;
  ctx.reply().Ok();
}

int64_t RedirectOf(const Session& session) {
  if (session.tracking == nullptr) return -1;
  return static_cast<int64_t>(session.tracking->options.redirect);
}

void GetRedir(CommandContext& ctx) { ctx.reply().Integer(RedirectOf(ctx.session())); }

void TrackingInfo(CommandContext& ctx) {
  const TrackingState* state = ctx.session().tracking.get();
  std::vector<std::string_view> flags = {state != nullptr ? "on" : "off"};
  if (state != nullptr) {
    const TrackingOptions& options = state->options;
    if (options.broadcast) flags.push_back("bcast");
    if (options.opt_in) {
      flags.push_back("optin");
      if (state->caching) flags.push_back("caching-yes");
    }
    if (options.opt_out) {
      flags.push_back("optout");
      if (state->caching) flags.push_back("caching-no");
    }
    if (options.no_loop) flags.push_back("noloop");
    if (state->redirect_broken) flags.push_back("broken_redirect");
  }
  ReplySink& reply = ctx.reply();
  reply.BeginMap(3);
  reply.Bulk("flags");
  reply.BeginSet(flags.size());
  for (std::string_view flag : flags) reply.Bulk(flag);
  reply.Bulk("redirect");
  reply.Integer(RedirectOf(ctx.session()));
  reply.Bulk("prefixes");
  reply.BeginArray(state != nullptr ? state->prefixes.size() : 0);
  if (state == nullptr) return;
  for (const std::string& prefix : state->prefixes) reply.Bulk(prefix);
}

constexpr uint64_t kSub = kCmdNoScript | kCmdLoading | kCmdStale;

constexpr CommandSpec kCommands[] = {
    {.name = "client|tracking",
     .handler = Tracking,
     .arity = -3,
     .flags = kSub,
     .acl = kAclConnection,
     .summary = "Tells this connection when keys that it has read change.",
     .since = "6.0.0",
     .group = "connection",
     .complexity = "O(1), and what the options need",
     .arguments = "status(ON | OFF) [REDIRECT client-id:integer] [PREFIX prefix]... [BCAST] "
                  "[OPTIN] [OPTOUT] [NOLOOP]"},
    {.name = "client|caching",
     .handler = Caching,
     .arity = 3,
     .flags = kSub,
     .acl = kAclConnection,
     .summary = "Says whether the keys of the next command are tracked.",
     .since = "6.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "mode(YES | NO)"},
    {.name = "client|getredir",
     .handler = GetRedir,
     .arity = 2,
     .flags = kSub,
     .acl = kAclConnection,
     .summary = "The connection that is told of changed keys instead of this one.",
     .since = "6.0.0",
     .group = "connection",
     .complexity = "O(1)"},
    {.name = "client|trackinginfo",
     .handler = TrackingInfo,
     .arity = 2,
     .flags = kSub,
     .acl = kAclConnection,
     .summary = "How this connection is tracked.",
     .since = "6.2.0",
     .group = "connection",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterClientTrackingCommands(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
