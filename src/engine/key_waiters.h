// SPDX-License-Identifier: BSD-3-Clause
// KeyWaiters: who waits for keys, and which keys have become ready: clients in blocking commands,
// clients that modules blocked. A key is ready when a module signals it, when it comes to be or
// goes, and for blocking commands at any other change; waiters are asked in the order in which they
// came, behind the unit that did it. Listens to the engine only while somebody waits. Engine
// thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace backplane {

class KeyWaiter {
 public:
  virtual ~KeyWaiter() = default;
  // What it waits for; stays the same while it waits.
  virtual int waits_in_db() const = 0;
  virtual const std::vector<std::string>& waits_for() const = 0;
  // Whether a key that went is news to it.
  virtual bool wakes_on_delete() const { return false; }
  // Whether it is told that a value that was there before has changed. If not, somebody signals
  // what is worth telling (modules: RM_SignalKeyAsReady).
  virtual bool wakes_on_change() const { return true; }
  // One of its keys was changed. True when the wait is over: it has removed itself then.
  virtual bool OnKeyReady(const std::string& key) = 0;

 private:
  friend class KeyWaiters;
  uint64_t ticket_ = 0;  // by order of coming; 0: does not wait
};

class KeyWaiters final : public KeyspaceListener, public UnitHook {
 public:
  explicit KeyWaiters(Engine* engine) : engine_(engine) {}
  ~KeyWaiters() override;

  void Add(KeyWaiter* waiter);
  // Does nothing when it does not wait (any more).
  void Remove(KeyWaiter* waiter);
  // Ready for all that wait for it.
  void Signal(int db, std::string_view key);
  // Keys that somebody waits for.
  size_t key_count() const { return waiting_.size(); }
  // Of these, how many would be news to somebody by going away.
  size_t key_count_for_deletes() const;

  // --- KeyspaceListener, UnitHook ---
  void OnKeyModified(Database& db, std::string_view key) override;
  void OnKeyEvent(Database& db, uint32_t notify_class, std::string_view event,
                  std::string_view key) override;
  void OnKeyRemoving(Database& db, const Entry& entry,
                     KeyspaceObserver::RemovalReason reason) override;
  uint32_t wanted_classes() const override { return kNotifyNew; }
  void OnSwapDatabases(int first, int second) override;
  void OnFlush(int db, bool sync, bool before) override;
  void AfterUnit() override;

 private:
  using Place = std::pair<int, std::string>;
  struct PlaceOrder {
    using is_transparent = void;
    static std::pair<int, std::string_view> View(const Place& place) { return place; }
    static std::pair<int, std::string_view> View(std::pair<int, std::string_view> v) { return v; }
    bool operator()(const auto& a, const auto& b) const { return View(a) < View(b); }
  };
  struct Queue {
    std::map<uint64_t, KeyWaiter*> waiters;  // by ticket
    size_t for_deletes = 0;                  // of these, how many wake on a deletion
    std::optional<TypeId> type;              // of the key's value when it was looked at last
  };
  using Queues = std::map<Place, Queue, PlaceOrder>;
  struct Ready {
    Place place;
    bool only_changed;  // the value was there before, and nobody has signalled it
  };
  void MarkReady(Queues::iterator queue, bool only_changed);
  std::optional<TypeId> TypeOf(const Place& place);
  void Serve(const Ready& ready);
  void Listen(bool wanted);

  Engine* engine_;
  Queues waiting_;
  std::vector<Ready> ready_;
  uint64_t tickets_ = 0;
  bool listening_ = false;
  bool serving_ = false;
};

}  // namespace backplane
