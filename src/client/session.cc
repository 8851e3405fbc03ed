// SPDX-License-Identifier: BSD-3-Clause
// Session: message delivery and state changes.
#include "client/session.h"

#include <utility>

#include "base/assert.h"

namespace backplane {

Session::Session(uint64_t id, Kind kind, ReplySink* reply, ClientLink* link)
    : id_(id), kind_(kind), reply_(reply), link_(link) {}

Session::~Session() { BP_ASSERT(blocked_ == nullptr); }

void Session::Block(BlockedState* state) {
  BP_ASSERT(blocked_ == nullptr);
  blocked_ = state;
  if (link_ != nullptr) link_->PauseInput();
}

void Session::Unblock() {
  blocked_ = nullptr;
  if (link_ != nullptr) link_->ResumeInput();
}

void Session::NotifyUserObserver() {
  if (UserObserver* observer = std::exchange(user_observer_, nullptr))
    observer->OnUserChanged(*this);
}

void Session::SetUser(std::shared_ptr<User> user_after, bool authenticated_after) {
  NotifyUserObserver();
  user = std::move(user_after);
  authenticated = authenticated_after;
}

void Session::Reset(std::shared_ptr<User> user_after, bool authenticated_after) {
  transaction.reset();
  name.clear();
  db_index = 0;
  no_touch = false;
  no_evict = false;
  reply_mode = ReplyMode::kOn;
  SetUser(std::move(user_after), authenticated_after);
  reply_->set_resp(2);
}

void Session::Deliver(std::string_view word, std::string_view pattern, std::string_view channel,
                      std::string_view message) {
  if (holding_) {
    held_.push_back({word, std::string(pattern), std::string(channel), std::string(message)});
    return;
  }
  if (word.empty()) {
    reply_->SimpleString(message);
    if (link_ != nullptr) link_->ScheduleWrite();
    return;
  }
  const bool by_pattern = word == "pmessage";
  reply_->BeginPush(by_pattern ? 4 : 3);
  reply_->Bulk(word);
  if (by_pattern) reply_->Bulk(pattern);
  reply_->Bulk(channel);
  reply_->Bulk(message);
  if (link_ != nullptr) link_->ScheduleWrite();
}

void Session::ReleaseMessages() {
  holding_ = false;
  for (const HeldMessage& held : held_) {
    Deliver(held.word, held.pattern, held.channel, held.message);
  }
  held_.clear();
}

void Session::OnMessage(std::string_view channel, std::string_view message) {
  Deliver("message", "", channel, message);
}

void Session::OnPatternMessage(std::string_view pattern, std::string_view channel,
                               std::string_view message) {
  Deliver("pmessage", pattern, channel, message);
}

void Session::OnShardMessage(std::string_view channel, std::string_view message) {
  Deliver("smessage", "", channel, message);
}

void Session::OnMonitorLine(std::string_view line) { Deliver("", "", "", line); }

}  // namespace backplane
