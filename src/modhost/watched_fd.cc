// SPDX-License-Identifier: BSD-3-Clause
// WatchedFd.
#include "modhost/watched_fd.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <utility>

#include "modhost/host.h"
#include "modhost/module_code.h"

namespace backplane {

WatchedFd::WatchedFd(Module* module, WatchedFds* fds, int fd)
    : Registration(module), fds_(fds), fd_(fd) {
  fds_->by_fd_[fd] = this;
}

WatchedFd::~WatchedFd() {
  fds_->by_fd_.erase(fd_);
  std::erase(fds_->changed_, this);
  if (applied_ == 0) return;
  if (fds_->lock_->OnEngineThread()) {
    fds_->loop_->Remove(fd_);
  } else {
    fds_->to_remove_.push_back(fd_);
    fds_->loop_->Wake();
  }
}

Status WatchedFd::Apply() {
  if (mask_ == applied_) return {};
  uint32_t events = 0;
  if ((mask_ & REDISMODULE_EVENTLOOP_READABLE) != 0) events |= EPOLLIN;
  if ((mask_ & REDISMODULE_EVENTLOOP_WRITABLE) != 0) events |= EPOLLOUT;
  Status status;
  if (mask_ == 0) {
    fds_->loop_->Remove(fd_);
  } else if (applied_ == 0) {
    status = fds_->loop_->Add(fd_, events, this);
  } else {
    status = fds_->loop_->Modify(fd_, events);
  }
  if (status) applied_ = mask_;
  return status;
}

bool WatchedFd::Update(int mask) {
  const int before = std::exchange(mask_, mask);
  if (fds_->lock_->OnEngineThread()) {
    if (Apply()) return true;
    mask_ = before;
    return false;
  }
  if (fcntl(fd_, F_GETFD) < 0) {
    mask_ = before;
    return false;
  }
  fds_->changed_.push_back(this);
  fds_->loop_->Wake();
  return true;
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
  ModuleCallback mark(*module(), "file event");
  if (read) on_read.callback(fd, on_read.data, REDISMODULE_EVENTLOOP_READABLE);
  if (!write || fds->Find(fd) != this) return;
  on_write.callback(fd, on_write.data, REDISMODULE_EVENTLOOP_WRITABLE);
}

void WatchedFds::Apply() {
  // Removals first: the descriptor may have been closed, and its number be in use again.
  for (int fd : to_remove_) loop_->Remove(fd);
  to_remove_.clear();
  // A descriptor that the kernel refuses gets no events; the thread has long been told that all was
  // well.
  for (WatchedFd* watched : changed_) static_cast<void>(watched->Apply());
  changed_.clear();
}

}  // namespace backplane
