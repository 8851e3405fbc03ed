// SPDX-License-Identifier: BSD-3-Clause
// CLIENT and its subcommands.
#include <algorithm>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/numbers.h"
#include "command/context.h"
#include "commands/connection/connection_commands.h"
#include "commands/help.h"
#include "engine/client_pause.h"
#include "engine/clients.h"

namespace backplane {
namespace {

constexpr std::string_view kBadName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

bool ValidName(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '!' && c <= '~'; });
}

Clients* ClientsOf(CommandContext& ctx) { return ctx.owner<ConnectionServices>().clients; }

std::string FlagsText(const Session& session) {
  std::string flags;
  if (session.monitor) flags += 'O';
  if (session.subscribed()) flags += 'P';
  if (session.transaction != nullptr) flags += 'x';
  if (session.watcher.touched()) flags += 'd';
  if (session.blocked()) flags += 'b';
  if (const TrackingState* tracking = session.tracking.get()) {
    flags += 't';
    if (tracking->redirect_broken) flags += 'R';
    if (tracking->options.broadcast) flags += 'B';
  }
  if (session.link() != nullptr && session.link()->is_unix()) flags += 'U';
  if (session.link() != nullptr && session.link()->closing()) flags += 'c';
  if (session.no_evict) flags += 'e';
  if (session.no_touch) flags += 'T';
  return flags.empty() ? "N" : flags;
}

// One line of CLIENT LIST, without the newline.
std::string Describe(const Session& session, int64_t now_ms, int resp, uint64_t generation) {
  const ClientLink* link = session.link();
  std::string text;
  auto field = [&](std::string_view name, std::string_view value) {
    if (!text.empty()) text += ' ';
    text.append(name).append("=").append(value);
  };
  auto number = [&](std::string_view name, int64_t value) { field(name, Int64ToString(value)); };
  auto bytes = [&](std::string_view name, size_t value) {
    number(name, static_cast<int64_t>(value));
  };
  number("id", static_cast<int64_t>(session.id()));
  field("addr", link != nullptr ? link->peer() : "");
  field("laddr", link != nullptr ? link->local() : "");
  number("fd", link != nullptr ? link->fd() : -1);
  field("name", session.name);
  number("age", (now_ms - session.created_ms) / 1000);
  number("idle", link != nullptr ? link->idle_ms() / 1000 : 0);
  field("flags", FlagsText(session));
  number("db", session.db_index);
  bytes("sub", session.channels().size());
  bytes("psub", session.patterns().size());
  bytes("ssub", session.shard_channels().size());
  number("multi", session.transaction != nullptr
                      ? static_cast<int64_t>(session.transaction->queue.size())
                      : -1);
  bytes("qbuf", link != nullptr ? link->input_bytes() : 0);
  bytes("qbuf-free", link != nullptr && link->input_capacity() > link->input_bytes()
                         ? link->input_capacity() - link->input_bytes()
                         : 0);
  bytes("argv-mem", link != nullptr ? link->argument_bytes() : 0);
  bytes("multi-mem", session.transaction != nullptr ? session.transaction->memory() : 0);
  // Output is a chain of chunks; the first one is what clients know as the reply buffer.
  const size_t chunks = link != nullptr ? link->output_chunks() : 0;
  const size_t output = link != nullptr ? link->output_memory() : 0;
  bytes("rbs", chunks <= 1 ? output : 0);
  bytes("rbp", chunks <= 1 ? output : 0);
  bytes("obl", link != nullptr && chunks <= 1 ? link->output_bytes() : 0);
  bytes("oll", chunks <= 1 ? 0 : chunks);
  bytes("omem", chunks <= 1 ? 0 : output);
  bytes("tot-mem", link != nullptr ? link->memory() : 0);
  field("events", session.blocked() ? "" : "r");
  bool known = session.last_command != nullptr && session.last_command_generation == generation;
  field("cmd", known ? session.last_command->fullname : "NULL");
  field("user", session.user != nullptr ? session.user->name() : "(superuser)");
  number("redir", session.tracking != nullptr
                      ? static_cast<int64_t>(session.tracking->options.redirect)
                      : -1);
  number("resp", resp);
  field("lib-name", session.lib_name);
  field("lib-ver", session.lib_version);
  return text;
}

std::string DescribeClient(CommandContext& ctx, Session& session) {
  return ClientLine(ctx.engine(), session);
}

void ClientId(CommandContext& ctx) {
  ctx.reply().Integer(static_cast<int64_t>(ctx.session().id()));
}

void ClientInfo(CommandContext& ctx) {
  ctx.reply().Verbatim("txt", DescribeClient(ctx, ctx.session()) + "\n");
}

enum class ClientType { kNormal, kMaster, kReplica, kPubsub };

std::optional<ClientType> ParseType(std::string_view name) {
  if (EqualsIgnoreCase(name, "normal")) return ClientType::kNormal;
  if (EqualsIgnoreCase(name, "master")) return ClientType::kMaster;
  if (EqualsIgnoreCase(name, "replica") || EqualsIgnoreCase(name, "slave"))
    return ClientType::kReplica;
  if (EqualsIgnoreCase(name, "pubsub")) return ClientType::kPubsub;
  return std::nullopt;
}

ClientType TypeOf(const Session& session) {
  return session.subscribed() ? ClientType::kPubsub : ClientType::kNormal;
}

// Sorted by id, so that the list reads in order of arrival.
std::vector<NetClient*> AllClients(CommandContext& ctx) {
  std::vector<NetClient*> all;
  if (Clients* clients = ClientsOf(ctx)) clients->ForEach([&](NetClient& c) { all.push_back(&c); });
  std::sort(all.begin(), all.end(),
            [](NetClient* a, NetClient* b) { return a->session().id() < b->session().id(); });
  return all;
}

void ClientList(CommandContext& ctx) {
  std::optional<ClientType> type;
  std::vector<uint64_t> ids;
  if (ctx.argc() == 4 && ctx.ArgIs(2, "type")) {
    type = ParseType(ctx.arg(3));
    if (!type) return ctx.Error("ERR Unknown client type '" + std::string(ctx.arg(3)) + "'");
  } else if (ctx.argc() > 3 && ctx.ArgIs(2, "id")) {
    for (size_t i = 3; i < ctx.argc(); ++i) {
      auto id = ctx.IntegerArg(i, "ERR Invalid client ID");
      if (!id) return;
      ids.push_back(static_cast<uint64_t>(*id));
    }
  } else if (ctx.argc() != 2) {
    return ctx.Error(errors::kSyntax);
  }
  std::vector<NetClient*> shown;
  if (ids.empty()) {
    shown = AllClients(ctx);
  } else if (Clients* clients = ClientsOf(ctx)) {
    // As they were asked for, as often as they were.
    for (const uint64_t id : ids) shown.push_back(clients->Find(id));
  }
  std::string text;
  for (NetClient* client : shown) {
    if (client == nullptr || (type && TypeOf(client->session()) != *type)) continue;
    text += DescribeClient(ctx, client->session()) + "\n";
  }
  ctx.reply().Verbatim("txt", text);
}

struct KillFilter {
  std::optional<uint64_t> id;
  std::optional<ClientType> type;
  std::optional<std::string> addr, laddr;
  std::shared_ptr<User> user;
  bool skip_me = true;
};

// "CLIENT KILL option value ..."; false after replying an error.
bool ParseKill(CommandContext& ctx, KillFilter* filter) {
  if (ctx.argc() % 2 != 0) return ctx.Error(errors::kSyntax), false;
  for (size_t i = 2; i + 1 < ctx.argc(); i += 2) {
    std::string value(ctx.arg(i + 1));
    if (ctx.ArgIs(i, "id")) {
      auto id = ctx.IntegerArgIn(i + 1, 1, INT64_MAX, "ERR client-id should be greater than 0");
      if (!id) return false;
      filter->id = static_cast<uint64_t>(*id);
    } else if (ctx.ArgIs(i, "type")) {
      filter->type = ParseType(value);
      if (!filter->type) return ctx.Error("ERR Unknown client type '" + value + "'"), false;
    } else if (ctx.ArgIs(i, "addr")) {
      filter->addr = value;
    } else if (ctx.ArgIs(i, "laddr")) {
      filter->laddr = value;
    } else if (ctx.ArgIs(i, "user")) {
      const Users* users = ctx.engine().users();
      filter->user = users == nullptr ? nullptr : users->Find(value);
      if (filter->user == nullptr) return ctx.Error("ERR No such user '" + value + "'"), false;
    } else if (ctx.ArgIs(i, "skipme") &&
               (EqualsIgnoreCase(value, "yes") || EqualsIgnoreCase(value, "no"))) {
      filter->skip_me = EqualsIgnoreCase(value, "yes");
    } else {
      return ctx.Error(errors::kSyntax), false;
    }
  }
  return true;
}

int64_t KillMatching(CommandContext& ctx, const KillFilter& filter) {
  int64_t killed = 0;
  for (NetClient* client : AllClients(ctx)) {
    Session& session = client->session();
    bool me = &session == &ctx.session();
    if (client->closing() || (me && filter.skip_me)) continue;
    if (filter.id && *filter.id != session.id()) continue;
    if (filter.type && *filter.type != TypeOf(session)) continue;
    if (filter.addr && *filter.addr != client->peer()) continue;
    if (filter.laddr && *filter.laddr != client->local()) continue;
    if (filter.user != nullptr && filter.user != session.user) continue;
    ++killed;
    me ? client->CloseAfterReply() : client->Close();
  }
  return killed;
}

void ClientKill(CommandContext& ctx) {
  KillFilter filter;
  bool old_form = ctx.argc() == 3;
  if (old_form) {
    filter.addr = std::string(ctx.arg(2));
    filter.skip_me = false;
  } else if (!ParseKill(ctx, &filter)) {
    return;
  }
  int64_t killed = KillMatching(ctx, filter);
  if (!old_form) return ctx.reply().Integer(killed);
  killed > 0 ? ctx.reply().Ok() : ctx.Error("ERR No such client");
}

void ClientGetName(CommandContext& ctx) {
  if (ctx.session().name.empty()) return ctx.reply().Null();
  ctx.reply().Bulk(ctx.session().name);
}

void ClientSetName(CommandContext& ctx) {
  if (!ValidName(ctx.arg(2))) return ctx.Error(kBadName);
  ctx.session().name = ctx.arg(2);
  ctx.reply().Ok();
}

void ClientSetInfo(CommandContext& ctx) {
  bool is_name = ctx.ArgIs(2, "lib-name");
  if (!is_name && !ctx.ArgIs(2, "lib-ver")) {
    return ctx.Error("ERR Unrecognized option '" + std::string(ctx.arg(2)) + "'");
  }
  if (!ValidName(ctx.arg(3))) {
    return ctx.Error("ERR " + ToLower(ctx.arg(2)) +
                     " cannot contain spaces, newlines or special characters.");
  }
  (is_name ? ctx.session().lib_name : ctx.session().lib_version) = ctx.arg(3);
  ctx.reply().Ok();
}

// ON or OFF at argv[2]; nullopt after a syntax error.
std::optional<bool> OnOff(CommandContext& ctx) {
  if (ctx.ArgIs(2, "on")) return true;
  if (ctx.ArgIs(2, "off")) return false;
  ctx.Error(errors::kSyntax);
  return std::nullopt;
}

void ClientNoEvict(CommandContext& ctx) {
  auto on = OnOff(ctx);
  if (!on) return;
  ctx.session().no_evict = *on;
  ctx.reply().Ok();
}

void ClientNoTouch(CommandContext& ctx) {
  auto on = OnOff(ctx);
  if (!on) return;
  ctx.session().no_touch = *on;
  ctx.reply().Ok();
}

void ClientReply(CommandContext& ctx) {
  using Mode = Session::ReplyMode;
  Session& session = ctx.session();
  if (ctx.ArgIs(2, "on")) {
    session.reply_mode = Mode::kOn;
    session.reply().Ok();
  } else if (ctx.ArgIs(2, "off")) {
    session.reply_mode = Mode::kOff;
  } else if (ctx.ArgIs(2, "skip")) {
    if (session.reply_mode != Mode::kOff) session.reply_mode = Mode::kSkipNext;
  } else {
    ctx.Error(errors::kSyntax);
  }
}

void ClientUnblock(CommandContext& ctx) {
  bool error = false;
  if (ctx.argc() == 4) {
    error = ctx.ArgIs(3, "error");
    if (!error && !ctx.ArgIs(3, "timeout")) {
      return ctx.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
  } else if (ctx.argc() != 3) {
    return ctx.Error(errors::SubcommandSyntax(ctx.arg(1), "CLIENT"));
  }
  auto id = ctx.IntegerArg(2);
  if (!id) return;
  Clients* clients = ClientsOf(ctx);
  NetClient* client = clients == nullptr ? nullptr : clients->Find(static_cast<uint64_t>(*id));
  BlockedState* blocked = client == nullptr ? nullptr : client->session().blocked_state();
  ctx.reply().Integer(blocked != nullptr && blocked->OnUnblock(error) ? 1 : 0);
}

void ClientPauseCommand(CommandContext& ctx) {
  ClientPause::Mode mode = ClientPause::Mode::kAll;
  if (ctx.argc() > 4) return ctx.Error(errors::SubcommandSyntax(ctx.arg(1), "CLIENT"));
  if (ctx.argc() == 4) {
    if (ctx.ArgIs(3, "write")) {
      mode = ClientPause::Mode::kWrites;
    } else if (!ctx.ArgIs(3, "all")) {
      return ctx.Error("ERR CLIENT PAUSE mode must be WRITE or ALL");
    }
  }
  const auto timeout_ms = ctx.IntegerArg(2, "ERR timeout is not an integer or out of range");
  if (!timeout_ms) return;
  if (*timeout_ms < 0) return ctx.Error("ERR timeout is negative");
  if (*timeout_ms > INT64_MAX - WallMillis()) return ctx.Error("ERR timeout is out of range");
  if (ClientPause* pause = ctx.owner<ConnectionServices>().pause) pause->Begin(mode, *timeout_ms);
  ctx.reply().Ok();
}

void ClientUnpause(CommandContext& ctx) {
  if (ClientPause* pause = ctx.owner<ConnectionServices>().pause) pause->End();
  ctx.reply().Ok();
}

void ClientHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"CACHING (YES|NO)",
                  "    Whether the keys of the next command are tracked (OPTIN, OPTOUT).",
                  "GETNAME",
                  "    The name of this connection.",
                  "GETREDIR",
                  "    The connection that is told of changed keys instead of this one.",
                  "ID",
                  "    The number of this connection.",
                  "INFO",
                  "    What CLIENT LIST says of this connection.",
                  "KILL <ip:port>",
                  "    Closes the connection from that address.",
                  "KILL <option> <value> [<option> <value> [...]]",
                  "    Closes the connections for which all options hold: ID, ADDR, LADDR, TYPE, "
                  "USER, SKIPME.",
                  "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <id> [<id> [...]]]",
                  "    All connections, or those of a type, or those named.",
                  "NO-EVICT (ON|OFF)",
                  "    Keeps this connection when clients are evicted.",
                  "NO-TOUCH (ON|OFF)",
                  "    Lets this connection read keys without changing their access time.",
                  "PAUSE <timeout> [WRITE|ALL]",
                  "    Lets commands, or those that write, wait for so many milliseconds.",
                  "REPLY (ON|OFF|SKIP)",
                  "    Switches the replies to this connection.",
                  "SETINFO (LIB-NAME|LIB-VER) <value>",
                  "    Names the client library.",
                  "SETNAME <name>",
                  "    Names this connection.",
                  "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] "
                  "[OPTOUT] [NOLOOP]",
                  "    Tells this connection when keys that it has read change.",
                  "TRACKINGINFO",
                  "    How this connection is tracked.",
                  "UNBLOCK <clientid> [TIMEOUT|ERROR]",
                  "    Ends the wait of a blocked client.",
                  "UNPAUSE",
                  "    Ends a pause before its time."});
}

constexpr uint64_t kSub = kCmdNoScript | kCmdLoading | kCmdStale;
constexpr uint64_t kConn = kAclConnection;

constexpr CommandSpec kCommands[] = {
    {.name = "client",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .acl = kAclSlow,
     .summary = "A container for commands about connections.",
     .since = "2.4.0",
     .group = "connection",
     .complexity = "That of the subcommand"},
    {.name = "client|id",
     .handler = ClientId,
     .arity = 2,
     .flags = kSub,
     .acl = kConn,
     .summary = "The number of this connection.",
     .since = "5.0.0",
     .group = "connection",
     .complexity = "O(1)"},
    {.name = "client|info",
     .handler = ClientInfo,
     .arity = 2,
     .flags = kSub,
     .acl = kConn,
     .summary = "What CLIENT LIST says of this connection.",
     .since = "6.2.0",
     .group = "connection",
     .complexity = "O(1)",
     .tips = "nondeterministic_output"},
    {.name = "client|list",
     .handler = ClientList,
     .arity = -2,
     .flags = kSub | kCmdAdmin,
     .acl = kConn,
     .summary = "Lists connections.",
     .since = "2.4.0",
     .group = "connection",
     .complexity = "O(N) in connections",
     .arguments = "[TYPE client-type@5.0.0(NORMAL | MASTER | REPLICA | PUBSUB)] [ID "
                  "client-id:integer@6.2.0...]",
     .history = "2.8.12: the field `id`; 5.0.0: `TYPE`; 6.0.0: the field `user`; 6.2.0: `ID`, and "
                "the fields `argv-mem`, `tot-mem`, `laddr`, `redir`; 7.0.0: the fields `resp`, "
                "`multi-mem`, `rbs`, `rbp`; 7.0.3: the field `ssub`",
     .tips = "nondeterministic_output"},
    {.name = "client|kill",
     .handler = ClientKill,
     .arity = -3,
     .flags = kSub | kCmdAdmin,
     .acl = kConn,
     .summary = "Closes connections.",
     .since = "2.4.0",
     .group = "connection",
     .complexity = "O(N) in connections",
     .arguments = "filter(old-format'ip:port'!2.8.12 | new-format([ID client-id:integer@2.8.12] | "
                  "[TYPE client-type@2.8.12(NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | "
                  "PUBSUB)] | [USER username] | [ADDR addr'ip:port'] | [LADDR "
                  "laddr'ip:port'@6.2.0] | [SKIPME skipme(YES | NO)])...)",
     .history = "2.8.12: filters; 2.8.12: `ID`; 3.2.0: `TYPE` knows `master`; 5.0.0: `TYPE` knows "
                "`replica`, the same as `slave`; 6.2.0: `LADDR`"},
    {.name = "client|getname",
     .handler = ClientGetName,
     .arity = 2,
     .flags = kSub,
     .acl = kConn,
     .summary = "The name of this connection.",
     .since = "2.6.9",
     .group = "connection",
     .complexity = "O(1)"},
    {.name = "client|setname",
     .handler = ClientSetName,
     .arity = 3,
     .flags = kSub,
     .acl = kConn,
     .summary = "Names this connection.",
     .since = "2.6.9",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "connection-name",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "client|setinfo",
     .handler = ClientSetInfo,
     .arity = 4,
     .flags = kSub,
     .acl = kConn,
     .summary = "Names the client library and its version.",
     .since = "7.2.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "attr(LIB-NAME libname | LIB-VER libver)",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "client|no-evict",
     .handler = ClientNoEvict,
     .arity = 3,
     .flags = kSub | kCmdAdmin,
     .acl = kConn,
     .summary = "Keeps this connection when clients are evicted.",
     .since = "7.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "enabled(ON | OFF)"},
    {.name = "client|no-touch",
     .handler = ClientNoTouch,
     .arity = 3,
     .flags = kSub,
     .acl = kConn,
     .summary = "Lets this connection read keys without changing their access time.",
     .since = "7.2.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "enabled(ON | OFF)"},
    {.name = "client|reply",
     .handler = ClientReply,
     .arity = 3,
     .flags = kSub,
     .acl = kConn,
     .summary = "Switches the replies to this connection.",
     .since = "3.2.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "action(ON | OFF | SKIP)"},
    {.name = "client|unblock",
     .handler = ClientUnblock,
     .arity = -3,
     .flags = kSub | kCmdAdmin,
     .acl = kConn,
     .summary = "Ends the wait of a blocked client.",
     .since = "5.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "client-id:integer [unblock-type(TIMEOUT | ERROR)]"},
    {.name = "client|pause",
     .handler = ClientPauseCommand,
     .arity = -3,
     .flags = kSub | kCmdAdmin,
     .acl = kConn,
     .summary = "Lets clients' commands wait for a time.",
     .since = "3.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .arguments = "timeout:integer [mode@6.2.0(WRITE | ALL)]",
     .history = "6.2.0: `WRITE` and `ALL`"},
    {.name = "client|unpause",
     .handler = ClientUnpause,
     .arity = 2,
     .flags = kSub | kCmdAdmin,
     .acl = kConn,
     .summary = "Ends a pause of clients.",
     .since = "6.2.0",
     .group = "connection",
     .complexity = "O(N) in paused clients"},
    {.name = "client|help",
     .handler = ClientHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .acl = kConn,
     .summary = "Shows the subcommands.",
     .since = "5.0.0",
     .group = "connection",
     .complexity = "O(1)"},
};

}  // namespace

std::string ClientLine(Engine& engine, Session& session) {
  return Describe(session, engine.keyspace().now_ms(), session.reply().resp(),
                  engine.commands().generation());
}

void RegisterClientCommands(CommandRegistry& registry, ConnectionServices& services) {
  registry.Add(kCommands, &services);
}

}  // namespace backplane
