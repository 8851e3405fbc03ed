// SPDX-License-Identifier: BSD-3-Clause
#include "persist/aof_base_writer.h"

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "persist/aof_command_writer.h"
#include "persist/aof_format.h"
#include "persist/dump_payload.h"
#include "persist/key_delay.h"
#include "value/hash_value.h"
#include "value/list_value.h"
#include "value/set_value.h"
#include "value/stream_value.h"
#include "value/zset_value.h"

namespace backplane {
namespace {

// Elements in one command, so that loading never holds much of a large value twice.
constexpr uint64_t kElementsMax = 64;
constexpr uint64_t kKeysBetweenReports = 1024;

// The command that adds elements to a key, begun anew as often as it takes.
class Batches {
 public:
  // `words_each`: words of an element.
  Batches(std::string_view command, std::string_view key, uint64_t elements, uint64_t words_each,
          AofCommandWriter& out)
      : command_(command), key_(key), left_(elements), words_each_(words_each), out_(out) {}

  // Before the words of an element.
  AofCommandWriter& Next() {
    if (in_batch_ == 0) {
      in_batch_ = std::min(left_, kElementsMax);
      left_ -= in_batch_;
      out_.Begin(2 + in_batch_ * words_each_);
      out_.Word(command_);
      out_.Word(key_);
    }
    --in_batch_;
    return out_;
  }

 private:
  std::string_view command_;
  std::string_view key_;
  uint64_t left_;
  uint64_t in_batch_ = 0;
  uint64_t words_each_;
  AofCommandWriter& out_;
};

class Writer {
 public:
  Writer(Keyspace& keyspace, const AofBaseOptions& options, ByteSink& sink)
      : keyspace_(keyspace), options_(options), out_(sink) {}

  Status Run() {
    if (options_.timestamp) {
      std::string note;
      AppendAofTimestamp(WallMillis() / 1000, &note);
      out_.sink().Append(note);
    }
    if (options_.libraries != nullptr) {
      for (const std::string_view code : options_.libraries->LibraryCodes()) {
        const std::string_view words[] = {"FUNCTION", "LOAD", code};
        out_.Words(words);
      }
    }
    for (int i = 0; i < keyspace_.database_count(); ++i) Keys(keyspace_.db(i));
    if (options_.watcher != nullptr) options_.watcher->OnKeysSaved(saved_);
    return out_.sink().Flush();
  }

 private:
  void Keys(Database& db) {
    if (db.size() == 0) return;
    const std::string number = std::to_string(db.index());
    const std::string_view select[] = {"SELECT", number};
    out_.Words(select);
    db.ForEach([this, &db](const Entry* entry) {
      if (out_.sink().failed()) [[unlikely]]
        return;
      Key(*entry, db.index());
    });
  }

  void Key(const Entry& entry, int db) {
    Value(entry, db);
    if (entry.has_expire()) {
      out_.Begin(3);
      out_.Word("PEXPIREAT");
      out_.Word(entry.key());
      out_.Number(entry.expire_ms());
    }
    if (options_.key_delay_us != 0) [[unlikely]]
      DelayForKey(options_.key_delay_us, saved_);
    if (++saved_ % kKeysBetweenReports == 0 && options_.watcher != nullptr) {
      options_.watcher->OnKeysSaved(saved_);
    }
  }

  void Value(const Entry& entry, int db) {
    const std::string_view key = entry.key();
    switch (entry.type()) {
      case TypeId::kString: {
        char scratch[kNumberTextMax];
        const std::string_view words[] = {"SET", key, entry.string(scratch)};
        return out_.Words(words);
      }
      case TypeId::kList: {
        const auto& list = entry.As<ListValue>();
        Batches batches("RPUSH", key, list.length(), 1, out_);
        return list.ForRange(0, list.length(),
                             [&](const Item& item) { batches.Next().Word(item); });
      }
      case TypeId::kSet: {
        const auto& set = entry.As<SetValue>();
        Batches batches("SADD", key, set.length(), 1, out_);
        return set.ForEach([&](const Item& member) { batches.Next().Word(member); });
      }
      case TypeId::kHash:
        return Hash(key, entry.As<HashValue>());
      case TypeId::kZSet:
        return SortedSet(key, entry.As<ZSetValue>());
      case TypeId::kStream:
        if (!WriteAofStream(key, entry.As<StreamValue>(), out_)) Restore(entry, db);
        return;
      case TypeId::kModule:
        return ModuleValue(entry, db);
    }
  }

  void Hash(std::string_view key, const HashValue& hash) {
    Batches batches("HSET", key, hash.length(), 2, out_);
    hash.ForEach([&](const Item& field, const Item& value) {
      AofCommandWriter& out = batches.Next();
      out.Word(field);
      out.Word(value);
    });
  }

  void SortedSet(std::string_view key, const ZSetValue& zset) {
    Batches batches("ZADD", key, zset.length(), 2, out_);
    zset.ForEach([&](const Item& member, double score) {
      AofCommandWriter& out = batches.Next();
      out.Word(DoubleToString(score));
      out.Word(member);
    });
  }

  void ModuleValue(const Entry& entry, int db) {
    class Collected final : public ModuleValues::CommandOut {
     public:
      void Command(std::span<const std::string_view> args) override {
        AppendAofCommand(args, &text_);
      }
      const std::string& text() const { return text_; }

     private:
      std::string text_;
    };
    // Apart at first: what a callback that fails has told does not count.
    Collected collected;
    if (options_.modules != nullptr &&
        options_.modules->RewriteValue(entry.value(), entry.key(), db, collected)) {
      out_.sink().Append(collected.text());
    } else {
      Restore(entry, db);
    }
  }

  void Restore(const Entry& entry, int db) {
    if (options_.modules != nullptr && entry.type() == TypeId::kModule) {
      options_.modules->SavingKey(entry.key(), db);
    }
    const std::string payload = CreateDumpPayload(entry, options_.rdb_version, options_.compress);
    const std::string_view words[] = {"RESTORE", entry.key(), "0", payload};
    out_.Words(words);
  }

  Keyspace& keyspace_;
  const AofBaseOptions& options_;
  AofCommandWriter out_;
  uint64_t saved_ = 0;
};

}  // namespace

Status WriteAofBase(Keyspace& keyspace, const AofBaseOptions& options, ByteSink& sink) {
  return Writer(keyspace, options, sink).Run();
}

}  // namespace backplane
