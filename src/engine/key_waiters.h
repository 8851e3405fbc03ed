// SPDX-License-Identifier: BSD-3-Clause
// KeyWaiters: clients that modules blocked on keys, and which keys have become ready. A key is
// ready when a module signals it or any command changes it; clients are served in the order in
// which they came, when the unit that did it ends. Listens to the engine only while somebody waits.
// Engine thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"

struct RedisModuleBlockedClient;

namespace backplane {

class KeyWaiters final : public KeyspaceListener, public UnitHook {
 public:
  explicit KeyWaiters(Engine* engine) : engine_(engine) {}
  ~KeyWaiters() override;

  // By the client's database and keys.
  void Add(RedisModuleBlockedClient* client);
  // Does nothing when it does not wait (any more).
  void Remove(RedisModuleBlockedClient* client);
  void Signal(int db, std::string_view key);

  // --- KeyspaceListener, UnitHook ---
  void OnKeyModified(Database& db, std::string_view key) override { Signal(db.index(), key); }
  void OnSwapDatabases(int first, int second) override;
  void OnUnitEnd() override;

 private:
  using Place = std::pair<int, std::string>;
  void Serve(const Place& place);
  void Listen(bool wanted);

  Engine* engine_;
  std::map<Place, std::deque<RedisModuleBlockedClient*>> waiting_;
  std::vector<Place> ready_;
  bool listening_ = false;
  bool serving_ = false;
};

}  // namespace backplane
