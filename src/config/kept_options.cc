// SPDX-License-Identifier: BSD-3-Clause
// Options of Redis that this server accepts, checks, keeps and rewrites, and which change nothing:
// replication alone would read them, or a data structure that is another one here. An existing
// redis.conf and the tools that set them at runtime work. docs/differences.md names them.
#include "config/kept_options.h"

#include <climits>
#include <memory>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/numbers.h"
#include "config/option_kinds.h"

namespace backplane {
namespace {

constexpr EnumName kDisklessLoad[] = {{"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}};
constexpr EnumName kPropagationError[] = {{"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}};

// `activedefrag`: off. The refusal is that of a Redis whose allocator cannot do it.
class NoDefragOption final : public Option {
 public:
  NoDefragOption() : Option("activedefrag", 0) {}
  Status Set(const std::vector<std::string>& args) override {
    bool wanted = false;
    BoolOption parsed(name(), 0, &wanted);
    BP_RETURN_IF_ERROR(parsed.Set(args));
    if (!wanted) return {};
    return Fail(ErrorCode::kInvalidArgument,
                "Active defragmentation cannot be enabled: it requires a Redis server compiled "
                "with a modified Jemalloc like the one shipped by default with the Redis source "
                "distribution");
  }
  std::string Get() const override { return "no"; }
  bool IsDefault() const override { return true; }
};

// `replicaof`: nobody's replica. A server that was to copy another must not start as one of its
// own, with data that nobody expects there.
class NoReplicaOfOption final : public Option {
 public:
  NoReplicaOfOption() : Option("replicaof", kOptionImmutable) {}
  Status Set(const std::vector<std::string>& args) override {
    constexpr int64_t kPortMax = 65535;
    if (args.size() != 2) return Fail(ErrorCode::kInvalidArgument, "wrong number of arguments");
    if (EqualsIgnoreCase(args[0], "no") && EqualsIgnoreCase(args[1], "one")) return {};
    const auto port = ParseInt64(args[1]);
    if (!port || *port < 0 || *port > kPortMax) {
      return Fail(ErrorCode::kInvalidArgument, "Invalid master port");
    }
    return Fail(ErrorCode::kInvalidArgument, "this server has no replication");
  }
  std::string Get() const override { return {}; }
  std::vector<std::string> FileValues() const override { return {"no one"}; }
  bool IsDefault() const override { return true; }
};

struct BoolRow {
  const char* name;
  const char* alias;
  bool KeptSettings::*field;
};
constexpr BoolRow kBools[] = {
    {"repl-disable-tcp-nodelay", nullptr, &KeptSettings::repl_disable_tcp_nodelay},
    {"repl-diskless-sync", nullptr, &KeptSettings::repl_diskless_sync},
    {"replica-announced", nullptr, &KeptSettings::replica_announced},
    {"replica-ignore-disk-write-errors", nullptr, &KeptSettings::replica_ignore_disk_write_errors},
    {"replica-ignore-maxmemory", "slave-ignore-maxmemory", &KeptSettings::replica_ignore_maxmemory},
    {"replica-lazy-flush", "slave-lazy-flush", &KeptSettings::replica_lazy_flush},
    {"replica-read-only", "slave-read-only", &KeptSettings::replica_read_only},
    {"replica-serve-stale-data", "slave-serve-stale-data", &KeptSettings::replica_serve_stale_data},
    {"rdb-del-sync-files", nullptr, &KeptSettings::rdb_del_sync_files},
    {"activerehashing", nullptr, &KeptSettings::activerehashing},
};

struct IntegerRow {
  const char* name;
  const char* alias;
  int64_t KeptSettings::*field;
  int64_t low;
  int64_t high;
  IntegerFormat format = IntegerFormat::kPlain;
};
constexpr IntegerRow kIntegers[] = {
    {"repl-backlog-size", nullptr, &KeptSettings::repl_backlog_size, 1, INT64_MAX,
     IntegerFormat::kMemory},
    {"repl-backlog-ttl", nullptr, &KeptSettings::repl_backlog_ttl, 0, INT64_MAX},
    {"repl-diskless-sync-delay", nullptr, &KeptSettings::repl_diskless_sync_delay, 0, INT_MAX},
    {"repl-diskless-sync-max-replicas", nullptr, &KeptSettings::repl_diskless_sync_max_replicas, 0,
     INT_MAX},
    {"repl-ping-replica-period", "repl-ping-slave-period", &KeptSettings::repl_ping_replica_period,
     1, INT_MAX},
    {"repl-timeout", nullptr, &KeptSettings::repl_timeout, 1, INT_MAX},
    {"replica-announce-port", "slave-announce-port", &KeptSettings::replica_announce_port, 0,
     65535},
    {"replica-priority", "slave-priority", &KeptSettings::replica_priority, 0, INT_MAX},
    {"active-defrag-cycle-min", nullptr, &KeptSettings::active_defrag_cycle_min, 1, 99},
    {"active-defrag-cycle-max", nullptr, &KeptSettings::active_defrag_cycle_max, 1, 99},
    {"active-defrag-threshold-lower", nullptr, &KeptSettings::active_defrag_threshold_lower, 0,
     1000},
    {"active-defrag-threshold-upper", nullptr, &KeptSettings::active_defrag_threshold_upper, 0,
     1000},
    {"active-defrag-ignore-bytes", nullptr, &KeptSettings::active_defrag_ignore_bytes, 1, INT64_MAX,
     IntegerFormat::kMemory},
    {"active-defrag-max-scan-fields", nullptr, &KeptSettings::active_defrag_max_scan_fields, 1,
     INT64_MAX},
};

struct StringRow {
  const char* name;
  const char* alias;
  std::string KeptSettings::*field;
  uint32_t flags = 0;
};
constexpr StringRow kStrings[] = {
    {"masteruser", nullptr, &KeptSettings::masteruser, kOptionSensitive},
    {"masterauth", nullptr, &KeptSettings::masterauth, kOptionSensitive},
    {"replica-announce-ip", "slave-announce-ip", &KeptSettings::replica_announce_ip},
};

void Add(OptionTable& table, std::unique_ptr<Option> option, const char* alias = nullptr) {
  if (alias != nullptr) option->set_alias(alias);
  BP_ASSERT(table.Add(std::move(option)).has_value());
}

}  // namespace

void RegisterKeptOptions(OptionTable& table, KeptSettings& kept) {
  for (const BoolRow& r : kBools)
    Add(table, std::make_unique<BoolOption>(r.name, 0u, &(kept.*r.field)), r.alias);
  for (const IntegerRow& r : kIntegers) {
    Add(table,
        std::make_unique<IntegerOption>(r.name, 0u, &(kept.*r.field), r.low, r.high, r.format),
        r.alias);
  }
  for (const StringRow& r : kStrings)
    Add(table, std::make_unique<StringOption>(r.name, r.flags, &(kept.*r.field)), r.alias);
  Add(table, std::make_unique<EnumOption>("repl-diskless-load", kOptionNotLoading,
                                          &kept.repl_diskless_load, std::span(kDisklessLoad)));
  Add(table,
      std::make_unique<EnumOption>("propagation-error-behavior", 0u,
                                   &kept.propagation_error_behavior, std::span(kPropagationError)));
  Add(table, std::make_unique<NoDefragOption>());
  Add(table, std::make_unique<NoReplicaOfOption>(), "slaveof");
}

}  // namespace backplane
