// SPDX-License-Identifier: BSD-3-Clause
// PromisedCall: start, end, giving up.
#include "modhost/promised_call.h"

#include <utility>

#include "base/assert.h"
#include "engine/engine.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/module_code.h"

namespace backplane {

PromisedCall::PromisedCall(Module* module, int db, const Options& options)
    : Registration(module),
      options_(options),
      reply_(module->host().replies().Take()),
      session_(0, Session::Kind::kModule, &reply_->tape(), nullptr) {
  reply_->tape().set_resp(options.resp3 ? 3 : 2);
  session_.db_index = db;
  session_.propagation_targets = options.targets;
  session_.set_wait_observer(this);
}

PromisedCall::~PromisedCall() {
  session_.set_wait_observer(nullptr);
  if (session_.blocked()) session_.GiveUpWaiting();
  CleanSession();
  // Its module goes, and with it whoever could free the handle.
  if (promise_ != nullptr) module()->host().replies().Give(promise_);
  if (reply_ != nullptr) module()->host().replies().Give(reply_);
}

// What the command may have left there must not outlive the call.
void PromisedCall::CleanSession() {
  session_.transaction.reset();
  ModuleHost& host = module()->host();
  if (!session_.watcher.empty()) host.keyspace().watches().Unwatch(session_.watcher);
  if (session_.subscribed()) host.engine().pubsub().UnsubscribeAll(session_);
}

void PromisedCall::Start(const Command& command, std::span<const std::string_view> args) {
  module()->host().engine().Call(session_, command, args, reply_->tape(), options_.targets);
}

CallReplyRoot* PromisedCall::TakeReply() {
  if (!reply_->tape().complete()) reply_->tape().Finish();
  reply_->Ready(nullptr, options_.resp3);
  return std::exchange(reply_, nullptr);
}

CallReplyRoot* PromisedCall::Promise() {
  BP_ASSERT(waits() && promise_ == nullptr);
  promise_ = module()->host().replies().Take();
  // To whoever reads it as a reply it is a null.
  promise_->tape().Null();
  promise_->Ready(nullptr, false);
  promise_->set_promise(this);
  return promise_;
}

void PromisedCall::End() {
  if (promise_ != nullptr) std::exchange(promise_, nullptr)->set_promise(nullptr);
  module()->Destroy(this);
}

void PromisedCall::OnWaitEnded() {
  ModuleHost& host = module()->host();
  CallReplyRoot* reply = TakeReply();
  const RedisModuleOnUnblocked handler = handler_;
  void* data = data_;
  const int db = session_.db_index;
  Module* caller = module();
  // The handler finds it ended, whatever it does with the promise.
  End();
  if (handler == nullptr) return host.replies().Give(reply);
  Engine::Unit unit(host.engine());
  ModuleHost::InternalSession internal(host, db);
  RedisModuleCtx ctx(caller, internal.get(), &host.null_sink());
  const ModuleCallback mark(*caller, "unblock handler");
  handler(&ctx, reply->top(), data);
}

}  // namespace backplane
