// SPDX-License-Identifier: BSD-3-Clause
// PersistenceListener: what happens to the data set as a whole, told to whoever wants to know; the
// module host makes server events of it. Engine thread, or the forked child where said.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane {

// What is written or read: a file that is an RDB as a whole, or the append-only file.
enum class DataFile : uint8_t { kRdb, kAof };

class PersistenceListener {
 public:
  virtual ~PersistenceListener() = default;

  // Around the writing of the whole data set, in the process that writes it: for BGSAVE and
  // BGREWRITEAOF that is the forked child (`background`), for SAVE and the rest the server.
  virtual void OnSaveStarted(DataFile file, bool background) {}
  virtual void OnSaveEnded(bool ok) {}

  // Around the reading of it, at start and by DEBUG. Progress: 0 to 1000.
  virtual void OnLoadStarted(DataFile file) {}
  virtual void OnLoadProgress(DataFile file, int permille) {}
  virtual void OnLoadEnded(bool ok) {}

  // In the parent, after a fork and after the child was reaped.
  virtual void OnForkChild(bool born) {}
  // In the child, before it does anything: descriptors that it should not keep open are closed here
  // (a listening socket would outlive the server). `purpose` is what the child is for, in a word
  // that ps may show: "rdb-bgsave".
  virtual void OnInForkedChild(std::string_view purpose) {}
};

}  // namespace backplane
