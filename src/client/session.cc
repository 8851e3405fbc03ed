// SPDX-License-Identifier: BSD-3-Clause
// Session: message delivery and state changes.
#include "client/session.h"

#include <utility>

#include "base/assert.h"

namespace backplane {
namespace {

constexpr std::string_view kInvalidate = "invalidate";
constexpr std::string_view kBroken = "tracking-redir-broken";

}  // namespace

Session::Session(uint64_t id, Kind kind, ReplySink* reply, ClientLink* link)
    : id_(id), kind_(kind), reply_(reply), link_(link) {}

Session::~Session() {
  BP_ASSERT(blocked_ == nullptr);
  if (tracking != nullptr) tracking->owner->Disable(*this);
}

void Session::Block(BlockedState* state) {
  BP_ASSERT(blocked_ == nullptr);
  blocked_ = state;
  if (link_ != nullptr) link_->PauseInput();
}

void Session::Mute(ReplySink& nowhere) {
  if (muted_ == nullptr) muted_ = std::exchange(reply_, &nowhere);
}

void Session::Unblock() {
  blocked_ = nullptr;
  if (muted_ != nullptr) [[unlikely]]
    reply_ = std::exchange(muted_, nullptr);
  if (link_ != nullptr) {
    link_->ResumeInput();
  } else if (wait_observer_ != nullptr) {
    wait_observer_->OnWaitEnded();
  }
}

void Session::GiveUpWaiting() { std::exchange(blocked_, nullptr)->OnDisconnect(); }

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
  if (tracking != nullptr) tracking->owner->Disable(*this);
  name.clear();
  db_index = 0;
  script_debug = ScriptDebug::kOff;
  no_touch = false;
  no_evict = false;
  reply_mode = ReplyMode::kOn;
  SetUser(std::move(user_after), authenticated_after);
  reply_->set_resp(2);
}

void Session::Deliver(std::string_view word, std::string_view pattern, std::string_view channel,
                      std::string_view message) {
  // It reads nothing more, so what it would be told has no limit.
  if (link_ != nullptr && link_->closing()) return;
  if (holding_) {
    held_.push_back({word, std::string(pattern), std::string(channel), std::string(message), {}});
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
  for (const HeldMessage& held : held_) DeliverHeld(held);
  held_.clear();
}

void Session::DeliverHeld(const HeldMessage& held) {
  if (held.word == kBroken) {
    DeliverRedirectBroken(held.redirect);
  } else if (held.word == kInvalidate) {
    const std::vector<std::string_view> keys(held.keys.begin(), held.keys.end());
    DeliverInvalidation(held.all_keys ? nullptr : &keys);
  } else {
    Deliver(held.word, held.pattern, held.channel, held.message);
  }
}

void Session::OnInvalidation(const std::vector<std::string_view>* keys) {
  if (!holding_) return DeliverInvalidation(keys);
  HeldMessage held;
  held.word = kInvalidate;
  held.all_keys = keys == nullptr;
  if (keys != nullptr) held.keys.assign(keys->begin(), keys->end());
  held_.push_back(std::move(held));
}

void Session::OnRedirectBroken(uint64_t redirect) {
  if (!holding_) return DeliverRedirectBroken(redirect);
  HeldMessage held;
  held.word = kBroken;
  held.redirect = redirect;
  held_.push_back(std::move(held));
}

void Session::DeliverInvalidation(const std::vector<std::string_view>* keys) {
  if (link_ != nullptr && link_->closing()) return;
  if (reply_->resp() == 2) {
    reply_->BeginPush(3);
    reply_->Bulk("message");
    reply_->Bulk("__redis__:invalidate");
  } else {
    reply_->BeginPush(2);
    reply_->Bulk(kInvalidate);
  }
  if (keys == nullptr) {
    reply_->Null();
  } else {
    reply_->BeginArray(keys->size());
    for (std::string_view key : *keys) reply_->Bulk(key);
  }
  if (link_ != nullptr) link_->ScheduleWrite();
}

void Session::DeliverRedirectBroken(uint64_t redirect) {
  if (reply_->resp() == 2) return;
  reply_->BeginPush(2);
  reply_->Bulk(kBroken);
  reply_->Integer(static_cast<int64_t>(redirect));
  if (link_ != nullptr) link_->ScheduleWrite();
}

size_t Session::memory() const {
  size_t bytes = subscription_memory() + held_.capacity() * sizeof(HeldMessage);
  for (const HeldMessage& held : held_) {
    bytes += held.pattern.size() + held.channel.size() + held.message.size();
    for (const std::string& key : held.keys) bytes += sizeof(key) + key.size();
  }
  if (transaction != nullptr) bytes += transaction->memory();
  if (tracking != nullptr) bytes += tracking->memory();
  for (const auto& watched : watcher.keys()) bytes += sizeof(watched) + watched.key.size();
  return bytes;
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
