// SPDX-License-Identifier: BSD-3-Clause
// OptionTable: the named options over Settings (and those that modules add): parse, validate,
// apply, print. The config file, the command line, CONFIG and modules use it; built-in options are
// rows in options.cc. Engine thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace backplane {

enum OptionFlag : uint32_t {
  kOptionImmutable = 1u << 0,   // only by file and command line
  kOptionHidden = 1u << 1,      // CONFIG GET needs its full name
  kOptionProtected = 1u << 2,   // CONFIG SET only when enable-protected-configs allows it
  kOptionSensitive = 1u << 3,   // never logged
  kOptionMultiple = 1u << 4,    // may stand in the file more than once
  kOptionAnyCount = 1u << 5,    // says itself what is wrong when there is no value
  kOptionNotLoading = 1u << 6,  // CONFIG SET refuses it while data are loaded
};

// One option. Built-ins and module configs derive from it.
class Option {
 public:
  Option(std::string name, uint32_t flags) : name_(std::move(name)), flags_(flags) {}
  virtual ~Option() = default;
  const std::string& name() const { return name_; }
  uint32_t flags() const { return flags_; }
  const std::string& alias() const { return alias_; }
  void set_alias(std::string alias) { alias_ = std::move(alias); }

  // Parses and stores; on error nothing changed. The error text is what CONFIG SET shows after
  // "CONFIG SET failed (possibly related to argument 'name') - ", for example "argument must be
  // 'yes' or 'no'".
  virtual Status Set(const std::vector<std::string>& args) = 0;
  // CONFIG SET asks first: may refuse what a file may say.
  virtual Status CheckRuntime(const std::vector<std::string>& args) const;
  // The value as CONFIG GET prints it.
  virtual std::string Get() const = 0;
  // As it stands in a config file: one or more lines without the name. Default: the quoted Get().
  virtual std::vector<std::string> FileValues() const;
  // True when it has its default: CONFIG REWRITE then leaves it out unless the file names it.
  virtual bool IsDefault() const = 0;

 private:
  std::string name_;
  std::string alias_;
  uint32_t flags_;
};

// Told after options have been set (all of one CONFIG SET at once); an error makes CONFIG SET put
// the old values back and tell those who know of the new ones again, the one that failed included.
class OptionListener {
 public:
  virtual ~OptionListener() = default;
  virtual Status OnOptionsChanged(const std::vector<std::string>& names) = 0;
  // After an error: which of the names it is about; empty: the first.
  virtual std::string failed_option() const { return {}; }
};

class OptionTable {
 public:
  OptionTable() = default;
  ~OptionTable();
  OptionTable(const OptionTable&) = delete;
  OptionTable& operator=(const OptionTable&) = delete;

  // kAlreadyExists when the name is taken.
  Result<Option*> Add(std::unique_ptr<Option> option);
  void Remove(Option* option);
  Option* Find(std::string_view name) const;  // case ignored, aliases too

  // CONFIG SET: all pairs or none. The error is the whole reply text after "ERR ", but for kBusy:
  // an option that has to wait until data are loaded. `local`: the client may change protected
  // options. `loading`: data are being loaded.
  Status SetAtRuntime(const std::vector<std::pair<std::string, std::string>>& pairs, bool local,
                      bool loading = false);
  // CONFIG GET: pairs whose name matches one of the patterns, sorted.
  std::vector<std::pair<std::string, std::string>> Get(
      const std::vector<std::string>& patterns) const;
  // Every option, sorted by name.
  std::vector<Option*> All() const;

  // Listeners are told in the order of adding. Not owned.
  void AddListener(OptionListener* listener);
  void RemoveListener(OptionListener* listener);

 private:
  std::map<std::string, std::unique_ptr<Option>, std::less<>> options_;
  std::map<std::string, Option*, std::less<>> aliases_;
  std::vector<OptionListener*> listeners_;
};

// What a config file or command line says besides options of the table.
struct StartupDirectives {
  struct Module {
    std::string path;
    std::vector<std::string> args;
  };
  std::vector<Module> modules;                               // loadmodule
  std::vector<std::pair<std::string, std::string>> renames;  // rename-command
  std::vector<std::vector<std::string>> users;               // user: name and rules
  std::vector<std::pair<std::string, std::vector<std::string>>>
      unknown;  // names with a dot: module configs, applied once modules are loaded
  std::vector<std::string> ignored;     // options of the field that this server does not have yet
  std::vector<std::string> save_words;  // of all `save` lines since the last empty one
  std::string config_file;              // absolute path; empty when none
};

// Reads `[config-file | -] [--name value ...]` as redis-server does ("--save 60 1000 --save ''",
// values until the next "--"), applies known options. Errors name the file's line as Redis does.
Result<StartupDirectives> ApplyCommandLine(OptionTable& options,
                                           const std::vector<std::string>& args);
// One file; `include` (with glob) is followed.
Status ApplyConfigFile(OptionTable& options, const std::string& path,
                       StartupDirectives* directives);
// CONFIG REWRITE: keeps comments and order, changes and adds lines, atomically. kAll: options that
// have their defaults get a line too.
enum class RewriteWhat { kChanged, kAll };
Status RewriteConfigFile(const OptionTable& options, const StartupDirectives& directives,
                         RewriteWhat what = RewriteWhat::kChanged);

}  // namespace backplane
