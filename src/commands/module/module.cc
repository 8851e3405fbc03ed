// SPDX-License-Identifier: BSD-3-Clause
// MODULE LOAD, LOADEX, UNLOAD, UPGRADE, INSPECT, DORMANT, LIST.
#include <map>
#include <memory>

#include "command/context.h"
#include "commands/help.h"
#include "commands/module/module_commands.h"
#include "modhost/host.h"
#include "modhost/jobs.h"

namespace backplane {
namespace {

// A client whose command starts a job: it gets the outcome at once, or waits for it. It may go away
// before.
class JobClient final : public BlockedState {
 public:
  explicit JobClient(CommandContext& ctx) : session_(&ctx.session()), sink_(&ctx.reply()) {}

  void OnDisconnect() override { session_ = nullptr; }
  // What was begun is ended: the client cannot leave early.
  bool OnUnblock(bool error) override { return false; }
  void OnTimeout() override {}
  int64_t deadline_ms() const override { return 0; }

  // After the job was started.
  void WaitUnlessAnswered() {
    if (answered_) return;
    sink_ = &session_->reply();
    waits_ = true;
    session_->Block(this);
  }
  template <class F>
  void Answer(F&& reply) {
    answered_ = true;
    if (session_ == nullptr) return;
    reply(*sink_);
    if (!waits_) return;
    if (session_->link() != nullptr) session_->link()->ScheduleWrite();
    session_->Unblock();
  }

 private:
  Session* session_;
  ReplySink* sink_;
  bool waits_ = false;
  bool answered_ = false;
};

// `start` begins a job, given whether the client can wait and what to call at its end; `reply`
// answers the client when the job has succeeded.
template <class Start, class Reply>
void RunJob(CommandContext& ctx, Start&& start, Reply reply) {
  const Session& session = ctx.session();
  const bool may_wait = session.kind() == Session::Kind::kNormal &&
                        !session.executing_transaction && session.link() != nullptr;
  auto client = std::make_shared<JobClient>(ctx);
  start(may_wait, [client, reply](const JobOutcome& outcome) {
    client->Answer([&](ReplySink& sink) {
      if (outcome.status) return reply(sink, outcome);
      sink.Error("ERR " + outcome.status.error().message);
    });
  });
  client->WaitUnlessAnswered();
}

std::vector<std::string> ArgsFrom(CommandContext& ctx, size_t first) {
  auto rest = ctx.args().subspan(first);
  return {rest.begin(), rest.end()};
}

void ReplyOk(ReplySink& sink, const JobOutcome&) { sink.Ok(); }

void RunLoad(CommandContext& ctx, LoadRequest request) {
  ModuleJobs& jobs = ctx.owner<ModuleHost>().jobs();
  RunJob(
      ctx,
      [&](bool may_wait, ModuleJobs::Finish finish) {
        jobs.Load(std::move(request), may_wait, std::move(finish));
      },
      ReplyOk);
}

void ModuleLoad(CommandContext& ctx) {
  RunLoad(ctx, MakeLoadRequest(std::string(ctx.arg(2)), ArgsFrom(ctx, 3)));
}

// "[CONFIG name value ...] [ARGS arg ...]" from the i-th argument on; ARGS takes all that follows.
// *has_args: ARGS was there. False after replying an error.
bool ParseLoadOptions(CommandContext& ctx, size_t i, LoadRequest* request, bool* has_args) {
  for (; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "config") && i + 2 < ctx.argc()) {
      request->configs.emplace_back(ctx.arg(i + 1), ctx.arg(i + 2));
      i += 2;
    } else if (ctx.ArgIs(i, "args")) {
      request->args = ArgsFrom(ctx, i + 1);
      *has_args = true;
      return true;
    } else {
      ctx.Error("ERR syntax error: expected CONFIG name value, or ARGS");
      return false;
    }
  }
  return true;
}

void ModuleLoadEx(CommandContext& ctx) {
  LoadRequest request;
  bool has_args = false;
  if (!ParseLoadOptions(ctx, 3, &request, &has_args)) return;
  LoadRequest whole = MakeLoadRequest(std::string(ctx.arg(2)), std::move(request.args));
  whole.configs = std::move(request.configs);
  RunLoad(ctx, std::move(whole));
}

void ReplyUpgrade(ReplySink& sink, const JobOutcome& outcome) {
  sink.BeginMap(4);
  sink.Bulk("old-version");
  sink.Integer(outcome.upgrade.old_version);
  sink.Bulk("new-version");
  sink.Integer(outcome.upgrade.new_version);
  sink.Bulk("values");
  sink.Integer(static_cast<int64_t>(outcome.upgrade.values));
  sink.Bulk("pause-us");
  sink.Integer(outcome.upgrade.pause_us);
}

void ReplyReport(ReplySink& sink, const JobOutcome& outcome) { outcome.report.Reply(sink); }

// "UPGRADE name path [DRYRUN] [LAZY] [PRECOPY] [FORCE] [CONFIG name value ...] [ARGS arg ...]"
void ModuleUpgrade(CommandContext& ctx) {
  UpgradeRequest request;
  request.name = ctx.arg(2);
  size_t i = 4;
  for (; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "dryrun")) {
      request.dry_run = true;
    } else if (ctx.ArgIs(i, "lazy")) {
      request.lazy = true;
    } else if (ctx.ArgIs(i, "precopy")) {
      request.precopy = true;
    } else if (ctx.ArgIs(i, "force")) {
      request.force = true;
    } else {
      break;
    }
  }
  LoadRequest options;
  bool has_args = false;
  if (!ParseLoadOptions(ctx, i, &options, &has_args)) return;
  request.load = MakeLoadRequest(std::string(ctx.arg(3)), std::move(options.args));
  request.load.configs = std::move(options.configs);
  request.keep_args = !has_args;
  const bool dry_run = request.dry_run;
  ModuleJobs& jobs = ctx.owner<ModuleHost>().jobs();
  RunJob(
      ctx,
      [&](bool may_wait, ModuleJobs::Finish finish) {
        jobs.Upgrade(std::move(request), may_wait, std::move(finish));
      },
      dry_run ? ReplyReport : ReplyUpgrade);
}

void ModuleInspect(CommandContext& ctx) {
  LoadRequest request = MakeLoadRequest(std::string(ctx.arg(2)), ArgsFrom(ctx, 3));
  ModuleJobs& jobs = ctx.owner<ModuleHost>().jobs();
  RunJob(
      ctx,
      [&](bool may_wait, ModuleJobs::Finish finish) {
        jobs.Inspect(std::move(request), may_wait, std::move(finish));
      },
      ReplyReport);
}

void ModuleUnload(CommandContext& ctx) {
  if (ctx.argc() > 4) return ctx.Error(errors::WrongArity("module|unload"));
  if (ctx.argc() == 4 && !ctx.ArgIs(3, "keepdata")) return ctx.Error(errors::kSyntax);
  const Status status = ctx.owner<ModuleHost>().Unload(ctx.arg(2), ctx.argc() == 4);
  if (!status) return ctx.Error("ERR " + status.error().message);
  ctx.reply().Ok();
}

// Types that have dormant values or AUX fields: what they hold.
struct DormantRow {
  int64_t keys = 0;
  int64_t bytes = 0;
  int64_t fields = 0;
  int64_t failed = 0;
  std::string error;
};

void ModuleDormant(CommandContext& ctx) {
  std::map<std::string, DormantRow> rows;
  for (const auto& [id, type] : ctx.keyspace().dormant_types().all()) {
    if (type->values() == 0) continue;
    DormantRow& row = rows[std::string(type->name())];
    row.keys += type->values();
    row.bytes += type->bytes();
    row.failed += static_cast<int64_t>(type->failed_values());
    if (row.failed > 0) row.error = type->last_error();
  }
  for (const DormantAux& aux : ctx.owner<ModuleHost>().types().dormant_aux()) {
    DormantRow& row = rows[ModuleTypeName(aux.type_id)];
    ++row.fields;
    row.bytes += static_cast<int64_t>(aux.body.size());
  }
  ReplySink& reply = ctx.reply();
  reply.BeginMap(rows.size());
  for (const auto& [name, row] : rows) {
    reply.Bulk(name);
    reply.BeginMap(5);
    reply.Bulk("keys");
    reply.Integer(row.keys);
    reply.Bulk("bytes");
    reply.Integer(row.bytes);
    reply.Bulk("aux-fields");
    reply.Integer(row.fields);
    reply.Bulk("unreadable");
    reply.Integer(row.failed);
    reply.Bulk("last-error");
    reply.Bulk(row.error);
  }
}

void ReplyModule(ReplySink& reply, const Module& module) {
  reply.BeginMap(4);
  reply.Bulk("name");
  reply.Bulk(module.name());
  reply.Bulk("ver");
  reply.Integer(module.version());
  reply.Bulk("path");
  reply.Bulk(module.path());
  reply.Bulk("args");
  reply.BeginArray(module.args().size());
  for (const std::string& arg : module.args()) reply.Bulk(arg);
}

void ModuleList(CommandContext& ctx) {
  const auto& modules = ctx.owner<ModuleHost>().modules();
  ctx.reply().BeginArray(modules.size());
  for (const auto& module : modules) ReplyModule(ctx.reply(), *module);
}

void ModuleHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"DORMANT", "    What is kept for types whose module is not loaded.",
                  "INSPECT <path> [<arg> ...]",
                  "    Loads a module in a child process and reports what it would do.", "LIST",
                  "    The modules that are loaded.", "LOAD <path> [<arg> ...]",
                  "    Loads a module and hands it the arguments.",
                  "LOADEX <path> [CONFIG <name> <value> ...] [ARGS <arg> ...]",
                  "    Loads a module with values for its options, and arguments.",
                  "STATS [<name>]", "    What modules take and do.", "UNLOAD <name> [KEEPDATA]",
                  "    Unloads a module. With KEEPDATA its values wait for its return.",
                  "UPGRADE <name> <path> [DRYRUN] [LAZY] [PRECOPY] [FORCE]",
                  "        [CONFIG <name> <value> ...] [ARGS <arg> ...]",
                  "    Replaces a module by another build of it, with its data."});
}

constexpr uint64_t kFlags = kCmdAdmin | kCmdNoScript | kCmdNoAsyncLoading;
constexpr uint64_t kChange = kFlags | kCmdProtected;

constexpr CommandSpec kCommands[] = {
    {.name = "module",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .acl = kAclSlow,
     .summary = "A container for commands about modules.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "That of the subcommand"},
    {.name = "module|load",
     .handler = ModuleLoad,
     .arity = -3,
     .flags = kChange,
     .summary = "Loads a module.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "path [arg...]"},
    {.name = "module|loadex",
     .handler = ModuleLoadEx,
     .arity = -3,
     .flags = kChange,
     .summary = "Loads a module with values for its options.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "path [CONFIG configs(name value)]... [ARGS args...]"},
    {.name = "module|unload",
     .handler = ModuleUnload,
     .arity = -3,
     .flags = kChange,
     .summary = "Unloads a module.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1), with KEEPDATA O(N) in the values of its types",
     .arguments = "name [KEEPDATA]"},
    {.name = "module|upgrade",
     .handler = ModuleUpgrade,
     .arity = -4,
     .flags = kChange,
     .summary = "Replaces a module by another build of it, with its data.",
     .since = "7.2.0",
     .group = "server",
     .complexity = "O(N) in the values of its types",
     .arguments = "name path [DRYRUN] [LAZY] [PRECOPY] [FORCE] [CONFIG configs(name value)]... "
                  "[ARGS args...]"},
    {.name = "module|inspect",
     .handler = ModuleInspect,
     .arity = -3,
     .flags = kChange,
     .summary = "Loads a module in a child process and reports what it would do.",
     .since = "7.2.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "path [arg...]"},
    {.name = "module|dormant",
     .handler = ModuleDormant,
     .arity = 2,
     .flags = kFlags,
     .summary = "What is kept for types whose module is not loaded.",
     .since = "7.2.0",
     .group = "server",
     .complexity = "O(N) in types"},
    {.name = "module|list",
     .handler = ModuleList,
     .arity = 2,
     .flags = kCmdAdmin | kCmdNoScript,
     .summary = "The modules that are loaded.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(N) in modules",
     .tips = "nondeterministic_output_order"},
    {.name = "module|help",
     .handler = ModuleHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .summary = "Shows the subcommands.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterModuleCommands(CommandRegistry& registry, ModuleHost& host) {
  registry.Add(kCommands, &host);
  RegisterModuleStats(registry, host);
}

void ModuleReports::ReplyModules(ReplySink& reply) {
  reply.BeginArray(host_->modules().size());
  for (const auto& module : host_->modules()) ReplyModule(reply, *module);
}

std::string ModuleReports::ModuleSections(std::string_view wanted) {
  return host_->ModuleSections(wanted, false);
}

bool ModuleReports::HasSection(std::string_view name) { return host_->HasInfoSection(name); }

void ModuleReports::Append(std::string* out) { *out += host_->ModulesInfo(); }

}  // namespace backplane
