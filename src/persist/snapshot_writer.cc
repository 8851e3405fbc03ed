// SPDX-License-Identifier: BSD-3-Clause
#include "persist/snapshot_writer.h"

#include <cstdio>

#include "base/clock.h"
#include "base/memory_info.h"
#include "base/version.h"
#include "persist/key_delay.h"
#include "persist/rdb_format.h"
#include "persist/rdb_value.h"

namespace backplane {
namespace {

constexpr uint64_t kKeysBetweenReports = 1024;

class Writer final : private ModuleValues::AuxOut {
 public:
  Writer(Keyspace& keyspace, const SnapshotSaveOptions& options, ByteSink& sink)
      : keyspace_(keyspace),
        options_(options),
        sink_(sink),
        out_(sink, options.rdb_version, options.compress) {}

  Status Run() {
    sink_.set_checksum(options_.checksum);
    Header();
    ModuleFields(rdb::kAuxBeforeKeys);
    Functions();
    for (int i = 0; i < keyspace_.database_count(); ++i) Keys(keyspace_.db(i));
    ModuleFields(rdb::kAuxAfterKeys);
    out_.WriteByte(rdb::kEof);
    out_.WriteUint64(sink_.Checksum());
    if (options_.watcher != nullptr) options_.watcher->OnKeysSaved(saved_);
    return sink_.Flush();
  }

 private:
  void Header() {
    char version[8];
    std::snprintf(version, sizeof(version), "%04d", options_.rdb_version);
    sink_.Append(rdb::kMagic);
    sink_.Append(std::string_view(version, 4));
    Aux("redis-ver");
    out_.WriteString(kCompatVersion);
    IntegerAux("redis-bits", 64);
    IntegerAux("ctime", WallMillis() / 1000);
    IntegerAux("used-mem", static_cast<int64_t>(ReadAllocatorInfo().allocated));
    IntegerAux("aof-base", options_.aof_base ? 1 : 0);
  }

  void Aux(std::string_view name) {
    out_.WriteByte(rdb::kAux);
    out_.WriteString(name);
  }
  void IntegerAux(std::string_view name, int64_t value) {
    Aux(name);
    out_.WriteIntegerString(value);
  }

  // ModuleValues::AuxOut
  void Field(uint64_t type_id, std::string_view body) override {
    out_.WriteByte(rdb::kModuleAux);
    out_.WriteLength(type_id);
    out_.WriteLength(rdb::kModuleOpcodeUint);
    out_.WriteLength(static_cast<uint64_t>(when_));
    out_.WriteRaw(body);
  }

  void ModuleFields(int when) {
    when_ = when;
    if (options_.modules != nullptr) return options_.modules->SaveAux(when, *this);
    if (options_.extras == nullptr) return;
    for (const SnapshotExtras::ModuleAux& aux : options_.extras->module_aux) {
      if (aux.when == when) Field(aux.type_id, aux.body);
    }
  }

  void Functions() {
    if (options_.libraries != nullptr) {
      for (const std::string_view code : options_.libraries->LibraryCodes()) {
        out_.WriteByte(rdb::kFunction2);
        out_.WriteString(code);
      }
    }
    if (options_.extras == nullptr) return;
    for (const SnapshotExtras::Function& function : options_.extras->functions) {
      out_.WriteByte(function.opcode);
      out_.WriteRaw(function.body);
    }
  }

  void Keys(Database& db) {
    if (db.size() == 0) return;
    out_.WriteByte(rdb::kSelectDb);
    out_.WriteLength(static_cast<uint64_t>(db.index()));
    out_.WriteByte(rdb::kResizeDb);
    out_.WriteLength(db.size());
    out_.WriteLength(db.expires_size());
    db.ForEach([this, &db](const Entry* entry) {
      if (sink_.failed()) [[unlikely]]
        return;
      if (options_.modules != nullptr && entry->type() == TypeId::kModule) {
        options_.modules->SavingKey(entry->key(), db.index());
      }
      Key(*entry, db.keyspace());
    });
  }

  void Access(const Entry& entry, const Keyspace& keyspace) {
    if (keyspace.counts_use()) {
      out_.WriteByte(rdb::kFreq);
      out_.WriteByte(static_cast<uint8_t>(keyspace.FrequencyOf(entry)));
    } else {
      out_.WriteByte(rdb::kIdle);
      out_.WriteLength(keyspace.IdleSecondsOf(entry));
    }
  }

  void Key(const Entry& entry, const Keyspace& keyspace) {
    if (entry.has_expire()) {
      out_.WriteByte(rdb::kExpireTimeMs);
      out_.WriteUint64(static_cast<uint64_t>(entry.expire_ms()));
    }
    if (keyspace.saves_access()) [[unlikely]]
      Access(entry, keyspace);
    out_.WriteByte(RdbTypeOf(entry, options_.rdb_version));
    out_.WriteString(entry.key());
    SaveEntryValue(entry, out_);
    if (options_.key_delay_us != 0) [[unlikely]]
      DelayForKey(options_.key_delay_us, saved_);
    if (++saved_ % kKeysBetweenReports == 0 && options_.watcher != nullptr) {
      options_.watcher->OnKeysSaved(saved_);
    }
  }

  Keyspace& keyspace_;
  const SnapshotSaveOptions& options_;
  ByteSink& sink_;
  RdbWriter out_;
  int when_ = 0;
  uint64_t saved_ = 0;
};

}  // namespace

Status WriteSnapshot(Keyspace& keyspace, const SnapshotSaveOptions& options, ByteSink& sink) {
  return Writer(keyspace, options, sink).Run();
}

}  // namespace backplane
