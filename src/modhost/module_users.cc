// SPDX-License-Identifier: BSD-3-Clause
// ModuleUsers: handles, callbacks, logins.
#include "modhost/module_users.h"

#include <algorithm>

#include "acl/users.h"
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

void ModuleUsers::AddAuthenticator(Module* module, RedisModuleAuthCallback callback) {
  authenticators_.push_back({module, callback});
  host_->engine().set_login_hook(this);
}

LoginHook::Outcome ModuleUsers::Login(Session& session, std::string_view name,
                                      std::string_view password, std::string* error) {
  // A callback may register another one.
  const std::vector<Authenticator> asked(authenticators_.rbegin(), authenticators_.rend());
  for (const Authenticator& each : asked) {
    NullSink nowhere;
    RedisModuleCtx ctx(each.module, &session, &nowhere);
    ctx.client_id = session.id();
    RedisModuleString* user = NewModuleString(name);
    RedisModuleString* secret = NewModuleString(password);
    RedisModuleString* text = nullptr;
    const std::shared_ptr<User> before = session.user;
    const bool was_authenticated = session.authenticated;
    session.authenticated = false;
    int result;
    {
      const ModuleCallback mark(*each.module, "authenticate");
      result = each.callback(&ctx, user, secret, &text);
    }
    const bool logged_in = session.authenticated;
    if (!logged_in) session.authenticated = was_authenticated;
    if (text != nullptr) {
      *error = text->view();
      ReleaseModuleString(text);
    }
    ReleaseModuleString(user);
    ReleaseModuleString(secret);
    if (result == REDISMODULE_AUTH_HANDLED) {
      return logged_in ? Outcome::kLoggedIn : Outcome::kRefused;
    }
  }
  return Outcome::kNotHandled;
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
