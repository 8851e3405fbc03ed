// SPDX-License-Identifier: BSD-3-Clause
#include "script/function_libraries.h"

#include <set>
#include <utility>

#include "base/ascii.h"
#include "base/quoting.h"
#include "persist/library_payload.h"

namespace backplane {
namespace {

std::unexpected<Error> Bad(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

// The first line: "#!lua name=mylib".
struct Header {
  std::string name;
  size_t size = 0;  // of the line, without its end
};

Result<Header> ReadHeader(std::string_view code) {
  if (!code.starts_with("#!")) return Bad("ERR Missing library metadata");
  const size_t end = code.find('\n');
  if (end == std::string_view::npos) return Bad("ERR Invalid library metadata");
  const auto words = SplitArgs(code.substr(0, end));
  if (!words || words->empty()) return Bad("ERR Invalid library metadata");
  constexpr std::string_view kName = "name=";
  Header header{{}, end};
  bool named = false;
  for (size_t i = 1; i < words->size(); ++i) {
    const std::string& word = (*words)[i];
    if (!EqualsIgnoreCase(std::string_view(word).substr(0, kName.size()), kName)) {
      return Bad("ERR Invalid metadata value given: " + word);
    }
    if (named) {
      return Bad("ERR Invalid metadata value, name argument was given multiple times");
    }
    named = true;
    header.name = word.substr(kName.size());
  }
  if (!named) return Bad("ERR Library name was not given");
  if (!IsFunctionName(header.name)) return Bad(kBadFunctionName);
  const std::string_view engine = std::string_view(words->front()).substr(2);
  if (!EqualsIgnoreCase(engine, "lua")) {
    return Bad("ERR Engine '" + std::string(engine) + "' not found");
  }
  return header;
}

}  // namespace

FunctionLibraries::FunctionLibraries(ScriptRunner* runner)
    : runner_(*runner), vm_(std::make_unique<LuaVm>(LuaVm::Kind::kFunctions, runner)) {}

Result<std::unique_ptr<FunctionLibraries::Library>> FunctionLibraries::Run(std::string_view code) {
  BP_ASSIGN_OR_RETURN(const Header header, ReadHeader(code));
  auto library = std::make_unique<Library>();
  library->name = header.name;
  library->code = code;
  // The line end stays: lines are counted with the first one.
  if (auto status = vm_->Compile(code.substr(header.size), "@user_function"); !status) {
    return Bad("ERR Error compiling function: " + status.error().message);
  }
  vm_->SetLoading(true);
  const bool ok = runner_.RunLoad(*vm_, &library->functions);
  vm_->SetLoading(false);
  if (!ok) {
    std::string text = "ERR Error registering functions: " + ScriptRunner::TakeErrorText(*vm_);
    DropFunctions(*library);
    return Bad(std::move(text));
  }
  if (library->functions.empty()) return Bad("ERR No functions registered");
  return library;
}

void FunctionLibraries::DropFunctions(const Library& library) {
  for (const FunctionDeclaration& function : library.functions) vm_->Drop(function.ref);
}

std::string FunctionLibraries::Conflict(const Library& library, bool replace) const {
  const auto same = libraries_.find(library.name);
  if (same != libraries_.end() && !replace) return "Library " + library.name + " already exists";
  const Library* replaced = same == libraries_.end() ? nullptr : same->second.get();
  for (const FunctionDeclaration& function : library.functions) {
    const auto found = functions_.find(ToLower(function.name));
    if (found != functions_.end() && found->second.library != replaced) {
      return "Function " + function.name + " already exists";
    }
  }
  return {};
}

void FunctionLibraries::Add(std::unique_ptr<Library> library) {
  if (const auto same = libraries_.find(library->name); same != libraries_.end()) Remove(same);
  for (const FunctionDeclaration& function : library->functions) {
    functions_[ToLower(function.name)] = {library.get(), &function};
  }
  std::string name = library->name;
  libraries_.emplace(std::move(name), std::move(library));
}

void FunctionLibraries::Remove(Libraries::iterator at) {
  for (const FunctionDeclaration& function : at->second->functions) {
    functions_.erase(ToLower(function.name));
  }
  DropFunctions(*at->second);
  libraries_.erase(at);
}

Result<std::string> FunctionLibraries::Load(std::string_view code, bool replace) {
  BP_ASSIGN_OR_RETURN(const Header header, ReadHeader(code));
  if (!replace && libraries_.contains(header.name)) {
    return Bad("ERR Library '" + header.name + "' already exists");
  }
  BP_ASSIGN_OR_RETURN(auto library, Run(code));
  if (std::string conflict = Conflict(*library, replace); !conflict.empty()) {
    DropFunctions(*library);
    return Bad("ERR " + conflict);
  }
  Add(std::move(library));
  return header.name;
}

bool FunctionLibraries::Delete(std::string_view name) {
  const auto found = libraries_.find(name);
  if (found == libraries_.end()) return false;
  Remove(found);
  return true;
}

void FunctionLibraries::Flush() {
  functions_.clear();
  libraries_.clear();
  vm_ = std::make_unique<LuaVm>(LuaVm::Kind::kFunctions, &runner_);
}

const FunctionDeclaration* FunctionLibraries::Find(std::string_view function) const {
  const auto found = functions_.find(ToLower(function));
  return found == functions_.end() ? nullptr : found->second.function;
}

void FunctionLibraries::Call(CommandContext& ctx, const FunctionDeclaration& function,
                             const std::string_view* args, size_t keys, size_t total) {
  vm_->Push(function.ref);
  PushStrings(vm_->state(), args, keys);
  PushStrings(vm_->state(), args + keys, total - keys);
  const bool read_only = (function.flags & kScriptNoWrites) != 0 || ctx.command().Is(kCmdReadonly);
  constexpr int kTables = 2;
  runner_.Run(ctx, *vm_, {ScriptRunner::Kind::kFunction, function.name, function.flags, read_only},
              kTables);
}

size_t FunctionLibraries::memory() const {
  size_t bytes = 0;
  for (const auto& [name, library] : libraries_) {
    bytes += sizeof(Library) + name.size() + library->code.size();
    for (const FunctionDeclaration& function : library->functions) {
      bytes +=
          sizeof(Place) + sizeof(function) + function.name.size() + function.description.size();
    }
  }
  return bytes;
}

// --- dumps ---

std::string FunctionLibraries::Dump(int rdb_version, bool compress) const {
  return CreateLibraryPayload(LibraryCodes(), rdb_version, compress);
}

Status FunctionLibraries::Restore(std::string_view payload, RestoreMode mode) {
  auto codes = ParseLibraryPayload(payload);
  if (!codes) return Bad("ERR " + codes.error().message);
  std::vector<std::unique_ptr<Library>> loaded;
  auto give_up = [&](std::string text) {
    for (const auto& library : loaded) DropFunctions(*library);
    return Bad(std::move(text));
  };
  // Within the payload nothing may occur twice.
  std::set<std::string> names;
  std::set<std::string> functions;
  for (const std::string& code : *codes) {
    auto library = Run(code);
    if (!library) return give_up(library.error().message);
    loaded.push_back(std::move(*library));
    const Library& added = *loaded.back();
    if (!names.insert(added.name).second) {
      return give_up("ERR Library " + added.name + " already exists");
    }
    for (const FunctionDeclaration& function : added.functions) {
      if (!functions.insert(ToLower(function.name)).second) {
        return give_up("ERR Function " + function.name + " already exists");
      }
    }
    if (mode == RestoreMode::kFlush) continue;
    if (std::string conflict = Conflict(added, mode == RestoreMode::kReplace); !conflict.empty()) {
      return give_up("ERR " + conflict);
    }
  }
  if (mode == RestoreMode::kFlush) {
    while (!libraries_.empty()) Remove(libraries_.begin());
  }
  for (auto& library : loaded) Add(std::move(library));
  return {};
}

std::vector<std::string_view> FunctionLibraries::LibraryCodes() const {
  std::vector<std::string_view> codes;
  for (const auto& [name, library] : libraries_) codes.push_back(library->code);
  return codes;
}

Status FunctionLibraries::LoadLibrary(std::string_view code, bool replace) {
  auto loaded = Load(code, replace);
  if (!loaded) return std::unexpected(std::move(loaded).error());
  return {};
}

}  // namespace backplane
