// SPDX-License-Identifier: BSD-3-Clause
// ModuleCode: the mark that code of a module runs on this thread now, from construction to
// destruction. Every call from the host into a module stands in one. The crash report reads the
// marks, threads that a module starts are known by them, and MODULE STATS has its times from them.
// Nests. Any thread; the usage figures are changed under the host lock only.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "modhost/module.h"

namespace backplane {

class ModuleCode {
 public:
  // `what` is a literal for people: "OnLoad", "timer", "rdb_load". Counts and times nothing: for
  // callbacks that run by the million and are counted by whoever runs the loop.
  ModuleCode(Module& module, const char* what) : module_(&module), what_(what), outer_(innermost_) {
    innermost_ = this;
  }
  ~ModuleCode() { innermost_ = outer_; }
  ModuleCode(const ModuleCode&) = delete;
  ModuleCode& operator=(const ModuleCode&) = delete;

  Module& module() const { return *module_; }
  const char* what() const { return what_; }
  const ModuleCode* outer() const { return outer_; }

  // Of this thread; null outside of modules.
  static const ModuleCode* Innermost() { return innermost_; }
  // Whether code of the module is on this thread's stack.
  static bool Runs(const Module& module) {
    for (const ModuleCode* mark = innermost_; mark != nullptr; mark = mark->outer_) {
      if (mark->module_ == &module) return true;
    }
    return false;
  }

 private:
  static constinit thread_local const ModuleCode* innermost_;

  Module* module_;
  const char* what_;
  const ModuleCode* outer_;
};

// The mark of a callback that is counted and timed: what MODULE STATS shows under callbacks. Time
// within other code of the same module counts there.
class ModuleCallback : public ModuleCode {
 public:
  ModuleCallback(Module& module, const char* what) : ModuleCode(module, what), begin_(Ticks()) {}
  ~ModuleCallback() {
    ModuleUsage& usage = module().usage();
    ++usage.callbacks;
    if (outer() == nullptr || &outer()->module() != &module()) {
      usage.callback_ticks += Ticks() - begin_;
    }
  }

 private:
  uint64_t begin_;
};

}  // namespace backplane
