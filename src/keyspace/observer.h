// SPDX-License-Identifier: BSD-3-Clause
// KeyspaceObserver: how the layers above learn what happens to keys (notifications, client
// tracking, propagation of expiries, module hooks). The engine implements it; a unit test of the
// keyspace may leave it out. Engine thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane {

class Database;
class Entry;

class KeyspaceObserver {
 public:
  virtual ~KeyspaceObserver() = default;
  // A key's value changed, was created or went (Redis's "signal modified").
  virtual void KeyModified(Database& db, std::string_view key) = 0;
  // A keyspace event of one class; only called when somebody wants that class.
  virtual void KeyEvent(Database& db, uint32_t notify_class, std::string_view event,
                        std::string_view key) = 0;
  // A key was removed because its time was over; replicas and the AOF get a DEL.
  virtual void KeyExpired(Database& db, std::string_view key) = 0;
  // About to be taken out of the database: deleted, expired, evicted or overwritten. The entry is
  // whole.
  enum class RemovalReason : uint8_t { kDeleted, kExpired, kEvicted, kOverwritten };
  virtual void KeyRemoving(Database& db, const Entry& entry, RemovalReason reason) = 0;
};

}  // namespace backplane
