// SPDX-License-Identifier: BSD-3-Clause
// ModuleThreads: the list of threads, and pthread_create.
//
// A thread leaves the list when the kernel does not know it any more. The end of its start routine
// is too early: destructors of thread-local objects, which are the module's code, run after that.
#include "modhost/module_threads.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <list>
#include <memory>
#include <mutex>

#include "modhost/slots.h"

// From the linker: the code of the program itself.
extern "C" char __executable_start;
extern "C" char etext;

namespace backplane {
namespace {

struct ThreadRecord {
  int slot;
  pid_t tid = 0;       // 0: not running yet
  bool ended = false;  // its start routine is over
};

// Created with the first module and never destroyed: threads may end after main().
struct Registry {
  std::mutex mutex;
  std::array<std::vector<CodeRange>, kModuleSlots> code;
  std::list<ThreadRecord> threads;
};
constinit std::atomic<Registry*> registry = nullptr;
// The slot of the module that this thread belongs to; -1: none.
constinit thread_local int own_slot = -1;

bool IsGone(const ThreadRecord& record) {
  return record.ended && syscall(SYS_tgkill, getpid(), record.tid, 0) != 0 && errno == ESRCH;
}

// Around fork(): in the child the other threads do not exist.
void BeforeFork() { registry.load()->mutex.lock(); }
void AfterForkInParent() { registry.load()->mutex.unlock(); }
void AfterForkInChild() {
  Registry& all = *registry.load();
  all.threads.clear();
  all.mutex.unlock();
}

Registry& MakeRegistry() {
  Registry* existing = registry.load(std::memory_order_acquire);
  if (existing != nullptr) return *existing;
  registry.store(new Registry, std::memory_order_release);
  pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild);
  return *registry.load();
}

// REQUIRES: the mutex is held.
int SlotOfAddress(const Registry& all, const void* address) {
  for (int slot = 0; slot < kModuleSlots; ++slot) {
    for (const CodeRange& range : all.code[static_cast<size_t>(slot)]) {
      if (address >= range.begin && address < range.end) return slot;
    }
  }
  return -1;
}

// The first caller that is a module's or the program's decides: libraries in between (that of
// std::thread) make threads for whoever calls them.
int SlotOfCallers(Registry& all) {
  constexpr int kFramesMax = 16;
  void* frames[kFramesMax];
  const int count = backtrace(frames, kFramesMax);
  std::lock_guard lock(all.mutex);
  // Frames of this file come first.
  bool own_frames = true;
  for (int i = 0; i < count; ++i) {
    if (frames[i] >= &__executable_start && frames[i] < &etext) {
      if (own_frames) continue;
      return -1;
    }
    own_frames = false;
    if (const int slot = SlotOfAddress(all, frames[i]); slot >= 0) return slot;
  }
  return -1;
}

struct Start {
  void* (*routine)(void*);
  void* argument;
  ThreadRecord* record;
};

// Marks the end, also when the thread ends by pthread_exit or is cancelled.
class RunningThread {
 public:
  explicit RunningThread(ThreadRecord* record) : record_(record) {
    std::lock_guard lock(registry.load()->mutex);
    record_->tid = static_cast<pid_t>(syscall(SYS_gettid));
    own_slot = record_->slot;
  }
  ~RunningThread() {
    std::lock_guard lock(registry.load()->mutex);
    record_->ended = true;
  }
  RunningThread(const RunningThread&) = delete;
  RunningThread& operator=(const RunningThread&) = delete;

 private:
  ThreadRecord* record_;
};

void* RunThread(void* pointer) {
  const std::unique_ptr<Start> owned(static_cast<Start*>(pointer));
  const Start start = *owned;
  RunningThread running(start.record);
  return start.routine(start.argument);
}

using CreateFunction = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

CreateFunction NextCreate() {
  static constinit std::atomic<CreateFunction> next = nullptr;
  CreateFunction function = next.load(std::memory_order_relaxed);
  if (function == nullptr) {
    function = reinterpret_cast<CreateFunction>(dlsym(RTLD_NEXT, "pthread_create"));
    next.store(function, std::memory_order_relaxed);
  }
  return function;
}

int CreateForSlot(Registry& all, int slot, pthread_t* thread, const pthread_attr_t* attributes,
                  void* (*routine)(void*), void* argument) {
  ThreadRecord* record;
  {
    std::lock_guard lock(all.mutex);
    all.threads.remove_if(IsGone);
    record = &all.threads.emplace_back(ThreadRecord{slot});
  }
  auto start = std::make_unique<Start>(Start{routine, argument, record});
  const int result = NextCreate()(thread, attributes, RunThread, start.get());
  if (result == 0) {
    static_cast<void>(start.release());
    return 0;
  }
  std::lock_guard lock(all.mutex);
  all.threads.remove_if([&](const ThreadRecord& each) { return &each == record; });
  return result;
}

}  // namespace

void ModuleThreads::SetSlotCode(int slot, std::vector<CodeRange> ranges) {
  Registry& all = MakeRegistry();
  std::lock_guard lock(all.mutex);
  all.code[static_cast<size_t>(slot)] = std::move(ranges);
}

int ModuleThreads::Count(int slot) {
  Registry* all = registry.load(std::memory_order_acquire);
  if (all == nullptr) return 0;
  std::lock_guard lock(all->mutex);
  all->threads.remove_if(IsGone);
  int count = 0;
  for (const ThreadRecord& record : all->threads) count += record.slot == slot ? 1 : 0;
  return count;
}

bool ModuleThreads::WaitForNone(int slot, int timeout_ms) {
  constexpr int kLookMs = 1;
  for (int waited = 0; Count(slot) > 0; waited += kLookMs) {
    if (waited >= timeout_ms) return false;
    usleep(kLookMs * 1000);
  }
  return true;
}

}  // namespace backplane

#if defined(__clang__)
#define BACKPLANE_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define BACKPLANE_SANITIZED 0
#endif
#if !BACKPLANE_SANITIZED
// Clang's sanitizers are part of the program and have the place in front of the C library
// themselves; there all threads count as the server's.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*routine)(void*), void* argument) {
  using namespace backplane;  // NOLINT: the function itself cannot stand in a namespace
  Registry* all = registry.load(std::memory_order_acquire);
  if (all == nullptr) return NextCreate()(thread, attributes, routine, argument);
  int slot;
  {
    std::lock_guard lock(all->mutex);
    slot = SlotOfAddress(*all, reinterpret_cast<const void*>(routine));
  }
  if (slot < 0) slot = own_slot >= 0 ? own_slot : SlotOfCallers(*all);
  if (slot < 0) return NextCreate()(thread, attributes, routine, argument);
  return CreateForSlot(*all, slot, thread, attributes, routine, argument);
}
#endif
