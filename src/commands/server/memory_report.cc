// SPDX-License-Identifier: BSD-3-Clause
// MEMORY STATS, DOCTOR, MALLOC-STATS. (USAGE and PURGE are in commands/key/object.cc.)
#include "commands/server/memory_report.h"

#include <fmt/format.h>

#include <vector>

#include "commands/server/server_families.h"
#include "commands/server/server_samples.h"
#include "engine/clients.h"
#include "engine/engine.h"
#include "persist/append_only.h"
#include "script/scripting.h"

namespace backplane {

double Ratio(size_t outer, size_t inner) {
  return inner == 0 ? 1 : static_cast<double>(outer) / static_cast<double>(inner);
}

MemoryFacts MeasureMemory(CommandContext& ctx, ServerServices& services) {
  MemoryFacts facts;
  facts.allocator = ReadAllocatorInfo();
  services.samples->SawMemory(facts.allocator.allocated);
  facts.resident = ResidentBytes();
  facts.peak = services.samples->peak_bytes();
  facts.startup = services.samples->startup_bytes();
  services.clients->ForEach([&](NetClient& c) {
    facts.clients += c.memory();
    ++facts.client_count;
  });
  facts.scripts = services.scripting->scripts().memory();
  facts.functions = services.scripting->libraries().memory();
  if (services.append_only != nullptr) facts.aof_buffer = services.append_only->buffer_memory();
  facts.overhead =
      facts.startup + facts.clients + facts.scripts + facts.functions + facts.aof_buffer;
  for (int i = 0; i < ctx.keyspace().database_count(); ++i) {
    const Database& db = ctx.keyspace().db(i);
    facts.overhead += db.TableBytes() + db.ExpiresBytes();
    facts.keys += db.size();
  }
  const size_t used = facts.allocator.allocated;
  facts.dataset = used > facts.overhead ? used - facts.overhead : 0;
  facts.net = used > facts.startup ? used - facts.startup : 0;
  return facts;
}

std::string MemoryDoctor(const MemoryFacts& facts) {
  constexpr size_t kMegabyte = 1024 * 1024;
  constexpr size_t kLittle = 5 * kMegabyte;
  constexpr size_t kWorthTelling = 10 * kMegabyte;
  if (facts.allocator.allocated < kLittle) {
    return "The server uses less than 5 megabytes: too little for its proportions to say "
           "anything.\n";
  }
  constexpr double kHighPeak = 1.5;
  constexpr double kHighShare = 1.1;
  constexpr double kHighFragmentation = 1.4;
  constexpr size_t kLargeClient = 200 * 1024;
  auto wasted = [&](size_t outer, size_t inner, double limit) {
    return Ratio(outer, inner) > limit && outer - inner > kWorthTelling;
  };
  const AllocatorInfo& allocator = facts.allocator;
  std::vector<std::string> found;
  if (Ratio(facts.peak, allocator.allocated) > kHighPeak) {
    found.push_back(fmt::format(
        "Peak: {} MB were in use once, much more than now. The allocator may keep pages from that "
        "time; MEMORY PURGE gives back those that are empty.",
        facts.peak / kMegabyte));
  }
  if (wasted(facts.resident, allocator.allocated, kHighFragmentation)) {
    found.push_back(fmt::format(
        "Fragmentation: the process takes {:.2f} times what is allocated. If the peak is not the "
        "reason, values of changing sizes are likely to be.",
        Ratio(facts.resident, allocator.allocated)));
  }
  if (wasted(allocator.active, allocator.allocated, kHighShare)) {
    found.push_back(fmt::format("Allocator: pages in use hold {:.2f} times what is allocated.",
                                Ratio(allocator.active, allocator.allocated)));
  }
  if (wasted(allocator.resident, allocator.active, kHighShare)) {
    found.push_back(
        fmt::format("Allocator: it keeps {:.2f} times the pages in use. MEMORY PURGE gives the "
                    "rest back.",
                    Ratio(allocator.resident, allocator.active)));
  }
  if (wasted(facts.resident, allocator.resident, kHighShare)) {
    found.push_back(fmt::format(
        "Process: it takes {:.2f} times what the allocator has: libraries, stacks, scripts, "
        "modules with memory of their own.",
        Ratio(facts.resident, allocator.resident)));
  }
  if (facts.client_count > 0 && facts.clients / facts.client_count > kLargeClient) {
    found.push_back(
        "Clients: their buffers take more than 200 KB each. Large requests or replies, or clients "
        "that do not read, are the reason; client-output-buffer-limit bounds the latter.");
  }
  if (found.empty()) return "Nothing remarkable was found.\n";
  std::string text = "Found:\n\n";
  for (const std::string& line : found) text += " * " + line + "\n";
  return text;
}

namespace {

// One after the other the pairs of MEMORY STATS.
class StatsWriter {
 public:
  explicit StatsWriter(ReplySink& reply)
      : reply_(reply), map_(reply.BeginDeferred(AggregateKind::kMap)) {}
  void Bytes(std::string_view name, size_t value) { Integer(name, static_cast<int64_t>(value)); }
  void Integer(std::string_view name, int64_t value) {
    Name(name);
    reply_.Integer(value);
  }
  void Double(std::string_view name, double value) {
    Name(name);
    reply_.Double(value);
  }
  // "name.ratio" (or the name alone), and the difference.
  void Excess(std::string_view ratio, std::string_view bytes, size_t outer, size_t inner) {
    Double(ratio, Ratio(outer, inner));
    Integer(bytes, static_cast<int64_t>(outer) - static_cast<int64_t>(inner));
  }
  void Name(std::string_view name) {
    reply_.Bulk(name);
    ++count_;
  }
  void End() { reply_.EndDeferred(map_, count_); }

 private:
  ReplySink& reply_;
  ReplySink::Deferred map_;
  uint64_t count_ = 0;
};

double PercentOf(size_t part, size_t whole) {
  constexpr double kPercent = 100;
  return whole == 0 ? 0 : kPercent * static_cast<double>(part) / static_cast<double>(whole);
}

void MemoryStats(CommandContext& ctx) {
  const MemoryFacts facts = MeasureMemory(ctx, ctx.owner<ServerServices>());
  const AllocatorInfo& allocator = facts.allocator;
  StatsWriter w(ctx.reply());
  w.Bytes("peak.allocated", facts.peak);
  w.Bytes("total.allocated", allocator.allocated);
  w.Bytes("startup.allocated", facts.startup);
  w.Bytes("replication.backlog", 0);
  w.Bytes("clients.slaves", 0);
  w.Bytes("clients.normal", facts.clients);
  w.Bytes("cluster.links", 0);
  w.Bytes("aof.buffer", facts.aof_buffer);
  w.Bytes("lua.caches", facts.scripts);
  w.Bytes("functions.caches", facts.functions);
  for (int i = 0; i < ctx.keyspace().database_count(); ++i) {
    const Database& db = ctx.keyspace().db(i);
    if (db.size() == 0) continue;
    w.Name(fmt::format("db.{}", i));
    ctx.reply().BeginMap(3);
    ctx.reply().Bulk("overhead.hashtable.main");
    ctx.reply().Integer(static_cast<int64_t>(db.TableBytes()));
    ctx.reply().Bulk("overhead.hashtable.expires");
    ctx.reply().Integer(static_cast<int64_t>(db.ExpiresBytes()));
    ctx.reply().Bulk("overhead.hashtable.slot-to-keys");
    ctx.reply().Integer(0);
  }
  w.Bytes("overhead.total", facts.overhead);
  w.Bytes("keys.count", facts.keys);
  w.Bytes("keys.bytes-per-key", facts.keys == 0 ? 0 : facts.net / facts.keys);
  w.Bytes("dataset.bytes", facts.dataset);
  w.Double("dataset.percentage", PercentOf(facts.dataset, facts.net));
  w.Double("peak.percentage", PercentOf(allocator.allocated, facts.peak));
  w.Bytes("allocator.allocated", allocator.allocated);
  w.Bytes("allocator.active", allocator.active);
  w.Bytes("allocator.resident", allocator.resident);
  w.Excess("allocator-fragmentation.ratio", "allocator-fragmentation.bytes", allocator.active,
           allocator.allocated);
  w.Excess("allocator-rss.ratio", "allocator-rss.bytes", allocator.resident, allocator.active);
  w.Excess("rss-overhead.ratio", "rss-overhead.bytes", facts.resident, allocator.resident);
  w.Excess("fragmentation", "fragmentation.bytes", facts.resident, allocator.allocated);
  w.End();
}

void MemoryDoctorCommand(CommandContext& ctx) {
  ctx.reply().Verbatim("txt", MemoryDoctor(MeasureMemory(ctx, ctx.owner<ServerServices>())));
}

void MemoryMallocStats(CommandContext& ctx) {
  const std::string report = AllocatorReport();
  if (report.empty()) return ctx.reply().Bulk("Stats not supported for the current allocator");
  ctx.reply().Verbatim("txt", report);
}

constexpr std::string_view kReportTips =
    "nondeterministic_output request_policy:all_shards response_policy:special";

constexpr CommandSpec kCommands[] = {
    {.name = "memory|stats",
     .handler = MemoryStats,
     .arity = 2,
     .flags = 0,
     .summary = "Where the server's memory is.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(N) in clients and databases",
     .tips = kReportTips},
    {.name = "memory|doctor",
     .handler = MemoryDoctorCommand,
     .arity = 2,
     .flags = 0,
     .summary = "What is remarkable about the server's memory, in words.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(N) in clients and databases",
     .tips = kReportTips},
    {.name = "memory|malloc-stats",
     .handler = MemoryMallocStats,
     .arity = 2,
     .flags = 0,
     .summary = "The allocator's own report.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(N) in the memory allocated",
     .tips = kReportTips},
};

}  // namespace

void RegisterMemoryReports(CommandRegistry& registry, ServerServices& services) {
  registry.Add(kCommands, &services);
}

}  // namespace backplane
