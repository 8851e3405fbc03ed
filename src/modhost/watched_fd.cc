// SPDX-License-Identifier: BSD-3-Clause
// WatchedFd.
#include "modhost/watched_fd.h"

#include <sys/epoll.h>

#include "modhost/host.h"

namespace backplane {

WatchedFd::WatchedFd(Module* module, WatchedFds* fds, int fd)
    : Registration(module), fds_(fds), fd_(fd) {
  fds_->by_fd_[fd] = this;
}

WatchedFd::~WatchedFd() {
  if (mask_ != 0) fds_->loop_->Remove(fd_);
  fds_->by_fd_.erase(fd_);
}

bool WatchedFd::Update(int mask) {
  uint32_t events = 0;
  if ((mask & REDISMODULE_EVENTLOOP_READABLE) != 0) events |= EPOLLIN;
  if ((mask & REDISMODULE_EVENTLOOP_WRITABLE) != 0) events |= EPOLLOUT;
  Status status;
  if (mask == 0) {
    fds_->loop_->Remove(fd_);
  } else if (mask_ == 0) {
    status = fds_->loop_->Add(fd_, events, this);
  } else {
    status = fds_->loop_->Modify(fd_, events);
  }
  if (status) mask_ = mask;
  return status.has_value();
}

bool WatchedFd::Add(int mask, RedisModuleEventLoopFunc callback, void* data) {
  if (!Update(mask_ | mask)) return mask_ != 0;
  if ((mask & REDISMODULE_EVENTLOOP_READABLE) != 0) readable_ = {callback, data};
  if ((mask & REDISMODULE_EVENTLOOP_WRITABLE) != 0) writable_ = {callback, data};
  return true;
}

bool WatchedFd::Remove(int mask) {
  if (mask_ != 0) Update(mask_ & ~mask);
  return mask_ != 0;
}

void WatchedFd::OnEvents(uint32_t events) {
  // Errors wake whoever watches, as the field's loop does: the callback finds out by reading.
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  const bool read =
      (mask_ & REDISMODULE_EVENTLOOP_READABLE) != 0 && ((events & EPOLLIN) != 0 || broken);
  const bool write =
      (mask_ & REDISMODULE_EVENTLOOP_WRITABLE) != 0 && ((events & EPOLLOUT) != 0 || broken);
  // Copies: the callback may end this object.
  const Direction on_read = readable_;
  const Direction on_write = writable_;
  const int fd = fd_;
  WatchedFds* fds = fds_;
  Engine::Unit unit(module()->host().engine());
  if (read) on_read.callback(fd, on_read.data, REDISMODULE_EVENTLOOP_READABLE);
  if (!write || fds->Find(fd) != this) return;
  on_write.callback(fd, on_write.data, REDISMODULE_EVENTLOOP_WRITABLE);
}

}  // namespace backplane
