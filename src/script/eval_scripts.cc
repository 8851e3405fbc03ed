// SPDX-License-Identifier: BSD-3-Clause
#include "script/eval_scripts.h"

#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/quoting.h"
#include "base/sha1.h"

namespace backplane {
namespace {

constexpr size_t kSha1Size = 40;

std::unexpected<Error> Bad(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

Status ReadFlags(std::string_view names, uint32_t* flags) {
  while (!names.empty()) {
    const size_t end = names.find(',');
    const std::string_view name = names.substr(0, end);
    const uint32_t flag = ScriptFlagByName(name);
    if (flag == 0) return Bad("ERR Unexpected flag in script shebang: " + std::string(name));
    *flags |= flag;
    if (end == std::string_view::npos) break;
    names.remove_prefix(end + 1);
    if (names.empty()) return Bad("ERR Unexpected flag in script shebang: ");
  }
  return {};
}

// "#!lua flags=a,b": the first line of a script that has one.
Status ReadShebang(std::string_view line, uint32_t* flags) {
  const auto words = SplitArgs(line);
  if (!words || words->empty()) return Bad("ERR Invalid engine in script shebang");
  if (words->front() != "#!lua") {
    return Bad("ERR Unexpected engine in script shebang: " + words->front());
  }
  constexpr std::string_view kFlags = "flags=";
  for (size_t i = 1; i < words->size(); ++i) {
    const std::string& word = (*words)[i];
    if (!word.starts_with(kFlags)) return Bad("ERR Unknown lua shebang option: " + word);
    BP_RETURN_IF_ERROR(ReadFlags(std::string_view(word).substr(kFlags.size()), flags));
  }
  return {};
}

}  // namespace

EvalScripts::EvalScripts(ScriptRunner* runner)
    : runner_(*runner), vm_(std::make_unique<LuaVm>(LuaVm::Kind::kEval, runner)) {}

Result<const EvalScripts::Script*> EvalScripts::Load(std::string_view body) {
  if (const auto found = by_body_.find(body); found != by_body_.end()) [[likely]]
    return found->second;
  return Add(body);
}

Result<const EvalScripts::Script*> EvalScripts::Add(std::string_view body) {
  auto script = std::make_unique<Script>();
  std::string_view code = body;
  if (body.starts_with("#!")) {
    const size_t end = body.find('\n');
    if (end == std::string_view::npos) return Bad("ERR Invalid script shebang");
    script->has_shebang = true;
    BP_RETURN_IF_ERROR(ReadShebang(body.substr(0, end), &script->flags));
    code.remove_prefix(end);  // the line end stays: lines are counted with the first one
  }
  if (auto status = vm_->Compile(code, "@user_script"); !status) {
    return Bad("ERR Error compiling script (new function): " + status.error().message);
  }
  script->ref = vm_->Keep();
  script->body = body;
  script->sha1 = Sha1Hex(body);
  const Script* added = script.get();
  memory_ += sizeof(Script) + body.size() + kSha1Size;
  by_body_.emplace(added->body, added);
  by_sha1_.emplace(added->sha1, std::move(script));
  return added;
}

const EvalScripts::Script* EvalScripts::Find(std::string_view sha1) const {
  if (sha1.size() != kSha1Size) return nullptr;
  const auto found = by_sha1_.find(ToLower(sha1));
  return found == by_sha1_.end() ? nullptr : found->second.get();
}

void EvalScripts::Flush() {
  by_body_.clear();
  by_sha1_.clear();
  memory_ = 0;
  vm_ = std::make_unique<LuaVm>(LuaVm::Kind::kEval, &runner_);
}

void EvalScripts::Run(CommandContext& ctx, const Script& script, const std::string_view* args,
                      size_t keys, size_t total) {
  vm_->SetKeysAndArgs(args, keys, total);
  vm_->Push(script.ref);
  const bool read_only = (script.flags & kScriptNoWrites) != 0 || ctx.command().Is(kCmdReadonly);
  runner_.Run(ctx, *vm_, {ScriptRunner::Kind::kScript, script.sha1, script.flags, read_only}, 0);
}

}  // namespace backplane
