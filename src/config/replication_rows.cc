// SPDX-License-Identifier: BSD-3-Clause
#include "config/replication_rows.h"

#include <climits>
#include <memory>

#include "base/assert.h"
#include "config/option_kinds.h"

namespace backplane {
namespace {

struct BoolRow {
  const char* name;
  const char* alias;  // null: none
  bool ReplicationSettings::*field;
};
constexpr BoolRow kBools[] = {
    {"repl-disable-tcp-nodelay", nullptr, &ReplicationSettings::disable_tcp_nodelay},
    {"repl-diskless-sync", nullptr, &ReplicationSettings::diskless_sync},
    {"replica-lazy-flush", "slave-lazy-flush", &ReplicationSettings::lazy_flush},
    {"replica-read-only", "slave-read-only", &ReplicationSettings::read_only},
    {"replica-serve-stale-data", "slave-serve-stale-data", &ReplicationSettings::serve_stale_data},
    {"replica-ignore-maxmemory", "slave-ignore-maxmemory", &ReplicationSettings::ignore_maxmemory},
    {"replica-ignore-disk-write-errors", nullptr, &ReplicationSettings::ignore_disk_write_errors},
    {"replica-announced", nullptr, &ReplicationSettings::announced},
    {"rdb-del-sync-files", nullptr, &ReplicationSettings::rdb_del_sync_files},
};

template <class Owner>
struct IntegerRow {
  const char* name;
  const char* alias;
  int64_t Owner::*field;
  int64_t low;
  int64_t high;
  IntegerFormat format = IntegerFormat::kPlain;
};
using Replication = ReplicationSettings;
constexpr IntegerRow<Replication> kIntegers[] = {
    {"repl-backlog-size", nullptr, &Replication::backlog_size, 1, INT64_MAX,
     IntegerFormat::kMemory},
    {"repl-backlog-ttl", nullptr, &Replication::backlog_ttl, 0, INT64_MAX},
    {"repl-diskless-sync-delay", nullptr, &Replication::diskless_sync_delay, 0, INT_MAX},
    {"repl-diskless-sync-max-replicas", nullptr, &Replication::diskless_sync_max_replicas, 0,
     INT_MAX},
    {"repl-ping-replica-period", "repl-ping-slave-period", &Replication::ping_period, 1, INT_MAX},
    {"repl-timeout", nullptr, &Replication::timeout, 1, INT_MAX},
    {"replica-priority", "slave-priority", &Replication::priority, 0, INT_MAX},
    {"replica-announce-port", "slave-announce-port", &Replication::announce_port, 0, 65535},
    {"min-replicas-to-write", "min-slaves-to-write", &Replication::min_replicas_to_write, 0,
     INT_MAX},
    {"min-replicas-max-lag", "min-slaves-max-lag", &Replication::min_replicas_max_lag, 0, INT_MAX},
};
using Defragmentation = DefragmentationSettings;
constexpr IntegerRow<Defragmentation> kDefragmentation[] = {
    {"active-defrag-ignore-bytes", nullptr, &Defragmentation::ignore_bytes, 1, INT64_MAX,
     IntegerFormat::kMemory},
    {"active-defrag-threshold-lower", nullptr, &Defragmentation::threshold_lower, 0, 1000},
    {"active-defrag-threshold-upper", nullptr, &Defragmentation::threshold_upper, 0, 1000},
    {"active-defrag-cycle-min", nullptr, &Defragmentation::cycle_min, 1, 99},
    {"active-defrag-cycle-max", nullptr, &Defragmentation::cycle_max, 1, 99},
    {"active-defrag-max-scan-fields", nullptr, &Defragmentation::max_scan_fields, 1, INT64_MAX},
};

constexpr EnumName kDisklessLoad[] = {{"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}};

class ActiveDefragOption final : public Option {
 public:
  explicit ActiveDefragOption(bool* field)
      : Option("activedefrag", 0), parser_("activedefrag", 0, field), field_(field) {}
  Status Set(const std::vector<std::string>& args) override {
    BP_RETURN_IF_ERROR(parser_.Set(args));
    if (!*field_) return {};
    *field_ = false;
    return Fail(ErrorCode::kUnsupported,
                "Active defragmentation cannot be enabled: this server has none");
  }
  std::string Get() const override { return parser_.Get(); }
  bool IsDefault() const override { return true; }

 private:
  BoolOption parser_;
  bool* field_;
};

void Add(OptionTable& table, std::unique_ptr<Option> option, const char* alias = nullptr) {
  if (alias != nullptr) option->set_alias(alias);
  BP_ASSERT(table.Add(std::move(option)).has_value());
}

template <class Owner, size_t N>
void AddIntegers(OptionTable& table, const IntegerRow<Owner> (&rows)[N], Owner& settings) {
  for (const auto& row : rows) {
    Add(table,
        std::make_unique<IntegerOption>(row.name, 0, &(settings.*row.field), row.low, row.high,
                                        row.format),
        row.alias);
  }
}

}  // namespace

void RegisterReplicationOptions(OptionTable& table, ReplicationSettings& settings) {
  for (const BoolRow& row : kBools) {
    Add(table, std::make_unique<BoolOption>(row.name, 0, &(settings.*row.field)), row.alias);
  }
  AddIntegers(table, kIntegers, settings);
  Add(table, std::make_unique<StringOption>("masterauth", kOptionSensitive, &settings.masterauth));
  Add(table, std::make_unique<StringOption>("masteruser", kOptionSensitive, &settings.masteruser));
  Add(table, std::make_unique<StringOption>("replica-announce-ip", 0, &settings.announce_ip),
      "slave-announce-ip");
  Add(table, std::make_unique<EnumOption>("repl-diskless-load", 0, &settings.diskless_load,
                                          std::span(kDisklessLoad)));
}

void RegisterDefragmentationOptions(OptionTable& table, DefragmentationSettings& settings) {
  Add(table, std::make_unique<ActiveDefragOption>(&settings.active));
  AddIntegers(table, kDefragmentation, settings);
}

}  // namespace backplane
