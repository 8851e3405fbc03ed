// SPDX-License-Identifier: BSD-3-Clause
// ClientPause: begin and end of a pause, and the clients that wait for the end.
#include "engine/client_pause.h"

#include <algorithm>

#include "base/assert.h"
#include "client/session.h"
#include "client/transaction.h"
#include "engine/key_waiters.h"

namespace backplane {

class ClientPause::Postponed final : public BlockedState {
 public:
  Postponed(ClientPause* owner, Session* session) : owner_(owner), session_(session) {}
  std::list<Postponed>::iterator self;
  std::vector<std::string> args;  // none: its input has them
  Session* session() const { return session_; }

  void OnDisconnect() override { owner_->postponed_.erase(self); }
  // What it waits for is no timeout, and it has not begun anything that could be given up.
  bool OnUnblock(bool /*error*/) override { return false; }
  void OnTimeout() override {}
  int64_t deadline_ms() const override { return 0; }

 private:
  ClientPause* owner_;
  Session* session_;
};

ClientPause::ClientPause(Engine* engine, EventLoop* loop) : engine_(engine), loop_(loop) {}

ClientPause::~ClientPause() {
  BP_ASSERT(postponed_.empty());
  if (timer_ != 0) loop_->RemoveTimer(timer_);
  engine_->set_client_pause(nullptr);
}

void ClientPause::Begin(Mode mode, int64_t duration_ms) {
  const int64_t end_ms = loop_->now_ms() + duration_ms;
  const bool paused = engine_->client_pause() != nullptr;
  mode_ = paused ? std::max(mode_, mode) : mode;
  if (paused && end_ms <= end_ms_) return;
  end_ms_ = end_ms;
  if (timer_ != 0) loop_->RemoveTimer(timer_);
  timer_ = loop_->AddTimer(duration_ms, this);
  engine_->set_client_pause(this);
}

void ClientPause::End() {
  if (engine_->client_pause() == nullptr) return;
  if (timer_ != 0) loop_->RemoveTimer(timer_);
  timer_ = 0;
  engine_->set_client_pause(nullptr);
  // Served before those that come now: they were there first.
  const auto ready = std::exchange(ready_, {});
  const auto order = std::exchange(ready_order_, {});
  if (!order.empty()) {
    Engine::Unit unit(*engine_);
    for (const auto& item : order) engine_->key_waiters().Signal(item->first, item->second);
  }
  // What a client does now may begin a pause: those behind it then wait for the end of that one.
  while (!postponed_.empty() && engine_->client_pause() == nullptr) {
    Session* session = postponed_.front().session();
    const std::vector<std::string> args = std::move(postponed_.front().args);
    postponed_.pop_front();
    session->Unblock();
    if (args.empty()) continue;
    const std::vector<std::string_view> views(args.begin(), args.end());
    engine_->Process(*session, views);
    if (session->link() != nullptr) session->link()->ScheduleWrite();
  }
}

bool ClientPause::Holds(const Session& session, const Command& command, Args args) const {
  if (mode_ == Mode::kAll) return true;
  constexpr uint64_t kChanges = kCmdWrite | kCmdMayReplicate;
  if ((command.FlagsOf(args) & kChanges) != 0) return true;
  // EXEC stands for what it runs.
  return session.transaction != nullptr && command.fullname == "exec" &&
         (session.transaction->flags_union & kChanges) != 0;
}

void ClientPause::Postpone(Session& session) {
  postponed_.emplace_back(this, &session);
  postponed_.back().self = std::prev(postponed_.end());
  session.Block(&postponed_.back());
}

void ClientPause::Keep(Session& session, std::vector<std::string> args) {
  for (Postponed& postponed : postponed_) {
    if (postponed.session() == &session) postponed.args = std::move(args);
  }
}

// A key may become ready over and over while its client waits for the end.
void ClientPause::SignalLater(int db, std::string_view key) {
  const auto [item, is_new] = ready_.emplace(db, key);
  if (is_new) ready_order_.push_back(item);
}

int64_t ClientPause::OnTimer() {
  timer_ = 0;
  End();
  return -1;
}

}  // namespace backplane
