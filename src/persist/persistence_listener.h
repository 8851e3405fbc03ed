// SPDX-License-Identifier: BSD-3-Clause
// PersistenceListener: what happens to the data set as a whole, told to whoever wants to know; the
// module host makes server events of it. Engine thread, or the forked child where said.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane {

class PersistenceListener {
 public:
  virtual ~PersistenceListener() = default;

  // Around the writing of an RDB, in the process that writes it: for BGSAVE that is the forked
  // child (`background`), for SAVE and the rest the server.
  virtual void OnSaveStarted(bool background) {}
  virtual void OnSaveEnded(bool background, bool ok) {}

  // Around the reading of one, at start and by DEBUG RELOAD. Progress: 0 to 1000.
  virtual void OnLoadStarted() {}
  virtual void OnLoadProgress(int permille) {}
  virtual void OnLoadEnded(bool ok) {}

  // In the parent, after a fork and after the child was reaped.
  virtual void OnForkChild(bool born) {}
  // In the child, before it does anything: descriptors that it should not keep open are closed here
  // (a listening socket would outlive the server). `purpose` is what the child is for, in a word
  // that ps may show: "rdb-bgsave".
  virtual void OnInForkedChild(std::string_view purpose) {}
};

}  // namespace backplane
