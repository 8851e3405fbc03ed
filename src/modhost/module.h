// SPDX-License-Identifier: BSD-3-Clause
// Module: one loaded binary: who it is, what it registered, what it uses. Owned by the ModuleHost.
// Engine thread, but the memory counters, which any thread may change.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "modhost/registration.h"
#include "modhost/slots.h"

namespace backplane {

class ModuleHost;

// What INFO and MODULE STATS show about the use of a module.
struct ModuleUsage {
  // Commands.
  uint64_t calls = 0;
  uint64_t ticks = 0;  // see base/clock.h
  // Everything else that the host calls: timers, events, type callbacks.
  uint64_t callbacks = 0;
  uint64_t callback_ticks = 0;
  // Threads of the module that held the host lock.
  uint64_t lock_holds = 0;
  uint64_t lock_ticks = 0;
};

class Module {
 public:
  Module(ModuleHost* host, int slot, std::string path, std::vector<std::string> args);
  // Destroys the registrations, newest first. The binary is unmapped by the loader.
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  ModuleHost& host() const { return *host_; }
  int slot() const { return slot_; }
  // What it holds through Alloc and its kin.
  SlotUsage memory() const { return SlotUsageOf(slot_); }
  const std::string& name() const { return name_; }
  int version() const { return version_; }
  int api_version() const { return api_version_; }
  const std::string& path() const { return path_; }
  const std::vector<std::string>& args() const { return args_; }
  void set_args(std::vector<std::string> args) { args_ = std::move(args); }
  void* handle() const { return handle_; }
  void set_handle(void* handle) { handle_ = handle; }

  // SetModuleAttribs: at most once; what does not suit the host is kept as the reason to refuse.
  void Identify(std::string name, int version, int api_version);
  bool identified() const { return !name_.empty(); }
  // Why the load must fail whatever OnLoad returns; empty when it need not.
  const std::string& refusal() const { return refusal_; }
  void Refuse(std::string reason) { refusal_ = std::move(reason); }

  // True while OnLoad runs: the time in which commands, types and options may be registered.
  bool loading() const { return loading_; }
  void set_loading(bool value) { loading_ = value; }

  // REDISMODULE_OPTIONS_* bits.
  int options() const { return options_; }
  void set_options(int options) { options_ = options; }
  bool HasOption(int bit) const { return (options_ & bit) != 0; }

  // Functions that it asked for and that the host lacks, by full name, as they were asked for.
  std::vector<std::string>& missing_functions() { return missing_functions_; }

  // Takes ownership; returns the object.
  template <class T>
  T* Own(std::unique_ptr<T> registration) {
    T* raw = registration.get();
    Link(registration.release());
    return raw;
  }
  // Takes it out of the list and destroys it.
  void Destroy(Registration* registration);
  void DestroyAll();
  template <class F>
  void ForEachRegistration(F&& f) const {
    for (Registration* r = last_; r != nullptr; r = r->previous_) f(*r);
  }

  // Modules that use an API that this one exports, and the other way round.
  std::vector<Module*>& used_by() { return used_by_; }
  std::vector<Module*>& uses() { return uses_; }

  ModuleUsage& usage() { return usage_; }
  // Subscribed to its own nested notifications right now.
  int blocked_clients = 0;
  int filters = 0;
  // Options registered, and LoadConfigs was called.
  bool configs_loaded = false;
  bool defaults_loaded = false;  // LoadDefaultConfigs was called
  int config_count = 0;

 private:
  void Link(Registration* registration);
  void Unlink(Registration* registration);

  ModuleHost* host_;
  int slot_;
  std::string path_;
  std::vector<std::string> args_;
  std::string name_;
  int version_ = 0;
  int api_version_ = 0;
  std::string refusal_;
  void* handle_ = nullptr;
  bool loading_ = false;
  int options_ = 0;
  std::vector<std::string> missing_functions_;
  Registration* last_ = nullptr;
  std::vector<Module*> used_by_;
  std::vector<Module*> uses_;
  ModuleUsage usage_;
};

}  // namespace backplane
