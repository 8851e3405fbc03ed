// SPDX-License-Identifier: BSD-3-Clause
// ModuleUsers: handles, callbacks, logins.
#include "modhost/module_users.h"

#include <algorithm>

#include "acl/users.h"
#include "modhost/blocked_client.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/module_code.h"

namespace backplane {

ModuleUsers::~ModuleUsers() {
  if (host_->engine().login_hook() == this) host_->engine().set_login_hook(nullptr);
}

RedisModuleUser* ModuleUsers::Make(std::shared_ptr<User> user, Module* holder, bool made) {
  return handles_.emplace_back(std::make_unique<RedisModuleUser>(std::move(user), holder, made))
      .get();
}

void ModuleUsers::Free(RedisModuleUser* handle) {
  if (handle == nullptr) return;
  Clients* clients = host_->clients();
  if (handle->made && clients != nullptr) {
    const Users* users = host_->engine().users();
    clients->ForEach([&](NetClient& client) {
      Session& session = client.session();
      if (session.user != handle->user) return;
      session.SetUser(users == nullptr ? nullptr : users->default_user(), false);
      // One whose command is running still gets its reply.
      client.CloseAfterReply();
    });
  }
  std::erase_if(handles_, [&](const auto& each) { return each.get() == handle; });
}

void ModuleUsers::Login(Session& session, std::shared_ptr<User> user, Module* module,
                        RedisModuleUserChangedFunc callback, void* data) {
  session.SetUser(std::move(user), true);
  if (callback == nullptr) return;
  watches_[session.id()] = {module, callback, data};
  session.set_user_observer(this);
}

void ModuleUsers::OnUserChanged(Session& session) {
  const auto it = watches_.find(session.id());
  if (it == watches_.end()) return;
  const Watch watch = it->second;
  watches_.erase(it);
  const ModuleCallback mark(*watch.module, "user-changed");
  watch.callback(session.id(), watch.data);
}

void ModuleUsers::RulesChanged(const RedisModuleUser& handle) {
  if (Clients* clients = host_->clients()) clients->CloseForbiddenSubscribers(*handle.user);
}

void ModuleUsers::AddAuthenticator(Module* module, RedisModuleAuthCallback callback) {
  authenticators_.push_back({module, callback, next_authenticator_++});
  host_->engine().set_login_hook(this);
}

template <class Callback>
LoginHook::Outcome ModuleUsers::Ask(RedisModuleCtx& ctx, Session& session, std::string_view name,
                                    std::string_view password, std::string* error,
                                    Callback&& callback) {
  ctx.client_id = session.id();
  RedisModuleString* user = NewModuleString(name);
  RedisModuleString* secret = NewModuleString(password);
  RedisModuleString* text = nullptr;
  const bool was_authenticated = session.authenticated;
  session.authenticated = false;
  int result;
  {
    const ModuleCallback mark(*ctx.module, "authenticate");
    result = callback(&ctx, user, secret, &text);
  }
  const bool logged_in = session.authenticated;
  if (!logged_in) session.authenticated = was_authenticated;
  if (text != nullptr) {
    *error = text->view();
    ReleaseModuleString(text);
  }
  ReleaseModuleString(user);
  ReleaseModuleString(secret);
  if (result != REDISMODULE_AUTH_HANDLED) return Outcome::kNotHandled;
  return logged_in ? Outcome::kLoggedIn : Outcome::kRefused;
}

LoginHook::Outcome ModuleUsers::Login(Session& session, std::string_view name,
                                      std::string_view password, std::string* error) {
  uint64_t next = next_authenticator_;
  if (const auto it = resumed_.find(session.id()); it != resumed_.end()) {
    const Resumed resumed = std::move(it->second);
    resumed_.erase(it);
    *error = resumed.error;
    if (resumed.outcome != Outcome::kNotHandled) return resumed.outcome;
    next = resumed.next;
  }
  // Looked up anew each time: a callback may add one, or have a module unloaded.
  for (;;) {
    const auto found = std::find_if(authenticators_.rbegin(), authenticators_.rend(),
                                    [next](const Authenticator& each) { return each.id < next; });
    if (found == authenticators_.rend()) return Outcome::kNotHandled;
    const Authenticator authenticator = *found;
    next = authenticator.id;
    NullSink nowhere;
    RedisModuleCtx ctx(authenticator.module, &session, &nowhere);
    // Whom BlockClientOnAuth may block.
    login_ = {&session, name, password, authenticator.id, {}};
    const Outcome outcome = Ask(ctx, session, name, password, error, authenticator.callback);
    const CurrentLogin login = std::exchange(login_, {});
    if (!login.refusal.empty()) {
      *error = login.refusal;
      return Outcome::kRefused;
    }
    if (outcome != Outcome::kNotHandled || session.blocked()) return outcome;
  }
}

RedisModuleBlockedClient* ModuleUsers::BlockLogin(RedisModuleCtx* ctx,
                                                  RedisModuleAuthCallback callback,
                                                  void (*free_privdata)(RedisModuleCtx*, void*)) {
  Session* session = login_.session;
  if (session == nullptr || session != ctx->session || session->blocked()) return nullptr;
  if (session->executing_transaction) {
    login_.refusal = "Blocking module command called from transaction";
  } else if (session->kind() != Session::Kind::kNormal) {
    login_.refusal = "Blocking module command called from Lua script";
  }
  const bool waits = login_.refusal.empty();
  auto* client = ctx->module->Own(
      std::make_unique<RedisModuleBlockedClient>(ctx->module, waits ? session : nullptr));
  client->client_id = session->id();
  client->db = session->db_index;
  client->auth_callback = callback;
  client->free_privdata = free_privdata;
  client->auth_name = login_.name;
  client->auth_password = login_.password;
  client->auth_next = login_.next;
  if (!waits) return client;
  const CommandContext* command = host_->engine().current();
  for (std::string_view arg : command->args()) client->args.emplace_back(arg);
  // It counts as a call when it has an end.
  --command->command().stats.calls;
  session->Block(client);
  return client;
}

void ModuleUsers::ResumeLogin(RedisModuleBlockedClient& client) {
  Session& session = *client.session;
  Resumed resumed;
  resumed.next = client.auth_next;
  if (!client.aborted && !client.abandoned) {
    Engine::Unit unit(host_->engine());
    NullSink nowhere;
    RedisModuleCtx ctx(client.module(), &session, &nowhere);
    ctx.flags |= kCtxBlockedReply;
    ctx.blocked = &client;
    ctx.blocked_privdata = client.privdata;
    resumed.outcome = Ask(ctx, session, client.auth_name, client.auth_password, &resumed.error,
                          client.auth_callback);
  }
  resumed_[session.id()] = std::move(resumed);
}

void ModuleUsers::Forget(Module* module) {
  std::erase_if(authenticators_, [&](const Authenticator& each) { return each.module == module; });
  if (authenticators_.empty() && host_->engine().login_hook() == this) {
    host_->engine().set_login_hook(nullptr);
  }
  // Callbacks are not called any more.
  std::erase_if(watches_, [&](const auto& each) { return each.second.module == module; });
  std::vector<RedisModuleUser*> own;
  for (const auto& handle : handles_) {
    if (handle->holder == module) own.push_back(handle.get());
  }
  for (RedisModuleUser* handle : own) Free(handle);
}

}  // namespace backplane
