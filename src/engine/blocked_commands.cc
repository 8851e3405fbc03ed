// SPDX-License-Identifier: BSD-3-Clause
// BlockedCommands: the state of one waiting client, and how it ends.
#include "engine/blocked_commands.h"

#include <algorithm>
#include <utility>

#include "client/session.h"
#include "command/context.h"
#include "engine/client_pause.h"

namespace backplane {

class BlockedCommands::Waiting final : public BlockedState, public KeyWaiter, public TimerHandler {
 public:
  Waiting(BlockedCommands* owner, CommandContext& ctx, Wait wait)
      : owner_(owner),
        session_(&ctx.session()),
        command_(&ctx.command()),
        db_(ctx.session().db_index),
        wait_(std::move(wait)) {
    if (wait_.args.empty()) wait_.args.assign(ctx.args().begin(), ctx.args().end());
    if (wait_.timeout_ms == 0) return;
    deadline_ms_ = owner_->loop_->now_ms() + wait_.timeout_ms;
    timer_ = owner_->loop_->AddTimer(wait_.timeout_ms, this);
  }
  ~Waiting() override { Stop(); }

  Session* session() const { return session_; }
  size_t index = 0;  // in waiting_
  void WaitOn() { waits_on_ = true; }
  bool waits_on() const { return waits_on_; }
  bool last_try() const { return last_try_; }

  // --- KeyWaiter ---
  int waits_in_db() const override { return db_; }
  const std::vector<std::string>& waits_for() const override { return wait_.keys; }
  bool wakes_on_delete() const override { return wait_.wakes_on_loss; }
  bool OnKeyReady(const std::string& key) override {
    Engine& engine = *owner_->engine_;
    const Entry* entry = engine.keyspace().db(db_).Peek(Key(key));
    const bool lost = entry == nullptr || entry->type() != wait_.type;
    if (lost && !wait_.wakes_on_loss) return false;
    const std::vector<std::string_view> views(wait_.args.begin(), wait_.args.end());
    if (ClientPause* pause = engine.client_pause();
        pause != nullptr && pause->Holds(*session_, *command_, views)) [[unlikely]] {
      pause->SignalLater(db_, key);
      return false;
    }
    if (Refused(views)) {
      End();
      return true;
    }
    owner_->ready_key_ = &key;
    const bool ended = RunAgain(views);
    owner_->ready_key_ = nullptr;
    return ended;
  }

  const Command* command() const { return command_; }
  void RunAgain() {
    const std::vector<std::string_view> views(wait_.args.begin(), wait_.args.end());
    RunAgain(views);
  }

  // --- BlockedState ---
  void OnDisconnect() override {
    session_ = nullptr;
    Stop();
    owner_->Forget(this);
  }
  bool OnUnblock(bool error) override {
    if (ended_) return false;
    if (!error) {
      OnTimeout();
      return true;
    }
    ReplySink& sink = owner_->engine_->SinkFor(*session_);
    sink.Error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
    owner_->engine_->CountErrorReply(sink);
    ++command_->stats.failed;
    Finish();
    return true;
  }
  void OnTimeout() override {
    if (wait_.reply == TimeoutReply::kCommand) {
      last_try_ = true;
      return RunAgain();
    }
    const bool zero = wait_.reply == TimeoutReply::kZero;
    ReplyTimeout(owner_->engine_->SinkFor(*session_),
                 zero ? TimeoutReply::kZero : TimeoutReply::kNullArray);
    Finish();
  }
  int64_t deadline_ms() const override { return deadline_ms_; }

  // --- TimerHandler ---
  int64_t OnTimer() override {
    timer_ = 0;
    OnTimeout();
    return -1;
  }

 private:
  // False: it waits on.
  bool RunAgain(const std::vector<std::string_view>& views) {
    Engine& engine = *owner_->engine_;
    waits_on_ = false;
    owner_->retrying_ = this;
    // What the end of a call makes its module do belongs to what the call has done.
    Engine::Unit unit(engine);
    engine.Call(*session_, *command_, views, engine.SinkFor(*session_),
                session_->propagation_targets);
    owner_->retrying_ = nullptr;
    if (waits_on_) return false;
    command_->stats.ticks += spent_ticks;
    End();
    return true;
  }
  // Its user may have lost the right to the command while it waited.
  bool Refused(const std::vector<std::string_view>& args) {
    if (session_->user == nullptr || session_->user->unrestricted()) return false;
    Engine& engine = *owner_->engine_;
    const std::string refusal =
        engine.PermissionRefusal(*session_, *command_, args, AclLog::Context::kTopLevel, *session_);
    if (refusal.empty()) return false;
    ReplySink& sink = engine.SinkFor(*session_);
    sink.Error(refusal);
    engine.CountErrorReply(sink);
    ++command_->stats.rejected;
    return true;
  }
  void Finish() {
    ++command_->stats.calls;
    command_->stats.ticks += spent_ticks;
    End();
  }
  void End() {
    Stop();
    ended_ = true;
    owner_->End(this);
    if (session_->link() == nullptr) std::exchange(session_, nullptr)->Unblock();
  }
  void Stop() {
    owner_->engine_->key_waiters().Remove(this);
    if (timer_ != 0) owner_->loop_->RemoveTimer(timer_);
    timer_ = 0;
  }

  BlockedCommands* owner_;
  Session* session_;  // null: the client hung up
  const Command* command_;
  int db_;
  Wait wait_;
  int64_t deadline_ms_ = 0;
  EventLoop::TimerId timer_ = 0;
  bool waits_on_ = false;
  bool last_try_ = false;  // of kCommand
  bool ended_ = false;
};

BlockedCommands::BlockedCommands(Engine* engine, EventLoop* loop) : engine_(engine), loop_(loop) {
  loop_->AddHook(this);
  engine_->set_blocked_commands(this);
}

bool BlockedCommands::waits_on() const { return retrying_ != nullptr && retrying_->waits_on(); }

bool BlockedCommands::is_last_try() const { return retrying_ != nullptr && retrying_->last_try(); }

BlockedCommands::~BlockedCommands() {
  engine_->set_blocked_commands(nullptr);
  loop_->RemoveHook(this);
}

void BlockedCommands::ReplyTimeout(ReplySink& reply, TimeoutReply kind) {
  switch (kind) {
    case TimeoutReply::kNull:
      return reply.Null();
    case TimeoutReply::kNullArray:
      return reply.NullArray();
    case TimeoutReply::kZero:
      return reply.Integer(0);
    case TimeoutReply::kCommand:
      // Such a command asks CanBlock first.
      return reply.Null();
  }
}

bool BlockedCommands::CanBlock(const Session& session) const {
  if (retrying_ != nullptr && retrying_->session() == &session) return true;
  return session.may_wait() && !session.executing_transaction && !session.blocked();
}

void BlockedCommands::RunAgain(const void* command_owner) {
  std::vector<Waiting*> asked;
  for (const auto& waiting : waiting_) {
    if (waiting->command()->owner == command_owner) asked.push_back(waiting.get());
  }
  for (Waiting* waiting : asked) waiting->RunAgain();
}

void BlockedCommands::Block(CommandContext& ctx, Wait wait) {
  if (retrying_ != nullptr && retrying_->session() == &ctx.session()) {
    --ctx.command().stats.calls;
    return retrying_->WaitOn();
  }
  Session& session = ctx.session();
  if (!CanBlock(session)) {
    return ReplyTimeout(ctx.reply(), wait.reply);
  }
  // It counts as a call when it has an end.
  --ctx.command().stats.calls;
  waiting_.push_back(std::make_unique<Waiting>(this, ctx, std::move(wait)));
  Waiting* waiting = waiting_.back().get();
  waiting->index = waiting_.size() - 1;
  session.Block(waiting);
  engine_->key_waiters().Add(waiting);
}

void BlockedCommands::End(Waiting* waiting) {
  std::unique_ptr<Waiting> owned = std::move(waiting_[waiting->index]);
  if (waiting_.back() != nullptr) {
    waiting_.back()->index = waiting->index;
    waiting_[waiting->index] = std::move(waiting_.back());
  }
  waiting_.pop_back();
  ended_.push_back(std::move(owned));
  loop_->Wake();
}

void BlockedCommands::Forget(Waiting* waiting) {
  // One that has ended is let go by BeforeWait, which may be looking at it.
  if (waiting->index < waiting_.size() && waiting_[waiting->index].get() == waiting) End(waiting);
}

int BlockedCommands::BeforeWait() {
  while (!ended_.empty()) {
    std::vector<std::unique_ptr<Waiting>> ended;
    ended.swap(ended_);
    for (const auto& waiting : ended) {
      Session* session = waiting->session();
      if (session == nullptr) continue;
      if (session->link() != nullptr) session->link()->ScheduleWrite();
      // Last: it may run the client's next commands at once.
      session->Unblock();
    }
  }
  return -1;
}

}  // namespace backplane
