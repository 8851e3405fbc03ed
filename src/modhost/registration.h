// SPDX-License-Identifier: BSD-3-Clause
// Registration: anything that a module put into the server and that must not outlive it: a command,
// a type, a timer, a subscription. Each is an object in its module's list; unload and a failed
// OnLoad are the destruction of that list. Engine thread, under the host lock.
#pragma once

namespace backplane {

class Module;

class Registration {
 public:
  explicit Registration(Module* module) : module_(module) {}
  // Takes the thing out of the server. Must not call the module.
  virtual ~Registration() = default;
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  Module* module() const { return module_; }
  // What it is, for people: "timer". A literal.
  virtual const char* kind() const = 0;

 private:
  friend class Module;
  Module* module_;
  // Neighbours in the module's list; null at its ends.
  Registration* previous_ = nullptr;
  Registration* next_ = nullptr;
};

}  // namespace backplane
