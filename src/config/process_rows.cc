// SPDX-License-Identifier: BSD-3-Clause
#include "config/process_rows.h"

#include <array>
#include <clocale>
#include <memory>

#include "base/assert.h"
#include "base/numbers.h"
#include "base/process_title.h"
#include "config/option_kinds.h"

namespace backplane {
namespace {

std::unexpected<Error> Bad(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

using OomValues = std::array<int64_t, 3>;

class OomValuesOption final : public Option {
 public:
  explicit OomValuesOption(OomValues* field)
      : Option("oom-score-adj-values", kOptionMultiple), field_(field), default_(*field) {}
  Status Set(const std::vector<std::string>& args) override {
    OomValues values;
    if (args.size() != values.size()) return Bad("wrong number of arguments");
    for (size_t i = 0; i < values.size(); ++i) {
      constexpr int64_t kLimit = 2000;
      const auto value = ParseInt64(args[i]);
      if (!value || *value < -kLimit || *value > kLimit) {
        return Bad("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
      }
      values[i] = *value;
    }
    *field_ = values;
    return {};
  }
  std::string Get() const override {
    std::string text;
    for (const int64_t value : *field_) {
      if (!text.empty()) text += ' ';
      text += Int64ToString(value);
    }
    return text;
  }
  std::vector<std::string> FileValues() const override { return {Get()}; }
  bool IsDefault() const override { return *field_ == default_; }

 private:
  OomValues* field_;
  OomValues default_;
};

// Changes the process's order of texts at once, so a locale that is not installed is refused.
class CollateOption final : public Option {
 public:
  explicit CollateOption(std::string* field) : Option("locale-collate", 0), field_(field) {}
  Status Set(const std::vector<std::string>& args) override {
    if (args.size() != 1) return Bad("wrong number of arguments");
    if (std::setlocale(LC_COLLATE, args[0].c_str()) == nullptr) {
      return Bad("Invalid locale name");
    }
    *field_ = args[0];
    return {};
  }
  std::string Get() const override { return *field_; }
  bool IsDefault() const override { return field_->empty(); }

 private:
  std::string* field_;
};

Status CheckTitle(const std::string& text) {
  const TitleVariable variables[] = {{"title", "x"},      {"listen-addr", "x"}, {"server-mode", ""},
                                     {"port", "x"},       {"tls-port", "x"},    {"unixsocket", "x"},
                                     {"config-file", "x"}};
  if (ExpandTitle(text, variables)) return {};
  return Bad("template format is invalid or contains unknown variables");
}

// Values are those of OomScore::Mode.
constexpr EnumName kOomModes[] = {{"no", 0}, {"yes", 1}, {"relative", 1}, {"absolute", 2}};

}  // namespace

void RegisterProcessOptions(OptionTable& table, Settings& settings) {
  const auto add = [&table](std::unique_ptr<Option> option) {
    BP_ASSERT(table.Add(std::move(option)).has_value());
  };
  add(std::make_unique<EnumOption>("oom-score-adj", 0u, &settings.oom_score_adj,
                                   std::span(kOomModes)));
  add(std::make_unique<OomValuesOption>(&settings.oom_score_adj_values));
  add(std::make_unique<BoolOption>("set-proc-title", kOptionImmutable, &settings.set_proc_title));
  add(std::make_unique<StringOption>("proc-title-template", 0u, &settings.proc_title_template,
                                     CheckTitle));
  add(std::make_unique<BoolOption>("disable-thp", kOptionImmutable, &settings.disable_thp));
  add(std::make_unique<BoolOption>("jemalloc-bg-thread", 0u, &settings.jemalloc_bg_thread));
  add(std::make_unique<StringOption>("ignore-warnings", 0u, &settings.ignore_warnings));
  add(std::make_unique<CollateOption>(&settings.locale_collate));
}

}  // namespace backplane
