// SPDX-License-Identifier: BSD-3-Clause
// PromisedCall: an RM_Call that may wait (modifier K). The called command has a session of its own,
// which may block; while it does, the module holds a promise instead of a reply, and gets the reply
// by the handler that it gave. Owned by the module's list of registrations, so an unload gives up
// what still waits. Engine thread or a thread that holds the host lock.
//
//   Start -> the command has ended: TakeReply, then it can go
//         -> it waits: Promise; then, in the unit in which the command goes on and ends, the
//         handler
//            is called, and the call goes. Or Abandon, and it goes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "client/session.h"
#include "modhost/api_signatures.h"
#include "modhost/call_reply.h"
#include "modhost/registration.h"

namespace backplane {

class Command;

class PromisedCall final : public Registration, private WaitObserver {
 public:
  struct Options {
    bool resp3 = false;
    uint8_t targets = 0;  // of the stream of changes
  };
  PromisedCall(Module* module, int db, const Options& options);
  // Gives up the wait, if there still is one; the handler is not called. A handle of the promise
  // that the module still has is freed.
  ~PromisedCall() override;
  const char* kind() const override { return "call"; }

  Session& session() { return session_; }
  // Runs the command.
  void Start(const Command& command, std::span<const std::string_view> args);
  bool waits() const { return session_.blocked(); }
  // The complete reply's root; the caller owns it. REQUIRES: Start was called, and not waits().
  CallReplyRoot* TakeReply();
  // The handle that the module gets. It is the caller's, and may be freed before or after this.
  // REQUIRES: waits().
  CallReplyRoot* Promise();
  // Gives up the wait, if there still is one, and destroys the call. The promise's handle stays the
  // module's.
  void End();
  // The promise's handle is being freed.
  void ForgetPromise() { promise_ = nullptr; }

  void SetHandler(RedisModuleOnUnblocked handler, void* data) {
    handler_ = handler;
    data_ = data;
  }
  void* data() const { return data_; }

 private:
  void OnWaitEnded() override;
  void CleanSession();

  Options options_;
  CallReplyRoot* reply_;  // null once it was taken
  Session session_;
  CallReplyRoot* promise_ = nullptr;
  RedisModuleOnUnblocked handler_ = nullptr;
  void* data_ = nullptr;
};

}  // namespace backplane
