// SPDX-License-Identifier: BSD-3-Clause
// ACL's subcommands about users: SETUSER, GETUSER, DELUSER, LIST, USERS, WHOAMI, LOAD, SAVE.
// Whoever loses a right by them loses the connection that uses it.
#include "acl/users.h"

#include "client/session.h"
#include "command/context.h"
#include "commands/acl/acl_commands.h"
#include "engine/clients.h"
#include "engine/engine.h"

namespace backplane {
namespace {

Users& UsersOf(CommandContext& ctx) { return *ctx.owner<AclServices>().users; }

template <class F>
void ForEachClient(CommandContext& ctx, F&& f) {
  Clients* clients = ctx.owner<AclServices>().clients;
  if (clients == nullptr) return;
  clients->ForEach([&](NetClient& client) { f(client); });
}

void Disconnect(CommandContext& ctx, NetClient& client) {
  // The caller still gets its reply.
  &client.session() == &ctx.session() ? client.CloseAfterReply() : client.Close();
}

void SetUser(CommandContext& ctx) {
  Users& users = UsersOf(ctx);
  auto before = users.Set(ctx.arg(2), ctx.args().subspan(3));
  if (!before) return ctx.Error("ERR " + before.error().message);
  if (Clients* clients = ctx.owner<AclServices>().clients) {
    clients->CloseForbiddenSubscribers(*users.Find(ctx.arg(2)));
  }
  ctx.reply().Ok();
}

void DelUser(CommandContext& ctx) {
  Users& users = UsersOf(ctx);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (ctx.arg(i) == Users::kDefaultName)
      return ctx.Error("ERR The 'default' user cannot be removed");
  }
  int64_t removed = 0;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const std::shared_ptr<User> user = users.Find(ctx.arg(i));
    if (user == nullptr) continue;
    users.Remove(ctx.arg(i));
    ++removed;
    ForEachClient(ctx, [&](NetClient& client) {
      if (client.session().user == user) Disconnect(ctx, client);
    });
  }
  ctx.reply().Integer(removed);
}

void ReplySelector(ReplySink& reply, const Selector& selector) {
  reply.Bulk("commands");
  reply.Bulk(selector.CommandsText());
  reply.Bulk("keys");
  reply.Bulk(selector.KeysText());
  reply.Bulk("channels");
  reply.Bulk(selector.ChannelsText());
}

void GetUser(CommandContext& ctx) {
  const std::shared_ptr<User> user = UsersOf(ctx).Find(ctx.arg(2));
  ReplySink& reply = ctx.reply();
  if (user == nullptr) return reply.Null();
  constexpr uint64_t kFields = 6;
  constexpr uint64_t kSelectorFields = 3;
  reply.BeginMap(kFields);
  reply.Bulk("flags");
  const auto flags = user->Flags();
  reply.BeginSet(flags.size());
  for (std::string_view flag : flags) reply.Bulk(flag);
  reply.Bulk("passwords");
  reply.BeginArray(user->passwords().size());
  for (const std::string& password : user->passwords()) reply.Bulk(password);
  const auto& selectors = user->selectors();
  ReplySelector(reply, selectors[0]);
  reply.Bulk("selectors");
  reply.BeginArray(selectors.size() - 1);
  for (size_t i = 1; i < selectors.size(); ++i) {
    reply.BeginMap(kSelectorFields);
    ReplySelector(reply, selectors[i]);
  }
}

void List(CommandContext& ctx) {
  const auto lines = UsersOf(ctx).Lines();
  ctx.reply().BeginArray(lines.size());
  for (const std::string& line : lines) ctx.reply().Bulk("user " + line);
}

void UserNames(CommandContext& ctx) {
  const auto& users = UsersOf(ctx).all();
  ctx.reply().BeginArray(users.size());
  for (const auto& [name, user] : users) ctx.reply().Bulk(name);
}

void WhoAmI(CommandContext& ctx) {
  const User* user = ctx.session().user.get();
  user != nullptr ? ctx.reply().Bulk(user->name()) : ctx.reply().Null();
}

// False after an error reply.
bool HasFile(CommandContext& ctx) {
  if (!ctx.engine().settings().aclfile.empty()) return true;
  ctx.Error(
      "ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
      "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
      "configuration file set) in order to store users in the Redis configuration.");
  return false;
}

void Load(CommandContext& ctx) {
  if (!HasFile(ctx)) return;
  Users& users = UsersOf(ctx);
  auto loaded = users.ReadFile(ctx.engine().settings().aclfile);
  if (!loaded) return ctx.Error("ERR " + loaded.error().message);
  const auto before = users.all();
  users.Replace(std::move(*loaded));
  // What they were is no more; they log in again as what they are now. Users that modules made
  // stand in no file.
  ForEachClient(ctx, [&](NetClient& client) {
    const auto& user = client.session().user;
    if (user == nullptr || user == users.default_user()) return;
    const auto listed = before.find(user->name());
    if (listed != before.end() && listed->second == user) Disconnect(ctx, client);
  });
  ctx.reply().Ok();
}

void Save(CommandContext& ctx) {
  if (!HasFile(ctx)) return;
  const std::string& path = ctx.engine().settings().aclfile;
  if (auto status = UsersOf(ctx).WriteFile(path); !status) {
    ctx.engine().logger().Warning("Saving the ACL file '" + path +
                                  "' failed: " + status.error().message);
    return ctx.Error(
        "ERR There was an error trying to save the ACLs. Please check the server logs for more "
        "information");
  }
  ctx.reply().Ok();
}

constexpr uint64_t kOpen = kCmdNoScript | kCmdLoading | kCmdStale;
constexpr uint64_t kAdmin = kOpen | kCmdAdmin;

constexpr CommandSpec kCommands[] = {
    {.name = "acl",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .acl = kAclSlow,
     .summary = "A container for commands about users and their permissions.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "That of the subcommand"},
    {.name = "acl|setuser",
     .handler = SetUser,
     .arity = -3,
     .flags = kAdmin,
     .summary = "Makes a user, or changes its permissions.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(N) in rules",
     .arguments = "username [rule...]",
     .history = "6.2.0: patterns of channels; 7.0.0: selectors, and what may be done to keys",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "acl|deluser",
     .handler = DelUser,
     .arity = -3,
     .flags = kAdmin,
     .summary = "Removes users and closes their connections.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(N) in connections",
     .arguments = "username...",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "acl|getuser",
     .handler = GetUser,
     .arity = 3,
     .flags = kAdmin,
     .summary = "What one user may do.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(N) in rules",
     .arguments = "username",
     .history = "6.2.0: patterns of channels; 7.0.0: selectors, and patterns shown as the rules "
                "that give them"},
    {.name = "acl|list",
     .handler = List,
     .arity = 2,
     .flags = kAdmin,
     .summary = "All users as lines of an ACL file.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(N) in users"},
    {.name = "acl|users",
     .handler = UserNames,
     .arity = 2,
     .flags = kAdmin,
     .summary = "The names of all users.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(N) in users"},
    {.name = "acl|whoami",
     .handler = WhoAmI,
     .arity = 2,
     .flags = kOpen,
     .summary = "The user of this connection.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "acl|load",
     .handler = Load,
     .arity = 2,
     .flags = kAdmin,
     .summary = "Reads all users from the ACL file anew.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(N) in users"},
    {.name = "acl|save",
     .handler = Save,
     .arity = 2,
     .flags = kAdmin,
     .summary = "Writes all users to the ACL file.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(N) in users",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
};

}  // namespace

void RegisterAclCommands(CommandRegistry& registry, AclServices& services) {
  registry.Add(kCommands, &services);
  RegisterAclReportCommands(registry, services);
}

}  // namespace backplane
