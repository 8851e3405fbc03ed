// SPDX-License-Identifier: BSD-3-Clause
#include "base/process_title.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace backplane {
namespace {

// The environment as a copy. It belongs to the process from now on: who calls getenv may keep what
// it gets for ever.
void MoveEnvironment() {
  size_t count = 0;
  while (environ[count] != nullptr) ++count;
  auto** const copy = static_cast<char**>(std::calloc(count + 1, sizeof(char*)));
  if (copy == nullptr) return;
  for (size_t i = 0; i < count; ++i) copy[i] = strdup(environ[i]);
  environ = copy;
}

}  // namespace

ProcessTitle::ProcessTitle(int argc, char** argv) {
  if (argc == 0) return;
  program_ = argv[0];
  // As far as the texts stand one behind the other, as the kernel puts them.
  char* end = argv[0];
  const auto extend = [&end](char* text) {
    const bool next = text == end;
    if (next) end += std::strlen(text) + 1;
    return next;
  };
  bool whole = true;
  for (int i = 0; i < argc && whole; ++i) whole = extend(argv[i]);
  for (size_t i = 0; environ[i] != nullptr && whole; ++i) whole = extend(environ[i]);
  area_ = argv[0];
  size_ = static_cast<size_t>(end - area_);
  MoveEnvironment();
  // The C library's messages name the program by pointers into the arguments.
  program_invocation_name = strdup(program_invocation_name);
  char* const slash = std::strrchr(program_invocation_name, '/');
  program_invocation_short_name = slash == nullptr ? program_invocation_name : slash + 1;
}

void ProcessTitle::Set(std::string_view title) {
  if (size_ == 0) return;
  const size_t length = std::min(title.size(), size_ - 1);
  std::memcpy(area_, title.data(), length);
  std::memset(area_ + length, 0, size_ - length);
}

std::optional<std::string> ExpandTitle(std::string_view text,
                                       std::span<const TitleVariable> variables) {
  std::string out;
  while (!text.empty()) {
    const size_t brace = text.find('{');
    out += text.substr(0, brace);
    if (brace == std::string_view::npos) break;
    text.remove_prefix(brace + 1);
    if (text.starts_with('{')) {
      out += '{';
      text.remove_prefix(1);
      continue;
    }
    const size_t close = text.find('}');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view name = text.substr(0, close);
    const auto variable = std::find_if(variables.begin(), variables.end(),
                                       [&](const TitleVariable& v) { return v.first == name; });
    if (variable == variables.end()) return std::nullopt;
    out += variable->second;
    text.remove_prefix(close + 1);
  }
  const size_t first = out.find_first_not_of(' ');
  if (first == std::string::npos) return std::nullopt;
  return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

}  // namespace backplane
