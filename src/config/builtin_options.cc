// SPDX-License-Identifier: BSD-3-Clause
// The built-in options: rows over the fields of Settings and EncodingLimits.
#include "config/builtin_options.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/numbers.h"
#include "base/quoting.h"
#include "config/kept_options.h"
#include "config/option_kinds.h"
#include "config/process_rows.h"
#include "keyspace/eviction.h"
#include "keyspace/notify.h"

namespace backplane {
namespace {

std::unexpected<Error> Bad(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) {
    if (!text.empty()) text += ' ';
    text += w;
  }
  return text;
}

class BindOption final : public Option {
 public:
  explicit BindOption(std::vector<std::string>* field)
      : Option("bind", kOptionMultiple), field_(field), default_(*field) {}
  Status Set(const std::vector<std::string>& args) override {
    constexpr size_t kAddressesMax = 16;
    if (args.size() > kAddressesMax) return Bad("Too many bind addresses specified.");
    std::vector<std::string> addresses = args;
    if (addresses.size() == 1 && addresses[0].empty()) addresses.clear();
    *field_ = std::move(addresses);
    return {};
  }
  std::string Get() const override { return Join(*field_); }
  std::vector<std::string> FileValues() const override {
    return {field_->empty() ? std::string("\"\"") : Join(*field_)};
  }
  bool IsDefault() const override { return *field_ == default_; }

 private:
  std::vector<std::string>* field_;
  std::vector<std::string> default_;
};

// Bytes, or a part of maxmemory: "5%", kept as a negative number.
class ClientMemoryOption final : public Option {
 public:
  explicit ClientMemoryOption(int64_t* field) : Option("maxmemory-clients", 0), field_(field) {}
  Status Set(const std::vector<std::string>& args) override {
    if (args.size() != 1) return Bad("wrong number of arguments");
    const std::string_view text = args[0];
    if (text.ends_with('%')) {
      const auto percent = ParseInt64(text.substr(0, text.size() - 1));
      if (!percent || *percent < 0) return Bad("argument must be a memory or percent value");
      constexpr int64_t kPercentMax = 100;
      if (*percent > kPercentMax) {
        return Bad("percentage argument must be less or equal to 100");
      }
      *field_ = -*percent;
      return {};
    }
    const auto bytes = ParseMemory(text);
    if (!bytes || *bytes > static_cast<uint64_t>(INT64_MAX)) {
      return Bad("argument must be a memory or percent value");
    }
    *field_ = static_cast<int64_t>(*bytes);
    return {};
  }
  std::string Get() const override {
    return *field_ < 0 ? Int64ToString(-*field_) + "%" : Int64ToString(*field_);
  }
  bool IsDefault() const override { return *field_ == 0; }

 private:
  int64_t* field_;
};

class SaveOption final : public Option {
 public:
  explicit SaveOption(std::vector<SavePoint>* field)
      : Option("save", kOptionMultiple), field_(field) {}
  // Pairs of words. Within one file or command line the first line replaces the defaults and later
  // ones add: see FromFile.
  Status Set(const std::vector<std::string>& args) override {
    std::vector<SavePoint> points;
    if (!(args.size() == 1 && args[0].empty())) {
      if (args.size() % 2 != 0) return Bad("Invalid save parameters");
      for (size_t i = 0; i < args.size(); i += 2) {
        auto seconds = ParseInt64(args[i]);
        auto changes = ParseInt64(args[i + 1]);
        if (!seconds || !changes || *seconds < 1 || *changes < 0)
          return Bad("Invalid save parameters");
        points.push_back({*seconds, static_cast<uint64_t>(*changes)});
      }
    }
    *field_ = std::move(points);
    changed_ = true;
    return {};
  }
  std::string Get() const override {
    std::string text;
    for (const SavePoint& p : *field_) {
      if (!text.empty()) text += ' ';
      text += std::to_string(p.seconds) + " " + std::to_string(p.changes);
    }
    return text;
  }
  std::vector<std::string> FileValues() const override {
    if (field_->empty()) return {"\"\""};
    std::vector<std::string> lines;
    for (const SavePoint& p : *field_)
      lines.push_back(std::to_string(p.seconds) + " " + std::to_string(p.changes));
    return lines;
  }
  bool IsDefault() const override { return !changed_; }

 private:
  std::vector<SavePoint>* field_;
  bool changed_ = false;
};

class OutputLimitOption final : public Option {
 public:
  explicit OutputLimitOption(Settings* settings)
      : Option("client-output-buffer-limit", kOptionMultiple),
        settings_(settings),
        default_(Get()) {}
  Status Set(const std::vector<std::string>& args) override {
    if (args.size() % 4 != 0)
      return Bad("Wrong number of arguments in buffer limit configuration.");
    std::vector<std::pair<OutputLimit*, OutputLimit>> parsed;
    for (size_t i = 0; i < args.size(); i += 4) {
      OutputLimit* limit = ClassOf(args[i]);
      if (limit == nullptr)
        return Bad("Invalid client class specified in buffer limit configuration.");
      auto hard = ParseMemory(args[i + 1]);
      auto soft = ParseMemory(args[i + 2]);
      auto seconds = ParseInt64(args[i + 3]);
      if (!hard || !soft || !seconds || *seconds < 0) {
        return Bad("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
      }
      parsed.push_back({limit, {*hard, *soft, *seconds}});
    }
    for (auto& [limit, value] : parsed) *limit = value;
    return {};
  }
  std::string Get() const override {
    return "normal " + Text(settings_->output_limit_normal) + " slave " +
           Text(settings_->output_limit_replica) + " pubsub " +
           Text(settings_->output_limit_pubsub);
  }
  std::vector<std::string> FileValues() const override {
    return {"normal " + Text(settings_->output_limit_normal),
            "replica " + Text(settings_->output_limit_replica),
            "pubsub " + Text(settings_->output_limit_pubsub)};
  }
  bool IsDefault() const override { return Get() == default_; }

 private:
  OutputLimit* ClassOf(const std::string& name) {
    if (EqualsIgnoreCase(name, "normal")) return &settings_->output_limit_normal;
    if (EqualsIgnoreCase(name, "slave") || EqualsIgnoreCase(name, "replica"))
      return &settings_->output_limit_replica;
    if (EqualsIgnoreCase(name, "pubsub")) return &settings_->output_limit_pubsub;
    return nullptr;
  }
  static std::string Text(const OutputLimit& limit) {
    return std::to_string(limit.hard_bytes) + " " + std::to_string(limit.soft_bytes) + " " +
           std::to_string(limit.soft_seconds);
  }
  Settings* settings_;
  std::string default_;
};

class NotifyOption final : public Option {
 public:
  explicit NotifyOption(int64_t* field) : Option("notify-keyspace-events", 0), field_(field) {}
  Status Set(const std::vector<std::string>& args) override {
    if (args.size() != 1) return Bad("wrong number of arguments");
    auto flags = ParseNotifyFlags(args[0]);
    if (!flags) return Bad("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    *field_ = *flags;
    return {};
  }
  std::string Get() const override { return NotifyFlagsText(static_cast<uint32_t>(*field_)); }
  bool IsDefault() const override { return *field_ == 0; }

 private:
  int64_t* field_;
};

// Changing `dir` changes the working directory, so relative file names of all other options follow.
class DirOption final : public Option {
 public:
  explicit DirOption(std::string* field)
      : Option("dir", kOptionProtected | kOptionNotLoading), field_(field) {}
  Status Set(const std::vector<std::string>& args) override {
    if (args.size() != 1) return Bad("wrong number of arguments");
    if (chdir(args[0].c_str()) != 0) return Bad(std::string(strerror(errno)));
    *field_ = args[0];
    changed_ = true;
    return {};
  }
  std::string Get() const override {
    char path[PATH_MAX];
    return getcwd(path, sizeof(path)) != nullptr ? path : "";
  }
  bool IsDefault() const override { return !changed_; }

 private:
  std::string* field_;
  bool changed_ = false;
};

Status CheckFileName(const std::string& text) {
  if (text.find('/') != std::string::npos)
    return Bad("dbfilename can't be a path, just a filename");
  return {};
}

Status CheckAppendFileName(const std::string& text) {
  if (text.empty()) return Bad("appendfilename can't be empty");
  if (text.find('/') != std::string::npos)
    return Bad("appendfilename can't be a path, just a filename");
  return {};
}

Status CheckAppendDirName(const std::string& text) {
  if (text.empty()) return Bad("appenddirname can't be empty");
  if (text.find('/') != std::string::npos)
    return Bad("appenddirname can't be a path, just a dirname");
  return {};
}

// Values beyond what makes sense are clamped, not refused.
class HzOption final : public Option {
 public:
  explicit HzOption(int64_t* field) : Option("hz", 0), field_(field), default_(*field) {}
  Status Set(const std::vector<std::string>& args) override {
    auto value = args.size() == 1 ? ParseInt64(args[0]) : std::nullopt;
    if (!value) return Bad("argument couldn't be parsed into an integer");
    if (*value < 0 || *value > INT_MAX) {
      return Bad("argument must be between 0 and " + std::to_string(INT_MAX) + " inclusive");
    }
    constexpr int64_t kLow = 1;
    constexpr int64_t kHigh = 500;
    *field_ = std::clamp(*value, kLow, kHigh);
    return {};
  }
  std::string Get() const override { return std::to_string(*field_); }
  bool IsDefault() const override { return *field_ == default_; }

 private:
  int64_t* field_;
  int64_t default_;
};

constexpr EnumName kAclPubsub[] = {{"resetchannels", 0}, {"allchannels", 1}};
constexpr EnumName kAppendFsync[] = {{"everysec", 2}, {"always", 1}, {"no", 0}};
constexpr EnumName kLogLevels[] = {{"debug", 0}, {"verbose", 1}, {"notice", 2}, {"warning", 3}};
constexpr EnumName kLocalAccess[] = {{"no", 0}, {"yes", 1}, {"local", 2}};
constexpr EnumName kTlsAuth[] = {{"no", 0}, {"yes", 1}, {"optional", 2}};
constexpr EnumName kRevival[] = {{"eager", 0}, {"lazy", 1}};
constexpr EnumName kPolicies[] = {
    {"volatile-lru", static_cast<int>(EvictionPolicy::kVolatileLru)},
    {"volatile-lfu", static_cast<int>(EvictionPolicy::kVolatileLfu)},
    {"volatile-random", static_cast<int>(EvictionPolicy::kVolatileRandom)},
    {"volatile-ttl", static_cast<int>(EvictionPolicy::kVolatileTtl)},
    {"allkeys-lru", static_cast<int>(EvictionPolicy::kAllKeysLru)},
    {"allkeys-lfu", static_cast<int>(EvictionPolicy::kAllKeysLfu)},
    {"allkeys-random", static_cast<int>(EvictionPolicy::kAllKeysRandom)},
    {"noeviction", static_cast<int>(EvictionPolicy::kNoEviction)}};
constexpr EnumName kShutdown[] = {{"default", 0},
                                  {"save", kShutdownSave},
                                  {"nosave", kShutdownNoSave},
                                  {"now", kShutdownNow},
                                  {"force", kShutdownForce}};
constexpr EnumName kSanitize[] = {{"no", 0}, {"yes", 1}, {"clients", 2}};
constexpr EnumName kFacilities[] = {{"user", 8},         {"local0", 16 << 3}, {"local1", 17 << 3},
                                    {"local2", 18 << 3}, {"local3", 19 << 3}, {"local4", 20 << 3},
                                    {"local5", 21 << 3}, {"local6", 22 << 3}, {"local7", 23 << 3}};

Status CheckShutdown(int64_t bits) {
  if ((bits & kShutdownSave) != 0 && (bits & kShutdownNoSave) != 0)
    return Bad("shutdown options SAVE and NOSAVE can't be used simultaneously");
  return {};
}

// Options of Redis 7.2 whose features this server does not have.
constexpr std::string_view kMissing[] = {"aof_rewrite_cpulist",
                                         "bgsave_cpulist",
                                         "bio_cpulist",
                                         "cluster-enabled",
                                         "crash-memcheck-enabled",
                                         "server_cpulist",
                                         "socket-mark-id",
                                         "supervised",
                                         "tls-cluster",
                                         "tls-replication"};

template <class T, class... A>
Option* AddOption(OptionTable& table, A&&... args) {
  auto added = table.Add(std::make_unique<T>(std::forward<A>(args)...));
  BP_ASSERT(added.has_value());
  return *added;
}

struct BoolRow {
  const char* name;
  bool Settings::*field;
  uint32_t flags = 0;
};
constexpr BoolRow kBools[] = {
    {"protected-mode", &Settings::protected_mode},
    {"daemonize", &Settings::daemonize, kOptionImmutable},
    {"io-threads-do-reads", &Settings::io_threads_do_reads, kOptionImmutable},
    {"syslog-enabled", &Settings::syslog_enabled, kOptionImmutable},
    {"dynamic-hz", &Settings::dynamic_hz},
    {"crash-log-enabled", &Settings::crash_log_enabled},
    {"module-load-probe", &Settings::module_load_probe, kOptionProtected},
    {"always-show-logo", &Settings::always_show_logo, kOptionImmutable},
    {"rdb-save-incremental-fsync", &Settings::rdb_save_incremental_fsync},
    {"rdbcompression", &Settings::rdbcompression},
    {"rdbchecksum", &Settings::rdbchecksum, kOptionImmutable},
    {"stop-writes-on-bgsave-error", &Settings::stop_writes_on_bgsave_error},
    {"lazyfree-lazy-expire", &Settings::lazyfree_lazy_expire},
    {"lazyfree-lazy-server-del", &Settings::lazyfree_lazy_server_del},
    {"lazyfree-lazy-user-del", &Settings::lazyfree_lazy_user_del},
    {"lazyfree-lazy-user-flush", &Settings::lazyfree_lazy_user_flush},
    {"lazyfree-lazy-eviction", &Settings::lazyfree_lazy_eviction},
    {"latency-tracking", &Settings::latency_tracking},
    {"appendonly", &Settings::appendonly, kOptionNotLoading},
    {"no-appendfsync-on-rewrite", &Settings::no_appendfsync_on_rewrite},
    {"aof-load-truncated", &Settings::aof_load_truncated},
    {"aof-use-rdb-preamble", &Settings::aof_use_rdb_preamble},
    {"aof-timestamp-enabled", &Settings::aof_timestamp_enabled},
    {"aof-rewrite-incremental-fsync", &Settings::aof_rewrite_incremental_fsync},
    {"aof-disable-auto-gc", &Settings::aof_disable_auto_gc},
};

struct IntegerRow {
  const char* name;
  int64_t Settings::*field;
  int64_t low;
  int64_t high;
  uint32_t flags = 0;
  IntegerFormat format = IntegerFormat::kPlain;
};
constexpr IntegerRow kIntegers[] = {
    {"port", &Settings::port, 0, 65535},
    {"tls-port", &Settings::tls_port, 0, 65535},
    {"io-threads", &Settings::io_threads, 1, 128, kOptionImmutable},
    {"unixsocketperm", &Settings::unixsocketperm, 0, 0777, kOptionImmutable, IntegerFormat::kOctal},
    {"tcp-backlog", &Settings::tcp_backlog, 0, INT_MAX, kOptionImmutable},
    {"tcp-keepalive", &Settings::tcp_keepalive, 0, INT_MAX},
    {"timeout", &Settings::timeout, 0, INT_MAX},
    {"module-probe-timeout", &Settings::module_probe_timeout, 1, INT_MAX},
    {"module-drain-timeout", &Settings::module_drain_timeout, 0, INT_MAX},
    {"maxclients", &Settings::maxclients, 1, UINT_MAX},
    {"proto-max-bulk-len", &Settings::proto_max_bulk_len, 1 << 20, INT64_MAX, 0,
     IntegerFormat::kMemory},
    {"client-query-buffer-limit", &Settings::client_query_buffer_limit, 1 << 20, INT64_MAX, 0,
     IntegerFormat::kMemory},
    {"maxmemory", &Settings::maxmemory, 0, INT64_MAX, 0, IntegerFormat::kMemory},
    {"tracking-table-max-keys", &Settings::tracking_table_max_keys, 0, INT64_MAX},
    {"maxmemory-samples", &Settings::maxmemory_samples, 1, 64},
    {"maxmemory-eviction-tenacity", &Settings::maxmemory_eviction_tenacity, 0, 100},
    {"lfu-log-factor", &Settings::lfu_log_factor, 0, INT_MAX},
    {"active-expire-effort", &Settings::active_expire_effort, 1, 10},
    {"lfu-decay-time", &Settings::lfu_decay_time, 0, INT_MAX},
    {"databases", &Settings::databases, 1, INT_MAX, kOptionImmutable},
    {"list-compress-depth", &Settings::list_compress_depth, 0, INT_MAX},
    {"rdb-version", &Settings::rdb_version, 10, 11},
    {"rdb-key-save-delay", &Settings::rdb_key_save_delay, INT_MIN, INT_MAX, kOptionHidden},
    {"key-load-delay", &Settings::key_load_delay, INT_MIN, INT_MAX, kOptionHidden},
    {"loading-process-events-interval-bytes", &Settings::loading_process_events_interval_bytes,
     1024, INT_MAX, kOptionHidden},
    {"acllog-max-len", &Settings::acllog_max_len, 0, INT64_MAX},
    {"slowlog-log-slower-than", &Settings::slowlog_log_slower_than, -1, INT64_MAX},
    {"slowlog-max-len", &Settings::slowlog_max_len, 0, INT64_MAX},
    {"latency-monitor-threshold", &Settings::latency_monitor_threshold, 0, INT64_MAX},
    {"shutdown-timeout", &Settings::shutdown_timeout, 0, INT_MAX},
    {"auto-aof-rewrite-percentage", &Settings::auto_aof_rewrite_percentage, 0, INT_MAX},
    {"auto-aof-rewrite-min-size", &Settings::auto_aof_rewrite_min_size, 0, INT64_MAX, 0,
     IntegerFormat::kMemory},
};

struct StringRow {
  const char* name;
  std::string Settings::*field;
  uint32_t flags = 0;
  StringOption::Check check = nullptr;
};
constexpr StringRow kStrings[] = {
    {"unixsocket", &Settings::unixsocket, kOptionImmutable},
    {"bind-source-addr", &Settings::bind_source_addr},
    {"requirepass", &Settings::requirepass, kOptionSensitive},
    {"aclfile", &Settings::aclfile, kOptionImmutable},
    {"pidfile", &Settings::pidfile, kOptionImmutable},
    {"logfile", &Settings::logfile, kOptionImmutable},
    {"syslog-ident", &Settings::syslog_ident, kOptionImmutable},
    {"dbfilename", &Settings::dbfilename, kOptionProtected, CheckFileName},
    {"appendfilename", &Settings::appendfilename, kOptionImmutable, CheckAppendFileName},
    {"appenddirname", &Settings::appenddirname, kOptionImmutable, CheckAppendDirName},
};

}  // namespace

namespace {

struct TlsStringRow {
  const char* name;
  std::string TlsSettings::*field;
  uint32_t flags = 0;
};
constexpr TlsStringRow kTlsStrings[] = {
    {"tls-cert-file", &TlsSettings::cert_file},
    {"tls-key-file", &TlsSettings::key_file},
    {"tls-key-file-pass", &TlsSettings::key_file_pass, kOptionSensitive},
    {"tls-client-cert-file", &TlsSettings::client_cert_file},
    {"tls-client-key-file", &TlsSettings::client_key_file},
    {"tls-client-key-file-pass", &TlsSettings::client_key_file_pass, kOptionSensitive},
    {"tls-dh-params-file", &TlsSettings::dh_params_file},
    {"tls-ca-cert-file", &TlsSettings::ca_cert_file},
    {"tls-ca-cert-dir", &TlsSettings::ca_cert_dir},
    {"tls-protocols", &TlsSettings::protocols},
    {"tls-ciphers", &TlsSettings::ciphers},
    {"tls-ciphersuites", &TlsSettings::ciphersuites},
};

void RegisterTlsOptions(OptionTable& table, TlsSettings& tls) {
  for (const TlsStringRow& r : kTlsStrings)
    AddOption<StringOption>(table, r.name, r.flags, &(tls.*r.field));
  AddOption<EnumOption>(table, "tls-auth-clients", 0u, &tls.auth_clients, std::span(kTlsAuth));
  AddOption<BoolOption>(table, "tls-prefer-server-ciphers", 0u, &tls.prefer_server_ciphers);
  AddOption<BoolOption>(table, "tls-session-caching", 0u, &tls.session_caching);
  AddOption<IntegerOption>(table, "tls-session-cache-size", 0u, &tls.session_cache_size, 0, INT_MAX,
                           IntegerFormat::kPlain);
  AddOption<IntegerOption>(table, "tls-session-cache-timeout", 0u, &tls.session_cache_timeout, 0,
                           INT_MAX, IntegerFormat::kPlain);
}

void RegisterEncodingOptions(OptionTable& table, EncodingLimits& limits) {
  auto size_option = [&](const char* name, const char* alias, size_t* field) {
    auto option = std::make_unique<SizeOption>(name, 0, field);
    if (alias != nullptr) option->set_alias(alias);
    BP_ASSERT(table.Add(std::move(option)).has_value());
  };
  size_option("hash-max-listpack-entries", "hash-max-ziplist-entries",
              &limits.hash_max_listpack_entries);
  size_option("hash-max-listpack-value", "hash-max-ziplist-value", &limits.hash_max_listpack_value);
  size_option("set-max-intset-entries", nullptr, &limits.set_max_intset_entries);
  size_option("set-max-listpack-entries", nullptr, &limits.set_max_listpack_entries);
  size_option("set-max-listpack-value", nullptr, &limits.set_max_listpack_value);
  size_option("zset-max-listpack-entries", "zset-max-ziplist-entries",
              &limits.zset_max_listpack_entries);
  size_option("zset-max-listpack-value", "zset-max-ziplist-value", &limits.zset_max_listpack_value);
  size_option("hll-sparse-max-bytes", nullptr, &limits.hll_sparse_max_bytes);
  size_option("stream-node-max-bytes", nullptr, &limits.stream_node_max_bytes);
  size_option("stream-node-max-entries", nullptr, &limits.stream_node_max_entries);
}

}  // namespace

void RegisterBuiltinOptions(OptionTable& table, Settings& settings, EncodingLimits& limits) {
  RegisterTlsOptions(table, settings.tls);
  RegisterProcessOptions(table, settings);
  RegisterKeptOptions(table, settings.kept);
  for (const BoolRow& r : kBools)
    AddOption<BoolOption>(table, r.name, r.flags, &(settings.*r.field));
  for (const IntegerRow& r : kIntegers) {
    AddOption<IntegerOption>(table, r.name, r.flags, &(settings.*r.field), r.low, r.high, r.format);
  }
  for (const StringRow& r : kStrings)
    AddOption<StringOption>(table, r.name, r.flags, &(settings.*r.field), r.check);
  AddOption<EnumOption>(table, "loglevel", 0u, &settings.loglevel, std::span(kLogLevels));
  AddOption<EnumOption>(table, "syslog-facility", kOptionImmutable, &settings.syslog_facility,
                        std::span(kFacilities));
  AddOption<EnumOption>(table, "maxmemory-policy", 0u, &settings.maxmemory_policy,
                        std::span(kPolicies));
  AddOption<EnumOption>(table, "sanitize-dump-payload", 0u, &settings.sanitize_dump_payload,
                        std::span(kSanitize));
  AddOption<EnumOption>(table, "enable-module-command", kOptionImmutable,
                        &settings.enable_module_command, std::span(kLocalAccess));
  AddOption<FoldersOption>(table, "module-directories", &settings.module_directories);
  AddOption<EnumOption>(table, "module-revival", 0u, &settings.module_revival, std::span(kRevival));
  AddOption<EnumOption>(table, "enable-debug-command", kOptionImmutable,
                        &settings.enable_debug_command, std::span(kLocalAccess));
  AddOption<EnumOption>(table, "enable-protected-configs", kOptionImmutable,
                        &settings.enable_protected_configs, std::span(kLocalAccess));
  AddOption<EnumOption>(table, "acl-pubsub-default", 0u, &settings.acl_pubsub_default,
                        std::span(kAclPubsub));
  AddOption<BitsOption>(table, "shutdown-on-sigint", 0u, &settings.shutdown_on_sigint,
                        std::span(kShutdown), CheckShutdown);
  AddOption<BitsOption>(table, "shutdown-on-sigterm", 0u, &settings.shutdown_on_sigterm,
                        std::span(kShutdown), CheckShutdown);
  AddOption<PercentilesOption>(table, "latency-tracking-info-percentiles",
                               &settings.latency_percentiles);
  AddOption<HzOption>(table, &settings.hz);
  AddOption<ClientMemoryOption>(table, &settings.maxmemory_clients);
  AddOption<EnumOption>(table, "appendfsync", 0u, &settings.appendfsync, std::span(kAppendFsync));
  AddOption<BindOption>(table, &settings.bind);
  AddOption<SaveOption>(table, &settings.save);
  AddOption<OutputLimitOption>(table, &settings);
  AddOption<NotifyOption>(table, &settings.notify_keyspace_events);
  AddOption<DirOption>(table, &settings.dir);
  RegisterEncodingOptions(table, limits);
  auto list_size =
      std::make_unique<IntegerOption>("list-max-listpack-size", 0, &settings.list_max_listpack_size,
                                      INT_MIN, INT_MAX, IntegerFormat::kPlain);
  list_size->set_alias("list-max-ziplist-size");
  BP_ASSERT(table.Add(std::move(list_size)).has_value());
  auto add_replicas_row = [&](const char* name, const char* alias, int64_t* field) {
    auto option =
        std::make_unique<IntegerOption>(name, 0, field, 0, INT_MAX, IntegerFormat::kPlain);
    option->set_alias(alias);
    BP_ASSERT(table.Add(std::move(option)).has_value());
  };
  add_replicas_row("min-replicas-to-write", "min-slaves-to-write", &settings.min_replicas_to_write);
  add_replicas_row("min-replicas-max-lag", "min-slaves-max-lag", &settings.min_replicas_max_lag);
  auto busy_threshold =
      std::make_unique<IntegerOption>("busy-reply-threshold", 0, &settings.busy_reply_threshold, 0,
                                      INT64_MAX, IntegerFormat::kPlain);
  busy_threshold->set_alias("lua-time-limit");
  BP_ASSERT(table.Add(std::move(busy_threshold)).has_value());
}

bool IsKnownButMissing(std::string_view name) {
  return std::find(std::begin(kMissing), std::end(kMissing), ToLower(name)) != std::end(kMissing);
}

}  // namespace backplane
