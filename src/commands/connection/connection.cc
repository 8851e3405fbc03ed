// SPDX-License-Identifier: BSD-3-Clause
// PING, ECHO, SELECT, AUTH, HELLO, RESET, QUIT, WAIT.
#include "base/ascii.h"
#include "base/numbers.h"
#include "base/version.h"
#include "command/context.h"
#include "commands/blocking.h"
#include "commands/connection/connection_commands.h"
#include "engine/blocked_commands.h"
#include "engine/call_records.h"
#include "engine/engine.h"

namespace backplane {
namespace {

constexpr std::string_view kWrongPass =
    "WRONGPASS invalid username-password pair or user is disabled.";
constexpr std::string_view kAuthWithoutPassword =
    "ERR AUTH <password> called without any password configured for the default user. Are you sure "
    "your configuration "
    "is correct?";

void Ping(CommandContext& ctx) {
  if (ctx.argc() > 2) return ctx.Error(errors::WrongArity("ping"));
  bool in_subscription = ctx.session().subscribed() && ctx.reply().resp() == 2;
  if (in_subscription) {
    ctx.reply().BeginArray(2);
    ctx.reply().Bulk("pong");
    ctx.reply().Bulk(ctx.argc() == 2 ? ctx.arg(1) : std::string_view());
  } else if (ctx.argc() == 2) {
    ctx.reply().Bulk(ctx.arg(1));
  } else {
    ctx.reply().SimpleString("PONG");
  }
}

void Echo(CommandContext& ctx) { ctx.reply().Bulk(ctx.arg(1)); }

void Select(CommandContext& ctx) {
  auto index = ctx.DatabaseArg(1);
  if (!index) return;
  ctx.session().db_index = *index;
  ctx.reply().Ok();
}

bool Authenticate(CommandContext& ctx, std::string_view name, std::string_view password) {
  Session& session = ctx.session();
  if (LoginHook* hook = ctx.engine().login_hook()) {
    std::string error;
    const LoginHook::Outcome outcome = hook->Login(session, name, password, &error);
    // The command runs again when the answer is there.
    if (session.blocked()) return false;
    switch (outcome) {
      case LoginHook::Outcome::kLoggedIn:
        return true;
      case LoginHook::Outcome::kRefused:
        // A text of the module's with a code of its own has a dash in front.
        if (error.empty()) {
          ctx.Error(kWrongPass);
        } else {
          ctx.Error(error.starts_with('-') ? error.substr(1) : "ERR " + error);
        }
        return false;
      case LoginHook::Outcome::kNotHandled:
        break;
    }
  }
  const Users* users = ctx.engine().users();
  auto user = users == nullptr ? nullptr : users->Login(name, password);
  if (user == nullptr) {
    AclLog::Entry entry;
    entry.reason = AclLog::Reason::kAuth;
    if (session.executing_transaction) entry.context = AclLog::Context::kMulti;
    entry.object = ctx.arg(0);
    entry.username = name;
    ctx.engine().LogDenial(std::move(entry), session);
    ctx.Error(kWrongPass);
    return false;
  }
  session.SetUser(std::move(user), true);
  return true;
}

void Auth(CommandContext& ctx) {
  if (ctx.argc() > 3) return ctx.Error(errors::kSyntax);
  for (size_t i = 1; i < ctx.argc(); ++i) ctx.Redact(i);
  const Users* users = ctx.engine().users();
  if (ctx.argc() == 2 && (users == nullptr || users->default_user()->nopass()))
    return ctx.Error(kAuthWithoutPassword);
  bool named = ctx.argc() == 3;
  if (Authenticate(ctx, named ? ctx.arg(1) : Users::kDefaultName, ctx.arg(named ? 2 : 1))) {
    ctx.reply().Ok();
  }
}

bool ValidClientName(std::string_view name) {
  for (char c : name) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

struct HelloOptions {
  std::string_view user, password, name;
  bool auth = false;
  bool set_name = false;
};

bool ParseHello(CommandContext& ctx, HelloOptions* options) {
  for (size_t i = 2; i < ctx.argc(); ++i) {
    size_t more = ctx.argc() - 1 - i;
    if (ctx.ArgIs(i, "auth") && more >= 2) {
      options->auth = true;
      options->user = ctx.arg(i + 1);
      options->password = ctx.arg(i + 2);
      ctx.Redact(i + 1);
      ctx.Redact(i + 2);
      i += 2;
    } else if (ctx.ArgIs(i, "setname") && more >= 1) {
      options->set_name = true;
      options->name = ctx.arg(++i);
      if (!ValidClientName(options->name)) {
        ctx.Error("ERR Client names cannot contain spaces, newlines or special characters.");
        return false;
      }
    } else {
      ctx.Error("ERR Syntax error in HELLO option '" + std::string(ctx.arg(i)) + "'");
      return false;
    }
  }
  return true;
}

void Hello(CommandContext& ctx) {
  int64_t version = ctx.reply().resp();
  if (ctx.argc() >= 2) {
    auto wanted = ctx.IntegerArg(1, "ERR Protocol version is not an integer or out of range");
    if (!wanted) return;
    if (*wanted < 2 || *wanted > 3) return ctx.Error("NOPROTO unsupported protocol version");
    version = *wanted;
  }
  HelloOptions options;
  if (!ParseHello(ctx, &options)) return;
  Session& session = ctx.session();
  if (options.auth && !Authenticate(ctx, options.user, options.password)) return;
  if (!session.authenticated) {
    return ctx.Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "<proto> AUTH <user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version "
        "at the same time");
  }
  if (options.set_name) session.name = options.name;
  ReplySink& reply = ctx.reply();
  reply.set_resp(static_cast<int>(version));
  auto* modules = ctx.owner<ConnectionServices>().modules;
  reply.BeginMap(7);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(kCompatVersion);
  reply.Bulk("proto");
  reply.Integer(version);
  reply.Bulk("id");
  reply.Integer(static_cast<int64_t>(session.id()));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("modules");
  if (modules != nullptr) {
    modules->ReplyModules(reply);
  } else {
    reply.BeginArray(0);
  }
}

void Reset(CommandContext& ctx) {
  Session& session = ctx.session();
  ctx.engine().pubsub().UnsubscribeAll(session);
  ctx.keyspace().watches().Unwatch(session.watcher);
  ctx.engine().records().RemoveMonitor(session);
  const Users* users = ctx.engine().users();
  session.Reset(users == nullptr ? nullptr : users->default_user(), !ctx.engine().LoginRequired());
  ctx.reply().set_resp(2);
  ctx.reply().SimpleString("RESET");
}

void Quit(CommandContext& ctx) {
  ctx.reply().Ok();
  if (ctx.session().link() != nullptr) ctx.session().link()->CloseAfterReply();
}

// A browser was made to send a request here: what follows the headers could be commands.
void RefuseHttp(CommandContext& ctx) {
  ctx.engine().logger().Warning(
      "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands "
      "to Backplane. This is "
      "likely due to an attacker attempting to use Cross Protocol Scripting to compromise your "
      "instance. Connection "
      "from " +
      (ctx.session().link() != nullptr ? ctx.session().link()->peer() : std::string("?")) +
      " aborted.");
  ctx.PreventPropagation();
  if (ctx.session().link() != nullptr) ctx.session().link()->Close();
}

constexpr uint64_t kAlways = kCmdFast | kCmdNoScript | kCmdLoading | kCmdStale | kCmdAllowBusy;

// There are no replicas yet, so only the time can end a wait for one.
void Wait(CommandContext& ctx) {
  const auto replicas = ctx.IntegerArg(1);
  if (!replicas) return;
  const auto timeout_ms = MillisTimeoutArg(ctx, 2);
  if (!timeout_ms) return;
  BlockedCommands* commands = ctx.engine().blocked_commands();
  if (*replicas <= 0 || commands == nullptr) return ctx.reply().Integer(0);
  BlockedCommands::Wait wait;
  wait.timeout_ms = *timeout_ms;
  wait.reply = BlockedCommands::TimeoutReply::kZero;
  commands->Block(ctx, std::move(wait));
}

constexpr CommandSpec kCommands[] = {
    {.name = "ping",
     .handler = Ping,
     .arity = -1,
     .flags = kCmdFast | kCmdSubscribedOk,
     .acl = kAclConnection,
     .summary = "Answers PONG, or its argument.",
     .since = "1.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "[message]",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "echo",
     .handler = Echo,
     .arity = 2,
     .flags = kCmdFast | kCmdLoading | kCmdStale,
     .acl = kAclConnection,
     .summary = "Returns its argument.",
     .since = "1.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "message"},
    {.name = "select",
     .handler = Select,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale | kCmdFast,
     .acl = kAclConnection,
     .summary = "Changes the database of this connection.",
     .since = "1.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "index:integer"},
    {.name = "auth",
     .handler = Auth,
     .arity = -2,
     .flags = kAlways | kCmdNoAuth | kCmdSubscribedOk,
     .acl = kAclConnection,
     .summary = "Authenticates this connection.",
     .since = "1.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "[username@6.0.0] password",
     .history = "6.0.0: a username in front of the password"},
    {.name = "hello",
     .handler = Hello,
     .arity = -1,
     .flags = kAlways | kCmdNoAuth,
     .acl = kAclConnection,
     .summary = "Tells about the server and switches the protocol version.",
     .since = "6.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments =
         "[arguments(protover:integer [AUTH auth(username password)] [SETNAME clientname])]",
     .history = "6.2.0: no argument is needed, and without any it only describes the connection"},
    {.name = "reset",
     .handler = Reset,
     .arity = 1,
     .flags = kAlways | kCmdNoAuth | kCmdNotQueued | kCmdSubscribedOk,
     .acl = kAclConnection,
     .summary = "Puts the connection back to its initial state.",
     .since = "6.2.0",
     .group = "connection",
     .complexity = "O(1)"},
    {.name = "quit",
     .handler = Quit,
     .arity = -1,
     .flags = kAlways | kCmdNoAuth | kCmdNotQueued | kCmdSubscribedOk,
     .acl = kAclConnection,
     .summary = "Closes the connection.",
     .since = "1.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .deprecated = "7.2.0: closing the connection"},
    {.name = "wait",
     .handler = Wait,
     .arity = 3,
     .flags = 0,
     .acl = kAclConnection,
     .summary = "Waits until replicas have what this connection wrote.",
     .since = "3.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "numreplicas:integer timeout:integer",
     .tips = "request_policy:all_shards response_policy:agg_min"},
    {.name = "post",
     .handler = RefuseHttp,
     .arity = -1,
     .flags = kAlways | kCmdReadonly | kCmdNoAuth,
     .summary = "No command: closes connections of web browsers."},
    {.name = "host:",
     .handler = RefuseHttp,
     .arity = -1,
     .flags = kAlways | kCmdReadonly | kCmdNoAuth,
     .summary = "No command: closes connections of web browsers."},
};

}  // namespace

void RegisterConnectionCommands(CommandRegistry& registry, ConnectionServices& services) {
  registry.Add(kCommands, &services);
}

}  // namespace backplane
