// SPDX-License-Identifier: BSD-3-Clause
// Engine: the way of a request from arguments to reply. Gates are in gates.cc, keyspace observation
// in events.cc.
#include "engine/engine.h"

#include "base/ascii.h"
#include "base/assert.h"
#include "engine/call_records.h"
#include "engine/client_pause.h"
#include "engine/key_waiters.h"

namespace backplane {

Engine::Engine(const Services& services)
    : services_(services),
      records_(std::make_unique<CallRecords>(this)),
      key_waiters_(std::make_unique<KeyWaiters>(this)) {
  services_.keyspace.set_observer(this);
  ListenersChanged();
}

Engine::~Engine() { services_.keyspace.set_observer(nullptr); }

void Engine::RefreshClock() { services_.keyspace.set_now_ms(WallMillis()); }

namespace {

std::string UnknownCommand(Args args) {
  constexpr size_t kShownBytes = 128;
  // Text ends at a NUL byte, as clients know it.
  auto shown_part = [](std::string_view arg, size_t limit) {
    arg = arg.substr(0, limit);
    return arg.substr(0, arg.find('\0'));
  };
  std::string text = "ERR unknown command '";
  text.append(shown_part(args[0], kShownBytes));
  text += "', with args beginning with: ";
  size_t shown = 0;
  for (size_t i = 1; i < args.size() && shown < kShownBytes; ++i) {
    std::string_view piece = shown_part(args[i], kShownBytes - shown);
    text += '\'';
    text.append(piece);
    text += "' ";
    shown += piece.size() + 3;
  }
  return text;
}

inline void CountLatency(CommandStats& stats, uint64_t ticks) {
  if (stats.latency == nullptr) [[unlikely]]
    stats.latency = std::make_unique<LatencyHistogram>();
  stats.latency->Record(ticks);
}

}  // namespace

Command* Engine::Resolve(Session& session, Args args, std::string* error) {
  Command* command;
  const Command* last = session.last_command;
  if (last != nullptr && session.last_command_generation == services_.commands.generation() &&
      session.last_command_by_own_name && EqualsIgnoreCase(args[0], last->name)) {
    command = const_cast<Command*>(last);
  } else {
    command = services_.commands.Find(args[0]);
    if (command == nullptr) {
      *error = UnknownCommand(args);
      return nullptr;
    }
  }
  const Command* top = command;
  if (command->has_subcommands() && args.size() >= 2) {
    Command* sub = command->Subcommand(args[1]);
    if (sub == nullptr) {
      *error = errors::UnknownSubcommand(args[1], command->fullname);
      return nullptr;
    }
    command = sub;
  }
  if (!command->ArityOk(args.size()) || command->handler == nullptr) [[unlikely]] {
    *error = errors::WrongArity(command->fullname);
    return nullptr;
  }
  session.last_command = command;
  session.last_command_generation = services_.commands.generation();
  // Only a plain command under the name it was given can be found again by comparing names: not a
  // subcommand, nothing renamed.
  session.last_command_by_own_name =
      command == top && !top->has_subcommands() && EqualsIgnoreCase(args[0], top->name);
  return command;
}

ReplySink& Engine::SinkFor(Session& session) {
  using Mode = Session::ReplyMode;
  if (session.reply_mode == Mode::kOn) [[likely]]
    return session.reply();
  if (session.reply_mode == Mode::kOff || session.reply_mode == Mode::kSkipping) return null_sink_;
  return session.reply();
}

void Engine::Reject(Session& session, Command* command, Args args, std::string_view error) {
  if (command != nullptr) ++command->stats.rejected;
  ReplySink& sink = SinkFor(session);
  if (command != nullptr && command->fullname == "exec") {
    // A refused EXEC ends the transaction, and says so.
    constexpr std::string_view kCode = "ERR ";
    if (error.starts_with(kCode)) error.remove_prefix(kCode.size());
    session.transaction.reset();
    services_.keyspace.watches().Unwatch(session.watcher);
    sink.Error("EXECABORT Transaction discarded because of: " + std::string(error));
    records_->monitors().Feed(session, args);
  } else {
    if (session.transaction != nullptr) session.transaction->failed = true;
    sink.Error(error);
  }
  CountErrorReply(sink);
}

void Engine::CountErrorReply(const ReplySink& sink) {
  ++stats_.error_replies;
  // An attacker must not fill the map with made-up codes (a module can pass one through).
  constexpr size_t kCodesMax = 128;
  if (stats_.errors_by_code.size() < kCodesMax ||
      stats_.errors_by_code.contains(sink.last_error_code())) {
    ++stats_.errors_by_code[sink.last_error_code()];
  }
}

void Engine::Queue(Session& session, const Command& command, Args args) {
  // Queued commands outlive the input buffer, so they are copied.
  QueuedCommand queued{&command, services_.commands.generation(),
                       std::vector<std::string>(args.begin(), args.end())};
  session.transaction->flags_union |= command.FlagsOf(args);
  for (std::string_view arg : args) session.transaction->argument_bytes += arg.size();
  session.transaction->queue.push_back(std::move(queued));
  SinkFor(session).SimpleString("QUEUED");
}

bool Engine::Process(Session& session, Args args, const KeyHint& hint) {
  if (interceptors_.empty()) [[likely]]
    return ProcessWords(session, args, hint);
  // Of its own: a command may serve other clients while it runs, which come here as well.
  std::vector<std::string_view> words(args.begin(), args.end());
  const bool changed = Intercept(session, &words);
  return words.empty() || ProcessWords(session, words, changed ? kNoKeyHint : hint);
}

bool Engine::Intercept(Session& session, std::vector<std::string_view>* words) {
  bool changed = false;
  for (CommandInterceptor* interceptor : interceptors_) {
    changed |= interceptor->Intercept(session, words);
  }
  return changed;
}

bool Engine::ProcessWords(Session& session, Args args, const KeyHint& hint) {
  const bool tracks = tracking_.active();
  if (tracks) [[unlikely]]
    tracking_.LimitTable(static_cast<size_t>(services_.settings.tracking_table_max_keys));
  std::string error;
  Command* command = Resolve(session, args, &error);
  // Known before the command runs: it may be gone afterwards.
  const bool speaks_of_client = tracks && command != nullptr && command->parent != nullptr &&
                                command->parent->name == "client";
  if (command == nullptr) [[unlikely]] {
    Reject(session, services_.commands.Find(args[0]), args, error);
  } else if (error = Gate(session, *command, args); !error.empty()) [[unlikely]] {
    Reject(session, command, args, error);
  } else if (client_pause_ != nullptr && client_pause_->Holds(session, *command, args))
      [[unlikely]] {
    client_pause_->Postpone(session);
    return false;
  } else if (session.transaction != nullptr && !command->Is(kCmdNotQueued)) {
    Queue(session, *command, args);
  } else {
    Call(session, *command, args, SinkFor(session), kPropagateEverywhere, hint);
  }
  // CLIENT CACHING is about the next command, or the transaction that begins with it.
  if (tracks && session.tracking != nullptr && !speaks_of_client && session.transaction == nullptr)
    session.tracking->caching = false;
  using Mode = Session::ReplyMode;
  if (session.reply_mode == Mode::kSkipping) {
    // The reply that is to be skipped comes at the end of its wait.
    if (session.blocked()) session.Mute(null_sink_);
    session.reply_mode = Mode::kOn;
  }
  if (session.reply_mode == Mode::kSkipNext) session.reply_mode = Mode::kSkipping;
  return true;
}

// Reading the clock twice is an eighth of what a module pays for a GET. Behind one that was not
// short (a large value) each is timed until one is short again, so none is counted as long that was
// not.
bool Engine::IsTimed(const Session& session, const Command& command, Args args) const {
  constexpr uint64_t kShort = kCmdFast | kCmdReadonly;
  constexpr size_t kArgsMax = 8;
  constexpr uint64_t kShortTicks = 10'000;  // 3 or 4 microseconds
  return session.kind() != Session::Kind::kModule || times_all_ ||
         (command.flags & (kShort | kCmdModule)) != kShort || args.size() > kArgsMax ||
         command.stats.calls % kTimedOneIn == 0 || command.stats.last_ticks > kShortTicks;
}

void Engine::Call(Session& session, const Command& command, Args args, ReplySink& reply,
                  uint8_t targets, const KeyHint& hint) {
  EnterUnit();
  Keyspace& keyspace = services_.keyspace;
  CommandContext ctx(*this, session, command, keyspace.db(session.db_index), args, reply);
  ctx.SetKeyHint(hint.arg, hint.hash);
  uint64_t dirty_before = keyspace.dirty();
  uint64_t errors_before = reply.error_count();
  CommandContext* outer = current_;
  if (outer == nullptr) executing_ = &session;
  current_ = &ctx;
  const bool no_touch = session.no_touch && command.fullname != "touch";
  if (no_touch) [[unlikely]]
    keyspace.set_touches(false);
  const bool holds =
      (tracking_.active() || session.subscribed() || session.monitor) && session.HoldMessages();
  const bool timed = outer == nullptr || IsTimed(session, command, args);
  uint64_t ticks = 0;
  if (timed) {
    const uint64_t begin = Ticks();
    command.handler(ctx);
    ticks = Ticks() - begin;
    command.stats.last_ticks = ticks;
  } else {
    command.handler(ctx);
    ticks = command.stats.last_ticks;
  }
  if (outer == nullptr) stats_.command_ticks += ticks;
  if (session.blocked() && !records_->HasEnded(session)) [[unlikely]] {
    // A command that waits is counted when it has ended.
    session.blocked_state()->spent_ticks += ticks;
  } else {
    command.stats.ticks += ticks;
    if (services_.settings.latency_tracking) [[likely]]
      CountLatency(command.stats, ticks);
  }
  if (no_touch) [[unlikely]]
    keyspace.set_touches(true);
  if (tracking_.active() && command.Is(kCmdReadonly)) [[unlikely]]
    RememberKeys(session, command, args);
  if (holds) [[unlikely]]
    session.ReleaseMessages();
  if (timed && ticks >= watched_ticks_) [[unlikely]]
    records_->OnCall(ctx, ticks);
  current_ = outer;
  ++command.stats.calls;
  ++stats_.commands;
  if (const uint64_t errors = reply.error_count(); errors != errors_before) [[unlikely]] {
    if (session.kind() == Session::Kind::kModule && session.id() == 0) {
      // A module's call: when the module passes the error on, it counts.
      ++command.stats.failed;
    } else if (counted_sink_ != &reply || counted_errors_ != errors) {
      ++command.stats.failed;
      CountErrorReply(reply);
      counted_sink_ = &reply;
      counted_errors_ = errors;
    }
  }
  if (targets != kPropagateNowhere && propagation_.wanted()) [[unlikely]] {
    PropagateResult(ctx, dirty_before, targets);
    // The unit is sent as a whole, so its first command's number does for all of them.
    if (outer == nullptr && propagation_.pending()) {
      session.last_write = propagation_.commands_sent() + 1;
    }
  }
  LeaveUnit();
}

void Engine::CountWaited(Session* session, const Command& command, Args args, uint64_t ticks) {
  command.stats.ticks += ticks;
  if (services_.settings.latency_tracking) CountLatency(command.stats, ticks);
  if (session == nullptr || ticks < watched_ticks_) return;
  CommandContext ctx(*this, *session, command, services_.keyspace.db(session->db_index), args,
                     session->reply());
  records_->OnWaitEnded(ctx, ticks);
}

void Engine::Replay(Session& session, const Command& command, Args args, ReplySink& reply) {
  EnterUnit();
  CommandContext ctx(*this, session, command, services_.keyspace.db(session.db_index), args, reply);
  CommandContext* outer = current_;
  Session* outer_executing = executing_;
  executing_ = &session;
  current_ = &ctx;
  command.handler(ctx);
  current_ = outer;
  executing_ = outer_executing;
  LeaveUnit();
}

void Engine::RememberKeys(Session& session, const Command& command, Args args) {
  // What a script or a module's command reads, its client reads.
  Session& reader = session.kind() == Session::Kind::kNormal ? session : *executing_;
  if (!ClientTracking::Remembers(reader)) return;
  // A script that only reads need not read what it names.
  const bool runs_script = !command.key_specs.empty() && (command.acl & kAclScripting) != 0;
  if (runs_script) return;
  const auto positions = FindKeys(command, args);
  if (!positions) return;
  for (const int i : *positions) {
    tracking_.Remember(reader, args[static_cast<size_t>(i)]);
  }
}

void Engine::PropagateResult(CommandContext& ctx, uint64_t dirty_before, uint8_t targets) {
  const Command& command = ctx.command();
  // Modules propagate what they want propagated; EXEC's commands have done it one by one.
  if (ctx.propagation_prevented() || command.Is(kCmdModule)) return;
  int db = ctx.db().index();
  if (!ctx.propagated().empty()) {
    std::vector<std::string_view> views;
    for (const auto& args : ctx.propagated()) {
      views.assign(args.begin(), args.end());
      propagation_.Append(db, views, targets);
    }
    return;
  }
  bool changed = services_.keyspace.dirty() != dirty_before && !command.Is(kCmdNotQueued);
  if (!changed) targets &= ctx.forced_targets();
  if (targets != kPropagateNowhere) propagation_.Append(db, ctx.args(), targets);
}

// Permissions may have changed since the command was queued.
std::string Engine::RefusalInTransaction(Session& session, const Command& command, Args args) {
  const Denial denial = session.user->Check(services_.commands, command, args).denial;
  if (denial == Denial::kNone) return {};
  PermissionRefusal(session, command, args, AclLog::Context::kMulti, session);
  ++command.stats.rejected;
  std::string_view why;
  switch (denial) {
    case Denial::kNone:
    case Denial::kCommand:
      why = "no permission to execute the command or subcommand";
      break;
    case Denial::kKey:
      why = "no permission to touch the specified keys";
      break;
    case Denial::kChannel:
      why = "no permission to access one of the channels used as argument to the command";
      break;
  }
  return "NOPERM ACLs rules changed between the moment the transaction was accumulated and the "
         "EXEC call. This command is no longer allowed for the following reason: " +
         std::string(why);
}

void Engine::RunTransaction(Session& session, ReplySink& reply) {
  std::unique_ptr<Transaction> transaction = std::move(session.transaction);
  services_.keyspace.watches().Unwatch(session.watcher);
  session.executing_transaction = true;
  const bool holds = session.HoldMessages();
  reply.BeginArray(transaction->queue.size());
  std::vector<std::string_view> views;
  for (const QueuedCommand& queued : transaction->queue) {
    views.assign(queued.args.begin(), queued.args.end());
    const Command* command = queued.command;
    if (queued.generation != services_.commands.generation()) [[unlikely]] {
      // Modules came or went since.
      std::string error;
      command = Resolve(session, views, &error);
      if (command == nullptr) {
        reply.Error(error);
        CountErrorReply(reply);
        continue;
      }
    }
    if (session.user != nullptr && !session.user->unrestricted()) [[unlikely]] {
      if (auto refusal = RefusalInTransaction(session, *command, views); !refusal.empty()) {
        reply.Error(refusal);
        CountErrorReply(reply);
        continue;
      }
    }
    Call(session, *command, views, reply);
  }
  session.executing_transaction = false;
  if (holds) session.ReleaseMessages();
}

void Engine::EnterUnit() {
  if (unit_depth_++ == 0) propagation_.BeginUnit();
}

void Engine::LeaveUnit() {
  if (unit_depth_ == 1 && !unit_hooks_.empty()) [[unlikely]]
    return LeaveUnitWithHooks();
  if (--unit_depth_ == 0) propagation_.EndUnit();
}

void Engine::LeaveUnitWithHooks() {
  for (size_t i = 0; i < unit_hooks_.size(); ++i) unit_hooks_[i]->OnUnitEnd();
  --unit_depth_;
  propagation_.EndUnit();
  for (size_t i = 0; i < unit_hooks_.size(); ++i) unit_hooks_[i]->AfterUnit();
}

void Engine::set_loading(bool value) {
  loading_ = value;
  // What is loaded stands in the file already.
  propagation_.set_muted(value);
  services_.keyspace.set_expires_keys(!loading_ && client_pause_ == nullptr);
}

void Engine::set_client_pause(ClientPause* pause) {
  client_pause_ = pause;
  services_.keyspace.set_expires_keys(!loading_ && client_pause_ == nullptr);
}

}  // namespace backplane
