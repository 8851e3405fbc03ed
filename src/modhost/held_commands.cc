// SPDX-License-Identifier: BSD-3-Clause
// HeldCommands: clients that wait.
#include "modhost/held_commands.h"

#include <iterator>
#include <string_view>
#include <utility>

#include "modhost/host.h"

namespace backplane {

class HeldCommands::Held final : public BlockedState {
 public:
  Held(HeldCommands* owner, WaitingCommand waiting) : command(std::move(waiting)), owner_(owner) {}

  void OnDisconnect() override { owner_->held_.erase(self); }
  // It has not begun anything that could be given up.
  bool OnUnblock(bool /*error*/) override { return false; }
  void OnTimeout() override {}
  int64_t deadline_ms() const override { return 0; }

  WaitingCommand command;
  std::list<Held>::iterator self;

 private:
  HeldCommands* owner_;
};

HeldCommands::HeldCommands(ModuleHost* host) : host_(host) {}

HeldCommands::~HeldCommands() = default;

bool HeldCommands::Hold(CommandContext& ctx) {
  Session& session = ctx.session();
  if (session.kind() != Session::Kind::kNormal || session.executing_transaction ||
      session.blocked() || !session.may_wait()) {
    return false;
  }
  const std::vector<std::string> args(ctx.args().begin(), ctx.args().end());
  const bool skips = session.reply_mode == Session::ReplyMode::kSkipping;
  Held& held = held_.emplace_back(this, WaitingCommand{&session, session.id(), args, 0, skips});
  held.self = std::prev(held_.end());
  // It counts as a call when it runs.
  --ctx.command().stats.calls;
  session.Block(&held);
  return true;
}

void HeldCommands::Adopt(WaitingCommand command) {
  Session* session = command.session;
  Held& held = held_.emplace_back(this, std::move(command));
  held.self = std::prev(held_.end());
  session->SetBlockedState(&held);
}

void HeldCommands::EndAll(std::string_view error) {
  while (!held_.empty()) {
    Session& session = *held_.front().command.session;
    held_.pop_front();
    session.reply().Error(error);
    if (session.link() != nullptr) session.link()->ScheduleWrite();
    session.Unblock();
  }
}

void HeldCommands::RunAll() {
  // What one does may end another's client.
  while (!held_.empty()) {
    std::vector<WaitingCommand> next;
    next.push_back(std::move(held_.front().command));
    held_.pop_front();
    host_->RunAgain(std::move(next));
  }
}

}  // namespace backplane
