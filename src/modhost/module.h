// SPDX-License-Identifier: BSD-3-Clause
// Module: one loaded binary: who it is, what it registered, what it uses. Owned by the ModuleHost.
// Engine thread, but the memory counters, which any thread may change.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/symbols.h"
#include "modhost/kept_values.h"
#include "modhost/registration.h"
#include "modhost/slots.h"

namespace backplane {

class MappedModule;
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

  ModuleUsage& operator+=(const ModuleUsage& other) {
    calls += other.calls;
    ticks += other.ticks;
    callbacks += other.callbacks;
    callback_ticks += other.callback_ticks;
    lock_holds += other.lock_holds;
    lock_ticks += other.lock_ticks;
    return *this;
  }
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
  // The digest that its file must have, hexadecimal; empty: any.
  const std::string& pinned_digest() const { return pinned_digest_; }
  void set_pinned_digest(std::string digest) { pinned_digest_ = std::move(digest); }
  void set_args(std::vector<std::string> args) { args_ = std::move(args); }
  // The mapped binary; null before it is mapped.
  MappedModule* code() const { return code_.get(); }
  void set_code(std::unique_ptr<MappedModule> code);
  // Whether the address lies in its binary.
  bool Contains(const void* address) const;
  // FindCode of an address in it, with the module's path as the object: a private copy of its file
  // has a name that says nothing.
  CodePlace PlaceOf(const void* address) const;

  // SetModuleAttribs: at most once; what does not suit the host is kept as the reason to refuse.
  void Identify(std::string name, int version, int api_version);
  bool identified() const { return !name_.empty(); }
  // Why the load must fail whatever OnLoad returns; empty when it need not.
  const std::string& refusal() const { return refusal_; }
  void Refuse(std::string reason) { refusal_ = std::move(reason); }
  // It asked, while loading, whether a name is free, and it is not: the reason when it then refuses
  // to load without another.
  const std::string& busy_name() const { return busy_name_; }
  void set_busy_name(std::string name) { busy_name_ = std::move(name); }

  // True while OnLoad runs: the time in which commands, types and options may be registered.
  bool loading() const { return loading_; }
  void set_loading(bool value) { loading_ = value; }
  // True while an upgrade makes its values dormant in advance: none is revived but by access.
  bool freezing() const { return freezing_; }
  void set_freezing(bool value) { freezing_ = value; }

  // True while an upgrade has serialised its values in advance: their copies count.
  bool precopied() const { return precopied_; }
  void set_precopied(bool value) { precopied_ = value; }
  // True while its threads are to finish what they have begun: clients' commands are held back.
  bool draining() const { return draining_; }
  void set_draining(bool value) { draining_ = value; }
  // True from the moment on at which its values are dormant because it goes: none is revived, and
  // it can make no new one.
  bool retiring() const { return retiring_; }
  void set_retiring(bool value) { retiring_ = value; }

  // Values of its types that are in the keyspace no more and that its threads may still read.
  KeptValues& kept_values() { return kept_values_; }
  const KeptValues& kept_values() const { return kept_values_; }

  // REDISMODULE_OPTIONS_* bits.
  int options() const { return options_; }
  void set_options(int options) { options_ = options; }
  bool HasOption(int bit) const { return (options_ & bit) != 0; }

  // Functions that it asked for and that the host lacks, by full name, as they were asked for.
  std::vector<std::string>& missing_functions() { return missing_functions_; }
  const std::vector<std::string>& missing_functions() const { return missing_functions_; }
  // How many it asked for and got.
  uint64_t found_functions = 0;

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
  // Destroys those for which `goes` says so, newest first. `goes` may run the module's code, which
  // may destroy others; it does not nest.
  template <class F>
  void DestroyIf(F&& goes) {
    for (walk_ = last_; walk_ != nullptr;) {
      Registration* r = walk_;
      walk_ = r->previous_;
      if (goes(*r)) Destroy(r);
    }
  }
  template <class F>
  void ForEachRegistration(F&& f) const {
    for (Registration* r = last_; r != nullptr; r = r->previous_) f(*r);
  }

  // Gives the mapped binary away: nothing of it may run any more.
  std::unique_ptr<MappedModule> TakeCode();
  // Whether it ever exported an API to another module or used one: then memory may have changed
  // hands.
  bool shared_once() const { return shared_once_; }
  void set_shared_once() { shared_once_ = true; }
  // Modules that use an API that this one exports, and the other way round.
  std::vector<Module*>& used_by() { return used_by_; }
  const std::vector<Module*>& used_by() const { return used_by_; }
  std::vector<Module*>& uses() { return uses_; }

  ModuleUsage& usage() { return usage_; }
  const ModuleUsage& usage() const { return usage_; }
  // The version before it has done this much; figures go on from there.
  void Inherit(const ModuleUsage& usage) { usage_ += usage; }
  // Subscribed to its own nested notifications right now.
  int blocked_clients = 0;
  uint64_t handles_made = 0;  // of blocked clients
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
  Registration* walk_ = nullptr;  // where DestroyIf goes on
  std::string pinned_digest_;
  std::string name_;
  int version_ = 0;
  int api_version_ = 0;
  std::string refusal_;
  std::string busy_name_;
  std::unique_ptr<MappedModule> code_;
  bool loading_ = false;
  bool freezing_ = false;
  bool precopied_ = false;
  bool draining_ = false;
  bool retiring_ = false;
  bool shared_once_ = false;
  int options_ = 0;
  std::vector<std::string> missing_functions_;
  Registration* last_ = nullptr;
  KeptValues kept_values_;
  std::vector<Module*> used_by_;
  std::vector<Module*> uses_;
  ModuleUsage usage_;
};

}  // namespace backplane
