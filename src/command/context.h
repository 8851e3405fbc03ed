// SPDX-License-Identifier: BSD-3-Clause
// CommandContext: all that a handler sees of one call. Made by the engine on its stack for each
// command. Engine thread.
//
// A handler reads args, looks keys up in db(), writes exactly one reply, and for each changed key
// calls Modified(). Arguments are views into the client's input: what is to outlive the call is
// copied.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "command/errors.h"
#include "command/propagation_target.h"
#include "command/registry.h"
#include "keyspace/keyspace.h"
#include "resp/reply_sink.h"

namespace backplane {

class Engine;
class Session;

class CommandContext {
 public:
  using Args = std::span<const std::string_view>;

  CommandContext(Engine& engine, Session& session, const Command& command, Database& db, Args args,
                 ReplySink& reply)
      : engine_(engine),
        session_(session),
        command_(command),
        db_(&db),
        args_(args),
        reply_(reply) {}
  CommandContext(const CommandContext&) = delete;
  CommandContext& operator=(const CommandContext&) = delete;

  // args()[0] is the command's name.
  Args args() const { return args_; }
  std::string_view arg(size_t i) const { return args_[i]; }
  size_t argc() const { return args_.size(); }

  ReplySink& reply() { return reply_; }
  Database& db() { return *db_; }
  Keyspace& keyspace() { return db_->keyspace(); }
  const EncodingLimits& limits() { return db_->keyspace().limits(); }
  Engine& engine() { return engine_; }
  Session& session() { return session_; }
  const Session& session() const { return session_; }
  const Command& command() const { return command_; }
  // The owner that the command was registered with; the row says its class.
  template <class T>
  T& owner() const {
    return *static_cast<T*>(command_.owner);
  }

  // The key at argv[i], its hash taken from the batch where it was computed there.
  Key key(size_t i) const { return i == hinted_arg_ ? Key(args_[i], hinted_hash_) : Key(args_[i]); }
  void SetKeyHint(size_t i, uint64_t hash) {
    hinted_arg_ = i;
    hinted_hash_ = hash;
  }

  // --- typed lookups. They reply WRONGTYPE themselves and set *failed; otherwise nullptr means
  // absent. ---
  Entry* FindForRead(const Key& key, TypeId type, bool* failed) {
    return CheckType(db_->FindForRead(key), type, failed);
  }
  Entry* FindForWrite(const Key& key, TypeId type, bool* failed) {
    return CheckType(db_->FindForWrite(key), type, failed);
  }

  // A key changed: marks watchers, tells observers, publishes the event, counts `dirty` changes.
  // Call after the change.
  void Modified(std::string_view key, uint32_t notify_class, std::string_view event,
                uint64_t dirty = 1) {
    Keyspace& ks = keyspace();
    ks.KeyModified(*db_, key);
    ks.Notify(*db_, notify_class, event, key);
    ks.AddDirty(dirty);
  }
  // The parts of Modified for commands whose order or counts differ.
  void Touched(std::string_view key) { keyspace().KeyModified(*db_, key); }
  void Notify(uint32_t notify_class, std::string_view event, std::string_view key) {
    keyspace().Notify(*db_, notify_class, event, key);
  }
  void Dirty(uint64_t n = 1) { keyspace().AddDirty(n); }

  // --- replies with checks ---
  void Error(std::string_view text) { reply_.Error(text); }
  // Parse argv[i]; on failure reply the error and return nullopt.
  std::optional<int64_t> IntegerArg(size_t i, std::string_view error = errors::kNotInteger);
  std::optional<int64_t> IntegerArgIn(size_t i, int64_t low, int64_t high,
                                      std::string_view error = errors::kNotInteger);
  // An argument that names a database: replies the error of a number outside int, or outside the
  // databases.
  std::optional<int> DatabaseArg(size_t i);
  std::optional<double> DoubleArg(size_t i, std::string_view error = errors::kNotFloat);
  bool ArgIs(size_t i, std::string_view word) const;  // case ignored

  // argv[i] is a secret: the slow log and MONITOR show "(redacted)" for it. From kRedactedMax on,
  // all arguments are hidden when one is.
  void Redact(size_t i) { redacted_ |= uint64_t{1} << (i < kRedactedMax ? i : kRedactedMax); }
  bool redacted(size_t i) const {
    return (redacted_ >> (i < kRedactedMax ? i : kRedactedMax) & 1) != 0;
  }

  // --- propagation: what replicas and the AOF get instead of the command as typed ---
  // Replaces it (several calls add several commands). Args are copied.
  void Propagate(std::span<const std::string_view> args);
  void Propagate(std::initializer_list<std::string_view> args) {
    Propagate(std::span<const std::string_view>(args.begin(), args.size()));
  }
  // This call is not propagated at all.
  void PreventPropagation() { propagation_prevented_ = true; }
  // Propagates although nothing was counted dirty.
  void ForcePropagation(uint8_t targets = kPropagateEverywhere) { forced_targets_ |= targets; }
  bool propagation_prevented() const { return propagation_prevented_; }
  uint8_t forced_targets() const { return forced_targets_; }
  const std::vector<std::vector<std::string>>& propagated() const { return propagated_; }

 private:
  Entry* CheckType(Entry* entry, TypeId type, bool* failed) {
    *failed = entry != nullptr && entry->type() != type;
    if (*failed) [[unlikely]] {
      reply_.Error(errors::kWrongType);
      return nullptr;
    }
    return entry;
  }

  static constexpr size_t kRedactedMax = 63;

  Engine& engine_;
  Session& session_;
  const Command& command_;
  Database* db_;
  Args args_;
  ReplySink& reply_;
  size_t hinted_arg_ = SIZE_MAX;
  uint64_t hinted_hash_ = 0;
  uint64_t redacted_ = 0;
  bool propagation_prevented_ = false;
  uint8_t forced_targets_ = kPropagateNowhere;
  std::vector<std::vector<std::string>> propagated_;
};

}  // namespace backplane
