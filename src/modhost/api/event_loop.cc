// SPDX-License-Identifier: BSD-3-Clause
// API area: file descriptors and one-shot calls on the event loop.
#include <sys/epoll.h>

#include <cerrno>
#include <unordered_map>

#include "modhost/api/areas.h"
#include "modhost/api/slot_calls.h"
#include "modhost/api_table.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"
#include "modhost/watched_fd.h"

namespace backplane {
namespace {

constexpr int kBoth = REDISMODULE_EVENTLOOP_READABLE | REDISMODULE_EVENTLOOP_WRITABLE;

// 0 when the arguments are fine.
int Check(int fd, int mask) {
  // As in the field: as many as there may be clients, and some for the server itself.
  constexpr int64_t kReserved = 128;
  if (fd < 0 || fd >= CurrentHost()->engine().settings().maxclients + kReserved) return ERANGE;
  if ((mask & ~kBoth) != 0) return EINVAL;
  return 0;
}

int EventLoopDel(int fd, int mask) {
  errno = Check(fd, mask);
  if (errno != 0) return REDISMODULE_ERR;
  WatchedFds& fds = CurrentHost()->watched_fds();
  WatchedFd* watched = fds.Find(fd);
  // Nothing to take away is no error.
  if (watched != nullptr && !watched->Remove(mask)) watched->module()->Destroy(watched);
  return REDISMODULE_OK;
}

}  // namespace

int slot_calls::EventLoopAdd(Module* module, int fd, int mask, RedisModuleEventLoopFunc callback,
                             void* data) {
  errno = Check(fd, mask);
  if (errno == 0 && callback == nullptr) errno = EINVAL;
  if (errno != 0) return REDISMODULE_ERR;
  WatchedFds& fds = module->host().watched_fds();
  WatchedFd* watched = fds.Find(fd);
  if (watched == nullptr) watched = module->Own(std::make_unique<WatchedFd>(module, &fds, fd));
  if (watched->Add(mask, callback, data)) return REDISMODULE_OK;
  watched->module()->Destroy(watched);
  errno = EINVAL;
  return REDISMODULE_ERR;
}

int slot_calls::EventLoopAddOneShot(Module* module, RedisModuleEventLoopOneShotFunc callback,
                                    void* data) {
  if (callback == nullptr) {
    errno = EINVAL;
    return REDISMODULE_ERR;
  }
  module->host().one_shots().Add(module, callback, data);
  return REDISMODULE_OK;
}

void RegisterEventLoopApi(ApiTable& table) {
  const ApiRow rows[] = {BACKPLANE_API_ROW(EventLoopDel)};
  table.Add(rows);
}

}  // namespace backplane
