// SPDX-License-Identifier: BSD-3-Clause
// Engine::Gate: the reasons for which a command may not run now, in the order in which clients
// expect them.
#include <cstring>

#include "engine/engine.h"
#include "engine/memory_limit.h"

namespace backplane {
namespace {

constexpr std::string_view kMisconf =
    "MISCONF Backplane is configured to save RDB snapshots, but it's currently unable to persist "
    "to disk. "
    "Commands that may modify the data set are disabled, because this instance is configured to "
    "report errors "
    "during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check "
    "the logs for "
    "details about the RDB error.";

bool LocalAccessAllowed(int64_t setting, const Session& session) {
  switch (static_cast<LocalAccess>(setting)) {
    case LocalAccess::kYes:
      return true;
    case LocalAccess::kLocal:
      return session.link() == nullptr || session.link()->is_local();
    case LocalAccess::kNo:
      break;
  }
  return session.kind() != Session::Kind::kNormal;
}

std::string ProtectedRefusal(const Command& command) {
  bool is_debug = command.fullname.starts_with("debug");
  std::string option = is_debug ? "enable-debug-command" : "enable-module-command";
  return std::string("ERR ") + (is_debug ? "DEBUG" : "MODULE") + " command not allowed. If the " +
         option +
         " option is set to \"local\", you can run it from a local connection, otherwise you need "
         "to set this option "
         "in the configuration file, and then restart the server.";
}

}  // namespace

std::string Engine::WriteRefusal() const {
  if (writes_blocked_by_save_) return std::string(kMisconf);
  if (aof_error_ != 0) {
    return std::string("MISCONF Errors writing to the AOF file: ") + std::strerror(aof_error_);
  }
  if (services_.settings.WantsReplicas()) {
    return "NOREPLICAS Not enough good replicas to write.";
  }
  return {};
}

void Engine::LogDenial(AclLog::Entry entry, Session& caller) {
  if (users_ == nullptr) return;
  // What a module or a script asked for, the client did whose command is running.
  const bool inner = caller.kind() != Session::Kind::kNormal && executing() != nullptr;
  if (client_describer_ != nullptr) {
    entry.client = client_describer_(*this, inner ? *executing_ : caller);
  }
  users_->log().Add(std::move(entry), services_.keyspace.now_ms(),
                    static_cast<size_t>(services_.settings.acllog_max_len));
}

std::string Engine::PermissionRefusal(const Session& session, const Command& command, Args args,
                                      AclLog::Context context, Session& caller) {
  if (session.user == nullptr) return {};
  const User& user = *session.user;
  const AclVerdict verdict = user.Check(services_.commands, command, args);
  if (verdict.allowed()) return {};
  AclLog::Entry entry;
  entry.context = context;
  entry.username = user.name();
  if (verdict.denial == Denial::kCommand) {
    entry.reason = AclLog::Reason::kCommand;
    entry.object = command.fullname;
  } else {
    entry.reason = verdict.denial == Denial::kKey ? AclLog::Reason::kKey : AclLog::Reason::kChannel;
    entry.object = args[static_cast<size_t>(verdict.arg)];
  }
  LogDenial(std::move(entry), caller);
  return "NOPERM " + DenialText(user, command, args, verdict, false);
}

std::string Engine::Gate(Session& session, const Command& command, Args args) {
  // A password that is taken away again lets everybody in, those too who came while it was there.
  if (!session.authenticated && !command.Is(kCmdNoAuth) && LoginRequired()) {
    return std::string(errors::kNoAuth);
  }
  if (command.Is(kCmdProtected)) {
    bool is_debug = command.fullname.starts_with("debug");
    const Settings& settings = services_.settings;
    if (!LocalAccessAllowed(
            is_debug ? settings.enable_debug_command : settings.enable_module_command, session)) {
      return ProtectedRefusal(command);
    }
  }
  if (const User* user = session.user.get(); user != nullptr && !user->unrestricted())
      [[unlikely]] {
    const auto context =
        session.transaction != nullptr ? AclLog::Context::kMulti : AclLog::Context::kTopLevel;
    if (auto refusal = PermissionRefusal(session, command, args, context, session);
        !refusal.empty()) {
      return refusal;
    }
  }
  if (memory_limit_ != nullptr && !memory_limit_->Allows(session, command)) [[unlikely]] {
    return std::string(MemoryLimit::kRefusal);
  }
  if (session.transaction != nullptr && command.Is(kCmdNoMulti)) {
    return "ERR Command not allowed inside a transaction";
  }
  if (session.subscribed() && session.reply().resp() == 2 && !command.Is(kCmdSubscribedOk)) {
    return "ERR Can't execute '" + command.fullname +
           "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
           "context";
  }
  if (session.monitor && command.Is(kCmdWrite | kCmdReadonly | kCmdMayReplicate)) {
    return "ERR Replica can't interact with the keyspace";
  }
  if (writes_refused_ && session.kind() == Session::Kind::kNormal) [[unlikely]] {
    // Whoever watches the server by PING is to see that it cannot save.
    const bool cannot_save = writes_blocked_by_save_ || aof_error_ != 0;
    if (command.Is(kCmdWrite) || (cannot_save && command.fullname == "ping")) {
      return WriteRefusal();
    }
  }
  if (loading_ && !command.Is(kCmdLoading)) return std::string(errors::kLoading);
  if (!busy_reply_.empty() && !command.Is(kCmdAllowBusy)) return busy_reply_;
  return {};
}

}  // namespace backplane
