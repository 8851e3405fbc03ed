// SPDX-License-Identifier: BSD-3-Clause
// Session: one client as the commands see it: its database, protocol, transaction, subscriptions,
// name. A network client's session has a link to its connection; sessions of modules, scripts and
// file replay have none. Engine thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/pubsub.h"
#include "client/tracking.h"
#include "client/transaction.h"
#include "keyspace/watch.h"
#include "resp/reply_sink.h"

namespace backplane {

class Command;
class Session;
class User;

// The network side of a session, implemented in engine/. Absent for internal sessions.
class ClientLink {
 public:
  virtual ~ClientLink() = default;
  virtual void ScheduleWrite() = 0;
  virtual void Close() = 0;            // at the end of the turn, output lost
  virtual void CloseAfterReply() = 0;  // once the output is sent
  virtual bool closing() const = 0;
  virtual void PauseInput() = 0;
  virtual void ResumeInput() = 0;
  virtual const std::string& peer() const = 0;
  virtual const std::string& local() const = 0;
  virtual int fd() const = 0;
  virtual bool is_unix() const = 0;
  virtual bool is_local() const = 0;  // loopback or Unix socket
  virtual bool is_tls() const { return false; }
  // The peer's TLS certificate as PEM text; empty without one.
  virtual std::string PeerCertificate() const { return {}; }
  virtual size_t input_bytes() const = 0;
  virtual size_t input_capacity() const = 0;
  virtual size_t output_bytes() const = 0;
  virtual size_t output_memory() const = 0;
  virtual size_t output_chunks() const = 0;
  // Arguments of a request that is not there as a whole yet; its bytes are no input_bytes() then.
  virtual size_t argument_bytes() const = 0;
  // All memory that the client takes, that of the session included.
  virtual size_t memory() const = 0;
  virtual int64_t idle_ms() const = 0;
};

// Why a session waits. Owned by whoever blocked it (module host, blocking commands); the session
// calls back once.
class BlockedState {
 public:
  virtual ~BlockedState() = default;
  // The client went away: the owner must not touch the session any more after this returns.
  virtual void OnDisconnect() = 0;
  // CLIENT UNBLOCK. `error`: with -UNBLOCKED instead of the timeout reply. False when this kind of
  // block cannot be unblocked so.
  virtual bool OnUnblock(bool error) = 0;
  // deadline_ms() is over: reply as for a timeout and end the block.
  virtual void OnTimeout() = 0;
  // Monotonic ms; 0: waits forever.
  virtual int64_t deadline_ms() const = 0;

  // Time that the command took before it had to wait, in ticks.
  uint64_t spent_ticks = 0;
};

// Wants to know when a session stops acting as the user that it has now.
class UserObserver {
 public:
  virtual ~UserObserver() = default;
  // Called once for each time that it was set; also when the session goes.
  virtual void OnUserChanged(Session& session) = 0;
};

// Wants to know when a session that nobody writes to need not wait any more.
class WaitObserver {
 public:
  virtual ~WaitObserver() = default;
  // Called by Unblock as its last act: the session may be destroyed by it.
  virtual void OnWaitEnded() = 0;
};

// Logs clients in by other means than the passwords of users; the module host is one.
class LoginHook {
 public:
  enum class Outcome : uint8_t { kNotHandled, kLoggedIn, kRefused };
  virtual ~LoginHook() = default;
  // kRefused: *error may hold the text for the client.
  virtual Outcome Login(Session& session, std::string_view name, std::string_view password,
                        std::string* error) = 0;
};

class Session final : public Subscriber {
 public:
  enum class Kind : uint8_t { kNormal, kModule, kReplay, kScript };
  enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext, kSkipping };
  enum class ScriptDebug : uint8_t { kOff, kForked, kSync };

  // `reply` outlives the session. `link` may be null.
  Session(uint64_t id, Kind kind, ReplySink* reply, ClientLink* link);
  ~Session() override;

  uint64_t id() const { return id_; }
  Kind kind() const { return kind_; }
  ClientLink* link() const { return link_; }

  // Where replies of the current command go. Differs from the session's own sink within EXEC,
  // RM_Call and CLIENT REPLY OFF.
  ReplySink& reply() { return *reply_; }

  int db_index = 0;
  std::string name;
  std::string lib_name;
  std::string lib_version;
  // What it may do; null: everything (modules, replay). Changed by SetUser once the session is in
  // use.
  std::shared_ptr<User> user;
  // It has logged in, or came when nobody had to.
  bool authenticated = true;
  void SetUser(std::shared_ptr<User> user_after, bool authenticated_after);
  void set_user_observer(UserObserver* observer) { user_observer_ = observer; }
  // Tells the observer, if there is one.
  void NotifyUserObserver();
  ScriptDebug script_debug = ScriptDebug::kOff;  // SCRIPT DEBUG: of its next EVAL
  bool no_touch = false;
  bool no_evict = false;
  bool monitor = false;  // MONITOR: it is told of every command (engine/monitors.h)
  ReplyMode reply_mode = ReplyMode::kOn;
  // Replies of the current command are dropped (CLIENT REPLY).
  bool silent() const {
    return reply_mode == ReplyMode::kOff || reply_mode == ReplyMode::kSkipping;
  }
  int64_t created_ms = 0;  // wall time
  // PropagationStream::commands_sent() that covers all that it has written; 0: nothing yet.
  uint64_t last_write = 0;
  const Command* last_command = nullptr;
  uint64_t last_command_generation = 0;
  bool last_command_by_own_name = false;

  std::unique_ptr<Transaction> transaction;  // between MULTI and EXEC
  std::unique_ptr<TrackingState> tracking;   // CLIENT TRACKING is on; see ClientTracking
  Watcher watcher;
  bool executing_transaction = false;
  // Scripts that it runs may need memory that there is not: those of modules' calls, unless asked.
  bool scripts_ignore_memory = false;

  // --- blocking ---
  // Commands of it may wait: those of clients, and those that a module has called so that they
  // may; the observer hears of the end.
  bool may_wait() const { return kind_ == Kind::kNormal || wait_observer_ != nullptr; }
  void set_wait_observer(WaitObserver* observer) { wait_observer_ = observer; }
  // Who reads in the stream of changes what its command does when it goes on after a wait (see
  // engine/propagation.h).
  uint8_t propagation_targets = UINT8_MAX;
  bool blocked() const { return blocked_ != nullptr; }
  BlockedState* blocked_state() const { return blocked_; }
  // Stops reading further commands until Unblock. `state` is not owned.
  void Block(BlockedState* state);
  void Unblock();
  // What it is replied until Unblock goes there. REQUIRES: blocked().
  void Mute(ReplySink& nowhere);
  // It waits on, for somebody else's sake. REQUIRES: blocked().
  void SetBlockedState(BlockedState* state) { blocked_ = state; }
  // Gives up the wait: its owner is told that the client has gone, the observer hears nothing.
  // REQUIRES: blocked().
  void GiveUpWaiting();

  // --- messages while a command of this session runs: they wait, so that they do not land within
  // its reply. HoldMessages: false when they are being held already. ---
  bool HoldMessages() {
    if (holding_) return false;
    holding_ = true;
    return true;
  }
  void ReleaseMessages();

  // Keys that were read have changed; null: all have. As a message of a channel in RESP2.
  void OnInvalidation(const std::vector<std::string_view>* keys);
  // The client that was to be told of them has gone. RESP3 only: RESP2 has no word for it.
  void OnRedirectBroken(uint64_t redirect);

  // Memory of the transaction, subscriptions, watched keys, prefixes.
  size_t memory() const;

  // RESET: everything but id and connection back to the start, as `user`.
  void Reset(std::shared_ptr<User> user_after, bool authenticated_after);

  // --- Subscriber ---
  void OnMessage(std::string_view channel, std::string_view message) override;
  void OnPatternMessage(std::string_view pattern, std::string_view channel,
                        std::string_view message) override;
  void OnShardMessage(std::string_view channel, std::string_view message) override;

  // A line of MONITOR's stream, without its end; waits like a message does.
  void OnMonitorLine(std::string_view line);

 private:
  struct HeldMessage {
    std::string_view word;  // a literal; empty: a line of MONITOR
    std::string pattern;    // of "pmessage" only
    std::string channel;
    std::string message;
    std::vector<std::string> keys;  // of "invalidate" only
    bool all_keys = false;
    uint64_t redirect = 0;  // of "tracking-redir-broken" only
  };
  void DeliverInvalidation(const std::vector<std::string_view>* keys);
  void DeliverRedirectBroken(uint64_t redirect);
  void DeliverHeld(const HeldMessage& held);
  void Deliver(std::string_view word, std::string_view pattern, std::string_view channel,
               std::string_view message);

  UserObserver* user_observer_ = nullptr;
  bool holding_ = false;
  std::vector<HeldMessage> held_;
  uint64_t id_;
  Kind kind_;
  ReplySink* reply_;
  ReplySink* muted_ = nullptr;  // its own, while it is mute
  ClientLink* link_;
  BlockedState* blocked_ = nullptr;
  WaitObserver* wait_observer_ = nullptr;
};

}  // namespace backplane
