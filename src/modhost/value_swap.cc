// SPDX-License-Identifier: BSD-3-Clause
// ValueSwap: freezing and reviving.
#include "modhost/value_swap.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "modhost/body_stream.h"
#include "modhost/host.h"
#include "modhost/module_code.h"
#include "modhost/module_type.h"

namespace backplane {
namespace {

class OriginalsGarbage final : public Garbage {
 public:
  explicit OriginalsGarbage(Originals originals) : originals_(std::move(originals)) {}
  size_t objects() const override { return originals_.values(); }

 private:
  Originals originals_;
};

// A body that stays while it is read, whatever the module's code does to the value meanwhile.
class StableBody {
 public:
  explicit StableBody(std::string_view body) {
    char* to = small_;
    if (body.size() > sizeof(small_)) {
      large_.reset(new char[body.size()]);
      to = large_.get();
    }
    if (!body.empty()) std::memcpy(to, body.data(), body.size());
    view_ = {to, body.size()};
  }
  StableBody(const StableBody&) = delete;
  StableBody& operator=(const StableBody&) = delete;
  std::string_view view() const { return view_; }

 private:
  char small_[256];
  std::unique_ptr<char[]> large_;
  std::string_view view_;
};

}  // namespace

void Originals::AddValue(int db, std::string_view key, std::unique_ptr<DormantValue> value) {
  keys_ += key;
  places_.push_back({std::move(value), db, static_cast<uint32_t>(key.size())});
}

void EntryWalk::Fill() {
  entries_.clear();
  next_db_ = db_;
  next_cursor_ = cursor_;
  while (next_db_ < keyspace_->database_count()) {
    Database& database = keyspace_->db(next_db_);
    // One that was emptied, or exchanged for an empty one, in the middle of the walk is done.
    if (database.size() == 0) next_cursor_ = 0;
    if (database.size() > 0) {
      do {
        next_cursor_ =
            database.Scan(next_cursor_, [this](Entry* entry) { entries_.push_back(entry); });
      } while (next_cursor_ != 0 && entries_.size() < piece_);
      db_ = next_db_;
    }
    if (next_cursor_ == 0) ++next_db_;
    if (!entries_.empty()) return;
  }
}

bool EntryWalk::Next() {
  db_ = next_db_;
  cursor_ = next_cursor_;
  Fill();
  return !entries_.empty();
}

void EntryWalk::Again() { Fill(); }

namespace {

ModuleValue* LiveAt(const std::vector<Entry*>& entries, size_t i) {
  if (i >= entries.size() || entries[i]->type() != TypeId::kModule) return nullptr;
  return AsModuleValue(entries[i]->value());
}

}  // namespace

void EntryWalk::PrefetchData(size_t i) const {
  if (ModuleValue* value = LiveAt(entries_, i)) __builtin_prefetch(value->data());
}

// Calls f(db, entry), which says whether it changed the value, until every entry was met.
template <class F>
uint64_t ValueSwap::ForEachEntry(F&& f) {
  uint64_t changed = 0;
  EntryWalk walk(host_->keyspace(), EntryWalk::kLargePiece);
  while (walk.Next()) {
    uint64_t epoch = host_->data_epoch();
    for (size_t i = 0; i < walk.entries().size(); ++i) {
      walk.Prefetch(i);
      changed += f(walk.db(), walk.entries()[i]) ? 1 : 0;
      if (host_->data_epoch() == epoch) [[likely]]
        continue;
      // The module's code changed keys: the pointers at hand may be stale. What was done is not
      // done again.
      walk.Again();
      epoch = host_->data_epoch();
      i = static_cast<size_t>(-1);
    }
  }
  return changed;
}

// --- dormant to live ---

void ValueSwap::ForgetErrors(const Module& module) {
  for (const auto& [id, dormant] : host_->keyspace().dormant_types().all()) {
    ModuleType* type = host_->types().Find(dormant->name());
    if (type == nullptr || type->module() != &module || dormant->failed_values() == 0) continue;
    // A forked child has no thread that could end what was begun; nobody frees anything there.
    if (!host_->is_child) host_->keyspace().lazy_free().Drain();
    dormant->ForgetErrors();
  }
}

bool ValueSwap::HasDormant(const Module& module) const {
  TypeRegistry& types = host_->types();
  for (ModuleType* type : types.types()) {
    if (type->module() != &module) continue;
    if (host_->keyspace().dormant_types().Revivable(type->name()) > 0) return true;
    for (const DormantAux& aux : types.dormant_aux()) {
      if (ModuleTypeName(aux.type_id) == type->name()) return true;
    }
  }
  return false;
}

ValueSwap::Revived ValueSwap::ReviveEntry(Database& db, Entry** entry, std::string_view key,
                                          ModuleType& type, std::string* error) {
  DormantValue* dormant = AsDormant((*entry)->value());
  const uint64_t type_id = dormant->type_id();
  const StableBody body(dormant->body());
  const uint64_t epoch = host_->data_epoch();
  reading_.push_back(dormant);
  auto value =
      host_->types().Load(type, ModuleTypeEncodingVersion(type_id), body.view(), key, db.index());
  reading_.pop_back();
  if (host_->data_epoch() != epoch) [[unlikely]] {
    *entry = db.Peek(Key(key));
    if (*entry == nullptr || (*entry)->type() != TypeId::kModule) return Revived::kChanged;
    dormant = AsDormant((*entry)->value());
    if (dormant == nullptr || dormant->type_id() != type_id || dormant->body() != body.view()) {
      return Revived::kChanged;
    }
  }
  if (!value) {
    *error = value.error().message;
    host_->logger().Warning("key '" + std::string(key) + "': " + *error + "; it is kept dormant");
    dormant->set_last_error(*error);
    return Revived::kUnreadable;
  }
  std::unique_ptr<Value> old = db.ExchangeValue(*entry, std::move(*value));
  if (keeping_ != nullptr) {
    keeping_->AddValue(db.index(), key,
                       std::unique_ptr<DormantValue>(static_cast<DormantValue*>(old.release())));
  }
  return Revived::kLive;
}

bool ValueSwap::ReviveOne(Database& db, Entry* entry, const Module& module, Report* report) {
  if (entry->type() != TypeId::kModule) return false;
  DormantValue* dormant = AsDormant(entry->value());
  if (dormant == nullptr || dormant->failed()) return false;
  ModuleType* type = host_->types().Find(dormant->type().name());
  if (type == nullptr || type->module() != &module) return false;
  const std::string key(entry->key());
  std::string error = "its type has no rdb_load";
  Revived revived = Revived::kUnreadable;
  if (type->methods().rdb_load == nullptr) {
    dormant->set_last_error(error);
  } else {
    revived = ReviveEntry(db, &entry, key, *type, &error);
  }
  if (revived != Revived::kUnreadable) return revived == Revived::kLive;
  ++report->failed;
  if (report->error.empty()) report->error = "key '" + key + "': " + error;
  return false;
}

ValueSwap::Report ValueSwap::ReviveAll(Module& module) {
  Report report;
  if (!HasDormant(module)) return report;
  auto fields = [&](int when) {
    std::string error;
    ReviveFieldsOf(module, when, &error);
    if (error.empty()) return;
    ++report.failed;
    if (report.error.empty()) report.error = error;
  };
  // As at a start, the module is told when its data come and when they are all there.
  ServerEvents& events = host_->events();
  events.FireTo(module, REDISMODULE_EVENT_LOADING, REDISMODULE_SUBEVENT_LOADING_RDB_START, nullptr);
  fields(REDISMODULE_AUX_BEFORE_RDB);
  const Report values = ReviveValues(module);
  report.values = values.values;
  report.failed += values.failed;
  if (report.error.empty()) report.error = values.error;
  fields(REDISMODULE_AUX_AFTER_RDB);
  events.FireTo(module, REDISMODULE_EVENT_LOADING, REDISMODULE_SUBEVENT_LOADING_ENDED, nullptr);
  return report;
}

ValueSwap::Report ValueSwap::ReviveValues(Module& module) {
  Report report;
  const uint64_t begin = Ticks();
  report.values = ForEachEntry(
      [&](Database& db, Entry* entry) { return ReviveOne(db, entry, module, &report); });
  module.usage().callbacks += report.values;
  module.usage().callback_ticks += Ticks() - begin;
  return report;
}

void ValueSwap::ReviveFieldsOf(Module& module, int when, std::string* error) {
  for (DormantAux& aux : host_->types().ReviveAux(module, when, error)) {
    if (keeping_ != nullptr) keeping_->AddField(std::move(aux));
  }
}

ValueSwap::Report ValueSwap::ReviveFields(Module& module) {
  Report report;
  for (int when : {REDISMODULE_AUX_BEFORE_RDB, REDISMODULE_AUX_AFTER_RDB}) {
    ReviveFieldsOf(module, when, &report.error);
  }
  report.failed = report.error.empty() ? 0 : 1;
  return report;
}

void ValueSwap::TakeBack(Originals originals, const Module& module) {
  auto fields =
      originals.TakeAll([&](int index, std::string_view key, std::unique_ptr<DormantValue> value) {
        Database& db = host_->keyspace().db(index);
        Entry* entry = db.Peek(Key(key));
        if (entry == nullptr || LiveValue(entry, module) == nullptr) return;
        db.ReplaceValue(entry, std::move(value));
      });
  host_->types().KeepAux(std::move(fields));
}

void ValueSwap::Discard(Originals originals) {
  if (originals.values() == 0) return;
  host_->keyspace().lazy_free().Push(std::make_unique<OriginalsGarbage>(std::move(originals)));
}

bool ValueSwap::ReviveKey(Database& db, Entry** entry, std::string_view key) {
  DormantValue* dormant = AsDormant((*entry)->value());
  if (dormant == nullptr) return true;
  if (dormant->failed()) return false;
  ModuleType* type = host_->types().Find(dormant->type().name());
  if (type == nullptr || type->methods().rdb_load == nullptr) return false;
  if (type->module()->retiring()) return false;
  // Its own rdb_load looks at it: there is no value yet, as at a start.
  if (std::find(reading_.begin(), reading_.end(), dormant) != reading_.end()) return false;
  std::string error;
  const Revived revived = ReviveEntry(db, entry, key, *type, &error);
  ++type->module()->usage().callbacks;
  if (revived == Revived::kChanged) {
    return *entry != nullptr && (*entry)->type() == TypeId::kModule &&
           AsDormant((*entry)->value()) == nullptr;
  }
  if (revived != Revived::kLive) return false;
  if (type->module()->freezing()) host_->sweeps().NoteLive(db.index(), key);
  return true;
}

// --- live to dormant ---

std::string ValueSwap::WhyNotFreezable(const Module& module) const {
  for (ModuleType* type : host_->types().types()) {
    if (type->module() != &module || type->value_count().load(std::memory_order_acquire) == 0) {
      continue;
    }
    const RedisModuleTypeMethods& m = type->methods();
    if (m.rdb_save == nullptr || m.rdb_load == nullptr || m.free == nullptr) {
      return "its type " + std::string(type->name()) +
             " has no rdb_save, rdb_load or free, so its values cannot be kept";
    }
  }
  return {};
}

ModuleValue* ValueSwap::LiveValue(Entry* entry, const Module& module) const {
  if (entry->type() != TypeId::kModule) return nullptr;
  ModuleValue* value = AsModuleValue(entry->value());
  return value != nullptr && value->module_type().module() == &module ? value : nullptr;
}

std::unique_ptr<DormantValue> ValueSwap::Serialise(ModuleValue& value, Database& db, Entry** entry,
                                                   const Module& module) {
  ModuleType& type = value.module_type();
  const std::string key((*entry)->key());
  const uint64_t epoch = host_->data_epoch();
  BodyWriter& writer = host_->body_writer();
  writer.Clear();
  type.SaveBody(value.data(), key, db.index(), *writer.writer());
  if (host_->data_epoch() != epoch) [[unlikely]] {
    // The callback ran commands.
    *entry = db.Peek(Key(key));
    if (*entry == nullptr || LiveValue(*entry, module) != &value) return nullptr;
  }
  return DormantValue::New(host_->keyspace().dormant_types().Of(type.type_id()), writer.bytes());
}

void ValueSwap::LookAtWork(Module& module) { work_in_flight_ = OldestWork(module) != 0; }

bool ValueSwap::FreezeEntry(Database& db, Entry* entry, Module& module) {
  ModuleValue* value = LiveValue(entry, module);
  if (value == nullptr) return false;
  // A copy of an upgrade that came to nothing may be old by now.
  std::unique_ptr<DormantValue> dormant = value->TakeCopy();
  if (dormant == nullptr || !module.precopied()) dormant = Serialise(*value, db, &entry, module);
  if (dormant == nullptr) return false;
  std::unique_ptr<Value> old = db.ExchangeValue(entry, std::move(dormant));
  if (work_in_flight_) module.kept_values().Add(module.handles_made, std::move(old));
  return true;
}

bool ValueSwap::CopyEntry(Database& db, Entry* entry, const Module& module) {
  ModuleValue* value = LiveValue(entry, module);
  if (value == nullptr) return false;
  auto copy = Serialise(*value, db, &entry, module);
  if (copy == nullptr) return false;
  value->set_copy(std::move(copy));
  return true;
}

void ValueSwap::ForgetCopy(Entry* entry, const Module& module) {
  if (ModuleValue* value = LiveValue(entry, module)) value->set_copy(nullptr);
}

uint64_t ValueSwap::DropAll(const Module& module) {
  return ForEachEntry([&](Database& db, Entry* entry) {
    if (LiveValue(entry, module) == nullptr) return false;
    db.DeleteEntry(entry);
    // The walk's other entries may have moved.
    host_->NoteEntryMove();
    return true;
  });
}

uint64_t ValueSwap::FreezeAll(Module& module) {
  const uint64_t begin = Ticks();
  const uint64_t values =
      ForEachEntry([&](Database& db, Entry* entry) { return FreezeEntry(db, entry, module); });
  module.usage().callbacks += values;
  module.usage().callback_ticks += Ticks() - begin;
  return values;
}

}  // namespace backplane
