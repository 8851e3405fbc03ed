// SPDX-License-Identifier: BSD-3-Clause
// Reading configuration: file, `include`, command line, standard input.
#include <glob.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "base/ascii.h"
#include "base/quoting.h"
#include "config/builtin_options.h"
#include "config/options.h"

namespace backplane {
namespace {

// Applies lines one after the other. `save` accumulates, everything else is replaced.
class LineReader {
 public:
  LineReader(OptionTable& options, StartupDirectives* directives)
      : options_(options), directives_(directives) {}

  Status Apply(const std::string& line) {
    // Prose, which may have an apostrophe.
    const size_t first = line.find_first_not_of(" \t\r\n");
    if (first == std::string::npos || line[first] == '#') return {};
    auto words = SplitArgs(line);
    if (!words) return Fail(ErrorCode::kInvalidArgument, "Unbalanced quotes in configuration line");
    return ApplyWords(*words);
  }

  Status ApplyWords(const std::vector<std::string>& words) {
    std::string name = ToLower(words[0]);
    std::vector<std::string> args(words.begin() + 1, words.end());
    if (name == "include" && args.size() == 1) return Include(args[0]);
    if (name == "loadmodule" && !args.empty()) {
      directives_->modules.push_back({args[0], {args.begin() + 1, args.end()}});
      return {};
    }
    if (name == "rename-command" && args.size() == 2) {
      directives_->renames.emplace_back(args[0], args[1]);
      return {};
    }
    if (name == "user" && !args.empty()) return AddUser(args);
    if (Option* option = options_.Find(name)) return ApplyOption(*option, args);
    if (name.find('.') != std::string::npos) {
      directives_->unknown.emplace_back(name, args);
      return {};
    }
    if (IsKnownButMissing(name)) {
      directives_->ignored.push_back(name);
      return {};
    }
    return Fail(ErrorCode::kInvalidArgument, "Bad directive or wrong number of arguments");
  }

 private:
  Status ApplyOption(Option& option, const std::vector<std::string>& args) {
    if (option.name() == "save") return ApplySave(option, args);
    if (args.empty() && (option.flags() & kOptionAnyCount) == 0) {
      return Fail(ErrorCode::kInvalidArgument, "wrong number of arguments");
    }
    return option.Set(args);
  }

  Status AddUser(const std::vector<std::string>& args) {
    for (const auto& user : directives_->users) {
      if (user[0] != args[0]) continue;
      return Fail(ErrorCode::kInvalidArgument,
                  "Duplicate user found. A user can only be defined once in config files");
    }
    directives_->users.push_back(args);
    return {};
  }

  // Lines add up, over the file and the command line; one without values starts again.
  Status ApplySave(Option& option, const std::vector<std::string>& args) {
    std::vector<std::string>& words = directives_->save_words;
    if (args.empty() || (args.size() == 1 && args[0].empty())) {
      words.clear();
      return option.Set({""});
    }
    words.insert(words.end(), args.begin(), args.end());
    return option.Set(words);
  }

  Status Include(const std::string& pattern) {
    constexpr int kDepthMax = 32;
    if (depth_ >= kDepthMax)
      return Fail(ErrorCode::kInvalidArgument, "include files nest too deep");
    glob_t found{};
    bool ok = glob(pattern.c_str(), 0, nullptr, &found) == 0;
    Status status;
    ++depth_;
    for (size_t i = 0; ok && status.has_value() && i < found.gl_pathc; ++i) {
      status = ApplyConfigFile(options_, found.gl_pathv[i], directives_);
    }
    --depth_;
    globfree(&found);
    bool is_pattern = pattern.find_first_of("*?[") != std::string::npos;
    if (!ok && !is_pattern)
      return Fail(ErrorCode::kIo, "Can't open include file '" + pattern + "'");
    return status;
  }

  OptionTable& options_;
  StartupDirectives* directives_;
  int depth_ = 0;
};

Status ApplyText(OptionTable& options, std::istream& in, StartupDirectives* directives) {
  LineReader reader(options, directives);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (auto status = reader.Apply(line); !status) {
      return Fail(status.error().code, "Reading the configuration file, at line " +
                                           std::to_string(number) + "\n>>> '" + line + "'\n" +
                                           status.error().message);
    }
  }
  return {};
}

}  // namespace

Status ApplyConfigFile(OptionTable& options, const std::string& path,
                       StartupDirectives* directives) {
  std::ifstream in(path);
  if (!in) return Fail(ErrorCode::kIo, "Fatal error, can't open config file '" + path + "'");
  return ApplyText(options, in, directives);
}

Result<StartupDirectives> ApplyCommandLine(OptionTable& options,
                                           const std::vector<std::string>& args) {
  StartupDirectives directives;
  size_t i = 0;
  if (!args.empty() && !args[0].starts_with("--")) {
    i = 1;
    if (args[0] == "-") {
      directives.config_file.clear();
    } else {
      char absolute[PATH_MAX];
      if (realpath(args[0].c_str(), absolute) == nullptr) {
        return Fail(ErrorCode::kIo, "Fatal error, can't open config file '" + args[0] + "'");
      }
      directives.config_file = absolute;
      BP_RETURN_IF_ERROR(ApplyConfigFile(options, directives.config_file, &directives));
    }
  }
  bool from_stdin = !args.empty() && args[0] == "-";
  if (from_stdin) {
    std::ifstream in("/dev/stdin");
    BP_RETURN_IF_ERROR(ApplyText(options, in, &directives));
  }
  LineReader reader(options, &directives);
  while (i < args.size()) {
    // Behind the file's name the dashes may be missing.
    const std::string first = args[i].substr(args[i].starts_with("--") ? 2 : 0);
    const auto parts = SplitArgs(first);  // "--port 7000" may be one argument
    std::vector<std::string> words = {first};
    if (parts.has_value() && parts->size() > 1) words = *parts;
    ++i;
    // A value may begin with dashes too: what follows a name is its value. `--save` alone is known
    // to mean no save points.
    const bool bare = words.size() == 1 && words[0] != "save";
    if (bare && i < args.size() && args[i].starts_with("--")) words.push_back(args[i++]);
    // One argument that holds several words ("--save '60 1000'") is read like a line of the file.
    while (i < args.size() && !args[i].starts_with("--")) {
      auto split = SplitArgs(args[i]);
      bool several = split.has_value() && split->size() > 1 && words.size() == 1;
      if (several) {
        words.insert(words.end(), split->begin(), split->end());
      } else {
        words.push_back(args[i]);
      }
      ++i;
    }
    if (auto status = reader.ApplyWords(words); !status) {
      std::string line = words[0];
      for (size_t w = 1; w < words.size(); ++w) line += " \"" + words[w] + "\"";
      return Fail(status.error().code,
                  "Reading the command line\n>>> '" + line + "'\n" + status.error().message);
    }
  }
  return directives;
}

}  // namespace backplane
