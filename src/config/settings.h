// SPDX-License-Identifier: BSD-3-Clause
// Settings: the values of all configuration options, as typed fields with their defaults. One
// object, owned by the server; services keep a reference and read the field when they need it, so
// CONFIG SET takes effect without ceremony. options.h names the fields. Engine thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace backplane {

struct SavePoint {
  int64_t seconds;
  uint64_t changes;
};

struct OutputLimit {
  uint64_t hard_bytes = 0;
  uint64_t soft_bytes = 0;
  int64_t soft_seconds = 0;
};

// How a shutdown goes, as the options for signals name it.
enum ShutdownChoice : int64_t {
  kShutdownSave = 1 << 0,
  kShutdownNoSave = 1 << 1,
  kShutdownNow = 1 << 2,
  kShutdownForce = 1 << 3,
};

enum class LocalAccess : int { kNo, kYes, kLocal };

// The context of TLS connections, see net/tls_context.h. Files are PEM.
struct TlsSettings {
  std::string cert_file;
  std::string key_file;
  std::string key_file_pass;
  std::string client_cert_file;  // for connections that the server opens; only checked so far
  std::string client_key_file;
  std::string client_key_file_pass;
  std::string dh_params_file;
  std::string ca_cert_file;
  std::string ca_cert_dir;
  std::string protocols;  // "TLSv1.2 TLSv1.3"; empty: these two
  std::string ciphers;
  std::string ciphersuites;  // TLS 1.3
  int64_t auth_clients = 1;  // TlsClientAuth
  bool prefer_server_ciphers = false;
  bool session_caching = true;
  int64_t session_cache_size = 20480;
  int64_t session_cache_timeout = 300;  // seconds
};

// What kept_options.cc stores and nobody reads: values of Redis' options that have nothing to act
// on here. Defaults are those of Redis.
struct KeptSettings {
  // replication
  bool repl_disable_tcp_nodelay = false;
  bool repl_diskless_sync = true;
  bool replica_announced = true;
  bool replica_ignore_disk_write_errors = false;
  bool replica_ignore_maxmemory = true;
  bool replica_lazy_flush = false;
  bool replica_read_only = true;
  bool replica_serve_stale_data = true;
  bool rdb_del_sync_files = false;
  int64_t repl_backlog_size = 1 << 20;  // bytes
  int64_t repl_backlog_ttl = 3600;      // seconds
  int64_t repl_diskless_sync_delay = 5;
  int64_t repl_diskless_sync_max_replicas = 0;
  int64_t repl_diskless_load = 0;
  int64_t repl_ping_replica_period = 10;
  int64_t repl_timeout = 60;
  int64_t replica_announce_port = 0;
  int64_t replica_priority = 100;
  int64_t propagation_error_behavior = 0;
  std::string replica_announce_ip;
  std::string masteruser;
  std::string masterauth;
  // tables and memory
  bool activerehashing = true;
  int64_t active_defrag_cycle_min = 1;  // percent
  int64_t active_defrag_cycle_max = 25;
  int64_t active_defrag_threshold_lower = 10;
  int64_t active_defrag_threshold_upper = 100;
  int64_t active_defrag_ignore_bytes = 100 << 20;
  int64_t active_defrag_max_scan_fields = 1000;
};

struct Settings {
  KeptSettings kept;
  // network
  std::vector<std::string> bind = {
      "*", "-::*"};  // a leading '-': no error when the address does not exist
  int64_t port = 6379;
  int64_t tls_port = 0;
  TlsSettings tls;
  int64_t io_threads = 1;  // with the engine's: 1 is none
  bool io_threads_do_reads = false;
  std::string unixsocket;
  int64_t unixsocketperm = 0;
  int64_t tcp_backlog = 511;
  int64_t tcp_keepalive = 300;  // seconds
  int64_t timeout = 0;          // seconds; 0: never
  int64_t maxclients = 10000;
  std::string bind_source_addr;  // where connections that the server opens come from; empty: any
  bool protected_mode = true;
  std::string requirepass;
  std::string aclfile;
  int64_t acllog_max_len = 128;
  int64_t acl_pubsub_default = 0;  // 1: new users may use all channels
  int64_t proto_max_bulk_len = 512ll * 1024 * 1024;
  int64_t client_query_buffer_limit = 1024ll * 1024 * 1024;
  int64_t maxmemory_clients = 0;              // bytes; negative: percent of maxmemory; 0: no limit
  int64_t tracking_table_max_keys = 1000000;  // 0: no limit
  OutputLimit output_limit_normal;
  OutputLimit output_limit_replica = {256ull << 20, 64ull << 20, 60};
  OutputLimit output_limit_pubsub = {32ull << 20, 8ull << 20, 60};

  // general
  bool daemonize = false;
  std::string pidfile;
  int64_t loglevel = 2;  // LogLevel
  std::string logfile;
  bool syslog_enabled = false;
  std::string syslog_ident = "backplane";
  int64_t syslog_facility = 16 << 3;  // local0
  int64_t databases = 16;
  int64_t hz = 10;
  bool dynamic_hz = true;
  bool always_show_logo = false;
  std::string dir = ".";

  // the process
  int64_t oom_score_adj = 0;                                    // OomScore::Mode
  std::array<int64_t, 3> oom_score_adj_values = {0, 200, 800};  // server, replica, forked child
  bool set_proc_title = true;
  std::string proc_title_template = "{title} {listen-addr} {server-mode}";
  bool disable_thp = true;  // transparent huge pages
  bool jemalloc_bg_thread = true;
  std::string ignore_warnings;  // stored only: of what it may name, nothing is checked
  std::string locale_collate;   // empty: the environment's

  // snapshots
  std::vector<SavePoint> save = {{3600, 1}, {300, 100}, {60, 10000}};
  std::string dbfilename = "dump.rdb";
  bool rdbcompression = true;
  bool rdbchecksum = true;
  bool rdb_save_incremental_fsync = true;
  bool stop_writes_on_bgsave_error = true;
  int64_t rdb_key_save_delay = 0;  // microseconds for each key, for tests
  int64_t key_load_delay = 0;
  int64_t loading_process_events_interval_bytes = int64_t{2} << 20;
  int64_t rdb_version = 11;  // ours: 10 writes what Redis 7.0 reads
  int64_t sanitize_dump_payload = 0;

  // append-only file
  bool appendonly = false;
  std::string appendfilename = "appendonly.aof";
  std::string appenddirname = "appendonlydir";
  int64_t appendfsync = 2;  // AppendFsync
  bool no_appendfsync_on_rewrite = false;
  int64_t auto_aof_rewrite_percentage = 100;
  int64_t auto_aof_rewrite_min_size = 64ll * 1024 * 1024;
  bool aof_load_truncated = true;
  bool aof_use_rdb_preamble = true;
  bool aof_timestamp_enabled = false;
  bool aof_rewrite_incremental_fsync = true;
  bool aof_disable_auto_gc = false;  // files of the past are kept: for tests

  // replicas; there are none, so that wanting any means that clients may not write
  int64_t min_replicas_to_write = 0;
  int64_t min_replicas_max_lag = 10;  // seconds; 0: any number is enough
  bool WantsReplicas() const { return min_replicas_to_write > 0 && min_replicas_max_lag > 0; }

  // keyspace
  int64_t notify_keyspace_events = 0;  // NotifyClass bits
  int64_t active_expire_effort = 1;    // 1 to 10
  bool lazyfree_lazy_expire = false;
  bool lazyfree_lazy_server_del = false;
  bool lazyfree_lazy_user_del = false;
  bool lazyfree_lazy_user_flush = false;
  bool lazyfree_lazy_eviction = false;

  // memory
  int64_t maxmemory = 0;         // bytes; 0: no limit
  int64_t maxmemory_policy = 7;  // EvictionPolicy
  int64_t maxmemory_samples = 5;
  int64_t maxmemory_eviction_tenacity = 10;  // 0 to 100: how long a command waits for evictions
  int64_t lfu_log_factor = 10;
  int64_t lfu_decay_time = 1;  // minutes

  int64_t list_compress_depth = 0;      // stored only: nodes of lists are not compressed
  int64_t list_max_listpack_size = -2;  // copied to EncodingLimits by the server

  // modules
  int64_t enable_module_command = 0;            // LocalAccess
  std::vector<std::string> module_directories;  // empty: modules may lie anywhere
  bool module_load_probe = true;                // loads are tried in a child process first
  int64_t module_probe_timeout = 10000;         // ms without a word from that child
  int64_t module_drain_timeout = 1000;          // ms for a module's threads to finish their work
  int64_t module_revival = 0;                   // 1: dormant values are revived when they are used
  int64_t enable_debug_command = 0;
  int64_t enable_protected_configs = 0;

  // reports
  bool crash_log_enabled = true;

  // scripts
  int64_t busy_reply_threshold = 5000;  // ms; 0: for ever

  // slow log
  int64_t slowlog_log_slower_than = 10000;  // microseconds
  int64_t slowlog_max_len = 128;

  // latency
  int64_t latency_monitor_threshold = 0;                     // ms; 0: off
  bool latency_tracking = true;                              // a histogram for each command
  std::vector<double> latency_percentiles = {50, 99, 99.9};  // that INFO latencystats shows

  // shutdown
  int64_t shutdown_timeout = 10;   // seconds that replicas may have to catch up
  int64_t shutdown_on_sigint = 0;  // ShutdownChoice bits; 0: as the save points say
  int64_t shutdown_on_sigterm = 0;
};

}  // namespace backplane
