// SPDX-License-Identifier: BSD-3-Clause
// API area: users and permissions.
#include "acl/users.h"

#include <cerrno>

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"
#include "modhost/module_code.h"
#include "modhost/module_users.h"

namespace backplane {
namespace {

Users* ServerUsers() { return CurrentHost()->engine().users(); }

RedisModuleUser* CreateModuleUser(const char* name) {
  Users* users = ServerUsers();
  const ModuleCode* code = ModuleCode::Innermost();
  if (users == nullptr || code == nullptr) return nullptr;
  return CurrentHost()->users().Make(users->NewUnlisted(name), &code->module(), true);
}

void FreeModuleUser(RedisModuleUser* user) { CurrentHost()->users().Free(user); }

int SetModuleUserACL(RedisModuleUser* user, const char* acl) {
  if (ServerUsers()->ApplyRule(*user->user, acl)) {
    CurrentHost()->users().RulesChanged(*user);
    return REDISMODULE_OK;
  }
  errno = EINVAL;
  return REDISMODULE_ERR;
}

int SetModuleUserACLString(RedisModuleCtx* ctx, RedisModuleUser* user, const char* acl,
                           RedisModuleString** error) {
  const auto status = ServerUsers()->ApplyLine(*user->user, acl);
  if (status) {
    CurrentHost()->users().RulesChanged(*user);
    return REDISMODULE_OK;
  }
  if (error != nullptr) {
    *error = NewModuleString(status.error().message);
    if (ctx != nullptr) ctx->Track(RedisModuleCtx::Kind::kString, *error);
  }
  return REDISMODULE_ERR;
}

RedisModuleString* GetModuleUserACLString(RedisModuleUser* user) {
  return NewModuleString(user->user->Text());
}

RedisModuleUser* GetModuleUserFromUserName(RedisModuleString* name) {
  Users* users = ServerUsers();
  auto user = users == nullptr ? nullptr : users->Find(name->view());
  if (user == nullptr || !user->enabled()) return nullptr;
  const ModuleCode* code = ModuleCode::Innermost();
  Module* holder = code == nullptr ? nullptr : &code->module();
  return CurrentHost()->users().Make(std::move(user), holder, false);
}

// --- checks ---

int Denied(int error) {
  errno = error;
  return REDISMODULE_ERR;
}

int ACLCheckCommandPermissions(RedisModuleUser* user, RedisModuleString** argv, int argc) {
  std::vector<std::string_view> args;
  for (int i = 0; i < argc; ++i) args.push_back(argv[i]->view());
  const CommandRegistry& commands = CurrentHost()->engine().commands();
  const Command* command = args.empty() ? nullptr : commands.Resolve(args);
  if (command == nullptr) return Denied(ENOENT);
  return user->user->Check(commands, *command, args).allowed() ? REDISMODULE_OK : Denied(EACCES);
}

constexpr int kKeyUses = REDISMODULE_CMD_KEY_ACCESS | REDISMODULE_CMD_KEY_INSERT |
                         REDISMODULE_CMD_KEY_DELETE | REDISMODULE_CMD_KEY_UPDATE;

int ACLCheckKeyPermissions(RedisModuleUser* user, RedisModuleString* key, int flags) {
  if ((flags & kKeyUses) != flags) return Denied(EINVAL);
  const bool allowed = user->user->AllowsKey(key->view(), static_cast<uint32_t>(flags));
  return allowed ? REDISMODULE_OK : Denied(EACCES);
}

int ACLCheckChannelPermissions(RedisModuleUser* user, RedisModuleString* ch, int flags) {
  constexpr int kUses = REDISMODULE_CMD_CHANNEL_PUBLISH | REDISMODULE_CMD_CHANNEL_SUBSCRIBE |
                        REDISMODULE_CMD_CHANNEL_UNSUBSCRIBE | REDISMODULE_CMD_CHANNEL_PATTERN;
  if ((flags & kUses) != flags) return Denied(EINVAL);
  if ((flags & REDISMODULE_CMD_CHANNEL_UNSUBSCRIBE) != 0) return REDISMODULE_OK;
  const bool pattern = (flags & REDISMODULE_CMD_CHANNEL_PATTERN) != 0;
  return user->user->AllowsChannel(ch->view(), pattern) ? REDISMODULE_OK : Denied(EACCES);
}

// --- the log ---

void AddLogEntry(RedisModuleCtx* ctx, std::string_view name, RedisModuleString* object,
                 RedisModuleACLLogEntryReason reason) {
  AclLog::Entry entry;
  switch (reason) {
    case REDISMODULE_ACL_LOG_AUTH:
      entry.reason = AclLog::Reason::kAuth;
      break;
    case REDISMODULE_ACL_LOG_CMD:
      entry.reason = AclLog::Reason::kCommand;
      break;
    case REDISMODULE_ACL_LOG_KEY:
      entry.reason = AclLog::Reason::kKey;
      break;
    case REDISMODULE_ACL_LOG_CHANNEL:
      entry.reason = AclLog::Reason::kChannel;
      break;
    default:
      return;
  }
  entry.context = AclLog::Context::kModule;
  entry.object = object->view();
  entry.username = name;
  ctx->host().engine().LogDenial(std::move(entry), *ctx->session);
}

void ACLAddLogEntry(RedisModuleCtx* ctx, RedisModuleUser* user, RedisModuleString* object,
                    RedisModuleACLLogEntryReason reason) {
  AddLogEntry(ctx, user->user->name(), object, reason);
}

void ACLAddLogEntryByUserName(RedisModuleCtx* ctx, RedisModuleString* user,
                              RedisModuleString* object, RedisModuleACLLogEntryReason reason) {
  AddLogEntry(ctx, user->view(), object, reason);
}

// --- logging in ---

int LogIn(RedisModuleCtx* ctx, std::shared_ptr<User> user, RedisModuleUserChangedFunc callback,
          void* data, uint64_t* client_id) {
  Session& session = *ctx->session;
  if (user == nullptr || !user->enabled() || session.kind() != Session::Kind::kNormal) {
    return REDISMODULE_ERR;
  }
  ctx->host().users().Login(session, std::move(user), ctx->module, callback, data);
  if (callback != nullptr && client_id != nullptr) *client_id = session.id();
  return REDISMODULE_OK;
}

int AuthenticateClientWithUser(RedisModuleCtx* ctx, RedisModuleUser* user,
                               RedisModuleUserChangedFunc callback, void* privdata,
                               uint64_t* client_id) {
  return LogIn(ctx, user->user, callback, privdata, client_id);
}

int AuthenticateClientWithACLUser(RedisModuleCtx* ctx, const char* name, size_t len,
                                  RedisModuleUserChangedFunc callback, void* privdata,
                                  uint64_t* client_id) {
  Users* users = ServerUsers();
  return LogIn(ctx, users == nullptr ? nullptr : users->Find({name, len}), callback, privdata,
               client_id);
}

void RegisterAuthCallback(RedisModuleCtx* ctx, RedisModuleAuthCallback cb) {
  ctx->host().users().AddAuthenticator(ctx->module, cb);
}

RedisModuleBlockedClient* BlockClientOnAuth(RedisModuleCtx* ctx,
                                            RedisModuleAuthCallback reply_callback,
                                            void (*free_privdata)(RedisModuleCtx*, void*)) {
  return ctx->host().users().BlockLogin(ctx, reply_callback, free_privdata);
}

int RedactClientCommandArgument(RedisModuleCtx* ctx, int pos) {
  CommandContext* command = ctx->command;
  if (command == nullptr || pos <= 0 || static_cast<size_t>(pos) >= command->argc()) {
    return REDISMODULE_ERR;
  }
  command->Redact(static_cast<size_t>(pos));
  return REDISMODULE_OK;
}

void SetContextUser(RedisModuleCtx* ctx, const RedisModuleUser* user) {
  ctx->user = user == nullptr ? nullptr : user->user;
}

}  // namespace

void RegisterUserApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(CreateModuleUser),
      BACKPLANE_API_ROW(FreeModuleUser),
      BACKPLANE_API_ROW(SetModuleUserACL),
      BACKPLANE_API_ROW(SetModuleUserACLString),
      BACKPLANE_API_ROW(GetModuleUserACLString),
      BACKPLANE_API_ROW(GetModuleUserFromUserName),
      BACKPLANE_API_ROW(ACLCheckCommandPermissions),
      BACKPLANE_API_ROW(ACLCheckKeyPermissions),
      BACKPLANE_API_ROW(ACLCheckChannelPermissions),
      BACKPLANE_API_ROW(ACLAddLogEntry),
      BACKPLANE_API_ROW(ACLAddLogEntryByUserName),
      BACKPLANE_API_ROW(AuthenticateClientWithUser),
      BACKPLANE_API_ROW(AuthenticateClientWithACLUser),
      BACKPLANE_API_ROW(RegisterAuthCallback),
      BACKPLANE_API_ROW(BlockClientOnAuth),
      BACKPLANE_API_ROW(RedactClientCommandArgument),
      BACKPLANE_API_ROW(SetContextUser),
  };
  table.Add(rows);
}

}  // namespace backplane
