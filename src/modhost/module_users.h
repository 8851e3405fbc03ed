// SPDX-License-Identifier: BSD-3-Clause
// ModuleUsers: users that modules made, clients that modules logged in, and modules that take part
// in logging in. One object, owned by the host. Engine thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acl/user.h"
#include "client/session.h"
#include "modhost/api_signatures.h"

struct RedisModuleBlockedClient;
struct RedisModuleCtx;

namespace backplane {
class Module;
}

// What a module holds a user by.
struct RedisModuleUser {
  std::shared_ptr<backplane::User> user;
  // Whose handle it is; null: asked for where no module's code is known to run.
  backplane::Module* holder = nullptr;
  // The user is the holder's own; else it is one of the server's.
  bool made = false;
};

namespace backplane {

class ModuleHost;

class ModuleUsers final : public UserObserver, public LoginHook {
 public:
  explicit ModuleUsers(ModuleHost* host) : host_(host) {}
  ~ModuleUsers() override;
  ModuleUsers(const ModuleUsers&) = delete;
  ModuleUsers& operator=(const ModuleUsers&) = delete;

  // A handle for `holder`, freed by Free, or with the module. `made`: of a user that nobody else
  // knows.
  RedisModuleUser* Make(std::shared_ptr<User> user, Module* holder, bool made);
  // Clients that act as a user of the module's own are disconnected.
  void Free(RedisModuleUser* handle);

  // The session acts as `user` from now on; `callback`, when not null, is called once it does not
  // any more.
  void Login(Session& session, std::shared_ptr<User> user, Module* module,
             RedisModuleUserChangedFunc callback, void* data);

  // The user of the handle may do something else than before.
  void RulesChanged(const RedisModuleUser& handle);

  // The wait of a client for its login is over: asks the module, and keeps the answer for Login.
  void ResumeLogin(RedisModuleBlockedClient& client);

  // Within an authenticator: its client waits until the module ends that. A handle without a client
  // where nobody can wait; the login is refused then. Null outside of logins.
  RedisModuleBlockedClient* BlockLogin(RedisModuleCtx* ctx, RedisModuleAuthCallback callback,
                                       void (*free_privdata)(RedisModuleCtx*, void*));

  void AddAuthenticator(Module* module, RedisModuleAuthCallback callback);
  // The client goes; the change of its user is told apart from that.
  void ForgetClient(uint64_t id) { resumed_.erase(id); }
  // Everything of the module goes.
  void Forget(Module* module);

  // --- UserObserver, LoginHook ---
  void OnUserChanged(Session& session) override;
  Outcome Login(Session& session, std::string_view name, std::string_view password,
                std::string* error) override;

 private:
  struct Watch {
    Module* module;
    RedisModuleUserChangedFunc callback;
    void* data;
  };
  struct Authenticator {
    Module* module;
    RedisModuleAuthCallback callback;
    uint64_t id;  // grows
  };

  // What a login that had to wait has come to.
  struct Resumed {
    Outcome outcome = Outcome::kNotHandled;
    std::string error;
    uint64_t next = 0;  // authenticators with smaller ids have not been asked
  };
  // Runs an authenticator, or the callback that takes its place after a wait.
  template <class Callback>
  Outcome Ask(RedisModuleCtx& ctx, Session& session, std::string_view name,
              std::string_view password, std::string* error, Callback&& callback);

  ModuleHost* host_;
  std::vector<std::unique_ptr<RedisModuleUser>> handles_;
  std::map<uint64_t, Watch> watches_;  // by session id
  // The login that an authenticator is being asked about.
  struct CurrentLogin {
    Session* session = nullptr;
    std::string_view name;
    std::string_view password;
    uint64_t next = 0;         // as in Resumed
    std::string_view refusal;  // why its client could not be blocked; a literal
  };
  CurrentLogin login_;
  std::map<uint64_t, Resumed> resumed_;        // by session id
  std::vector<Authenticator> authenticators_;  // asked from the last to the first
  uint64_t next_authenticator_ = 1;
};

}  // namespace backplane
