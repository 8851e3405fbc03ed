// SPDX-License-Identifier: BSD-3-Clause
#include "persist/snapshot_loader.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/clock.h"
#include "base/numbers.h"
#include "base/quoting.h"
#include "persist/key_delay.h"
#include "persist/rdb_format.h"
#include "persist/rdb_value.h"

namespace backplane {
namespace {

// RESIZEDB is a hint of the file, so it reserves no more than the file can hold of small keys, nor
// more than this many. A larger table grows as it would without a hint.
constexpr uint64_t kReserveMax = uint64_t{1} << 24;
constexpr uint64_t kSmallKeyBytes = 8;

// Bytes of a file in a log line: quoted, and not more of them than anybody reads.
std::string Printable(std::string_view bytes) {
  constexpr size_t kShown = 128;
  return QuoteArg(bytes.substr(0, kShown));
}

// A version as it is in the log of every server, unless it has characters that no version has.
std::string VersionText(std::string_view version) {
  constexpr std::string_view kUsual = "0123456789.abcdefghijklmnopqrstuvwxyz-_";
  return version.find_first_not_of(kUsual) == std::string_view::npos ? std::string(version)
                                                                     : Printable(version);
}

// What the opcodes in front of a key said about it.
struct KeyFacts {
  bool has_expire = false;
  int64_t expire_ms = -1;
  uint64_t idle_seconds = 0;
  std::optional<uint8_t> frequency;
};

class Loader {
 public:
  Loader(ByteSource& source, Keyspace& keyspace, const SnapshotLoadOptions& options)
      : reader_(source, options.sanitize),
        keyspace_(keyspace),
        options_(options),
        db_(&keyspace.db(0)),
        now_ms_(WallMillis()) {}

  Result<SnapshotLoadReport> Run() {
    BP_RETURN_IF_ERROR(Header());
    for (;;) {
      BP_ASSIGN_OR_RETURN(const uint8_t opcode, reader_.ReadByte());
      if (opcode == rdb::kEof) break;
      BP_RETURN_IF_ERROR(Field(opcode));
    }
    BP_RETURN_IF_ERROR(Footer());
    return report_;
  }

 private:
  std::unexpected<Error> Bad(std::string what, ErrorCode code = ErrorCode::kCorrupt) {
    return Fail(code, std::move(what) + " at offset " + std::to_string(reader_.offset()));
  }
  void Log(const std::string& text) {
    if (options_.logger != nullptr) options_.logger->Notice(text);
  }

  Status Header() {
    char header[rdb::kHeaderSize];
    BP_RETURN_IF_ERROR(reader_.ReadRaw(header, sizeof(header)));
    const std::string_view text(header, sizeof(header));
    if (!text.starts_with(rdb::kMagic)) {
      return Bad("Wrong signature trying to load DB from file");
    }
    int version = 0;
    for (const char c : text.substr(rdb::kMagic.size())) {
      if (c < '0' || c > '9') return Bad("Wrong signature trying to load DB from file");
      version = version * 10 + (c - '0');
    }
    if (version < 1 || version > rdb::kVersionMax) {
      return Bad("Can't handle RDB format version " + std::to_string(version),
                 ErrorCode::kUnsupported);
    }
    report_.rdb_version = version;
    return {};
  }

  Status Footer() {
    if (report_.rdb_version < rdb::kVersionChecksum) return {};
    const uint64_t computed = reader_.source().Checksum();
    BP_ASSIGN_OR_RETURN(const uint64_t written, reader_.ReadUint64());
    if (!options_.checksum) return {};
    if (written == 0) {
      Log("RDB file was saved with checksum disabled: no check performed.");
      return {};
    }
    if (written != computed) return Bad("Wrong RDB checksum");
    return {};
  }

  Status Field(uint8_t opcode) {
    switch (opcode) {
      case rdb::kExpireTime: {
        BP_ASSIGN_OR_RETURN(const uint32_t seconds, reader_.ReadUint32());
        return Expires(int64_t{static_cast<int32_t>(seconds)} * 1000);
      }
      case rdb::kExpireTimeMs: {
        BP_ASSIGN_OR_RETURN(const uint64_t ms, reader_.ReadUint64());
        return Expires(static_cast<int64_t>(ms));
      }
      case rdb::kIdle: {
        BP_ASSIGN_OR_RETURN(facts_.idle_seconds, reader_.ReadLength());
        return {};
      }
      case rdb::kFreq: {
        BP_ASSIGN_OR_RETURN(facts_.frequency, reader_.ReadByte());
        return {};
      }
      case rdb::kSelectDb:
        return SelectDb();
      case rdb::kResizeDb:
        return ResizeDb();
      case rdb::kSlotInfo:
        for (int i = 0; i < 3; ++i) BP_RETURN_IF_ERROR(reader_.ReadLength());
        return {};
      case rdb::kAux:
        return AuxField();
      case rdb::kModuleAux:
        return ModuleAuxField();
      case rdb::kFunction2:
      case rdb::kFunctionPreGa:
        return Function(opcode);
      default:
        return KeyAndValue(opcode);
    }
  }

  Status Expires(int64_t at_ms) {
    facts_.has_expire = true;
    facts_.expire_ms = at_ms;
    return {};
  }

  Status SelectDb() {
    BP_ASSIGN_OR_RETURN(const uint64_t index, reader_.ReadLength());
    if (index >= static_cast<uint64_t>(keyspace_.database_count())) {
      return Bad("database " + std::to_string(index) + " in a file for more than the configured " +
                     std::to_string(keyspace_.database_count()) + " databases",
                 ErrorCode::kOutOfRange);
    }
    db_ = &keyspace_.db(static_cast<int>(index));
    return {};
  }

  Status ResizeDb() {
    BP_ASSIGN_OR_RETURN(const uint64_t keys, reader_.ReadLength());
    BP_ASSIGN_OR_RETURN(const uint64_t expires, reader_.ReadLength());
    const uint64_t most = std::min<uint64_t>(reader_.remaining() / kSmallKeyBytes, kReserveMax);
    db_->Reserve(std::min(keys, most), std::min(expires, most));
    return {};
  }

  Status AuxField() {
    BP_ASSIGN_OR_RETURN(const std::string name, reader_.ReadString());
    BP_ASSIGN_OR_RETURN(const std::string_view value, reader_.ReadStringView());
    if (name == "redis-ver") {
      Log("Loading RDB produced by version " + VersionText(value));
    } else if (name == "ctime") {
      if (const auto at = ParseInt64(value)) {
        const int64_t age = now_ms_ / 1000 - *at;
        Log("RDB age " + std::to_string(std::max<int64_t>(age, 0)) + " seconds");
      }
    } else if (name == "aof-base") {
      if (value == "1") Log("RDB is base AOF");
    } else if (name == "used-mem") {
      if (const auto bytes = ParseInt64(value)) {
        char text[64];
        std::snprintf(text, sizeof(text), "RDB memory usage when created %.2f Mb",
                      static_cast<double>(*bytes) / (1024 * 1024));
        Log(text);
      }
    }
    return {};
  }

  Status ModuleAuxField() {
    BP_ASSIGN_OR_RETURN(const uint64_t type_id, reader_.ReadLength());
    BP_ASSIGN_OR_RETURN(const uint64_t when_opcode, reader_.ReadLength());
    BP_ASSIGN_OR_RETURN(const uint64_t when, reader_.ReadLength());
    if (when_opcode != rdb::kModuleOpcodeUint ||
        (when != rdb::kAuxBeforeKeys && when != rdb::kAuxAfterKeys)) {
      return BadAux(type_id, {ErrorCode::kCorrupt, "malformed"});
    }
    auto body = CaptureModuleBody(reader_);
    if (!body) return BadAux(type_id, std::move(body).error());
    if (options_.modules != nullptr) {
      auto status = options_.modules->LoadAux(type_id, static_cast<int>(when), *body);
      if (!status) return BadAux(type_id, std::move(status).error());
    } else if (options_.extras != nullptr) {
      options_.extras->module_aux.push_back({type_id, static_cast<int>(when), std::move(*body)});
    }
    return {};
  }

  Status Function(uint8_t opcode) {
    if (opcode == rdb::kFunction2 && options_.libraries != nullptr) {
      BP_ASSIGN_OR_RETURN(const std::string code, reader_.ReadString());
      auto status = options_.libraries->LoadLibrary(code, options_.replace_duplicates);
      if (!status) return Bad("Failed creating a library of functions: " + status.error().message);
      return {};
    }
    std::string body;
    reader_.StartCapture(&body);
    const Status status = SkipFunction(opcode);
    reader_.StopCapture();
    if (!status) return status;
    if (options_.extras != nullptr) options_.extras->functions.push_back({opcode, std::move(body)});
    return {};
  }

  Status SkipFunction(uint8_t opcode) {
    if (opcode == rdb::kFunction2) return reader_.SkipString();
    BP_RETURN_IF_ERROR(reader_.SkipString());
    BP_RETURN_IF_ERROR(reader_.SkipString());
    BP_ASSIGN_OR_RETURN(const uint64_t described, reader_.ReadLength());
    if (described > 1) return Bad("malformed function");
    if (described == 1) BP_RETURN_IF_ERROR(reader_.SkipString());
    return reader_.SkipString();
  }

  Status KeyAndValue(uint8_t type) {
    const KeyFacts facts = std::exchange(facts_, {});
    {
      // The key's bytes go with the next read; the buffer is reused, so there is no allocation.
      BP_ASSIGN_OR_RETURN(const std::string_view key, reader_.ReadStringView());
      key_.assign(key);
    }
    const bool expired = options_.drop_expired && facts.has_expire && facts.expire_ms < now_ms_;
    auto content = LoadEntryValue(
        type, reader_, {key_, db_->index(), keyspace_, expired ? nullptr : options_.modules});
    if (!content) return Prefix(std::move(content).error(), KeyText());
    if (expired) {
      EntryBuilder::FreeContent(*content);
      ++report_.keys_expired;
      return {};
    }
    return Add(*content, facts);
  }

  Status Add(const EntryBuilder::Content& content, const KeyFacts& facts) {
    const bool dormant = content.value != nullptr && content.type == TypeId::kModule &&
                         AsDormant(*content.value) != nullptr;
    // A time before 1970 can only come from a damaged file or a wrong clock: long expired.
    const int64_t expire_ms = facts.has_expire ? std::max<int64_t>(facts.expire_ms, 0) : -1;
    const uint32_t access = keyspace_.AccessOf(facts.idle_seconds, facts.frequency);
    if (options_.replace_duplicates) db_->Delete(key_);
    if (!db_->Load(key_, content, expire_ms, access)) {
      return Bad(KeyText() + " occurs twice", ErrorCode::kAlreadyExists);
    }
    if (options_.key_delay_us != nullptr && *options_.key_delay_us != 0) [[unlikely]]
      DelayForKey(*options_.key_delay_us, report_.keys_loaded);
    ++report_.keys_loaded;
    report_.keys_dormant += dormant ? 1 : 0;
    keyspace_.Notify(*db_, kNotifyLoaded, "loaded", key_);
    return {};
  }

  std::string KeyText() const {
    return "key " + Printable(key_) + " of database " + std::to_string(db_->index());
  }
  std::unexpected<Error> BadAux(uint64_t type_id, Error error) {
    // What the reader itself reports has the offset already.
    if (!reader_.failed()) error.message += " at offset " + std::to_string(reader_.offset());
    return Prefix(std::move(error), "AUX field of module type " + ModuleTypeName(type_id));
  }

  RdbReader reader_;
  Keyspace& keyspace_;
  const SnapshotLoadOptions& options_;
  Database* db_;
  int64_t now_ms_;
  KeyFacts facts_;
  std::string key_;
  SnapshotLoadReport report_;
};

}  // namespace

Result<SnapshotLoadReport> LoadSnapshot(ByteSource& source, Keyspace& keyspace,
                                        const SnapshotLoadOptions& options) {
  source.set_checksum(options.checksum);
  return Loader(source, keyspace, options).Run();
}

}  // namespace backplane
