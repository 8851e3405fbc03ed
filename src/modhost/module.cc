// SPDX-License-Identifier: BSD-3-Clause
// Module: identity and the list of registrations.
#include "modhost/module.h"

#include "modhost/api_signatures.h"
#include "modhost/mapped_module.h"

namespace backplane {

Module::Module(ModuleHost* host, int slot, std::string path, std::vector<std::string> args)
    : host_(host), slot_(slot), path_(std::move(path)), args_(std::move(args)) {}

Module::~Module() {
  DestroyAll();
  // A module that goes with the whole host stays mapped: threads of it may still run.
  if (code_ != nullptr) code_->KeepForever();
}

void Module::set_code(std::unique_ptr<MappedModule> code) { code_ = std::move(code); }

CodePlace Module::PlaceOf(const void* address) const {
  CodePlace place = FindCode(address);
  place.object = path_;
  return place;
}

std::unique_ptr<MappedModule> Module::TakeCode() { return std::move(code_); }

bool Module::Contains(const void* address) const {
  return code_ != nullptr && code_->Contains(address);
}

void Module::Identify(std::string name, int version, int api_version) {
  if (identified()) return;
  name_ = std::move(name);
  version_ = version;
  api_version_ = api_version;
  if (api_version > REDISMODULE_APIVER_1 || api_version < 1) {
    Refuse("it wants API version " + std::to_string(api_version) + ", this server has version " +
           std::to_string(REDISMODULE_APIVER_1));
  }
}

void Module::Link(Registration* registration) {
  registration->previous_ = last_;
  registration->next_ = nullptr;
  if (last_ != nullptr) last_->next_ = registration;
  last_ = registration;
}

void Module::Unlink(Registration* registration) {
  if (registration == walk_) walk_ = registration->previous_;
  if (registration->previous_ != nullptr) registration->previous_->next_ = registration->next_;
  if (registration->next_ != nullptr) {
    registration->next_->previous_ = registration->previous_;
  } else {
    last_ = registration->previous_;
  }
}

void Module::Destroy(Registration* registration) {
  Unlink(registration);
  delete registration;
}

void Module::DestroyAll() {
  // Values before their types.
  kept_values_.ReleaseAll();
  // Newest first: a subcommand goes before its parent, a value's type after its users.
  while (last_ != nullptr) Destroy(last_);
}

}  // namespace backplane
