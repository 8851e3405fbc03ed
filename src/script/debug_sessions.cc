// SPDX-License-Identifier: BSD-3-Clause
#include "script/debug_sessions.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "client/session.h"
#include "engine/engine.h"
#include "persist/persistence.h"
#include "resp/resp_encoder.h"
#include "script/debug_channel.h"
#include "script/lua_debugger.h"
#include "script/script_runner.h"

namespace backplane {
namespace {

// Each is a process with all the data.
constexpr size_t kChildrenMax = 16;

int64_t PatienceOf(CommandContext& ctx) { return ctx.engine().settings().busy_reply_threshold; }

}  // namespace

const char* DebugSessions::Refusal(const CommandContext& ctx) const {
  const ClientLink* link = ctx.session().link();
  if (link == nullptr) return "ERR scripts are debugged by clients only";
  if (link->is_tls()) return "ERR scripts cannot be debugged over TLS";
  // What the debugger says goes past replies that wait to be sent.
  if (link->output_bytes() != 0) return "ERR SCRIPT DEBUG must be called outside a pipeline";
  return nullptr;
}

bool DebugSessions::Wanted(const CommandContext& ctx) const {
  const Session& session = ctx.session();
  return session.script_debug != Session::ScriptDebug::kOff && !session.executing_transaction &&
         !session.silent() && Refusal(ctx) == nullptr;
}

void DebugSessions::ReplyFailure(CommandContext& ctx, std::string_view error) {
  ctx.reply().BeginArray(1);
  ctx.reply().SimpleString("<endsession>");
  ctx.Error(error);
  ctx.session().link()->CloseAfterReply();
}

void DebugSessions::Run(CommandContext& ctx, std::string_view source,
                        const std::function<void(CommandContext& ctx)>& run) {
  if (ctx.session().script_debug == Session::ScriptDebug::kSync) {
    RunHere(ctx, source, run);
  } else {
    Fork(ctx, source, run);
  }
}

void DebugSessions::RunHere(CommandContext& ctx, std::string_view source,
                            const std::function<void(CommandContext& ctx)>& run) {
  DebugChannel channel(ctx.session().link()->fd(), interrupted_);
  LuaDebugger debugger(source, &channel, PatienceOf(ctx));
  runner_->set_debugger(&debugger);
  run(ctx);
  runner_->set_debugger(nullptr);
  debugger.End();
  ctx.session().link()->CloseAfterReply();
}

// What the child does: it never returns into the server.
class DebugSessions::Child final : public BackgroundChild::Work {
 public:
  Child(DebugSessions* owner, CommandContext* ctx, std::string_view source, int fd,
        const std::function<void(CommandContext& ctx)>& run)
      : owner_(owner), ctx_(ctx), source_(source), fd_(fd), run_(run) {}

  bool RunInChild(BackgroundChild::Reporter&) override {
    owner_->persistence_->EnterForkedChild("script-debug");
    DebugChannel channel(fd_, nullptr);
    LuaDebugger debugger(source_, &channel, PatienceOf(*ctx_));
    OutputBuffer out;
    RespEncoder reply(&out);
    reply.set_resp(ctx_->reply().resp());
    CommandContext ctx(ctx_->engine(), ctx_->session(), ctx_->command(), ctx_->db(), ctx_->args(),
                       reply);
    owner_->runner_->set_debugger(&debugger);
    run_(ctx);
    debugger.End();
    constexpr int kPieces = 16;
    iovec pieces[kPieces];
    while (!out.empty()) {
      const int count = out.Gather(pieces, kPieces);
      for (int i = 0; i < count; ++i) {
        channel.Write({static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len});
        out.Consume(pieces[i].iov_len);
      }
    }
    return true;
  }

 private:
  DebugSessions* owner_;
  CommandContext* ctx_;
  std::string_view source_;
  int fd_;
  const std::function<void(CommandContext& ctx)>& run_;
};

void DebugSessions::Fork(CommandContext& ctx, std::string_view source,
                         const std::function<void(CommandContext& ctx)>& run) {
  OnCron();
  ClientLink& link = *ctx.session().link();
  if (persistence_ == nullptr || children_.size() >= kChildrenMax) {
    return ReplyFailure(ctx, "ERR too many scripts are being debugged");
  }
  // The server lets go of its own; the child must not lose the client by that.
  const int fd = fcntl(link.fd(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return ReplyFailure(ctx, "ERR no descriptor is left");
  Child work(this, &ctx, source, fd, run);
  int64_t fork_us = 0;
  auto child = BackgroundChild::Start(ctx.engine().logger(), work, &fork_us);
  close(fd);
  if (!child) return ReplyFailure(ctx, "ERR " + child.error().message);
  ctx.engine().stats().total_forks++;
  ctx.engine().stats().latest_fork_usec = fork_us;
  ctx.engine().logger().Notice("A script is debugged by the child " +
                               std::to_string((*child)->pid()));
  children_.push_back(std::move(*child));
  // The client is the child's now: what is replied here reaches nobody.
  ctx.reply().Null();
  link.Close();
}

void DebugSessions::OnCron() {
  std::erase_if(children_, [](const auto& child) { return child->Poll().has_value(); });
}

}  // namespace backplane
