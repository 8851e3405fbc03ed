// SPDX-License-Identifier: BSD-3-Clause
// WatchedFd: a file descriptor that a module watches on the event loop. Under the host lock; events
// arrive on the engine thread.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "modhost/api_signatures.h"
#include "modhost/host_lock.h"
#include "modhost/registration.h"
#include "net/event_loop.h"

namespace backplane {

class WatchedFds;

class WatchedFd final : public Registration, public FdHandler {
 public:
  WatchedFd(Module* module, WatchedFds* fds, int fd);
  ~WatchedFd() override;
  const char* kind() const override { return "file-event"; }

  // Watches more directions (REDISMODULE_EVENTLOOP_*). False when the kernel refuses the
  // descriptor.
  bool Add(int mask, RedisModuleEventLoopFunc callback, void* data);
  // False when no direction is left.
  bool Remove(int mask);
  void OnEvents(uint32_t events) override;

 private:
  friend class WatchedFds;
  struct Direction {
    RedisModuleEventLoopFunc callback = nullptr;
    void* data = nullptr;
  };
  bool Update(int mask);
  // Engine thread: makes the loop watch what is wanted.
  Status Apply();

  WatchedFds* fds_;
  int fd_;
  int mask_ = 0;     // wanted
  int applied_ = 0;  // known to the loop
  Direction readable_;
  Direction writable_;
};

// The loop is touched by the engine thread only: what another thread, holding the host lock,
// changes waits in a list until the loop turns.
class WatchedFds {
 public:
  WatchedFds(EventLoop* loop, const HostLock* lock) : loop_(loop), lock_(lock) {}
  // Engine thread, once a turn.
  void Apply();
  WatchedFd* Find(int fd) const {
    auto it = by_fd_.find(fd);
    return it == by_fd_.end() ? nullptr : it->second;
  }

 private:
  friend class WatchedFd;
  EventLoop* loop_;
  const HostLock* lock_;
  std::unordered_map<int, WatchedFd*> by_fd_;
  std::vector<WatchedFd*> changed_;
  std::vector<int> to_remove_;
};

}  // namespace backplane
