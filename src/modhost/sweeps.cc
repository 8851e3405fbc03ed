// SPDX-License-Identifier: BSD-3-Clause
// Sweeps: slices.
#include "modhost/sweeps.h"

#include "base/clock.h"
#include "modhost/host.h"
#include "modhost/module_type.h"

namespace backplane {
namespace {

// A slice, and with it what clients wait at most beyond their own work.
constexpr int64_t kSliceMicros = 500;
// So few live values may be left to the pause of an upgrade.
constexpr size_t kFewLive = 256;
// Values that are used as fast as they are made dormant: the pause takes them.
constexpr int kRoundsMax = 32;

}  // namespace

void Sweeps::Start(Module& module, Kind kind, std::function<void()> done) {
  Stop(module);
  live_.clear();
  sweeps_.push_back(std::unique_ptr<Sweep>(new Sweep{
      &module, kind, std::move(done), EntryWalk(host_->keyspace(), EntryWalk::kSmallPiece)}));
}

void Sweeps::Stop(const Module& module) {
  std::erase_if(sweeps_, [&](const auto& sweep) { return sweep->module == &module; });
}

void Sweeps::RunSlice() {
  if (sweeps_.empty()) return;
  std::function<void()> done;
  {
    Engine::Unit unit(host_->engine());
    const int64_t end = MonotonicMicros() + kSliceMicros;
    // What threads may be writing to is left to the pause.
    host_->swap().LookAtWork(*sweeps_.front()->module);
    do {
      if (Step(*sweeps_.front())) continue;
      done = std::move(sweeps_.front()->done);
      sweeps_.erase(sweeps_.begin());
      break;
    } while (MonotonicMicros() < end);
  }
  if (done) done();
}

bool Sweeps::Touch(Sweep& sweep, Entry* entry) {
  ValueSwap& swap = host_->swap();
  Database& db = sweep.walk.db();
  switch (sweep.kind) {
    case Kind::kCopy:
      return !swap.work_in_flight() && swap.CopyEntry(db, entry, *sweep.module);
    case Kind::kFreeze:
      return !swap.work_in_flight() && swap.FreezeEntry(db, entry, *sweep.module);
    case Kind::kForgetCopies:
      swap.ForgetCopy(entry, *sweep.module);
      return false;
    case Kind::kRevive:
      break;
  }
  if (entry->type() != TypeId::kModule) return false;
  const DormantValue* dormant = AsDormant(entry->value());
  if (dormant == nullptr || dormant->failed()) return false;
  ModuleType* type = host_->types().Find(dormant->type().name());
  if (type == nullptr || type->module() != sweep.module) return false;
  const std::string key(entry->key());
  return swap.ReviveKey(db, &entry, key);
}

bool Sweeps::Step(Sweep& sweep) {
  if (sweep.walked) return StepNoted(sweep);
  if (!sweep.walk.Next()) return WalkEnded(sweep);
  const uint64_t epoch = host_->data_epoch();
  for (size_t i = 0; i < sweep.walk.entries().size(); ++i) {
    sweep.walk.Prefetch(i);
    sweep.values += Touch(sweep, sweep.walk.entries()[i]) ? 1 : 0;
    if (host_->data_epoch() != epoch) [[unlikely]] {
      // The module's code changed keys: what is left of the piece is met by the next walk, or by
      // who uses it.
      return true;
    }
  }
  return true;
}

bool Sweeps::WalkEnded(Sweep& sweep) {
  sweep.walked = true;
  if (sweep.kind != Kind::kRevive) return sweep.kind == Kind::kFreeze;
  constexpr int kWalksMax = 8;
  int64_t left = 0;
  for (ModuleType* type : host_->types().types()) {
    if (type->module() != sweep.module) continue;
    left += host_->keyspace().dormant_types().Revivable(type->name());
  }
  if (left > 0 && ++sweep.rounds < kWalksMax) {
    sweep.walk = EntryWalk(host_->keyspace(), EntryWalk::kSmallPiece);
    sweep.walked = false;
    return true;
  }
  host_->logger().Notice("Module '" + sweep.module->name() + "': " + std::to_string(sweep.values) +
                         " values revived in the background");
  return false;
}

void Sweeps::FreezeKey(Module& module, int db, const std::string& key) {
  Database& database = host_->keyspace().db(db);
  if (Entry* entry = database.Peek(Key(key))) host_->swap().FreezeEntry(database, entry, module);
}

bool Sweeps::StepNoted(Sweep& sweep) {
  constexpr size_t kPiece = 16;
  if (live_.size() <= kFewLive || sweep.rounds >= kRoundsMax) return false;
  ++sweep.rounds;
  if (host_->swap().work_in_flight()) return true;
  LiveKeys keys;
  keys.swap(live_);
  const int64_t end = MonotonicMicros() + kSliceMicros;
  while (!keys.empty()) {
    for (size_t i = 0; i < kPiece && !keys.empty(); ++i) {
      FreezeKey(*sweep.module, keys.back().first, keys.back().second);
      keys.pop_back();
    }
    if (MonotonicMicros() >= end) break;
  }
  live_.insert(live_.end(), std::make_move_iterator(keys.begin()),
               std::make_move_iterator(keys.end()));
  return true;
}

void Sweeps::FreezeNoted(Module& module) {
  LiveKeys keys;
  keys.swap(live_);
  for (const auto& [db, key] : keys) FreezeKey(module, db, key);
}

}  // namespace backplane
