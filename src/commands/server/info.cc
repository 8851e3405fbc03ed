// SPDX-License-Identifier: BSD-3-Clause
// INFO: the sections of the engine, and those that other services register.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/ascii.h"
#include "base/version.h"
#include "command/context.h"
#include "commands/persist/migration_peers.h"
#include "commands/server/memory_report.h"
#include "commands/server/server_families.h"
#include "commands/server/server_samples.h"
#include "config/option_kinds.h"
#include "engine/clients.h"
#include "engine/engine.h"
#include "engine/key_waiters.h"
#include "engine/memory_limit.h"
#include "net/event_loop.h"
#include "script/scripting.h"

namespace backplane {
namespace {

class InfoWriter {
 public:
  explicit InfoWriter(std::string* out) : out_(out) {}
  template <class T>
  void Line(std::string_view name, const T& value) {
    fmt::format_to(std::back_inserter(*out_), "{}:{}\r\n", name, value);
  }

 private:
  std::string* out_;
};

std::string HumanBytes(size_t bytes) {
  if (bytes < 1024) return fmt::format("{}B", bytes);
  double value = static_cast<double>(bytes);
  for (char unit : {'K', 'M', 'G', 'T'}) {
    value /= 1024;
    if (value < 1024) return fmt::format("{:.2f}{}", value, unit);
  }
  return fmt::format("{:.2f}P", value / 1024);
}

void ServerSection(CommandContext& ctx, InfoWriter& w) {
  ServerFacts facts = ctx.owner<ServerServices>().control->Facts();
  utsname system{};
  uname(&system);
  int64_t uptime = (WallMillis() - facts.started_ms) / 1000;
  w.Line("redis_version", kCompatVersion);
  w.Line("backplane_version", kBackplaneVersion);
  w.Line("redis_git_sha1", "00000000");
  w.Line("redis_git_dirty", 0);
  w.Line("redis_mode", "standalone");
  w.Line("os", fmt::format("{} {} {}", system.sysname, system.release, system.machine));
  w.Line("arch_bits", 64);
  w.Line("monotonic_clock", "POSIX clock_gettime");
  w.Line("multiplexing_api", "epoll");
  w.Line("atomicvar_api", "c11-builtin");
  w.Line("gcc_version", __VERSION__);
  w.Line("process_id", getpid());
  w.Line("process_supervised", facts.supervisor);
  w.Line("run_id", facts.run_id);
  w.Line("tcp_port", facts.port);
  w.Line("server_time_usec", WallMicros());
  w.Line("uptime_in_seconds", uptime);
  constexpr int64_t kDay = 86400;
  w.Line("uptime_in_days", uptime / kDay);
  w.Line("hz", ctx.engine().settings().hz);
  w.Line("configured_hz", ctx.engine().settings().hz);
  w.Line("lru_clock", ctx.keyspace().access_clock());
  w.Line("executable", facts.executable);
  w.Line("config_file", facts.config_file);
  w.Line("io_threads_active", ctx.engine().settings().io_threads > 1 ? 1 : 0);
  for (size_t i = 0; i < facts.listeners.size(); ++i) {
    w.Line(fmt::format("listener{}", i), facts.listeners[i]);
  }
}

void ClientsSection(CommandContext& ctx, InfoWriter& w) {
  Clients* clients = ctx.owner<ServerServices>().clients;
  size_t input_max = 0;
  size_t output_max = 0;
  size_t pubsub = 0;
  size_t watching = 0;
  size_t with_deadline = 0;
  clients->ForEach([&](NetClient& c) {
    input_max = std::max(input_max, c.input_capacity());
    output_max = std::max(output_max, c.output_memory());
    pubsub += c.session().subscribed() ? 1 : 0;
    watching += c.session().watcher.empty() ? 0 : 1;
    const BlockedState* blocked = c.session().blocked_state();
    with_deadline += blocked != nullptr && blocked->deadline_ms() != 0 ? 1 : 0;
  });
  w.Line("connected_clients", clients->count());
  w.Line("cluster_connections", 0);
  w.Line("maxclients", ctx.engine().settings().maxclients);
  w.Line("client_recent_max_input_buffer", input_max);
  w.Line("client_recent_max_output_buffer", output_max);
  w.Line("blocked_clients", clients->blocked_count());
  w.Line("tracking_clients", ctx.engine().tracking().session_count());
  w.Line("pubsub_clients", pubsub);
  w.Line("watching_clients", watching);
  w.Line("clients_in_timeout_table", with_deadline);
  w.Line("total_blocking_keys", ctx.engine().key_waiters().key_count());
  w.Line("total_blocking_keys_on_nokey", ctx.engine().key_waiters().key_count_for_deletes());
}

std::string Percent(size_t part, size_t whole) {
  return fmt::format(
      "{:.2f}%", whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// "name:bytes" and "name_human:3.20M".
void BytesLines(InfoWriter& w, std::string_view name, size_t bytes) {
  w.Line(name, bytes);
  w.Line(fmt::format("{}_human", name), HumanBytes(bytes));
}

// "name_ratio" and "name_bytes": how much more `outer` is than `inner`.
void RatioLines(InfoWriter& w, std::string_view name, std::string_view ratio, size_t outer,
                size_t inner) {
  w.Line(fmt::format("{}_{}", name, ratio), fmt::format("{:.2f}", Ratio(outer, inner)));
  w.Line(fmt::format("{}_bytes", name), static_cast<int64_t>(outer) - static_cast<int64_t>(inner));
}

void ScriptLines(InfoWriter& w, Scripting& scripting) {
  const size_t scripts_vm = scripting.scripts().vm_memory();
  const size_t scripts = scripting.scripts().memory();
  const size_t functions_vm = scripting.libraries().vm_memory();
  const size_t functions = scripting.libraries().memory();
  w.Line("used_memory_lua", scripts_vm);
  w.Line("used_memory_vm_eval", scripts_vm);
  w.Line("used_memory_lua_human", HumanBytes(scripts_vm));
  w.Line("used_memory_scripts_eval", scripts);
  w.Line("number_of_cached_scripts", scripting.scripts().count());
  w.Line("number_of_functions", scripting.libraries().function_count());
  w.Line("number_of_libraries", scripting.libraries().all().size());
  w.Line("used_memory_vm_functions", functions_vm);
  BytesLines(w, "used_memory_vm_total", scripts_vm + functions_vm);
  w.Line("used_memory_functions", functions);
  BytesLines(w, "used_memory_scripts", scripts + functions);
}

void MemorySection(CommandContext& ctx, InfoWriter& w) {
  auto& services = ctx.owner<ServerServices>();
  const MemoryFacts facts = MeasureMemory(ctx, services);
  const AllocatorInfo& info = facts.allocator;
  const size_t rss = facts.resident;
  BytesLines(w, "used_memory", info.allocated);
  BytesLines(w, "used_memory_rss", rss);
  BytesLines(w, "used_memory_peak", facts.peak);
  w.Line("used_memory_peak_perc", Percent(info.allocated, facts.peak));
  w.Line("used_memory_overhead", facts.overhead);
  w.Line("used_memory_startup", facts.startup);
  w.Line("used_memory_dataset", facts.dataset);
  w.Line("used_memory_dataset_perc", Percent(facts.dataset, facts.net));
  w.Line("allocator_allocated", info.allocated);
  w.Line("allocator_active", info.active);
  w.Line("allocator_resident", info.resident);
  BytesLines(
      w, "total_system_memory",
      static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE)));
  ScriptLines(w, *services.scripting);
  const Settings& settings = ctx.engine().settings();
  BytesLines(w, "maxmemory", static_cast<size_t>(settings.maxmemory));
  w.Line("maxmemory_policy",
         EvictionPolicyName(static_cast<EvictionPolicy>(settings.maxmemory_policy)));
  RatioLines(w, "allocator_frag", "ratio", info.active, info.allocated);
  RatioLines(w, "allocator_rss", "ratio", info.resident, info.active);
  RatioLines(w, "rss_overhead", "ratio", rss, info.resident);
  RatioLines(w, "mem_fragmentation", "ratio", rss, info.allocated);
  w.Line("mem_not_counted_for_evict", 0);
  w.Line("mem_replication_backlog", 0);
  w.Line("mem_total_replication_buffers", 0);
  w.Line("mem_clients_slaves", 0);
  w.Line("mem_clients_normal", facts.clients);
  w.Line("mem_cluster_links", 0);
  w.Line("mem_aof_buffer", facts.aof_buffer);
  w.Line("mem_allocator", AllocatorName());
  w.Line("active_defrag_running", 0);
  w.Line("lazyfree_pending_objects", ctx.keyspace().lazy_free().pending_objects());
  w.Line("lazyfreed_objects", ctx.keyspace().lazy_free().freed_objects() -
                                  ctx.owner<ServerServices>().samples->lazy_freed_before());
}

void SocketStats(const ConnectionSet& connections, InfoWriter& w) {
  w.Line("total_reads_processed", connections.total_reads());
  w.Line("total_writes_processed", connections.total_writes());
  w.Line("io_threaded_reads_processed", connections.threaded_reads());
  w.Line("io_threaded_writes_processed", connections.threaded_writes());
}

// There is no active defragmentation: it has done nothing yet.
void DefragmentationLines(InfoWriter& w) {
  for (const char* name :
       {"active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits",
        "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time"}) {
    w.Line(name, 0);
  }
}

void TrackingLines(InfoWriter& w, const ClientTracking& tracking) {
  w.Line("tracking_total_keys", tracking.key_count());
  w.Line("tracking_total_items", tracking.item_count());
  w.Line("tracking_total_prefixes", tracking.prefix_count());
}

void TurnStats(CommandContext& ctx, InfoWriter& w) {
  const EventLoop* loop = ctx.owner<ServerServices>().loop;
  if (loop == nullptr) return;
  constexpr int64_t kNanosPerMicro = 1000;
  const EventLoop::TurnStats& turns = loop->turn_stats();
  const ServerSamples& rates = *ctx.owner<ServerServices>().samples;
  const uint64_t command_ticks = ctx.engine().stats().command_ticks;
  w.Line("eventloop_cycles", turns.turns);
  w.Line("eventloop_duration_sum", turns.busy_nanos / kNanosPerMicro);
  w.Line("eventloop_duration_cmd_sum",
         ctx.engine().tick_clock().ToNanos(command_ticks) / kNanosPerMicro);
  w.Line("eventloop_duration_max", turns.longest_nanos / kNanosPerMicro);
  w.Line("instantaneous_eventloop_cycles_per_sec", rates.turns_per_second());
  w.Line("instantaneous_eventloop_duration_usec", rates.turn_micros());
}

void StatsSection(CommandContext& ctx, InfoWriter& w) {
  const EngineStats& stats = ctx.engine().stats();
  const Keyspace::Stats& keys = ctx.keyspace().stats();
  PubSub& pubsub = ctx.engine().pubsub();
  ConnectionSet* connections = ctx.owner<ServerServices>().connections;
  const ServerSamples& rates = *ctx.owner<ServerServices>().samples;
  constexpr double kKilo = 1024;
  constexpr int64_t kMicrosPerMs = 1000;
  w.Line("total_connections_received", stats.connections);
  w.Line("total_commands_processed", stats.commands);
  w.Line("instantaneous_ops_per_sec", rates.commands_per_second());
  w.Line("total_net_input_bytes", connections->total_bytes_in());
  w.Line("total_net_output_bytes", connections->total_bytes_out());
  w.Line("total_net_repl_input_bytes", 0);
  w.Line("total_net_repl_output_bytes", 0);
  auto kilo = [](uint64_t bytes) {
    return fmt::format("{:.2f}", static_cast<double>(bytes) / kKilo);
  };
  w.Line("instantaneous_input_kbps", kilo(rates.bytes_in_per_second()));
  w.Line("instantaneous_output_kbps", kilo(rates.bytes_out_per_second()));
  w.Line("instantaneous_input_repl_kbps", kilo(0));
  w.Line("instantaneous_output_repl_kbps", kilo(0));
  TurnStats(ctx, w);
  w.Line("rejected_connections", stats.rejected_connections);
  for (const char* name : {"sync_full", "sync_partial_ok", "sync_partial_err"}) w.Line(name, 0);
  w.Line("expired_keys", keys.expired);
  w.Line("expired_stale_perc", fmt::format("{:.2f}", rates.stale_share() * 100));
  w.Line("expired_time_cap_reached_count", rates.expire_caps());
  w.Line("expire_cycle_cpu_milliseconds", rates.expire_micros() / kMicrosPerMs);
  w.Line("evicted_keys", keys.evicted);
  w.Line("evicted_clients", stats.evicted_clients);
  const MemoryLimit* limit = ctx.engine().memory_limit();
  w.Line("total_eviction_exceeded_time", limit != nullptr ? limit->exceeded_ms() : 0);
  w.Line("current_eviction_exceeded_time", limit != nullptr ? limit->current_exceeded_ms() : 0);
  w.Line("keyspace_hits", keys.hits);
  w.Line("keyspace_misses", keys.misses);
  w.Line("pubsub_channels", pubsub.channel_count());
  w.Line("pubsub_patterns", pubsub.pattern_count());
  w.Line("pubsubshard_channels", pubsub.shard_channel_count());
  w.Line("latest_fork_usec", stats.latest_fork_usec);
  w.Line("total_forks", stats.total_forks);
  const MigrationPeers* peers = ctx.owner<ServerServices>().migration_peers;
  w.Line("migrate_cached_sockets", peers != nullptr ? peers->size() : 0);
  w.Line("slave_expires_tracked_keys", 0);
  DefragmentationLines(w);
  TrackingLines(w, ctx.engine().tracking());
  w.Line("total_error_replies", stats.error_replies);
  w.Line("unexpected_error_replies", stats.unexpected_errors);
  SocketStats(*connections, w);
  if (Users* users = ctx.engine().users()) {
    const AclLog::Totals& denied = users->log().totals();
    w.Line("acl_access_denied_auth", denied.auth);
    w.Line("acl_access_denied_cmd", denied.command);
    w.Line("acl_access_denied_key", denied.key);
    w.Line("acl_access_denied_channel", denied.channel);
  }
}

void ReplicationSection(CommandContext& ctx, InfoWriter& w) {
  w.Line("role", "master");
  w.Line("connected_slaves", 0);
  w.Line("master_failover_state", "no-failover");
  w.Line("master_replid", ctx.owner<ServerServices>().control->Facts().run_id);
  w.Line("master_replid2", std::string(40, '0'));
  w.Line("master_repl_offset", 0);
  w.Line("second_repl_offset", -1);
  w.Line("repl_backlog_active", 0);
  w.Line("repl_backlog_size", ctx.engine().settings().kept.repl_backlog_size);
  w.Line("repl_backlog_first_byte_offset", 0);
  w.Line("repl_backlog_histlen", 0);
}

void CpuSection(CommandContext&, InfoWriter& w) {
  auto seconds = [](const timeval& t) { return fmt::format("{}.{:06}", t.tv_sec, t.tv_usec); };
  // Commands, timers and clients are one thread's work, and it is this one.
  rusage main_thread{};
  rusage self{};
  rusage children{};
  getrusage(RUSAGE_THREAD, &main_thread);
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  w.Line("used_cpu_sys", seconds(self.ru_stime));
  w.Line("used_cpu_user", seconds(self.ru_utime));
  w.Line("used_cpu_sys_children", seconds(children.ru_stime));
  w.Line("used_cpu_user_children", seconds(children.ru_utime));
  w.Line("used_cpu_sys_main_thread", seconds(main_thread.ru_stime));
  w.Line("used_cpu_user_main_thread", seconds(main_thread.ru_utime));
}

// The command's name within a field's name, which a colon would end.
std::string StatName(const Command& command) {
  std::string name = command.fullname;
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

void CommandStatsSection(CommandContext& ctx, InfoWriter& w) {
  auto line = [&](const Command& c) {
    if (c.stats.calls == 0 && c.stats.rejected == 0) return;
    int64_t usec = ctx.engine().tick_clock().ToNanos(c.stats.ticks) / 1000;
    double per_call =
        c.stats.calls == 0 ? 0 : static_cast<double>(usec) / static_cast<double>(c.stats.calls);
    w.Line("cmdstat_" + StatName(c),
           fmt::format("calls={},usec={},usec_per_call={:.2f},rejected_calls={},failed_calls={}",
                       c.stats.calls, usec, per_call, c.stats.rejected, c.stats.failed));
  };
  for (const Command* c : ctx.engine().commands().All()) {
    line(*c);
    for (const auto& [name, sub] : c->subcommands) line(*sub);
  }
}

void LatencyStatsSection(CommandContext& ctx, InfoWriter& w) {
  if (!ctx.engine().settings().latency_tracking) return;
  constexpr double kNanosPerMicro = 1000;
  auto line = [&](const Command& c) {
    if (c.stats.latency == nullptr) return;
    std::string text;
    for (double percentile : ctx.engine().settings().latency_percentiles) {
      const int64_t nanos = ctx.engine().tick_clock().ToNanos(c.stats.latency->ValueAt(percentile));
      fmt::format_to(std::back_inserter(text), "{}p{}={:.3f}", text.empty() ? "" : ",",
                     PercentileText(percentile), static_cast<double>(nanos) / kNanosPerMicro);
    }
    w.Line("latency_percentiles_usec_" + StatName(c), text);
  };
  for (const Command* c : ctx.engine().commands().All()) {
    line(*c);
    for (const auto& [name, sub] : c->subcommands) line(*sub);
  }
}

void ErrorStatsSection(CommandContext& ctx, InfoWriter& w) {
  for (const auto& [code, count] : ctx.engine().stats().errors_by_code) {
    w.Line("errorstat_" + code, fmt::format("count={}", count));
  }
}

void ClusterSection(CommandContext&, InfoWriter& w) { w.Line("cluster_enabled", 0); }

void KeyspaceSection(CommandContext& ctx, InfoWriter& w) {
  for (int i = 0; i < ctx.keyspace().database_count(); ++i) {
    Database& db = ctx.keyspace().db(i);
    if (db.size() == 0) continue;
    w.Line(fmt::format("db{}", i), fmt::format("keys={},expires={},avg_ttl={}", db.size(),
                                               db.expires_size(), db.average_ttl_ms()));
  }
}

void DebugSection(CommandContext& ctx, InfoWriter& w) {
  constexpr int64_t kNanosPerMicro = 1000;
  const ServerSamples& samples = *ctx.owner<ServerServices>().samples;
  w.Line("eventloop_duration_aof_sum", samples.aof_nanos() / kNanosPerMicro);
  w.Line("eventloop_duration_cron_sum", samples.cron_nanos() / kNanosPerMicro);
  if (const EventLoop* loop = ctx.owner<ServerServices>().loop) {
    w.Line("eventloop_duration_max", loop->turn_stats().longest_nanos / kNanosPerMicro);
  }
  w.Line("eventloop_cmd_per_cycle_max", samples.turn_commands_max());
}

struct Section {
  std::string_view name;
  void (*write)(CommandContext&, InfoWriter&);
  bool in_default;
  bool in_all = true;
};
constexpr Section kSections[] = {
    {"Server", ServerSection, true},
    {"Clients", ClientsSection, true},
    {"Memory", MemorySection, true},
    {"Stats", StatsSection, true},
    {"Replication", ReplicationSection, true},
    {"CPU", CpuSection, true},
    {"Commandstats", CommandStatsSection, false},
    {"Errorstats", ErrorStatsSection, true},
    {"Latencystats", LatencyStatsSection, false},
    {"Cluster", ClusterSection, true},
    {"Keyspace", KeyspaceSection, true},
    {"Debug", DebugSection, false, false},
};

void Info(CommandContext& ctx) {
  std::set<std::string> wanted;
  bool all = false;
  bool defaults = ctx.argc() == 1;
  for (size_t i = 1; i < ctx.argc(); ++i) {
    std::string name = ToLower(ctx.arg(i));
    all |= name == "all" || name == "everything";
    defaults |= name == "default";
    wanted.insert(name);
  }
  std::string text;
  auto heading = [&](std::string_view name, bool in_default) {
    if (!all && !(defaults && in_default) && !wanted.contains(ToLower(name))) return false;
    if (!text.empty()) text += "\r\n";
    text.append("# ").append(name).append("\r\n");
    return true;
  };
  InfoWriter writer(&text);
  auto& services = ctx.owner<ServerServices>();
  for (const Section& section : kSections) {
    // Sections of other services stand where users look for them: modules before the commands'
    // statistics, others before the statistics.
    for (InfoSection* extra : services.info_sections) {
      const std::string_view before = extra->name() == "Modules" ? "Commandstats" : "Stats";
      if (section.name == before && heading(extra->name(), extra->in_default()))
        extra->Append(&text);
    }
    if (!section.in_all && !wanted.contains(ToLower(section.name))) continue;
    if (heading(section.name, section.in_default)) section.write(ctx, writer);
  }
  if (services.module_info != nullptr) {
    auto append = [&](std::string sections) {
      if (sections.empty()) return;
      if (!text.empty()) text += "\r\n";
      text += sections;
    };
    if (wanted.contains("modules") || wanted.contains("everything")) {
      append(services.module_info->ModuleSections(""));
    } else {
      for (const std::string& name : wanted) {
        if (services.module_info->HasSection(name))
          append(services.module_info->ModuleSections(name));
      }
    }
  }
  ctx.reply().Verbatim("txt", text);
}

constexpr CommandSpec kCommands[] = {
    {.name = "info",
     .handler = Info,
     .arity = -1,
     .flags = kCmdLoading | kCmdStale,
     .acl = kAclDangerous,
     .summary = "Tells about the server: versions, memory, traffic, keys.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "[section...]",
     .history = "7.0.0: several sections",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
};

}  // namespace

void RegisterInfoCommand(CommandRegistry& registry, ServerServices& services) {
  registry.Add(kCommands, &services);
}

}  // namespace backplane
