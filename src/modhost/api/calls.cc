// SPDX-License-Identifier: BSD-3-Clause
// API area: Call, and calls that may wait. The reply is recorded on a pooled tape; nothing is
// encoded or parsed.
#include <cerrno>
#include <cstdarg>

#include "base/ascii.h"
#include "engine/memory_limit.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/call_arguments.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"
#include "modhost/promised_call.h"

namespace backplane {
namespace {

struct Refusal {
  int error = 0;
  std::string text;  // for calls that want errors as replies
};

// The command that the arguments name; null and *refusal when there is none that may run.
Command* FindCommand(ModuleHost& host, Session& session, const CallArguments& call,
                     Refusal* refusal) {
  auto args = call.args();
  Command* command = host.FindCommand(args[0]);
  if (command != nullptr && command->has_subcommands() && args.size() >= 2) {
    Command* sub = command->Subcommand(args[1]);
    if (sub != nullptr || command->handler == nullptr) command = sub;
  }
  if (command != nullptr && command->handler != nullptr && command->ArityOk(args.size()))
      [[likely]] {
    return command;
  }
  refusal->error = command == nullptr ? ENOENT : EINVAL;
  if (host.engine().Resolve(session, args, &refusal->text) != nullptr) refusal->text = "ERR";
  return nullptr;
}

// The modifiers that forbid things.
bool Allowed(const Engine& engine, const Command& command, const CallArguments& call,
             Refusal* refusal) {
  const MemoryLimit* limit = engine.memory_limit();
  if (call.Has(kCallDenyOom) && command.Is(kCmdDenyOom) && limit != nullptr &&
      limit->UsedShare() > 1) {
    *refusal = {ENOSPC, std::string(MemoryLimit::kRefusal)};
    return false;
  }
  if (call.Has(kCallScriptMode) && command.Is(kCmdNoScript)) {
    *refusal = {ESPIPE, "ERR command '" + command.fullname + "' is not allowed on script mode"};
    return false;
  }
  if (call.Has(kCallScriptMode) && command.Is(kCmdWrite) && engine.writes_refused()) {
    *refusal = {ESPIPE, engine.WriteRefusal()};
    return false;
  }
  if (call.Has(kCallNoWrites) && command.Is(kCmdWrite)) {
    *refusal = {ENOSPC, "ERR Write command '" + command.fullname +
                            "' was called while write is not allowed."};
    return false;
  }
  return true;
}

// What a called command may have left on the session must not reach the next call.
void CleanSession(ModuleHost& host, Session& session) {
  session.transaction.reset();
  if (session.user != nullptr) session.user.reset();
  if (!session.watcher.empty()) host.keyspace().watches().Unwatch(session.watcher);
  if (session.subscribed()) host.engine().pubsub().UnsubscribeAll(session);
  host.null_sink().set_resp(2);
}

// Makes the call as the context's user; false and *refusal when that may not run it.
bool AllowedToUser(RedisModuleCtx* ctx, Session& session, const Command& command,
                   const CallArguments& call, Refusal* refusal) {
  session.user = ctx->user != nullptr ? ctx->user : ctx->session->user;
  if (session.user == nullptr) {
    *refusal = {ENOTSUP,
                "ERR cannot run as user, no user directly attached to context or context's client"};
    return false;
  }
  if (session.user->unrestricted()) return true;
  refusal->text = ctx->host().engine().PermissionRefusal(session, command, call.args(),
                                                         AclLog::Context::kModule, *ctx->session);
  if (refusal->text.empty()) return true;
  refusal->error = EACCES;
  session.user.reset();
  return false;
}

// Without automatic memory a reply may outlive the context.
RedisModuleCallReply* HandOver(RedisModuleCtx* ctx, CallReplyRoot* root, bool resp3) {
  root->Ready(ctx->Has(kCtxAutoMemory) ? ctx : nullptr, resp3);
  ctx->Track(RedisModuleCtx::Kind::kReply, root->top());
  return root->top();
}

RedisModuleCallReply* Finish(RedisModuleCtx* ctx, CallReplyRoot* root, bool resp3) {
  if (!root->tape().complete()) [[unlikely]]
    root->tape().Finish();
  return HandOver(ctx, root, resp3);
}

RedisModuleCallReply* Refuse(RedisModuleCtx* ctx, const CallArguments& call,
                             const Refusal& refusal) {
  errno = refusal.error;
  if (!call.Has(kCallErrorsAsReplies)) return nullptr;
  CallReplyRoot* root = ctx->host().replies().Take();
  root->tape().Error(refusal.text);
  return Finish(ctx, root, false);
}

uint8_t TargetsOf(const CallArguments& call) {
  return call.Has(kCallReplicate) ? call.targets() : uint8_t{kPropagateNowhere};
}

// A transaction and a script go on at once, so nothing in them waits.
bool MayWait(const RedisModuleCtx* ctx) {
  const Session* executing = ctx->host().engine().executing();
  return ctx->session->kind() != Session::Kind::kScript &&
         (executing == nullptr || !executing->executing_transaction);
}

// As Run, of a command that may wait; as the user of `checked`.
RedisModuleCallReply* RunPromised(RedisModuleCtx* ctx, const CallArguments& call,
                                  const Command& command, Session& checked, bool resp3) {
  const PromisedCall::Options options = {.resp3 = resp3, .targets = TargetsOf(call)};
  auto* promised = ctx->module->Own(
      std::make_unique<PromisedCall>(ctx->module, ctx->session->db_index, options));
  promised->session().user = std::move(checked.user);
  CleanSession(ctx->host(), checked);
  promised->Start(command, call.args());
  errno = 0;
  if (promised->waits()) return HandOver(ctx, promised->Promise(), false);
  CallReplyRoot* root = promised->TakeReply();
  ctx->module->Destroy(promised);
  return HandOver(ctx, root, resp3);
}

RedisModuleCallReply* Run(RedisModuleCtx* ctx, CallArguments& call) {
  ModuleHost& host = ctx->host();
  if (!host.filters().empty()) [[unlikely]] {
    std::vector<std::string_view> words(call.args().begin(), call.args().end());
    if (host.filters().Apply(ctx->client_id, ctx->module, &words)) call.Replace(std::move(words));
    if (call.args().empty()) return Refuse(ctx, call, {ENOENT, "ERR unknown command ''"});
  }
  ModuleHost::InternalSession session(host, ctx->session->db_index);
  Refusal refusal;
  Command* command = FindCommand(host, *session, call, &refusal);
  if (command == nullptr || !Allowed(host.engine(), *command, call, &refusal)) [[unlikely]] {
    return Refuse(ctx, call, refusal);
  }
  if (call.Has(kCallRunAsUser) && !AllowedToUser(ctx, *session, *command, call, &refusal))
      [[unlikely]] {
    return Refuse(ctx, call, refusal);
  }
  if (call.Has(kCallDryRun)) [[unlikely]] {
    errno = 0;
    CleanSession(host, *session);
    return nullptr;
  }
  const bool resp3 = call.Has(kCallResp3) || (call.Has(kCallRespAuto) && ctx->sink->resp() == 3);
  if (call.Has(kCallAllowBlock) && MayWait(ctx))
    return RunPromised(ctx, call, *command, *session, resp3);
  CallReplyRoot* root = host.replies().Take();
  root->tape().set_resp(resp3 ? 3 : 2);
  session.get()->scripts_ignore_memory = !call.Has(kCallDenyOom);
  const Session* executing = host.engine().executing();
  if (executing != nullptr && executing->kind() == Session::Kind::kReplay) [[unlikely]] {
    // A part of a command that a file holds.
    host.engine().Replay(*session, *command, call.args(), root->tape());
  } else {
    host.engine().Call(*session, *command, call.args(), root->tape(), TargetsOf(call));
  }
  CleanSession(host, *session);
  errno = 0;
  return Finish(ctx, root, resp3);
}

RedisModuleCallReply* Call(RedisModuleCtx* ctx, const char* cmdname, const char* fmt, ...) {
  CallArguments call;
  va_list values;
  va_start(values, fmt);
  const bool parsed = call.Parse(cmdname, fmt, values);
  va_end(values);
  if (!parsed) {
    errno = EBADF;
    return nullptr;
  }
  return Run(ctx, call);
}

void FreeCallReply(RedisModuleCallReply* reply) {
  if (reply == nullptr || reply != reply->root->top()) return;
  RedisModuleCtx* ctx = reply->root->ctx();
  if (PromisedCall* promised = reply->root->promise()) [[unlikely]]
    promised->ForgetPromise();
  if (ctx == nullptr) return CurrentHost()->replies().Give(reply->root);
  ctx->Untrack(RedisModuleCtx::Kind::kReply, reply);
  ctx->host().replies().Give(reply->root);
}

void CallReplyPromiseSetUnblockHandler(RedisModuleCallReply* reply,
                                       RedisModuleOnUnblocked on_unblocked, void* private_data) {
  if (reply == nullptr) return;
  if (PromisedCall* promised = reply->root->promise()) {
    promised->SetHandler(on_unblocked, private_data);
  }
}

int CallReplyPromiseAbort(RedisModuleCallReply* reply, void** private_data) {
  PromisedCall* promised = reply == nullptr ? nullptr : reply->root->promise();
  if (promised == nullptr) return REDISMODULE_ERR;
  if (private_data != nullptr) *private_data = promised->data();
  promised->End();
  return REDISMODULE_OK;
}

}  // namespace

void RegisterCallApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(Call),
      BACKPLANE_API_ROW(FreeCallReply),
      BACKPLANE_API_ROW(CallReplyPromiseSetUnblockHandler),
      BACKPLANE_API_ROW(CallReplyPromiseAbort),
  };
  table.Add(rows);
}

}  // namespace backplane
