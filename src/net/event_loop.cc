// SPDX-License-Identifier: BSD-3-Clause
// EventLoop over epoll; timers in an ordered map, because cancelling is as frequent as firing.
#include "net/event_loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <unordered_map>

#include "base/assert.h"
#include "base/clock.h"

namespace backplane {
namespace {

constexpr int kEventsPerTurn = 256;

constexpr int64_t kNanosPerMs = 1'000'000;

int64_t NowMs() { return MonotonicNanos() / kNanosPerMs; }

}  // namespace

struct EventLoop::Impl {
  // Handlers by fd. `generation` tells an event of a removed fd from one of a new user of the same
  // number.
  struct Slot {
    FdHandler* handler = nullptr;
    uint32_t generation = 0;
  };
  struct Timer {
    TimerId id;
    TimerHandler* handler;
  };

  int epoll_fd = -1;
  int wake_fd = -1;
  std::vector<Slot> slots;
  std::multimap<int64_t, Timer> timers;  // by due time
  std::unordered_map<TimerId, std::multimap<int64_t, Timer>::iterator> timer_index;
  TimerId next_timer = 1;
  TimerId firing = 0;  // the timer whose handler runs
  bool firing_removed = false;
  std::vector<LoopHook*> hooks;
  std::atomic<bool> stop{false};

  Slot& SlotOf(int fd) {
    if (static_cast<size_t>(fd) >= slots.size()) slots.resize(static_cast<size_t>(fd) + 1);
    return slots[static_cast<size_t>(fd)];
  }
  static uint64_t Pack(int fd, uint32_t generation) {
    return static_cast<uint64_t>(generation) << 32 | static_cast<uint32_t>(fd);
  }
  int WaitTime(int64_t now, int wait_ms) const {
    if (timers.empty()) return wait_ms;
    int64_t until = std::max<int64_t>(0, timers.begin()->first - now);
    return wait_ms < 0 || until < wait_ms ? static_cast<int>(std::min<int64_t>(until, 1 << 30))
                                          : wait_ms;
  }
  void Open();
  void Close();
  // Events of one wait. A handler may run the loop within itself: those that it was called out of
  // are `outer`.
  struct Batch {
    const epoll_event* events;
    int count;
    Batch* outer;
    int next = 0;  // the first that is not delivered
  };
  Batch* batch = nullptr;

  void Deliver(const epoll_event* events, int count);
  void DeliverOuter();
  void DeliverRest(Batch* of);
  void DeliverOne(const epoll_event& event);
  void FireTimers(EventLoop& loop);
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()), now_ms_(NowMs()) { impl_->Open(); }

EventLoop::~EventLoop() { impl_->Close(); }

void EventLoop::Impl::Open() {
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  BP_ASSERT(epoll_fd >= 0 && wake_fd >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = Pack(wake_fd, UINT32_MAX);
  BP_ASSERT(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) == 0);
}

void EventLoop::Impl::Close() {
  close(epoll_fd);
  close(wake_fd);
}

void EventLoop::DetachInForkedChild() {
  impl_->Close();
  impl_->Open();
}

Status EventLoop::Add(int fd, uint32_t events, FdHandler* handler) {
  Impl::Slot& slot = impl_->SlotOf(fd);
  epoll_event event{};
  event.events = events;
  event.data.u64 = Impl::Pack(fd, slot.generation);
  if (epoll_ctl(impl_->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
    return Fail(ErrorCode::kIo, std::string("epoll_ctl: ") + std::strerror(errno));
  }
  slot.handler = handler;
  return {};
}

Status EventLoop::Modify(int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = Impl::Pack(fd, impl_->SlotOf(fd).generation);
  if (epoll_ctl(impl_->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0) {
    return Fail(ErrorCode::kIo, std::string("epoll_ctl: ") + std::strerror(errno));
  }
  return {};
}

void EventLoop::Remove(int fd) {
  Impl::Slot& slot = impl_->SlotOf(fd);
  if (slot.handler == nullptr) return;
  slot.handler = nullptr;
  ++slot.generation;
  // Fails only when the fd is closed already, which has removed it.
  epoll_ctl(impl_->epoll_fd, EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::AddTimer(int64_t delay_ms, TimerHandler* handler) {
  TimerId id = impl_->next_timer++;
  impl_->timer_index[id] =
      impl_->timers.emplace(NowMs() + std::max<int64_t>(0, delay_ms), Impl::Timer{id, handler});
  return id;
}

bool EventLoop::RemoveTimer(TimerId id) {
  if (id == impl_->firing) {
    bool known = !impl_->firing_removed;
    impl_->firing_removed = true;
    return known;
  }
  auto it = impl_->timer_index.find(id);
  if (it == impl_->timer_index.end()) return false;
  impl_->timers.erase(it->second);
  impl_->timer_index.erase(it);
  return true;
}

int64_t EventLoop::TimerRemaining(TimerId id) const {
  auto it = impl_->timer_index.find(id);
  return it == impl_->timer_index.end() ? -1 : std::max<int64_t>(0, it->second->first - NowMs());
}

void EventLoop::AddHook(LoopHook* hook) { impl_->hooks.push_back(hook); }
void EventLoop::RemoveHook(LoopHook* hook) { std::erase(impl_->hooks, hook); }

void EventLoop::Impl::FireTimers(EventLoop& loop) {
  const int64_t now = loop.now_ms_;
  // Timers that a handler adds with delay 0 wait for the next turn, so that a self-renewing timer
  // cannot starve the sockets.
  TimerId first_new = next_timer;
  while (!timers.empty() && timers.begin()->first <= now && timers.begin()->second.id < first_new) {
    Timer timer = timers.begin()->second;
    timers.erase(timers.begin());
    timer_index.erase(timer.id);
    TimerId outer = firing;
    bool outer_removed = firing_removed;
    firing = timer.id;
    firing_removed = false;
    int64_t again = timer.handler->OnTimer();
    bool removed = firing_removed;
    firing = outer;
    firing_removed = outer_removed;
    if (again < 0 || removed) continue;
    timer_index[timer.id] = timers.emplace(std::max(NowMs() + again, now + 1), timer);
  }
}

void EventLoop::CountTurn(int64_t now_nanos) {
  if (turn_began_nanos_ == 0) return;
  const int64_t nanos = now_nanos - turn_began_nanos_;
  ++turn_stats_.turns;
  turn_stats_.busy_nanos += nanos;
  turn_stats_.longest_nanos = std::max(turn_stats_.longest_nanos, nanos);
}

bool EventLoop::stopping() const { return impl_->stop.load(std::memory_order_relaxed); }

void EventLoop::Impl::Deliver(const epoll_event* events, int count) {
  Batch own{events, count, batch};
  batch = &own;
  DeliverRest(&own);
  batch = own.outer;
}

// An edge is told once: what the turn around this one was told and has not delivered must not wait
// for the handler that runs this one.
void EventLoop::Impl::DeliverOuter() {
  for (Batch* of = batch; of != nullptr; of = of->outer) DeliverRest(of);
}

void EventLoop::Impl::DeliverRest(Batch* of) {
  while (of->next < of->count) DeliverOne(of->events[of->next++]);
}

void EventLoop::Impl::DeliverOne(const epoll_event& event) {
  auto fd = static_cast<int>(event.data.u64 & 0xffffffff);
  auto generation = static_cast<uint32_t>(event.data.u64 >> 32);
  if (fd == wake_fd) {
    uint64_t drained;
    if (read(fd, &drained, sizeof(drained)) < 0) return;  // another turn drained it
    return;
  }
  // What another process watches through the same epoll descriptor may be beyond what we know.
  if (static_cast<size_t>(fd) >= slots.size()) return;
  const Slot& slot = slots[static_cast<size_t>(fd)];
  if (slot.handler != nullptr && slot.generation == generation)
    slot.handler->OnEvents(event.events);
}

void EventLoop::DeliverAll(const epoll_event* events, int count) {
  impl_->Deliver(events, count);
  for (size_t i = 0; i < impl_->hooks.size(); ++i) impl_->hooks[i]->AfterEvents();
}

void EventLoop::PollOnce() {
  epoll_event events[kEventsPerTurn];
  const int count = epoll_wait(impl_->epoll_fd, events, kEventsPerTurn, 0);
  now_ms_ = NowMs();
  impl_->DeliverOuter();
  DeliverAll(events, count);
}

void EventLoop::RunOnce(int wait_ms) {
  for (size_t i = 0; i < impl_->hooks.size(); ++i) {
    int limit = impl_->hooks[i]->BeforeWait();
    if (limit >= 0 && (wait_ms < 0 || limit < wait_ms)) wait_ms = limit;
  }
  if (impl_->stop.load(std::memory_order_relaxed)) wait_ms = 0;
  epoll_event events[kEventsPerTurn];
  const int64_t before_nanos = MonotonicNanos();
  CountTurn(before_nanos);
  int count = epoll_wait(impl_->epoll_fd, events, kEventsPerTurn,
                         impl_->WaitTime(before_nanos / kNanosPerMs, wait_ms));
  turn_began_nanos_ = MonotonicNanos();
  now_ms_ = turn_began_nanos_ / kNanosPerMs;
  for (size_t i = impl_->hooks.size(); i-- > 0;) impl_->hooks[i]->AfterWait();
  impl_->DeliverOuter();
  DeliverAll(events, count);
  // Who has stopped the loop has ended what timers work on.
  if (!stopping()) impl_->FireTimers(*this);
}

void EventLoop::Run() {
  while (!impl_->stop.load(std::memory_order_relaxed)) RunOnce(-1);
  impl_->stop.store(false, std::memory_order_relaxed);
}

void EventLoop::Stop() {
  impl_->stop.store(true, std::memory_order_relaxed);
  Wake();
}

void EventLoop::Wake() {
  uint64_t one = 1;
  if (write(impl_->wake_fd, &one, sizeof(one)) < 0) {
    // The counter is full: the loop is awake anyway.
  }
}

}  // namespace backplane
