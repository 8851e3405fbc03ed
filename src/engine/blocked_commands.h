// SPDX-License-Identifier: BSD-3-Clause
// BlockedCommands: clients whose command waits until it can do its work: BLPOP and its kin, WAIT.
// When a key that it waits for holds a value of the wanted type, the command runs again from the
// beginning; it ends the wait by replying, or asks to wait on and keeps its place in the queue.
// The client goes on in the next turn of the loop, so never within another client's command; a call
// that a module made ends at once, in the same unit as what it did.
// Engine thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/key_waiters.h"
#include "net/event_loop.h"

namespace backplane {

class CommandContext;

class BlockedCommands final : private LoopHook {
 public:
  // kNull: a null array, too, when the time is over; the null only where the command cannot wait.
  // (So it is in the field, and clients of RESP2 see the difference.)
  // kCommand: the command runs again, sees is_last_try(), and replies.
  enum class TimeoutReply : uint8_t { kNull, kNullArray, kZero, kCommand };
  struct Wait {
    std::vector<std::string> keys;  // none: only the time ends the wait
    TypeId type = TypeId::kString;
    int64_t timeout_ms = 0;  // 0: for ever
    TimeoutReply reply = TimeoutReply::kNull;
    // Runs again, too, when a key is gone or holds something else: to say so.
    bool wakes_on_loss = false;
    // What runs again; empty: the command as it came.
    std::vector<std::string> args = {};
  };

  // Both outlive it.
  BlockedCommands(Engine* engine, EventLoop* loop);
  // Nobody may wait any more.
  ~BlockedCommands() override;
  BlockedCommands(const BlockedCommands&) = delete;
  BlockedCommands& operator=(const BlockedCommands&) = delete;

  // The command that is being run waits; nothing may have been replied. Where it cannot wait (in a
  // transaction, called by a module) it replies as if the time were over.
  void Block(CommandContext& ctx, Wait wait);
  static void ReplyTimeout(ReplySink& reply, TimeoutReply kind);
  // Whether the command of this session could wait: not in a transaction, not for a module.
  bool CanBlock(const Session& session) const;
  // All that wait in a command of this owner are asked again, whatever they wait for.
  void RunAgain(const void* command_owner);
  // While the command runs again: its time is over, or it was unblocked.
  bool is_last_try() const;
  // A command runs again.
  bool is_retrying() const { return retrying_ != nullptr; }
  // While the command runs again: the key for which it does; null at the first time.
  const std::string* ready_key() const { return ready_key_; }
  // Whether the command that runs again has found that it must go on waiting.
  bool waits_on() const;

 private:
  class Waiting;

  int BeforeWait() override;
  void AfterWait() override {}
  // Its client goes on in the next turn.
  void End(Waiting* waiting);
  void Forget(Waiting* waiting);

  Engine* engine_;
  EventLoop* loop_;
  std::vector<std::unique_ptr<Waiting>> waiting_;
  std::vector<std::unique_ptr<Waiting>> ended_;
  Waiting* retrying_ = nullptr;
  const std::string* ready_key_ = nullptr;
};

}  // namespace backplane
